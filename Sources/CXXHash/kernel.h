// The hot functions for one instruction set: KERNEL(name) gives each set its own names. XXH_INLINE_ALL makes all of
// xxhash.h static, so that two sets can live in one program. Both use the same layout of the state.
#define XXH_INLINE_ALL
#include <xxhash.h>
#include "include/CXXHash.h"

void KERNEL(update)(void *state, const void *bytes, size_t count) { XXH3_128bits_update(state, bytes, count); }

struct mds_xxh3_digest KERNEL(of)(const void *bytes, size_t count) {
    XXH128_hash_t hash = XXH3_128bits(bytes, count);
    return (struct mds_xxh3_digest){hash.low64, hash.high64};
}

uint64_t KERNEL(seeded)(const void *bytes, size_t count, uint64_t seed) {
    return XXH3_64bits_withSeed(bytes, count, seed);
}
