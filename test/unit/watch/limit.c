/* Limits over samples: how long beyond, what a gap breaks, and when a figure is back. */
#include "watch/limit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs what stands above it. */
/* clang-format off */
#include <cmocka.h>
/* clang-format on */

/* Takes a sample a second; returns at which second the news came, or -1. */
static int news_at(const struct watch_limit *limit, struct watch_limit_state *state,
                   const double *values, int count, enum watch_limit_news wanted)
{
    int found = -1;
    for (int i = 0; i < count; i++)
        if (watch_limit_take(limit, state, i * NSEC_PER_SEC, values[i]) == wanted && found < 0)
            found = i;
    return found;
}

static void one_sample_is_enough_without_a_hold(void **state)
{
    (void)state;
    const struct watch_limit limit = {.limit = 0.8, .calm_ns = 2 * NSEC_PER_SEC};
    const double values[] = {0.7, 0.8, 0.81, 0.7, 0.9, 0.1, 0.1, 0.1, 0.95};
    struct watch_limit_state at = {0};
    assert_int_equal(news_at(&limit, &at, values, 9, LIMIT_HELD), 2); /* at the limit is within */
    at = (struct watch_limit_state){0};
    assert_int_equal(news_at(&limit, &at, values, 9, LIMIT_BACK), 7); /* 0.9 broke the calm */
    at = (struct watch_limit_state){0};
    int told = 0;
    for (int i = 0; i < 9; i++)
        told += watch_limit_take(&limit, &at, i * NSEC_PER_SEC, values[i]) == LIMIT_HELD;
    assert_int_equal(told, 2); /* the second time after it had been back */
}

static void it_must_be_held(void **state)
{
    (void)state;
    const struct watch_limit limit = {.limit = 10, .hold_ns = 3 * NSEC_PER_SEC};
    const double peak[] = {1, 11, 11, 11, 1, 11, 11, 1};
    struct watch_limit_state at = {0};
    assert_int_equal(news_at(&limit, &at, peak, 8, LIMIT_HELD), -1);
    const double long_one[] = {1, 11, 12, 15, 11, 11};
    at = (struct watch_limit_state){0};
    assert_int_equal(news_at(&limit, &at, long_one, 6, LIMIT_HELD), 4);
    assert_float_equal(at.worst, 15, 0);
    const struct watch_limit floor = {.limit = 5, .below = true, .hold_ns = NSEC_PER_SEC};
    const double fall[] = {9, 5, 4, 3, 9};
    at = (struct watch_limit_state){0};
    assert_int_equal(news_at(&floor, &at, fall, 5, LIMIT_HELD), 3);
    assert_float_equal(at.worst, 3, 0);
}

static void a_gap_breaks_it(void **state)
{
    (void)state;
    struct watch_limit limit = {
        .limit = 10, .hold_ns = 4 * NSEC_PER_SEC, .most_gap_ns = 2 * NSEC_PER_SEC};
    struct watch_limit_state at = {0};
    assert_int_equal(watch_limit_take(&limit, &at, 0, 11), LIMIT_NOTHING);
    assert_int_equal(watch_limit_take(&limit, &at, 2 * NSEC_PER_SEC, 11), LIMIT_NOTHING);
    assert_int_equal(watch_limit_take(&limit, &at, 9 * NSEC_PER_SEC, 11), LIMIT_NOTHING);
    assert_int_equal(watch_limit_take(&limit, &at, 11 * NSEC_PER_SEC, 11), LIMIT_NOTHING);
    assert_int_equal(watch_limit_take(&limit, &at, 13 * NSEC_PER_SEC, 11), LIMIT_HELD);
    limit.most_gap_ns = 0;
    at = (struct watch_limit_state){0};
    assert_int_equal(watch_limit_take(&limit, &at, 0, 11), LIMIT_NOTHING);
    assert_int_equal(watch_limit_take(&limit, &at, 9 * NSEC_PER_SEC, 11), LIMIT_HELD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_sample_is_enough_without_a_hold),
        cmocka_unit_test(it_must_be_held),
        cmocka_unit_test(a_gap_breaks_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
