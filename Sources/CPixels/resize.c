// Lanczos-3, separable: first down the columns, where the loop runs along memory, then across the rows that result.
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include "CPixels.h"
#include "resize.h"

struct axis {
    struct taps *taps;
    int16_t *weights;
};

static void axis_free(struct axis *axis) {
    free(axis->taps);
    free(axis->weights);
}

/// Weights as whole numbers, with exactly the sum of one: an even surface keeps its brightness.
static void quantize(const double *exact, double sum, int count, int16_t *weights) {
    int left = ONE, heaviest = 0;
    double part = ONE / sum;
    for (int k = 0; k < count; k++) {
        double weight = exact[k] * part;
        weights[k] = (int16_t)(weight < 0 ? weight - 0.5 : weight + 0.5);
        left -= weights[k];
        if (weights[k] > weights[heaviest]) heaviest = k;
    }
    weights[heaviest] = (int16_t)(weights[heaviest] + left);
}

// The kernel on one side of its middle, in steps; what lies between two of them is taken from the line that joins them, which is less than a
// hundredth of a weight's last bit away from it.
enum { LOBES = 3, STEPS = 4096 };
static float kernel_values[LOBES * STEPS + 2];

static void make_kernel(void) {
    for (int k = 0; k < LOBES * STEPS; k++) {
        double p = M_PI * k / STEPS;
        kernel_values[k] = (float)(k == 0 ? 1 : LOBES * sin(p) * sin(p / LOBES) / (p * p));
    }
}

/// The values of the kernel at `x`, and from there on in steps; returns their sum.
static double kernel(double x, double step, int count, double *values) {
    double sum = 0;
    for (int k = 0; k < count; k++) {
        double at = fabs(x + k * step) * STEPS;
        int before = at < LOBES * STEPS ? (int)at : LOBES * STEPS;
        double value = kernel_values[before] + (at - before) * (kernel_values[before + 1] - kernel_values[before]);
        values[k] = value;
        sum += value;
    }
    return sum;
}

/// Weights for `out` samples over the length `extent` from `from`, in a line of `in` samples. Beyond the ends the outermost
/// sample counts again.
static int axis_make(struct axis *axis, int in, double from, double extent, int out) {
    double scale = extent / out;
    double wide = scale > 1 ? scale : 1;
    double support = 3 * wide;
    size_t all = (size_t)(2 * support) + 2;
    size_t most = all > (size_t)in ? (size_t)in : all;
    axis->taps = malloc((size_t)out * sizeof *axis->taps);
    axis->weights = malloc((size_t)out * most * sizeof *axis->weights);
    double *values = malloc((all + most) * sizeof *values), *exact = values + all;
    if (!axis->taps || !axis->weights || !values) {
        free(values);
        axis_free(axis);
        return -1;
    }
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_kernel);
    for (int i = 0; i < out; i++) {
        double center = from + (i + 0.5) * scale - 0.5;
        int begin = (int)ceil(center - support), end = (int)floor(center + support);
        int first = begin < 0 ? 0 : begin;
        int last = end >= in ? in - 1 : end;
        if (first > in - 1) first = in - 1;
        if (last < first) last = first;
        if (last - first + 1 > (int)most) last = first + (int)most - 1;
        int reach = end - begin + 1 > (int)all ? (int)all : end - begin + 1;
        double sum = kernel((begin - center) / wide, 1 / wide, reach, values);
        for (int k = 0; k <= last - first; k++) exact[k] = 0;
        for (int k = 0; k < reach; k++) {
            int place = begin + k < first ? first : begin + k > last ? last : begin + k;
            exact[place - first] += values[k];
        }
        int16_t *weights = axis->weights + (size_t)i * most;
        quantize(exact, sum == 0 ? 1 : sum, last - first + 1, weights);
        axis->taps[i] = (struct taps){first, last - first + 1, weights};
    }
    free(values);
    return 0;
}

#if defined(__x86_64__)
// One load of a word that the C runtime fills before main.
static int has_avx2(void) { return __builtin_cpu_supports("avx2"); }
#endif

static void sum_columns(
    const uint8_t *top, size_t stride, const struct taps *const *taps, int16_t *sums, int channels, size_t pieces) {
#if defined(__x86_64__)
    if (has_avx2()) {
        mds_sum_columns_avx2(top, stride, taps, sums, channels, pieces);
        return;
    }
#endif
    mds_sum_columns_baseline(top, stride, taps, sums, channels, pieces);
}

static void sum_rows(const int16_t *rows, const struct taps *taps, int width, int channels, uint8_t *const *to) {
#if defined(__x86_64__)
    if (has_avx2()) {
        mds_sum_rows_avx2(rows, taps, width, channels, to);
        return;
    }
#endif
    mds_sum_rows_baseline(rows, taps, width, channels, to);
}

/// What is needed besides the tables.
struct room {
    int16_t *sums;
    /// The ends of rows, which fill no whole piece, where one can be read.
    uint8_t *ends;
};

static void resize_one(
    const struct mds_picture *in, const struct mds_picture *out, const struct axis *across, const struct axis *down, const struct room *room) {
    size_t width = (size_t)in->width * (size_t)in->channels, pieces = width / LANES, rest = width % LANES;
    // What a piece takes among the sums.
    size_t step = (size_t)(LANES / in->channels * GROUP);
    int together = GROUP / in->channels;
    for (int y = 0; rest > 0 && y < in->height; y++)
        memcpy(room->ends + (size_t)y * LANES, in->pixels + (size_t)y * in->stride + pieces * LANES, rest);
    for (int y = 0; y < out->height; y += together) {
        uint8_t *to[GROUP];
        const struct taps *taps[GROUP];
        for (int k = 0; k < together; k++) {
            // Beyond the last row it is made again.
            int row = y + k < out->height ? y + k : out->height - 1;
            taps[k] = &down->taps[row];
            to[k] = out->pixels + (size_t)row * out->stride;
        }
        sum_columns(in->pixels, in->stride, taps, room->sums, in->channels, pieces);
        if (rest > 0) sum_columns(room->ends, LANES, taps, room->sums + pieces * step, in->channels, 1);
        sum_rows(room->sums, across->taps, out->width, in->channels, to);
    }
}

int mds_resize(const struct mds_picture *in, struct mds_region part, const struct mds_picture *out, int count) {
    struct axis across, down;
    if (axis_make(&across, in->width, part.x, part.width, out->width) < 0) return -1;
    if (axis_make(&down, in->height, part.y, part.height, out->height) < 0) {
        axis_free(&across);
        return -1;
    }
    size_t pieces = (size_t)in->width * (size_t)in->channels / LANES + 1;
    struct room room = {
        .sums = malloc(pieces * (size_t)(LANES / in->channels * GROUP) * sizeof *room.sums),
        .ends = calloc((size_t)in->height, LANES),
    };
    int result = room.sums && room.ends ? 0 : -1;
    for (int k = 0; result == 0 && k < count; k++) resize_one(&in[k], &out[k], &across, &down, &room);
    axis_free(&across);
    axis_free(&down);
    free(room.sums);
    free(room.ends);
    return result;
}
