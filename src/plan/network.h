/* plan/network.h - a queueing network as a YAML document says it: `plimsoll model`.
 *
 *   type: closed                     or open
 *   think: 1.0                       seconds; closed only
 *   population: [1, 10, 20]          a number, a list, "1..50", or {from: 10, to: 50, step: 10};
 *                                    closed only
 *   rate: [5, 10]                    arrivals a second, likewise, or "300/min"; open only
 *   stations:
 *     - {name: cpu, demand: 0.01, servers: 2}
 *     - {name: disk, visits: 3, service: 0.004}      or service_rate: 250
 *     - {name: net, delay: true, demand: 0.05} */
#ifndef PLAN_NETWORK_H
#define PLAN_NETWORK_H

#include "base/text.h"
#include "plan/note.h"
#include "stat/mva.h"

#include <stdbool.h>

enum { NETWORK_BAD = 1, NETWORK_LOADS = 1000 };

/* What is more to a station of an open network than its mean service time. */
struct network_station {
    char *name;
    double arrival_variation, service_variation; /* squared coefficients of variation; 1: Poisson
                                                    arrivals, exponential service */
    uint32_t capacity; /* places, those in service included; 0: no limit */
};

struct network_model {
    bool open;
    double think_s;
    struct station stations[MVA_STATIONS];
    struct network_station more[MVA_STATIONS];
    size_t count;
    double loads[NETWORK_LOADS]; /* users or rates, rising */
    size_t load_count;
};

/* Reads one. Returns 0, or NETWORK_BAD with at least one error in notes. Owner: caller,
 * network_model_fini, in both cases. */
int network_model_read(const char *file, struct span bytes, struct network_model *out,
                       struct notes *notes);
/* Frees the names. */
void network_model_fini(struct network_model *model);

#endif
