// Libraries that are opened when they are first needed, because they may be missing or bring much along.
#ifndef MEDIASYNC_CLOADER_H
#define MEDIASYNC_CLOADER_H

#include <stddef.h>

/// A function of a library, and where its address goes: a pointer to such functions.
struct mds_symbol {
    const char *name;
    void *place;
};

/// Opens a library for good and puts the addresses of its functions where they belong. NULL where all of them are there; else what
/// is not: the library's own name, or the first function that it lacks. What was put meanwhile must not be called then.
const char *mds_load(const char *library, const struct mds_symbol *symbols, size_t count);

#endif
