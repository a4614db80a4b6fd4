#include "CDelta.h"

#if defined(__x86_64__)
// The loops below become vectors of the width that the processor has.
#define MDS_CLONES __attribute__((target_clones("arch=haswell", "default")))
#else
#define MDS_CLONES
#endif

enum { LANES = 64 };

MDS_CLONES struct mds_window_sums mds_sums_of(const uint8_t *bytes, size_t count) {
    uint32_t plain = 0, weighed = 0;
    size_t at = 0;
    for (; at + LANES <= count; at += LANES) {
        uint32_t part = 0, weighed_part = 0;
        for (int lane = 0; lane < LANES; lane++) {
            part += bytes[at + lane];
            weighed_part += (uint32_t)(LANES - lane) * bytes[at + lane];
        }
        // What was summed before moves away from the end by as many bytes as were added.
        weighed += LANES * plain + weighed_part;
        plain += part;
    }
    for (; at < count; at++) {
        plain += bytes[at];
        weighed += plain;
    }
    return (struct mds_window_sums){plain, weighed};
}

size_t mds_find_window(const uint8_t *bytes, size_t from, size_t last, size_t block, struct mds_window_sums *sums,
                       const uint64_t *filter, int shift) {
    struct mds_window_sums window = *sums;
    size_t at = from;
    for (;;) {
        uint32_t bit = mds_weak(window) >> shift;
        if (filter[bit >> 6] >> (bit & 63) & 1) break;
        if (at == last) {
            at++;
            break;
        }
        window = mds_roll(window, (uint32_t)block, bytes[at], bytes[at + block]);
        at++;
    }
    *sums = window;
    return at;
}
