/* record/trace.h - the trace of a run, read from its file: each request with its instants, its
 * tokens and the chunks of its answer. A plan asks for it with `trace: requests`. */
#ifndef RECORD_TRACE_H
#define RECORD_TRACE_H

#include "base/clock.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An instant that did not come. */
#define TRACE_NEVER INT64_MIN

/* A chunk of an answer: an event with a choice, or a line. */
struct trace_piece {
    nsec_t at_ns;    /* since the run's start */
    uint32_t tokens; /* that it brought, by the server's own count; 0: not known */
    enum { TRACE_PIECE_EMPTY, TRACE_PIECE_REASONING, TRACE_PIECE_CONTENT } kind;
};

/* A request that ended. Instants are since the run's start, or TRACE_NEVER. Texts and pieces belong
 * to the reader and stand until the next request is read. */
struct trace_request {
    const char *request, *phase;
    bool excluded;       /* in a phase that is kept out of the results */
    uint32_t segment;    /* thread */
    nsec_t intended_ns;  /* when it was due */
    nsec_t asked_ns;     /* when the client began with it: looked for a connection */
    nsec_t sent_ns;      /* first byte */
    nsec_t first_ns;     /* first chunk with content */
    nsec_t answer_ns;    /* first one that is not reasoning */
    nsec_t last_ns;      /* last chunk with content */
    nsec_t end_ns;       /* last byte, or the failure */
    const char *outcome; /* "succeeded", "failed", "timed_out", "abandoned", "dropped" */
    const char *error;   /* "error_reset", ...; NULL: none */
    int status;
    uint32_t attempts;
    const char *token_source; /* "usage", "continuous usage", "events"; NULL: tokens not known */
    int64_t prompt_tokens, output_tokens; /* -1: not known */
    uint32_t events;                      /* pieces with content */
    bool cut;                             /* some pieces are missing */
    const struct trace_piece *pieces;
    size_t piece_count;
};

struct trace;

/* Opens the trace of a run file, also of one whose writer was killed. Returns 0, -errno, an outcome
 * of result_read, or TRACE_NONE: the run kept none. Owner: caller, trace_close. */
enum { TRACE_NONE = 16 };
int trace_open(struct trace **out, const char *path);

/* Reads the next request, in order of the instants at which the client began with them. False at
 * the end, and after an error. */
bool trace_next(struct trace *trace, struct trace_request *out);

/* Closes it; NULL is fine. Returns 0, or the error at which reading stopped. */
int trace_close(struct trace *trace);

#endif
