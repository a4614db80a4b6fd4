// The PNGs that almost everybody makes, read and written by our own code; their compressed data are libdeflate's to read and write, which is
// several times as fast as zlib. It is loaded when it is first needed. What is in any way unusual is left to libvips: this reader only ever
// says "good", never "bad". Imaging is the only owner.
#ifndef MEDIASYNC_CPNG_H
#define MEDIASYNC_CPNG_H

#include <stddef.h>
#include <stdint.h>

enum mds_png_result {
    MDS_PNG_OK = 0,
    /// Damaged, or unusual, or libdeflate is not there: somebody else has to look.
    MDS_PNG_OTHER,
    MDS_PNG_NO_MEMORY,
};

/// A decoded picture: four bytes a pixel, or one where it is grey.
struct mds_png_picture {
    uint8_t *pixels;
    int width, height, channels;
    size_t stride;
};

/// Whether libdeflate is there.
int mds_png_open(void);

/// Reads all of a picture to its end and keeps nothing: all checksums are right, and so are the number and the form of its rows. At most
/// `bytes_max` bytes are used for its uncompressed data.
int mds_png_check(const uint8_t *bytes, size_t size, size_t bytes_max);

/// Decodes all of a picture of eight bits without transparency, profile or interlacing; `bytes_max` as above. The rows are padded to a multiple
/// of 32 bytes.
int mds_png_decode(const uint8_t *bytes, size_t size, size_t bytes_max, struct mds_png_picture *out);

/// Encodes pixels as mds_png_decode gives them.
int mds_png_encode(const struct mds_png_picture *picture, uint8_t **out, size_t *out_size);

void mds_png_free(void *memory);

#endif
