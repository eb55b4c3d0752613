/* run/guard.h - judges thresholds while the run goes on: over sliding windows, twice a second, and
 * says when one of them ends the run or a scenario.
 *
 * Only what can change something is judged during the run: thresholds with `abort` or a `window`,
 * and the `until` limits of stress scenarios. A window that failed once has failed, also when later
 * ones pass: the first failure is kept for the final verdict. An `until` limit is the reverse of a
 * threshold: it says what ends the scenario, and does so when it comes true. */
#ifndef RUN_GUARD_H
#define RUN_GUARD_H

#include "plan/plan.h"
#include "record/result.h"

#include <stdbool.h>

struct guard;

/* Made from a plan, which must outlive it. Owner: caller, guard_free. */
struct guard *guard_new(const struct plan *plan);
/* Frees it; NULL is fine; returns NULL. */
struct guard *guard_free(struct guard *guard);

/* Sets the limit of a threshold that is a multiple of what a baseline has; before the
 * first look. */
void guard_limit(struct guard *guard, size_t threshold, double limit);

/* Whether there is anything to judge during the run. */
bool guard_awake(const struct guard *guard);
/* The longest window that it looks at, ns; at least one interval's worth: for recorder_result. */
nsec_t guard_window(const struct guard *guard);

/* What a look found; called back for each new finding. */
struct guard_finding {
    const char *words; /* "http_req_failed: rate<0.01 failed: 0.03" */
    bool abort;        /* end the run */
    int scenario;      /* end this scenario; -1: none */
};

/* Judges at an instant since the run's start. */
void guard_look(struct guard *guard, const struct result *result, nsec_t at_ns,
                void (*found)(void *self, const struct guard_finding *finding), void *self);

/* The final verdicts of all thresholds and objectives. Owner: caller, guard_verdicts_free. */
struct result_verdict *guard_verdicts(struct guard *guard, const struct result *result,
                                      nsec_t at_ns, size_t *count);
void guard_verdicts_free(struct result_verdict *verdicts, size_t count);

#endif
