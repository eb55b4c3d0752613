/* run/monitor.h - watching without any load: what `plimsoll monitor` does. */
#ifndef RUN_MONITOR_H
#define RUN_MONITOR_H

#include "plan/plan.h"
#include "record/result.h"
#include "watch/probe.h"

#include <signal.h>
#include <stddef.h>

struct monitor_options {
    const struct plan *plan; /* its watch, target and labels */
    const struct probe *const *probes;
    size_t probe_count;
    const char *version;
    nsec_t duration_ns;                /* 0: until interrupted, or a limit of watch.stop is held */
    volatile sig_atomic_t *interrupts; /* how often the user asked to stop */
    nsec_t progress_ns;                /* how often progress is called, at the looks' pace */
    void (*progress)(void *self, const struct result *recent); /* or NULL; the last minute */
    void *self;
};

enum { MONITOR_LIMIT = 1 /* a limit of watch.stop ended it */ };

/* Watches, and hands out what was found, whole or until it was interrupted. Returns 0 or
 * MONITOR_LIMIT with *out (owner: caller, result_free), or -errno. */
int run_monitor(const struct monitor_options *options, struct result **out);

#endif
