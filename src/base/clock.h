/* base/clock.h - the unit of all times, and where "now" comes from.
 *
 * Every time in Plimsoll is an nsec_t: nanoseconds, monotonic, signed so that differences may be
 * negative. The wall clock is read once a run, for the report's head. Code that needs "now" is
 * handed a struct clock, so that a test or the simulation can hand in another. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

typedef int64_t nsec_t;

#define NSEC_PER_USEC ((nsec_t)1000)
#define NSEC_PER_MSEC ((nsec_t)1000000)
#define NSEC_PER_SEC  ((nsec_t)1000000000)
#define NSEC_NEVER    INT64_MAX /* a due time that does not come */

struct clock {
    nsec_t (*now)(void *self); /* monotonic nanoseconds from an arbitrary start */
    void *self;
};

/* The present instant on this clock. */
static inline nsec_t clock_now(const struct clock *clock)
{
    return clock->now(clock->self);
}

/* The machine's CLOCK_MONOTONIC. */
struct clock clock_monotonic(void);

/* CLOCK_MONOTONIC without the indirection, for the loop that owns the real time (about 25 ns). */
nsec_t clock_monotonic_ns(void);

/* The wall clock as nanoseconds since 1970-01-01 UTC: for the head of a report, never for a
 * difference. */
nsec_t clock_wall_ns(void);

#endif
