/* stat/lindley.h - when each request leaves a station of known service times, request by request.
 *
 * Where the closed forms of queue.h speak of averages, these speak of every single request: with
 * the recorded arrivals and the seeded service times, the exact departure of each.
 *
 *   Source   Lindley (1952) for one server; Kiefer and Wolfowitz (1955) for several. */
#ifndef STAT_LINDLEY_H
#define STAT_LINDLEY_H

#include "base/clock.h"

#include <stddef.h>
#include <stdint.h>

/* Departures from one server that serves in order of arrival:
 * departure = max(arrival, departure before) + service.
 *
 *   arrivals     ascending; equal ones are served in order of index
 *   departures   count results; may be the array of services */
void lindley_one(const nsec_t *arrivals, const nsec_t *services, size_t count, nsec_t *departures);

/* The same with several servers: each request begins, in order of arrival, on the server that is
 * free first. Departures need not ascend. */
void lindley_many(uint32_t servers, const nsec_t *arrivals, const nsec_t *services, size_t count,
                  nsec_t *departures);

#endif
