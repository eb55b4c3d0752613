/* The figures of reports, against small numbers worked out by hand. */
#include "show/figure.h"

#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct hist done, censored;

static void reset(void)
{
    hist_init(&done);
    hist_init(&censored);
    hist_clear(&done);
    hist_clear(&censored);
}

static void test_nothing(void **state)
{
    (void)state;
    struct figure_times times;
    char why[FIGURE_WHY_ROOM], words[FIGURE_ROOM];
    reset();
    figure_times(&done, &censored, &times);
    assert_int_equal(times.count, 0);
    assert_false(times.least.known || times.mean.known || times.p50.known || times.most.known);
    assert_string_equal(figure_write_time(words, times.p50), "–");
    assert_string_equal(figure_why(why, times.p95, times.count, "p95"), "not observed");
}

static void test_count_must_carry(void **state)
{
    (void)state;
    struct figure_times times;
    char why[FIGURE_WHY_ROOM];
    reset();
    hist_record_many(&done, 100, 58);
    figure_times(&done, NULL, &times);
    assert_true(times.p50.known);
    assert_false(times.p95.known); /* .95^58 = .0510: too few */
    assert_string_equal(figure_why(why, times.p95, times.count, "p95"),
                        "n = 58: too few for p95 (needs 59)");
    hist_record(&done, 100);
    figure_times(&done, NULL, &times);
    assert_true(times.p95.known); /* .95^59 = .0485 */
    assert_false(times.p99.known);
    assert_int_equal(times.p95.ns, 100);
    assert_string_equal(figure_why(why, times.p95, times.count, "p95"), "");
}

static void test_unfinished_raise(void **state)
{
    (void)state;
    struct figure_times times;
    char words[FIGURE_ROOM];
    reset();
    hist_record_many(&done, 100, 90);
    hist_record_many(&censored, 250, 10);
    figure_times(&done, &censored, &times);
    assert_int_equal(times.count, 100);
    assert_false(times.p50.at_least);
    assert_true(times.p95.at_least);
    assert_int_equal(times.p95.ns, 250);
    assert_true(times.mean.at_least);
    assert_int_equal(times.mean.ns, 115); /* (90 * 100 + 10 * 250) / 100 */
    assert_true(times.most.at_least);
    assert_int_equal(times.most.ns, 250);
    assert_string_equal(figure_write_time(words, times.p95), "≥ 250 ns");
    assert_int_equal(times.least.ns, 100);
    assert_false(times.least.at_least);
}

static void test_only_unfinished(void **state)
{
    (void)state;
    struct figure_times times;
    reset();
    hist_record_many(&censored, 0, 100); /* all dropped at their first instant */
    figure_times(&done, &censored, &times);
    assert_false(times.least.known);
    assert_true(times.p50.known && times.p50.at_least);
    assert_true(times.most.at_least);
}

static void test_sums(void **state)
{
    (void)state;
    struct figure_sums sums;
    figure_sums(NULL, &sums);
    assert_int_equal(sums.requests, 0);
    assert_true(isnan(sums.error_share) && isnan(sums.rate_rps));

    struct result *result = fixture_result(FIXTURE_WHOLE);
    const uint64_t *counters = result->total->counters;
    figure_sums(result->total, &sums);
    assert_int_equal(sums.requests, counters[COUNT_SUCCEEDED] + counters[COUNT_FAILED] +
                                        counters[COUNT_TIMED_OUT]);
    assert_int_equal(sums.failed, counters[COUNT_ERROR_HTTP_STATUS] +
                                      counters[COUNT_ERROR_RESPONSE_TIMEOUT] +
                                      counters[COUNT_ERROR_RESET]);
    assert_int_equal(sums.roll_5xx, counters[COUNT_ERROR_HTTP_STATUS]);
    assert_int_equal(sums.roll_timeout, counters[COUNT_ERROR_RESPONSE_TIMEOUT]);
    assert_int_equal(sums.roll_connection, counters[COUNT_ERROR_RESET]);
    assert_true(sums.seconds >= 67.0 && sums.seconds <= 69.0); /* no warm-up; a gap of 2 s */
    assert_true(fabs(sums.rate_rpm - 60 * sums.rate_rps) < 1e-6);
    assert_true(fabs(sums.rate_rps * sums.seconds - (double)sums.requests) < 1e-6);
    result_free(result);
}

static void test_accounts(void **state)
{
    (void)state;
    struct figure_accounts accounts;
    struct result *result = fixture_result(FIXTURE_CENSORED);
    figure_accounts(result, &accounts);
    assert_true(accounts.close);
    result->total->counters[COUNT_STARTED]++;
    figure_accounts(result, &accounts);
    assert_false(accounts.close);
    result_free(result);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_count_must_carry),
        cmocka_unit_test(test_unfinished_raise),
        cmocka_unit_test(test_only_unfinished),
        cmocka_unit_test(test_sums),
        cmocka_unit_test(test_accounts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
