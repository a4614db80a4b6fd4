// The loops of the resizer: the source of one variant for each kind of processor. Who includes it defines KERNEL, and MDS_AVX2 where there
// are vectors of that kind.
#include <string.h>
#include "resize.h"
#if defined(__x86_64__)
#include <immintrin.h>
#endif

typedef int16_t lanes __attribute__((vector_size(LANES * sizeof(int16_t))));
typedef uint8_t bytes __attribute__((vector_size(LANES)));

/// Products with a weight, rounded to the bits that are left of it, added: the same result to the bit on all processors.
static inline __attribute__((always_inline)) void add_weighed(lanes *sum, const lanes *values, int16_t weight) {
    lanes product;
#if defined(MDS_AVX2)
    product = (lanes)_mm256_mulhrs_epi16((__m256i)*values, _mm256_set1_epi16(weight));
#elif defined(__x86_64__)
    // What the instruction above does, from the upper and the lower half of a product.
    const __m128i factor = _mm_set1_epi16(weight), one = _mm_set1_epi16(1);
    for (size_t half = 0; half < sizeof product; half += sizeof factor) {
        __m128i value, upper, lower;
        memcpy(&value, (const char *)values + half, sizeof value);
        upper = _mm_mulhi_epi16(value, factor);
        lower = _mm_srli_epi16(_mm_add_epi16(_mm_srli_epi16(_mm_mullo_epi16(value, factor), 14), one), 1);
        value = _mm_add_epi16(_mm_add_epi16(upper, upper), lower);
        memcpy((char *)&product + half, &value, sizeof value);
    }
#else
    typedef int32_t wide __attribute__((vector_size(LANES * sizeof(int32_t))));
    wide exact = __builtin_convertvector(*values, wide) * weight;
    product = __builtin_convertvector(((exact >> 14) + 1) >> 1, lanes);
#endif
    *sum = __builtin_elementwise_add_sat(*sum, product);
}

/// Sums of `count` pieces beside each other: each weight is loaded once for all of them.
static inline __attribute__((always_inline)) void sum_pieces(
    const uint8_t *column, size_t stride, const struct taps *taps, lanes *sums, size_t count) {
    for (size_t piece = 0; piece < count; piece++) sums[piece] = (lanes){0};
    for (int k = 0; k < taps->count; k++, column += stride)
        for (size_t piece = 0; piece < count; piece++) {
            bytes narrow;
            memcpy(&narrow, column + piece * LANES, sizeof narrow);
            lanes values = __builtin_convertvector(narrow, lanes) << BITS_BEFORE;
            add_weighed(&sums[piece], &values, taps->weights[k]);
        }
}

/// Puts a piece of four channels where the values of its pixels lie GROUP from those of the next pixel.
static inline __attribute__((always_inline)) void spread(const lanes *piece, int16_t *to) {
    for (int pixel = 0; pixel < LANES / 4; pixel++)
        memcpy(to + pixel * GROUP, (const int16_t *)piece + pixel * 4, 4 * sizeof *to);
}

typedef int16_t half __attribute__((vector_size(8 * sizeof(int16_t))));
typedef int32_t half32 __attribute__((vector_size(16)));
typedef int64_t half64 __attribute__((vector_size(16)));

/// Eight rows of eight values become columns, which lie GROUP from each other.
static inline __attribute__((always_inline)) void turn(const half *rows, int16_t *to) {
    half a[8], result;
    half32 b[8];
    for (int k = 0; k < 8; k += 2) {
        a[k] = __builtin_shufflevector(rows[k], rows[k + 1], 0, 8, 1, 9, 2, 10, 3, 11);
        a[k + 1] = __builtin_shufflevector(rows[k], rows[k + 1], 4, 12, 5, 13, 6, 14, 7, 15);
    }
    for (int k = 0; k < 8; k += 4)
        for (int j = 0; j < 2; j++) {
            half32 one = (half32)a[k + j], two = (half32)a[k + 2 + j];
            b[k + 2 * j] = __builtin_shufflevector(one, two, 0, 4, 1, 5);
            b[k + 2 * j + 1] = __builtin_shufflevector(one, two, 2, 6, 3, 7);
        }
    for (int k = 0; k < 4; k++) {
        half64 one = (half64)b[k], two = (half64)b[k + 4];
        result = (half)__builtin_shufflevector(one, two, 0, 2);
        memcpy(to + (2 * k) * GROUP, &result, sizeof result);
        result = (half)__builtin_shufflevector(one, two, 1, 3);
        memcpy(to + (2 * k + 1) * GROUP, &result, sizeof result);
    }
}

/// Sums of one channel, which lie beside each other for each row, are put where the rows of a pixel lie beside each other.
static inline __attribute__((always_inline)) void turn_pieces(lanes sums[8][4], size_t count, int16_t *to) {
    for (size_t piece = 0; piece < count; piece++)
        for (int side = 0; side < 2; side++) {
            half rows[8];
            for (int row = 0; row < 8; row++) memcpy(&rows[row], (const int16_t *)&sums[row][piece] + side * 8, sizeof rows[row]);
            turn(rows, to + (piece * LANES + (size_t)side * 8) * GROUP);
        }
}

/// Pieces of one channel, up to four, for all rows that lie together.
static inline __attribute__((always_inline)) void sum_grey(
    const uint8_t *column, size_t stride, const struct taps *const *taps, int16_t *to, size_t count) {
    for (int first = 0; first < GROUP; first += 8) {
        lanes sums[8][4];
        for (int row = 0; row < 8; row++) {
            const struct taps *own = taps[first + row];
            sum_pieces(column + (size_t)own->first * stride, stride, own, sums[row], count);
        }
        turn_pieces(sums, count, to + first);
    }
}

void KERNEL(columns)(
    const uint8_t *top, size_t stride, const struct taps *const *taps, int16_t *sums, int channels, size_t pieces) {
    const size_t step = (size_t)(LANES / channels * GROUP);
    size_t piece = 0;
    // All rows of a few columns, then the next columns: what is read and written stays near.
    for (; channels == 1 && piece + 4 <= pieces; piece += 4) sum_grey(top + piece * LANES, stride, taps, sums + piece * step, 4);
    for (; channels == 1 && piece < pieces; piece++) sum_grey(top + piece * LANES, stride, taps, sums + piece * step, 1);
    for (; piece + 4 <= pieces; piece += 4)
        for (int row = 0; row < GROUP / 4; row++) {
            lanes four[4];
            sum_pieces(top + (size_t)taps[row]->first * stride + piece * LANES, stride, taps[row], four, 4);
            for (size_t k = 0; k < 4; k++) spread(&four[k], sums + (piece + k) * step + row * 4);
        }
    for (; piece < pieces; piece++)
        for (int row = 0; row < GROUP / 4; row++) {
            lanes one;
            sum_pieces(top + (size_t)taps[row]->first * stride + piece * LANES, stride, taps[row], &one, 1);
            spread(&one, sums + piece * step + row * 4);
        }
}

/// Values as bytes, what is beyond them cut off.
static inline __attribute__((always_inline)) void narrow(const lanes *sum, bytes *out) {
    const lanes zero = {0}, most = zero + 255, half = zero + (1 << (BITS_AFTER - 1));
    lanes value = __builtin_elementwise_add_sat(*sum, half) >> BITS_AFTER;
    *out = __builtin_convertvector(__builtin_elementwise_max(__builtin_elementwise_min(value, most), zero), bytes);
}

/// Sums across for one pixel, in all rows that lie together.
static inline __attribute__((always_inline)) void sum_pixel(const int16_t *rows, const struct taps *taps, bytes *out) {
    enum { PARTS = GROUP / LANES };
    const int16_t *at = rows + (size_t)taps->first * GROUP;
    lanes sums[PARTS] = {{0}};
    for (int k = 0; k < taps->count; k++, at += GROUP)
        for (int part = 0; part < PARTS; part++) {
            lanes values;
            memcpy(&values, at + part * LANES, sizeof values);
            add_weighed(&sums[part], &values, taps->weights[k]);
        }
    for (int part = 0; part < PARTS; part++) narrow(&sums[part], &out[part]);
}

/// Sixteen vectors of sixteen bytes: rows become columns. Each round takes the bytes of the first half and of the second in turn.
static inline __attribute__((always_inline)) void turn_bytes(bytes *v) {
    for (int round = 0; round < 4; round++) {
        bytes next[LANES];
        for (int k = 0; k < LANES / 2; k++) {
            next[2 * k] = __builtin_shufflevector(v[k], v[k + 8], 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
            next[2 * k + 1] = __builtin_shufflevector(v[k], v[k + 8], 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
        }
        memcpy(v, next, sizeof next);
    }
}

void KERNEL(rows)(const int16_t *rows, const struct taps *taps, int width, int channels, uint8_t *const *to) {
    enum { PARTS = GROUP / LANES };
    int i = 0;
    // Of one channel, sixteen pixels together: a byte at a time would be as much work as the sums.
    for (; channels == 1 && i + LANES <= width; i += LANES) {
        bytes pixels[PARTS][LANES];
        for (int k = 0; k < LANES; k++) {
            bytes sums[PARTS];
            sum_pixel(rows, &taps[i + k], sums);
            for (int part = 0; part < PARTS; part++) pixels[part][k] = sums[part];
        }
        for (int part = 0; part < PARTS; part++) {
            turn_bytes(pixels[part]);
            for (int row = 0; row < LANES; row++) memcpy(to[part * LANES + row] + i, &pixels[part][row], sizeof pixels[part][row]);
        }
    }
    for (; i < width; i++) {
        bytes sums[PARTS];
        uint8_t pixels[GROUP];
        sum_pixel(rows, &taps[i], sums);
        memcpy(pixels, sums, sizeof sums);
        if (channels == 4)
            for (int row = 0; row < GROUP / 4; row++) memcpy(to[row] + (size_t)i * 4, pixels + row * 4, 4);
        else
            for (int row = 0; row < GROUP; row++) to[row][i] = pixels[row];
    }
}
