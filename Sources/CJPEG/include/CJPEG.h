// libjpeg (of libjpeg-turbo) as Swift wants it: errors are values, not jumps. What its calls return is freed with mds_jpeg_free. Usual pictures are
// read without it. Imaging is the only Swift owner.
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

/// One component of a picture: brightness, or one of two colours.
struct mds_jpeg_plane {
    uint8_t *samples;
    int width, height;
    size_t stride;
    /// How far the picture reaches, in samples: not always whole ones.
    double across, down;
};

/// A picture as JPEG has it: brightness alone, or with two colours that may have fewer samples.
struct mds_jpeg_planes {
    struct mds_jpeg_plane planes[3];
    int count;
    uint8_t *icc;
    size_t icc_size;
};

/// What is to become of all of a picture.
struct mds_jpeg_wish {
    int width, height;
    /// Whether colours become half of that.
    int halves_colors;
};

/// Decodes all of a baseline picture, each plane at the smallest of 1/1, 1/2, 1/4 and 1/8 that is not smaller than what is wished. 1, and then
/// samples and profile are freed with mds_jpeg_free; 0 says nothing of the picture: mds_jpeg_decode has to look at it.
int mds_jpeg_read(const uint8_t *bytes, size_t size, const struct mds_jpeg_wish *wish, struct mds_jpeg_planes *out);

/// Whether a picture is known to be good from its beginning to its end; 0 says nothing.
int mds_jpeg_is_good(const uint8_t *bytes, size_t size);

/// Encodes planes: colours of half the size, rounded up, below MDS_JPEG_ALL_COLORS, else of the same size. Rows have room for whole blocks of eight samples,
/// which are filled.
int mds_jpeg_encode_planes(
    const struct mds_jpeg_planes *picture, int quality, int progressive, uint8_t **out, size_t *out_size, char *message);

/// The least quality at which colours keep every pixel, as with libvips.
enum { MDS_JPEG_ALL_COLORS = 90 };

/// Encodes pixels as mds_jpeg_decode gives them, with an ICC profile where there is one.
int mds_jpeg_encode(
    const struct mds_jpeg_picture *picture, int quality, int progressive, uint8_t **out, size_t *out_size, char *message);

void mds_jpeg_free(void *memory);

#endif
