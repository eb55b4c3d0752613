/* plan/dataset.h - prompts and conversations out of files, and traces of requests. Used inside the
 * plan room only. */
#ifndef PLAN_DATASET_H
#define PLAN_DATASET_H

#include "plan/feeder.h"
#include "plan/prompt.h"

/* Which records of a file are kept; 0: no bound. */
struct dataset_filter {
    uint64_t least_tokens, most_tokens; /* of the first prompt, estimated */
    uint64_t limit;                     /* records kept */
};

/* Reads records, one a line (JSONL) or as one JSON array: a text; {"prompt": ...}; {"messages":
 * [{"role", "content"}]}; or {"conversations": [{"from", "value"}]}. Fills the messages and dialogs
 * of out, whose turns say whether conversations are replayed. Returns 0, or FEED_BAD with *error
 * set. */
int dataset_read(struct span bytes, const struct dataset_filter *filter, struct plan_prompts *out,
                 struct feed_error *error);

/* Reads a trace: lines of timestamps, a CSV with a head line, or JSONL; sorted by time. Fills the
 * arrivals and blocks of out. Returns 0, or FEED_BAD with *error set. */
int trace_read(struct span bytes, struct plan_prompts *out, struct feed_error *error);

/* Says at a line what is wrong with it. Returns FEED_BAD. */
int feed_bad(struct feed_error *error, unsigned line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
