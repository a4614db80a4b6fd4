// libvips as Swift wants it: plain C types, no GLib, errors as values. It is loaded when it is first needed, because it
// brings a hundred libraries with it that no other part of the program should wait for or carry. Imaging is the only owner.
#ifndef MEDIASYNC_CVIPS_H
#define MEDIASYNC_CVIPS_H

#include <stddef.h>
#include <stdint.h>

enum mds_vips_result {
    MDS_VIPS_OK = 0,
    MDS_VIPS_UNDECODABLE,
    MDS_VIPS_NO_MEMORY,
    /// Not installed, too old, or without what is needed.
    MDS_VIPS_UNAVAILABLE,
};

enum { MDS_VIPS_MESSAGE = 400 };

/// What a header says.
struct mds_vips_info {
    int width, height;
    /// Frames of an animation, 1 else.
    int pages;
    /// As EXIF numbers them; 1 is upright.
    int orientation;
};

enum mds_vips_format { MDS_VIPS_JPEG = 1, MDS_VIPS_PNG, MDS_VIPS_WEBP };

/// What to make of a picture.
struct mds_vips_wish {
    /// The box it is made to fit into; 0 to leave its size alone.
    int width, height;
    /// Fill the box, enlarging where needed, and cut off what is beyond it.
    int crop;
    enum mds_vips_format format;
    /// Of JPEG; 0 for libvips' own.
    int quality;
    int progressive;
};

/// Four bytes a pixel: red, green, blue, anything.
struct mds_vips_picture {
    const uint8_t *bytes;
    int width, height;
    size_t stride;
};

/// Bytes that mds_vips_free frees, and the size of the picture in them.
struct mds_vips_output {
    uint8_t *bytes;
    size_t size;
    int width, height;
};

/// Loads and restricts the library: no cache, one thread, only the loaders and savers of web pictures. Once a process.
int mds_vips_open(char *message);

int mds_vips_header(const void *bytes, size_t size, struct mds_vips_info *info, char *message);

/// Decodes all of the first `pages` frames and keeps nothing.
int mds_vips_check(const void *bytes, size_t size, int pages, char *message);

/// Decodes, turns upright, resizes, drops all metadata but the ICC profile, encodes.
int mds_vips_convert(
    const void *bytes, size_t size, const struct mds_vips_wish *wish, struct mds_vips_output *out, char *message);

/// Encodes pixels that are sRGB; the wish's box is not looked at.
int mds_vips_encode(const struct mds_vips_picture *pixels, const struct mds_vips_wish *wish, struct mds_vips_output *out, char *message);

/// The picture scaled, up or down, to fit into a box, as sRGB with four bytes a pixel.
int mds_vips_pixels(
    const void *bytes, size_t size, int width, int height, struct mds_vips_output *out, char *message);

void mds_vips_free(void *memory);

#endif
