/* record/trace_ring.h - what a loop thread says of each single request, on its way to the recorder:
 * the trace, off by default.
 *
 * Fixed cells of 16 bytes in a ring of one writer and one reader: one for each chunk of an answer,
 * and a few at the end of a request. Writing is a store or two; nothing is allocated, formatted or
 * waited for, and putting a request together from its cells is the recorder's work. A request is
 * known by its slot, a small number that belongs to it from its first chunk to its end and to
 * another request afterwards.
 *
 *   Owner    the loop thread writes, whoever drains reads
 *   Limits   TRACE_RING_CELLS; what finds the ring full is lost, and counted: requests during which
 *            something was lost are marked as cut */
#ifndef RECORD_TRACE_RING_H
#define RECORD_TRACE_RING_H

#include "base/clock.h"

#include <stdbool.h>
#include <stdint.h>

enum { TRACE_RING_CELLS = 1 << 16 /* 1 MiB a thread; a power of two */ };

/* What a chunk of an answer brought. */
enum trace_chunk_kind {
    TRACE_CHUNK_EMPTY,     /* a role, an empty text, a finish reason */
    TRACE_CHUNK_REASONING, /* reasoning only */
    TRACE_CHUNK_CONTENT,   /* text of the answer, or a part of a tool's call */
    TRACE_CHUNK_KINDS,
};

/* Who counted an answer's tokens. */
enum trace_source {
    TRACE_SOURCE_NONE,
    TRACE_SOURCE_EVENTS, /* one a content event */
    TRACE_SOURCE_USAGE,
    TRACE_SOURCE_CONTINUOUS,
    TRACE_SOURCES,
};

/* How a request ended. Instants are on the loop's clock. */
struct trace_end {
    nsec_t start_ns; /* the run's start: what the record counts from */
    nsec_t intended_ns, asked_ns;
    nsec_t sent_ns; /* 0: nothing was sent */
    nsec_t end_ns;
    uint32_t request, phase;
    uint32_t outcome; /* COUNT_SUCCEEDED, COUNT_FAILED, COUNT_TIMED_OUT, COUNT_ABANDONED or
                         COUNT_DROPPED */
    uint32_t error;   /* COUNT_ERROR_*; 0: none */
    int32_t status;   /* of the reply; 0: there was none */
    uint32_t attempts;
};

struct trace_ring;

/* An empty ring, its memory touched. Owner: caller, trace_ring_free. */
struct trace_ring *trace_ring_new(void);
/* NULL is fine; returns NULL. */
struct trace_ring *trace_ring_free(struct trace_ring *ring);

/* A chunk of an answer came. tokens: that it brought, by the server's own count; 0: not known. */
void trace_chunk(struct trace_ring *ring, uint32_t slot, enum trace_chunk_kind kind,
                 uint32_t tokens, nsec_t at_ns);

/* The tokens of the answer and of its prompt, known at its end; the last ones said hold. */
void trace_tokens(struct trace_ring *ring, uint32_t slot, enum trace_source source,
                  uint32_t prompt_tokens, uint32_t output_tokens);

/* What was said of this slot does not count: the request is sent again. */
void trace_again(struct trace_ring *ring, uint32_t slot);

/* The request is over; the slot is free for another. */
void trace_over(struct trace_ring *ring, uint32_t slot, const struct trace_end *end);

/* ---- the reader's side --------------------------------------------------------------------------
 */

enum trace_cell_kind { TRACE_CELL_CHUNK, TRACE_CELL_TOKENS, TRACE_CELL_AGAIN, TRACE_CELL_OVER };

/* One thing said, as it is read from the ring. */
struct trace_said {
    enum trace_cell_kind kind;
    uint32_t slot;
    nsec_t at_ns;                          /* of a chunk */
    uint32_t tokens;                       /* of a chunk */
    enum trace_chunk_kind chunk;           /* of a chunk */
    enum trace_source source;              /* of tokens */
    uint32_t prompt_tokens, output_tokens; /* of tokens */
    uint64_t lost;                         /* of an end: things lost so far on this ring */
    struct trace_end end;                  /* of an end */
};

/* Takes the oldest; false when there is none. */
bool trace_take(struct trace_ring *ring, struct trace_said *said);

/* How many requests ended without leaving a trace, since the ring was full. */
uint64_t trace_lost_requests(const struct trace_ring *ring);

#endif
