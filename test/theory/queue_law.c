/* The law of the testbed against closed forms: M/M/1, M/M/2 and M/D/1 at utilisation .5, .7, .85,
 * mean and 95th percentile of the time from arrival to departure within 1 % over 10^7 arrivals.
 *
 * The recursion is exact, so all that separates it from theory is the finite number of arrivals.
 * Where the build is slow (no optimisation, or sanitizers), fewer arrivals are taken and the bound
 * widens as their standard error does, by the square root.
 *
 *   Source   L. Kleinrock, Queueing Systems I (1975): M/M/1 3.25, Erlang C 3.40, Pollaczek and
 *            Khinchine 5.69; waiting time of M/D/1: A. K. Erlang 1909, as in H. C. Tijms, A First
 *            Course in Stochastic Models (2003), 9.6. */
#include "testbed/law.h"

#include "base/memory.h"
#include "base/random.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#if defined(__OPTIMIZE__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
enum { ARRIVALS = 10000000 };
#else
enum { ARRIVALS = 1000000 };
#endif

enum { BINS = 200000, BINS_PER_SERVICE = 1000 };

static const nsec_t SERVICE_NS = 1000000;

/* ---- what the law does ------------------------------------------------------------------------
 */

struct outcome {
    double mean, p95; /* in mean service times */
};

static struct outcome play(enum law_kind kind, uint64_t servers, double utilisation)
{
    struct law_options options = {.kind = kind,
                                  .service_ns = SERVICE_NS,
                                  .servers = servers,
                                  .queue_limit = UINT64_MAX,
                                  .seed = 20};
    struct law *law = law_new(&options);
    struct random random = {.key = random_key(20, "theory arrivals", servers)};
    uint64_t *bins = memory_new(BINS + 1, sizeof *bins), below = 0;
    double gap_ns = (double)SERVICE_NS / (utilisation * (double)servers);
    double now_ns = 0, sum = 0;
    for (int n = 0; n < ARRIVALS; n++) {
        struct law_work work = {.number = 0};
        list_init(&work.node);
        now_ns -= gap_ns * log(random_unit(&random));
        assert_int_equal(law_arrive(law, &work, (nsec_t)now_ns, -1), 0);
        double time = (double)(work.departure_ns - work.arrival_ns) / (double)SERVICE_NS;
        law_leave(law, &work);
        sum += time;
        double bin = time * BINS_PER_SERVICE;
        bins[bin < BINS ? (size_t)bin : BINS]++;
    }
    law_free(law);
    size_t bin = 0;
    while (below + bins[bin] < (uint64_t)(0.95 * ARRIVALS))
        below += bins[bin++];
    free(bins);
    return (struct outcome){.mean = sum / ARRIVALS, .p95 = ((double)bin + 0.5) / BINS_PER_SERVICE};
}

/* ---- what theory says, in mean service times --------------------------------------------------
 */

/* The time at which a decreasing tail is 5 %. */
static double p95_of(double (*tail)(double time, double utilisation), double utilisation)
{
    double low = 0, high = 1000;
    for (int i = 0; i < 100; i++) {
        double middle = (low + high) / 2;
        if (tail(middle, utilisation) > 0.05)
            low = middle;
        else
            high = middle;
    }
    return high;
}

static double mm1_tail(double time, double utilisation)
{
    return exp(-(1 - utilisation) * time);
}

/* Erlang C for two servers. */
static double mm2_waits(double utilisation)
{
    return 2 * utilisation * utilisation / (1 + utilisation);
}

/* The wait is 0, or exponential of rate 2 (1 - rho) = r with Erlang C's probability; the service of
 * rate 1 comes on top. For r = 1 the sum of both is Erlang's of two phases. */
static double mm2_tail(double time, double utilisation)
{
    double rate = 2 * (1 - utilisation), waits = mm2_waits(utilisation);
    double sum = fabs(rate - 1) < 1e-9 ? (1 + time) * exp(-time)
                                       : (rate * exp(-time) - exp(-rate * time)) / (rate - 1);
    return (1 - waits) * exp(-time) + waits * sum;
}

/* P(W > w) for constant service 1. The terms alternate and would cancel to nothing for large w,
 * where the tail is far below the 5 % looked for: at w = 20 and utilisation .85, about 0.2 %. */
static double md1_tail(double time, double utilisation)
{
    double wait = time - 1;
    long double sum = 0;
    if (wait < 0)
        return 1;
    if (wait > 20)
        return 0;
    for (int k = 0; k <= (int)wait; k++) {
        long double x = (long double)utilisation * ((long double)wait - k);
        long double term = expl(x);
        for (int i = 1; i <= k; i++)
            term *= -x / i;
        sum += term;
    }
    return (double)(1 - (1 - (long double)utilisation) * sum);
}

/* ---- both -------------------------------------------------------------------------------------
 */

static void compare(const char *name, double utilisation, struct outcome outcome, double mean,
                    double p95)
{
    double bound = 0.01 * sqrt(1e7 / ARRIVALS);
    printf("%s at %.2f: mean %.4f, theory %.4f (%+.2f %%); p95 %.4f, theory %.4f (%+.2f %%)\n",
           name, utilisation, outcome.mean, mean, (outcome.mean / mean - 1) * 100, outcome.p95, p95,
           (outcome.p95 / p95 - 1) * 100);
    assert_true(fabs(outcome.mean / mean - 1) < bound);
    assert_true(fabs(outcome.p95 / p95 - 1) < bound);
}

static const double utilisations[] = {0.5, 0.7, 0.85};
enum { CELLS = sizeof utilisations / sizeof utilisations[0] };

static void mm1(void **state)
{
    (void)state;
    for (size_t i = 0; i < CELLS; i++) {
        double rho = utilisations[i];
        compare("M/M/1", rho, play(LAW_MMC, 1, rho), 1 / (1 - rho), p95_of(mm1_tail, rho));
    }
}

static void mm2(void **state)
{
    (void)state;
    for (size_t i = 0; i < CELLS; i++) {
        double rho = utilisations[i];
        compare("M/M/2", rho, play(LAW_MMC, 2, rho), 1 + mm2_waits(rho) / (2 * (1 - rho)),
                p95_of(mm2_tail, rho));
    }
}

static void md1(void **state)
{
    (void)state;
    for (size_t i = 0; i < CELLS; i++) {
        double rho = utilisations[i];
        compare("M/D/1", rho, play(LAW_MD1, 1, rho), 1 + rho / (2 * (1 - rho)),
                p95_of(md1_tail, rho));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mm1),
        cmocka_unit_test(mm2),
        cmocka_unit_test(md1),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
