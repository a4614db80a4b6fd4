// Tables of a baseline JPEG's codes. A value's bits are looked up together with its code's, and two values together where both are short: there are
// five or six bits for most values, and a step for each part of them would be most of the work.
#include <stdlib.h>
#include <string.h>
#include "codes.h"

enum { DC_SIZE_MAX = 11, AC_SIZE_MAX = 10 };

// Where the values of a block lie. What lies behind a block's end falls on the last place: the end's own mark is no value and puts 0 where nothing was.
const uint8_t mds_natural_order[ORDER] = {
    0,  1,  8,  16, 9,  2,  3,  10, 17, 24, 32, 25, 18, 11, 4,  5,  12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6,  7,  14, 21, 28,
    35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
    [BLOCK ... ORDER - 1] = 63,
};

static int is_symbol(uint8_t symbol, int is_dc) {
    if (is_dc) return symbol <= DC_SIZE_MAX;
    int size = symbol & 15;
    return size == 0 ? symbol == 0 || symbol == 0xF0 : size <= AC_SIZE_MAX;
}

/// What the table says of a code of `length` bits that is followed by `rest`, as many bits as are left of QUICK_BITS.
static struct step step_of(uint8_t symbol, int length, uint32_t rest, int is_dc) {
    int size = symbol & 15, left = QUICK_BITS - length;
    uint8_t places = (uint8_t)(is_dc ? 1 : symbol == 0 ? END_OF_BLOCK : (symbol >> 4) + 1);
    if (size > left) return (struct step){.bits = UNFINISHED | (uint8_t)length, .value = symbol};
    int16_t value = (int16_t)(size == 0 ? 0 : mds_extended(rest >> (left - size), size));
    uint8_t bits = (uint8_t)(length + size);
    return (struct step){.bits = bits, .bits_of_both = bits, .places = places, .value = value, .second_value = value};
}

/// Adds to each step the one that follows it, where it lies within the same bits.
static void join(struct step *quick, const struct step *single) {
    for (uint32_t index = 0; index < 1u << QUICK_BITS; index++) {
        struct step first = single[index];
        if (first.bits == 0 || first.bits & UNFINISHED || first.places == END_OF_BLOCK) continue;
        struct step second = single[index << first.bits & ((1u << QUICK_BITS) - 1)];
        if (second.bits == 0 || second.bits & UNFINISHED || first.bits + second.bits > QUICK_BITS) continue;
        quick[index].bits_of_both = first.bits + second.bits;
        quick[index].second_places = second.places;
        quick[index].second_value = second.value;
    }
}

int mds_codes_make(struct codes *codes, const uint8_t lengths[17], const uint8_t symbols[256], int is_dc) {
    memset(codes->quick, 0, sizeof codes->quick);
    memcpy(codes->symbols, symbols, sizeof codes->symbols);
    int code = 0, place = 0;
    for (int length = 1; length <= CODE_BITS_MAX; length++, code <<= 1) {
        int count = lengths[length];
        // More codes than that length has room for, or than there are symbols.
        if (code + count > 1 << length || place + count > 256) return 0;
        codes->offset[length] = place - code;
        codes->last[length] = code + count - 1;
        for (int k = 0; k < count; k++, code++, place++) {
            if (!is_symbol(symbols[place], is_dc)) return 0;
            if (length > QUICK_BITS) continue;
            int left = QUICK_BITS - length;
            for (uint32_t rest = 0; rest < 1u << left; rest++)
                codes->quick[(uint32_t)code << left | rest] = step_of(symbols[place], length, rest, is_dc);
        }
    }
    if (is_dc) return 1;
    struct step *single = malloc(sizeof codes->quick);
    if (!single) return 0;
    memcpy(single, codes->quick, sizeof codes->quick);
    join(codes->quick, single);
    free(single);
    return 1;
}

int mds_long_symbol(const struct codes *codes, uint64_t next, int *length) {
    for (int n = QUICK_BITS + 1; n <= CODE_BITS_MAX; n++) {
        int32_t code = (int32_t)(next >> (64 - n));
        if (code > codes->last[n]) continue;
        *length = n;
        int32_t place = codes->offset[n] + code;
        return place < 0 || place > 255 ? -1 : codes->symbols[place];
    }
    return -1;
}

#if defined(__x86_64__)
// One load of a word that the C runtime fills before main.
static int has_avx2(void) { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2"); }
#endif

int mds_units_read(const uint8_t *data, size_t size, struct component *components, int count, struct place place) {
#if defined(__x86_64__)
    if (has_avx2()) return mds_units_read_avx2(data, size, components, count, place);
#endif
    return mds_units_read_baseline(data, size, components, count, place);
}
