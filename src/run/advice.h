/* run/advice.h - what would make a run's numbers worth more, said once and kindly, as facts named
 * advice.*, which every report prints as they are. */
#ifndef RUN_ADVICE_H
#define RUN_ADVICE_H

#include "plan/plan.h"
#include "record/recorder.h"
#include "record/result.h"

/* Records the advice that fits the plan and what was measured. */
void advice_record(struct recorder *recorder, const struct plan *plan, const struct result *result,
                   bool shares_machine);

#endif
