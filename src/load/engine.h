/* load/engine.h - makes the load: one engine a loop thread, all made from the same plan, so that
 * thread k of K takes its share (arrivals n with n mod K = k, users likewise) without talking to
 * the others.
 *
 * The conductor (room run) makes the engines, starts their threads at an agreed instant, and tells
 * them to stop; each engine writes tallies and nothing else. */
#ifndef LOAD_ENGINE_H
#define LOAD_ENGINE_H

#include "base/clock.h"
#include "load/driver.h"
#include "net/loop.h"
#include "plan/plan.h"
#include "record/recorder.h"
#include "record/tally.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Shared by the engines of a run; each field names its writer. */
struct engine_control {
    _Atomic nsec_t
        start_ns;     /* conductor: when the load begins, on the loops' clock; 0: not yet known */
    _Atomic int stop; /* conductor: enum engine_stop */
    _Atomic uint64_t
        shared_iterations[64]; /* engines: iterations taken, by scenario (shared-iterations) */
    _Atomic uint64_t rows_taken[64]; /* engines: rows taken, by feeder (unique over all threads) */
    _Atomic uint32_t
        cut_millionths; /* conductor: what is taken off the load of all scenarios; 0: nothing */
    _Atomic int scenario_stop[64]; /* conductor: a scenario whose `until` limit was crossed */
};

enum engine_stop {
    ENGINE_RUN,
    ENGINE_STOP_GRACEFULLY, /* no new iterations; running ones get graceful_stop_ns */
    ENGINE_STOP_NOW,        /* cancel everything; what is in flight is abandoned */
};

struct engine_options {
    const struct plan *plan;
    const struct driver *const *drivers; /* by index as in plan_request.driver */
    size_t driver_count;
    void *const *compiled; /* by request: what its driver's compile returned */
    const struct metric_table *metrics;
    const uint32_t *driver_counters, *driver_hists; /* by driver: numbers of its first metrics */
    uint32_t target_counter; /* number of the first target's counter; 0: they are not counted */
    const struct run_phase *phases;
    size_t phase_count;
    uint32_t segment, segments; /* k of K */
    struct engine_control *control;
    struct tally_exchange *tallies;
    struct loop *loop; /* its own */
    /* By slot of plan->symbols: what set-up captured, for all iterations. Written by
     * engine_run_once before any engine runs; NULL: not kept. */
    struct text *kept;
};

struct engine;

/* Makes an engine; everything it will need for its users is allocated here or grows with the number
 * of users, never with the number of requests. Returns 0 or -errno; words then says what for. */
int engine_new(struct engine **out, const struct engine_options *options, char *words, size_t room);

/* Runs from the start instant to the end of the plan or a stop, on the calling thread. Returns 0 or
 * -errno. */
int engine_run(struct engine *engine);

/* Runs the tasks first .. first + count - 1 once each, in order, by one user (setup, teardown),
 * before or after engine_run. Returns 0, -errno, or ENGINE_TASK_FAILED with words. */
enum { ENGINE_TASK_FAILED = 1 };
int engine_run_once(struct engine *engine, uint32_t first, uint32_t count, char *words,
                    size_t room);

/* Frees an engine that does not run, and what is left of its connections; NULL is fine. Returns
 * NULL. */
struct engine *engine_free(struct engine *engine);

/* ---- live figures, read by the conductor at any time (single writer: the engine)
 * ------------------ */
struct engine_live {
    _Atomic uint64_t users, in_flight, waiting;
};
const struct engine_live *engine_live(const struct engine *engine);

#endif
