/* Periods that are not over stand in a row, each with what is booked in it; see quota.h. */
#include "testbed/quota.h"

#include "base/check.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

struct period {
    nsec_t used_ns;
    nsec_t out_ns; /* how long before its end the quota ran out; 0: it did not */
};

struct quota {
    nsec_t budget_ns; /* of a period */
    int64_t first;    /* number of the first period kept */
    struct period *periods;
    size_t count, room;
    struct quota_counts over; /* of the periods before */
};

struct quota *quota_new(double processors)
{
    struct quota *quota = memory_new(1, sizeof *quota);
    check(processors > 0);
    quota->budget_ns = (nsec_t)(processors * (double)QUOTA_PERIOD_NS);
    if (quota->budget_ns < NSEC_PER_USEC)
        quota->budget_ns = NSEC_PER_USEC; /* so that all work ends */
    return quota;
}

struct quota *quota_free(struct quota *quota)
{
    if (!quota)
        return NULL;
    free(quota->periods);
    free(quota);
    return NULL;
}

static struct period *period_at(struct quota *quota, int64_t number)
{
    if (quota->count == 0)
        quota->first = number;
    if (number < quota->first)
        number = quota->first;
    size_t index = (size_t)(number - quota->first);
    if (index >= quota->room) {
        quota->room = 2 * (index + 1);
        quota->periods = memory_resize(quota->periods, quota->room, sizeof *quota->periods);
    }
    for (; quota->count <= index; quota->count++)
        quota->periods[quota->count] = (struct period){0};
    return &quota->periods[index];
}

nsec_t quota_book(struct quota *quota, nsec_t begin_ns, nsec_t cost_ns)
{
    nsec_t at_ns = begin_ns;
    while (cost_ns > 0) {
        int64_t number = at_ns / QUOTA_PERIOD_NS;
        nsec_t end_ns = (number + 1) * QUOTA_PERIOD_NS;
        struct period *period = period_at(quota, number);
        nsec_t part_ns = end_ns - at_ns, left_ns = quota->budget_ns - period->used_ns;
        part_ns = part_ns < left_ns ? part_ns : left_ns;
        part_ns = part_ns < cost_ns ? part_ns : cost_ns;
        period->used_ns += part_ns;
        cost_ns -= part_ns;
        at_ns += part_ns;
        if (cost_ns > 0 && at_ns < end_ns) { /* it has to wait for the next period */
            nsec_t out_ns = end_ns - at_ns;
            period->out_ns = out_ns > period->out_ns ? out_ns : period->out_ns;
            at_ns = end_ns;
        }
    }
    return at_ns;
}

static void count_in(struct quota_counts *counts, const struct period *period)
{
    counts->used_ns += period->used_ns;
    counts->periods += period->used_ns > 0;
    counts->throttled += period->out_ns > 0;
    counts->throttled_ns += period->out_ns;
}

/* Of the period that is not over, what was used is taken as even over it. */
void quota_counts(struct quota *quota, nsec_t now_ns, struct quota_counts *out)
{
    int64_t now = now_ns / QUOTA_PERIOD_NS;
    size_t over = 0;
    while (over < quota->count && quota->first + (int64_t)over < now)
        count_in(&quota->over, &quota->periods[over++]);
    if (over) {
        quota->count -= over;
        quota->first += (int64_t)over;
        memmove(quota->periods, quota->periods + over, quota->count * sizeof *quota->periods);
    }
    *out = quota->over;
    if (quota->count && quota->first == now)
        out->used_ns += (nsec_t)((double)quota->periods[0].used_ns *
                                 (double)(now_ns % QUOTA_PERIOD_NS) / QUOTA_PERIOD_NS);
}
