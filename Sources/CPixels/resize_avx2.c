// Processors with 32-byte vectors; asked for at run time (resize.c).
#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx2"))), apply_to = function)
#include <immintrin.h>
#define MDS_AVX2
#define KERNEL(name) mds_sum_##name##_avx2
#include "resize_kernel.h"
#pragma clang attribute pop
#endif
