#include <stdlib.h>
#include "CGzip.h"
#include "inflate.h"

enum { HEAD_BYTES = 10, DEFLATE = 8, HAS_CHECKSUM = 2, HAS_EXTRA = 4, HAS_NAME = 8, HAS_COMMENT = 16, UNKNOWN = 0xE0 };

/// What the next byte belongs to.
enum part { HEAD, EXTRA_SIZE, EXTRA, NAME, COMMENT, CHECKSUM, DATA };

struct mds_gzip {
    const struct inflate_library *library;
    enum part part;
    uint8_t flags;
    /// Bytes of this part that were read; of the extra field, those that are left.
    uint32_t count;
    /// Of two bytes, the first.
    uint8_t low;
    /// Of the header so far.
    uint32_t checksum;
    int saw_member;
    struct inflate inflate;
};

struct mds_gzip *mds_gzip_new(void) {
    const struct inflate_library *library = mds_inflate_library();
    struct mds_gzip *gzip = library ? calloc(1, sizeof *gzip) : NULL;
    if (!gzip) return NULL;
    gzip->library = library;
    library->init(&gzip->inflate);
    gzip->inflate.checked = INFLATE_CHECKED;
    return gzip;
}

void mds_gzip_free(struct mds_gzip *gzip) { free(gzip); }

int mds_gzip_is_whole(const struct mds_gzip *gzip) { return gzip->saw_member && gzip->part == HEAD && gzip->count == 0; }

/// Begins the next part of the header that this one has.
static void go_on(struct mds_gzip *gzip, enum part next) {
    static const uint8_t needed[] = {[EXTRA_SIZE] = HAS_EXTRA, [NAME] = HAS_NAME, [COMMENT] = HAS_COMMENT, [CHECKSUM] = HAS_CHECKSUM};
    while (next != DATA && !(gzip->flags & needed[next])) next = next == EXTRA_SIZE ? NAME : next + 1;
    gzip->part = next;
    gzip->count = 0;
}

/// Judges a byte of the first ten; NULL where it may be there.
static const char *head_byte(struct mds_gzip *gzip, uint8_t byte) {
    switch (gzip->count++) {
        case 0: return byte == 0x1F ? NULL : "incorrect header check";
        case 1: return byte == 0x8B ? NULL : "incorrect header check";
        case 2: return byte == DEFLATE ? NULL : "unknown compression method";
        case 3: gzip->flags = byte; return byte & UNKNOWN ? "unknown header flags set" : NULL;
        case HEAD_BYTES - 1: go_on(gzip, EXTRA_SIZE);
    }
    return NULL;
}

/// Takes a byte of a header; NULL where it may be there.
static const char *take(struct mds_gzip *gzip, uint8_t byte) {
    const char *why = NULL;
    // It comes before the byte: the header's checksum is not part of itself.
    uint32_t checksum = gzip->checksum;
    gzip->checksum = gzip->library->checksum(checksum, &byte, 1);
    switch (gzip->part) {
        case HEAD: return head_byte(gzip, byte);
        case EXTRA_SIZE:
            if (gzip->count++ == 0) {
                gzip->low = byte;
            } else {
                gzip->part = EXTRA;
                gzip->count = (uint32_t)byte << 8 | gzip->low;
                if (gzip->count == 0) go_on(gzip, NAME);
            }
            break;
        case EXTRA:
            if (--gzip->count == 0) go_on(gzip, NAME);
            break;
        case NAME:
            if (byte == 0) go_on(gzip, COMMENT);
            break;
        case COMMENT:
            if (byte == 0) go_on(gzip, CHECKSUM);
            break;
        case CHECKSUM:
            gzip->checksum = checksum;
            if (gzip->count++ == 0) {
                gzip->low = byte;
            } else {
                if ((checksum & 0xFFFF) != ((uint32_t)byte << 8 | gzip->low)) why = "header crc mismatch";
                go_on(gzip, DATA);
            }
            break;
        case DATA: break;
    }
    return why;
}

static void begin_member(struct mds_gzip *gzip) {
    gzip->library->reset(&gzip->inflate);
    gzip->part = HEAD;
    gzip->count = 0;
    gzip->checksum = 0;
}

/// What ISA-L says of damaged data.
static const char *reason(int code) {
    switch (code) {
        case -1: return "invalid block";
        case -2: return "invalid symbol";
        case -3: return "invalid distance too far back";
        case -6: return "incorrect checksum or length";
        default: return "invalid data";
    }
}

int mds_gzip_step(struct mds_gzip *gzip, const uint8_t **in, size_t *in_size, uint8_t **out, size_t *room, const char **why) {
    // Its numbers of bytes are of 32 bits.
    enum { PIECE = 1 << 30 };
    struct inflate *inflate = &gzip->inflate;
    while (*room > 0) {
        while (gzip->part != DATA) {
            if (*in_size == 0) return MDS_GZIP_MORE;
            *why = take(gzip, **in);
            if (*why) return MDS_GZIP_DAMAGED;
            ++*in;
            --*in_size;
        }
        uint32_t given = (uint32_t)(*in_size < PIECE ? *in_size : PIECE), space = (uint32_t)(*room < PIECE ? *room : PIECE);
        inflate->in = *in;
        inflate->in_size = given;
        inflate->out = *out;
        inflate->room = space;
        int code = gzip->library->inflate(inflate);
        // It may not be believed more than anybody else.
        if (inflate->in_size > given || inflate->room > space) code = -1;
        if (code < 0) {
            *why = reason(code);
            return MDS_GZIP_DAMAGED;
        }
        uint32_t used = given - inflate->in_size, made = space - inflate->room;
        *in += used;
        *in_size -= used;
        *out += made;
        *room -= made;
        if (inflate->stage == INFLATE_FINISHED) {
            gzip->saw_member = 1;
            begin_member(gzip);
        } else if (*room > 0 && *in_size == 0) {
            return MDS_GZIP_MORE;
        } else if (used == 0 && made == 0) {
            *why = "invalid data";
            return MDS_GZIP_DAMAGED;
        }
    }
    return MDS_GZIP_FULL;
}
