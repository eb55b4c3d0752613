/* run/target_place.h - whether the target of a plan runs on this machine. */
#ifndef RUN_TARGET_PLACE_H
#define RUN_TARGET_PLACE_H

#include "plan/plan.h"

#include <stdbool.h>

/* True when a target is a Unix socket, a loopback address or name, or an address of one of this
 * machine's interfaces. A name that must be looked up is not: a look-up is not worth waiting for
 * here, so "no" may mean "not known". */
bool target_on_this_machine(const struct plan *plan);

#endif
