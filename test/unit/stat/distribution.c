/* Draws against closed-form distribution functions (Kolmogorov and Smirnov) and moments; the normal
 * quantile against values computed with 40 digits. */
#include "stat/distribution.h"

#include "base/memory.h"

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

enum { DRAWS = 100000 };

static int by_value(const void *one, const void *other)
{
    double a = *(const double *)one, b = *(const double *)other;
    return (a > b) - (a < b);
}

static double uniform_share(double x)
{
    return (x - 2) / 3;
}

static double exponential_share(double x)
{
    return -expm1(-x / 0.25);
}

static double normal_share(double x)
{
    return 0.5 * erfc(-(x - 3) / (0.5 * M_SQRT2));
}

static double lognormal_share(double x)
{
    return 0.5 * erfc(-log(x / 3) / (log(8.0 / 3) / 1.6448536269514722) / M_SQRT2);
}

/* Gamma of shape 3 and mean 6: the third of three exponential steps of mean 2. */
static double gamma_three_share(double x)
{
    double t = x / 2;
    return 1 - exp(-t) * (1 + t + t * t / 2);
}

/* Gamma of shape 1/2 and mean 1/2: the square of a normal number, halved. */
static double gamma_half_share(double x)
{
    return erf(sqrt(x));
}

static double pareto_share(double x)
{
    return 1 - pow(2 / x, 2.5);
}

struct row {
    struct distribution distribution;
    double (*share)(double x);
};

static const struct row rows[] = {
    {{.spread = SPREAD_UNIFORM, .a = 2, .b = 5}, uniform_share},
    {{.spread = SPREAD_EXPONENTIAL, .a = 0.25}, exponential_share},
    {{.spread = SPREAD_NORMAL, .a = 3, .b = 0.5, .least = -1e9}, normal_share},
    {{.spread = SPREAD_LOGNORMAL, .a = 3, .b = 8}, lognormal_share},
    {{.spread = SPREAD_GAMMA, .a = 6, .b = 3}, gamma_three_share},
    {{.spread = SPREAD_GAMMA, .a = 0.5, .b = 0.5}, gamma_half_share},
    {{.spread = SPREAD_PARETO, .a = 2, .b = 2.5}, pareto_share},
};

static void draws_follow_their_law(void **state)
{
    (void)state;
    double *draws = memory_new(DRAWS, sizeof(*draws));
    for (size_t r = 0; r < sizeof(rows) / sizeof(*rows); r++) {
        struct random random = {.key = random_key(11, "ks", r)};
        double sum = 0, squares = 0, distance = 0;
        for (size_t i = 0; i < DRAWS; i++) {
            draws[i] = distribution_draw(&rows[r].distribution, &random);
            sum += draws[i];
            squares += draws[i] * draws[i];
        }
        qsort(draws, DRAWS, sizeof(*draws), by_value);
        for (size_t i = 0; i < DRAWS; i++) {
            double share = rows[r].share(draws[i]);
            distance = fmax(distance, fabs(share - (double)i / DRAWS));
            distance = fmax(distance, fabs(share - (double)(i + 1) / DRAWS));
        }
        if (distance > 1.63 / sqrt(DRAWS)) /* 1 % level */
            fail_msg("row %zu: distance %g", r, distance);
        double mean = sum / DRAWS;
        double error = sqrt((squares / DRAWS - mean * mean) / DRAWS);
        if (fabs(mean - distribution_mean(&rows[r].distribution)) > 4 * error)
            fail_msg("row %zu: mean %g", r, mean);
    }
    free(draws);
}

static void gamma_of_shape_one_is_exponential(void **state)
{
    (void)state;
    struct distribution gamma = {.spread = SPREAD_GAMMA, .a = 0.25, .b = 1};
    struct random random = {.key = random_key(12, "gamma", 0)};
    size_t below = 0;
    for (size_t i = 0; i < DRAWS; i++)
        below += distribution_draw(&gamma, &random) < 0.25 * log(2);
    assert_true(fabs((double)below / DRAWS - 0.5) < 4 * 0.5 / sqrt(DRAWS));
}

static void draws_are_cut(void **state)
{
    (void)state;
    struct distribution cut = {.spread = SPREAD_NORMAL, .a = 1, .b = 1, .least = 0.5, .most = 1.25};
    struct distribution uncut = {.spread = SPREAD_NORMAL, .a = 1, .b = 1};
    struct random random = {.key = random_key(13, "cut", 0)}, again = random;
    int low = 0, high = 0;
    for (int i = 0; i < 1000; i++) {
        double value = distribution_draw(&cut, &random);
        assert_true(value >= 0.5 && value <= 1.25);
        low += value == 0.5;
        high += value == 1.25;
        assert_true(distribution_draw(&uncut, &again) >= 0); /* never a negative time */
    }
    assert_true(low > 200 && high > 300); /* .31 and .40 of the normal lie beyond the cuts */
}

static void fixed_and_none(void **state)
{
    (void)state;
    struct random random = {.key = 1};
    struct distribution fixed = {.spread = SPREAD_FIXED, .a = 2.5};
    struct distribution none = {.spread = SPREAD_NONE, .a = 2.5, .least = 1};
    assert_true(distribution_draw(&fixed, &random) == 2.5);
    assert_true(distribution_draw(&none, &random) == 0);
    assert_true(distribution_mean(&fixed) == 2.5);
    assert_true(distribution_mean(&none) == 0);
    struct distribution heavy = {.spread = SPREAD_PARETO, .a = 1, .b = 1};
    assert_true(isinf(distribution_mean(&heavy)));
}

static void scaled_draws_are_the_same_in_another_unit(void **state)
{
    (void)state;
    for (size_t r = 0; r < sizeof(rows) / sizeof(*rows); r++) {
        struct distribution scaled = rows[r].distribution;
        struct random one = {.key = 5}, other = one;
        distribution_scale(&scaled, 0.25);
        for (int i = 0; i < 100; i++) {
            double whole = distribution_draw(&rows[r].distribution, &one);
            assert_true(fabs(distribution_draw(&scaled, &other) - whole / 4) <=
                        1e-12 * fabs(whole));
        }
    }
    struct distribution cut = {.spread = SPREAD_NORMAL, .a = 2, .b = 9, .least = 1, .most = 3};
    distribution_scale(&cut, 10);
    assert_true(cut.least == 10 && cut.most == 30);
}

static void draws_depend_on_the_sequence_only(void **state)
{
    (void)state;
    for (size_t r = 0; r < sizeof(rows) / sizeof(*rows); r++) {
        struct random one = {.key = 99, .counter = 7}, other = one;
        for (int i = 0; i < 100; i++)
            assert_true(distribution_draw(&rows[r].distribution, &one) ==
                        distribution_draw(&rows[r].distribution, &other));
    }
}

/* The exact quantiles of the nearest doubles, by mpmath with 40 digits; qnorm(.975) as R has it. */
static void normal_quantiles_are_exact(void **state)
{
    (void)state;
    static const double known[][2] = {
        {1e-300, -37.047096299361199},        {1e-20, -9.2623400897984075796},
        {1e-9, -5.9978070150076868614},       {0.001, -3.0902323061678135354},
        {0.02425, -1.9729610513118848376},    {0.3, -0.52440051270804081597},
        {0.4999, -0.00025066283008800749239}, {0.75, 0.67448975019608174320},
        {0.95, 1.6448536269514727149},        {0.975, 1.9599639845400542355},
        {0.999999, 4.7534243088170877657},
    };
    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
        double found = normal_quantile(known[i][0]);
        if (fabs(found - known[i][1]) > 1e-15 * fabs(known[i][1]))
            fail_msg("%g: %.17g, not %.17g", known[i][0], found, known[i][1]);
    }
    assert_true(normal_quantile(0.5) == 0);
    assert_true(isinf(normal_quantile(0)) && isinf(normal_quantile(1)));
    assert_true(isnan(normal_quantile(-0.1)) && isnan(normal_quantile(NAN)));
    for (double p = 0.001; p < 0.5; p += 0.001)
        assert_true(fabs(normal_quantile(p) + normal_quantile(1 - p)) < 1e-13);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(draws_follow_their_law),
        cmocka_unit_test(gamma_of_shape_one_is_exponential),
        cmocka_unit_test(draws_are_cut),
        cmocka_unit_test(fixed_and_none),
        cmocka_unit_test(scaled_draws_are_the_same_in_another_unit),
        cmocka_unit_test(draws_depend_on_the_sequence_only),
        cmocka_unit_test(normal_quantiles_are_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
