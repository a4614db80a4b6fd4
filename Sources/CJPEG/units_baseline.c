// All other processors.
#define KERNEL mds_units_read_baseline
#include "units_kernel.h"
