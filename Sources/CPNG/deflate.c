#include <pthread.h>
#include "CLoader.h"
#include "CPNG.h"
#include "deflate.h"

static struct deflate library;
static int is_there;

static const struct mds_symbol symbols[] = {
    {"libdeflate_alloc_decompressor", &library.alloc_decompressor},
    {"libdeflate_free_decompressor", &library.free_decompressor},
    {"libdeflate_zlib_decompress_ex", &library.zlib_decompress_ex},
    {"libdeflate_alloc_compressor", &library.alloc_compressor},
    {"libdeflate_free_compressor", &library.free_compressor},
    {"libdeflate_zlib_compress", &library.zlib_compress},
    {"libdeflate_zlib_compress_bound", &library.zlib_compress_bound},
    {"libdeflate_crc32", &library.crc32},
};

static void load(void) { is_there = !mds_load("libdeflate.so.0", symbols, sizeof symbols / sizeof *symbols); }

const struct deflate *mds_deflate(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    return is_there ? &library : NULL;
}

int mds_png_open(void) { return mds_deflate() != NULL; }
