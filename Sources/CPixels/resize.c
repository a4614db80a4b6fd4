// Lanczos-3, separable: first down the columns, where the loop runs along memory, then across the rows that result.
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "CPixels.h"

// The same source for old and new processors; the loader takes the best. A level of features, not a processor's name: a name is
// taken for nothing but exactly that processor.
#if defined(__x86_64__)
#define MDS_CLONES __attribute__((target_clones("arch=x86-64-v3", "default")))
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
    double p = M_PI * x, s = sin(p / 3);
    // sin(p) by the sine of its third: sines are most of what a table costs.
    return 3 * (3 - 4 * s * s) * s * s / (p * p);
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
        for (int k = begin; k <= end; k++) {
            int place = k < first ? first : k > last ? last : k;
            double value = lanczos3((k - center) / wide);
            weights[place - first] += (float)value;
            sum += value;
        }
        if (sum == 0) sum = 1;
        for (int k = 0; k <= last - first; k++) weights[k] = (float)(weights[k] / sum);
        axis->taps[i] = (struct taps){first, last - first + 1, weights};
    }
    return 0;
}

enum { BLOCK = 32, PAIR = 2 };

/// Sums down the columns, for one row of the result. `count` is a multiple of BLOCK, and rows may be read that far. The sums of four
/// bytes lie `apart` quads from those of the next four.
MDS_CLONES
static void sum_columns(const uint8_t *top, size_t stride, const struct taps *taps, float *row, size_t apart, size_t count) {
    for (size_t at = 0; at < count; at += BLOCK) {
        float sums[BLOCK];
        for (int j = 0; j < BLOCK; j++) sums[j] = 0;
        const uint8_t *column = top + at;
        for (int k = 0; k < taps->count; k++, column += stride) {
            float weight = taps->weights[k];
            for (int j = 0; j < BLOCK; j++) sums[j] += weight * (float)column[j];
        }
        for (size_t j = 0; j < BLOCK; j += 4) memcpy(row + (at + j) * apart, sums + j, 4 * sizeof *sums);
    }
}

/// The rest of a row, byte by byte.
static void sum_columns_rest(
    const uint8_t *top, size_t stride, const struct taps *taps, float *row, size_t apart, size_t from, size_t to) {
    for (size_t at = from; at < to; at++) {
        float sum = 0;
        for (int k = 0; k < taps->count; k++) sum += taps->weights[k] * (float)top[(size_t)k * stride + at];
        row[at / 4 * 4 * apart + at % 4] = sum;
    }
}

static uint8_t to_byte(float value) {
    return value <= 0 ? 0 : value >= 255 ? 255 : (uint8_t)(value + 0.5f);
}

typedef float eight __attribute__((vector_size(32)));
typedef uint8_t eight_bytes __attribute__((vector_size(8)));

/// Across two rows of pixels of four channels at once, a pixel of each in turn: one vector holds both.
MDS_CLONES
static void sum_rows_4(const float *rows, const struct taps *taps, int width, uint8_t *upper, uint8_t *lower) {
    const eight zero = {0}, most = zero + 255, half = zero + 0.5f;
    for (int i = 0; i < width; i++) {
        const float *at = rows + (size_t)taps[i].first * 8;
        eight sum = half, other = zero;
        int k = 0;
        for (; k + 1 < taps[i].count; k += 2) {
            eight one, two;
            memcpy(&one, at + (size_t)k * 8, sizeof one);
            memcpy(&two, at + (size_t)k * 8 + 8, sizeof two);
            sum += one * taps[i].weights[k];
            other += two * taps[i].weights[k + 1];
        }
        if (k < taps[i].count) {
            eight one;
            memcpy(&one, at + (size_t)k * 8, sizeof one);
            sum += one * taps[i].weights[k];
        }
        sum = __builtin_elementwise_max(__builtin_elementwise_min(sum + other, most), zero);
        eight_bytes both = __builtin_convertvector(sum, eight_bytes);
        memcpy(upper + (size_t)i * 4, &both, 4);
        memcpy(lower + (size_t)i * 4, (const uint8_t *)&both + 4, 4);
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
    // Two rows of the result are made together where pixels have four channels.
    int together = in->channels == 4 ? PAIR : 1;
    if (axis_make(&across, in->width, part.x, part.width, out->width) < 0) return -1;
    if (axis_make(&down, in->height, part.y, part.height, out->height) < 0) {
        axis_free(&across);
        return -1;
    }
    float *rows = malloc((bytes + 3) / 4 * 4 * (size_t)together * sizeof *rows);
    for (int y = 0; rows && y < out->height; y += together) {
        uint8_t *to[PAIR];
        for (int k = 0; k < together; k++) {
            // An odd last row is made twice.
            int row = y + k < out->height ? y + k : y;
            const uint8_t *top = in->pixels + (size_t)down.taps[row].first * in->stride;
            sum_columns(top, in->stride, &down.taps[row], rows + k * 4, (size_t)together, blocks);
            sum_columns_rest(top, in->stride, &down.taps[row], rows + k * 4, (size_t)together, blocks, bytes);
            to[k] = out->pixels + (size_t)row * out->stride;
        }
        if (together == PAIR) sum_rows_4(rows, across.taps, out->width, to[0], to[1]);
        else sum_row_1(rows, across.taps, out->width, to[0]);
    }
    axis_free(&across);
    axis_free(&down);
    free(rows);
    return rows ? 0 : -1;
}
