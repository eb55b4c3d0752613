/* Truth in virtual time: the whole engine, through HTTP, connections and the simulated net,
 * against queueing theory. The testbed's service law is known, nothing else takes time, so that
 * what the engine measures must be what theory says.
 *
 * Thorough runs take 10^7 requests a cell (PLIMSOLL_THOROUGH=1), the others 4 * 10^5, with bounds
 * widened by the standard error of the smaller sample. */
#include "support/engine_stage.h"

#include "stat/queue.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const double service_s = 0.010;

static bool thorough(void)
{
    return getenv("PLIMSOLL_THOROUGH") != NULL;
}

static void within(const char *what, double measured, double theory, double share)
{
    print_message("      %-28s measured %10.6f  theory %10.6f  off %+6.2f %%\n", what, measured,
                  theory, 100 * (measured / theory - 1));
    if (!(fabs(measured / theory - 1) <= share)) {
        print_error("%s is %g, theory says %g\n", what, measured, theory);
        fail();
    }
}

static void open_cell(enum law_kind kind, uint32_t servers, double utilisation)
{
    double requests = thorough() ? 1e7 : 4e5;
    double rate = utilisation * servers / service_s;
    /* Relative standard error of the mean response of M/M/1 at 4e5: about 3 % at .85; Kleinrock's
     * bound. */
    double margin = thorough() ? 0.01 : utilisation > 0.8 ? 0.08 : 0.03;
    struct stage stage;
    stage_init(&stage, requests / rate);
    stage_open(&stage, rate, GAPS_POISSON);
    stage.keep = false;
    stage.plan.interval_ns = 100 * NSEC_PER_SEC;
    stage.testbed.law.kind = kind;
    stage.testbed.law.service_ns = (nsec_t)(service_s * 1e9);
    stage.testbed.law.servers = servers;
    stage.testbed.law.seed = 7;
    stage_play(&stage);
    bool fixed = kind == LAW_MD1;
    double mean =
        fixed ? md1_response_mean(rate, service_s) : mmc_response_mean(servers, rate, service_s);
    double p95 = fixed ? md1_response_quantile(rate, service_s, .95)
                       : mmc_response_quantile(servers, rate, service_s, .95);
    print_message("    %s servers %u utilisation %.2f: %llu requests\n", fixed ? "M/D" : "M/M",
                  servers, utilisation, (unsigned long long)stage_count(&stage, COUNT_SUCCEEDED));
    within("mean response s", stage_mean(&stage, HIST_RESPONSE), mean, margin);
    within("p95 response s", stage_quantile(&stage, HIST_RESPONSE, .95), p95, margin + 0.004);
    assert_int_equal(stage_count(&stage, COUNT_OFFERED), stage_count(&stage, COUNT_SUCCEEDED));
    assert_int_equal(stage_count(&stage, COUNT_LATE), 0);
    stage_fini(&stage);
}

static void mm1(void **state)
{
    (void)state;
    open_cell(LAW_MMC, 1, 0.5);
    open_cell(LAW_MMC, 1, 0.7);
    open_cell(LAW_MMC, 1, 0.85);
}

static void mm2(void **state)
{
    (void)state;
    open_cell(LAW_MMC, 2, 0.5);
    open_cell(LAW_MMC, 2, 0.7);
    open_cell(LAW_MMC, 2, 0.85);
}

static void md1(void **state)
{
    (void)state;
    open_cell(LAW_MD1, 1, 0.5);
    open_cell(LAW_MD1, 1, 0.7);
    open_cell(LAW_MD1, 1, 0.85);
}

/* N = X (R + Z), X counted by the server, Z the configured mean, over at least 200 (R + Z). */
static void little_cell(double users, double think_s, double busy_s)
{
    struct stage stage;
    double cycle_s = fmax(think_s + busy_s, users * busy_s);
    stage_init(&stage, 20000 * cycle_s);
    stage_closed(&stage, users, think_s);
    stage.keep = false;
    stage.scenario.graceful_stop_ns = 0;
    stage.testbed.law.kind = LAW_MMC;
    stage.testbed.law.servers = 1;
    stage.testbed.law.service_ns = (nsec_t)(busy_s * 1e9);
    stage_play(&stage);
    double seconds = (double)(stage.ended_ns - stage.begun_ns) / 1e9;
    double rate = (double)stage.counts.departures / seconds;
    double response_s = stage_mean(&stage, HIST_RESPONSE);
    print_message("    %g users, think %g s, service %g s: R %.4f s\n", users, think_s, busy_s,
                  response_s);
    within("X (R + Z)", rate * (response_s + think_s), users, 0.01);
    stage_fini(&stage);
}

static void littles_law_holds(void **state)
{
    (void)state;
    little_cell(20, 1.0, 0.010);
    little_cell(50, 0.2, 0.020); /* R > Z */
}

/* The same seed gives the same run, to the nanosecond; another seed another. */
static void runs_repeat(void **state)
{
    (void)state;
    double sums[3];
    for (int run = 0; run < 3; run++) {
        struct stage stage;
        stage_init(&stage, 200);
        stage_open(&stage, 50, GAPS_POISSON);
        stage.plan.seed = run == 2 ? 43 : 42;
        stage.testbed.law.kind = LAW_MMC;
        stage.testbed.law.service_ns = 10 * NSEC_PER_MSEC;
        stage_play(&stage);
        sums[run] = 0;
        for (size_t i = 0; i < stage.seen_count; i++)
            sums[run] += (double)(stage.seen[i].end_ns - stage.begun_ns) * (double)(i % 7 + 1);
        stage_fini(&stage);
    }
    assert_true(sums[0] == sums[1]);
    assert_true(sums[0] != sums[2]);
}

/* An hour of 1,000 users takes seconds. */
static void an_hour_of_a_thousand_users(void **state)
{
    (void)state;
    struct stage stage;
    stage_init(&stage, 3600);
    stage_closed(&stage, 1000, 10);
    stage.keep = false;
    stage.testbed.law.kind = LAW_EXPONENTIAL;
    stage.testbed.law.service_ns = 500 * NSEC_PER_MSEC;
    stage_play(&stage);
    double expected = 1000 * 3600 / 10.5;
    within("requests", (double)stage_count(&stage, COUNT_SUCCEEDED), expected, 0.01);
    within("mean response s", stage_mean(&stage, HIST_RESPONSE), 0.5, 0.01);
    stage_fini(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mm1),         cmocka_unit_test(mm2),
        cmocka_unit_test(md1),         cmocka_unit_test(littles_law_holds),
        cmocka_unit_test(runs_repeat), cmocka_unit_test(an_hour_of_a_thousand_users),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
