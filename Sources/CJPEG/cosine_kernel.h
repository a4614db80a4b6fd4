// The inverse cosine transform of a block: of all its values, or of the lowest of them for a picture of a half, a quarter or an eighth. A smaller
// picture is what the low frequencies alone make on fewer samples.
#include <stdint.h>
#include <string.h>

typedef float four __attribute__((vector_size(16)));
typedef float eight __attribute__((vector_size(32)));

// cos(k pi / 16)
#define COS_1 0.98078528040323045f
#define COS_2 0.92387953251128676f
#define COS_3 0.83146961230254524f
#define COS_4 0.70710678118654752f
#define COS_5 0.55557023301960222f
#define COS_6 0.38268343236508977f
#define COS_7 0.19509032201612827f

/// Rounded, around the middle of brightness, within a byte.
#define BYTES(name, floats, ints, bytes, count) \
    typedef int32_t ints __attribute__((vector_size(count * 4))); \
    typedef uint8_t bytes __attribute__((vector_size(count))); \
    static inline __attribute__((always_inline)) void name(const floats *sum, uint8_t *out) { \
        const floats zero = {0}; \
        floats value = __builtin_elementwise_min(__builtin_elementwise_max(*sum + 128.5f, zero), zero + 255.0f); \
        bytes result = __builtin_convertvector(__builtin_convertvector(value, ints), bytes); \
        memcpy(out, &result, sizeof result); \
    }
BYTES(store_four, four, four_ints, four_bytes, 4)
BYTES(store_eight, eight, eight_ints, eight_bytes, 8)

static uint8_t byte_of(float value) {
    value += 128.5f;
    return value < 0 ? 0 : value > 255 ? 255 : (uint8_t)value;
}

static inline __attribute__((always_inline)) void load_four(const int16_t *block, const float *weights, four *out) {
    typedef int16_t shorts __attribute__((vector_size(8)));
    shorts values;
    four factors;
    memcpy(&values, block, sizeof values);
    memcpy(&factors, weights, sizeof factors);
    *out = __builtin_convertvector(values, four) * factors;
}

static inline __attribute__((always_inline)) void load_eight(const int16_t *block, const float *weights, eight *out) {
    typedef int16_t shorts __attribute__((vector_size(16)));
    shorts values;
    eight factors;
    memcpy(&values, block, sizeof values);
    memcpy(&factors, weights, sizeof factors);
    *out = __builtin_convertvector(values, eight) * factors;
}

static inline __attribute__((always_inline)) void along_four(four *v) {
    four even = v[2] * COS_4, first = v[0] + even, second = v[0] - even;
    four outer = v[1] * COS_2 + v[3] * COS_6, inner = v[1] * COS_6 - v[3] * COS_2;
    v[0] = first + outer;
    v[1] = second + inner;
    v[2] = second - inner;
    v[3] = first - outer;
}

static inline __attribute__((always_inline)) void turn_four(four *v) {
    four a = __builtin_shufflevector(v[0], v[1], 0, 4, 1, 5), b = __builtin_shufflevector(v[2], v[3], 0, 4, 1, 5);
    four c = __builtin_shufflevector(v[0], v[1], 2, 6, 3, 7), d = __builtin_shufflevector(v[2], v[3], 2, 6, 3, 7);
    v[0] = __builtin_shufflevector(a, b, 0, 1, 4, 5);
    v[1] = __builtin_shufflevector(a, b, 2, 3, 6, 7);
    v[2] = __builtin_shufflevector(c, d, 0, 1, 4, 5);
    v[3] = __builtin_shufflevector(c, d, 2, 3, 6, 7);
}

static void samples_four(const int16_t *block, const float *weights, uint8_t *out, size_t stride) {
    four v[4];
    for (int k = 0; k < 4; k++) load_four(block + k * 8, weights + k * 8, &v[k]);
    along_four(v);
    turn_four(v);
    along_four(v);
    turn_four(v);
    for (int k = 0; k < 4; k++) store_four(&v[k], out + (size_t)k * stride);
}

static inline __attribute__((always_inline)) void along_eight(eight *v) {
    eight middle = v[4] * COS_4, a = v[0] + middle, b = v[0] - middle;
    eight c = v[2] * COS_2 + v[6] * COS_6, d = v[2] * COS_6 - v[6] * COS_2;
    eight even[4] = {a + c, b + d, b - d, a - c};
    eight odd[4] = {
        v[1] * COS_1 + v[3] * COS_3 + v[5] * COS_5 + v[7] * COS_7,
        v[1] * COS_3 - v[3] * COS_7 - v[5] * COS_1 - v[7] * COS_5,
        v[1] * COS_5 - v[3] * COS_1 + v[5] * COS_7 + v[7] * COS_3,
        v[1] * COS_7 - v[3] * COS_5 + v[5] * COS_3 - v[7] * COS_1,
    };
    for (int k = 0; k < 4; k++) {
        v[k] = even[k] + odd[k];
        v[7 - k] = even[k] - odd[k];
    }
}

static inline __attribute__((always_inline)) void turn_eight(eight *v) {
    four parts[4][4];
    for (int k = 0; k < 4; k++) {
        parts[0][k] = __builtin_shufflevector(v[k], v[k], 0, 1, 2, 3);
        parts[1][k] = __builtin_shufflevector(v[k], v[k], 4, 5, 6, 7);
        parts[2][k] = __builtin_shufflevector(v[k + 4], v[k + 4], 0, 1, 2, 3);
        parts[3][k] = __builtin_shufflevector(v[k + 4], v[k + 4], 4, 5, 6, 7);
    }
    for (int k = 0; k < 4; k++) turn_four(parts[k]);
    for (int k = 0; k < 4; k++) {
        v[k] = __builtin_shufflevector(parts[0][k], parts[2][k], 0, 1, 2, 3, 4, 5, 6, 7);
        v[k + 4] = __builtin_shufflevector(parts[1][k], parts[3][k], 0, 1, 2, 3, 4, 5, 6, 7);
    }
}

static void samples_eight(const int16_t *block, const float *weights, uint8_t *out, size_t stride) {
    eight v[8];
    for (int k = 0; k < 8; k++) load_eight(block + k * 8, weights + k * 8, &v[k]);
    along_eight(v);
    turn_eight(v);
    along_eight(v);
    turn_eight(v);
    for (int k = 0; k < 8; k++) store_eight(&v[k], out + (size_t)k * stride);
}

static void samples_two(const int16_t *block, const float *weights, uint8_t *out, size_t stride) {
    float a = block[0] * weights[0], b = block[1] * weights[1] * COS_4;
    float c = block[8] * weights[8] * COS_4, d = block[9] * weights[9] * 0.5f;
    out[0] = byte_of(a + b + c + d);
    out[1] = byte_of(a - b + c - d);
    out[stride] = byte_of(a + b - c - d);
    out[stride + 1] = byte_of(a - b - c + d);
}

/// A block of one colour.
static void fill_even(uint8_t value, int side, uint8_t *out, size_t stride) {
    for (int y = 0; y < side; y++, out += stride)
        switch (side) {
            case 8: memset(out, value, 8); break;
            case 4: memset(out, value, 4); break;
            default: memset(out, value, (size_t)side);
        }
}

/// Makes samples of a block: `side` is 8, 4, 2 or 1, or one of them below zero where there is only the first value.
static inline __attribute__((always_inline)) void block_samples(const int16_t *block, const float *weights, int side, uint8_t *out, size_t stride) {
    switch (side) {
        case 8: samples_eight(block, weights, out, stride); break;
        case 4: samples_four(block, weights, out, stride); break;
        case 2: samples_two(block, weights, out, stride); break;
        case 1: *out = byte_of(block[0] * weights[0]); break;
        default: fill_even(byte_of(block[0] * weights[0]), -side, out, stride);
    }
}
