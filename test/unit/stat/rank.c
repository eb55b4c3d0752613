/* Ranks against R 4.2.2, and the promises of comparisons on seeded draws. */
#include "stat/rank.h"

#include "near.h"
#include "stat/distribution.h"

static const double permeability_x[] = {.80, .83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, .73, 1.46};
static const double permeability_y[] = {1.15, .88, .90, .74, 1.21};

static void permeability_as_in_r(void **state)
{
    (void)state;
    struct rank_test t;
    assert_int_equal(rank_compare(permeability_x, 10, permeability_y, 5, .95, &t), 0);
    assert_true(t.exact && !t.ties);
    assert_near(t.u, 35, 1e-15);
    assert_near(t.p_greater, .1272, 3e-4);
    assert_near(t.p, .2544, 3e-4);
    assert_near(t.p_normal, .2446, 3e-4);
    assert_near(t.p_normal_plain, .2206714, 3e-7);
    assert_near(t.shift, .305, 1e-12);
    assert_near(t.low, -.15, 1e-12);
    assert_near(t.high, .76, 1e-12);
    assert_near(t.common, .70, 1e-14);
    assert_near(t.cliff, .40, 1e-14);
    assert_true(t.coverage >= .95 && t.coverage < .98);
}

/* Variance with ties: m n / 12 (N + 1 - sum (t^3 - t) / (N (N - 1))); 2, 4 and 5 repeat. */
static void ties_are_corrected(void **state)
{
    (void)state;
    const double x[] = {1, 2, 2, 3, 5}, y[] = {2, 4, 4, 5, 6, 7};
    struct rank_test t;
    assert_int_equal(rank_compare(x, 5, y, 6, .95, &t), 0);
    assert_true(t.ties && !t.exact);
    assert_near(t.u, 5.5, 1e-15);
    double deviation = sqrt(30. / 12 * (12 - (24 + 6 + 6) / 110.));
    assert_near(t.p, erfc((15 - 5.5 - .5) / deviation / M_SQRT2), 1e-12);
    const double same[] = {3, 3, 3, 3};
    assert_int_equal(rank_compare(same, 4, same, 4, .95, &t), 0);
    assert_true(t.p == 1 && t.shift == 0);
}

static void small_groups_have_a_least_p(void **state)
{
    (void)state;
    const double least[] = {.1,       .0285714, .0079365, .0021645, 5.827505750582751e-4,
                            1.554e-4, 4.1135e-5};
    for (size_t n = 3; n <= 9; n++)
        assert_near(rank_least_p(n, n), least[n - 3], 2e-4);
    assert_near(rank_least_p(7, 7), 2 / 3432., 1e-12); /* 14 over 7 */
    assert_int_equal(rank_least_runs(.05), 4);
    assert_int_equal(rank_least_runs(.01), 5);
    const double x[] = {1, 2, 3}, y[] = {10, 11, 12};
    struct rank_test t;
    assert_int_equal(rank_compare(x, 3, y, 3, .95, &t), 0);
    assert_near(t.p, .1, 1e-12);
    assert_true(isinf(t.low) && isinf(t.high) && isnan(t.coverage));
    assert_int_equal(rank_compare(x, 0, y, 3, .95, &t), RANK_TOO_FEW);
}

static void the_exact_distribution_is_one(void **state)
{
    (void)state;
    /* R: pwilcox(20, 8, 9) = 0.06933; pwilcox(1000, 50, 40) by symmetry of the middle = .5 */
    assert_near(rank_share(999.5, 50, 40), 1 - rank_share(1000, 50, 40), 1e-9);
    assert_near(rank_share(2, 5, 5), 4 / 252., 1e-12);
    assert_near(rank_share(2500, 50, 50), 1, 1e-12);
    for (size_t m = 1; m < 6; m++)
        for (size_t n = 1; n < 6; n++)
            assert_near(rank_share(0, m, n),
                        rank_least_p(m, n) / 2 < .5 ? rank_least_p(m, n) / 2 : .5, 1e-12);
}

static void sizes_of_groups(void **state)
{
    (void)state;
    const double rows[][3] = {{.02, .02, 16.71}, {.02, .05, 99.08}, {.02, .10, 393.41},
                              {.05, .02, 3.76},  {.05, .05, 16.71}, {.05, .10, 63.77},
                              {.10, .02, 2.12},  {.10, .05, 5.09},  {.10, .10, 16.71}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_near(rank_runs_for(rows[i][0], rows[i][1], .05, .8), rows[i][2], 3e-3);
    /* What can be found with n runs needs n runs. */
    double shift = rank_detectable(20, 20, .05, .8);
    assert_near(rank_runs_for(shift, 1, .05, .8), 20 * .955, 1e-3);
}

static void several_questions(void **state)
{
    (void)state;
    double holm[] = {.01, .02, .03, .04, .05}, screened[] = {.01, .02, .03, .04, .05};
    const double wanted[] = {.05, .08, .09, .09, .09};
    rank_holm(holm, 5);
    rank_benjamini_hochberg(screened, 5);
    for (int i = 0; i < 5; i++) {
        assert_near(holm[i], wanted[i], 1e-12);
        assert_near(screened[i], .05, 1e-12);
    }
    double mixed[] = {.04, .01, .5};
    rank_holm(mixed, 3);
    assert_near(mixed[0], .08, 1e-12);
    assert_near(mixed[1], .03, 1e-12);
    assert_near(mixed[2], .5, 1e-12);
}

/* 1,000 comparisons of a system with itself, and of one that became 10 % slower, 5 runs a side at
 * 3 % noise. */
static void false_alarms_and_power(void **state)
{
    (void)state;
    struct random random = {.key = random_key(20261121, "a/a", 0)};
    const struct distribution noise = {.spread = SPREAD_NORMAL, .a = 100, .b = 3};
    int alarms = 0, found = 0, held = 0;
    for (int turn = 0; turn < 1000; turn++) {
        double base[5], same[5], slow[5];
        for (int i = 0; i < 5; i++) {
            base[i] = distribution_draw(&noise, &random);
            same[i] = distribution_draw(&noise, &random);
            slow[i] = distribution_draw(&noise, &random) * 1.1;
        }
        struct rank_test t;
        rank_compare(same, 5, base, 5, .95, &t);
        alarms += t.p < .05;
        held += t.low <= 0 && 0 <= t.high;
        assert_true((t.p < .05) == (t.low > 0 || t.high < 0));
        rank_compare(slow, 5, base, 5, .95, &t);
        found += t.p < .05 && t.low > 0;
    }
    assert_true(alarms <= 65);
    assert_true(held >= 935);
    assert_true(found >= 950);
}

static double mean(const double *values, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += values[i] / (double)count;
    return sum;
}

static void the_bootstrap_is_seeded_and_near_theory(void **state)
{
    (void)state;
    double values[100];
    for (int i = 0; i < 100; i++)
        values[i] = i;
    struct rank_interval one = rank_bootstrap(values, 100, .95, 1, mean),
                         again = rank_bootstrap(values, 100, .95, 1, mean);
    assert_true(one.low == again.low && one.high == again.high);
    double half = 1.96 * sqrt((100. * 100 - 1) / 12 / 100);
    assert_near(one.low, 49.5 - half, .02);
    assert_near(one.high, 49.5 + half, .02);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(permeability_as_in_r),
        cmocka_unit_test(ties_are_corrected),
        cmocka_unit_test(small_groups_have_a_least_p),
        cmocka_unit_test(the_exact_distribution_is_one),
        cmocka_unit_test(sizes_of_groups),
        cmocka_unit_test(several_questions),
        cmocka_unit_test(false_alarms_and_power),
        cmocka_unit_test(the_bootstrap_is_seeded_and_near_theory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
