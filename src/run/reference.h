/* run/reference.h - the baseline that a run is compared with: limits of thresholds that are
 * multiples of what it has, and one sentence at the end.
 *
 * What a baseline has of a metric is the median over its runs. One run against a baseline is no
 * test, since runs differ by themselves; the sentence says so. */
#ifndef RUN_REFERENCE_H
#define RUN_REFERENCE_H

#include "plan/plan.h"
#include "record/recorder.h"
#include "run/guard.h"

struct reference;

/* Reads the baseline that the plan names; *out is NULL when it names none. Returns 0, or 1 with a
 * sentence in why. Owner: caller, reference_free. */
int reference_read(const struct plan *plan, struct reference **out, struct text *why);
/* Frees it; NULL is fine; returns NULL. */
struct reference *reference_free(struct reference *reference);

/* Gives the guard the limits that are multiples of the baseline's values. Returns 0, or 1 with a
 * sentence in why: the baseline does not have such a value. */
int reference_limits(const struct reference *reference, struct guard *guard, struct text *why);

/* Records what the run was compared with, and how it stands to it. NULL records nothing. */
void reference_record(const struct reference *reference, const struct result *result,
                      struct recorder *recorder);

#endif
