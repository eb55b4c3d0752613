/* Distribution functions against R 4.2.2 and mpmath; intervals against R and against their
 * promise. */
#include "stat/quantile.h"

#include "near.h"

#include "base/memory.h"
#include "base/random.h"

static void shares_match_known_values(void **state)
{
    (void)state;
    assert_near(beta_share(2.5, 4.5, 0.3), 0.4065390166824592, 1e-12);
    assert_near(beta_share(0.5, 0.5, 0.1), 0.2048327646991335, 1e-12);
    assert_near(beta_share(100, 200, 0.3), 0.1088430656449098, 1e-12);
    assert_near(beta_share(5, 1, 0.999), 0.995009990004999, 1e-12);
    assert_near(beta_share(0.01, 3, 1e-5), 0.9046640856116699, 1e-12);
    assert_true(beta_share(2, 3, 0) == 0 && beta_share(2, 3, 1) == 1);
    assert_near(t_share(-2.5, 7), 0.0204961092929, 1e-11);
    assert_near(t_share(2.5, 7), 1 - 0.0204961092929, 1e-11);
    assert_near(t_share(0, 3), 0.5, 1e-15);
    assert_near(1 - f_share(4.2, 2, 9), 0.0514777640804, 1e-11);
    assert_near(binomial_share(935, 1000, 0.95), 0.0207498993655386, 1e-11);
    assert_near(binomial_share(0, 10, 0.3), 0.0282475249, 1e-13);
    assert_near(binomial_share(3, 10, 0.3), 0.6496107184, 1e-13);
    assert_true(binomial_share(10, 10, 0.3) == 1);
}

static void quantiles_match_known_values(void **state)
{
    (void)state;
    assert_near(t_quantile(0.975, 4), 2.7764451052, 1e-10);
    assert_near(t_quantile(0.975, 29), 2.04522964213, 1e-11);
    assert_near(t_quantile(0.995, 10), 3.16927267262, 1e-11);
    assert_near(t_quantile(0.025, 4), -2.7764451052, 1e-10);
    assert_near(f_quantile(1 - 0.0514777640804, 2, 9), 4.2, 1e-10);
    /* With one degree above, F is the square of t; with one, t is Cauchy. */
    assert_near(f_quantile(0.95, 1, 10), t_quantile(0.975, 10) * t_quantile(0.975, 10), 1e-11);
    assert_near(t_quantile(0.9, 1), tan(M_PI * 0.4), 1e-11);
    assert_near(beta_quantile(3, 1, 0.2), cbrt(0.2), 1e-13);
    assert_int_equal(binomial_quantile(0.025, 1000, 0.95), 936);
    assert_int_equal(binomial_quantile(0.0282, 10, 0.3), 0);
    assert_int_equal(binomial_quantile(0.0283, 10, 0.3), 1);
}

static void quantiles_invert_shares(void **state)
{
    (void)state;
    static const double degrees[] = {0.5, 1, 2, 3.7, 10, 100, 5000};
    static const double shares[] = {1e-6, 0.01, 0.2, 0.49, 0.5, 0.51, 0.9, 0.999};
    for (size_t d = 0; d < sizeof(degrees) / sizeof(*degrees); d++)
        for (size_t s = 0; s < sizeof(shares) / sizeof(*shares); s++) {
            double share = shares[s];
            assert_near(t_share(t_quantile(share, degrees[d]), degrees[d]), share, 1e-10);
            assert_near(f_share(f_quantile(share, degrees[d], 3), degrees[d], 3), share, 1e-10);
            assert_near(beta_share(degrees[d], 2, beta_quantile(degrees[d], 2, share)), share,
                        1e-10);
        }
}

/* The p of a t test on five values a side, with the deviation divided by n - 1. Known programs
 * divide by n, and get 8.87e-06 here (trap T9). */
static void a_t_test_needs_the_samples_deviation(void **state)
{
    (void)state;
    const double groups[2][5] = {{1.00, 1.02, 1.05, .95, .98}, {.80, .82, .85, .79, .77}};
    double means[2] = {0, 0}, squares[2] = {0, 0};
    for (int g = 0; g < 2; g++) {
        for (int i = 0; i < 5; i++)
            means[g] += groups[g][i] / 5;
        for (int i = 0; i < 5; i++)
            squares[g] += (groups[g][i] - means[g]) * (groups[g][i] - means[g]);
    }
    const double wanted[] = {2.02e-5, 8.87e-6};
    for (int k = 0; k < 2; k++) {
        double t = (means[0] - means[1]) / sqrt((squares[0] + squares[1]) / (k ? 5 : 4) / 5);
        assert_near(2 * t_share(-t, 8), wanted[k], 3e-3);
    }
}

/* R: order statistics of the coverage named, equal tails. */
static void ranks_match_known_intervals(void **state)
{
    (void)state;
    static const struct {
        uint64_t count;
        double share;
        uint64_t low, high;
        double coverage;
    } rows[] = {
        {1000, 0.5, 469, 532, 0.95370880264},
        {1000, 0.95, 936, 964, 0.958095268223},
        {1000, 0.99, 983, 997, 0.976094763498},
        {10000, 0.99, 9880, 9920, 0.95576},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        uint64_t low = 0, high = 0;
        double coverage = 0;
        assert_int_equal(quantile_ranks(rows[i].count, rows[i].share, 0.95, &low, &high, &coverage),
                         0);
        assert_int_equal(low, rows[i].low);
        assert_int_equal(high, rows[i].high);
        assert_near(coverage, rows[i].coverage, i == 3 ? 1e-5 : 1e-9);
    }
}

/* Go's benchmath of {-10, 2, 3, 4, 5, 6}: the median's interval is all of it at 0.96875, and at
 * 99 % it needs 8 values. */
static void a_median_of_six(void **state)
{
    (void)state;
    uint64_t low = 0, high = 0;
    double coverage = 0;
    assert_int_equal(quantile_ranks(6, .5, .95, &low, &high, &coverage), 0);
    assert_true(low == 1 && high == 6);
    assert_near(coverage, .96875, 1e-14);
    assert_int_equal(quantile_ranks(7, .5, .99, &low, &high, &coverage), QUANTILE_TOO_FEW);
    assert_int_equal(quantile_ranks(8, .5, .99, &low, &high, &coverage), 0);
}

static void too_few_agrees_with_count_for(void **state)
{
    (void)state;
    static const double shares[] = {0.01, 0.05, 0.25, 0.5, 0.9, 0.95, 0.99, 0.999};
    for (size_t i = 0; i < sizeof(shares) / sizeof(*shares); i++) {
        uint64_t needed = hist_count_for(shares[i]), low = 7, high = 7;
        double coverage = 0;
        assert_int_equal(quantile_ranks(needed - 1, shares[i], 0.95, &low, &high, NULL),
                         QUANTILE_TOO_FEW);
        assert_true(low == 7 && high == 7);
        for (uint64_t count = needed; count < needed + 300; count += 7) {
            assert_int_equal(quantile_ranks(count, shares[i], 0.95, &low, &high, &coverage), 0);
            assert_true(low >= 1 && low < high && high <= count);
            if (!(coverage >= 0.95 - 1e-9))
                fail_msg("%g of %lu: coverage %g", shares[i], (unsigned long)count, coverage);
        }
    }
}

static void intervals_cover_as_promised(void **state)
{
    (void)state;
    enum { ROUNDS = 2000, SIZE = 400 };
    struct hist *hist = memory_new(1, sizeof(*hist));
    hist_init(hist);
    struct random random = {.key = random_key(4, "cover", 0)};
    nsec_t truth = (nsec_t)(-1e7 * log(0.05)); /* p95 of an exponential of mean 10 ms */
    int covered = 0;
    for (int round = 0; round < ROUNDS; round++) {
        hist_clear(hist);
        for (int i = 0; i < SIZE; i++)
            hist_record(hist, (nsec_t)(-1e7 * log(random_unit(&random))));
        nsec_t low = 0, high = 0, value = 0;
        assert_int_equal(hist_quantile_interval(hist, 0.95, 0.95, &low, &high), 0);
        assert_int_equal(hist_quantile(hist, 0.95, &value), 0);
        assert_true(low <= value && value <= high);
        covered += low <= truth && truth <= high;
    }
    assert_true(covered > ROUNDS * 0.94 && covered < ROUNDS * 0.985);
    hist_clear(hist);
    nsec_t low = 5, high = 5;
    assert_int_equal(hist_quantile_interval(hist, 0.5, 0.95, &low, &high), QUANTILE_TOO_FEW);
    free(hist);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares_match_known_values),
        cmocka_unit_test(quantiles_match_known_values),
        cmocka_unit_test(quantiles_invert_shares),
        cmocka_unit_test(a_t_test_needs_the_samples_deviation),
        cmocka_unit_test(ranks_match_known_intervals),
        cmocka_unit_test(a_median_of_six),
        cmocka_unit_test(too_few_agrees_with_count_for),
        cmocka_unit_test(intervals_cover_as_promised),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
