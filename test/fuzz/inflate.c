/* Compressed bodies: whole or byte by byte, the same comes out, and never more than is allowed. The
 * first byte says which coding. */
#include "wire/inflate.h"
#include "target.h"

enum { MOST_BYTES = 100000 };

static void keep(void *self, struct span bytes)
{
    check(bytes.bytes > 0);
    text_put(self, bytes);
}

static int inflate_in(struct inflater *inflater, struct span bytes, size_t piece, struct text *out)
{
    for (size_t at = 0; at < bytes.bytes; at += piece) {
        size_t some = bytes.bytes - at < piece ? bytes.bytes - at : piece;
        int error =
            inflater_feed(inflater, (struct span){.at = bytes.at + at, .bytes = some}, keep, out);
        check(out->bytes <= MOST_BYTES);
        if (error)
            return error;
    }
    return inflater_finish(inflater);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    if (count < 1)
        return 0;
    enum inflate_coding coding = bytes[0] & 1 ? INFLATE_DEFLATE : INFLATE_GZIP;
    struct span body = {.at = (const char *)bytes + 1, .bytes = count - 1};
    struct inflater *inflater = inflater_new();
    struct text whole = TEXT_EMPTY, cut = TEXT_EMPTY;
    inflater_start(inflater, coding, MOST_BYTES);
    int error = inflate_in(inflater, body, count, &whole);
    inflater_start(inflater, coding, MOST_BYTES);
    check(inflate_in(inflater, body, 1, &cut) == error);
    check(error || span_equal(text_span(&whole), text_span(&cut)));
    text_fini(&whole);
    text_fini(&cut);
    inflater_free(inflater);
    return 0;
}
