/* study/experiment.h - whether a change had the effect that was expected of it, from runs before
 * and after.
 *
 * The effect is a ratio, so that it is looked for in logarithms: the Hodges-Lehmann shift of the
 * logarithms and its exact interval (stat/rank.h). What was expected is stated beforehand; the
 * interval says whether it came, came in part, or did not, and nothing is said where the runs are
 * too few for an interval.
 *   Source   Hodges & Lehmann (1963); stating the expectation first: Popper's way, and ours.
 *   Tests    test/unit/study/experiment. */
#ifndef STUDY_EXPERIMENT_H
#define STUDY_EXPERIMENT_H

#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>

/* "+30 % throughput", "-20 % p95". */
struct expectation {
    double share; /* 0.3, -0.2; above -1, not 0 */
    char *metric; /* "throughput": as study/comparison.h reads them */
};
/* Reads one. Returns 0, or 1 with a sentence in why. Owner: caller, expectation_fini, after 0. */
int expectation_read(const char *words, struct expectation *out, struct text *why);
void expectation_fini(struct expectation *expectation);

enum experiment_verdict {
    EXPERIMENT_CAME,         /* an effect, and the expected one is among those possible */
    EXPERIMENT_EXCEEDED,     /* more than expected */
    EXPERIMENT_FELL_SHORT,   /* an effect, and less than expected */
    EXPERIMENT_NONE,         /* the expected effect is excluded, none at all is not */
    EXPERIMENT_OPPOSITE,     /* an effect the other way */
    EXPERIMENT_INCONCLUSIVE, /* both the expected effect and none are possible */
    EXPERIMENT_TOO_FEW,      /* no interval can be given */
};

struct experiment_found {
    double effect;      /* observed: share of before */
    double low, high;   /* its interval; NAN: too few runs */
    double coverage;    /* that it has; NAN likewise */
    size_t runs_needed; /* of each side for an interval to be possible */
    enum experiment_verdict verdict;
};

/* The runs of both sides, each one value above 0. */
struct experiment_runs {
    const double *before, *after;
    size_t before_count, after_count;
};
/* Judges. Returns 0, or 1 with a sentence in why: a value is not above 0, or there are none. */
int experiment_judge(const struct experiment_runs *runs, const struct expectation *expected,
                     double alpha, struct experiment_found *out, struct text *why);
/* "came", "fell short", ... */
const char *experiment_words(enum experiment_verdict verdict);

#endif
