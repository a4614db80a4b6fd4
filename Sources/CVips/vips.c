// The functions of libvips 8.13 and later that are used, with their own names behind `vips`. Its headers are not needed:
// what is declared here is part of its stable interface, and optional arguments are passed by name.
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "CLoader.h"
#include "CVips.h"

typedef struct image image;

// Enumerations of libvips, by value.
enum { ACCESS_SEQUENTIAL = 1, FAIL_ON_TRUNCATED = 1, SIZE_DOWN = 2, INTERESTING_CENTRE = 1, INTERPRETATION_SRGB = 22, FORMAT_UCHAR = 0 };

static struct {
    int (*init)(const char *name);
    int (*version)(int which);
    void (*cache_set_max)(int most);
    void (*concurrency_set)(int threads);
    void (*operation_block_set)(const char *name, int blocked);
    void (*block_untrusted_set)(int blocked);
    const char *(*error_buffer)(void);
    void (*error_clear)(void);
    image *(*image_new_from_memory)(const void *pixels, size_t size, int width, int height, int bands, int format);
    image *(*image_new_from_buffer)(const void *bytes, size_t size, const char *options, ...);
    int (*thumbnail_buffer)(void *bytes, size_t size, image **out, int width, ...);
    int (*copy)(image *in, image **out, ...);
    int (*avg)(image *in, double *out, ...);
    int (*autorot)(image *in, image **out, ...);
    int (*colourspace)(image *in, image **out, int space, ...);
    int (*extract_band)(image *in, image **out, int band, ...);
    int (*cast_uchar)(image *in, image **out, ...);
    int (*jpegsave_buffer)(image *in, void **bytes, size_t *size, ...);
    int (*pngsave_buffer)(image *in, void **bytes, size_t *size, ...);
    int (*webpsave_buffer)(image *in, void **bytes, size_t *size, ...);
    void *(*image_write_to_memory)(image *in, size_t *size);
    int (*image_get_width)(const image *in);
    int (*image_get_height)(const image *in);
    int (*image_get_bands)(const image *in);
    int (*image_get_n_pages)(image *in);
    int (*image_get_orientation)(image *in);
    char **(*image_get_fields)(image *in);
    int (*image_remove)(image *in, const char *name);
    void (*unref)(void *object);
    void (*free)(void *memory);
    void (*strfreev)(char **list);
} vips;

static const struct mds_symbol symbols[] = {
    {"vips_init", &vips.init},
    {"vips_version", &vips.version},
    {"vips_cache_set_max", &vips.cache_set_max},
    {"vips_concurrency_set", &vips.concurrency_set},
    {"vips_operation_block_set", &vips.operation_block_set},
    {"vips_block_untrusted_set", &vips.block_untrusted_set},
    {"vips_error_buffer", &vips.error_buffer},
    {"vips_error_clear", &vips.error_clear},
    {"vips_image_new_from_memory", &vips.image_new_from_memory},
    {"vips_image_new_from_buffer", &vips.image_new_from_buffer},
    {"vips_thumbnail_buffer", &vips.thumbnail_buffer},
    {"vips_copy", &vips.copy},
    {"vips_avg", &vips.avg},
    {"vips_autorot", &vips.autorot},
    {"vips_colourspace", &vips.colourspace},
    {"vips_extract_band", &vips.extract_band},
    {"vips_cast_uchar", &vips.cast_uchar},
    {"vips_jpegsave_buffer", &vips.jpegsave_buffer},
    {"vips_pngsave_buffer", &vips.pngsave_buffer},
    {"vips_webpsave_buffer", &vips.webpsave_buffer},
    {"vips_image_write_to_memory", &vips.image_write_to_memory},
    {"vips_image_get_width", &vips.image_get_width},
    {"vips_image_get_height", &vips.image_get_height},
    {"vips_image_get_bands", &vips.image_get_bands},
    {"vips_image_get_n_pages", &vips.image_get_n_pages},
    {"vips_image_get_orientation", &vips.image_get_orientation},
    {"vips_image_get_fields", &vips.image_get_fields},
    {"vips_image_remove", &vips.image_remove},
    {"g_object_unref", &vips.unref},
    {"g_free", &vips.free},
    {"g_strfreev", &vips.strfreev},
};

/// What may be decoded and encoded; everything else is blocked.
static const char *const allowed[] = {
    "VipsForeignLoadJpeg", "VipsForeignLoadPng", "VipsForeignLoadWebp", "VipsForeignLoadNsgif", "VipsForeignLoadHeif",
    "VipsForeignSaveJpeg", "VipsForeignSavePng", "VipsForeignSaveSpng", "VipsForeignSaveWebp",
};

static int unavailable(char *message, const char *what, const char *detail) {
    snprintf(message, MDS_VIPS_MESSAGE, "%s%s%s", what, detail ? ": " : "", detail ? detail : "");
    return MDS_VIPS_UNAVAILABLE;
}

/// Ends a failed call: what libvips says of it.
static int failed(char *message) {
    snprintf(message, MDS_VIPS_MESSAGE, "%s", vips.error_buffer());
    vips.error_clear();
    size_t length = strlen(message);
    while (length > 0 && message[length - 1] == '\n') message[--length] = 0;
    return strstr(message, "out of memory") ? MDS_VIPS_NO_MEMORY : MDS_VIPS_UNDECODABLE;
}

int mds_vips_open(char *message) {
    static const char library[] = "libvips.so.42";
    const char *missing = mds_load(library, symbols, sizeof symbols / sizeof *symbols);
    if (missing == library) return unavailable(message, "libvips is not there", dlerror());
    if (missing) return unavailable(message, "libvips is too old (8.13 or later is needed)", missing);
    if (vips.init("mediasync") != 0) return unavailable(message, "libvips does not start", vips.error_buffer());
    vips.cache_set_max(0);
    vips.concurrency_set(1);
    vips.operation_block_set("VipsForeignLoad", 1);
    vips.operation_block_set("VipsForeignSave", 1);
    for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++) vips.operation_block_set(allowed[i], 0);
    vips.block_untrusted_set(1);
    return MDS_VIPS_OK;
}

int mds_vips_header(const void *bytes, size_t size, struct mds_vips_info *info, char *message) {
    image *in = vips.image_new_from_buffer(bytes, size, "", "access", ACCESS_SEQUENTIAL, NULL);
    if (!in) return failed(message);
    *info = (struct mds_vips_info){
        .width = vips.image_get_width(in), .height = vips.image_get_height(in), .pages = vips.image_get_n_pages(in),
        .orientation = vips.image_get_orientation(in),
    };
    vips.unref(in);
    return MDS_VIPS_OK;
}

int mds_vips_check(const void *bytes, size_t size, int pages, char *message) {
    double average;
    image *in = pages > 1 ? vips.image_new_from_buffer(
                                bytes, size, "", "access", ACCESS_SEQUENTIAL, "fail_on", FAIL_ON_TRUNCATED, "n", pages, NULL)
                          : vips.image_new_from_buffer(
                                bytes, size, "", "access", ACCESS_SEQUENTIAL, "fail_on", FAIL_ON_TRUNCATED, NULL);
    if (!in) return failed(message);
    int result = vips.avg(in, &average, NULL);
    vips.unref(in);
    return result == 0 ? MDS_VIPS_OK : failed(message);
}

/// A copy without metadata; `in` is used up.
static image *without_metadata(image *in) {
    image *copy = NULL;
    int result = vips.copy(in, &copy, NULL);
    vips.unref(in);
    if (result != 0) return NULL;
    char **fields = vips.image_get_fields(copy);
    for (size_t i = 0; fields && fields[i]; i++)
        if (strcmp(fields[i], "icc-profile-data") != 0) vips.image_remove(copy, fields[i]);
    vips.strfreev(fields);
    return copy;
}

static image *load(const void *bytes, size_t size, const struct mds_vips_wish *wish) {
    image *out = NULL;
    if (wish->width == 0) {
        image *in =
            vips.image_new_from_buffer(bytes, size, "", "access", ACCESS_SEQUENTIAL, "fail_on", FAIL_ON_TRUNCATED, NULL);
        if (!in) return NULL;
        int result = vips.autorot(in, &out, NULL);
        vips.unref(in);
        return result == 0 ? out : NULL;
    }
    int result =
        wish->crop
            ? vips.thumbnail_buffer(
                  (void *)bytes, size, &out, wish->width, "height", wish->height, "crop", INTERESTING_CENTRE, "fail_on",
                  FAIL_ON_TRUNCATED, NULL)
            : vips.thumbnail_buffer(
                  (void *)bytes, size, &out, wish->width, "height", wish->height, "size", SIZE_DOWN, "fail_on",
                  FAIL_ON_TRUNCATED, NULL);
    return result == 0 ? out : NULL;
}

static int save(image *in, const struct mds_vips_wish *wish, void **bytes, size_t *size) {
    switch (wish->format) {
        case MDS_VIPS_JPEG:
            return vips.jpegsave_buffer(
                in, bytes, size, "Q", wish->quality ? wish->quality : 75, "interlace", wish->progressive, NULL);
        case MDS_VIPS_PNG: return vips.pngsave_buffer(in, bytes, size, NULL);
        case MDS_VIPS_WEBP: return vips.webpsave_buffer(in, bytes, size, NULL);
    }
    return -1;
}

int mds_vips_convert(
    const void *bytes, size_t size, const struct mds_vips_wish *wish, struct mds_vips_output *out, char *message) {
    image *in = load(bytes, size, wish);
    if (in) in = without_metadata(in);
    if (!in) return failed(message);
    void *encoded = NULL;
    size_t count = 0;
    int result = save(in, wish, &encoded, &count);
    *out = (struct mds_vips_output){
        .bytes = encoded, .size = count, .width = vips.image_get_width(in), .height = vips.image_get_height(in)};
    vips.unref(in);
    return result == 0 ? MDS_VIPS_OK : failed(message);
}

int mds_vips_encode(const struct mds_vips_picture *pixels, const struct mds_vips_wish *wish, struct mds_vips_output *out, char *message) {
    size_t width = (size_t)pixels->width, height = (size_t)pixels->height;
    uint8_t *packed = malloc(width * height * 3);
    if (!packed) {
        snprintf(message, MDS_VIPS_MESSAGE, "no memory for the pixels");
        return MDS_VIPS_NO_MEMORY;
    }
    for (size_t y = 0; y < height; y++)
        for (size_t x = 0; x < width; x++) memcpy(packed + (y * width + x) * 3, pixels->bytes + y * pixels->stride + x * 4, 3);
    image *in = vips.image_new_from_memory(packed, width * height * 3, pixels->width, pixels->height, 3, FORMAT_UCHAR);
    image *colored = NULL;
    void *encoded = NULL;
    size_t count = 0;
    int result = in ? vips.copy(in, &colored, "interpretation", INTERPRETATION_SRGB, NULL) : -1;
    if (result == 0) result = save(colored, wish, &encoded, &count);
    if (colored) vips.unref(colored);
    if (in) vips.unref(in);
    free(packed);
    *out = (struct mds_vips_output){.bytes = encoded, .size = count, .width = pixels->width, .height = pixels->height};
    return result == 0 ? MDS_VIPS_OK : failed(message);
}

/// Four bytes a pixel from three or one.
static int spread(const uint8_t *from, size_t pixels, int bands, struct mds_vips_output *out) {
    uint8_t *to = malloc(pixels * 4);
    if (!to) return -1;
    for (size_t i = 0; i < pixels; i++)
        for (int c = 0; c < 4; c++)
            to[i * 4 + (size_t)c] = c == 3 ? 255 : from[i * (size_t)bands + (size_t)(bands == 3 ? c : 0)];
    out->bytes = to;
    out->size = pixels * 4;
    return 0;
}

int mds_vips_pixels(
    const void *bytes, size_t size, int width, int height, struct mds_vips_output *out, char *message) {
    image *in = NULL, *plain = NULL, *bands = NULL, *narrow = NULL;
    if (vips.thumbnail_buffer((void *)bytes, size, &in, width, "height", height, "fail_on", FAIL_ON_TRUNCATED, NULL) != 0)
        return failed(message);
    int result = vips.colourspace(in, &plain, INTERPRETATION_SRGB, NULL);
    vips.unref(in);
    if (result != 0) return failed(message);
    int count = vips.image_get_bands(plain) >= 3 ? 3 : 1;
    result = vips.extract_band(plain, &bands, 0, "n", count, NULL);
    vips.unref(plain);
    if (result != 0) return failed(message);
    result = vips.cast_uchar(bands, &narrow, NULL);
    vips.unref(bands);
    if (result != 0) return failed(message);
    size_t length = 0;
    uint8_t *pixels = vips.image_write_to_memory(narrow, &length);
    out->width = vips.image_get_width(narrow);
    out->height = vips.image_get_height(narrow);
    vips.unref(narrow);
    if (!pixels) return failed(message);
    result = spread(pixels, (size_t)out->width * (size_t)out->height, count, out);
    vips.free(pixels);
    if (result == 0) return MDS_VIPS_OK;
    snprintf(message, MDS_VIPS_MESSAGE, "no memory for the pixels");
    return MDS_VIPS_NO_MEMORY;
}

// GLib's allocator is malloc.
void mds_vips_free(void *memory) { free(memory); }
