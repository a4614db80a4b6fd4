// The portable functions, and the choice between them and the faster ones.
#define KERNEL(name) mds_xxh3_##name##_baseline
#include "kernel.h"

#if defined(__x86_64__)
void mds_xxh3_update_avx2(void *state, const void *bytes, size_t count);
struct mds_xxh3_digest mds_xxh3_of_avx2(const void *bytes, size_t count);
uint64_t mds_xxh3_seeded_avx2(const void *bytes, size_t count, uint64_t seed);

// One load of a word that the C runtime fills before main.
static int has_avx2(void) { return __builtin_cpu_supports("avx2"); }
#endif

void *mds_xxh3_create(void) { return XXH3_createState(); }
void mds_xxh3_free(void *state) { XXH3_freeState(state); }
void mds_xxh3_reset(void *state) { XXH3_128bits_reset(state); }

void mds_xxh3_update(void *state, const void *bytes, size_t count) {
#if defined(__x86_64__)
    if (has_avx2()) {
        mds_xxh3_update_avx2(state, bytes, count);
        return;
    }
#endif
    mds_xxh3_update_baseline(state, bytes, count);
}

struct mds_xxh3_digest mds_xxh3_of(const void *bytes, size_t count) {
#if defined(__x86_64__)
    if (has_avx2()) return mds_xxh3_of_avx2(bytes, count);
#endif
    return mds_xxh3_of_baseline(bytes, count);
}

uint64_t mds_xxh3_seeded(const void *bytes, size_t count, uint64_t seed) {
#if defined(__x86_64__)
    if (has_avx2()) return mds_xxh3_seeded_avx2(bytes, count, seed);
#endif
    return mds_xxh3_seeded_baseline(bytes, count, seed);
}

struct mds_xxh3_digest mds_xxh3_finish(const void *state) {
    XXH128_hash_t hash = XXH3_128bits_digest(state);
    return (struct mds_xxh3_digest){hash.low64, hash.high64};
}
