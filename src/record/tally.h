/* record/tally.h - what a loop thread counts in one interval, and how it hands it over.
 *
 * A loop thread owns the block it writes. At the end of an interval, and at each change of phase,
 * it puts the block into `full` and takes an empty one from `empty`; the recorder does the reverse.
 * When none is empty (a slow disk), the thread goes on in the same block, whose interval is then
 * longer: late, never lost. */
#ifndef RECORD_TALLY_H
#define RECORD_TALLY_H

#include "base/clock.h"
#include "base/ring.h"
#include "record/metric.h"
#include "record/trace_ring.h"
#include "stat/hist.h"

#include <stdint.h>

enum {
    TALLY_EXAMPLES = 10, /* example errors kept of each kind, an interval and thread */
    TALLY_EXAMPLE_BYTES = 240,
    TALLY_STATUS_CODES = 600, /* counters for status codes below this */
    TALLY_BLOCKS = 4,         /* blocks a thread */
};

/* One example of a failure. */
struct tally_example {
    nsec_t at_ns;                    /* since the run's start */
    uint32_t request;                /* UINT32_MAX: of none */
    uint32_t error;                  /* a COUNT_ERROR_*, or COUNT_CHECKS_FAILED */
    int32_t status;                  /* HTTP status or 0 */
    uint32_t times;                  /* set by tally_example: equal ones are folded */
    char words[TALLY_EXAMPLE_BYTES]; /* ended by a zero; secrets masked */
};

/* One request name in one interval. */
struct tally {
    uint64_t *counters; /* by metric number */
    struct hist *
        *hists; /* by metric number; NULL until first used (made from the thread's own stock) */
    uint32_t status[TALLY_STATUS_CODES];
};

/* One named service of the plan's reply rules. */
struct tally_rule {
    uint64_t hits;
};

struct tally_block {
    uint32_t segment;                       /* thread, from 0 */
    uint32_t phase;                         /* number of the phase, from 0; see record/recorder.h */
    uint32_t first_interval, last_interval; /* whole intervals since the run's start */
    nsec_t begin_ns, end_ns;                /* since the run's start */
    struct tally *requests;                 /* by index of plan.requests */
    size_t request_count;
    struct tally_rule *rules; /* by index of plan.rules */
    size_t rule_count;
    double gauges[CORE_GAUGES]; /* at end_ns */
    struct hist *loop_lag;      /* lateness of the loop's timers */
    struct tally_example examples[TALLY_EXAMPLES];
    uint32_t example_count;
};

/* A thread's blocks and the two rings between it and the recorder. */
struct tally_exchange {
    struct ring full;  /* loop thread puts, recorder takes */
    struct ring empty; /* recorder puts, loop thread takes */
    struct tally_block *blocks[TALLY_BLOCKS];
    const struct metric_table *metrics;
    struct trace_ring *trace; /* of each single request; NULL: none is kept. Owned */
};

/* Makes the blocks and fills the empty ring. Owner: caller, tally_exchange_fini. */
void tally_exchange_init(struct tally_exchange *exchange, const struct metric_table *metrics,
                         uint32_t segment, size_t request_count, size_t rule_count);
void tally_exchange_fini(struct tally_exchange *exchange);

/* Keeps a trace of single requests too; before the exchange is used. */
void tally_exchange_trace(struct tally_exchange *exchange);

/* Empties a block for its next use, touching only what was used. */
void tally_block_clear(struct tally_block *block, const struct metric_table *metrics);

/* Adds everything of one block to another of the same shape. */
void tally_block_merge(struct tally_block *to, const struct tally_block *from,
                       const struct metric_table *metrics);

/* The histogram of a metric, made on first use (the only allocation of a loop thread's record, once
 * a request name, metric and block). */
struct hist *tally_hist(struct tally *tally, uint32_t metric);

/* Counts a duration. */
static inline void tally_time(struct tally *tally, uint32_t metric, nsec_t value_ns)
{
    struct hist *hist = tally->hists[metric];
    hist_record(hist ? hist : tally_hist(tally, metric), value_ns);
}

/* Counts `more` of a counter. */
static inline void tally_count(struct tally *tally, uint32_t metric, uint64_t more)
{
    tally->counters[metric] += more;
}

/* Keeps an example if there is room; equal ones are folded, and a new kind of error takes the place
 * of one of a kind that has several. */
void tally_example(struct tally_block *block, struct tally_example example);

#endif
