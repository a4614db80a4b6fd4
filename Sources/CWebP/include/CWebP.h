// libwebp's decoder as Swift wants it, for still pictures; it comes with libvips and is loaded when it is first needed. What is
// in any way unusual is left to libvips: this reader only ever says "good", never "bad". Imaging is the only owner.
#ifndef MEDIASYNC_CWEBP_H
#define MEDIASYNC_CWEBP_H

#include <stddef.h>
#include <stdint.h>

enum mds_webp_result {
    MDS_WEBP_OK = 0,
    /// Damaged, or unusual, or libwebp is not there: somebody else has to look.
    MDS_WEBP_OTHER,
    MDS_WEBP_NO_MEMORY,
};

/// A decoded picture: four bytes a pixel.
struct mds_webp_picture {
    uint8_t *pixels;
    int width, height;
    size_t stride;
};

/// Reads all of a picture to its end and keeps nothing.
int mds_webp_check(const uint8_t *bytes, size_t size);

/// Decodes all of a picture without transparency or profile; what its metadata say of its orientation is not heard. The rows are padded to a multiple of 32 bytes.
/// - Parameter coarse: without what softens edges between blocks, which nobody sees in a picture that is made smaller.
int mds_webp_decode(const uint8_t *bytes, size_t size, int coarse, struct mds_webp_picture *out);

/// Brightness, or one of two colours, which have half as many rows and columns; in the range of video.
struct mds_webp_plane {
    uint8_t *samples;
    int width, height;
    size_t stride;
};

/// The same as mds_webp_decode, as it is stored, of a lossy picture: brightness, blue, red. Each is freed with mds_webp_free.
int mds_webp_planes(const uint8_t *bytes, size_t size, int coarse, struct mds_webp_plane out[3]);

void mds_webp_free(void *memory);

#endif
