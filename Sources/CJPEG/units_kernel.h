// The loops over a JPEG's data: the source of one variant for each kind of processor. Who includes it defines KERNEL.
#include <string.h>
#include "codes.h"
#include "cosine_kernel.h"

#define INLINE static inline __attribute__((always_inline))

/// A unit has at most four blocks of brightness and one of each colour.
enum { DC_MAX = 2047, BLOCKS_MAX = 6 };

/// Bits of the data, the next one uppermost.
struct bits {
    uint64_t next;
    int count;
    const uint8_t *from;
};

/// Fills the bits up to 56 and more.
INLINE void fill(struct bits *bits) {
    uint64_t more;
    memcpy(&more, bits->from, sizeof more);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    more = __builtin_bswap64(more);
#endif
    bits->next |= more >> bits->count;
    bits->from += (63 - bits->count) >> 3;
    bits->count |= 56;
}

INLINE void pass(struct bits *bits, int count) {
    bits->next <<= count;
    bits->count -= count;
}

/// What is looked up does not say all of it: a value, and by how many places it goes on. 0 where it is none.
static __attribute__((noinline)) int read_slowly(struct bits *bits, const struct codes *codes, int is_dc, int *places, int *value) {
    struct step step = codes->quick[bits->next >> (64 - QUICK_BITS)];
    int length = step.bits & ~UNFINISHED, symbol = step.value;
    if (length == 0 && (symbol = mds_long_symbol(codes, bits->next, &length)) < 0) return 0;
    int size = symbol & 15;
    pass(bits, length);
    *places = is_dc ? 1 : symbol == 0 ? END_OF_BLOCK : (symbol >> 4) + 1;
    *value = 0;
    if (size == 0) return 1;
    *value = mds_extended((uint32_t)(bits->next >> (64 - size)), size);
    pass(bits, size);
    return 1;
}

INLINE int is_complete(struct step step) { return __builtin_expect((uint8_t)(step.bits - 1) < UNFINISHED - 1, 1); }

/// The same where it does not happen often: the bits stay in registers everywhere else.
INLINE int read_rarely(struct bits *bits, const struct codes *codes, int is_dc, int *places, int *value) {
    struct bits copy = *bits;
    int result = read_slowly(&copy, codes, is_dc, places, value);
    *bits = copy;
    return result;
}

/// The next value or two of a block, which go on from place `k`: 1, or 0 at the block's end, -1 where there is none.
INLINE int read_more(struct bits *bits, const struct codes *codes, size_t *k, int16_t *block) {
    struct step step = codes->quick[bits->next >> (64 - QUICK_BITS)];
    if (!is_complete(step)) {
        int places, value;
        if (!read_rarely(bits, codes, 0, &places, &value)) return -1;
        *k += (size_t)places;
        block[mds_natural_order[*k - 1]] = (int16_t)value;
        return *k < BLOCK;
    }
    *k += step.places;
    block[mds_natural_order[*k - 1]] = step.value;
    if (*k >= BLOCK) {
        pass(bits, step.bits);
        return 0;
    }
    *k += step.second_places;
    block[mds_natural_order[*k - 1]] = step.second_value;
    pass(bits, step.bits_of_both);
    return *k < BLOCK;
}

/// A block's values; 0 where they are not as they must be.
INLINE int read_block(struct bits *bits, const struct component *part, int *predictor, int16_t *block) {
    struct bits here = *bits;
    int places, value;
    fill(&here);
    struct step step = part->dc->quick[here.next >> (64 - QUICK_BITS)];
    if (is_complete(step)) {
        pass(&here, step.bits);
        value = step.value;
    } else if (!read_rarely(&here, part->dc, 1, &places, &value)) {
        return 0;
    }
    *predictor += value;
    if (*predictor > DC_MAX || *predictor < -DC_MAX - 1) return 0;
    block[0] = (int16_t)*predictor;
    size_t k = 1;
    // Of 56 bits the first value took 27 at most, and so does each of these: there are bits for one more, and then for two each time.
    int result = read_more(&here, part->ac, &k, block);
    while (result > 0) {
        fill(&here);
        result = read_more(&here, part->ac, &k, block);
        if (result > 0) result = read_more(&here, part->ac, &k, block);
    }
    if (result < 0) return 0;
    *bits = here;
    // It is full, or ended by a mark.
    return k == BLOCK || k > END_OF_BLOCK;
}

int KERNEL(const uint8_t *data, size_t size, struct component *components, int count, struct place place) {
    struct bits bits = {0, 0, data};
    const uint8_t *end = data + size;
    int predictors[3] = {0};
    int16_t values[BLOCKS_MAX][BLOCK] __attribute__((aligned(32)));
    struct patch patches[BLOCKS_MAX];
    size_t row = place.first / place.per_row, column = place.first % place.per_row;
    for (size_t unit = 0; unit < place.count; unit++) {
        // So far behind the end there is still what can be read (BEHIND).
        if (bits.from > end + sizeof bits.next) return 0;
        // All values first: what was just written piece by piece cannot be read as a whole yet.
        int blocks = 0;
        for (int c = 0; c < count; c++) {
            const struct component *part = &components[c];
            const size_t side = (size_t)part->side, across = (size_t)part->across, down = (size_t)part->down;
            for (size_t y = 0; y < down; y++)
                for (size_t x = 0; x < across; x++) {
                    int16_t *block = values[blocks];
                    // Of smaller blocks only the first rows are looked at.
                    if (side == 8) memset(block, 0, sizeof values[0]);
                    else if (side > 0) memset(block, 0, sizeof values[0] / 2);
                    if (!read_block(&bits, part, &predictors[c], block)) return 0;
                    if (side == 0) continue;
                    uint8_t *out = part->samples + (row * down + y) * side * part->stride + (column * across + x) * side;
                    patches[blocks++] = (struct patch){block, part->weights, out, part->stride, part->side};
                }
        }
        make_samples(patches, blocks);
        if (++column == place.per_row) {
            column = 0;
            row++;
        }
    }
    // What is left fills the last byte.
    int64_t left = (end - bits.from) * 8 + bits.count;
    return left >= 0 && left <= 7;
}
