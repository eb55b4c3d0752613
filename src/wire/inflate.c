/* Bodies out of gzip and deflate; see inflate.h. */
#define ZLIB_CONST /* zlib then takes const input */
#include "wire/inflate.h"

#include "base/check.h"
#include "base/memory.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum {
    OUT_BYTES = 4096,
    GZIP_FRAME = 16 + MAX_WBITS,
    ZLIB_FRAME = MAX_WBITS,
    NO_FRAME = -MAX_WBITS
};

enum inflate_state {
    STATE_NEW,     /* nothing has come */
    STATE_INSIDE,  /* within a member */
    STATE_BETWEEN, /* a member has ended: another may begin */
    STATE_BEHIND,  /* the rest is passed over */
    STATE_FAILED,
};

struct inflater {
    z_stream zlib;
    enum inflate_coding coding;
    enum inflate_state state;
    int error;
    uint64_t left_bytes;
    unsigned char out[OUT_BYTES];
};

struct inflater *inflater_new(void)
{
    struct inflater *inflater = memory_new(1, sizeof *inflater);
    int result = inflateInit2(&inflater->zlib, GZIP_FRAME);
    check(result ==
          Z_OK); /* else there is no memory, or it is another zlib than was compiled for */
    inflater_start(inflater, INFLATE_GZIP, 0);
    return inflater;
}

struct inflater *inflater_free(struct inflater *inflater)
{
    if (!inflater)
        return NULL;
    inflateEnd(&inflater->zlib);
    free(inflater);
    return NULL;
}

void inflater_start(struct inflater *inflater, enum inflate_coding coding, uint64_t most_bytes)
{
    inflater->coding = coding;
    inflater->state = STATE_NEW;
    inflater->error = 0;
    inflater->left_bytes = most_bytes ? most_bytes : UINT64_MAX;
    inflateReset2(&inflater->zlib, coding == INFLATE_GZIP ? GZIP_FRAME : ZLIB_FRAME);
}

static int fail(struct inflater *inflater, int error)
{
    inflater->state = STATE_FAILED;
    return inflater->error = error;
}

/* Looks at the first byte of a body or of what follows a member. */
static void begin(struct inflater *inflater, unsigned char first)
{
    if (inflater->state == STATE_BETWEEN && (inflater->coding != INFLATE_GZIP || first != 0x1f)) {
        inflater->state = STATE_BEHIND;
        return;
    }
    if (inflater->state == STATE_BETWEEN)
        inflateReset(&inflater->zlib);
    /* zlib's frame begins with the method 8 and a window of at most 32 KiB (RFC 1950, 2.2); bare
     * data never does: that would be a stored block whose padding bits are not zero. */
    if (inflater->coding == INFLATE_DEFLATE && ((first & 0x0f) != 8 || first >> 4 > 7))
        inflateReset2(&inflater->zlib, NO_FRAME);
    inflater->state = STATE_INSIDE;
}

/* Lets zlib fill the buffer once, and hands out what is in it. Returns 0 or -errno. */
static int fill(struct inflater *inflater, void (*out)(void *self, struct span bytes), void *self)
{
    z_stream *zlib = &inflater->zlib;
    zlib->next_out = inflater->out;
    zlib->avail_out = OUT_BYTES;
    int result = inflate(zlib, Z_NO_FLUSH);
    size_t bytes = OUT_BYTES - zlib->avail_out;
    size_t allowed = bytes < inflater->left_bytes ? bytes : (size_t)inflater->left_bytes;
    inflater->left_bytes -= allowed;
    if (allowed)
        out(self, (struct span){.at = (const char *)inflater->out, .bytes = allowed});
    if (allowed < bytes)
        return fail(inflater, -EMSGSIZE);
    if (result == Z_STREAM_END)
        inflater->state = STATE_BETWEEN;
    else if (result != Z_OK && result != Z_BUF_ERROR)
        return fail(inflater, -EBADMSG);
    return 0;
}

int inflater_feed(struct inflater *inflater, struct span bytes,
                  void (*out)(void *self, struct span bytes), void *self)
{
    z_stream *zlib = &inflater->zlib;
    while (bytes.bytes && inflater->state != STATE_BEHIND && inflater->state != STATE_FAILED) {
        uInt some = bytes.bytes < INT_MAX ? (uInt)bytes.bytes : INT_MAX;
        if (inflater->state != STATE_INSIDE)
            begin(inflater, (unsigned char)bytes.at[0]);
        zlib->next_in = (const unsigned char *)bytes.at;
        zlib->avail_in = some;
        do { /* a full buffer: there may be more without more input */
            if (inflater->state == STATE_INSIDE && fill(inflater, out, self))
                return inflater->error;
        } while (inflater->state == STATE_INSIDE && (zlib->avail_in || zlib->avail_out == 0));
        bytes.at += some - zlib->avail_in;
        bytes.bytes -= some - zlib->avail_in;
    }
    return inflater->state == STATE_FAILED ? inflater->error : 0;
}

int inflater_finish(const struct inflater *inflater)
{
    if (inflater->state == STATE_FAILED)
        return inflater->error;
    return inflater->state == STATE_INSIDE ? -EBADMSG : 0;
}
