/* A quota against periods worked out by hand. */
#include "testbed/quota.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define MS NSEC_PER_MSEC

/* Half a processor: 50 ms of each 100. Work of 120 ms that begins at 20 runs until 70, in the
 * second period from 100 to 150, and the last 20 ms in the third. */
static void long_work_waits_for_the_next_periods(void **state)
{
    struct quota *quota = quota_new(0.5);
    struct quota_counts counts;
    (void)state;
    assert_int_equal(quota_book(quota, 20 * MS, 120 * MS), 220 * MS);
    quota_counts(quota, 50 * MS, &counts);
    assert_int_equal(counts.periods, 0);
    quota_counts(quota, 300 * MS, &counts);
    assert_int_equal(counts.used_ns, 120 * MS);
    assert_int_equal(counts.periods, 3);
    assert_int_equal(counts.throttled, 2);
    assert_int_equal(counts.throttled_ns, 30 * MS + 50 * MS);
    quota_free(quota);
}

/* Three pieces at once under a quota of 1.5: the first two have 100 and 50 ms of the first period,
 * the third has nothing of it. */
static void who_began_first_has_the_time_first(void **state)
{
    struct quota *quota = quota_new(1.5);
    (void)state;
    assert_int_equal(quota_book(quota, 0, 100 * MS), 100 * MS);
    assert_int_equal(quota_book(quota, 0, 60 * MS), 110 * MS);
    assert_int_equal(quota_book(quota, 0, 10 * MS), 110 * MS);
    quota_free(quota);
}

/* What fits is as fast as without a quota. */
static void little_work_is_not_held_up(void **state)
{
    struct quota *quota = quota_new(1);
    struct quota_counts counts;
    (void)state;
    for (int i = 0; i < 1000; i++)
        assert_int_equal(quota_book(quota, i * 10 * MS, 9 * MS), i * 10 * MS + 9 * MS);
    quota_counts(quota, 10050 * MS, &counts);
    assert_int_equal(counts.used_ns, 9000 * MS);
    assert_int_equal(counts.throttled, 0);
    quota_free(quota);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(long_work_waits_for_the_next_periods),
        cmocka_unit_test(who_began_first_has_the_time_first),
        cmocka_unit_test(little_work_is_not_held_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
