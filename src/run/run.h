/* run/run.h - the conductor: from a plan to a closed run file. It waits for the services, runs
 * set-up, starts the engines together, watches thresholds and the generator itself, stops
 * gracefully, runs teardown, and judges. */
#ifndef RUN_RUN_H
#define RUN_RUN_H

#include "base/log.h"
#include "load/driver.h"
#include "plan/note.h"
#include "plan/plan.h"
#include "record/result.h"
#include "watch/probe.h"

#include <signal.h>
#include <stdbool.h>

/* How a run ended; also the program's exit codes (k6's where k6 has one). */
enum run_outcome {
    RUN_PASSED = 0,
    RUN_FAILED = 1,      /* could not run: a service not healthy, set-up failed */
    RUN_THRESHOLDS = 99, /* a threshold or the objectives failed */
    RUN_BAD_PLAN = 104,
    RUN_INTERRUPTED = 105,
    RUN_GENERATOR_SATURATED = 120, /* the generator was the bottleneck: the result is invalid */
    RUN_DISK_FULL = 121,           /* the run file could not be written to its end */
};

/* What the live view is shown every so often; the result covers the last seconds. */
struct run_progress {
    const struct result *recent; /* its points cover the last 10 s */
    const struct result *whole;  /* the sums of everything so far; points as `recent` */
    nsec_t elapsed_ns, planned_ns;
    uint32_t phase;
    const char *generator; /* "ok (cpu 11 %, lag p99 0.2 ms)" */
};

struct run_options {
    const struct plan *plan;
    const struct driver *const *drivers;
    size_t driver_count;
    const struct probe *const *probes; /* by plan_plugged.number; none: nothing is watched */
    size_t probe_count;
    const char *directory; /* where the run file goes; made when missing; NULL: no file */
    const char *version;
    const struct log *log;
    volatile sig_atomic_t
        *interrupts; /* how often the user asked to stop: 1 gracefully, 2 at once */
    void (*progress)(void *self, const struct run_progress *progress); /* or NULL */
    void *self;
    nsec_t progress_ns; /* how often */
    /* Asked about twice a second with everything measured so far: true ends the load gracefully,
     * as if the plan had ended; or NULL. */
    bool (*enough)(void *self, const struct result *whole, nsec_t elapsed_ns);
    void *enough_self;
    const struct result_fact *facts; /* recorded with the run: what the program knows of its host */
    size_t fact_count;
};

struct run_report {
    enum run_outcome outcome;
    char *why;             /* one sentence, or NULL */
    char *run_path;        /* of the run file, or NULL */
    struct result *result; /* with verdicts; NULL when nothing was measured */
};

/* Runs the plan. Returns 0 with the report filled (owner: caller, run_report_fini), or -errno. */
int run_plan(const struct run_options *options, struct run_report *out);
void run_report_fini(struct run_report *report);

/* What can be known without sending anything: compiles every request and compares what the plan
 * needs (descriptors, ports) with what this machine has. Errors and warnings are added to notes. */
void run_check(const struct run_options *options, struct notes *notes);

/* How many loop threads the plan runs on: as it says, or one for each processor that this process
 * may use, and no more than there are users. */
uint32_t run_threads(const struct plan *plan);

/* The phases of a plan: the stages of all scenarios, cut at their instants of change. Owner:
 * caller, free names and array with run_phases_free. */
struct run_phase;
struct run_phase *run_phases(const struct plan *plan, size_t *count);
void run_phases_free(struct run_phase *phases, size_t count);

#endif
