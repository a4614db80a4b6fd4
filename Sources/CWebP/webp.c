// The functions of libwebp that are used, and the parts of its structures that are read or written, as version 2 of its decoder's interface
// has them; its headers are not needed.
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include "CLoader.h"
#include "CWebP.h"

enum { DECODER_ABI = 0x0209, STATUS_OK = 0, STATUS_OUT_OF_MEMORY = 1, LOSSY = 1, MODE_RGBA = 1, MODE_YUV = 11, MODE_YUVA = 12 };

struct features {
    int width, height, has_alpha, has_animation, format;
    uint32_t pad[5];
};

struct buffer {
    int mode, width, height, is_external;
    union {
        struct {
            uint8_t *pixels;
            int stride;
            size_t size;
        } rgba;
        struct {
            uint8_t *y, *u, *v, *a;
            int y_stride, u_stride, v_stride, a_stride;
            size_t y_size, u_size, v_size, a_size;
        } yuva;
    } place;
    uint32_t pad[4];
    uint8_t *own;
};

struct options {
    int bypass_filtering, no_fancy_upsampling;
    int use_cropping, crop_left, crop_top, crop_width, crop_height;
    int use_scaling, scaled_width, scaled_height;
    int use_threads, dithering_strength, flip, alpha_dithering_strength;
    uint32_t pad[5];
};

struct config {
    struct features input;
    struct buffer output;
    struct options options;
};

static struct {
    int (*init)(struct config *, int abi);
    int (*features)(const uint8_t *, size_t, struct features *, int abi);
    int (*decode)(const uint8_t *, size_t, struct config *);
    void (*free_buffer)(struct buffer *);
} webp;

static const struct mds_symbol symbols[] = {
    {"WebPInitDecoderConfigInternal", &webp.init},
    {"WebPGetFeaturesInternal", &webp.features},
    {"WebPDecode", &webp.decode},
    {"WebPFreeDecBuffer", &webp.free_buffer},
};

static int is_there;

static void load(void) {
    if (mds_load("libwebp.so.7", symbols, sizeof symbols / sizeof *symbols)) return;
    struct config config;
    is_there = webp.init(&config, DECODER_ABI) != 0;
}

static uint32_t little32(const uint8_t *at) {
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

/// Whether a file is a still picture with the usual chunks in the usual order, all there, and nothing else; whether it has a profile is told.
static int is_usual(const uint8_t *bytes, size_t size, int *has_profile) {
    static const char *const order[] = {"VP8X", "ICCP", "ALPH", "VP8 ", "VP8L", "EXIF", "XMP "};
    enum { EXTENDED = 0, PROFILE = 1, PICTURE = 3, LOSSLESS = 4, KINDS = sizeof order / sizeof *order };
    if (size < 12 || memcmp(bytes, "RIFF", 4) != 0 || memcmp(bytes + 8, "WEBP", 4) != 0) return 0;
    size_t end = (size_t)little32(bytes + 4) + 8, at = 12;
    if (end > size) return 0;
    int next = 0, is_extended = 0, has_picture = 0;
    while (at < end) {
        if (end - at < 8) return 0;
        size_t length = little32(bytes + at + 4);
        length += length % 2;
        if (length > end - at - 8) return 0;
        int kind = next;
        while (kind < KINDS && memcmp(bytes + at, order[kind], 4) != 0) kind++;
        if (kind == KINDS) return 0;
        // What is not the picture itself has a head that announces it.
        if (kind == EXTENDED) is_extended = length == 10;
        if (kind == PROFILE) *has_profile = 1;
        int is_picture = kind == PICTURE || kind == LOSSLESS;
        if (!is_picture && !is_extended) return 0;
        has_picture |= is_picture;
        next = is_picture ? LOSSLESS + 1 : kind + 1;
        at += 8 + length;
    }
    return has_picture;
}

static int result_of(int status) {
    return status == STATUS_OK ? MDS_WEBP_OK : status == STATUS_OUT_OF_MEMORY ? MDS_WEBP_NO_MEMORY : MDS_WEBP_OTHER;
}

/// Prepares to decode; 0 where that is somebody else's work.
static int prepare(const uint8_t *bytes, size_t size, struct config *config, int *has_profile) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    if (!is_there || !is_usual(bytes, size, has_profile) || !webp.init(config, DECODER_ABI)) return 0;
    if (webp.features(bytes, size, &config->input, DECODER_ABI) != STATUS_OK) return 0;
    return !config->input.has_animation && config->input.width > 0 && config->input.height > 0;
}

int mds_webp_check(const uint8_t *bytes, size_t size) {
    struct config config;
    int has_profile = 0;
    if (!prepare(bytes, size, &config, &has_profile)) return MDS_WEBP_OTHER;
    // Which damage is found is the same whatever is made of the values that were read. Transparency is only read where it is asked for.
    config.output.mode = config.input.format != LOSSY ? MODE_RGBA : config.input.has_alpha ? MODE_YUVA : MODE_YUV;
    config.options.bypass_filtering = config.options.no_fancy_upsampling = 1;
    int result = result_of(webp.decode(bytes, size, &config));
    webp.free_buffer(&config.output);
    return result;
}

int mds_webp_decode(const uint8_t *bytes, size_t size, int coarse, struct mds_webp_picture *out) {
    struct config config;
    int has_profile = 0;
    if (!prepare(bytes, size, &config, &has_profile) || has_profile || config.input.has_alpha) return MDS_WEBP_OTHER;
    size_t width = (size_t)config.input.width, height = (size_t)config.input.height;
    out->width = config.input.width;
    out->height = config.input.height;
    out->stride = (width * 4 + 31) / 32 * 32;
    out->pixels = malloc(out->stride * height);
    if (!out->pixels) return MDS_WEBP_NO_MEMORY;
    config.output.mode = MODE_RGBA;
    config.output.is_external = 1;
    config.output.place.rgba.pixels = out->pixels;
    config.output.place.rgba.stride = (int)out->stride;
    config.output.place.rgba.size = out->stride * height;
    config.options.bypass_filtering = config.options.no_fancy_upsampling = coarse;
    int result = result_of(webp.decode(bytes, size, &config));
    webp.free_buffer(&config.output);
    for (size_t y = 0; result == MDS_WEBP_OK && y < height; y++) {
        uint8_t all = 255;
        for (size_t x = 0; x < width; x++) all &= out->pixels[y * out->stride + x * 4 + 3];
        if (all != 255) result = MDS_WEBP_OTHER;
    }
    if (result != MDS_WEBP_OK) free(out->pixels);
    return result;
}

/// Makes room for a plane, in rows of whole vectors.
static int make_plane(struct mds_webp_plane *plane, size_t width, size_t height) {
    plane->width = (int)width;
    plane->height = (int)height;
    plane->stride = (width + 31) / 32 * 32;
    plane->samples = malloc(plane->stride * height);
    return plane->samples != NULL;
}

int mds_webp_planes(const uint8_t *bytes, size_t size, int coarse, struct mds_webp_plane out[3]) {
    struct config config;
    int has_profile = 0;
    if (!prepare(bytes, size, &config, &has_profile) || has_profile || config.input.has_alpha) return MDS_WEBP_OTHER;
    if (config.input.format != LOSSY) return MDS_WEBP_OTHER;
    size_t width = (size_t)config.input.width, height = (size_t)config.input.height;
    size_t half_width = (width + 1) / 2, half_height = (height + 1) / 2;
    memset(out, 0, 3 * sizeof *out);
    int result = MDS_WEBP_NO_MEMORY;
    if (make_plane(&out[0], width, height) && make_plane(&out[1], half_width, half_height) && make_plane(&out[2], half_width, half_height)) {
        config.output.mode = MODE_YUV;
        config.output.is_external = 1;
        config.output.place.yuva.y = out[0].samples;
        config.output.place.yuva.u = out[1].samples;
        config.output.place.yuva.v = out[2].samples;
        config.output.place.yuva.y_stride = (int)out[0].stride;
        config.output.place.yuva.u_stride = config.output.place.yuva.v_stride = (int)out[1].stride;
        config.output.place.yuva.y_size = out[0].stride * height;
        config.output.place.yuva.u_size = config.output.place.yuva.v_size = out[1].stride * half_height;
        config.options.bypass_filtering = coarse;
        result = result_of(webp.decode(bytes, size, &config));
        webp.free_buffer(&config.output);
    }
    for (int k = 0; result != MDS_WEBP_OK && k < 3; k++) free(out[k].samples);
    return result;
}

void mds_webp_free(void *memory) { free(memory); }
