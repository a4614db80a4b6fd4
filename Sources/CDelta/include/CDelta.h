// The rolling sum of a window of bytes, and the search for windows whose sum may be known. Nothing here allocates.
#ifndef MEDIASYNC_CDELTA_H
#define MEDIASYNC_CDELTA_H

#include <stddef.h>
#include <stdint.h>

/// The two sums of a window, modulo 2^32: of its bytes, and of its bytes weighed by how far they are from the end.
struct mds_window_sums {
    uint32_t plain, weighed;
};

struct mds_window_sums mds_sums_of(const uint8_t *bytes, size_t count);

/// The 32 bits that blocks are known by.
static inline uint32_t mds_weak(struct mds_window_sums sums) {
    return (sums.plain * 0x9E3779B1u + sums.weighed) * 0x85EBCA77u;
}

/// Rolls a window over `bytes` until the filter knows its weak sum, or it has come to `last`.
///
/// `filter` is a bit set of 2^(32 - shift) bits, asked for the upper bits of a weak sum. `sums` are those of the window at
/// `from`, and on return those of the window at the returned position. Reads `bytes[from ..< last + block]`.
/// Returns the first position from `from` on that the filter knows, or `last + 1` where it knows none up to `last`; the
/// sums are then those at `last`.
size_t mds_find_window(const uint8_t *bytes, size_t from, size_t last, size_t block, struct mds_window_sums *sums,
                       const uint64_t *filter, int shift);

/// The sums of the window that begins one byte later: `out` leaves it, `in` enters.
static inline struct mds_window_sums mds_roll(struct mds_window_sums sums, uint32_t block, uint8_t out, uint8_t in) {
    sums.plain += (uint32_t)in - out;
    sums.weighed += sums.plain - block * out;
    return sums;
}

#endif
