/* watch/watch.h - looks at the resources on the run's clock: which probes, how often, and what is
 * done with what they find.
 *
 *   watch_new     opens the probes; what is absent is told, and left out
 *   watch_start   one thread for all probes of this machine, one for each remote one
 *   watch_stop    ends them; a look under way is cancelled
 *
 * Looks are due at start + n * interval. A look that took longer than the interval leaves out those
 * that became due meanwhile: they are gaps. */
#ifndef WATCH_WATCH_H
#define WATCH_WATCH_H

#include "base/clock.h"
#include "watch/probe.h"

#include <stddef.h>

/* One thing to watch, as the plan or the command line says. */
struct watched {
    const char *name; /* "gateway"; shown in reports; several probes of one thing share it */
    const char *role; /* "generator", "gateway", "embedding", "vector-search", "database", "gpu" */
    const struct probe *probe;
    const void *config;
    nsec_t interval_ns; /* 0: the watch's */
};

/* One value found. */
struct watch_sample {
    size_t watched;              /* index */
    const struct metric *metric; /* lives as long as the watch */
    const char *part;            /* "" for the whole */
    nsec_t at_ns;                /* since the watch's start: when the look began */
    nsec_t took_ns;              /* of the look */
    double value;
};

struct watch_options {
    const struct watched *things; /* copied, but for configs, which must outlive the watch */
    size_t thing_count;
    nsec_t interval_ns; /* 0.1 s at least */
    const char *root;   /* see struct probe_place; NULL: "" */
    const char *target; /* or NULL */

    /* Called from the watch's threads, never two at once. */
    void (*sample)(void *self, const struct watch_sample *sample);
    /* kind: as of probe_event; "absent" when a probe was left out; "gap". */
    void (*event)(void *self, size_t watched, nsec_t at_ns, const char *kind, const char *words);
    void *self;
};

struct watch;

/* Opens the probes. Returns 0, or -errno (no memory, no thread). A probe that could not be opened
 * is told as an event and left out. Owner: caller, watch_free. */
int watch_new(const struct watch_options *options, struct watch **out);
/* Stops it and frees it; NULL is fine; returns NULL. */
struct watch *watch_free(struct watch *watch);

/* Begins to look: start_ns of the monotonic clock is instant 0. Returns 0 or -errno. */
int watch_start(struct watch *watch, nsec_t start_ns);
/* Ends all looks, waits for the threads. */
void watch_stop(struct watch *watch);

/* Looks once at everything, on the calling thread, without threads: for doctor and tests. */
void watch_look(struct watch *watch, nsec_t at_ns);

#endif
