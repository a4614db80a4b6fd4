#include <stdlib.h>
#include <string.h>
#include "failing.h"

enum { BLOCK_SIDE = 8, ROWS_MAX = 2 * BLOCK_SIDE };

/// What survives a jump.
struct encoding {
    struct jpeg_compress_struct encoder;
    struct failing failing;
    unsigned char *bytes;
    unsigned long size;
};

struct settings {
    int width, height, components, quality, progressive;
    J_COLOR_SPACE colors;
    uint8_t *icc;
    size_t icc_size;
};

static void start(struct encoding *e, const struct settings *settings, int is_raw) {
    jpeg_create_compress(&e->encoder);
    jpeg_mem_dest(&e->encoder, &e->bytes, &e->size);
    e->encoder.image_width = (JDIMENSION)settings->width;
    e->encoder.image_height = (JDIMENSION)settings->height;
    e->encoder.input_components = settings->components;
    e->encoder.in_color_space = settings->colors;
    jpeg_set_defaults(&e->encoder);
    jpeg_set_quality(&e->encoder, settings->quality, TRUE);
    if (settings->quality >= MDS_JPEG_ALL_COLORS) e->encoder.comp_info[0].h_samp_factor = e->encoder.comp_info[0].v_samp_factor = 1;
    if (settings->progressive) jpeg_simple_progression(&e->encoder);
    e->encoder.raw_data_in = is_raw ? TRUE : FALSE;
    jpeg_start_compress(&e->encoder, TRUE);
    if (settings->icc_size > 0) jpeg_write_icc_profile(&e->encoder, settings->icc, (unsigned int)settings->icc_size);
}

static void write_pixels(struct encoding *e, const struct mds_jpeg_picture *picture) {
    while (e->encoder.next_scanline < e->encoder.image_height) {
        JSAMPROW row = picture->pixels + e->encoder.next_scanline * picture->stride;
        jpeg_write_scanlines(&e->encoder, &row, 1);
    }
}

/// Rows from `first` on; the last one again below the picture's edge, its last sample again beyond it.
static void gather(const struct mds_jpeg_plane *plane, size_t first, size_t count, JSAMPROW *rows) {
    size_t width = (size_t)plane->width, whole = (width + BLOCK_SIDE - 1) / BLOCK_SIDE * BLOCK_SIDE;
    for (size_t k = 0; k < count; k++) {
        size_t y = first + k < (size_t)plane->height ? first + k : (size_t)plane->height - 1;
        rows[k] = plane->samples + y * plane->stride;
        memset(rows[k] + width, rows[k][width - 1], whole - width);
    }
}

static void write_planes(struct encoding *e, const struct mds_jpeg_planes *picture) {
    JSAMPROW rows[3][ROWS_MAX];
    JSAMPARRAY planes[3] = {rows[0], rows[1], rows[2]};
    size_t most = (size_t)e->encoder.max_v_samp_factor;
    while (e->encoder.next_scanline < e->encoder.image_height) {
        for (int c = 0; c < picture->count; c++) {
            size_t factor = (size_t)e->encoder.comp_info[c].v_samp_factor;
            gather(&picture->planes[c], e->encoder.next_scanline * factor / most, factor * BLOCK_SIDE, rows[c]);
        }
        jpeg_write_raw_data(&e->encoder, planes, (JDIMENSION)(most * BLOCK_SIDE));
    }
}

/// Writes one of both.
static int encode(
    const struct settings *settings, const struct mds_jpeg_picture *pixels, const struct mds_jpeg_planes *planes, uint8_t **out,
    size_t *out_size, char *message) {
    struct encoding e;
    memset(&e, 0, sizeof e);
    mds_jpeg_prepare(&e.failing, message);
    e.encoder.err = &e.failing.base;
    if (setjmp(e.failing.back)) {
        jpeg_destroy_compress(&e.encoder);
        free(e.bytes);
        return e.failing.result;
    }
    start(&e, settings, planes != NULL);
    if (planes) write_planes(&e, planes);
    else write_pixels(&e, pixels);
    jpeg_finish_compress(&e.encoder);
    jpeg_destroy_compress(&e.encoder);
    *out = e.bytes;
    *out_size = e.size;
    return MDS_JPEG_OK;
}

int mds_jpeg_encode(
    const struct mds_jpeg_picture *picture, int quality, int progressive, uint8_t **out, size_t *out_size, char *message) {
    struct settings settings = {
        picture->width, picture->height, picture->channels, quality, progressive,
        picture->channels == 4 ? JCS_EXT_RGBX : JCS_GRAYSCALE, picture->icc, picture->icc_size,
    };
    return encode(&settings, picture, NULL, out, out_size, message);
}

int mds_jpeg_encode_planes(
    const struct mds_jpeg_planes *picture, int quality, int progressive, uint8_t **out, size_t *out_size, char *message) {
    struct settings settings = {
        picture->planes[0].width, picture->planes[0].height, picture->count, quality, progressive,
        picture->count == 3 ? JCS_YCbCr : JCS_GRAYSCALE, picture->icc, picture->icc_size,
    };
    return encode(&settings, NULL, picture, out, out_size, message);
}
