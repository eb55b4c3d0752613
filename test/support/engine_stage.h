/* test/support/engine_stage.h - a stage on which the engine plays against the testbed, in virtual
 * time (linked with net_sim) or in real time, and every single request is written down.
 *
 * The plan is made by hand, the driver is a probe that notes when each request was due, sent and
 * done: so that what the engine counts can be compared with what happened, request by request. */
#ifndef TEST_SUPPORT_ENGINE_STAGE_H
#define TEST_SUPPORT_ENGINE_STAGE_H

#include "load/engine.h"
#include "testbed/testbed.h"

#include <stdbool.h>

/* One request, in order of sending. */
struct seen {
    nsec_t intended_ns, sent_ns, end_ns; /* end 0: no answer */
};

struct stage {
    struct plan plan;
    struct plan_scenario scenario;
    struct plan_stage piece;
    struct plan_task task;
    struct plan_request request;
    struct testbed_options testbed;
    bool keep; /* note every request; else only the tallies are kept */

    /* results */
    struct metric_table metrics;
    struct tally_block *sum; /* everything counted */
    struct seen *seen;
    size_t seen_count, seen_room;
    struct testbed_counts counts;
    nsec_t begun_ns, ended_ns;
};

/* A scenario of one task, GET /work, that lasts duration_s; open with this rate, or closed with
 * these users. */
void stage_init(struct stage *stage, double duration_s);
void stage_open(struct stage *stage, double rate, enum gaps gaps);
void stage_closed(struct stage *stage, double users, double think_mean_s);

/* Plays: makes the loop (and in real time a second one for the testbed, in a thread of its own),
 * runs the engine to the end. Ends the test when anything fails. */
void stage_play(struct stage *stage);
void stage_fini(struct stage *stage);

/* Mean and quantile of a histogram of the sum, in seconds. */
double stage_mean(const struct stage *stage, uint32_t hist);
double stage_quantile(const struct stage *stage, uint32_t hist, double share);
uint64_t stage_count(const struct stage *stage, uint32_t counter);

#endif
