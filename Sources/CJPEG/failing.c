#include <stdlib.h>
#include <string.h>
#include "failing.h"
#include <jerror.h>

static void fail(j_common_ptr codec) {
    struct failing *failing = (struct failing *)codec->err;
    char text[JMSG_LENGTH_MAX];
    failing->base.format_message(codec, text);
    snprintf(failing->message, MDS_JPEG_MESSAGE, "%s", text);
    switch (failing->base.msg_code) {
        case JERR_OUT_OF_MEMORY: failing->result = MDS_JPEG_NO_MEMORY; break;
        case JERR_INPUT_EOF: failing->result = MDS_JPEG_TRUNCATED; break;
        default: failing->result = MDS_JPEG_UNDECODABLE;
    }
    longjmp(failing->back, 1);
}

/// A warning: damage that does not stop the decoder. Only missing data counts; viewers show the rest as it is.
static void warn(j_common_ptr codec, int level) {
    struct failing *failing = (struct failing *)codec->err;
    if (level >= 0) return;
    failing->base.num_warnings++;
    if (failing->base.msg_code == JWRN_JPEG_EOF || failing->base.msg_code == JWRN_HIT_MARKER) failing->truncated = 1;
}

static void say_nothing(j_common_ptr codec) { (void)codec; }

void mds_jpeg_prepare(struct failing *failing, char *message) {
    jpeg_std_error(&failing->base);
    failing->base.error_exit = fail;
    failing->base.emit_message = warn;
    failing->base.output_message = say_nothing;
    failing->message = message;
    failing->result = MDS_JPEG_UNDECODABLE;
    failing->truncated = 0;
    message[0] = 0;
}
