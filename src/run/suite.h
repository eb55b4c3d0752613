/* run/suite.h - a scale test: one level after another, each a run of its own, at one size and
 * number of instances after another.
 *
 * A level ends when enough of it is measured: its warm-up cut off, what is left steady and as long
 * as wanted, with the requests that its percentiles need. A level that is not steady goes on up to
 * its longest time, and is then marked. Whatever ends the test, all that was measured is kept. */
#ifndef RUN_SUITE_H
#define RUN_SUITE_H

#include "run/ladder.h"
#include "run/run.h"
#include "run/scaler.h"

/* A scaler that this test may use. */
struct suite_scaler {
    const struct scaler *scaler;
    const void *config;
    unsigned axes; /* which of its own it is to change; 0: all */
};

/* What is said while it runs. */
struct suite_news {
    const struct suite *suite; /* everything so far */
    const struct level *level; /* the one that was just measured; NULL: one begins */
    size_t number, count;      /* which level, from 1, and how many are planned by now */
    const struct rung *rung;
    nsec_t left_ns;    /* until the end, as planned */
    const char *words; /* a sentence of --debug; NULL: none */
};

struct suite_options {
    struct run_options run; /* its directory is the suite's; `enough` is set here */
    struct plan *plan;      /* the plan of `run`, which levels change */
    const struct ladder *ladder;
    const struct suite_scaler *scalers;
    size_t scaler_count;
    const char *lock_directory; /* see run/lock.h; or NULL */
    /* What scalers say of what they do; self as below; or NULL. */
    void (*said)(void *self, const char *words);
    void (*news)(void *self, const struct suite_news *news); /* or NULL */
    void *self;
};

struct suite_report {
    enum run_outcome outcome; /* RUN_PASSED, RUN_INTERRUPTED, RUN_FAILED, RUN_DISK_FULL */
    char *why;                /* one sentence, or NULL */
    struct suite *suite;      /* never NULL */
};

/* Runs the levels. Returns 0 with the report filled. Owner: caller, suite_report_fini. */
int suite_run(const struct suite_options *options, struct suite_report *out);

/* Appends what the levels would change, level by level, without changing anything. Returns 0, or an
 * outcome with a sentence in why. */
int suite_dry(const struct suite_options *options, struct text *out, struct text *why);

/* Frees what a report owns. */
void suite_report_fini(struct suite_report *report);

#endif
