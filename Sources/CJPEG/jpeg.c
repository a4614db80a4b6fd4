// libjpeg jumps out of its functions on an error; the jumps end here.
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <jpeglib.h>
#include <jerror.h>
#include "CJPEG.h"

/// A picture with more scans than this is made to keep decoders busy.
enum { SCANS_MAX = 200 };

struct failing {
    struct jpeg_error_mgr base;
    jmp_buf back;
    char *message;
    int result;
    int truncated;
};

static void fail(j_common_ptr codec) {
    struct failing *failing = (struct failing *)codec->err;
    char text[JMSG_LENGTH_MAX];
    failing->base.format_message(codec, text);
    snprintf(failing->message, MDS_JPEG_MESSAGE, "%s", text);
    switch (failing->base.msg_code) {
        case JERR_OUT_OF_MEMORY: failing->result = MDS_JPEG_NO_MEMORY; break;
        case JERR_INPUT_EOF: failing->result = MDS_JPEG_TRUNCATED; break;
        default: failing->result = MDS_JPEG_UNDECODABLE;
    }
    longjmp(failing->back, 1);
}

/// A warning: damage that does not stop the decoder. Only missing data counts; viewers show the rest as it is.
static void warn(j_common_ptr codec, int level) {
    struct failing *failing = (struct failing *)codec->err;
    if (level >= 0) return;
    failing->base.num_warnings++;
    if (failing->base.msg_code == JWRN_JPEG_EOF || failing->base.msg_code == JWRN_HIT_MARKER) failing->truncated = 1;
}

static void say_nothing(j_common_ptr codec) { (void)codec; }

static void prepare(struct failing *failing, char *message) {
    jpeg_std_error(&failing->base);
    failing->base.error_exit = fail;
    failing->base.emit_message = warn;
    failing->base.output_message = say_nothing;
    failing->message = message;
    failing->result = MDS_JPEG_UNDECODABLE;
    failing->truncated = 0;
    message[0] = 0;
}

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
    prepare(&d->failing, message);
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

struct encoding {
    struct jpeg_compress_struct encoder;
    struct failing failing;
    unsigned char *bytes;
    unsigned long size;
};

int mds_jpeg_encode(
    const struct mds_jpeg_picture *picture, int quality, int progressive, uint8_t **out, size_t *out_size, char *message) {
    struct encoding e;
    memset(&e, 0, sizeof e);
    prepare(&e.failing, message);
    e.encoder.err = &e.failing.base;
    if (setjmp(e.failing.back)) {
        jpeg_destroy_compress(&e.encoder);
        free(e.bytes);
        return e.failing.result;
    }
    jpeg_create_compress(&e.encoder);
    jpeg_mem_dest(&e.encoder, &e.bytes, &e.size);
    e.encoder.image_width = (JDIMENSION)picture->width;
    e.encoder.image_height = (JDIMENSION)picture->height;
    e.encoder.input_components = picture->channels;
    e.encoder.in_color_space = picture->channels == 4 ? JCS_EXT_RGBX : JCS_GRAYSCALE;
    jpeg_set_defaults(&e.encoder);
    jpeg_set_quality(&e.encoder, quality, TRUE);
    // As libvips does: from 90 on colours keep every pixel.
    if (quality >= 90) e.encoder.comp_info[0].h_samp_factor = e.encoder.comp_info[0].v_samp_factor = 1;
    if (progressive) jpeg_simple_progression(&e.encoder);
    jpeg_start_compress(&e.encoder, TRUE);
    if (picture->icc_size > 0) jpeg_write_icc_profile(&e.encoder, picture->icc, (unsigned int)picture->icc_size);
    while (e.encoder.next_scanline < e.encoder.image_height) {
        JSAMPROW row = picture->pixels + e.encoder.next_scanline * picture->stride;
        jpeg_write_scanlines(&e.encoder, &row, 1);
    }
    jpeg_finish_compress(&e.encoder);
    jpeg_destroy_compress(&e.encoder);
    *out = e.bytes;
    *out_size = e.size;
    return MDS_JPEG_OK;
}

void mds_jpeg_free(void *memory) { free(memory); }
