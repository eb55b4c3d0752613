/* The range doubles without overflow: it stops at its most. */
#include "run/backoff.h"

nsec_t backoff_wait(const struct backoff *backoff, uint32_t failed, double unit)
{
    if (failed >= backoff->tries)
        return -1;
    nsec_t range_ns = backoff->first_ns;
    for (uint32_t i = 1; i < failed && range_ns < backoff->most_ns; i++)
        range_ns *= 2;
    if (range_ns > backoff->most_ns)
        range_ns = backoff->most_ns;
    return range_ns / 2 + (nsec_t)((double)range_ns / 2 * unit);
}
