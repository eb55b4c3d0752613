/* Replicas by the response time. What one replica carries, and how long a request takes when hardly
 * anybody waits make it so many servers; requests reach the replicas at random, so that each is a
 * queue of its own, and the arrivals of many users are a Poisson stream.
 *
 * Where the lowest load was a busy one already, its times are not those of the service alone, and
 * nothing is said. */
#include "study/advise_part.h"

#include <math.h>

static const double light = 0.5; /* of the highest throughput: hardly anybody waits below */
static const double alike = 0.2; /* of means that are taken for the same */

/* The lowest load of which times are known. */
static const struct case_level *lowest_of(const struct advice_case *the_case)
{
    const struct case_level *lowest = NULL;
    for (size_t i = 0; i < the_case->level_count; i++) {
        const struct case_level *level = &the_case->levels[i];
        bool timed = level->mean_s > 0 && level->p50_s > 0 && level->p95_s >= level->p50_s;
        if (level->usable && timed && (!lowest || level->load < lowest->load))
            lowest = level;
    }
    return lowest;
}

/* Of a lognormal time with this median and 95th percentile, where its mean is that of the
 * measurement as well; else the times are of several kinds, and at least an exponential's is taken.
 */
static double variation_of(const struct case_level *level, bool *assumed)
{
    double deviation = log(level->p95_s / level->p50_s) / 1.6448536269514722;
    double square = deviation * deviation, mean_s = level->p50_s * exp(square / 2);
    *assumed = fabs(mean_s / level->mean_s - 1) > alike;
    return *assumed ? fmax(1, exp(square) - 1) : exp(square) - 1;
}

static struct capacity_queue queue_of(const struct advice_delay *delay, double rate)
{
    return (struct capacity_queue){.rate = rate,
                                   .service_s = delay->service_s,
                                   .share = 0.95,
                                   .arrival_variation = 1,
                                   .service_variation = delay->variation,
                                   .service_quantile_s = delay->p95_s};
}

static double response_with(const struct advice_delay *delay, double rate, double replicas)
{
    const struct capacity_queue queue = queue_of(delay, rate / replicas);
    return capacity_response(&queue, delay->servers);
}

/* How many of so many are left after the failure that was asked for. */
static double left_of(const struct advice_wish *wish, double replicas)
{
    double lost = wish->spare;
    if (wish->zones >= 2)
        lost = fmax(lost, ceil(replicas / wish->zones));
    return replicas - lost;
}

static bool is_enough(const struct advice_delay *delay, const struct advice_wish *wish, double rate,
                      double replicas)
{
    double left = left_of(wish, replicas);
    return left >= 1 && response_with(delay, rate, left) <= delay->limit_s;
}

/* More replicas are never slower, so that the least is found by halving. */
static uint32_t least_of(const struct advice_delay *delay, const struct advice_wish *wish,
                         double rate)
{
    uint32_t low = 0, high = 1;
    while (high < CAPACITY_REPLICAS_MOST && !is_enough(delay, wish, rate, high)) {
        low = high;
        high *= 2;
    }
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (is_enough(delay, wish, rate, middle))
            high = middle;
        else
            low = middle;
    }
    return high;
}

/* What one instance carries at most, objective or not. */
static double most_of(const struct advice_case *the_case)
{
    double count = the_case->instances >= 1 ? the_case->instances : 1;
    return the_case->peak_observed ? the_case->most / count : (double)NAN;
}

void advise_delay(struct advice *advice, const struct advice_case *the_case,
                  const struct advice_wish *wish)
{
    const struct case_level *lowest = lowest_of(the_case);
    struct advice_delay *delay = &advice->delay;
    double most = most_of(the_case);
    uint32_t servers = 0;
    if (!lowest || !(most > 0) || !(the_case->slo_response_s > 0) ||
        lowest->throughput > light * the_case->most)
        return;
    *delay = (struct advice_delay){.servers = (uint32_t)fmax(floor(most * lowest->mean_s), 1),
                                   .service_s = lowest->mean_s,
                                   .p95_s = lowest->p95_s,
                                   .limit_s = the_case->slo_response_s};
    delay->variation = variation_of(lowest, &delay->assumed);
    /* Less than one server's worth of overlap is one server that is faster. */
    delay->service_s = fmin(delay->service_s, delay->servers / most);
    const struct capacity_queue shared = queue_of(delay, advice->target_rate);
    if (capacity_servers(&shared, delay->limit_s, &servers) != 0) {
        delay->state = delay->p95_s > delay->limit_s ? DELAY_TOO_SLOW : DELAY_NOT_KNOWN;
        return;
    }
    delay->state = DELAY_SIZED;
    delay->replicas_shared = (servers + delay->servers - 1) / delay->servers + wish->spare;
    delay->replicas = least_of(delay, wish, advice->target_rate);
    delay->response_s = response_with(delay, advice->target_rate, delay->replicas);
    delay->utilisation =
        advice->target_rate * delay->service_s / (delay->replicas * (double)delay->servers);
}
