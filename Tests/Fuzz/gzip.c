// What libFuzzer calls: gzip by ISA-L against any data of a member, beside zlib. ISA-L is no code that a sanitizer sees, so its state, its
// input and its output end where a page begins that nobody may touch. What zlib takes it must take as well, with the same bytes.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <zlib.h>

enum { PAGE = 4096, OUT = 1 << 20 };

/// Bytes that end at a page that nobody may touch.
static uint8_t *guarded(size_t size) {
    size_t pages = (size + PAGE - 1) / PAGE * PAGE;
    uint8_t *start = mmap(NULL, pages + PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (start == MAP_FAILED || mprotect(start + pages, PAGE, PROT_NONE) != 0) abort();
    return start + pages - size;
}

static uint8_t *state;

static void *guarded_state(size_t count, size_t size) {
    // Pointers in it want their place.
    size = (count * size + 15) / 16 * 16;
    if (!state) state = guarded(size);
    memset(state, 0, size);
    return state;
}

static void keep_state(void *memory) { (void)memory; }

#define calloc guarded_state
#define free keep_state
#include "../../Sources/CGzip/gzip.c"
#undef calloc
#undef free

/// What zlib makes of the data: its bytes, and how many of the data it used; -1 where it refuses them or wants more.
static long expected(const uint8_t *data, size_t size, uint8_t *out, size_t *made) {
    z_stream stream;
    memset(&stream, 0, sizeof stream);
    if (inflateInit2(&stream, -15) != Z_OK) abort();
    stream.next_in = (uint8_t *)data;
    stream.avail_in = (uInt)size;
    stream.next_out = out;
    stream.avail_out = OUT;
    int result = inflate(&stream, Z_FINISH);
    *made = OUT - stream.avail_out;
    long used = result == Z_STREAM_END ? (long)(size - stream.avail_in) : -1;
    inflateEnd(&stream);
    return used;
}

static void put32(uint8_t *to, uint32_t value) {
    for (int k = 0; k < 4; k++) to[k] = (uint8_t)(value >> (8 * k));
}

/// The whole stream in pieces of this size at most; whether it was taken.
static int taken(const uint8_t *stream, size_t size, size_t step, uint8_t *found, size_t *total) {
    static uint8_t *input, *output;
    if (!input) input = guarded(1 << 17);
    if (!output) output = guarded(1 << 15);
    struct mds_gzip *gzip = mds_gzip_new();
    if (!gzip) abort();
    memset(gzip->inflate.reserve, 0xA5, sizeof gzip->inflate.reserve);
    *total = 0;
    int is_taken = 1;
    for (size_t at = 0; is_taken && at < size;) {
        size_t piece = size - at < step ? size - at : step;
        const uint8_t *in = memcpy(input + (1 << 17) - piece, stream + at, piece), *why = NULL;
        size_t rest = piece;
        at += piece;
        for (;;) {
            size_t room = step % (1 << 15) + 1, space = room;
            uint8_t *out = output + (1 << 15) - room;
            int result = mds_gzip_step(gzip, &in, &rest, &out, &room, (const char **)&why);
            size_t count = space - room;
            if (*total + count > OUT) return 0;
            memcpy(found + *total, out - count, count);
            *total += count;
            if (result == MDS_GZIP_DAMAGED && !why) abort();
            if (result == MDS_GZIP_DAMAGED) is_taken = 0;
            if (result != MDS_GZIP_FULL) break;
        }
    }
    for (size_t k = 0; k < sizeof gzip->inflate.reserve; k++)
        if (gzip->inflate.reserve[k] != 0xA5) abort();
    is_taken = is_taken && mds_gzip_is_whole(gzip);
    mds_gzip_free(gzip);
    return is_taken;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    static uint8_t want[OUT], found[OUT], stream[(1 << 17) + 64];
    static const uint8_t header[] = {0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3};
    if (size < 2 || size > 1 << 17) return 0;
    size_t step = ((size_t)bytes[0] << 8 | bytes[1]) + 1;
    bytes += 2;
    size -= 2;
    size_t made, total;
    long used = expected(bytes, size, want, &made);
    memcpy(stream, header, sizeof header);
    size_t data = used < 0 ? size : (size_t)used;
    memcpy(stream + sizeof header, bytes, data);
    put32(stream + sizeof header + data, (uint32_t)crc32(0, want, (uInt)made));
    put32(stream + sizeof header + data + 4, (uint32_t)made);
    int is_taken = taken(stream, sizeof header + data + 8, step, found, &total);
    if (used >= 0 && (!is_taken || total != made || memcmp(want, found, made) != 0)) abort();
    // As a stream of its own, header and all: only that nothing traps.
    taken(bytes, size, step, found, &total);
    return 0;
}
