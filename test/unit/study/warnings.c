/* Warnings that an analysis makes of a suite by itself: each code is there when it is true, names
 * its loads, and is not there for a suite in which all is well. */
#include "base/memory.h"
#include "study/bottleneck.h"
#include "study/warning.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct level *add_level(struct level_series *series, double users)
{
    struct level *level = series_add(series);
    level->users = users;
    level->throughput = users;
    level->requests = 10000;
    level->measured_s = 60;
    level->concurrency = users * .1;
    level->mean_s = level->p50_s = .1;
    level->p95_s = level->p99_s = .15;
    level->think_s = .9;
    level->error_share = level->timeout_share = level->little = 0;
    return level;
}

static struct suite *six_levels(void)
{
    struct suite *suite = suite_new();
    struct level_series *series = suite_add(suite, SUITE_PROGRESSION, "progression");
    suite->slo_response_s = 1;
    suite->slo_error_share = .01;
    for (int i = 1; i <= 6; i++)
        add_level(series, 10 * i);
    return suite;
}

static void watch_limit(struct level *level, double value)
{
    struct level_resource *resource = level_add_resource(level);
    resource->thing = memory_copy_text("rag");
    resource->role = memory_copy_text("container");
    resource->metric = memory_copy_text("cgroup.memory_limit");
    resource->part = memory_copy_text("");
    resource->unit = memory_copy_text("bytes");
    resource->mean = value;
}

static const char *said_of(const struct suite *suite, const char *code, char room[300])
{
    struct catalogue *catalogue = catalogue_default();
    struct curve_wish wish = curve_wish_of(suite);
    struct analysis *found = analysis_new(suite, &wish, catalogue);
    size_t times = 0;
    *room = '\0';
    for (size_t i = 0; i < found->warnings.count; i++)
        if (strcmp(found->warnings.rows[i].code, code) == 0 && ++times == 1)
            snprintf(room, 300, "%s", found->warnings.rows[i].words);
    assert_true(times <= 1);
    analysis_free(found);
    catalogue_free(catalogue);
    return room;
}

static void codes_of_levels_name_the_loads(void **state)
{
    (void)state;
    static const char *const codes[] = {"NOT_STEADY",       "GENERATOR_LIMITED", "ERRORS_IN_WINDOW",
                                        "P99_UNDERSAMPLED", "LITTLE_VIOLATION",  "ENV_CHANGED",
                                        "FEW_LEVELS"};
    char room[300];
    struct suite *suite = six_levels();
    struct level *levels = suite->series[0].levels;
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        assert_string_equal(said_of(suite, codes[i], room), "");
    assert_true(*said_of(suite, "NO_REPLICATES", room));
    levels[1].state = levels[3].state = LEVEL_NOT_STEADY;
    levels[4].generator = 2;
    levels[2].error_share = .02;
    levels[5].error_share = .30;
    levels[0].little = .4;
    for (int i = 0; i < 5; i++)
        levels[i].p99_s = NAN;
    assert_non_null(strstr(said_of(suite, "NOT_STEADY", room), "at 20 and 40 users"));
    assert_non_null(strstr(said_of(suite, "GENERATOR_LIMITED", room), "at 50 users"));
    assert_non_null(strstr(said_of(suite, "ERRORS_IN_WINDOW", room), "at 30 and 60 users"));
    assert_non_null(strstr(said_of(suite, "ERRORS_IN_WINDOW", room), "up to 30 %"));
    assert_non_null(strstr(said_of(suite, "P99_UNDERSAMPLED", room), "5 loads from 10 to 50"));
    assert_non_null(strstr(said_of(suite, "LITTLE_VIOLATION", room), "at 10 users"));
    add_level(&suite->series[0], 60);
    assert_string_equal(said_of(suite, "NO_REPLICATES", room), "");
    suite_free(suite);
}

/* Late at 20 users, and in time with three times as much: something else had its processor. */
static void a_generator_that_carried_more_later_was_not_the_limit(void **state)
{
    (void)state;
    struct suite *suite = six_levels();
    struct catalogue *catalogue = catalogue_default();
    struct curve_wish wish = curve_wish_of(suite);
    suite->series[0].levels[1].generator = 2;
    struct analysis *found = analysis_new(suite, &wish, catalogue);
    assert_int_equal(found->primary_count, 0);
    assert_true(found->none_observed);
    analysis_free(found);
    for (size_t i = 2; i < 6; i++)
        suite->series[0].levels[i].generator = 2;
    found = analysis_new(suite, &wish, catalogue);
    assert_string_equal(found->primary[0].kind, "generator");
    analysis_free(found);
    catalogue_free(catalogue);
    suite_free(suite);
}

static void another_target_is_said(void **state)
{
    (void)state;
    char room[300];
    struct suite *suite = six_levels();
    for (size_t i = 0; i < 6; i++)
        watch_limit(&suite->series[0].levels[i], 1 << 30);
    suite_add_event(suite, 0, "level", "50 users: steady");
    assert_string_equal(said_of(suite, "ENV_CHANGED", room), "");
    suite->series[0].levels[3].resources[0].mean *= 2;
    assert_non_null(strstr(said_of(suite, "ENV_CHANGED", room),
                           "cgroup.memory_limit of rag is 1 GiB at 10 and 2 GiB at 40"));
    suite_add_event(suite, 5, "restart", "container rag was restarted");
    assert_non_null(strstr(said_of(suite, "ENV_CHANGED", room), "container rag was restarted"));
    suite_free(suite);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_of_levels_name_the_loads),
        cmocka_unit_test(a_generator_that_carried_more_later_was_not_the_limit),
        cmocka_unit_test(another_target_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
