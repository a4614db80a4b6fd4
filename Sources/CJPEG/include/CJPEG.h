// libjpeg (of libjpeg-turbo) as Swift wants it: errors are values, not jumps. One call decodes, one encodes; what they
// return is freed with mds_jpeg_free. Imaging is the only Swift owner.
#ifndef MEDIASYNC_CJPEG_H
#define MEDIASYNC_CJPEG_H

#include <stddef.h>
#include <stdint.h>

enum mds_jpeg_result {
    MDS_JPEG_OK = 0,
    MDS_JPEG_UNDECODABLE,
    /// The bytes end before the picture does.
    MDS_JPEG_TRUNCATED,
    MDS_JPEG_NO_MEMORY,
    /// More scans than any real picture has: each costs as much as a whole one.
    MDS_JPEG_TOO_MANY_SCANS,
};

/// A decoded picture: four bytes a pixel, or one where it is grey.
struct mds_jpeg_picture {
    uint8_t *pixels;
    int width, height, channels;
    size_t stride;
    uint8_t *icc;
    size_t icc_size;
};

enum { MDS_JPEG_MESSAGE = 200 };

/// Decodes all of a picture at a scale of 1/1, 1/2, 1/4 or 1/8; the rows are padded to a multiple of 32 bytes.
/// On failure nothing is allocated and `message` says why.
int mds_jpeg_decode(const uint8_t *bytes, size_t size, int denominator, struct mds_jpeg_picture *out, char *message);

/// The same without keeping the pixels, and without changing colours: whether it can be decoded to its end.
int mds_jpeg_check(const uint8_t *bytes, size_t size, char *message);

/// Encodes pixels as mds_jpeg_decode gives them, with an ICC profile where there is one.
int mds_jpeg_encode(
    const struct mds_jpeg_picture *picture, int quality, int progressive, uint8_t **out, size_t *out_size, char *message);

void mds_jpeg_free(void *memory);

#endif
