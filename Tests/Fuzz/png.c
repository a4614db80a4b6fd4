// What libFuzzer calls: the reader of PNGs against any bytes. What it decodes it must have found whole, and must read again as it was once
// it is written.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "CPNG.h"

static uint32_t crc(const uint8_t *at, size_t count) {
    uint32_t sum = ~0u;
    while (count--) {
        sum ^= *at++;
        for (int k = 0; k < 8; k++) sum = sum >> 1 ^ (0xEDB88320u & -(sum & 1));
    }
    return ~sum;
}

/// Chunks get the checksums that they should have: else nearly nothing behind them is reached.
static void mend(uint8_t *bytes, size_t size) {
    for (size_t at = 8; size >= 12 && at <= size - 12;) {
        size_t length = (size_t)bytes[at] << 24 | (size_t)bytes[at + 1] << 16 | (size_t)bytes[at + 2] << 8 | bytes[at + 3];
        if (length > size - at - 12) return;
        uint32_t sum = crc(bytes + at + 4, length + 4);
        for (int k = 0; k < 4; k++) bytes[at + 8 + length + (size_t)k] = (uint8_t)(sum >> (24 - 8 * k));
        at += 12 + length;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *start, size_t size) {
    uint8_t *bytes = malloc(size ? size : 1);
    memcpy(bytes, start, size);
    mend(bytes, size);
    int checked = mds_png_check(bytes, size, 4 << 20);
    struct mds_png_picture picture;
    if (mds_png_decode(bytes, size, 4 << 20, &picture) == MDS_PNG_OK) {
        if (checked != MDS_PNG_OK) abort();
        uint8_t *out;
        size_t out_size;
        if (mds_png_encode(&picture, &out, &out_size) == MDS_PNG_OK) {
            struct mds_png_picture again;
            if (mds_png_decode(out, out_size, 8 << 20, &again) != MDS_PNG_OK) abort();
            if (again.width != picture.width || again.height != picture.height || again.channels != picture.channels) abort();
            for (int y = 0; y < again.height; y++)
                if (memcmp(again.pixels + (size_t)y * again.stride, picture.pixels + (size_t)y * picture.stride, (size_t)again.width * (size_t)again.channels)) abort();
            mds_png_free(again.pixels);
            mds_png_free(out);
        }
        mds_png_free(picture.pixels);
    }
    free(bytes);
    return 0;
}
