/* plug/pattern/shape.h - what patterns have in common. Used inside plug/pattern only. */
#ifndef PLUG_PATTERN_SHAPE_H
#define PLUG_PATTERN_SHAPE_H

#include "load/pattern.h"
#include "plan/stage.h"

/* Adds an error where the scenario lacks users (or a rate). Returns 0, or 1. */
int shape_needs_peak(const struct plan_scenario *scenario, struct notes *notes);
/* Adds an error where the scenario lacks a duration. Returns 0, or 1. */
int shape_needs_duration(const struct plan_scenario *scenario, struct notes *notes);

/* Appends a ramp to a target ("ramp to 50 users"); nothing when it takes no time. */
void shape_ramp(struct plan_scenario *scenario, nsec_t duration_ns, double target);
/* Appends a level that is held ("level 2 of 3: 50 users" with a prefix "level 2 of 3: "). */
void shape_level(struct plan_scenario *scenario, nsec_t duration_ns, double target,
                 const char *prefix);
/* "level 2 of 3: " into out. Returns out. */
const char *shape_number(char out[64], const char *word, size_t number, size_t count);

#endif
