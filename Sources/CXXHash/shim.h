// libxxhash as it is installed; Checksums is its only Swift owner.
#include <xxhash.h>
