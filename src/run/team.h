/* run/team.h - the loop threads of a run and the barriers between them and the conductor.
 *
 *   conductor               each thread
 *   team_new, team_launch ->  makes its loop and engine; the first runs the set-up tasks
 *   team_wait_ready       <-  ready, or failed with words
 *   team_start            ->  engine_run, all from the same instant
 *   team_running          <-  counts those that are still at it
 *   team_teardown         ->  the first runs the teardown tasks; then all free their engines and
 * end team_free */
#ifndef RUN_TEAM_H
#define RUN_TEAM_H

#include "load/engine.h"
#include "record/recorder.h"
#include "run/program.h"

#include <stdbool.h>

struct team;

struct team_options {
    const struct plan *plan;
    const struct program *program;
    const struct run_phase *phases;
    size_t phase_count;
    uint32_t threads; /* at least 1 */
};

/* Makes the exchanges of the threads; starts nothing. Owner: caller, team_free. */
struct team *team_new(const struct team_options *options);
/* Ends the threads (they must not be running a load any more) and frees all; NULL is fine; returns
 * NULL. */
struct team *team_free(struct team *team);

/* Starts the threads, which make themselves ready. Returns 0 or -errno. */
int team_launch(struct team *team);

enum { TEAM_NOT_YET = 1, TEAM_FAILED = 2 };
/* Waits until all are ready, at most until until_ns of the monotonic clock. Returns 0,
 * TEAM_NOT_YET, or TEAM_FAILED (team_words says why). */
int team_wait_ready(struct team *team, nsec_t until_ns);

/* Agrees on the instant and lets the load begin. */
void team_start(struct team *team, nsec_t start_ns);

/* How many threads still make load. */
uint32_t team_running(struct team *team);
/* Waits until none does, at most until until_ns. Returns how many still do. */
uint32_t team_wait(struct team *team, nsec_t until_ns);

/* Tells all engines to stop (enum engine_stop) and wakes them. */
void team_stop(struct team *team, enum engine_stop stop);
/* Reduces the load of all scenarios to this share (0 .. 1) of what the plan says. */
void team_reduce(struct team *team, double share);
/* Ends one scenario, whose `until` limit was crossed. */
void team_stop_scenario(struct team *team, size_t scenario);

/* Begins the teardown tasks on the first thread; a stop of the load holds no longer for them. */
void team_teardown(struct team *team);
/* Waits until they are done, at most until until_ns. Returns 0, TEAM_NOT_YET or TEAM_FAILED. */
int team_wait_teardown(struct team *team, nsec_t until_ns);

/* What failed, in words; "" when nothing did. Valid until team_free. */
const char *team_words(const struct team *team);
/* 0, or the -errno with which the load of a thread ended. */
int team_error(const struct team *team);

/* The exchange of thread k, for the recorder. */
struct tally_exchange *team_tallies(struct team *team, uint32_t thread);

/* Live figures, summed over threads. */
struct team_live {
    uint64_t users, in_flight, waiting;
};
struct team_live team_live(const struct team *team);

#endif
