#include <pthread.h>
#include <stddef.h>
#include "CGzip.h"
#include "CLoader.h"
#include "inflate.h"

// Where ISA-L looks for them, on every machine that has pointers of eight bytes.
_Static_assert(offsetof(struct inflate, stage) == 21160, "the tables of ISA-L");
_Static_assert(offsetof(struct inflate, head) == 21216, "the state of ISA-L");
_Static_assert(offsetof(struct inflate, reserve) >= 87368, "all of what ISA-L writes to");

static struct inflate_library library;
static int is_there;

static const struct mds_symbol symbols[] = {
    {"isal_inflate_init", &library.init},
    {"isal_inflate_reset", &library.reset},
    {"isal_inflate", &library.inflate},
    {"crc32_gzip_refl", &library.checksum},
};

static void load(void) { is_there = !mds_load("libisal.so.2", symbols, sizeof symbols / sizeof *symbols); }

const struct inflate_library *mds_inflate_library(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    return is_there ? &library : NULL;
}

int mds_gzip_open(void) { return mds_inflate_library() != NULL; }
