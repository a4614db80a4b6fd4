#include "CPixels.h"

static uint8_t byte_of(int value) { return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value); }

/// How much of each sample a colour has, in parts of 65,536 (ITU-R BT.601).
struct shares {
    int black, light, red, green_by_blue, green_by_red, blue;
};

void mds_join_planes(
    const struct mds_picture *luma, const struct mds_picture *blue, const struct mds_picture *red, int is_video, const struct mds_picture *out) {
    static const struct shares ranges[] = {{0, 65536, 91881, 22554, 46802, 116130}, {16, 76309, 104597, 25675, 53279, 132201}};
    const struct shares share = ranges[is_video ? 1 : 0];
    enum { HALF = 32768, MIDDLE = 128 };
    for (int y = 0; y < out->height; y++) {
        const uint8_t *lights = luma->pixels + (size_t)y * luma->stride;
        const uint8_t *blues = blue->pixels + (size_t)y * blue->stride, *reds = red->pixels + (size_t)y * red->stride;
        uint8_t *to = out->pixels + (size_t)y * out->stride;
        for (int x = 0; x < out->width; x++, to += 4) {
            int light = (lights[x] - share.black) * share.light + HALF, b = blues[x] - MIDDLE, r = reds[x] - MIDDLE;
            to[0] = byte_of((light + share.red * r) >> 16);
            to[1] = byte_of((light - share.green_by_blue * b - share.green_by_red * r) >> 16);
            to[2] = byte_of((light + share.blue * b) >> 16);
            to[3] = 255;
        }
    }
}
