// The functions of libdeflate that are used, as its interface 0 has them; its headers are not needed.
#ifndef MEDIASYNC_DEFLATE_H
#define MEDIASYNC_DEFLATE_H

#include <stddef.h>
#include <stdint.h>

struct deflate {
    void *(*alloc_decompressor)(void);
    void (*free_decompressor)(void *);
    /// 0 where all of it was read; both numbers of bytes are told.
    int (*zlib_decompress_ex)(void *, const void *in, size_t in_size, void *out, size_t room, size_t *used, size_t *made);
    void *(*alloc_compressor)(int level);
    void (*free_compressor)(void *);
    size_t (*zlib_compress)(void *, const void *in, size_t in_size, void *out, size_t room);
    size_t (*zlib_compress_bound)(void *, size_t in_size);
    uint32_t (*crc32)(uint32_t, const void *, size_t);
};

/// NULL where it is not there.
const struct deflate *mds_deflate(void);

#endif
