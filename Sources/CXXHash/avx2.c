// Processors with 32-byte vectors; asked for at run time (xxh3.c).
#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx2"))), apply_to = function)
#include <immintrin.h>
#define XXH_VECTOR 2 /* XXH_AVX2 */
#define KERNEL(name) mds_xxh3_##name##_avx2
#include "kernel.h"
#pragma clang attribute pop
#endif
