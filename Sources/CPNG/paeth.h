// PNG's fourth filter: what both the reader and the writer expect of a byte.
#ifndef MEDIASYNC_PAETH_H
#define MEDIASYNC_PAETH_H

#include <stdint.h>

static inline int distance(int a, int b) { return a < b ? b - a : a - b; }

/// Whichever of its three neighbours is nearest to left + up - corner; the left one, then the upper one, where two are.
static inline uint8_t paeth(uint8_t left, uint8_t up, uint8_t corner) {
    int to_left = distance(up, corner), to_up = distance(left, corner), to_corner = distance(left + up, 2 * corner);
    uint8_t nearer = to_up <= to_corner ? up : corner;
    return to_left <= to_up && to_left <= to_corner ? left : nearer;
}

#endif
