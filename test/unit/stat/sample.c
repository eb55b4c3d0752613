/* Samples against figures of numpy 1.24 (percentile with its default "linear", and with
 * "inverted_cdf"), R's type 7 and type 1. */
#include "stat/sample.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs what stands above it. */
/* clang-format off */
#include <cmocka.h>
/* clang-format on */

static void near(double value, double truth)
{
    if (fabs(value - truth) > 1e-12 * fmax(1, fabs(truth)))
        fail_msg("%.17g is not %.17g", value, truth);
}

/* np.percentile([3, 1, 4, 1, 5, 9, 2, 6], ...) */
static void test_quantiles(void **state)
{
    const double values[] = {3, 1, 4, 1, 5, 9, 2, 6};
    struct sample sample = {.count = 0};
    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        sample_add(&sample, values[i]);
    near(sample_mean(&sample), 3.875);
    near(sample_deviation(&sample), 2.5708704751503917);
    sample_sort(&sample);
    near(sample_between(&sample, 0), 1);
    near(sample_between(&sample, 0.5), 3.5);
    near(sample_between(&sample, 0.9), 6.9);
    near(sample_between(&sample, 0.99), 8.79);
    near(sample_between(&sample, 1), 9);
    near(sample_rank(&sample, 0.5), 3);
    near(sample_rank(&sample, 0.51), 4);
    near(sample_rank(&sample, 0.875), 6);
    near(sample_rank(&sample, 0.99), 9);
    near(sample_rank(&sample, 0), 1);
    sample_fini(&sample);
}

/* Definitions differ: of these ten, R's type 1 says 9, and type 7 says 7.65. */
static void test_definitions(void **state)
{
    const double values[] = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3};
    struct sample sample = {.count = 0};
    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        sample_add(&sample, values[i]);
    sample_sort(&sample);
    near(sample_rank(&sample, 0.95), 9);
    near(sample_between(&sample, 0.95), 7.65);
    sample_fini(&sample);
}

static void test_few(void **state)
{
    struct sample sample = {.count = 0};
    (void)state;
    assert_true(isnan(sample_mean(&sample)) && isnan(sample_between(&sample, 0.5)));
    assert_true(isnan(sample_rank(&sample, 0.5)) && isnan(sample_deviation(&sample)));
    sample_add(&sample, 7);
    near(sample_between(&sample, 0.99), 7);
    near(sample_rank(&sample, 0.01), 7);
    near(sample_deviation(&sample), 0);
    sample_fini(&sample);
}

/* 1e16 + 10,000 ones - 1e16: a plain sum in doubles says 0 or 16384. */
static void test_sum_keeps_small_ones(void **state)
{
    struct sample sample = {.count = 0};
    (void)state;
    sample_add(&sample, 1e16);
    for (int i = 0; i < 10000; i++)
        sample_add(&sample, 1);
    sample_add(&sample, -1e16);
    near(sample_sum(&sample), 10000);
    sample_fini(&sample);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quantiles),
        cmocka_unit_test(test_definitions),
        cmocka_unit_test(test_few),
        cmocka_unit_test(test_sum_keeps_small_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
