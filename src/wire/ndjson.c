/* Lines; see ndjson.h. */
#include "wire/ndjson.h"

#include <errno.h>
#include <string.h>

static void take_line(struct span line, bool cut, ndjson_take *take, void *self)
{
    line = span_trim(line);
    if (line.bytes)
        take(self, line, cut);
}

int ndjson_feed(struct text *kept, struct span bytes, ndjson_take *take, void *self)
{
    const char *at = bytes.at, *end = bytes.at + bytes.bytes;
    while (at < end) {
        const char *feed = memchr(at, '\n', (size_t)(end - at));
        struct span piece = {.at = at, .bytes = (size_t)((feed ? feed : end) - at)};
        if (!feed || kept->bytes) {
            text_put(kept, piece);
            if (!feed)
                break;
            take_line(text_span(kept), false, take, self);
            text_clear(kept);
        } else {
            take_line(piece, false, take, self);
        }
        at = feed + 1;
    }
    return kept->bytes > NDJSON_MOST_BYTES ? -EMSGSIZE : 0;
}

void ndjson_finish(struct text *kept, ndjson_take *take, void *self)
{
    take_line(text_span(kept), true, take, self);
    text_clear(kept);
}
