/* stat/queue.c - closed forms where they are stable; else sums of positive terms only. */
#include "stat/queue.h"

#include "base/check.h"
#include "base/memory.h"

#include <math.h>
#include <stdlib.h>

double erlang_b(uint32_t servers, double offered)
{
    double blocked = 1;
    for (uint32_t i = 1; i <= servers; i++)
        blocked = offered * blocked / (i + offered * blocked);
    return blocked;
}

double erlang_c(uint32_t servers, double offered)
{
    if (offered >= servers)
        return 1;
    double blocked = erlang_b(servers, offered);
    return blocked / (1 - offered / servers * (1 - blocked));
}

/* ---- M/M/c -------------------------------------------------------------------------------- */

/* A wait, where there is one, is exponential with this rate: what the servers have to spare. */
static double spare_rate(uint32_t servers, double rate, double service_s)
{
    return servers / service_s - rate;
}

double mmc_wait_mean(uint32_t servers, double rate, double service_s)
{
    double spare = spare_rate(servers, rate, service_s);
    return spare > 0 ? erlang_c(servers, rate * service_s) / spare : INFINITY;
}

double mmc_response_mean(uint32_t servers, double rate, double service_s)
{
    return mmc_wait_mean(servers, rate, service_s) + service_s;
}

double mmc_wait_share(uint32_t servers, double rate, double service_s, double t_s)
{
    double spare = spare_rate(servers, rate, service_s);
    if (t_s < 0 || spare <= 0)
        return 0;
    return 1 - erlang_c(servers, rate * service_s) * exp(-spare * t_s);
}

/* The chance that the sum of two exponential times is longer than t_s. The slower one is taken out
 * of the difference, so that neither equal rates nor long times lose digits. */
static double sum_of_two_exceeds(double one, double other, double t_s)
{
    double slow = fmin(one, other), gap = fabs(one - other) * t_s;
    double ratio = gap > 0 ? -expm1(-gap) / gap : 1;
    return exp(-slow * t_s) * (1 + slow * t_s * ratio);
}

double mmc_response_share(uint32_t servers, double rate, double service_s, double t_s)
{
    double spare = spare_rate(servers, rate, service_s);
    if (t_s <= 0 || spare <= 0)
        return 0;
    double waits = erlang_c(servers, rate * service_s);
    double longer =
        (1 - waits) * exp(-t_s / service_s) + waits * sum_of_two_exceeds(spare, 1 / service_s, t_s);
    return 1 - longer;
}

double mmc_wait_quantile(uint32_t servers, double rate, double service_s, double share)
{
    double spare = spare_rate(servers, rate, service_s);
    if (spare <= 0)
        return INFINITY;
    double waits = erlang_c(servers, rate * service_s);
    return waits > 1 - share ? log(waits / (1 - share)) / spare : 0;
}

double mmc_response_quantile(uint32_t servers, double rate, double service_s, double share)
{
    check(share > 0 && share < 1);
    if (spare_rate(servers, rate, service_s) <= 0)
        return INFINITY;
    double low = 0, high = service_s;
    while (mmc_response_share(servers, rate, service_s, high) < share)
        high *= 2;
    while (high - low > 1e-14 * high) {
        double middle = (low + high) / 2;
        if (middle <= low || middle >= high)
            break;
        if (mmc_response_share(servers, rate, service_s, middle) < share)
            low = middle;
        else
            high = middle;
    }
    return high;
}

/* ---- M/G/1 -------------------------------------------------------------------------------- */

double mg1_wait_mean(double rate, double service_s, double service_variation)
{
    double busy = rate * service_s;
    return busy < 1 ? busy * service_s * (1 + service_variation) / (2 * (1 - busy)) : INFINITY;
}

double mg1_response_mean(double rate, double service_s, double service_variation)
{
    return mg1_wait_mean(rate, service_s, service_variation) + service_s;
}

/* ---- M/D/1 -------------------------------------------------------------------------------- */

double md1_response_mean(double rate, double service_s)
{
    return mg1_response_mean(rate, service_s, 0);
}

/* What an arrival finds: waiting[m] is the chance that at most m wait (the one in service apart).
 * Grows by one as needed. */
struct line {
    double busy;
    double *found;   /* found[n]: chance of n in the system */
    double *more;    /* more[n]: chance of n or more arrivals during a service */
    double *poisson; /* of exactly n */
    double *waiting;
    size_t known, room; /* waiting[0 .. known - 1] are known, found[0 .. known] */
};

static void line_reserve(struct line *line, size_t room)
{
    line->room = room;
    line->found = memory_resize(line->found, room, sizeof(double));
    line->more = memory_resize(line->more, room, sizeof(double));
    line->poisson = memory_resize(line->poisson, room, sizeof(double));
    line->waiting = memory_resize(line->waiting, room, sizeof(double));
}

/* The chance of n or more Poisson arrivals: the sum of its upper terms, so that small tails keep
 * their digits. */
static double poisson_tail(double mean, size_t n, double at_n)
{
    double sum = 0, term = at_n;
    for (size_t k = n; term > sum * 1e-18 && term > 0; k++) {
        sum += term;
        term *= mean / (double)(k + 1);
    }
    return sum;
}

static void line_init(struct line *line, double busy)
{
    *line = (struct line){.busy = busy};
    line_reserve(line, 64);
    line->poisson[0] = exp(-busy);
    line->more[0] = 1;
    line->found[0] = 1 - busy;
}

static void line_fini(struct line *line)
{
    free(line->found);
    free(line->more);
    free(line->poisson);
    free(line->waiting);
}

/* One more found[] and waiting[]. Departures that leave n + 1 behind and are followed by no arrival
 * balance the steps that jump over n: a sum of positive terms, so nothing cancels. */
static void line_grow(struct line *line)
{
    size_t n = line->known;
    if (n + 2 >= line->room)
        line_reserve(line, line->room * 2);
    line->poisson[n + 1] = line->poisson[n] * line->busy / (double)(n + 1);
    line->more[n + 1] = poisson_tail(line->busy, n + 1, line->poisson[n + 1]);
    double jumps = line->found[0] * line->more[n + 1];
    for (size_t from = 1; from <= n; from++)
        jumps += line->found[from] * line->more[n + 2 - from];
    line->found[n + 1] = jumps / line->poisson[0];
    line->waiting[n] = (n == 0 ? line->found[0] : line->waiting[n - 1]) + line->found[n + 1];
    line->known++;
}

/* The chance of a wait of at most t, in services: with whole = floor(t) + 1 and rest = whole - t,
 * those that wait no longer than t have found at most whole - 1 - j waiting, where j more came in
 * the rest. */
static double line_wait_share(struct line *line, double t)
{
    size_t whole = (size_t)t + 1;
    double rest = ((double)whole - t) * line->busy;
    while (line->known < whole)
        line_grow(line);
    double sum = 0, chance = exp(-rest);
    for (size_t j = 0; j < whole; j++) {
        sum += line->waiting[whole - 1 - j] * chance;
        chance *= rest / (double)(j + 1);
    }
    return sum < 1 ? sum : 1;
}

double md1_wait_share(double rate, double service_s, double t_s)
{
    double busy = rate * service_s;
    if (t_s < 0 || busy >= 1)
        return 0;
    struct line line;
    line_init(&line, busy);
    double share = line_wait_share(&line, t_s / service_s);
    line_fini(&line);
    return share;
}

double md1_response_share(double rate, double service_s, double t_s)
{
    return md1_wait_share(rate, service_s, t_s - service_s);
}

double md1_wait_quantile(double rate, double service_s, double share)
{
    check(share > 0 && share < 1);
    double busy = rate * service_s;
    if (busy >= 1)
        return INFINITY;
    if (share <= 1 - busy)
        return 0;
    struct line line;
    line_init(&line, busy);
    do {
        line_grow(&line);
    } while (line.waiting[line.known - 1] < share && line.known < 100000);
    double high = (double)line.known, low = high - 1;
    while (high - low > 1e-14 * high) {
        double middle = (low + high) / 2;
        if (middle <= low || middle >= high)
            break;
        if (line_wait_share(&line, middle) < share)
            low = middle;
        else
            high = middle;
    }
    line_fini(&line);
    return high * service_s;
}

double md1_response_quantile(double rate, double service_s, double share)
{
    return md1_wait_quantile(rate, service_s, share) + service_s;
}

/* ---- M/M/c/K ------------------------------------------------------------------------------ */

/* The chance of n in the system grows from that of n - 1 by the factor offered / min(n, servers).
 * Weights are taken from the likeliest number outwards, where they only shrink, so that no load
 * overflows. */
struct bounded_sums {
    double total, numbers, last; /* of the weights; of n times them; of the fullest state */
};

static uint32_t likeliest(const struct bounded_queue *queue, double offered)
{
    if (offered >= queue->servers)
        return queue->places;
    return (uint32_t)offered; /* the last n whose factor is at least 1 */
}

static struct bounded_sums bounded_sums(const struct bounded_queue *queue)
{
    double offered = queue->rate * queue->service_s, weight = 1;
    uint32_t middle = likeliest(queue, offered);
    struct bounded_sums out = {.total = 1, .numbers = middle, .last = 1};
    for (uint32_t n = middle; n > 0 && weight > 0; n--) {
        weight *= fmin(n, queue->servers) / offered;
        out.total += weight;
        out.numbers += weight * (n - 1);
    }
    weight = 1;
    for (uint32_t n = middle + 1; n <= queue->places; n++) {
        weight *= offered / fmin(n, queue->servers);
        out.total += weight;
        out.numbers += weight * n;
    }
    out.last = weight;
    return out;
}

double bounded_loss(const struct bounded_queue *queue)
{
    struct bounded_sums sums = bounded_sums(queue);
    return sums.last / sums.total;
}

double bounded_throughput(const struct bounded_queue *queue)
{
    return queue->rate * (1 - bounded_loss(queue));
}

double bounded_in_system(const struct bounded_queue *queue)
{
    struct bounded_sums sums = bounded_sums(queue);
    return sums.numbers / sums.total;
}

double bounded_response_mean(const struct bounded_queue *queue)
{
    return queue->rate > 0 ? bounded_in_system(queue) / bounded_throughput(queue)
                           : queue->service_s;
}
