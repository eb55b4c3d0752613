/* app/keep_baseline.h - runs that are baselines by their plan: the label "baseline: NAME". */
#ifndef APP_KEEP_BASELINE_H
#define APP_KEEP_BASELINE_H

#include "app/verb.h"
#include "plan/plan.h"
#include "run/run.h"

/* Keeps a run that passed as the baseline that its plan's label names, and says so in a line on
 * `say` (NULL: silently). Returns 0, also when there is nothing to keep, or an exit code after
 * saying why not. */
int keep_baseline(struct app *app, const struct plan *plan, const struct run_report *report,
                  FILE *say);

#endif
