// gzip decompressed by ISA-L, which is faster than zlib and is loaded when it is first needed. It reads the data of members and compares
// their checksums and lengths; their headers are read here, because it wants each in one piece. Archives is the only owner.
#ifndef MEDIASYNC_CGZIP_H
#define MEDIASYNC_CGZIP_H

#include <stddef.h>
#include <stdint.h>

enum mds_gzip_result {
    /// There is no more room.
    MDS_GZIP_FULL = 0,
    /// All input is used, and all that came of it is handed over.
    MDS_GZIP_MORE,
    MDS_GZIP_DAMAGED,
};

/// Members that follow one another. One owner.
struct mds_gzip;

/// Whether ISA-L is there.
int mds_gzip_open(void);

/// NULL where ISA-L or memory is missing.
struct mds_gzip *mds_gzip_new(void);

void mds_gzip_free(struct mds_gzip *);

/// Goes on until the room is filled or the input is used; both are moved on. Nothing more may be asked of a damaged stream.
/// - Parameter why: what is damaged.
int mds_gzip_step(struct mds_gzip *, const uint8_t **in, size_t *in_size, uint8_t **out, size_t *room, const char **why);

/// Whether the input that was used ends with a member.
int mds_gzip_is_whole(const struct mds_gzip *);

#endif
