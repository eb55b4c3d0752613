/* The generator's verdict on itself: each rule at its limit and just below, and the run's rule. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "run/generator.h"

/* An interval of a second in which all is well. */
static struct generator_interval calm(unsigned second)
{
    return (struct generator_interval){
        .begin_ns = second * NSEC_PER_SEC,
        .end_ns = (second + 1) * NSEC_PER_SEC,
        .measured = true,
        .threads = 2,
        .busy_share = 0.3,
        .loop_lag_ns = NSEC_PER_MSEC,
        .cpu_ns = 4e8,
        .started = 10000,
        .machine_share = 0.5,
        .descriptors_left = 0.9,
        .ports_left = 0.9,
    };
}

static enum generator_state judge(struct generator_interval interval, bool shares)
{
    struct generator_account account = {.shares_machine = shares};
    char words[GENERATOR_WORDS];
    enum generator_state state = generator_add(&account, &interval, words);
    assert_int_equal(words[0] == '\0', state == GENERATOR_OK);
    return state;
}

#define ASSERT_RULE(change_below, change_at, expected)                                             \
    do {                                                                                           \
        struct generator_interval i = calm(0);                                                     \
        change_below;                                                                              \
        assert_true(judge(i, true) < (expected));                                                  \
        i = calm(0);                                                                               \
        change_at;                                                                                 \
        assert_int_equal(judge(i, true), (expected));                                              \
    } while (0)

static void test_rules(void **state)
{
    (void)state;
    assert_int_equal(judge(calm(0), true), GENERATOR_OK);
    ASSERT_RULE(i.busy_share = 0.949, i.busy_share = 0.95, GENERATOR_SATURATED);
    ASSERT_RULE(i.busy_share = 0.79, i.busy_share = 0.80, GENERATOR_SUSPECT);
    ASSERT_RULE(i.late = 499, i.late = 500, GENERATOR_SATURATED);
    ASSERT_RULE(
        (i.late = 500, i.late_p95_ns = 3 * NSEC_PER_MSEC, i.response_p50_ns = 40 * NSEC_PER_MSEC),
        (i.late = 500, i.late_p95_ns = 4 * NSEC_PER_MSEC, i.response_p50_ns = 40 * NSEC_PER_MSEC),
        GENERATOR_SATURATED);
    ASSERT_RULE(i.late = 99, i.late = 100, GENERATOR_SUSPECT);
    ASSERT_RULE(i.run_delay_ns = 2.4e8, i.run_delay_ns = 2.5e8, GENERATOR_SATURATED);
    ASSERT_RULE(i.run_delay_ns = 4e7, i.run_delay_ns = 5e7, GENERATOR_SUSPECT);
    ASSERT_RULE(i.throttled_share = 0.09, i.throttled_share = 0.1, GENERATOR_SATURATED);
    ASSERT_RULE(i.throttled_share = 0, i.throttled_share = 0.01, GENERATOR_SUSPECT);
    ASSERT_RULE(i.local_errors = 0, i.local_errors = 1, GENERATOR_SATURATED);
    ASSERT_RULE(i.suspended_ns = 0, i.suspended_ns = NSEC_PER_SEC, GENERATOR_SATURATED);
    ASSERT_RULE(i.steal_share = 0.04, i.steal_share = 0.06, GENERATOR_SUSPECT);
    ASSERT_RULE(i.loop_lag_ns = 19 * NSEC_PER_MSEC, i.loop_lag_ns = 20 * NSEC_PER_MSEC,
                GENERATOR_SUSPECT);
    ASSERT_RULE(i.machine_share = 0.94, i.machine_share = 0.95, GENERATOR_SUSPECT);
    ASSERT_RULE(i.listen_overflows = 0, i.listen_overflows = 1, GENERATOR_SUSPECT);
    ASSERT_RULE(i.descriptors_left = 0.06, i.descriptors_left = 0.04, GENERATOR_SUSPECT);
    ASSERT_RULE(i.ports_left = 0.06, i.ports_left = 0.04, GENERATOR_SUSPECT);
    ASSERT_RULE(i.clock_step_ns = -99 * NSEC_PER_MSEC, i.clock_step_ns = -100 * NSEC_PER_MSEC,
                GENERATOR_SUSPECT);
}

/* A busy machine and full queues are nobody's affair when the target is elsewhere. */
static void test_elsewhere(void **state)
{
    (void)state;
    struct generator_interval i = calm(0);
    i.machine_share = 1;
    i.listen_overflows = 50;
    assert_int_equal(judge(i, false), GENERATOR_OK);
    assert_int_equal(judge(i, true), GENERATOR_SUSPECT);
}

/* Few requests: two late ones of three are 67 %, and still prove nothing. */
static void test_few_late(void **state)
{
    (void)state;
    struct generator_interval i = calm(0);
    i.started = 3;
    i.late = 2;
    assert_int_equal(judge(i, true), GENERATOR_OK);
    i.started = 9;
    i.late = 9;
    assert_int_equal(judge(i, true), GENERATOR_SUSPECT);
    i.started = 10;
    i.late = 10;
    assert_int_equal(judge(i, true), GENERATOR_SATURATED);
}

/* A run of `seconds`, of which the first `bad` have a busy thread. */
static enum generator_state verdict_of(unsigned seconds, unsigned bad, double busy,
                                       char words[GENERATOR_WORDS])
{
    struct generator_account account = {0};
    for (unsigned s = 0; s < seconds; s++) {
        struct generator_interval i = calm(s);
        i.busy_share = s < bad ? busy : 0.3;
        char ignored[GENERATOR_WORDS];
        generator_add(&account, &i, ignored);
    }
    return generator_verdict(&account, words);
}

static void test_verdict(void **state)
{
    (void)state;
    char words[GENERATOR_WORDS];
    assert_int_equal(verdict_of(60, 0, 1, words), GENERATOR_OK);
    assert_string_equal(words, "");
    assert_int_equal(verdict_of(60, 5, 1, words), GENERATOR_SUSPECT);
    assert_int_equal(verdict_of(60, 6, 1, words), GENERATOR_SATURATED);
    assert_string_equal(words, "a loop thread was busy for 100 % (in 6 of 60 s)");
    assert_int_equal(verdict_of(60, 5, 0.9, words), GENERATOR_OK);
    assert_int_equal(verdict_of(60, 6, 0.9, words), GENERATOR_SUSPECT);
    assert_int_equal(verdict_of(5, 1, 1, words), GENERATOR_SUSPECT); /* one interval is chance */
    assert_int_equal(verdict_of(1, 1, 1, words), GENERATOR_SATURATED);
    assert_int_equal(verdict_of(0, 0, 1, words), GENERATOR_OK);
}

/* Warm-up is judged for the charts and left out of the verdict. */
static void test_unmeasured(void **state)
{
    (void)state;
    struct generator_account account = {0};
    struct generator_interval i = calm(0);
    char words[GENERATOR_WORDS];
    i.measured = false;
    i.busy_share = 1;
    assert_int_equal(generator_add(&account, &i, words), GENERATOR_SATURATED);
    i = calm(1);
    generator_add(&account, &i, words);
    assert_int_equal(generator_verdict(&account, words), GENERATOR_OK);
    assert_float_equal(generator_cpu_share(&account), 0.2, 1e-9); /* 0.4 s of two threads' 2 s */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules),      cmocka_unit_test(test_elsewhere),
        cmocka_unit_test(test_few_late),   cmocka_unit_test(test_verdict),
        cmocka_unit_test(test_unmeasured),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
