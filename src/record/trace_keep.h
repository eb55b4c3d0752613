/* record/trace_keep.h - inside of record: puts the requests of a thread's trace together from what
 * its ring says, and packs their chunks for the file.
 *
 *   Limits   TRACE_CHUNKS_MOST chunks of one request; further ones are left out and the request is
 *            marked as cut. Slots as many as requests were ever under way at once. */
#ifndef RECORD_TRACE_KEEP_H
#define RECORD_TRACE_KEEP_H

#include "base/text.h"
#include "record/trace.h"
#include "record/trace_ring.h"

enum { TRACE_CHUNKS_MOST = 1 << 17 };

/* A request put together. Instants are since the run's start; TRACE_NEVER: it did not happen. */
struct trace_row {
    struct trace_end end;
    nsec_t intended_ns, asked_ns, sent_ns, end_ns;
    nsec_t first_ns, answer_ns, last_ns; /* first content, first that is no reasoning, last */
    enum trace_source source;
    uint32_t prompt_tokens, output_tokens; /* with a source */
    uint32_t events;                       /* chunks that brought content */
    bool cut;                              /* some of its chunks are missing */
    struct span chunks;                    /* packed; until the next call */
};

struct trace_keep;

/* One that knows of nothing yet. Owner: caller, trace_keep_free. */
struct trace_keep *trace_keep_new(void);
/* NULL is fine; returns NULL. */
struct trace_keep *trace_keep_free(struct trace_keep *keep);

/* Takes from the ring until a request is complete. False when the ring is empty first. */
bool trace_keep_next(struct trace_keep *keep, struct trace_ring *ring, struct trace_row *row);

#endif
