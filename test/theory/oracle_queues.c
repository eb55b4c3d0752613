/* The recursions fed with random arrivals and services must come to what the closed forms say: two
 * ways to the same number that share no line of code. 10^7 requests a cell; mean and p95 of the
 * response within 1 %, the share of requests within several times within .004. */
#include "base/memory.h"
#include "base/random.h"
#include "stat/distribution.h"
#include "stat/hist.h"
#include "stat/lindley.h"
#include "stat/queue.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
/* cmocka needs what stands above it. */
/* clang-format off */
#include <cmocka.h>
/* clang-format on */

enum { PART = 1000000, PARTS = 10 };

static const double service_s = 0.001;

struct cell {
    uint32_t servers;
    enum spread spread;
    double load; /* of all servers */
};

struct arrays {
    nsec_t *arrivals, *services, *departures;
};

static void run_part(const struct cell *cell, uint64_t part, struct arrays *arrays,
                     struct hist *responses)
{
    struct random gaps = {.key = random_key(2026, "gaps", part * 100 + cell->servers)};
    struct random works = {.key = random_key(2026, "works", part * 100 + cell->servers)};
    struct distribution gap = {.spread = SPREAD_EXPONENTIAL,
                               .a = service_s / cell->load / cell->servers};
    struct distribution work = {.spread = cell->spread, .a = service_s};
    double now_s = 0;
    for (size_t i = 0; i < PART; i++) {
        now_s += distribution_draw(&gap, &gaps);
        arrays->arrivals[i] = llrint(now_s * 1e9);
        arrays->services[i] = llrint(distribution_draw(&work, &works) * 1e9);
    }
    if (cell->servers == 1)
        lindley_one(arrays->arrivals, arrays->services, PART, arrays->departures);
    else
        lindley_many(cell->servers, arrays->arrivals, arrays->services, PART, arrays->departures);
    for (size_t i = 0; i < PART; i++)
        hist_record(responses, arrays->departures[i] - arrays->arrivals[i]);
}

static double expected_share(const struct cell *cell, double rate, double t_s)
{
    return cell->spread == SPREAD_FIXED ? md1_response_share(rate, service_s, t_s)
                                        : mmc_response_share(cell->servers, rate, service_s, t_s);
}

static void compare(const struct cell *cell, const struct hist *responses)
{
    bool fixed = cell->spread == SPREAD_FIXED;
    double rate = cell->load * cell->servers / service_s;
    double mean = fixed ? md1_response_mean(rate, service_s)
                        : mmc_response_mean(cell->servers, rate, service_s);
    double p95 = fixed ? md1_response_quantile(rate, service_s, 0.95)
                       : mmc_response_quantile(cell->servers, rate, service_s, 0.95);
    nsec_t found = 0;
    assert_int_equal(hist_quantile(responses, 0.95, &found), 0);
    double mean_off = hist_mean(responses) / 1e9 / mean - 1,
           p95_off = (double)found / 1e9 / p95 - 1;
    print_message("%s/%u at %.2f: mean %+.2f %%, p95 %+.2f %%\n", fixed ? "M/D" : "M/M",
                  cell->servers, cell->load, mean_off * 100, p95_off * 100);
    assert_true(fabs(mean_off) < 0.01);
    assert_true(fabs(p95_off) < 0.01);
    for (double t_s = 0.0004; t_s < 0.03; t_s *= 1.7) {
        /* The histogram counts whole buckets: compare at the edge of one. */
        nsec_t edge = hist_bucket_high(hist_bucket_of((nsec_t)(t_s * 1e9)));
        double share = (double)hist_count_to(responses, edge) / (double)responses->count;
        assert_true(fabs(share - expected_share(cell, rate, (double)edge / 1e9)) < 0.004);
    }
}

static void recursions_come_to_the_closed_forms(void **state)
{
    (void)state;
    static const double loads[] = {0.5, 0.7, 0.85};
    static const struct cell kinds[] = {
        {1, SPREAD_EXPONENTIAL, 0}, {2, SPREAD_EXPONENTIAL, 0}, {1, SPREAD_FIXED, 0}};
    struct arrays arrays = {memory_new(PART, sizeof(nsec_t)), memory_new(PART, sizeof(nsec_t)),
                            memory_new(PART, sizeof(nsec_t))};
    struct hist *responses = memory_new(1, sizeof(*responses));
    hist_init(responses);
    for (size_t k = 0; k < 3; k++)
        for (size_t l = 0; l < 3; l++) {
            struct cell cell = kinds[k];
            cell.load = loads[l];
            hist_clear(responses);
            for (uint64_t part = 0; part < PARTS; part++)
                run_part(&cell, part, &arrays, responses);
            compare(&cell, responses);
        }
    free(responses);
    free(arrays.arrivals);
    free(arrays.services);
    free(arrays.departures);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(recursions_come_to_the_closed_forms)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
