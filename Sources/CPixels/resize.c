// Lanczos-3, separable: first down the columns, where the loop runs along memory, then across the row that results.
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "CPixels.h"

// The same source for old and new processors; the loader takes the best.
#if defined(__x86_64__)
#define MDS_CLONES __attribute__((target_clones("arch=haswell", "default")))
#else
#define MDS_CLONES
#endif

/// What one row or column of the result is made of.
struct taps {
    int first, count;
    const float *weights;
};

struct axis {
    struct taps *taps;
    float *weights;
};

static double lanczos3(double x) {
    if (x == 0) return 1;
    if (x <= -3 || x >= 3) return 0;
    double p = M_PI * x;
    return 3 * sin(p) * sin(p / 3) / (p * p);
}

static void axis_free(struct axis *axis) {
    free(axis->taps);
    free(axis->weights);
}

/// Weights for `out` samples over the length `extent` from `from`, in a line of `in` samples. Beyond the ends the outermost
/// sample counts again.
static int axis_make(struct axis *axis, int in, double from, double extent, int out) {
    double scale = extent / out;
    double wide = scale > 1 ? scale : 1;
    double support = 3 * wide;
    size_t most = (size_t)(2 * support) + 2;
    if (most > (size_t)in) most = (size_t)in;
    axis->taps = malloc((size_t)out * sizeof *axis->taps);
    axis->weights = calloc((size_t)out * most, sizeof *axis->weights);
    if (!axis->taps || !axis->weights) {
        axis_free(axis);
        return -1;
    }
    for (int i = 0; i < out; i++) {
        double center = from + (i + 0.5) * scale - 0.5;
        int begin = (int)ceil(center - support), end = (int)floor(center + support);
        int first = begin < 0 ? 0 : begin;
        int last = end >= in ? in - 1 : end;
        if (first > in - 1) first = in - 1;
        if (last < first) last = first;
        if (last - first + 1 > (int)most) last = first + (int)most - 1;
        float *weights = axis->weights + (size_t)i * most;
        double sum = 0;
        for (int k = begin; k <= end; k++) sum += lanczos3((k - center) / wide);
        if (sum == 0) sum = 1;
        for (int k = begin; k <= end; k++) {
            int place = k < first ? first : k > last ? last : k;
            weights[place - first] += (float)(lanczos3((k - center) / wide) / sum);
        }
        axis->taps[i] = (struct taps){first, last - first + 1, weights};
    }
    return 0;
}

enum { BLOCK = 32 };

/// One row of sums down the columns. `count` is a multiple of BLOCK, and rows may be read that far.
MDS_CLONES
static void sum_columns(const uint8_t *top, size_t stride, const struct taps *taps, float *row, size_t count) {
    for (size_t at = 0; at < count; at += BLOCK) {
        float sums[BLOCK];
        for (int j = 0; j < BLOCK; j++) sums[j] = 0;
        const uint8_t *column = top + at;
        for (int k = 0; k < taps->count; k++, column += stride) {
            float weight = taps->weights[k];
            for (int j = 0; j < BLOCK; j++) sums[j] += weight * (float)column[j];
        }
        memcpy(row + at, sums, sizeof sums);
    }
}

/// The rest of a row, byte by byte.
static void sum_columns_rest(const uint8_t *top, size_t stride, const struct taps *taps, float *row, size_t from, size_t to) {
    for (size_t at = from; at < to; at++) {
        float sum = 0;
        for (int k = 0; k < taps->count; k++) sum += taps->weights[k] * (float)top[(size_t)k * stride + at];
        row[at] = sum;
    }
}

static uint8_t to_byte(float value) {
    return value <= 0 ? 0 : value >= 255 ? 255 : (uint8_t)(value + 0.5f);
}

typedef float quad __attribute__((vector_size(16)));

/// Across a row of pixels of four channels.
MDS_CLONES
static void sum_row_4(const float *row, const struct taps *taps, int width, uint8_t *out) {
    const quad zero = {0, 0, 0, 0}, most = {255, 255, 255, 255}, half = {0.5f, 0.5f, 0.5f, 0.5f};
    for (int i = 0; i < width; i++) {
        const float *at = row + (size_t)taps[i].first * 4;
        quad sum = zero, other = zero;
        int k = 0;
        for (; k + 1 < taps[i].count; k += 2) {
            quad one, two;
            memcpy(&one, at + (size_t)k * 4, sizeof one);
            memcpy(&two, at + (size_t)k * 4 + 4, sizeof two);
            sum += one * taps[i].weights[k];
            other += two * taps[i].weights[k + 1];
        }
        if (k < taps[i].count) {
            quad one;
            memcpy(&one, at + (size_t)k * 4, sizeof one);
            sum += one * taps[i].weights[k];
        }
        sum += other;
        sum = __builtin_elementwise_max(__builtin_elementwise_min(sum, most), zero) + half;
        for (int c = 0; c < 4; c++) out[(size_t)i * 4 + (size_t)c] = (uint8_t)sum[c];
    }
}

static void sum_row_1(const float *row, const struct taps *taps, int width, uint8_t *out) {
    for (int i = 0; i < width; i++) {
        float sum = 0;
        for (int k = 0; k < taps[i].count; k++) sum += taps[i].weights[k] * row[taps[i].first + k];
        out[i] = to_byte(sum);
    }
}

int mds_resize(const struct mds_picture *in, struct mds_region part, const struct mds_picture *out) {
    struct axis across, down;
    size_t bytes = (size_t)in->width * (size_t)in->channels;
    size_t blocks = bytes / BLOCK * BLOCK;
    if (axis_make(&across, in->width, part.x, part.width, out->width) < 0) return -1;
    if (axis_make(&down, in->height, part.y, part.height, out->height) < 0) {
        axis_free(&across);
        return -1;
    }
    float *row = malloc(bytes * sizeof *row);
    if (row) {
        for (int y = 0; y < out->height; y++) {
            const uint8_t *top = in->pixels + (size_t)down.taps[y].first * in->stride;
            uint8_t *to = out->pixels + (size_t)y * out->stride;
            sum_columns(top, in->stride, &down.taps[y], row, blocks);
            sum_columns_rest(top, in->stride, &down.taps[y], row, blocks, bytes);
            if (in->channels == 4) sum_row_4(row, across.taps, out->width, to);
            else sum_row_1(row, across.taps, out->width, to);
        }
    }
    axis_free(&across);
    axis_free(&down);
    free(row);
    return row ? 0 : -1;
}
