/* study/comparison.h - whether new runs are worse than those of a base: runs are what is counted,
 * one metric decides, and only runs that can be compared are.
 *
 * The primary metric is declared beforehand; the others stand beside it, their p values adjusted
 * for being many (Holm), and decide nothing. Runs of another plan, load, machine or version are not
 * comparable unless the caller insists; what else differs (target, host, labels) is told, since it
 * is often what is compared.
 *   Tests    test/unit/study/comparison. */
#ifndef STUDY_COMPARISON_H
#define STUDY_COMPARISON_H

#include "base/text.h"
#include "record/result.h"
#include "study/groups.h"
#include "study/measure.h"

/* A metric as users write it: "p95" (of response), "ttft p95", "throughput",
 * "response{task:chat} p99". */
struct comparison_metric {
    char *words; /* tidied: "response p95" */
    char *name, *aggregate, *key, *value;
    double percentile;
    bool higher_better;
};

/* Reads one. Returns 0, or 1 with a sentence in why. Owner: caller, comparison_metric_fini. */
int comparison_metric_read(const char *words, struct comparison_metric *out, struct text *why);
void comparison_metric_fini(struct comparison_metric *metric);

/* The question that measure() takes; its texts are the metric's. */
struct measure_question comparison_question(const struct comparison_metric *metric);

/* What is asked. */
struct comparison_wish {
    const char *metric; /* NULL: response p95 */
    int better;         /* 1: higher, -1: lower, 0: as the metric's name says */
    double alpha, margin;
    bool force; /* compare what differs */
};

/* A group's value within its one run, where an interval can be given honestly: between requests
 * of that run, which says nothing on another run. NAN where not. */
struct comparison_within {
    double low, high;
};

/* One metric of all runs. */
struct comparison_row {
    char *words, *unit;
    double *base, *new_values; /* by run */
    bool higher_better;
    bool base_bound, new_bound;                       /* of a run only a lower bound is known */
    struct comparison_within base_within, new_within; /* of the first run of each */
    struct groups_found found;
    double p_holm; /* of those beside the primary, adjusted; of the primary its own p */
    enum groups_verdict verdict;
};

/* Something in which the runs differ. */
struct comparison_difference {
    char *words; /* "kernel: 6.1 in the base, 6.12 in 3 of 3 new runs" */
    bool blocks; /* makes the runs incomparable */
};

struct comparison {
    size_t base_count, new_count;
    struct comparison_row *rows; /* the primary first */
    size_t row_count;
    struct comparison_difference *differences;
    size_t difference_count;
    double alpha, margin;
    bool comparable;             /* nothing blocks */
    bool forced;                 /* something does, and the caller insisted */
    enum groups_verdict verdict; /* of the primary; meaningful when comparable or forced */
};

/* The runs of both sides; each at least one. */
struct comparison_runs {
    const struct result *const *base, *const *new_runs;
    size_t base_count, new_count;
};

/* Compares. Returns 0, or 1 with a sentence in why: the metric is not one, or a run does not have
 * it. Owner: caller, comparison_fini. */
int comparison_make(const struct comparison_runs *runs, const struct comparison_wish *wish,
                    struct comparison *out, struct text *why);
void comparison_fini(struct comparison *comparison);

/* The verdict in a word: those of groups_verdict_words, or "not comparable". */
const char *comparison_words(const struct comparison *comparison);

#endif
