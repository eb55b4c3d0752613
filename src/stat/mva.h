/* stat/mva.h - closed and open queueing networks with one class of customers: what a chain of
 * stations does at any load, from the demand that a request makes on each.
 *
 * A closed network has a fixed number of users, who think z_s between requests; an open one gets
 * arrivals at a rate. Times are in seconds, rates a second. A demand is visits times service time.
 *
 * With several servers at a station, mean value analysis as textbooks have it subtracts
 * probabilities and explodes (negative response times at 80 users). Here such networks are solved
 * by convolution in logarithms, which only adds positive numbers, and loses no digits at any size.
 *
 *   Limits   One class, exponential or processor-sharing service at queues; no blocking, no finite
 *            pools, no batching. POPULATION_MOST users.
 * by convolution in logarithms, which only adds positive numbers and loses no digits at any size.
 *            (1979); Seidmann (1987); bounds: Lazowska et al., "Quantitative System Performance",
 *            5, and Zahorjan et al. (1982), balanced job bounds.
 *   Tests    test/unit/stat/mva: octave-queueing 1.2.7, Jain 34.2, Lazowska, Bolch 8.3. */
#ifndef STAT_MVA_H
#define STAT_MVA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MVA_STATIONS = 64, MVA_POPULATION_MOST = 1000000, MVA_CONVOLVED_MOST = 10000 };

enum station_kind {
    STATION_QUEUE, /* one queue before its servers */
    STATION_DELAY, /* nobody waits: as many servers as users */
};

struct station {
    enum station_kind kind;
    double visits;    /* a request */
    double service_s; /* a visit */
    uint32_t servers; /* at least 1 */
};

/* visits x service. */
double station_demand(const struct station *station);

struct network {
    const struct station *stations;
    size_t count;
    double think_s;
};

/* One station at one load. */
struct station_state {
    double response_s;  /* of a request: all its visits, waiting and service */
    double in_queue;    /* mean number there, served ones included */
    double utilisation; /* share of its servers that are busy; of a delay: mean number there */
    double throughput;  /* visits a second */
};

/* The network at one load. */
struct network_state {
    double load;       /* users, or arrivals a second */
    double throughput; /* requests a second */
    double response_s; /* without think time */
    double in_system;
    struct station_state stations[MVA_STATIONS];
};

enum {
    MVA_SATURATED = 1, /* open: arrivals at or above the ceiling */
    MVA_TOO_LARGE = 2  /* more users than the limits above */
};

/* A closed network at several populations, exactly; loads rise. Returns 0 or MVA_TOO_LARGE. */
int mva_exact(const struct network *network, const uint32_t *users, size_t count,
              struct network_state *out);

/* The same by Schweitzer's approximation (any population, also not whole); stations of several
 * servers by Seidmann's: a queue of demand / servers and a delay of the rest. Errors are mostly
 * below 5 %, largest near the knee. */
void mva_approximate(const struct network *network, double users, struct network_state *out);

/* What no network with these demands can escape. */
struct network_bounds {
    double demand_s;   /* of a request, all stations */
    double ceiling;    /* the most throughput: least servers / demand; INFINITY: none */
    size_t bottleneck; /* the station of the ceiling */
    double knee;       /* (demand + think) / largest demand a server; where both bounds meet */
    double throughput_low, throughput_high; /* asymptotic, at these users */
    double response_low, response_high;
    bool balanced_known; /* balanced-job bounds hold for stations of one server only */
    double balanced_throughput_low, balanced_throughput_high;
    double balanced_response_low, balanced_response_high;
};
void mva_bounds(const struct network *network, double users, struct network_bounds *out);
/* The same of an open network at a rate; knee is NAN, and responses at or above the ceiling are
 * INFINITY. Balanced-job bounds: Lazowska et al. 5.4. */
void mva_open_bounds(const struct network *network, double rate, struct network_bounds *out);

/* An open network at an arrival rate; each station as M/M/c. Returns 0 or MVA_SATURATED (out is
 * written with INFINITY at the stations that cannot carry it). */
int mva_open(const struct network *network, double rate, struct network_state *out);

#endif
