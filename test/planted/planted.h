/* test/planted/planted.h - systems whose bottleneck is known, because it was planted: the testbed
 * with options that make one resource scarce, loaded by the real engine and drivers, watched by the
 * real reader and presets, all in one process on the simulated net, where nothing takes time but
 * what the testbed's laws say.
 *
 * table.c has the configurations; play.c plays one of them; planted.c holds the analysis to it. */
#ifndef TEST_PLANTED_PLANTED_H
#define TEST_PLANTED_PLANTED_H

#include "study/level.h"

#include "base/clock.h"

#include <stdint.h>

enum { PLANTED_LEVELS = 12 };

struct planted {
    const char *name;
    const char *testbed;           /* its command line */
    const char *tasks;             /* of the plan, in YAML's flow form */
    const char *watch;             /* watch.probes of the plan, likewise; NULL: nothing */
    double levels[PLANTED_LEVELS]; /* users; ends with 0 */
    bool open;                     /* levels are arrivals a second, as of strangers (Poisson) */
    double think_s;                /* mean, exponential */
    double slo_s;                  /* critical response time */

    /* What the analysis must find. */
    const char *kind, *thing; /* of the primary; NULL: none observed */
    const char *expected;     /* id of the catalogue's entry for it; NULL: not looked at */
    const char *second_kind, *second_thing; /* of the first secondary; NULL: not looked at */
    /* Why it must, by arithmetic alone: requests a second that the scarce resource allows, and the
     * time of one request when nobody waits. The asymptotes meet at capacity x (response +
     * think). */
    double capacity_rps, response_s;
    /* Or, where requests beyond a room are lost rather than wait: that room. Then it binds where
     * more than 1 % are lost, by Engset's formula, with response_s and the think time. */
    double room;
    /* Requests of one round of a user (steps of its task); 0: 1. */
    double round;

    /* The simulated net. */
    double link_bytes_per_second;
    nsec_t client_ns;
};

/* All configurations; ends with name NULL. */
extern const struct planted planted_rows[];

/* Plays a configuration once, from its lowest level to its highest, and reads the levels as
 * `plimsoll analyze` does from a run. Ends the test when anything fails. Owner: caller. */
struct suite *planted_play(const struct planted *row, uint64_t seed);

#endif
