/* Halving between good and bad; see run/capacity.h. */
#include "run/capacity.h"

#include <math.h>

void capacity_take(struct capacity *capacity, double load, bool kept)
{
    if (!kept && load < capacity->bad)
        capacity->bad = load;
    if (kept && load > capacity->good)
        capacity->good = load;
    if (capacity->good >= capacity->bad) /* noise: the lower failure is believed */
        capacity->good = 0;
}

bool capacity_next(struct capacity *capacity, double *load)
{
    double gap = capacity->bad - capacity->good;
    double near = fmax(capacity->resolution * capacity->bad, capacity->whole ? 1 : 0);
    if (isinf(capacity->bad) || gap <= near || capacity->tries >= CAPACITY_TRIES)
        return false;
    double middle = capacity->good + gap / 2;
    *load = capacity->whole ? floor(middle + 0.5) : middle;
    if (*load <= capacity->good || *load >= capacity->bad || *load <= 0)
        return false;
    capacity->tries++;
    return true;
}

double capacity_response_s(const struct plan_scale *scale, const struct level *level)
{
    switch ((enum scale_statistic)scale->critical_statistic) {
    case SCALE_MEAN:
        return level->mean_s;
    case SCALE_P50:
        return level->p50_s;
    case SCALE_P95:
        return level->p95_s;
    case SCALE_P99:
        return level->p99_s;
    }
    return NAN;
}

bool capacity_kept(const struct plan_scale *scale, const struct level *level)
{
    double response_s = capacity_response_s(scale, level);
    return level->state != LEVEL_STOPPED && !isnan(response_s) &&
           response_s <= (double)scale->critical_response_ns / 1e9 &&
           level->error_share <= scale->critical_error_share;
}
