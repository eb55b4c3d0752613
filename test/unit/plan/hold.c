/* The scale section, and plans made to hold a load: parts that add up, again and again. */
#include "plan/plan.h"
#include "words.h"

#include <math.h>

#define TWO                                                                                        \
    "target: http://h\nscenarios:\n"                                                               \
    "  a: { vus: 70, duration: 1s, tasks: [{ get: / }] }\n"                                        \
    "  b: { stages: [{ target: 30, duration: 1s }], start_time: 5s, tasks: [{ get: / }] }\n"

static char *nothing[] = {NULL};

static void parts_add_up_again_and_again(void **state)
{
    (void)state;
    struct plan_reading reading = test_read(TWO, nothing);
    test_accepted(&reading);
    struct plan *plan = reading.plan;
    static const double users[] = {100, 1, 2, 3, 10, 11, 500, 1, 100};
    for (size_t i = 0; i < sizeof users / sizeof *users; i++) {
        struct plan_load load = {.users = users[i],
                                 .rate = NAN,
                                 .duration_ns = 3 * NSEC_PER_SEC,
                                 .name = "level 1 of 9"};
        plan_hold(plan, &load);
        double a = plan->scenarios[0].stages[0].target, b = plan->scenarios[1].stages[0].target;
        assert_true(a + b == users[i]);
        assert_true(fabs(a - 0.7 * users[i]) < 1);
        assert_true(plan_duration(plan) == 3 * NSEC_PER_SEC);
        assert_true(plan->scenarios[1].executor == EXECUTOR_CONSTANT_VUS);
        assert_string_equal(plan->scenarios[0].stages[0].name, "level 1 of 9");
        assert_true(plan->scenarios[0].stages[0].level);
    }
    plan_reading_fini(&reading);
}

static void an_open_load_is_shared_too(void **state)
{
    (void)state;
    struct plan_reading reading = test_read(TWO, nothing);
    test_accepted(&reading);
    plan_hold(reading.plan, &(struct plan_load){.users = NAN,
                                                .rate = 10,
                                                .duration_ns = NSEC_PER_SEC,
                                                .interval_ns = NSEC_PER_SEC / 10,
                                                .name = "10/s"});
    assert_true(fabs(reading.plan->scenarios[0].stages[0].target - 7) < 1e-9);
    assert_true(fabs(reading.plan->scenarios[1].rate - 3) < 1e-9);
    assert_true(scenario_is_open(&reading.plan->scenarios[1]));
    assert_true(reading.plan->interval_ns == NSEC_PER_SEC / 10);
    plan_reading_fini(&reading);
}

static void times_of_the_section_are_scaled(void **state)
{
    (void)state;
    struct plan_reading reading =
        test_read(TWO "time_scale: 0.1\nscale: { step_duration: 60s, duration: 10m, cool_down: 5s, "
                      "levels: [1, 2], critical_response_time: 300ms, critical_statistic: mean }\n",
                  nothing);
    test_accepted(&reading);
    const struct plan_scale *scale = &reading.plan->scale;
    assert_true(scale->step_duration_ns == 6 * NSEC_PER_SEC);
    assert_true(scale->duration_ns == 60 * NSEC_PER_SEC);
    assert_true(scale->cool_down_ns == NSEC_PER_SEC / 2);
    assert_true(scale->critical_response_ns == 300 * NSEC_PER_MSEC); /* a limit, no duration */
    assert_int_equal(scale->critical_statistic, SCALE_MEAN);
    assert_int_equal(scale->levels.count, 2);
    plan_reading_fini(&reading);
}

static void mistakes_are_errors(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "scale: { start_users: 9, max_users: 5 }\n",
        "scale: { geometric: 0.5 }\n",
        "scale: { levels: [0, 5] }\n",
        "scale: { step_sise: 5 }\n",
        "scale: { scaler: { nosuch: {} } }\n",
        "scale: { hold: none }\n",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct text text = TEXT_EMPTY;
        text_printf(&text, "%s%s", TWO, wrong[i]);
        struct plan_reading reading = test_read(text.at, nothing);
        assert_null(reading.plan);
        assert_true(reading.notes.errors > 0);
        plan_reading_fini(&reading);
        text_fini(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_add_up_again_and_again),
        cmocka_unit_test(an_open_load_is_shared_too),
        cmocka_unit_test(times_of_the_section_are_scaled),
        cmocka_unit_test(mistakes_are_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
