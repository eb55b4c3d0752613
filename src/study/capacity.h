/* study/capacity.h - how many replicas, servers, and how much money a load needs: plain functions
 * over numbers that were measured or fitted.
 *
 * A capacity is what one replica carries within the objective (the lower end of its interval), not
 * the most it was ever seen to do. Replicas do not add up: their law (stat/usl.h over the number of
 * replicas) says what n of them carry, and where more of them carry less. A target above the peak
 * of that law is unreachable by adding replicas; the linear answer is kept beside it only to say
 * how wrong it would be.
 *
 *   Source   Gunther, "Guerrilla Capacity Planning" (2007); Allen, "Probability, Statistics and
 *            Queueing Theory" (1990), for G/G/c; Denning & Buzen (1978), the utilisation law.
 *   Limits   The G/G/c correction is an approximation, poor for few servers and heavy tails.
 *   Tests    test/unit/study/capacity: worked figures, recomputed in R 4.2.2;
 *            test/unit/study/prediction: intervals against 100 systems whose truth is known. */
#ifndef STUDY_CAPACITY_H
#define STUDY_CAPACITY_H

#include "stat/usl.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of the capacity, what may be used in normal operation, when nothing else is said. */
#define CAPACITY_CEILING 0.7

enum { CAPACITY_REPLICAS_MOST = 1000000 };

/* What the replicas must carry. */
struct capacity_wish {
    double target;  /* throughput, in the unit of the law */
    double ceiling; /* share of what they carry that may be used: 0 .. 1 */
    uint32_t spare; /* replicas that may fail while the rest still carries the target */
    uint32_t zones; /* at least 2: so may one zone of so many, with its share of the replicas */
};

struct capacity_answer {
    uint32_t replicas;     /* that satisfy the whole wish; 0: unreachable */
    double carries;        /* what they carry, of which the ceiling may be used */
    double carries_failed; /* what is left after the failure that was asked for */
    uint32_t bare;         /* without spares, zones and ceiling; 0: unreachable */
    double linear; /* target / (gamma ceiling), rounded up: too few, unless alpha = beta = 0 */
    double peak, peak_most; /* replicas at the peak of the law and what they carry there;
                               INFINITY and the roof without one */
};

/* Sizes by the law of replicas. Returns 0, or CAPACITY_UNREACHABLE, with all but replicas and what
 * they carry set: no number of replicas satisfies the wish. */
enum { CAPACITY_UNREACHABLE = 1 };
int capacity_replicas(struct usl law, const struct capacity_wish *wish,
                      struct capacity_answer *out);

/* How sure such an answer is: the law is fitted again and again to points made of the fit and of
 * its residuals, drawn anew. */
struct capacity_spread {
    double median;    /* replicas; INFINITY: unreachable in most draws */
    double low, high; /* 5 % and 95 % of the draws; high may be INFINITY */
    double suffices;  /* share of the draws in which `replicas` are enough */
    double reachable; /* share of the draws in which any number is */
    size_t draws;
};
/* Returns 0, or an outcome of usl_fit: the points carry no fit; USL_TOO_FEW also where no residual
 * is left to draw from. The same seed gives the same answer. */
int capacity_draw(const struct usl_points *points, const struct capacity_wish *wish,
                  uint32_t replicas, uint64_t seed, struct capacity_spread *out);

/* A resource's ceiling: the throughput at which it is full, and what it may be multiplied by. */
struct capacity_ceiling {
    double throughput;
    double factor; /* 1: as it is; 2: twice the resource */
};
/* The throughput that all of them allow, min factor x throughput; sets which one binds. INFINITY
 * without any. */
double capacity_vertical(const struct capacity_ceiling *ceilings, size_t count, size_t *binding);
/* How much the binding one may grow before another binds: next / first; INFINITY when it is the
 * only one. */
double capacity_useful_factor(const struct capacity_ceiling *ceilings, size_t count);

/* A ceiling out of measured levels, by the utilisation law U = idle + demand X. */
struct capacity_demand {
    double idle;              /* utilisation at no load, share of 1 */
    double demand_s;          /* of a request, in seconds of the whole resource */
    double ceiling;           /* the throughput at which utilisation reaches the cap */
    struct usl_interval span; /* of the ceiling; high may be INFINITY */
};
/* Returns 0, or CAPACITY_NO_DEMAND: fewer than 3 levels, or utilisation that does not rise with
 * throughput. cap: 0 .. 1. */
enum { CAPACITY_NO_DEMAND = 2 };
int capacity_demand(const struct usl_points *throughput_utilisation, double cap, double confidence,
                    struct capacity_demand *out);

/* The capacity of a system out of several of these: the least ceiling, with an interval that holds
 * the least one whichever it is. binding: its index. Returns 0, or CAPACITY_NO_DEMAND when there
 * is none. */
int capacity_least(const struct capacity_demand *demands, size_t count, struct usl_interval *span,
                   size_t *binding);

/* Servers behind one queue, sized by the response time. */
struct capacity_queue {
    double rate, service_s;
    double share;             /* 0.95: of the responses are within the limit; NAN: the mean is */
    double arrival_variation; /* squared coefficients of variation; 1, 1: M/M/c, exactly */
    double service_variation;
    double service_quantile_s; /* of the service at `share`, measured; NAN: of an exponential */
};
/* The response time with so many servers: the mean, or the quantile; INFINITY when overloaded. With
 * variations other than 1 the wait is that of M/M/c times (ca2 + cs2) / 2, and the quantile is the
 * sum of the wait's and the service's, which is never too low for that wait. */
double capacity_response(const struct capacity_queue *queue, uint32_t servers);
/* The least servers whose response is within the limit. Returns 0 or CAPACITY_UNREACHABLE: the
 * service alone is slower. */
int capacity_servers(const struct capacity_queue *queue, double limit_s, uint32_t *out);

/* What the replicas cost: a money per hour, and per million requests at this rate. */
struct capacity_cost {
    double hour, million;
};
struct capacity_cost capacity_cost(double replicas, double price_hour, double rate);

#endif
