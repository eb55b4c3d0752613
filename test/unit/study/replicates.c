/* Replicates together, against intervals worked out by hand. */
#include "study/replicates.h"

#include "base/memory.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
/* cmocka needs what stands above it. */
/* clang-format off */
#include <cmocka.h>
/* clang-format on */

static void assert_near(double value, double wanted)
{
    assert_true(fabs(value - wanted) <= 1e-5);
}

static void add(struct level_series *series, double users, double rate, double p95_s)
{
    struct level *level = series_add(series);
    level->users = users;
    level->throughput = rate;
    level->p95_s = p95_s;
    level->replicate = (uint32_t)series->level_count;
}

/* The factors are qt(0.975, 2) = 4.302653 and qt(0.975, 1) = 12.706205. */
static void the_interval_is_students(void **state)
{
    (void)state;
    const double three[] = {102.5, 98.1, NAN, 101.2}, two[] = {3, 5}, one[] = {7, NAN};
    struct replicates_figure figure = replicates_figure_of(three, 4);
    assert_near(figure.mean, 100.6);
    assert_near(figure.mean - figure.low, 5.615470);
    assert_near(figure.high - figure.mean, 5.615470);
    figure = replicates_figure_of(two, 2);
    assert_near(figure.high, 4 + 12.706205);
    assert_near(figure.low, 0); /* cut: no rate is negative */
    assert_true(isnan(replicates_figure_of(one, 2).mean));
}

static void only_the_same_load_belongs_together(void **state)
{
    (void)state;
    struct suite *suite = suite_new();
    struct level_series *series = suite_add(suite, SUITE_PROGRESSION, "progression");
    add(series, 20, 200, 0.2);
    add(series, 10, 102.5, 0.1);
    add(series, 30, 300, 0.3);
    add(series, 10, 98.1, 0.1);
    add(series, 20, 1, 9); /* stopped: says nothing */
    series->levels[4].state = LEVEL_STOPPED;
    add(series, 10, 101.2, 0.1);
    add(series, 20, 210, NAN);
    add(series, 30, 10, 9); /* the generator's figure, and not the target's */
    series->levels[7].generator = 2;
    struct replicates *found = NULL;
    assert_int_equal(replicates_find(series, &found), 2);
    assert_near(found[0].first->users, 20);
    assert_int_equal(found[0].count, 2);
    assert_near(found[0].throughput.mean, 205);
    assert_true(isnan(found[0].p95_s.mean));
    assert_near(found[1].first->users, 10);
    assert_int_equal(found[1].count, 3);
    assert_near(found[1].throughput.mean, 100.6);
    assert_near(found[1].p95_s.low, 0.1);
    free(found);
    suite_free(suite);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_interval_is_students),
        cmocka_unit_test(only_the_same_load_belongs_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
