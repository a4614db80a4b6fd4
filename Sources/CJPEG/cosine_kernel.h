// The inverse cosine transform of a block: of all its values, or of the lowest of them for a picture of a half, a quarter or an eighth. A smaller
// picture is what the low frequencies alone make on fewer samples.
#include <stdint.h>
#include <string.h>

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
static inline __attribute__((always_inline)) void store_eight(const eight *sum, uint8_t *out) {
    typedef int32_t ints __attribute__((vector_size(32)));
    typedef uint8_t bytes __attribute__((vector_size(8)));
    const eight zero = {0};
    eight value = __builtin_elementwise_min(__builtin_elementwise_max(*sum + 128.5f, zero), zero + 255.0f);
    bytes result = __builtin_convertvector(__builtin_convertvector(value, ints), bytes);
    memcpy(out, &result, sizeof result);
}

static uint8_t byte_of(float value) {
    value += 128.5f;
    return value < 0 ? 0 : value > 255 ? 255 : (uint8_t)value;
}

static inline __attribute__((always_inline)) void load_eight(const int16_t *block, const float *weights, eight *out) {
    typedef int16_t shorts __attribute__((vector_size(16)));
    shorts values;
    eight factors;
    memcpy(&values, block, sizeof values);
    memcpy(&factors, weights, sizeof factors);
    *out = __builtin_convertvector(values, eight) * factors;
}

/// Along the columns of two blocks of four, which lie beside each other.
static inline __attribute__((always_inline)) void along_four(eight *v) {
    eight even = v[2] * COS_4, first = v[0] + even, second = v[0] - even;
    eight outer = v[1] * COS_2 + v[3] * COS_6, inner = v[1] * COS_6 - v[3] * COS_2;
    v[0] = first + outer;
    v[1] = second + inner;
    v[2] = second - inner;
    v[3] = first - outer;
}

/// Rows become columns, in each of the two.
static inline __attribute__((always_inline)) void turn_four(eight *v) {
    eight a = __builtin_shufflevector(v[0], v[1], 0, 8, 1, 9, 4, 12, 5, 13), b = __builtin_shufflevector(v[2], v[3], 0, 8, 1, 9, 4, 12, 5, 13);
    eight c = __builtin_shufflevector(v[0], v[1], 2, 10, 3, 11, 6, 14, 7, 15), d = __builtin_shufflevector(v[2], v[3], 2, 10, 3, 11, 6, 14, 7, 15);
    v[0] = __builtin_shufflevector(a, b, 0, 1, 8, 9, 4, 5, 12, 13);
    v[1] = __builtin_shufflevector(a, b, 2, 3, 10, 11, 6, 7, 14, 15);
    v[2] = __builtin_shufflevector(c, d, 0, 1, 8, 9, 4, 5, 12, 13);
    v[3] = __builtin_shufflevector(c, d, 2, 3, 10, 11, 6, 7, 14, 15);
}

/// A block that was read, and where its samples go.
struct patch {
    const int16_t *block;
    const float *weights;
    uint8_t *out;
    size_t stride;
    int side;
};

static inline __attribute__((always_inline)) void samples_four(const struct patch *one, const struct patch *other) {
    typedef int16_t shorts __attribute__((vector_size(16)));
    eight v[4];
    for (size_t k = 0; k < 4; k++) {
        shorts values;
        eight factors;
        memcpy(&values, one->block + k * 8, 8);
        memcpy((char *)&values + 8, other->block + k * 8, 8);
        memcpy(&factors, one->weights + k * 8, 16);
        memcpy((char *)&factors + 16, other->weights + k * 8, 16);
        v[k] = __builtin_convertvector(values, eight) * factors;
    }
    along_four(v);
    turn_four(v);
    along_four(v);
    turn_four(v);
    for (size_t k = 0; k < 4; k++) {
        uint8_t row[8];
        store_eight(&v[k], row);
        memcpy(one->out + k * one->stride, row, 4);
        memcpy(other->out + k * other->stride, row + 4, 4);
    }
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
    // Each of the four quarters is turned, then two of them change places.
    turn_four(v);
    turn_four(v + 4);
    for (int k = 0; k < 4; k++) {
        eight upper = v[k], lower = v[k + 4];
        v[k] = __builtin_shufflevector(upper, lower, 0, 1, 2, 3, 8, 9, 10, 11);
        v[k + 4] = __builtin_shufflevector(upper, lower, 4, 5, 6, 7, 12, 13, 14, 15);
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

/// Makes samples of blocks that were read one after the other: of two together where both are of four.
static inline __attribute__((always_inline)) void make_samples(const struct patch *patches, int count) {
    for (int k = 0; k < count; k++) {
        const struct patch *one = &patches[k];
        switch (one->side) {
            case 8: samples_eight(one->block, one->weights, one->out, one->stride); break;
            case 4:
                if (k + 1 < count && patches[k + 1].side == 4) k++;
                samples_four(one, &patches[k]);
                break;
            case 2: samples_two(one->block, one->weights, one->out, one->stride); break;
            default: *one->out = byte_of(one->block[0] * one->weights[0]);
        }
    }
}
