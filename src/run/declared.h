/* run/declared.h - a plan in the words of the record: what a run declares before it begins. */
#ifndef RUN_DECLARED_H
#define RUN_DECLARED_H

#include "plan/plan.h"
#include "record/recorder.h"

/* Fills in what the plan says of requests, services, labels and the trace; the head, the metrics
 * and the phases are the caller's. Texts stay the plan's, which outlives what is made. */
void declared_init(struct run_declared *declared, const struct plan *plan);
/* Frees what declared_init made. */
void declared_fini(struct run_declared *declared);

#endif
