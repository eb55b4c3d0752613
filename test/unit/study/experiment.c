/* Effects planted in values, and what may be said of them. */
#include "study/experiment.h"

#include "../stat/near.h"
#include "base/random.h"
#include "stat/distribution.h"

#include <string.h>

static struct expectation read_one(const char *words)
{
    struct expectation out;
    struct text why = TEXT_EMPTY;
    assert_int_equal(expectation_read(words, &out, &why), 0);
    return out;
}

static void expectations_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *words, *metric;
        double share;
    } good[] = {{"+30 % throughput", "throughput", .3},
                {"-20% p95", "p95", -.2},
                {" 5% ttft p95 ", "ttft p95", .05},
                {"+20 % latency", "p95", .2}};
    static const char *const bad[] = {"",        "30 throughput", "+30 %",     "% p95",
                                      "0 % p95", "-100 % p95",    "much % p95"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct expectation found = read_one(good[i].words);
        assert_string_equal(found.metric, good[i].metric);
        assert_near(found.share, good[i].share, 1e-15);
        expectation_fini(&found);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct text why = TEXT_EMPTY;
        struct expectation found;
        assert_int_equal(expectation_read(bad[i], &found, &why), 1);
        assert_true(why.bytes > 0);
        text_fini(&why);
    }
}

static struct experiment_found judged(const double *before, const double *after, size_t count,
                                      const char *expect)
{
    struct expectation expected = read_one(expect);
    struct experiment_found found;
    struct text why = TEXT_EMPTY;
    const struct experiment_runs runs = {before, after, count, count};
    assert_int_equal(experiment_judge(&runs, &expected, .05, &found, &why), 0);
    expectation_fini(&expected);
    return found;
}

static const double before[] = {98, 99, 100, 101, 102};

static void verdicts(void **state)
{
    (void)state;
    const double more[] = {127.4, 128.7, 130, 131.3, 132.6},
                 same[] = {98.5, 99.5, 100.2, 101.5, 97}, wild[] = {70, 95, 115, 130, 160};
    assert_near(judged(before, more, 5, "+30 % throughput").effect, .3, 1e-9);
    assert_int_equal(judged(before, more, 5, "+30 % throughput").verdict, EXPERIMENT_CAME);
    assert_int_equal(judged(before, more, 5, "+10 % throughput").verdict, EXPERIMENT_EXCEEDED);
    assert_int_equal(judged(before, more, 5, "+60 % throughput").verdict, EXPERIMENT_FELL_SHORT);
    assert_int_equal(judged(before, more, 5, "-20 % p95").verdict, EXPERIMENT_OPPOSITE);
    assert_int_equal(judged(more, before, 5, "-23 % p95").verdict, EXPERIMENT_CAME);
    assert_int_equal(judged(before, same, 5, "+30 % throughput").verdict, EXPERIMENT_NONE);
    assert_int_equal(judged(before, wild, 5, "+20 % throughput").verdict, EXPERIMENT_INCONCLUSIVE);
}

static void few_runs_carry_no_interval(void **state)
{
    (void)state;
    const double more[] = {130, 131, 132};
    struct experiment_found found = judged(before, more, 3, "+30 % throughput");
    assert_int_equal(found.verdict, EXPERIMENT_TOO_FEW);
    assert_true(isnan(found.low));
    assert_int_equal(found.runs_needed, 4);
    assert_true(found.effect > .25);
    struct expectation expected = read_one("+1 % p95");
    struct text why = TEXT_EMPTY;
    const double nought[] = {0};
    const struct experiment_runs runs = {before, nought, 5, 1};
    assert_int_equal(experiment_judge(&runs, &expected, .05, &found, &why), 1);
    text_fini(&why);
    expectation_fini(&expected);
}

/* 400 experiments with a planted +30 % and 3 % of noise: the interval holds it at least as often as
 * it says, and an effect that is none is not seen more often than that. */
static void intervals_hold_what_was_planted(void **state)
{
    (void)state;
    struct random random = {random_key(3, "experiment", 0), 0};
    int held = 0, false_alarms = 0;
    for (int turn = 0; turn < 400; turn++) {
        double one[6], two[6], three[6];
        for (int i = 0; i < 6; i++) {
            one[i] = 100 * exp(.03 * normal_quantile(random_unit(&random)));
            two[i] = 130 * exp(.03 * normal_quantile(random_unit(&random)));
            three[i] = 100 * exp(.03 * normal_quantile(random_unit(&random)));
        }
        struct experiment_found found = judged(one, two, 6, "+30 % throughput");
        held += found.low <= .3 && .3 <= found.high;
        found = judged(one, three, 6, "+30 % throughput");
        false_alarms += !(found.low <= 0 && 0 <= found.high);
    }
    /* Of 400 with a chance of 0.95: 367 has a chance of 0.3 %. */
    assert_true(held >= 367);
    assert_true(false_alarms <= 33);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(expectations_are_read),
        cmocka_unit_test(verdicts),
        cmocka_unit_test(few_runs_carry_no_interval),
        cmocka_unit_test(intervals_hold_what_was_planted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
