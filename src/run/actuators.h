/* run/actuators.h - the scalers that a scale test may use, opened, with the state
 * in which they were found. Internal to the room. */
#ifndef RUN_ACTUATORS_H
#define RUN_ACTUATORS_H

#include "run/suite.h"

struct actuators;

/* Opens the scalers and saves the state of what they work on. Returns 0, or an outcome of
 * run/scaler.h or -errno with a sentence in why. Owner: caller, actuators_free. */
int actuators_new(const struct suite_options *options, struct actuators **out, struct text *why);
/* Restores what was changed and frees it; NULL is fine; returns NULL. */
struct actuators *actuators_free(struct actuators *set);

/* Reaches a number of instances and a size; NAN: as it is. Returns 0, or an outcome with a sentence
 * in why: nothing of the test can do that, or it failed. */
int actuators_reach(struct actuators *set, double instances, double size, struct text *why);

/* Returns to the state that was found. */
void actuators_restore(struct actuators *set);

/* Writes the unit of sizes into a series, and how things are into a level. */
void actuators_unit(const struct actuators *set, enum suite_kind kind, struct level_series *series);
void actuators_describe(struct actuators *set, struct level *level);

#endif
