/* run/level_run.h - one level of a scale test: a run that ends when enough of it is measured.
 * Internal to the room. */
#ifndef RUN_LEVEL_RUN_H
#define RUN_LEVEL_RUN_H

#include "run/ladder.h"
#include "run/run.h"
#include "study/kept.h"

struct level_order {
    const struct run_options *options;
    struct plan *plan;
    const struct rung *rung;
    size_t number, count; /* for the level's name */
    struct suite *suite;  /* gets what happened in the run; or NULL */
    nsec_t begin_ns;      /* when the run begins, since the suite's start */
};

struct level_outcome {
    struct level *level; /* in its series, valid until another is added; NULL: nothing measured */
    enum run_outcome outcome;
    char *why; /* of the run, or NULL */
    bool prolonged;
    char words[KEPT_WORDS]; /* why it is not steady, or "" */
};

/* Runs the level and appends it to the series. Owner: caller, level_outcome_fini. */
void level_run(const struct level_order *order, struct level_series *series,
               struct level_outcome *out);
void level_outcome_fini(struct level_outcome *outcome);

#endif
