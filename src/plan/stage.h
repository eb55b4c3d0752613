/* plan/stage.h - adds stages to a scenario with names that all parts write alike. For the readers
 * of plans and for pattern plug-ins. */
#ifndef PLAN_STAGE_H
#define PLAN_STAGE_H

#include "plan/plan.h"

/* Appends a stage. Its name becomes `prefix` followed by the target in words ("level 2 of 3: ",
 * then "50 users" or "120/s", as the scenario's executor is closed or open); where stage.name is
 * given, that is copied and prefix is not looked at. */
void scenario_add_stage(struct plan_scenario *scenario, struct plan_stage stage,
                        const char *prefix);

/* The most that a scenario was asked for as written: its users, or its rate when it is open. */
double scenario_peak(const struct plan_scenario *scenario);

#endif
