/* How what was watched goes with the load: values made of a pattern have that pattern. And an
 * analysis that nothing explains says where to look again, how finely and how long. */
#include "study/bottleneck.h"

#include "base/memory.h"

#include "../stat/near.h"

#include <string.h>

enum { LOADS = 8 };

/* Mean and highest sample at the index-th of 8 loads, 10 to 80 users. */
struct shape {
    const char *name, *metric, *unit;
    enum resource_pattern pattern;
    double mean[LOADS], most[LOADS];
};

static const struct shape shapes[] = {
    {"in proportion",
     "cpu.busy",
     "1",
     PATTERN_LINEAR,
     {.1, .2, .3, .4, .5, .6, .7, .8},
     {.12, .22, .32, .42, .52, .62, .72, .82}},
    {"full from 40 on",
     "cpu.busy",
     "1",
     PATTERN_PLATEAU,
     {.25, .5, .75, .98, .97, .99, .98, .99},
     {.3, .6, .8, 1, 1, 1, 1, 1}},
    {"the last two alike, 70 and 80: no plateau yet",
     "cpu.busy",
     "1",
     PATTERN_LINEAR,
     {.1, .2, .3, .4, .5, .6, .78, .8},
     {.1, .2, .3, .4, .5, .6, .78, .8}},
    {"allocated beforehand",
     "gpu.memory_share",
     "1",
     PATTERN_FLAT,
     {.9, .9, .91, .9, .9, .91, .91, .91},
     {.9, .9, .91, .9, .9, .91, .91, .91}},
    {"up and down",
     "gpu.dram_active",
     "1",
     PATTERN_FLAT,
     {.6, .5, .65, .5, .6, .55, .6, .61},
     {.6, .5, .65, .5, .6, .55, .6, .61}},
    {"full for moments",
     "disk.busy",
     "1",
     PATTERN_BURST,
     {.1, .1, .12, .1, .13, .12, .14, .15},
     {.1, .1, .2, .2, .2, 1, 1, 1}},
    {"a queue as queues are",
     "llm.waiting",
     "requests",
     PATTERN_LINEAR,
     {0, .2, .5, 1, 2, 4, 8, 16},
     {0, 1, 2, 4, 7, 12, 20, 34}},
    {"a queue that comes and goes",
     "llm.waiting",
     "requests",
     PATTERN_BURST,
     {0, .2, .5, .6, .5, .8, .6, .9},
     {0, 1, 2, 25, 3, 30, 3, 4}},
};

static struct suite *measure(const struct shape *shape, double slope)
{
    struct suite *suite = suite_new();
    struct level_series *series = suite_add(suite, SUITE_PROGRESSION, "progression");
    suite->slo_response_s = 1;
    suite->slo_error_share = .01;
    for (int i = 0; i < LOADS; i++) {
        struct level *level = series_add(series);
        level->users = 10 * (i + 1);
        level->throughput = level->users;
        level->requests = 6000;
        level->measured_s = 60;
        level->concurrency = level->users * .1;
        level->mean_s = level->p50_s = .1;
        level->p95_s = level->p99_s = .2;
        level->think_s = .9;
        level->error_share = level->timeout_share = level->little = 0;
        if (!shape)
            continue;
        struct level_resource *resource = level_add_resource(level);
        resource->thing = memory_copy_text("thing");
        resource->role = memory_copy_text("service");
        resource->metric = memory_copy_text(shape->metric);
        resource->part = memory_copy_text("");
        resource->unit = memory_copy_text(shape->unit);
        resource->mean = shape->mean[i];
        resource->p95 = resource->most = shape->most[i];
        resource->slope = slope;
        resource->count = 60;
    }
    return suite;
}

static struct analysis *analyze(const struct suite *suite, const struct catalogue *catalogue)
{
    struct curve_wish wish = curve_wish_of(suite);
    return analysis_new(suite, &wish, catalogue);
}

static void patterns_are_named(void **state)
{
    (void)state;
    struct catalogue *catalogue = catalogue_default();
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        struct suite *suite = measure(&shapes[i], 0);
        struct analysis *found = analyze(suite, catalogue);
        assert_int_equal(found->trend_count, 1);
        if (found->trends[0].pattern != shapes[i].pattern)
            fail_msg("%s: %s", shapes[i].name, pattern_words(found->trends[0].pattern));
        analysis_free(found);
        suite_free(suite);
    }
    catalogue_free(catalogue);
}

/* Memory that grows at each constant load by 5 % of itself and more; a minute each. */
static void what_grows_at_constant_load_is_a_leak(void **state)
{
    (void)state;
    static const struct shape memory = {"",
                                        "memory.used_share",
                                        "1",
                                        PATTERN_LINEAR,
                                        {.3, .35, .4, .45, .5, .55, .6, .65},
                                        {.3, .35, .4, .45, .5, .55, .6, .65}};
    struct catalogue *catalogue = catalogue_default();
    for (int turn = 0; turn < 2; turn++) {
        double slope = turn ? .001 : .0001; /* a second: 9 % and 0.9 % of the largest */
        struct suite *suite = measure(&memory, slope);
        struct analysis *found = analyze(suite, catalogue);
        bool warned = false;
        for (size_t i = 0; i < found->warnings.count; i++)
            warned |= strcmp(found->warnings.rows[i].code, "LEAK") == 0;
        assert_int_equal(warned, turn);
        assert_int_equal(isnan(found->trends[0].leak_per_s), !turn);
        analysis_free(found);
        suite_free(suite);
    }
    catalogue_free(catalogue);
}

/* The objective is lost from 60 users on, throughput still rises, and nothing was watched. */
static void an_open_question_says_what_settles_it(void **state)
{
    (void)state;
    struct catalogue *catalogue = catalogue_default();
    struct suite *suite = measure(NULL, 0);
    bool finer = false, further = false, again = false;
    for (size_t i = 5; i < LOADS; i++)
        suite->series[0].levels[i].p95_s = 1.5;
    struct analysis *found = analyze(suite, catalogue);
    assert_true(found->inconclusive);
    assert_int_equal(found->primary_count, 0);
    for (size_t i = 0; i < found->next_count; i++) {
        finer |= strstr(found->next[i], "between 50 and 60 users: measure there in steps of 2, "
                                        "2m each") != NULL;
        further |= strstr(found->next[i], "go on beyond 80 users") != NULL;
        again |= strstr(found->next[i], "--repeat") != NULL;
    }
    if (!finer || !further || !again)
        for (size_t i = 0; i < found->next_count; i++)
            print_message("%s\n", found->next[i]);
    assert_true(finer && further && again);
    analysis_free(found);
    suite_free(suite);
    catalogue_free(catalogue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_are_named),
        cmocka_unit_test(what_grows_at_constant_load_is_a_leak),
        cmocka_unit_test(an_open_question_says_what_settles_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
