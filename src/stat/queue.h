/* stat/queue.h - what queueing theory says of servers whose law is known: the oracle of the tests,
 * and the yardstick of the studies.
 *
 * Rates are events a second, times seconds; `offered` is rate * service_s, the mean number of busy
 * servers that the load asks for. Response is wait plus service. Where the load is at or above
 * what the servers can carry, means and quantiles are INFINITY.
 *
 *   Source   Kleinrock, "Queueing Systems" I; Harchol-Balter, "Performance Modeling and Design of
 *            Computer Systems"; M/D/1: Franx, "A simple solution for the M/D/c waiting time
 *            distribution" (2001), with one server.
 *   Tests    test/unit/stat/queue (values of octave-queueing 1.2.7), test/theory/oracle_*. */
#ifndef STAT_QUEUE_H
#define STAT_QUEUE_H

#include <stdint.h>

/* The chance that an arrival finds all servers busy: lost (B), or waiting (C; 1 where the load is
 * too high). */
double erlang_b(uint32_t servers, double offered);
double erlang_c(uint32_t servers, double offered);

/* M/M/c: Poisson arrivals, exponential service, one queue in order of arrival. Means; the
 * probability of at most t_s; the time that a share of the requests does not exceed. */
double mmc_wait_mean(uint32_t servers, double rate, double service_s);
double mmc_response_mean(uint32_t servers, double rate, double service_s);
double mmc_wait_share(uint32_t servers, double rate, double service_s, double t_s);
double mmc_response_share(uint32_t servers, double rate, double service_s, double t_s);
double mmc_wait_quantile(uint32_t servers, double rate, double service_s, double share);
double mmc_response_quantile(uint32_t servers, double rate, double service_s, double share);

/* M/G/1: any service, by its mean and squared coefficient of variation (variance / mean^2; 0 fixed,
 * 1 exponential). Pollaczek and Khinchine. */
double mg1_wait_mean(double rate, double service_s, double service_variation);
double mg1_response_mean(double rate, double service_s, double service_variation);

/* M/D/1: every service takes the same. Quantiles need (quantile / service)^2 steps. */
double md1_response_mean(double rate, double service_s);
double md1_wait_share(double rate, double service_s, double t_s);
double md1_response_share(double rate, double service_s, double t_s);
double md1_wait_quantile(double rate, double service_s, double share);
double md1_response_quantile(double rate, double service_s, double share);

/* M/M/c/K: at most `places` in the system (at least the servers), more are turned away; finite at
 * any load. The share lost, completions a second, mean number in the system, mean response of those
 * let in. places = servers: Erlang's loss system. */
struct bounded_queue {
    uint32_t servers, places;
    double rate, service_s;
};
double bounded_loss(const struct bounded_queue *queue);
double bounded_throughput(const struct bounded_queue *queue);
double bounded_in_system(const struct bounded_queue *queue);
double bounded_response_mean(const struct bounded_queue *queue);

#endif
