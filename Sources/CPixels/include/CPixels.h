// Loops over pixels that must be vectorised: a Lanczos-3 resizer and the sums behind a blurhash. Pixels have four bytes
// (red, green, blue, anything) or one (grey). Nothing here allocates more than its bounds say, and nothing is global.
#ifndef MEDIASYNC_CPIXELS_H
#define MEDIASYNC_CPIXELS_H

#include <stddef.h>
#include <stdint.h>

/// A picture in memory.
struct mds_picture {
    uint8_t *pixels;
    int width, height;
    /// Bytes from one row to the next.
    size_t stride;
    /// 4 or 1.
    int channels;
};

/// The part of a picture that becomes another one, in its own pixels.
struct mds_region {
    double x, y, width, height;
};

/// Resizes a part of each of `count` pictures of the same size to fill the one of `out` that belongs to it; the caller has allocated those, all of the
/// same size too, with the same channels. 0, or -1 where there is no memory for its tables: about 64 bytes a column and 16 bytes a row of `in`, and 100
/// bytes a row and column of `out`.
int mds_resize(const struct mds_picture *in, struct mds_region part, const struct mds_picture *out, int count);

/// Puts pixels of `out`, which has four channels, together from brightness and two colours, all of the same size: of a JPEG, or in the range of
/// video, where black and white are 16 and 235.
void mds_join_planes(
    const struct mds_picture *luma, const struct mds_picture *blue, const struct mds_picture *red, int is_video, const struct mds_picture *out);

/// The sums of a blurhash with 4 x 4 components: red, green and blue of each in linear light, first across, then down.
/// 0, or -1 without memory.
int mds_blurhash_sums(const struct mds_picture *in, float sums[48]);

#endif
