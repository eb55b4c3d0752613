/* wire/sse.h - event streams (text/event-stream), cut at any byte.
 *
 * Lines end with LF, CR or CRLF; a line of its own that is empty ends an event. What lies whole in
 * the bytes given is handed out in place; only what is unfinished when they end is kept, in a text
 * that the caller owns. So a stream at rest keeps its unfinished line and nothing else, and events
 * that come whole cost two searches for a byte each and no copy.
 *
 *   Owner    the caller owns reader and text; one stream, one thread.
 *   Memory   the reader 32 bytes; the text what is unfinished (and the last id, where the server
 *            sends ids), at most SSE_MOST_BYTES.
 *   Source   WHATWG HTML, section 9.2.6, "Interpreting an event stream". */
#ifndef WIRE_SSE_H
#define WIRE_SSE_H

#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

enum { SSE_MOST_BYTES = 4 << 20 };

/* One event. All spans are valid until the callback returns. */
struct sse_event {
    struct span data; /* its data lines joined by line feeds */
    struct span type; /* empty: "message" */
    struct span id;   /* the last id that the stream gave, of this event or an earlier one */
    bool cut;         /* the stream ended before the event's blank line (sse_finish only) */
};

typedef void sse_take(void *self, const struct sse_event *event);

struct sse_reader {
    uint32_t id_bytes, type_bytes,
        data_bytes;      /* private: at the front of the text, in this order */
    uint32_t data_lines; /* private: of the unfinished event */
    uint32_t retry_ms;   /* what the stream asked for; 0: nothing */
    bool skip_feed;      /* private: the last byte was a CR */
    bool begun;          /* private: the first line is over */
};

/* A reader at the start of a stream. A zeroed one is the same; its text is empty. */
void sse_reader_init(struct sse_reader *reader);

/* Reads on; `take` is called for each event that is complete. kept: empty at the stream's start,
 * and then only touched here. Returns 0, or -EMSGSIZE: an event is longer than SSE_MOST_BYTES (the
 * stream cannot be read on). */
int sse_feed(struct sse_reader *reader, struct text *kept, struct span bytes, sse_take *take,
             void *self);

/* The stream has ended. An event that lacks its blank line is no event by the standard; it is
 * handed out with `cut` set, since servers end streams so, and the caller knows whether it means
 * anything. */
void sse_finish(struct sse_reader *reader, struct text *kept, sse_take *take, void *self);

#endif
