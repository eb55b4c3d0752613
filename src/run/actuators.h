/* run/actuators.h - what a scale test changes: the scalers that its plan names, or the number of
 * targets that its users are spread over. Internal to the room. */
#ifndef RUN_ACTUATORS_H
#define RUN_ACTUATORS_H

#include "run/suite.h"

struct actuators;

/* Opens the scalers; changes nothing. dry: neither lock nor journal is made. Returns 0, or an
 * outcome of run/scaling.h or -errno with a sentence in why. Owner: caller, actuators_free. */
int actuators_new(const struct suite_options *options, bool dry, struct actuators **out,
                  struct text *why);
/* Restores what was changed and frees it; NULL is fine; returns NULL. why: a line for each thing
 * that could not be restored. */
struct actuators *actuators_free(struct actuators *actuators, struct text *why);

/* Whether something of the test can do that, without doing it. Returns 0, or an outcome with a
 * sentence in why. */
int actuators_able(const struct actuators *actuators, double instances, double size,
                   struct text *why);
/* Reaches a number of instances and a size; NAN: as it is. Returns 0, or an outcome with a sentence
 * in why: nothing of the test can do that, or it failed. */
int actuators_reach(struct actuators *actuators, double instances, double size, struct text *why);
/* Appends what that would change, a line a scaler. */
void actuators_plan(struct actuators *actuators, double instances, double size, struct text *out);

/* Returns to the state that was found. Returns how much could not be restored; why has a line for
 * each. */
size_t actuators_restore(struct actuators *actuators, struct text *why);

/* Restarts of instances since they were opened. */
uint64_t actuators_restarts(struct actuators *actuators);

/* What each instance has served so far; count 0: not known. Owner: caller, free() of the counts. */
void actuators_served(struct actuators *actuators, struct scaler_served *out);

/* Writes the unit of sizes into a series, and the name of its size into a level. */
void actuators_unit(struct actuators *actuators, enum suite_kind kind, struct level_series *series);
void actuators_describe(const struct level_series *series, struct level *level);

#endif
