#include "CPixels.h"

static uint8_t byte_of(int value) { return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value); }

void mds_join_planes(
    const struct mds_picture *luma, const struct mds_picture *blue, const struct mds_picture *red, const struct mds_picture *out) {
    // Parts of 65,536.
    enum { RED = 91881, GREEN_BY_BLUE = 22554, GREEN_BY_RED = 46802, BLUE = 116130, HALF = 32768 };
    for (int y = 0; y < out->height; y++) {
        const uint8_t *lights = luma->pixels + (size_t)y * luma->stride;
        const uint8_t *blues = blue->pixels + (size_t)y * blue->stride, *reds = red->pixels + (size_t)y * red->stride;
        uint8_t *to = out->pixels + (size_t)y * out->stride;
        for (int x = 0; x < out->width; x++, to += 4) {
            int light = lights[x], b = blues[x] - 128, r = reds[x] - 128;
            to[0] = byte_of(light + ((RED * r + HALF) >> 16));
            to[1] = byte_of(light + ((HALF - GREEN_BY_BLUE * b - GREEN_BY_RED * r) >> 16));
            to[2] = byte_of(light + ((BLUE * b + HALF) >> 16));
            to[3] = 255;
        }
    }
}
