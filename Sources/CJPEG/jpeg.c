// libjpeg jumps out of its functions on an error; the jumps end here.
#include <stdlib.h>
#include <string.h>
#include "failing.h"

/// A picture with more scans than this is made to keep decoders busy.
enum { SCANS_MAX = 200 };

struct progress {
    struct jpeg_progress_mgr base;
};

static void count_scans(j_common_ptr codec) {
    if (!codec->is_decompressor) return;
    j_decompress_ptr decoder = (j_decompress_ptr)codec;
    if (decoder->input_scan_number <= SCANS_MAX) return;
    struct failing *failing = (struct failing *)codec->err;
    snprintf(failing->message, MDS_JPEG_MESSAGE, "more than %d scans", SCANS_MAX);
    failing->result = MDS_JPEG_TOO_MANY_SCANS;
    longjmp(failing->back, 1);
}

/// What survives a jump: read after it, so it lives in one object whose address is taken.
struct decoding {
    struct jpeg_decompress_struct decoder;
    struct failing failing;
    struct progress progress;
    uint8_t *pixels;
    JOCTET *icc;
    unsigned int icc_size;
    size_t stride;
    int channels;
};

static int truncated(struct decoding *d, char *message) {
    if (!d->failing.truncated) return MDS_JPEG_OK;
    snprintf(message, MDS_JPEG_MESSAGE, "the picture's data end early");
    return MDS_JPEG_TRUNCATED;
}

/// Reads all rows, into `pixels` one after the other, or into a single row again and again.
static void read_rows(struct decoding *d, int keep) {
    while (d->decoder.output_scanline < d->decoder.output_height) {
        JSAMPROW rows[8];
        JDIMENSION left = d->decoder.output_height - d->decoder.output_scanline;
        JDIMENSION count = left < 8 ? left : 8;
        for (JDIMENSION i = 0; i < count; i++)
            rows[i] = d->pixels + (keep ? (d->decoder.output_scanline + i) * d->stride : 0);
        jpeg_read_scanlines(&d->decoder, rows, count);
    }
}

static int decode(struct decoding *d, const uint8_t *bytes, size_t size, int denominator, int keep, char *message) {
    mds_jpeg_prepare(&d->failing, message);
    d->decoder.err = &d->failing.base;
    if (setjmp(d->failing.back)) {
        int result = d->failing.result;
        jpeg_destroy_decompress(&d->decoder);
        free(d->pixels);
        free(d->icc);
        d->pixels = NULL;
        d->icc = NULL;
        return result;
    }
    jpeg_create_decompress(&d->decoder);
    d->progress.base.progress_monitor = count_scans;
    d->decoder.progress = &d->progress.base;
    jpeg_mem_src(&d->decoder, bytes, size);
    if (keep) jpeg_save_markers(&d->decoder, JPEG_APP0 + 2, 0xFFFF);
    jpeg_read_header(&d->decoder, TRUE);
    if (keep) jpeg_read_icc_profile(&d->decoder, &d->icc, &d->icc_size);
    d->decoder.scale_num = 1;
    d->decoder.scale_denom = (unsigned int)denominator;
    if (!keep) d->decoder.out_color_space = d->decoder.jpeg_color_space;
    else if (d->decoder.jpeg_color_space == JCS_GRAYSCALE) d->decoder.out_color_space = JCS_GRAYSCALE;
    else d->decoder.out_color_space = JCS_EXT_RGBX;
    if (!keep) d->decoder.do_fancy_upsampling = FALSE;
    jpeg_start_decompress(&d->decoder);
    d->channels = d->decoder.output_components;
    d->stride = ((size_t)d->decoder.output_width * (size_t)d->channels + 31) / 32 * 32;
    d->pixels = malloc(keep ? d->stride * d->decoder.output_height : d->stride);
    if (!d->pixels) {
        snprintf(message, MDS_JPEG_MESSAGE, "no memory for the pixels");
        d->failing.result = MDS_JPEG_NO_MEMORY;
        longjmp(d->failing.back, 1);
    }
    read_rows(d, keep);
    jpeg_finish_decompress(&d->decoder);
    int result = truncated(d, message);
    if (result != MDS_JPEG_OK) {
        d->failing.result = result;
        longjmp(d->failing.back, 1);
    }
    return result;
}

int mds_jpeg_decode(const uint8_t *bytes, size_t size, int denominator, struct mds_jpeg_picture *out, char *message) {
    struct decoding d;
    memset(&d, 0, sizeof d);
    int result = decode(&d, bytes, size, denominator, 1, message);
    if (result != MDS_JPEG_OK) return result;
    *out = (struct mds_jpeg_picture){
        .pixels = d.pixels, .width = (int)d.decoder.output_width, .height = (int)d.decoder.output_height,
        .channels = d.channels, .stride = d.stride, .icc = d.icc, .icc_size = d.icc_size,
    };
    jpeg_destroy_decompress(&d.decoder);
    return result;
}

int mds_jpeg_check(const uint8_t *bytes, size_t size, char *message) {
    struct decoding d;
    memset(&d, 0, sizeof d);
    int result = decode(&d, bytes, size, 8, 0, message);
    if (result != MDS_JPEG_OK) return result;
    free(d.pixels);
    jpeg_destroy_decompress(&d.decoder);
    return result;
}

void mds_jpeg_free(void *memory) { free(memory); }
