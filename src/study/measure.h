/* study/measure.h - one number out of a result, by the name of a metric and of an aggregate: what
 * thresholds and objectives compare with their limits.
 *
 * Names are k6's where k6 has one, our own beside them, and those of all metrics that the run
 * declares. Times come in milliseconds, as k6 has them. http_req_duration is the service time (from
 * sent to the last byte), which is what k6 means by it; `response` counts from the intended start.
 * Times are those of requests that succeeded, with the unfinished ones placed above them. */
#ifndef STUDY_MEASURE_H
#define STUDY_MEASURE_H

#include "base/text.h"
#include "record/result.h"

#include <stdbool.h>
#include <stdint.h>

/* What of the run is looked at. */
struct measure_scope {
    const char *key; /* "task", "request", "scenario", "level", "error", "status", "service", "tag"
                        or a tag's own name; NULL: everything */
    const char *value;
    const char *task;        /* or NULL: all; beside the key */
    double level;            /* the target of the load level; 0: the whole run */
    nsec_t begin_ns, end_ns; /* a sliding window; end_ns 0: all that was measured */
};

struct measure_question {
    const char *metric;
    const char
        *aggregate; /* "p", "avg", "med", "min", "max", "rate", "count", "rps", "value"; NULL: the
                              metric's own (p95, rate or avg) */
    double percentile; /* for "p": 0 .. 100 */
    struct measure_scope scope;
};

struct measured {
    double value;
    uint64_t count;   /* samples behind the value */
    bool at_least;    /* the value is only a lower bound */
    const char *unit; /* "ms", "1", "/s", or that of the metric; borrowed from the result */
};

enum { MEASURE_NOT_KNOWN = 1 };

/* Answers the question. Returns 0, or MEASURE_NOT_KNOWN after appending the reason to why, with
 * out->count set (0 where nothing was counted): no such metric, aggregate, task or level in this
 * run; nothing recorded; too few samples for the quantile. */
int measure(const struct result *result, const struct measure_question *question,
            struct measured *out, struct text *why);

#endif
