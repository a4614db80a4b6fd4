// zstd, for blocks whose size is known before; Archives is its only Swift owner.
#include <zstd.h>
