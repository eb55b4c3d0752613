/* When users join and arrivals come: courses against closed forms, arrivals against the law that
 * they claim to follow and against themselves for other numbers of threads, decks against exact
 * shares. */
#include "load/arrival.h"
#include "load/course.h"
#include "load/deck.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const nsec_t second = NSEC_PER_SEC;

static void assert_close(double value, double expected, double by)
{
    if (fabs(value - expected) <= by)
        return;
    print_error("%g is not within %g of %g\n", value, by, expected);
    fail();
}

static struct plan_scenario scenario(enum executor executor, struct plan_stage *stages,
                                     size_t count)
{
    return (struct plan_scenario){
        .name = (char[]){"s"}, .executor = executor, .stages = stages, .stage_count = count};
}

static void ramps_are_straight_lines(void **state)
{
    (void)state;
    struct plan_stage stages[] = {{.duration_ns = 10 * second, .target = 10},
                                  {.duration_ns = 20 * second, .target = 10},
                                  {.duration_ns = 5 * second, .target = 0}};
    struct plan_scenario plan = scenario(EXECUTOR_RAMPING_VUS, stages, 3);
    struct course course;
    course_init(&course, &plan);
    assert_close(course_at(&course, 5 * second), 5, 1e-9);
    assert_close(course_at(&course, 15 * second), 10, 1e-9);
    assert_close(course_at(&course, 32 * second + second / 2), 5, 1e-9);
    assert_int_equal(course_end(&course), 35 * second);
    for (int user = 0; user < 10; user++) {
        assert_int_equal(course_reaches(&course, user + 1, 0), (user + 1) * second);
        nsec_t falls_ns = course_falls_below(&course, user + 1, 20 * second);
        nsec_t due_ns = 30 * second + (9 - user) * second / 2;
        assert_true(falls_ns >= due_ns && falls_ns < due_ns + 1000);
        /* An instant that the course gives must also test as passed: else its timer would never
         * rest. */
        assert_true(course_at(&course, falls_ns) < user + 1 - 1e-9);
    }
    assert_true(course_reaches(&course, 10.5, 0) == NSEC_NEVER);
    course_fini(&course);
}

static void a_jump_at_a_spawn_rate_rises_at_it(void **state)
{
    (void)state;
    struct plan_stage stages[] = {{.duration_ns = 60 * second, .target = 100, .jump = true}};
    struct plan_scenario plan = scenario(EXECUTOR_CONSTANT_VUS, stages, 1);
    plan.spawn_rate = 5;
    plan.start_time_ns = 3 * second;
    struct course course;
    course_init(&course, &plan);
    assert_close(course_at(&course, 2 * second), 0, 1e-9);
    assert_close(course_at(&course, 13 * second), 50, 1e-6);
    assert_close(course_at(&course, 23 * second), 100, 1e-6);
    assert_int_equal(course_reaches(&course, 1, 0), 3 * second + second / 5);
    assert_int_equal(course_end(&course), 63 * second);
    course_fini(&course);
}

/* On a ramp from 0 to r over d, arrival n comes at sqrt(2 n d / r). */
static void the_first_users_are_spawned_too(void **state)
{
    (void)state;
    struct plan_stage stages[] = {{.duration_ns = 20 * second, .target = 50, .jump = true}};
    struct plan_scenario plan = scenario(EXECUTOR_CONSTANT_VUS, stages, 1);
    plan.start_target = 50; /* as the plan says it of a constant load */
    plan.spawn_rate = 5;
    struct course course;
    course_init(&course, &plan);
    assert_close(course_at(&course, 4 * second), 20, 1e-9);
    assert_close(course_at(&course, 15 * second), 50, 1e-9);
    assert_true(course_reaches(&course, 50, 0) == 10 * second);
    assert_close(scenario_target_at(&plan, 4 * second), 20, 1e-9);
    course_fini(&course);
    plan.spawn_rate = 0;
    course_init(&course, &plan);
    assert_true(course_reaches(&course, 50, 0) == 0);
    assert_close(scenario_target_at(&plan, 0), 50, 1e-9);
    course_fini(&course);
}

static void constant_gaps_follow_the_area(void **state)
{
    (void)state;
    struct plan_stage stages[] = {{.duration_ns = 100 * second, .target = 50},
                                  {.duration_ns = 100 * second, .target = 50}};
    struct plan_scenario plan = scenario(EXECUTOR_RAMPING_ARRIVAL_RATE, stages, 2);
    struct course course;
    struct arrivals *arrivals;
    course_init(&course, &plan);
    arrivals = arrivals_new(&plan, &course, 1);
    for (uint64_t n = 0; n < 2500; n += 13) {
        double expected_s = sqrt(2 * (double)n * 100 / 50);
        assert_true(fabs((double)arrivals_instant(arrivals, n) / 1e9 - expected_s) < 1e-6);
    }
    assert_true(fabs((double)arrivals_instant(arrivals, 5000) / 1e9 - 150) < 1e-6);
    assert_true(arrivals_instant(arrivals, 7499) < 200 * second);
    assert_true(arrivals_instant(arrivals, 7500) == NSEC_NEVER);
    arrivals_free(arrivals);
    course_fini(&course);
}

/* Mean and squared coefficient of variation of gaps; and Kolmogorov-Smirnov against the
 * exponential. */
static void random_gaps_have_their_law(void **state)
{
    (void)state;
    static const struct {
        enum gaps gaps;
        double burstiness, variation;
    } cases[] = {
        {GAPS_POISSON, 0, 1}, {GAPS_GAMMA, 1, 1}, {GAPS_GAMMA, 0.5, 2}, {GAPS_GAMMA, 4, 0.25}};
    enum { COUNT = 200000 };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        struct plan_stage stages[] = {
            {.duration_ns = 1000000 * second, .target = 100, .jump = true}};
        struct plan_scenario plan = scenario(EXECUTOR_CONSTANT_ARRIVAL_RATE, stages, 1);
        plan.gaps = cases[c].gaps;
        plan.burstiness = cases[c].burstiness;
        struct course course;
        course_init(&course, &plan);
        struct arrivals *arrivals = arrivals_new(&plan, &course, 77);
        double sum = 0, squares = 0, last_s = 0;
        size_t below_mean = 0;
        for (uint64_t n = 0; n < COUNT; n++) {
            double at_s = (double)arrivals_instant(arrivals, n) / 1e9;
            double gap = (at_s - last_s) * 100;
            assert_true(gap >= 0);
            sum += gap;
            squares += gap * gap;
            below_mean += gap < 1;
            last_s = at_s;
        }
        double mean = sum / COUNT, variation = (squares / COUNT - mean * mean) / (mean * mean);
        assert_close(mean, 1, 4 * sqrt(cases[c].variation / COUNT));
        assert_close(variation, cases[c].variation, 0.03 * (1 + cases[c].variation));
        if (cases[c].variation == 1) /* P(exponential < mean) = 1 - 1/e */
            assert_close((double)below_mean / COUNT, 1 - exp(-1), 0.005);
        arrivals_free(arrivals);
        course_fini(&course);
    }
}

/* The share of gamma gaps of mean 1 and this shape that are at most x; shapes of a half (chi-square
 * of one degree) and of whole numbers (Erlang) have it in closed form. */
static double gamma_share(double shape, double x)
{
    double term = exp(-shape * x), sum = 0;
    if (shape < 1)
        return erf(sqrt(x * shape));
    for (int i = 0; i < (int)shape; i++) {
        sum += term;
        term *= shape * x / (i + 1);
    }
    return 1 - sum;
}

static int compare_doubles(const void *one, const void *other)
{
    double a = *(const double *)one, b = *(const double *)other;
    return (a > b) - (a < b);
}

/* vLLM's burstiness is the shape of the gaps. Their squared coefficient of variation is 1 / shape;
 * its estimate from n gaps has the standard deviation sqrt((2 + 6 / shape) / n) / shape at most
 * (normal theory with the gamma's excess kurtosis), of which five are allowed. Kolmogorov and
 * Smirnov: 1.95 / sqrt(n) is passed once in a thousand times; the key is fixed. */
static void burstiness_is_the_shape_of_the_gaps(void **state)
{
    (void)state;
    enum { COUNT = 50000 };
    static const double shapes[] = {0.5, 1, 2, 8};
    double *gaps = calloc(COUNT, sizeof *gaps);
    assert_non_null(gaps);
    for (size_t c = 0; c < sizeof shapes / sizeof *shapes; c++) {
        struct plan_stage stages[] = {
            {.duration_ns = 1000000 * second, .target = 10, .jump = true}};
        struct plan_scenario plan = scenario(EXECUTOR_CONSTANT_ARRIVAL_RATE, stages, 1);
        struct course course;
        plan.gaps = GAPS_GAMMA;
        plan.burstiness = shapes[c];
        course_init(&course, &plan);
        struct arrivals *arrivals = arrivals_new(&plan, &course, 5);
        double last_s = 0, sum = 0, squares = 0, furthest = 0;
        for (uint64_t n = 0; n < COUNT; n++) {
            double at_s = (double)arrivals_instant(arrivals, n) / 1e9;
            gaps[n] = (at_s - last_s) * 10;
            sum += gaps[n];
            squares += gaps[n] * gaps[n];
            last_s = at_s;
        }
        double mean = sum / COUNT, variation = squares / COUNT / (mean * mean) - 1;
        assert_close(variation, 1 / shapes[c], 5 * sqrt((2 + 6 / shapes[c]) / COUNT) / shapes[c]);
        qsort(gaps, COUNT, sizeof *gaps, compare_doubles);
        for (size_t i = 0; i < COUNT; i++)
            furthest =
                fmax(furthest, fabs(gamma_share(shapes[c], gaps[i]) - ((double)i + 0.5) / COUNT));
        assert_true(furthest < 1.95 / sqrt(COUNT));
        arrivals_free(arrivals);
        course_fini(&course);
    }
    free(gaps);
}

/* Taken by any number of threads in any order, the sequence is the same. */
static void the_sequence_does_not_depend_on_threads(void **state)
{
    (void)state;
    struct plan_stage stages[] = {{.duration_ns = 1000 * second, .target = 30, .jump = true}};
    struct plan_scenario plan = scenario(EXECUTOR_CONSTANT_ARRIVAL_RATE, stages, 1);
    plan.gaps = GAPS_POISSON;
    struct course course;
    course_init(&course, &plan);
    struct arrivals *one = arrivals_new(&plan, &course, 9);
    for (uint64_t threads = 2; threads <= 5; threads++) {
        for (uint64_t k = 0; k < threads; k++) {
            struct arrivals *part = arrivals_new(&plan, &course, 9);
            for (uint64_t n = k; n < 5000; n += threads)
                assert_int_equal(arrivals_instant(part, n), arrivals_instant(one, n));
            arrivals_free(part);
        }
    }
    nsec_t late_ns = arrivals_instant(one, 9000); /* back and forth over blocks */
    assert_int_equal(arrivals_instant(one, 9000), late_ns);
    assert_true(arrivals_instant(one, 3) < late_ns);
    arrivals_free(one);
    course_fini(&course);
}

static void a_trace_is_replayed(void **state)
{
    (void)state;
    nsec_t instants[] = {second / 2, 7 * second / 4, 9 * second / 4, 7 * second / 2};
    struct plan_stage stages[] = {{.duration_ns = 3 * second, .jump = true}};
    struct plan_scenario plan = scenario(EXECUTOR_REPLAY, stages, 1);
    struct course course;
    plan.instants = instants;
    plan.instant_count = 4;
    plan.start_time_ns = second;
    course_init(&course, &plan);
    struct arrivals *arrivals = arrivals_new(&plan, &course, 9);
    assert_int_equal(arrivals_instant(arrivals, 0), second + second / 2);
    assert_int_equal(arrivals_instant(arrivals, 1), second + 7 * second / 4);
    assert_true(arrivals_instant(arrivals, 3) == NSEC_NEVER); /* after the scenario's end */
    assert_true(arrivals_instant(arrivals, 4) == NSEC_NEVER);
    arrivals_free(arrivals);
    course_fini(&course);
}

/* A rate with a number of iterations ends with them, whatever the gaps. */
static void so_many_arrivals_and_no_more(void **state)
{
    (void)state;
    for (int gaps = GAPS_CONSTANT; gaps <= GAPS_GAMMA; gaps++) {
        struct plan_stage stages[] = {{.duration_ns = 1000 * second, .target = 30, .jump = true}};
        struct plan_scenario plan = scenario(EXECUTOR_CONSTANT_ARRIVAL_RATE, stages, 1);
        struct course course;
        plan.gaps = (enum gaps)gaps;
        plan.burstiness = 0.5;
        plan.iterations = 25;
        course_init(&course, &plan);
        struct arrivals *arrivals = arrivals_new(&plan, &course, 9);
        assert_true(arrivals_instant(arrivals, 24) < 100 * second);
        assert_true(arrivals_instant(arrivals, 25) == NSEC_NEVER);
        arrivals_free(arrivals);
        course_fini(&course);
    }
}

static void decks_never_stray_from_the_share(void **state)
{
    (void)state;
    static const uint32_t mixes[][4] = {{70, 20, 10, 0}, {7, 3, 0, 0},    {40, 40, 20, 0},
                                        {1, 0, 0, 0},    {13, 29, 58, 1}, {997, 1, 1, 1}};
    for (size_t m = 0; m < sizeof mixes / sizeof *mixes; m++) {
        size_t count = 0;
        double whole = 0;
        while (count < 4 && mixes[m][count])
            whole += mixes[m][count++];
        for (uint64_t key = 1; key < 20; key++) {
            struct deck deck;
            uint64_t dealt[4] = {0};
            deck_init(&deck, mixes[m], count, key);
            for (uint64_t n = 1; n <= 5000; n++) {
                dealt[deck_draw(&deck)]++;
                for (size_t i = 0; i < count; i++)
                    assert_true(fabs((double)dealt[i] - (double)n * mixes[m][i] / whole) <=
                                1 + 1e-9);
            }
            deck_fini(&deck);
        }
    }
}

static void decks_are_shuffled(void **state)
{
    (void)state;
    static const uint32_t mix[] = {1, 1, 1, 1};
    struct deck deck;
    uint64_t first[4] = {0};
    deck_init(&deck, mix, 4, 3);
    for (int n = 0; n < 4000; n++) {
        first[deck_draw(&deck)]++;
        for (int rest = 0; rest < 3; rest++)
            deck_draw(&deck);
    }
    for (int i = 0; i < 4; i++) /* each task leads some decks: the order is not fixed */
        assert_true(first[i] > 0);
    deck_fini(&deck);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ramps_are_straight_lines),
        cmocka_unit_test(a_jump_at_a_spawn_rate_rises_at_it),
        cmocka_unit_test(the_first_users_are_spawned_too),
        cmocka_unit_test(constant_gaps_follow_the_area),
        cmocka_unit_test(random_gaps_have_their_law),
        cmocka_unit_test(burstiness_is_the_shape_of_the_gaps),
        cmocka_unit_test(the_sequence_does_not_depend_on_threads),
        cmocka_unit_test(a_trace_is_replayed),
        cmocka_unit_test(so_many_arrivals_and_no_more),
        cmocka_unit_test(decks_never_stray_from_the_share),
        cmocka_unit_test(decks_are_shuffled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
