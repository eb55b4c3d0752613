/* host/clocks.c - the monotonic clock is read on both sides of the others. */
#include "host/clocks.h"

#include <time.h>

static nsec_t read_clock(clockid_t clock)
{
    struct timespec now = {0};
    clock_gettime(clock, &now);
    return now.tv_sec * NSEC_PER_SEC + now.tv_nsec;
}

void clocks_read(struct clocks *out)
{
    for (int try = 0; try < 3; try++) {
        nsec_t first = read_clock(CLOCK_MONOTONIC);
        nsec_t boot = read_clock(CLOCK_BOOTTIME);
        nsec_t wall = read_clock(CLOCK_REALTIME);
        nsec_t last = read_clock(CLOCK_MONOTONIC);
        if (try > 0 && last - first >= out->spread_ns)
            continue;
        *out = (struct clocks){.monotonic_ns = first + (last - first) / 2,
                               .boot_ns = boot,
                               .wall_ns = wall,
                               .spread_ns = last - first};
    }
}

static nsec_t beyond_doubt(nsec_t difference, const struct clocks *before,
                           const struct clocks *after)
{
    nsec_t doubt = before->spread_ns + after->spread_ns + NSEC_PER_MSEC;
    return difference > doubt || difference < -doubt ? difference : 0;
}

nsec_t clocks_suspended(const struct clocks *before, const struct clocks *after)
{
    nsec_t difference =
        (after->boot_ns - before->boot_ns) - (after->monotonic_ns - before->monotonic_ns);
    nsec_t slept = beyond_doubt(difference, before, after);
    return slept > 0 ? slept : 0;
}

nsec_t clocks_stepped(const struct clocks *before, const struct clocks *after)
{
    nsec_t difference = (after->wall_ns - before->wall_ns) - (after->boot_ns - before->boot_ns);
    return beyond_doubt(difference, before, after);
}
