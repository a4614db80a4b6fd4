// Streams of compressed bytes: libarchive's filters, and zlib for gzip, whose checksum libarchive does not compare.
// Archives is the only Swift owner.
#include <archive.h>
#include <archive_entry.h>
#include <zlib.h>

// A macro, which Swift does not see: gzip members with header, trailer and checksum.
static inline int mds_inflate_init_gzip(z_stream *stream) {
    return inflateInit2(stream, 15 + 16);
}

// The same for writing.
static inline int mds_deflate_init_gzip(z_stream *stream, int level) {
    return deflateInit2(stream, level, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY);
}
