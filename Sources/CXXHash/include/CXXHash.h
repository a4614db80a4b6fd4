// XXH3 with 128 bits, from the installed xxhash.h (header-only), compiled for the processor at hand: the distribution's library
// is built for the oldest x86-64 and half as fast. Checksums is the only Swift owner.
#ifndef MEDIASYNC_CXXHASH_H
#define MEDIASYNC_CXXHASH_H

#include <stddef.h>
#include <stdint.h>

/// The two halves of a digest, the high one printed first.
struct mds_xxh3_digest {
    uint64_t low, high;
};

/// A streaming state; NULL without memory.
void *mds_xxh3_create(void);
void mds_xxh3_free(void *state);
void mds_xxh3_reset(void *state);
void mds_xxh3_update(void *state, const void *bytes, size_t count);
struct mds_xxh3_digest mds_xxh3_finish(const void *state);
/// One buffer in one go.
struct mds_xxh3_digest mds_xxh3_of(const void *bytes, size_t count);
/// 64 bits of one buffer, others for each seed.
uint64_t mds_xxh3_seeded(const void *bytes, size_t count, uint64_t seed);

#endif
