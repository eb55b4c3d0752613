/* Ceilings from measured utilisation, servers by response time, and money. */
#include "study/capacity.h"

#include "stat/queue.h"
#include "stat/regression.h"

#include <math.h>

enum { SERVERS_MOST = 100000 };

/* Utilisation over throughput is a line whose noise grows with the load; what matters is where it
 * reaches the cap, far beyond the points, so that Fieller's interval is the honest one. */
int capacity_demand(const struct usl_points *levels, double cap, double confidence,
                    struct capacity_demand *out)
{
    struct regression line;
    if (levels->count < 3 ||
        regression_line(levels->n, levels->x, levels->count, false, &line) != 0 || !(line.b[1] > 0))
        return CAPACITY_NO_DEMAND;
    struct regression_reach reach = regression_reaches(&line, cap, confidence);
    if (!(reach.x > 0))
        return CAPACITY_NO_DEMAND;
    *out = (struct capacity_demand){
        .idle = line.b[0],
        .demand_s = line.b[1],
        .ceiling = reach.x,
        .span = {fmax(isfinite(reach.low) ? reach.low : 0, 0), reach.high}};
    return 0;
}

int capacity_least(const struct capacity_demand *demands, size_t count, struct usl_interval *span,
                   size_t *binding)
{
    double least = INFINITY;
    *span = (struct usl_interval){INFINITY, INFINITY};
    for (size_t i = 0; i < count; i++) {
        span->low = fmin(span->low, demands[i].span.low);
        span->high = fmin(span->high, demands[i].span.high);
        if (demands[i].ceiling < least) {
            least = demands[i].ceiling;
            *binding = i;
        }
    }
    return isfinite(least) ? 0 : CAPACITY_NO_DEMAND;
}

static bool is_mmc(const struct capacity_queue *queue)
{
    return queue->arrival_variation == 1 && queue->service_variation == 1 &&
           !isfinite(queue->service_quantile_s);
}

/* The response when nobody waits. */
static double service_alone(const struct capacity_queue *queue)
{
    if (!isfinite(queue->share))
        return queue->service_s;
    return isfinite(queue->service_quantile_s) ? queue->service_quantile_s
                                               : -log(1 - queue->share) * queue->service_s;
}

double capacity_response(const struct capacity_queue *queue, uint32_t servers)
{
    double grow = (queue->arrival_variation + queue->service_variation) / 2;
    double rate = queue->rate, service_s = queue->service_s;
    if (rate * service_s >= servers)
        return INFINITY;
    if (!isfinite(queue->share))
        return service_s + grow * mmc_wait_mean(servers, rate, service_s);
    if (is_mmc(queue))
        return mmc_response_quantile(servers, rate, service_s, queue->share);
    return service_alone(queue) + grow * mmc_wait_quantile(servers, rate, service_s, queue->share);
}

int capacity_servers(const struct capacity_queue *queue, double limit_s, uint32_t *out)
{
    uint32_t servers = (uint32_t)fmin(floor(queue->rate * queue->service_s) + 1, SERVERS_MOST);
    /* Waiting has its infimum with endless servers: what is too slow without it stays so. */
    if (!(service_alone(queue) <= limit_s))
        return CAPACITY_UNREACHABLE;
    for (; servers <= SERVERS_MOST; servers++)
        if (capacity_response(queue, servers) <= limit_s) {
            *out = servers;
            return 0;
        }
    return CAPACITY_UNREACHABLE;
}

struct capacity_cost capacity_cost(double replicas, double price_hour, double rate)
{
    return (struct capacity_cost){.hour = replicas * price_hour,
                                  .million = replicas * price_hour / (rate * 3600) * 1e6};
}
