/* run/conduct.h - the part of a run in which load is made: from the agreed start to the last thread
 * that is done. Internal to the room. */
#ifndef RUN_CONDUCT_H
#define RUN_CONDUCT_H

#include "base/text.h"
#include "run/guard.h"
#include "run/overseer.h"
#include "run/run.h"
#include "run/safety.h"
#include "run/team.h"
#include "run/vigil.h"
#include "run/watching.h"

/* Everything of one run. */
struct conduct {
    const struct run_options *options;
    const struct plan *plan;
    const struct run_phase *phases;
    size_t phase_count;
    struct team *team;
    struct recorder *recorder;
    struct guard *guard;
    struct overseer *overseer;
    struct watching *watching; /* or NULL */
    struct safety *safety;     /* or NULL */
    struct vigil *vigil;       /* or NULL */
    nsec_t answered_ns;        /* when a request was last seen to end, since the start */
    uint64_t ended;            /* how many had */
    nsec_t start_ns;           /* on the monotonic clock */

    /* what came of it */
    enum engine_stop stop;
    bool emergency;           /* the emergency stop ended it: whoever was the bottleneck */
    enum run_outcome outcome; /* RUN_PASSED so far, or why it was stopped */
    struct text why;
};

/* Starts the load, sees it through, and returns when no thread makes load any more. */
void conduct_load(struct conduct *conduct);

/* Notes the first reason for which the run did not go as planned. */
void conduct_blame(struct conduct *conduct, enum run_outcome outcome, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
