#include <stdlib.h>
#include <string.h>
#include "CPNG.h"
#include "deflate.h"
#include "paeth.h"

/// For photographs a higher level saves three percent and costs four times as much; for drawings it is cheap.
enum { FAST = 1, THOROUGH = 6, FILTERS = 3 };

/// Filters a row by the filters number 1, 2 and 4 of PNG; returns the sum of what is left, as small numbers above or below zero.
static long filtered(int filter, const uint8_t *row, const uint8_t *above, size_t count, size_t back, uint8_t *out) {
    long sum = 0;
    for (size_t x = 0; x < back; x++) {
        out[x] = (uint8_t)(row[x] - (filter == 1 ? 0 : above[x]));
        sum += abs((int8_t)out[x]);
    }
    switch (filter) {
        case 1:
            for (size_t x = back; x < count; x++) out[x] = (uint8_t)(row[x] - row[x - back]);
            break;
        case 2:
            for (size_t x = back; x < count; x++) out[x] = (uint8_t)(row[x] - above[x]);
            break;
        default:
            for (size_t x = back; x < count; x++) out[x] = (uint8_t)(row[x] - paeth(row[x - back], above[x], above[x - back]));
    }
    for (size_t x = back; x < count; x++) sum += abs((int8_t)out[x]);
    return sum;
}

struct rows {
    /// All rows, each with its filter's number before it.
    uint8_t *bytes;
    /// The rows as they are, a row of nothing above them.
    uint8_t *plain;
    /// What filters make of one row.
    uint8_t *tried;
    size_t row, height, back;
};

static void pack(const struct mds_png_picture *picture, size_t y, uint8_t *to) {
    const uint8_t *from = picture->pixels + y * picture->stride;
    size_t width = (size_t)picture->width;
    if (picture->channels == 1) memcpy(to, from, width);
    else
        for (size_t x = 0; x < width; x++) to[x * 3] = from[x * 4], to[x * 3 + 1] = from[x * 4 + 1], to[x * 3 + 2] = from[x * 4 + 2];
}

/// Gives each row the filter that leaves the least.
static void filter(const struct rows *rows) {
    static const uint8_t numbers[FILTERS] = {1, 2, 4};
    size_t count = rows->row - 1;
    for (size_t y = 0; y < rows->height; y++) {
        const uint8_t *above = rows->plain + y * count, *row = above + count;
        int best = 0;
        long least = 0;
        for (int k = 0; k < FILTERS; k++) {
            long sum = filtered(numbers[k], row, above, count, rows->back, rows->tried + (size_t)k * count);
            if (k == 0 || sum < least) least = sum, best = k;
        }
        rows->bytes[y * rows->row] = numbers[best];
        memcpy(rows->bytes + y * rows->row + 1, rows->tried + (size_t)best * count, count);
    }
}

static void leave(const struct rows *rows) {
    for (size_t y = 0; y < rows->height; y++) {
        rows->bytes[y * rows->row] = 0;
        memcpy(rows->bytes + y * rows->row + 1, rows->plain + (y + 1) * (rows->row - 1), rows->row - 1);
    }
}

static void put32(uint8_t *at, uint32_t value) {
    for (int k = 0; k < 4; k++) at[k] = (uint8_t)(value >> (24 - 8 * k));
}

/// Puts a chunk whose content is in its place already; returns where the next one begins.
static uint8_t *put_chunk(const struct deflate *deflate, uint8_t *at, const char *name, size_t length) {
    put32(at, (uint32_t)length);
    memcpy(at + 4, name, 4);
    put32(at + 8 + length, deflate->crc32(0, at + 4, length + 4));
    return at + 12 + length;
}

enum { HEAD = 8 + 12 + 13, CHUNK = 12 };

/// A compressed picture, and the memory that it is compressed to: room for the chunks around it.
struct attempt {
    uint8_t *bytes;
    size_t room, size;
};

static int compress(const struct deflate *deflate, const struct rows *rows, int level, struct attempt *attempt) {
    void *compressor = deflate->alloc_compressor(level);
    if (!compressor) return -1;
    size_t count = rows->row * rows->height;
    attempt->room = deflate->zlib_compress_bound(compressor, count);
    attempt->bytes = malloc(HEAD + CHUNK + attempt->room + CHUNK);
    attempt->size = attempt->bytes ? deflate->zlib_compress(compressor, rows->bytes, count, attempt->bytes + HEAD + 8, attempt->room) : 0;
    deflate->free_compressor(compressor);
    return attempt->size > 0 ? 0 : -1;
}

/// Keeps the smaller one of two.
static void keep(struct attempt *best, struct attempt *other) {
    if (other->size > 0 && other->size < best->size) {
        struct attempt larger = *best;
        *best = *other;
        *other = larger;
    }
    free(other->bytes);
}

static int encode(const struct deflate *deflate, const struct mds_png_picture *picture, const struct rows *rows, struct attempt *best) {
    memset(rows->plain, 0, rows->row - 1);
    for (size_t y = 0; y < rows->height; y++) pack(picture, y, rows->plain + (y + 1) * (rows->row - 1));
    filter(rows);
    if (compress(deflate, rows, FAST, best) < 0) return -1;
    // A drawing, perhaps: equal pieces may be found better in rows as they are, and by looking longer.
    if (best->size < rows->row * rows->height / 2) {
        leave(rows);
        struct attempt other = {0};
        if (compress(deflate, rows, THOROUGH, &other) == 0) keep(best, &other);
    }
    return best->size > INT32_MAX ? -1 : 0;
}

static void finish(const struct deflate *deflate, const struct mds_png_picture *picture, struct attempt *best) {
    uint8_t *at = best->bytes;
    memcpy(at, "\x89PNG\r\n\x1A\n", 8);
    put32(at + 16, (uint32_t)picture->width);
    put32(at + 20, (uint32_t)picture->height);
    memcpy(at + 24, picture->channels == 1 ? "\x08\x00\x00\x00\x00" : "\x08\x02\x00\x00\x00", 5);
    at = put_chunk(deflate, at + 8, "IHDR", 13);
    at = put_chunk(deflate, at, "IDAT", best->size);
    at = put_chunk(deflate, at, "IEND", 0);
    best->size = (size_t)(at - best->bytes);
}

int mds_png_encode(const struct mds_png_picture *picture, uint8_t **out, size_t *out_size) {
    const struct deflate *deflate = mds_deflate();
    if (!deflate) return MDS_PNG_OTHER;
    size_t samples = picture->channels == 1 ? 1 : 3, count = (size_t)picture->width * samples;
    struct rows rows = {.row = 1 + count, .height = (size_t)picture->height, .back = samples};
    rows.bytes = malloc(rows.row * rows.height);
    rows.plain = malloc(count * (rows.height + 1));
    rows.tried = malloc(count * FILTERS);
    struct attempt best = {0};
    int failed = !rows.bytes || !rows.plain || !rows.tried || encode(deflate, picture, &rows, &best) < 0;
    free(rows.bytes);
    free(rows.plain);
    free(rows.tried);
    if (failed) {
        free(best.bytes);
        return MDS_PNG_NO_MEMORY;
    }
    finish(deflate, picture, &best);
    *out = best.bytes;
    *out_size = best.size;
    return MDS_PNG_OK;
}
