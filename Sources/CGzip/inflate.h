// The functions of ISA-L that are used, and its state as version 2 of its interface has it (2.30 and later); its headers are not needed.
#ifndef MEDIASYNC_INFLATE_H
#define MEDIASYNC_INFLATE_H

#include <stdint.h>

enum {
    /// Its data have ended, all of them are handed over, and their checksum and length are right.
    INFLATE_FINISHED = 5,
    /// Behind the data stand the checksum and the length of a member of gzip; its header was read by somebody else.
    INFLATE_CHECKED = 6,
};

struct inflate {
    uint8_t *out;
    uint32_t room, made;
    const uint8_t *in;
    uint64_t bits;
    uint32_t in_size;
    int32_t bit_count;
    uint32_t short_literals[1 << 12];
    uint16_t long_literals[1264];
    uint16_t short_distances[1 << 10];
    uint16_t long_distances[80];
    int stage;
    uint32_t dictionary, is_last, checked, checksum, window;
    int32_t rest[5];
    int16_t wrapper, held;
    int32_t window_filled, window_taken;
    uint8_t head[328];
    uint8_t window_bytes[(64 << 10) + 288];
    /// For what a later version may have behind it.
    uint8_t reserve[4 << 10];
};

struct inflate_library {
    void (*init)(struct inflate *);
    void (*reset)(struct inflate *);
    /// Negative where the data are damaged.
    int (*inflate)(struct inflate *);
    uint32_t (*checksum)(uint32_t, const uint8_t *, uint64_t);
};

/// NULL where it is not there.
const struct inflate_library *mds_inflate_library(void);

#endif
