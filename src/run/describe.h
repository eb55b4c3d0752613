/* run/describe.h - what a plan asks for, as facts of the run, for those who have the run but not
 * its plan: which protocol and model, what rate or concurrency, which goodput. */
#ifndef RUN_DESCRIBE_H
#define RUN_DESCRIBE_H

#include "plan/plan.h"
#include "record/recorder.h"

/* Records the facts load.verb, load.model, load.rate_rps, load.concurrency, load.burstiness and
 * load.goodput ("ttft:500 tpot:15", in ms), each where the plan says it. Of several scenarios or
 * tasks, those of the first that says it. */
void describe_load(struct recorder *recorder, const struct plan *plan);

#endif
