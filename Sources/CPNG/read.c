#include <stdlib.h>
#include <string.h>
#include "CPNG.h"
#include "deflate.h"
#include "paeth.h"

/// Chunks beside those of the picture itself, and their bytes: more are somebody's experiment. Longer sides are refused by libpng.
enum { OTHERS_MAX = 16, OTHER_BYTES_MAX = 1 << 20, SIDE_MAX = 1000000, WINDOW_BITS = 8 };

struct header {
    uint32_t width, height;
    int depth, color;
    /// Bytes of a row with the one that says how it is filtered, and of all rows.
    size_t row, raw;
    /// Bytes of a pixel, at least 1: how far filters look back.
    size_t back;
    /// Whether there are only pixels: no transparency, profile or other meaning of them.
    int is_plain;
    const uint8_t *palette;
    size_t colors;
    /// The compressed data, in one piece; `gathered` owns them where they were in several.
    const uint8_t *data;
    size_t data_size;
    uint8_t *gathered;
};

static uint32_t big32(const uint8_t *at) {
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static int is(const uint8_t *at, const char *name) { return memcmp(at, name, 4) == 0; }

static int read_header(const uint8_t *at, struct header *h) {
    static const uint8_t samples[] = {1, 0, 3, 1, 2, 0, 4};
    h->width = big32(at);
    h->height = big32(at + 4);
    h->depth = at[8];
    h->color = at[9];
    // Compression and filters are of the only kind there is; interlaced pictures are rare.
    if (at[10] != 0 || at[11] != 0 || at[12] != 0) return 0;
    if (h->width == 0 || h->height == 0 || h->width > SIDE_MAX || h->height > SIDE_MAX) return 0;
    if (h->color > 6 || samples[h->color] == 0) return 0;
    switch (h->depth) {
        case 8: break;
        case 1: case 2: case 4:
            if (h->color != 0 && h->color != 3) return 0;
            break;
        case 16:
            if (h->color == 3) return 0;
            break;
        default: return 0;
    }
    size_t bits = (size_t)h->depth * samples[h->color];
    h->row = 1 + (h->width * bits + 7) / 8;
    h->raw = h->row * h->height;
    h->back = bits < 8 ? 1 : bits / 8;
    h->is_plain = h->depth == 8;
    return 1;
}

/// Chunks that other decoders may drop, but never refuse; 2 for those that leave the pixels as they are.
static int harmless(const uint8_t *name) {
    static const char *const plain[] = {"gAMA", "cHRM", "sRGB", "pHYs", "tEXt", "iTXt", "zTXt", "tIME", "bKGD", "sBIT"};
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        if (is(name, plain[i])) return 2;
    return is(name, "iCCP") || is(name, "eXIf") || is(name, "tRNS");
}

/// Walks over all chunks: whether they are those of a usual picture, in the usual order, with the right checksums. The data are in `size` bytes
/// in `pieces`; the first one is at `h->data`.
static int walk(const struct deflate *deflate, const uint8_t *bytes, size_t size, struct header *h, size_t *pieces) {
    static const uint8_t signature[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
    if (size < sizeof signature || memcmp(bytes, signature, sizeof signature) != 0) return 0;
    size_t at = sizeof signature;
    int others = 0, data_ended = 0;
    for (int index = 0;; index++) {
        if (size - at < 12) return 0;
        size_t length = big32(bytes + at);
        if (length > size - at - 12) return 0;
        const uint8_t *name = bytes + at + 4, *content = name + 4;
        if (deflate->crc32(0, name, length + 4) != big32(content + length)) return 0;
        at += 12 + length;
        if ((index == 0) != (is(name, "IHDR") != 0)) return 0;
        if (index == 0) {
            if (length != 13 || !read_header(content, h)) return 0;
            continue;
        }
        if (is(name, "IDAT")) {
            if (data_ended || (h->color == 3 && !h->palette)) return 0;
            if (*pieces == 0) h->data = content;
            h->data_size += length;
            ++*pieces;
            continue;
        }
        if (*pieces > 0) data_ended = 1;
        if (is(name, "IEND")) return length == 0 && *pieces > 0;
        if (is(name, "PLTE")) {
            if (h->palette || data_ended || h->color == 0 || h->color == 4 || length % 3 != 0 || length == 0) return 0;
            h->palette = content;
            h->colors = length / 3;
            if (h->colors > (h->color == 3 ? (size_t)1 << h->depth : 256)) return 0;
            continue;
        }
        int kind = harmless(name);
        if (kind == 0 || length > OTHER_BYTES_MAX || ++others > OTHERS_MAX) return 0;
        if (kind == 1) h->is_plain = 0;
    }
}

/// Copies the data together: they lie in chunks one after the other.
static int gather(struct header *h) {
    h->gathered = malloc(h->data_size);
    if (!h->gathered) return MDS_PNG_NO_MEMORY;
    const uint8_t *piece = h->data;
    for (size_t done = 0; done < h->data_size;) {
        size_t length = big32(piece - 8);
        memcpy(h->gathered + done, piece, length);
        done += length;
        piece += length + 12;
    }
    h->data = h->gathered;
    return MDS_PNG_OK;
}

static int open(const struct deflate *deflate, const uint8_t *bytes, size_t size, size_t bytes_max, struct header *h) {
    size_t pieces = 0;
    *h = (struct header){0};
    if (!walk(deflate, bytes, size, h, &pieces) || h->data_size < 2) return MDS_PNG_OTHER;
    if (h->raw > bytes_max) return MDS_PNG_OTHER;
    return pieces > 1 ? gather(h) : MDS_PNG_OK;
}

/// Uncompresses all rows: exactly as many bytes as they have, and a checksum that is right.
static int inflate(const struct deflate *deflate, struct header *h, uint8_t *raw) {
    // How far back data may refer, by their own head. Others hold to it; libdeflate knows only the largest distance there can be.
    size_t window = (size_t)1 << (WINDOW_BITS + (h->data[0] >> 4));
    if (window < 32768 && window < h->raw) return MDS_PNG_OTHER;
    void *decompressor = deflate->alloc_decompressor();
    if (!decompressor) return MDS_PNG_NO_MEMORY;
    size_t used = 0, made = 0;
    int failed = deflate->zlib_decompress_ex(decompressor, h->data, h->data_size, raw, h->raw, &used, &made);
    deflate->free_decompressor(decompressor);
    if (failed || used != h->data_size || made != h->raw) return MDS_PNG_OTHER;
    for (size_t y = 0; y < h->height; y++)
        if (raw[y * h->row] > 4) return MDS_PNG_OTHER;
    return MDS_PNG_OK;
}

int mds_png_check(const uint8_t *bytes, size_t size, size_t bytes_max) {
    const struct deflate *deflate = mds_deflate();
    if (!deflate) return MDS_PNG_OTHER;
    struct header h;
    int result = open(deflate, bytes, size, bytes_max, &h);
    if (result == MDS_PNG_OK) {
        uint8_t *raw = malloc(h.raw);
        result = raw ? inflate(deflate, &h, raw) : MDS_PNG_NO_MEMORY;
        free(raw);
    }
    free(h.gathered);
    return result;
}

/// Undoes a row's filter. `above` is the row before it, undone.
static inline __attribute__((always_inline)) void unfilter(int filter, uint8_t *row, const uint8_t *above, size_t count, size_t back) {
    switch (filter) {
        case 1:
            for (size_t x = back; x < count; x++) row[x] += row[x - back];
            break;
        case 2:
            for (size_t x = 0; x < count; x++) row[x] += above[x];
            break;
        case 3:
            for (size_t x = 0; x < back && x < count; x++) row[x] += above[x] / 2;
            for (size_t x = back; x < count; x++) row[x] += (uint8_t)((row[x - back] + above[x]) / 2);
            break;
        case 4:
            for (size_t x = 0; x < back && x < count; x++) row[x] += above[x];
            for (size_t x = back; x < count; x++) row[x] += paeth(row[x - back], above[x], above[x - back]);
            break;
    }
}

static void unfilter_row(const struct header *h, uint8_t *row, const uint8_t *above) {
    // The usual numbers are known to the compiler.
    switch (h->back) {
        case 3: unfilter(row[0], row + 1, above + 1, h->row - 1, 3); break;
        case 4: unfilter(row[0], row + 1, above + 1, h->row - 1, 4); break;
        default: unfilter(row[0], row + 1, above + 1, h->row - 1, h->back);
    }
}

/// Pixels as others want them. 0 where one is not opaque, or has no colour.
static int expand(const struct header *h, const uint8_t *from, uint8_t *to) {
    size_t width = h->width;
    switch (h->color) {
        case 0: memmove(to, from, width); return 1;
        case 2:
            for (size_t x = 0; x < width; x++) {
                uint8_t red = from[x * 3], green = from[x * 3 + 1], blue = from[x * 3 + 2];
                to[x * 4] = red, to[x * 4 + 1] = green, to[x * 4 + 2] = blue, to[x * 4 + 3] = 255;
            }
            return 1;
        case 3:
            for (size_t x = 0; x < width; x++) {
                if (from[x] >= h->colors) return 0;
                const uint8_t *color = h->palette + from[x] * 3;
                to[x * 4] = color[0], to[x * 4 + 1] = color[1], to[x * 4 + 2] = color[2], to[x * 4 + 3] = 255;
            }
            return 1;
        default: {
            uint8_t all = 255;
            for (size_t x = 0; x < width; x++) all &= from[x * 4 + 3];
            memmove(to, from, width * 4);
            return all == 255;
        }
    }
}

/// Rows are uncompressed into the end of the memory that the pixels get, so far behind that no pixel is written over what is still read.
static int decode(const struct deflate *deflate, struct header *h, struct mds_png_picture *out) {
    out->width = (int)h->width;
    out->height = (int)h->height;
    out->channels = h->color == 0 ? 1 : 4;
    out->stride = ((size_t)h->width * (size_t)out->channels + 31) / 32 * 32;
    size_t height = h->height;
    size_t ahead = out->stride > h->row ? height * out->stride - (height - 1) * h->row : out->stride;
    uint8_t *memory = malloc(ahead + h->raw);
    // What is above the first row.
    uint8_t *none = calloc(1, h->row);
    if (!memory || !none) {
        free(memory);
        free(none);
        return MDS_PNG_NO_MEMORY;
    }
    uint8_t *raw = memory + ahead;
    int result = inflate(deflate, h, raw);
    for (size_t y = 0; result == MDS_PNG_OK && y < height; y++) {
        uint8_t *row = raw + y * h->row;
        unfilter_row(h, row, y == 0 ? none : row - h->row);
        if (!expand(h, row + 1, memory + y * out->stride)) result = MDS_PNG_OTHER;
    }
    free(none);
    if (result == MDS_PNG_OK) out->pixels = memory;
    else free(memory);
    return result;
}

int mds_png_decode(const uint8_t *bytes, size_t size, size_t bytes_max, struct mds_png_picture *out) {
    const struct deflate *deflate = mds_deflate();
    if (!deflate) return MDS_PNG_OTHER;
    struct header h;
    int result = open(deflate, bytes, size, bytes_max, &h);
    if (result == MDS_PNG_OK && (!h.is_plain || h.color == 4)) result = MDS_PNG_OTHER;
    if (result == MDS_PNG_OK) result = decode(deflate, &h, out);
    free(h.gathered);
    return result;
}

void mds_png_free(void *memory) { free(memory); }
