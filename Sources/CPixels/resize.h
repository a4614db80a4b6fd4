// What the parts of the resizer share.
#ifndef MEDIASYNC_RESIZE_H
#define MEDIASYNC_RESIZE_H

#include <stddef.h>
#include <stdint.h>

/// What one row or column of the result is made of. The weights of a sample sum up to ONE; at an edge a single one may be more.
struct taps {
    int first, count;
    const int16_t *weights;
};

// Sixteen bits a value, so that a vector holds twice as many as of floats. A weight's product keeps a bit less than the value had: seven
// bits behind the point become six, then five, and what is lost is a thirtieth of a step of brightness.
enum { ONE = 16384, LANES = 16, BITS_BEFORE = 7, BITS_AFTER = 5 };
// So many values are summed across at once: of a pixel of several rows, one after the other.
enum { GROUP = 2 * LANES };

/// Sums down the columns of the picture at `top`, for all rows of the result that lie together: `pieces` of LANES bytes. The values of a pixel
/// lie GROUP from those of the next, so that those of the other rows have their place between them.
typedef void mds_sum_columns(
    const uint8_t *top, size_t stride, const struct taps *const *taps, int16_t *sums, int channels, size_t pieces);
/// Sums across rows that lie together, GROUP values a pixel; `to` are their places in the result.
typedef void mds_sum_rows(const int16_t *rows, const struct taps *taps, int width, int channels, uint8_t *const *to);

mds_sum_columns mds_sum_columns_baseline, mds_sum_columns_avx2;
mds_sum_rows mds_sum_rows_baseline, mds_sum_rows_avx2;

#endif
