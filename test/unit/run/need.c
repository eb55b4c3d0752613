/* What a plan needs against what a machine has. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "run/need.h"

static char *words(const char *literal)
{
    return (char *)(uintptr_t)literal;
}

static struct plan plan_of(struct plan_scenario *scenario)
{
    return (struct plan){
        .target = words("http://127.0.0.1:8000"), .scenarios = scenario, .scenario_count = 1};
}

static size_t errors_of(const struct plan *plan, struct need_limits limits, struct notes *notes)
{
    struct need need = need_of(plan, 2);
    *notes = (struct notes){0};
    need_check(&need, plan, &limits, notes);
    return notes->errors;
}

static void test_users_over_stages(void **state)
{
    (void)state;
    struct plan_stage stages[] = {{.target = 100}, {.target = 2500.5}, {.target = 0}};
    struct plan_scenario scenario = {
        .executor = EXECUTOR_RAMPING_VUS, .stages = stages, .stage_count = 3};
    struct plan plan = plan_of(&scenario);
    struct need need = need_of(&plan, 2);
    assert_int_equal(need.users, 2501);
    assert_int_equal(need.connections, 2501);
    assert_true(need.descriptors > need.connections);
    plan.connections.mode = POOL_SHARED;
    plan.connections.most = 200;
    assert_int_equal(need_of(&plan, 2).connections, 200);
    assert_int_equal(need_of(&plan, 2).users, 2501);
}

static void test_children_take_descriptors_and_no_ports(void **state)
{
    (void)state;
    struct plan_stage stage = {.target = 30};
    struct plan_scenario scenario = {
        .executor = EXECUTOR_CONSTANT_VUS, .stages = &stage, .stage_count = 1};
    struct plan plan = plan_of(&scenario);
    struct need none = need_of(&plan, 2), need = need_of(&plan, 2);
    need_add_children(&need, &plan, 2, 2, true); /* a child of each of two servers for each user */
    assert_int_equal(need.children, 60);
    assert_int_equal(need.connections, 0);
    assert_int_equal(need.descriptors, none.descriptors - 30 + 3 * 60);
    plan.connections.mode = POOL_SHARED; /* one of each for each thread */
    need = need_of(&plan, 2);
    need_add_children(&need, &plan, 2, 2, false);
    assert_int_equal(need.children, 4);
    assert_int_equal(need.connections, 30);
}

static void test_open_is_unbounded(void **state)
{
    (void)state;
    struct plan_scenario scenario = {.executor = EXECUTOR_CONSTANT_ARRIVAL_RATE};
    struct plan plan = plan_of(&scenario);
    assert_false(need_of(&plan, 1).bounded);
    scenario.max_vus = 40;
    assert_true(need_of(&plan, 1).bounded);
    assert_int_equal(need_of(&plan, 1).users, 40);
}

static void test_descriptors(void **state)
{
    (void)state;
    struct plan_stage stage = {.target = 5000};
    struct plan_scenario scenario = {
        .executor = EXECUTOR_CONSTANT_VUS, .stages = &stage, .stage_count = 1};
    struct plan plan = plan_of(&scenario);
    struct notes notes;
    assert_int_equal(errors_of(&plan, (struct need_limits){.descriptors = 6000}, &notes), 0);
    assert_int_equal(errors_of(&plan, (struct need_limits){0}, &notes), 0); /* not known */
    assert_int_equal(errors_of(&plan,
                               (struct need_limits){.descriptors = 5000, .descriptors_most = 9000},
                               &notes),
                     1);
    assert_non_null(strstr(notes.items[0].sentence, "5,040 file descriptors"));
    assert_non_null(strstr(notes.items[0].sentence, "may open 5,000"));
    assert_string_equal(notes.items[0].hint, "raise the limit: ulimit -n 5040");
    notes_fini(&notes);
}

static void test_ports(void **state)
{
    (void)state;
    struct plan_stage stage = {.target = 60000};
    struct plan_scenario scenario = {
        .executor = EXECUTOR_CONSTANT_VUS, .stages = &stage, .stage_count = 1};
    struct plan plan = plan_of(&scenario);
    struct need_limits limits = {.ports = 28232};
    struct notes notes;
    assert_int_equal(errors_of(&plan, limits, &notes), 1);
    assert_non_null(strstr(notes.items[0].hint, "give 3 source addresses"));
    notes_fini(&notes);
    char *sources[] = {words("127.0.0.2"), words("127.0.0.3"), words("127.0.0.4")};
    plan.connections.source = (struct plan_texts){.items = sources, .count = 3};
    assert_int_equal(errors_of(&plan, limits, &notes), 0);
    plan.connections.source.count = 0;
    plan.target = words("http+unix:///run/x.sock");
    assert_int_equal(errors_of(&plan, limits, &notes), 0); /* no ports are taken */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_users_over_stages),
        cmocka_unit_test(test_children_take_descriptors_and_no_ports),
        cmocka_unit_test(test_open_is_unbounded),
        cmocka_unit_test(test_descriptors),
        cmocka_unit_test(test_ports),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
