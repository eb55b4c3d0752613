/* run/safety.h - the emergency stop's judgement: figures of the last second in, what to do out.
 * Pure arithmetic (watch/limit.h has the rule of "held"), so that it is tested without a load.
 *
 * A target that answers nothing any more has no response times: then the time for which it has not
 * answered, while requests were under way, is a lower bound of them, and is judged in their place.
 */
#ifndef RUN_SAFETY_H
#define RUN_SAFETY_H

#include "plan/plan.h"
#include "record/result.h"

#include <stdbool.h>

/* What is known of the last second. */
struct safety_figures {
    nsec_t at_ns;         /* since the run's start, rising */
    uint64_t requests;    /* that ended */
    double error_share;   /* of them; NAN: none ended */
    double response_s[4]; /* by enum safety_statistic, of those that succeeded; NAN: none did */
    double silence_s;     /* requests are under way, and none ended for so long; else 0 */
    bool unhealthy;       /* a service does not answer its health URL */
};

/* Fills all but silence and health from the last second before at_ns of a result, excluded phases
 * too. */
void safety_figures_of(const struct result *result, nsec_t at_ns, struct safety_figures *out);

/* What was found, once for each time that a trigger is held. */
struct safety_finding {
    enum safety_action action;
    double to; /* as of struct plan_trigger */
    const char *words;
};

struct safety;

/* Made from a plan, which must outlive it; NULL when it has no triggers. Owner: caller,
 * safety_free. */
struct safety *safety_new(const struct plan *plan);
/* Frees it; NULL is fine; returns NULL. */
struct safety *safety_free(struct safety *safety);

/* Judges. */
void safety_take(struct safety *safety, const struct safety_figures *figures,
                 void (*found)(void *self, const struct safety_finding *finding), void *self);

/* The share of the load that is left when it is reduced: to so many of `now` (users or rate), or
 * where `to` is 0 to the last good level, or to half. 0 .. 1. */
double safety_share(double to, double now, double last_good);

#endif
