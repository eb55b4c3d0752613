/* run/port_forward.h - whether a target is reached through `kubectl port-forward`: one tunnel
 * through the API server, good for trying things, and a bottleneck beyond about ten users. */
#ifndef RUN_PORT_FORWARD_H
#define RUN_PORT_FORWARD_H

#include "plan/plan.h"

#include <stdbool.h>
#include <stdint.h>

enum { PORT_FORWARD_USERS = 10 }; /* beyond these the tunnel is what would be measured */

/* Whether a running kubectl (or oc) forwards this local port, by its command line. root stands
 * before /proc: "" on a machine. */
bool port_forward_has(const char *root, uint16_t port);

/* The first target of the plan on this machine whose port is forwarded, or NULL. */
const char *port_forward_target(const char *root, const struct plan *plan);

#endif
