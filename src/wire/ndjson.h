/* wire/ndjson.h - documents of one line each, cut at any byte.
 *
 * Lines end with LF or CRLF; empty ones are passed over. What lies whole in the bytes given is
 * handed out in place, and only an unfinished line is kept, in a text that the caller owns.
 *
 *   Source   the de-facto format of application/x-ndjson; RFC 8259 keeps raw line feeds out of
 *            JSON's strings. */
#ifndef WIRE_NDJSON_H
#define WIRE_NDJSON_H

#include "base/text.h"

#include <stdbool.h>

enum { NDJSON_MOST_BYTES = 4 << 20 };

/* A line without its end; valid until the callback returns. cut: the stream ended without the
 * line's end (ndjson_finish only), so that it may be incomplete. */
typedef void ndjson_take(void *self, struct span line, bool cut);

/* Reads on; `take` is called for each complete line. kept: empty at the stream's start, and then
 * only touched here. Returns 0, or -EMSGSIZE: a line is longer than NDJSON_MOST_BYTES. */
int ndjson_feed(struct text *kept, struct span bytes, ndjson_take *take, void *self);

/* The stream has ended: hands out a last line that lacks its end, if there is one. */
void ndjson_finish(struct text *kept, ndjson_take *take, void *self);

#endif
