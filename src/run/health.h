/* run/health.h - waits until the services that a plan names answer their health URL. This is the
 * control plane: net/fetch.h, blocking, before any load; never on a loop thread. */
#ifndef RUN_HEALTH_H
#define RUN_HEALTH_H

#include "base/log.h"
#include "base/text.h"
#include "plan/plan.h"

#include <signal.h>

/* How one service did. */
struct health {
    bool healthy;
    nsec_t took_ns; /* until it was healthy, or how long was waited */
    char why[200];  /* the last failure, ended by a zero: "connection refused", "answered 503" */
};

enum { HEALTH_MISSING = 1, HEALTH_INTERRUPTED = 2 };

/* Asks each service that has a health URL until it answers with a status from 200 to 399 (the rule
 * of Kubernetes' probes), or its wait is over. states: one for each service of the plan. Returns 0
 * when all are healthy, HEALTH_MISSING, HEALTH_INTERRUPTED, or -errno. */
int health_wait(const struct plan *plan, const volatile sig_atomic_t *interrupts,
                const struct log *log, struct health *states);

/* Appends what is not healthy: which, for how long it was waited, why, and what to do. */
void health_words(const struct plan *plan, const struct health *states, struct text *out);

#endif
