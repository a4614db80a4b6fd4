// All other processors.
#define KERNEL(name) mds_sum_##name##_baseline
#include "resize_kernel.h"
