/* Straight fits against closed forms and R 4.2.2. */
#include "stat/regression.h"

#include "near.h"
#include "oracledb.h"
#include "published.h"

/* All sums can be done by hand. */
static void a_line_is_what_sums_say(void **state)
{
    (void)state;
    const double x[] = {1, 2, 3, 4, 5}, y[] = {2.1, 3.9, 6.2, 7.8, 10.1};
    struct regression fit;
    assert_int_equal(regression_line(x, y, 5, false, &fit), 0);
    /* Sxy / Sxx = 19.9 / 10; squares = Syy - Sxy^2 / Sxx = 39.708 - 39.601 */
    assert_near(fit.b[1], 1.99, 1e-13);
    assert_near(fit.b[0], 6.02 - 1.99 * 3, 1e-12);
    assert_near(fit.squares, .107, 1e-10);
    assert_near(fit.error[1], sqrt(.107 / 3 / 10), 1e-11);
    assert_near(fit.error[0], sqrt(.107 / 3 * (1. / 5 + 9. / 10)), 1e-11);
    assert_near(fit.fit, 1 - .107 / 39.708, 1e-12);
    assert_int_equal(regression_line(x, y, 5, true, &fit), 0);
    assert_near(fit.b[0], 110.2 / 55, 1e-12); /* Sum xy / Sum xx */
    assert_int_equal(fit.degrees, 4);
    const double row[] = {1};
    assert_near(regression_error_at(&fit, row), fit.error[0], 1e-12);
}

static void cisco_as_one_line(void **state)
{
    (void)state;
    struct regression fit;
    assert_int_equal(regression_line(cisco_n, cisco_x, CISCO, false, &fit), 0);
    assert_near(fit.squares, 43612243, 1e-7);
}

static void badly_scaled_columns_keep_their_digits(void **state)
{
    (void)state;
    double matrix[30 * 3], y[30];
    for (int i = 0; i < 30; i++) {
        double t = 1e6 + i;
        matrix[3 * i] = 1;
        matrix[3 * i + 1] = t;
        matrix[3 * i + 2] = 1e-6 * (i % 7);
        y[i] = 3 + 2 * t + 5e6 * matrix[3 * i + 2];
    }
    struct regression fit;
    assert_int_equal(regression_fit(matrix, y, 30, 3, &fit), 0);
    assert_near(fit.b[1], 2, 1e-9);
    assert_near(fit.b[2], 5e6, 1e-6);
    for (int i = 0; i < 30; i++)
        matrix[3 * i + 2] = 2 * matrix[3 * i + 1];
    assert_int_equal(regression_fit(matrix, y, 30, 3, &fit), REGRESSION_SINGULAR);
    assert_int_equal(regression_fit(matrix, y, 2, 3, &fit), REGRESSION_TOO_FEW);
}

/* A ceiling by Fieller: the ends are where a test of the line at x just fails to reject y. */
static void a_ceiling_has_an_interval(void **state)
{
    (void)state;
    const double x[] = {5, 10, 20, 30, 40}, u[] = {.06, .11, .19, .31, .40};
    struct regression fit;
    assert_int_equal(regression_line(x, u, 5, false, &fit), 0);
    struct regression_reach at = regression_reaches(&fit, .95, .95);
    assert_near(at.x, (.95 - fit.b[0]) / fit.b[1], 1e-13);
    assert_true(at.low < at.x && at.x < at.high);
    const double ends[] = {at.low, at.high}, t = 3.182446305284263; /* R: qt(.975, 3) */
    for (int i = 0; i < 2; i++) {
        const double row[] = {1, ends[i]};
        double off = fabs(fit.b[0] + fit.b[1] * ends[i] - .95);
        assert_near(off / regression_error_at(&fit, row), t, 1e-9);
    }
    const double noise[] = {.2, .1, .3, .1, .2};
    assert_int_equal(regression_line(x, noise, 5, false, &fit), 0);
    assert_true(isinf(regression_reaches(&fit, .95, .95).high));
}

static void demands_cannot_be_negative(void **state)
{
    (void)state;
    double matrix[12 * 3], y[12], b[3];
    for (int i = 0; i < 12; i++) {
        matrix[3 * i] = i;
        matrix[3 * i + 1] = 12 - i + (i % 3);
        matrix[3 * i + 2] = 1;
        y[i] = .02 * i + .05 * matrix[3 * i + 1] + .1;
    }
    assert_int_equal(regression_nonnegative(matrix, y, 12, 3, b), 0);
    assert_near(b[0], .02, 1e-10);
    assert_near(b[1], .05, 1e-10);
    assert_near(b[2], .1, 1e-9);
    for (int i = 0; i < 12; i++)
        y[i] = .05 * matrix[3 * i + 1] - .01 * i;
    assert_int_equal(regression_nonnegative(matrix, y, 12, 3, b), 0);
    assert_true(b[0] == 0 && b[1] > 0 && b[2] >= 0);
    /* Kuhn and Tucker: no column left out would still lower the squares. */
    for (int j = 0; j < 3; j++) {
        double slope = 0;
        for (int i = 0; i < 12; i++)
            slope += matrix[3 * i + j] * (y[i] - b[0] * matrix[3 * i] - b[1] * matrix[3 * i + 1] -
                                          b[2] * matrix[3 * i + 2]);
        if (b[j] > 0)
            assert_near(slope, 0, 1e-10);
        else
            assert_true(slope <= 1e-10);
    }
}

static void a_quarter_of_outliers_moves_no_median_line(void **state)
{
    (void)state;
    double x[20], y[20], slope = 0, constant = 0;
    for (int i = 0; i < 20; i++) {
        x[i] = i;
        y[i] = i % 5 == 4 ? 900 : 7 + 3 * i;
    }
    assert_int_equal(regression_theil_sen(x, y, 20, &slope, &constant), 0);
    assert_near(slope, 3, 1e-12);
    assert_near(constant, 7, 1e-12);
    for (int i = 0; i < 20; i++)
        x[i] = 1;
    assert_int_equal(regression_theil_sen(x, y, 20, &slope, &constant), REGRESSION_TOO_FEW);
}

/* Demands of a database, R 4.2.2: the law of utilisation as a straight line. */
static void demands_of_a_database(void **state)
{
    (void)state;
    (void)oracledb_db_time;
    struct regression fit;
    assert_int_equal(regression_line(oracledb_txn_rate, oracledb_cpu_time, ORACLEDB, false, &fit),
                     0);
    assert_near(fit.b[1], .29151439, 2e-8);
    assert_near(fit.error[1], .013988467, 4e-8);
    assert_near(fit.b[0], .0078943, 1e-5);
    assert_near(fit.error[0], .05652, 1e-4);
    assert_near(fit.fit, .548145, 1e-6);
    assert_int_equal(regression_line(oracledb_txn_rate, oracledb_cpu_time, ORACLEDB, true, &fit),
                     0);
    assert_near(fit.b[0], .29338394, 2e-8);
    assert_near(fit.error[0], .0040596, 2e-5);
    assert_int_equal(regression_line(oracledb_txn_rate, oracledb_cpu_util, ORACLEDB, false, &fit),
                     0);
    assert_near(fit.b[1], 6.9203574, 1e-7);
    assert_near(fit.error[1], .36709676, 2e-8);
    assert_near(fit.b[0], 11.3415602, 1e-8);
    assert_near(fit.error[0], 1.48319, 1e-5);
    assert_near(fit.fit, .498165, 2e-6);
    /* The ceiling is 1.9 times what was ever seen. */
    struct regression_reach reach = regression_reaches(&fit, 100, .95);
    assert_near(reach.x, 12.811, 4e-5);
    assert_near(reach.low, 11.95822012, 1e-8); /* Fieller in R */
    assert_near(reach.high, 13.86112538, 1e-8);
}

int main(void)
{
    PUBLISHED_UNUSED;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_what_sums_say),
        cmocka_unit_test(cisco_as_one_line),
        cmocka_unit_test(badly_scaled_columns_keep_their_digits),
        cmocka_unit_test(a_ceiling_has_an_interval),
        cmocka_unit_test(demands_of_a_database),
        cmocka_unit_test(demands_cannot_be_negative),
        cmocka_unit_test(a_quarter_of_outliers_moves_no_median_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
