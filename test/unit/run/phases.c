/* Phases are the stages of all scenarios cut at every instant of change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "record/recorder.h"
#include "run/run.h"

#define S            NSEC_PER_SEC
#define COUNT(array) (sizeof(array) / sizeof *(array))

static struct plan_stage stage(const char *name, nsec_t seconds, double target)
{
    return (struct plan_stage){
        .name = (char *)(uintptr_t)name, .duration_ns = seconds * S, .target = target};
}

static void test_one_scenario(void **state)
{
    (void)state;
    struct plan_stage stages[] = {stage("warm-up", 5, 10), stage("level 1", 60, 10),
                                  stage("level 2", 60, 50), stage("ramp down", 10, 0)};
    stages[0].excluded = true;
    stages[0].jump = true;
    stages[1].level = stages[1].jump = true;
    stages[2].level = stages[2].jump = true;
    struct plan_scenario scenario = {
        .name = (char *)(uintptr_t) "chat", .stages = stages, .stage_count = COUNT(stages)};
    struct plan plan = {.scenarios = &scenario, .scenario_count = 1};
    size_t count = 0;
    struct run_phase *phases = run_phases(&plan, &count);
    assert_int_equal(count, 4);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(phases[i].number, i);
        assert_string_equal(phases[i].name, stages[i].name);
        assert_null(phases[i].scenario);
        assert_true(phases[i].target == stages[i].target);
        assert_int_equal(phases[i].excluded, i == 0);
        assert_int_equal(phases[i].level, i == 1 || i == 2);
    }
    assert_int_equal(phases[0].begin_ns, 0);
    assert_int_equal(phases[2].begin_ns, 65 * S);
    assert_int_equal(phases[3].end_ns, 135 * S);
    run_phases_free(phases, count);
}

/* Two scenarios of which the second begins later: each cut of the one cuts the other too. */
static void test_two_scenarios(void **state)
{
    (void)state;
    struct plan_stage chat[] = {stage("warm-up", 10, 5), stage("level 1", 30, 5)};
    chat[0].excluded = true;
    chat[0].jump = chat[1].jump = chat[1].level = true;
    struct plan_stage search[] = {stage("ramp to 40", 20, 40)};
    struct plan_scenario scenarios[] = {
        {.name = (char *)(uintptr_t) "chat", .stages = chat, .stage_count = 2},
        {.name = (char *)(uintptr_t) "search",
         .stages = search,
         .stage_count = 1,
         .start_time_ns = 25 * S},
    };
    struct plan plan = {.scenarios = scenarios, .scenario_count = 2};
    size_t count = 0;
    struct run_phase *phases = run_phases(&plan, &count);
    static const nsec_t cuts[] = {0, 10, 25, 40, 45};
    assert_int_equal(count, COUNT(cuts) - 1);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(phases[i].begin_ns, cuts[i] * S);
        assert_int_equal(phases[i].end_ns, cuts[i + 1] * S);
    }
    assert_string_equal(phases[0].name, "chat: warm-up");
    assert_string_equal(phases[0].scenario, "chat");
    assert_true(phases[0].excluded);
    assert_true(phases[1].level);
    assert_string_equal(phases[2].name, "chat: level 1 + search: ramp to 40");
    assert_null(phases[2].scenario);
    assert_false(phases[2].level);                      /* the other is still on its way */
    assert_float_equal(phases[2].target, 5 + 30, 1e-6); /* 15 s of a ramp of 20 s to 40 */
    assert_string_equal(phases[3].name, "search: ramp to 40, continued");
    assert_true(phases[3].target == 40);
    run_phases_free(phases, count);
}

static void test_pause_and_jump(void **state)
{
    (void)state;
    struct plan_stage stages[] = {stage("jump", 0, 9), stage("hold", 10, 9)};
    struct plan_scenario scenario = {.name = (char *)(uintptr_t) "late",
                                     .stages = stages,
                                     .stage_count = 2,
                                     .start_time_ns = 3 * S};
    struct plan plan = {.scenarios = &scenario, .scenario_count = 1};
    size_t count = 0;
    struct run_phase *phases = run_phases(&plan, &count);
    assert_int_equal(count, 2); /* a stage without length is no phase */
    assert_string_equal(phases[0].name, "pause");
    assert_true(phases[0].target == 0);
    assert_string_equal(phases[1].name, "hold");
    run_phases_free(phases, count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_scenario),
        cmocka_unit_test(test_two_scenarios),
        cmocka_unit_test(test_pause_and_jump),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
