/* Levels of a result made by hand: its counts, times, gauges and what was watched. */
#include "study/level.h"

#include "fixture.h"
#include "study/kept.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* cmocka needs what stands above it. */
/* clang-format off */
#include <cmocka.h>
/* clang-format on */

#define assert_near(value, expected, reach) assert_true(fabs((value) - (expected)) <= (reach))

/* 100 answers a second of 101 to 200 ms; from second 20 on 9 times 503 and a timeout of 60 s. */
static struct second chat(int t)
{
    return (struct second){
        .times = 100, .first_ms = 101, .status_503 = t < 20 ? 0 : 9, .timed_out = t < 20 ? 0 : 1};
}

static struct second nothing(int t)
{
    (void)t;
    return (struct second){0};
}

/* A third of a second is spent in the system by each answer's mean of 150.5 ms: 15.05 inside. */
static struct result *made(void)
{
    struct result *result = new_result(chat, nothing);
    result->end_ns = POINTS * NSEC_PER_SEC;
    for (size_t i = 0; i < result->point_count; i++) {
        result->points[i].gauges[GAUGE_IN_FLIGHT] = 12;
        result->points[i].gauges[GAUGE_WAITING] = 3.05;
        result->points[i].gauges[GAUGE_USERS] = 50;
    }
    return result;
}

static void a_stretch_by_hand(void **state)
{
    (void)state;
    struct result *result = made();
    struct suite *suite = suite_new();
    struct level *level = series_add(suite_add(suite, SUITE_PROGRESSION, "a"));
    level->users = 50;
    level_measure(result, 10 * NSEC_PER_SEC, 20 * NSEC_PER_SEC, level);
    assert_int_equal(level->requests, 1000);
    assert_int_equal(level->failed, 0);
    assert_near(level->measured_s, 10, 1e-9);
    assert_near(level->throughput, 100, 1e-9);
    assert_near(level->mean_s, 0.1505, 1e-9);
    assert_near(level->service_s, 0.07525, 1e-9);
    assert_near(level->p50_s, 0.150, 0.001);
    assert_near(level->p95_s, 0.195, 0.001);
    assert_near(level->p99_s, 0.199, 0.001); /* 299 are needed, 1,000 are there */
    assert_near(level->most_s, 0.2, 1e-9);
    assert_near(level->concurrency, 15.05, 1e-9);
    assert_near(level->little, 0, 1e-9);            /* 100/s x 0.1505 s = 15.05 */
    assert_near(level->think_s, 34.95 / 100, 1e-9); /* 50 users, of whom 15.05 are served */
    assert_near(level->error_share, 0, 1e-12);
    assert_true(isnan(level->goodput) && isnan(level->ttft_p95_s));
    suite_free(suite);
    result_free(result);
}

static void failures_have_their_names(void **state)
{
    (void)state;
    struct result *result = made();
    struct suite *suite = suite_new();
    struct level *level = series_add(suite_add(suite, SUITE_PROGRESSION, "a"));
    level_measure(result, 20 * NSEC_PER_SEC, 30 * NSEC_PER_SEC, level);
    assert_int_equal(level->requests, 1100);
    assert_int_equal(level->failed, 100);
    assert_int_equal(level->timed_out, 10);
    assert_near(level->error_share, 100.0 / 1100, 1e-12);
    assert_near(level->timeout_share, 10.0 / 1100, 1e-12);
    assert_near(level->throughput, 100, 1e-9);
    assert_near(level->most_s, 60, 1e-9);
    assert_true(isnan(level->think_s)); /* of open load there is none */
    size_t found = 0;
    for (size_t i = 0; i < level->error_count; i++) {
        found += strcmp(level->errors[i].words, "503") == 0 && level->errors[i].count == 90;
        found += strcmp(level->errors[i].words, "timeout") == 0 && level->errors[i].count == 10;
    }
    assert_int_equal(found, 2);
    suite_free(suite);
    result_free(result);
}

/* Six requests carry a median, 59 a 95th percentile. */
static void few_requests_carry_no_percentile(void **state)
{
    (void)state;
    struct result *result = made();
    struct suite *suite = suite_new();
    struct level *level = series_add(suite_add(suite, SUITE_PROGRESSION, "a"));
    level_measure(result, 3 * NSEC_PER_SEC, 4 * NSEC_PER_SEC, level);
    assert_int_equal(level->requests, 100);
    assert_near(level->p95_s, 0.195, 0.001);
    assert_true(isnan(level->p99_s));
    suite_free(suite);
    result_free(result);
}

static void a_run_with_levels_is_a_suite(void **state)
{
    (void)state;
    struct result *result = made();
    struct suite *suite = suite_of_run(result, 0.2);
    assert_int_equal(suite->series_count, 1);
    assert_int_equal(suite->series[0].kind, SUITE_RUN);
    assert_int_equal(suite->series[0].level_count, PHASES);
    assert_near(suite->series[0].levels[1].users, 50, 1e-9);
    assert_near(suite->series[0].levels[1].throughput, 100, 1e-9);
    assert_near(suite->series[0].levels[1].goodput, 100, 1e-9);
    suite_free(suite);
    suite = suite_of_run(result, 0.1505); /* 101 to 150 ms: half of them, to a bucket */
    assert_near(suite->series[0].levels[1].goodput, 50, 1);
    suite_free(suite);
    for (size_t i = 0; i < result->phase_count; i++)
        result->phases[i].level = false;
    suite = suite_of_run(result, 0.2);
    assert_int_equal(suite->series[0].level_count, 1);
    assert_int_equal(suite->series[0].levels[0].requests, 3100);
    suite_free(suite);
    result_free(result);
}

/* A run whose generator was saturated from second 20 on: that says nothing against what was
 * measured before, but leaves a doubt. */
static void the_generator_is_judged_by_the_level(void **state)
{
    (void)state;
    static char name[] = "generator.verdict", value[] = "saturated";
    struct result *result = made();
    struct suite *suite = suite_new();
    struct level *level = series_add(suite_add(suite, SUITE_PROGRESSION, "a"));
    struct result_fact *facts = result->facts, fact = {.name = name, .value = value};
    size_t count = result->fact_count;
    result->facts = &fact;
    result->fact_count = 1;
    for (size_t i = 20; i < result->point_count; i++)
        result->points[i].saturated = true;
    level_measure(result, 0, 20 * NSEC_PER_SEC, level);
    assert_int_equal(level->generator, 1);
    level_measure(result, 20 * NSEC_PER_SEC, 30 * NSEC_PER_SEC, level);
    assert_int_equal(level->generator, 2);
    result->facts = facts;
    result->fact_count = count;
    suite_free(suite);
    result_free(result);
}

static struct second warming(int t)
{
    return (struct second){.times = t < 10 ? 10 : 100, .first_ms = 101};
}

/* With too few points for MSER-5 a fifth is cut; what then drifts is not steady. */
static void what_is_kept_is_steady_or_says_why(void **state)
{
    (void)state;
    struct kept kept;
    struct result *result = made();
    kept_find(result, 0, 30 * NSEC_PER_SEC, 0.01, &kept);
    assert_string_equal(kept.words, "");
    assert_true(kept.steady);
    assert_int_equal(kept.begin_ns, 6 * NSEC_PER_SEC);
    assert_int_equal(kept.end_ns, 30 * NSEC_PER_SEC);
    assert_int_equal(kept.requests, 24 * 100 + 100);
    result_free(result);
    result = new_result(warming, nothing);
    kept_find(result, 0, 30 * NSEC_PER_SEC, 0.01, &kept);
    assert_false(kept.steady);
    assert_non_null(strstr(kept.words, "throughput moved in a step"));
    result_free(result);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stretch_by_hand),
        cmocka_unit_test(failures_have_their_names),
        cmocka_unit_test(few_requests_carry_no_percentile),
        cmocka_unit_test(a_run_with_levels_is_a_suite),
        cmocka_unit_test(the_generator_is_judged_by_the_level),
        cmocka_unit_test(what_is_kept_is_steady_or_says_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
