/* Changes against published splits, statistics and positions, and the rate of false ones. */
#include "stat/change.h"

#include "near.h"
#include "stat/distribution.h"

static const double hunter[] = {1.02, .95, .99, 1.00, 1.12, 1.00, 1.01, .98, 1.01, .96,
                                .50,  .51, .48, .48,  .55,  .50,  .49,  .51, .50,  .49};
/* Annual flow of the Nile at Aswan, 1871 to 1970 (Cobb 1978): a data set of R. */
static const double nile[] = {
    1120, 1160, 963, 1210, 1160, 1160, 813,  1230, 1370, 1140, 995,  935,  1110, 994,  1020,
    960,  1180, 799, 958,  1140, 1100, 1210, 1150, 1250, 1260, 1220, 1030, 1100, 774,  840,
    874,  694,  940, 833,  701,  916,  692,  1020, 1050, 969,  831,  726,  456,  824,  702,
    1120, 1100, 832, 764,  821,  768,  845,  864,  862,  698,  845,  744,  796,  1040, 759,
    781,  865,  845, 944,  984,  897,  822,  1010, 771,  676,  649,  846,  812,  742,  801,
    1040, 860,  874, 848,  890,  744,  749,  838,  1050, 918,  986,  797,  923,  975,  815,
    1020, 906,  901, 1170, 912,  746,  919,  718,  714,  740};

static const struct change_rules usual = {
    .p_most = .05, .least = 2, .orders = CHANGE_ORDERS, .seed = 1};

static void hunters_series(void **state)
{
    (void)state;
    size_t found = 0;
    struct change *changes = change_find(hunter, 20, &usual, &found);
    assert_int_equal(found, 1);
    assert_int_equal(changes[0].at, 10);
    assert_near(changes[0].q, 4.717, 1e-4);
    assert_near(changes[0].q_u, 4.682222222, 1e-9);
    assert_near(changes[0].p, 1. / (CHANGE_ORDERS + 1), 1e-12); /* and never 0 */
    free(changes);
}

static void the_nile(void **state)
{
    (void)state;
    size_t found = 0;
    struct change *changes = change_find(nile, 100, &usual, &found);
    assert_int_equal(found, 1);
    assert_int_equal(changes[0].at, 28); /* 1871 .. 1898 | 1899 .. */
    assert_near(changes[0].q, 4956.656825, 1e-9);
    free(changes);
}

static void several_changes(void **state)
{
    (void)state;
    struct random random = {.key = random_key(3, "steps", 0)};
    const struct distribution noise = {.spread = SPREAD_NORMAL, .a = 100, .b = 2};
    const double levels[] = {1, 1.1, 1.1, .95, 1.2};
    double series[200];
    for (int i = 0; i < 200; i++)
        series[i] = distribution_draw(&noise, &random) * levels[i / 40];
    size_t found = 0;
    struct change *changes = change_find(series, 200, &usual, &found);
    assert_int_equal(found, 3);
    const size_t wanted[] = {40, 120, 160};
    for (int i = 0; i < 3; i++)
        assert_in_range(changes[i].at, wanted[i] - 1, wanted[i] + 1);
    free(changes);
}

/* Of 400 series without a change, 5 % may be said to have one; 7.8 % is three deviations more. */
static void false_changes_are_rare(void **state)
{
    (void)state;
    struct random random = {.key = random_key(4, "quiet", 0)};
    const struct distribution noise = {.spread = SPREAD_NORMAL, .a = 0, .b = 1, .least = -1e9};
    int alarms = 0;
    for (int turn = 0; turn < 400; turn++) {
        double series[30];
        size_t found = 0;
        for (int i = 0; i < 30; i++)
            series[i] = distribution_draw(&noise, &random);
        free(change_find(series, 30, &usual, &found));
        alarms += found > 0;
    }
    assert_in_range(alarms, 5, 33);
}

static void short_and_constant_series_have_none(void **state)
{
    (void)state;
    const double flat[] = {5, 5, 5, 5, 5, 5, 5, 5};
    size_t found = 1;
    assert_null(change_find(flat, 8, &usual, &found));
    assert_int_equal(found, 0);
    assert_null(change_find(hunter, 3, &usual, &found));
    assert_int_equal(change_best(hunter, 3, 2).at, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hunters_series),
        cmocka_unit_test(the_nile),
        cmocka_unit_test(several_changes),
        cmocka_unit_test(false_changes_are_rare),
        cmocka_unit_test(short_and_constant_series_have_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
