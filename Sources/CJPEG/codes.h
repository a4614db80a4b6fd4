// The codes of a baseline JPEG's data: what its parts share.
#ifndef MEDIASYNC_JPEG_CODES_H
#define MEDIASYNC_JPEG_CODES_H

#include <stddef.h>
#include <stdint.h>

enum { BLOCK = 64, QUICK_BITS = 11, CODE_BITS_MAX = 16, END_OF_BLOCK = 128, ORDER = BLOCK + END_OF_BLOCK };
/// Bytes that must be readable behind the data: one unit has at most ten blocks, and no value takes more than 32 bits.
enum { BEHIND = 10 * BLOCK * 4 + 32 };

/// What the next bits say: how many of them are taken, by how many places it goes on, and the value there; and the same of a second value where
/// both lie within these bits. Where a value does not, `bits` are those of the code with UNFINISHED, and the value is its symbol. All 0 where the
/// code is longer, or none.
struct step {
    uint8_t bits, bits_of_both, places, second_places;
    int16_t value, second_value;
};

enum { UNFINISHED = 0x80 };

/// One table of codes.
struct codes {
    /// By the next QUICK_BITS bits.
    struct step quick[1 << QUICK_BITS];
    /// By length: the last code, and where its symbols begin, less the first code.
    int32_t last[CODE_BITS_MAX + 1], offset[CODE_BITS_MAX + 1];
    uint8_t symbols[256];
};

/// `lengths[n]` codes have n bits. 0 where they are no codes of a baseline JPEG.
int mds_codes_make(struct codes *codes, const uint8_t lengths[17], const uint8_t symbols[256], int is_dc);

/// The symbol of a code that is longer than what is looked up; -1 where there is none.
int mds_long_symbol(const struct codes *codes, uint64_t next, int *length);

/// The value that `size` bits stand for; not of 0 bits.
static inline int mds_extended(uint32_t bits, int size) { return bits >> (size - 1) ? (int)bits : (int)bits - (1 << size) + 1; }

/// One component of a unit: its blocks, and where they go.
struct component {
    const struct codes *dc, *ac;
    int across, down;
    /// Samples of a block's side: 8, 4, 2 or 1, or 0 where nothing is made of the values.
    int side;
    /// What a value counts, scaled for the cosines.
    float weights[BLOCK];
    uint8_t *samples;
    size_t stride;
};

/// Which units of a picture are meant: so many from the first one on, in rows.
struct place {
    size_t first, count, per_row;
};

/// Reads units of data, behind which BEHIND bytes of 0 lie. 0 where there is anything that is not as it must be.
typedef int mds_units_reader(const uint8_t *data, size_t size, struct component *components, int count, struct place place);
mds_units_reader mds_units_read, mds_units_read_baseline, mds_units_read_avx2;

extern const uint8_t mds_natural_order[ORDER];

#endif
