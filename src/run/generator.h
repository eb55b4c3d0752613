/* run/generator.h - the generator judges itself: whether what it measured was the target, or its
 * own slowness.
 *
 * Every interval is judged by the rules below, and the run by its intervals. Pure arithmetic: the
 * figures are brought by the conductor, so that the rules can be tested without a machine.
 *
 *   saturated   the numbers of this interval say more about the generator than about the target
 *     - a loop thread was busy for at least 95 % of it
 *     - at least 5 % of the starts (and at least 10) were over 1 ms late by the generator's
 *       doing, and the 95th percentile of that lateness is at least a tenth of the median
 *       response: a 3 ms late start falsifies an answer of 1 ms, not one of 400
 *     - a loop thread waited for a processor for at least 25 % of it
 *     - the cgroup was throttled for at least 10 % of it
 *     - requests failed because this machine had no port, descriptor or memory left
 *     - the machine was suspended
 *   suspect     something was near enough to a limit to be named
 *     - a loop thread busy for 80 %; 1 % of starts late (and at least 3), however little it
 *       matters; a timer 20 ms late; 5 % waiting for a processor; 5 % stolen by the hypervisor;
 *       any throttling
 *     - the target is on this machine, and its processors were together busy for 95 %
 *     - listening queues of this machine overflowed; under 5 % of descriptors or ports left
 *     - the wall clock was set by 100 ms or more (durations are not affected)
 *
 *   run         saturated when at least 10 % of the measured time, and at least two intervals (or
 *               all there are), were saturated; suspect when any was, or when at least 10 % was
 *               suspect; else ok. The exit code is RUN_GENERATOR_SATURATED only for the first. */
#ifndef RUN_GENERATOR_H
#define RUN_GENERATOR_H

#include "base/clock.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum generator_state { GENERATOR_OK, GENERATOR_SUSPECT, GENERATOR_SATURATED };

/* What can be wrong; one row each in generator.c. */
enum generator_cause {
    GENERATOR_BUSY,
    GENERATOR_LATE,
    GENERATOR_LAG,
    GENERATOR_RUN_DELAY,
    GENERATOR_THROTTLED,
    GENERATOR_STOLEN,
    GENERATOR_EXHAUSTED,
    GENERATOR_SUSPENDED,
    GENERATOR_SHARED,
    GENERATOR_OVERFLOW,
    GENERATOR_DESCRIPTORS,
    GENERATOR_PORTS,
    GENERATOR_CLOCK,
    GENERATOR_CAUSES,
};

/* What is known of one interval. Unknown figures stay 0, unknown shares left are 1. */
struct generator_interval {
    nsec_t begin_ns, end_ns; /* since the run's start */
    bool measured;           /* counts for the run's verdict: not in an excluded phase */
    uint32_t threads;
    double busy_share;     /* of the worst thread */
    nsec_t loop_lag_ns;    /* the worst timer of the worst thread */
    double run_delay_ns;   /* of the worst thread */
    double cpu_ns;         /* of all loop threads together */
    uint64_t started;      /* requests */
    uint64_t late;         /* of them, by the generator's own doing */
    uint64_t local_errors; /* no port, descriptor or memory */
    double steal_share;    /* of the machine's processor time */
    double machine_share;  /* of the machine's processor time that was used, by anybody */
    double throttled_share;
    uint64_t listen_overflows;
    double descriptors_left; /* share of the limit */
    double ports_left;       /* share of the range */
    nsec_t late_p95_ns;      /* of the generator's own lateness */
    nsec_t response_p50_ns;  /* what is measured; 0: nothing was */
    nsec_t suspended_ns;
    nsec_t clock_step_ns; /* how far the wall clock was set, either way */
};

/* The verdict so far. Plain: zeroed is a fresh one. */
struct generator_account {
    bool shares_machine; /* set by the owner: the target is on this machine */
    nsec_t measured_ns, saturated_ns, suspect_ns;
    uint32_t intervals, saturated;
    nsec_t cause_ns[GENERATOR_CAUSES]; /* time in which each cause was the worst one */
    double cause_worst[GENERATOR_CAUSES];
    uint64_t started, late;
    double cpu_ns, thread_ns; /* processor time, and time of all threads */
};

enum { GENERATOR_WORDS = 200 };

/* Judges one interval and adds it to the verdict. words: why it is not ok, or "". */
enum generator_state generator_add(struct generator_account *generator,
                                   const struct generator_interval *interval,
                                   char words[GENERATOR_WORDS]);

/* The verdict on the run so far; words: its chief reason with figures, or "" when ok. */
enum generator_state generator_verdict(const struct generator_account *generator,
                                       char words[GENERATOR_WORDS]);

/* "ok", "suspect", "saturated". */
const char *generator_state_word(enum generator_state state);

/* Processor time of the loop threads as a share of their number. */
double generator_cpu_share(const struct generator_account *generator);

#endif
