/* run/watching.h - the watch inside a run: what the plan names is watched on the run's clock, its
 * samples go into the record, and limits are kept an eye on. Internal to the room.
 *
 * Crossing a threshold of the plan's watch is a warning among the events; the run goes on, so that
 * a peak can be measured. A limit of watch.stop that is held ends the run. */
#ifndef RUN_WATCHING_H
#define RUN_WATCHING_H

#include "plan/plan.h"
#include "record/recorder.h"
#include "watch/probe.h"

#include <stddef.h>

struct watching;

/* Opens the probes that the plan names; those that are absent are told in the record. probes: by
 * plan_plugged.number. Returns NULL when there is nothing to watch. Owner: caller,
 * watching_free. */
struct watching *watching_new(const struct plan *plan, const struct probe *const *probes,
                              size_t probe_count, struct recorder *recorder);
/* Ends it and frees it; NULL is fine; returns NULL. */
struct watching *watching_free(struct watching *watching);

/* Begins: start_ns of the monotonic clock is the run's start. NULL is fine. Returns 0 or -errno. */
int watching_start(struct watching *watching, nsec_t start_ns);
/* Ends all looks. NULL is fine. */
void watching_stop(struct watching *watching);

/* Copies the first limit with this action that was held; false: none was. One that reduces the load
 * is told once. NULL is fine. */
enum { WATCHING_WORDS = 240 };
struct watching_news {
    char words[WATCHING_WORDS];
    double to; /* as of struct plan_trigger */
};
bool watching_limit(struct watching *watching, enum safety_action action,
                    struct watching_news *out);

#endif
