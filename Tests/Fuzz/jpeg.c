// The reader of JPEGs, given whatever libFuzzer thinks of: checked for itself, and read at every fraction.
#include <stdlib.h>
#include "CJPEG.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    static const int wishes[][2] = {{1, 1}, {7, 5}, {13, 9}, {24, 18}, {60, 40}};
    int is_good = mds_jpeg_is_good(bytes, size);
    for (size_t k = 0; k < sizeof wishes / sizeof *wishes; k++) {
        struct mds_jpeg_wish wish = {wishes[k][0], wishes[k][1], (int)(k % 2)};
        struct mds_jpeg_planes picture;
        if (!mds_jpeg_read(bytes, size, &wish, &picture)) continue;
        // What is read is good.
        if (!is_good) abort();
        for (int c = 0; c < picture.count; c++) {
            const struct mds_jpeg_plane *plane = &picture.planes[c];
            unsigned sum = 0;
            for (int y = 0; y < plane->height; y++)
                for (int x = 0; x < plane->width; x++) sum += plane->samples[(size_t)y * plane->stride + (size_t)x];
            volatile unsigned kept = sum;
            (void)kept;
            mds_jpeg_free(plane->samples);
        }
        mds_jpeg_free(picture.icc);
    }
    return 0;
}
