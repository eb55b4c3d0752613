/* run/machine_watch.h - samples of the machine for the generator's verdict: processors, cgroup,
 * listening queues, suspension and steps of the wall clock. */
#ifndef RUN_MACHINE_WATCH_H
#define RUN_MACHINE_WATCH_H

#include "run/generator.h"

struct machine_watch;

/* Owner: caller, machine_watch_free. Figures that this machine does not tell stay unknown. */
struct machine_watch *machine_watch_new(void);
/* Frees it; NULL is fine; returns NULL. */
struct machine_watch *machine_watch_free(struct machine_watch *watch);

/* Looks once; the sample covers the time since the look before. now_ns: since the run's start. */
void machine_watch_sample(struct machine_watch *watch, nsec_t now_ns);

/* Fills the interval's figures of the machine from the worst sample that overlaps it. */
void machine_watch_over(const struct machine_watch *watch, struct generator_interval *interval);

#endif
