/* run/program.h - a plan made ready for the engines: every request compiled by its driver, and the
 * table of everything that will be recorded. Shared by all threads, which only read it. */
#ifndef RUN_PROGRAM_H
#define RUN_PROGRAM_H

#include "load/driver.h"
#include "plan/note.h"
#include "plan/plan.h"
#include "record/metric.h"

struct program {
    const struct driver *const *drivers;
    size_t driver_count;
    void **compiled; /* by request of the plan */
    size_t request_count;
    const struct plan *plan;
    struct metric_table metrics;
    uint32_t *driver_counters, *driver_hists; /* by driver: numbers of its first metrics */
    /* Number of the counter of the first of several targets, those of the others following; 0:
     * there is one target. Their names are a text each of `target_names`. */
    uint32_t target_counter;
    char **target_names;
    size_t target_count;
};

/* Compiles; errors are added to notes. Owner: caller, program_fini, also when there were errors. */
void program_init(struct program *program, const struct plan *plan,
                  const struct driver *const *drivers, size_t driver_count, struct notes *notes);
void program_fini(struct program *program);

#endif
