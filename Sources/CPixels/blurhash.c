// The two-dimensional cosine sums of a blurhash, separable: each row gives its four sums across, which then count downwards.
#include <math.h>
#include <stdlib.h>
#include "CPixels.h"

static float linear(int value) {
    float v = (float)value / 255;
    return v <= 0.04045f ? v / 12.92f : powf((v + 0.055f) / 1.055f, 2.4f);
}

/// cos(pi * component * place / length) for four components.
static void cosines(float *table, int length) {
    for (int i = 0; i < length; i++)
        for (int c = 0; c < 4; c++) table[i * 4 + c] = (float)cos(M_PI * c * i / length);
}

int mds_blurhash_sums(const struct mds_picture *in, float sums[48]) {
    float *across = malloc((size_t)in->width * 4 * sizeof *across);
    float *down = malloc((size_t)in->height * 4 * sizeof *down);
    float light[256];
    double total[48] = {0};
    if (!across || !down) {
        free(across);
        free(down);
        return -1;
    }
    cosines(across, in->width);
    cosines(down, in->height);
    for (int i = 0; i < 256; i++) light[i] = linear(i);
    for (int y = 0; y < in->height; y++) {
        const uint8_t *row = in->pixels + (size_t)y * in->stride;
        float part[4][3] = {{0}};
        for (int x = 0; x < in->width; x++) {
            const uint8_t *pixel = row + (size_t)x * (size_t)in->channels;
            int grey = in->channels == 1;
            float color[3] = {light[pixel[0]], light[pixel[grey ? 0 : 1]], light[pixel[grey ? 0 : 2]]};
            for (int i = 0; i < 4; i++)
                for (int c = 0; c < 3; c++) part[i][c] += across[x * 4 + i] * color[c];
        }
        for (int j = 0; j < 4; j++)
            for (int i = 0; i < 4; i++)
                for (int c = 0; c < 3; c++) total[(j * 4 + i) * 3 + c] += (double)(down[y * 4 + j] * part[i][c]);
    }
    double count = (double)in->width * (double)in->height;
    for (int k = 0; k < 48; k++) sums[k] = (float)(total[k] * (k < 3 ? 1 : 2) / count);
    free(across);
    free(down);
    return 0;
}
