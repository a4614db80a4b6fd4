// How libjpeg's errors come back: it jumps out of its functions, to where its caller set a mark.
#ifndef MEDIASYNC_JPEG_FAILING_H
#define MEDIASYNC_JPEG_FAILING_H

#include <setjmp.h>
#include <stdio.h>
#include <jpeglib.h>
#include "CJPEG.h"

struct failing {
    struct jpeg_error_mgr base;
    jmp_buf back;
    char *message;
    int result;
    int truncated;
};

/// Before each use: `message` has room for MDS_JPEG_MESSAGE characters.
void mds_jpeg_prepare(struct failing *failing, char *message);

#endif
