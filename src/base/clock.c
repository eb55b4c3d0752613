/* Reads the machine's clocks; the only file that does. */
#include "base/clock.h"

#include <stddef.h>
#include <time.h>

static nsec_t read_clock(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (nsec_t)t.tv_sec * NSEC_PER_SEC + t.tv_nsec;
}

nsec_t clock_monotonic_ns(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

nsec_t clock_wall_ns(void)
{
    return read_clock(CLOCK_REALTIME);
}

static nsec_t now_monotonic(void *self)
{
    (void)self;
    return clock_monotonic_ns();
}

struct clock clock_monotonic(void)
{
    return (struct clock){.now = now_monotonic, .self = NULL};
}
