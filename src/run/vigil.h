/* run/vigil.h - asks the services of a plan for their health while the load runs, on a thread of
 * its own, for the emergency stop. */
#ifndef RUN_VIGIL_H
#define RUN_VIGIL_H

#include "plan/plan.h"

#include <stdbool.h>

struct vigil;

/* Begins to ask, four times a second. Returns NULL when the plan has no trigger for it, or no
 * thread could be started. Owner: caller, vigil_free. */
struct vigil *vigil_new(const struct plan *plan);
/* Ends it; NULL is fine; returns NULL. */
struct vigil *vigil_free(struct vigil *vigil);

/* Whether a service did not answer well when it was last asked; false for NULL. */
bool vigil_unhealthy(const struct vigil *vigil);

#endif
