/* The weight of n customers at a station is f(n) = demand^n / (1 2 .. up to servers each): the
 * constant G is the convolution of all stations' f, X(n) = G(n-1) / G(n), and the chance of j at a
 * station is f(j) G'(n-j) / G(n), with G' of the others. All terms are positive: adding them loses
 * nothing, where the usual recursion subtracts. Logarithms keep them within range; as they reach a
 * hundred thousand with ten thousand users, they are long doubles, so that twelve digits of what is
 * between two of them remain. */
#include "stat/convolution.h"

#include "base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct convolution {
    const struct network *network;
    uint32_t most;
    long double *whole;  /* log G, 0 .. most */
    long double *others; /* log G' of each station, one row of most + 1 each */
};

static long double add_logs(long double a, long double b)
{
    long double high = fmaxl(a, b);
    return high == -INFINITY ? high : high + log1p(exp(-(double)fabsl(a - b)));
}

/* Log f of a station with this many servers (0: as many as customers). */
static void weights(double demand, uint32_t servers, uint32_t most, long double *out)
{
    out[0] = 0;
    for (uint32_t n = 1; n <= most; n++) {
        long double busy = servers && n > servers ? servers : n;
        out[n] = out[n - 1] + logl(demand / busy);
    }
}

/* The logarithm of the sum of f[j] g[n-j]. Both are log-concave, as rates of service never fall
 * with n, so the terms rise to one top, which is near that of n - 1 (*top), and fall from there:
 * what is more than e^45 below it does not count. */
static long double add_products(const long double *f, const long double *g, uint32_t n,
                                uint32_t *top)
{
    enum { DEEP = 45 };
    uint32_t j = *top;
    while (j < n && f[j + 1] + g[n - j - 1] > f[j] + g[n - j])
        j++;
    while (j > 0 && f[j - 1] + g[n - j + 1] > f[j] + g[n - j])
        j--;
    *top = j;
    long double high = f[j] + g[n - j];
    double total = 1;
    for (uint32_t k = j; k > 0; k--) {
        double term = (double)(f[k - 1] + g[n - k + 1] - high);
        if (term < -DEEP)
            break;
        total += exp(term);
    }
    for (uint32_t k = j; k < n; k++) {
        double term = (double)(f[k + 1] + g[n - k - 1] - high);
        if (term < -DEEP)
            break;
        total += exp(term);
    }
    return high + log(total);
}

/* Adds a station to constants, in place. One server: G(n) = G(n) + demand G(n-1). */
static void fold(double demand, uint32_t servers, uint32_t most, long double *constants)
{
    if (!(demand > 0))
        return;
    if (servers == 1) {
        long double step = logl(demand);
        for (uint32_t n = 1; n <= most; n++)
            constants[n] = add_logs(constants[n], step + constants[n - 1]);
        return;
    }
    uint32_t top = 0;
    long double *f = memory_new((size_t)most + 1, sizeof *f);
    long double *sum = memory_new((size_t)most + 1, sizeof *sum);
    weights(demand, servers, most, f);
    for (uint32_t n = 0; n <= most; n++)
        sum[n] = add_products(f, constants, n, &top);
    memcpy(constants, sum, ((size_t)most + 1) * sizeof *sum);
    free(f);
    free(sum);
}

/* The constants of all stations but one (count: of all). Delays are one delay: their weights
 * multiply to (Z + D)^n / n!, where all of it starts. */
static void fold_all(const struct convolution *convolution, size_t without, long double *out)
{
    const struct network *network = convolution->network;
    double delay = network->think_s;
    for (size_t k = 0; k < network->count; k++)
        if (k != without && network->stations[k].kind == STATION_DELAY)
            delay += station_demand(&network->stations[k]);
    for (uint32_t n = 0; n <= convolution->most; n++)
        out[n] = n == 0 ? 0 : -INFINITY;
    if (delay > 0)
        weights(delay, 0, convolution->most, out);
    for (size_t k = 0; k < network->count; k++) {
        const struct station *station = &network->stations[k];
        if (k != without && station->kind == STATION_QUEUE)
            fold(station_demand(station), station->servers, convolution->most, out);
    }
}

struct convolution *convolution_new(const struct network *network, uint32_t most)
{
    struct convolution *convolution = memory_new(1, sizeof *convolution);
    size_t row = (size_t)most + 1;
    convolution->network = network;
    convolution->most = most;
    convolution->whole = memory_new(row, sizeof *convolution->whole);
    convolution->others = memory_new(row * network->count, sizeof *convolution->others);
    fold_all(convolution, network->count, convolution->whole);
    for (size_t k = 0; k < network->count; k++)
        if (network->stations[k].kind == STATION_QUEUE && network->stations[k].servers > 1)
            fold_all(convolution, k, convolution->others + k * row);
    return convolution;
}

struct convolution *convolution_free(struct convolution *convolution)
{
    if (convolution) {
        free(convolution->whole);
        free(convolution->others);
    }
    free(convolution);
    return NULL;
}

double convolution_throughput(const struct convolution *convolution, uint32_t users)
{
    if (users == 0)
        return 0;
    return exp((double)(convolution->whole[users - 1] - convolution->whole[users]));
}

double convolution_in_queue(const struct convolution *convolution, size_t station, uint32_t users)
{
    const struct station *at = &convolution->network->stations[station];
    const long double *whole = convolution->whole;
    double demand = station_demand(at), sum = 0;
    if (!(demand > 0) || users == 0)
        return 0;
    if (at->kind == STATION_DELAY)
        return demand * convolution_throughput(convolution, users);
    const long double *others = convolution->others + station * ((size_t)convolution->most + 1);
    long double f = 0;
    for (uint32_t j = 1; j <= users; j++) {
        f += logl(demand / fminl(j, at->servers));
        if (at->servers == 1) /* the chance of at least j, and the sum of those is the mean */
            sum += exp((double)(f + whole[users - j] - whole[users]));
        else
            sum += j * exp((double)(f + others[users - j] - whole[users]));
    }
    return sum;
}
