// Processors with 32-byte vectors and shifts by any number; asked for at run time (codes.c).
#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx2,bmi2"))), apply_to = function)
#define KERNEL mds_units_read_avx2
#include "units_kernel.h"
#pragma clang attribute pop
#endif
