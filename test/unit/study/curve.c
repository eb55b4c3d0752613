/* The four answers on curves made by hand, where each can be read off; laws as validators; the
 * catalogue of users. */
#include "study/bottleneck.h"

#include "base/memory.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka needs what stands above it. */
/* clang-format off */
#include <cmocka.h>
/* clang-format on */

/* A closed system that does at most `most` a second, of users who think for a second. */
static struct suite *system_of(size_t count, double step, double most)
{
    struct suite *suite = suite_new();
    suite->slo_response_s = .2;
    suite->slo_error_share = .01;
    struct level_series *series = suite_add(suite, SUITE_PROGRESSION, "progression");
    for (size_t i = 1; i <= count; i++) {
        struct level *level = series_add(series);
        level->users = step * (double)i;
        level->think_s = 1;
        level->throughput = fmin(level->users / 1.05, most);
        level->mean_s = level->users / level->throughput - 1;
        level->p50_s = level->p95_s = level->p99_s = level->mean_s;
        level->measured_s = 600;
        level->requests = (uint64_t)(600 * level->throughput);
        level->concurrency = level->throughput * level->mean_s;
        level->error_share = level->timeout_share = 0;
        level->little = 0;
    }
    return suite;
}

static struct analysis *analysis_of(const struct suite *suite, const struct catalogue *catalogue)
{
    struct curve_wish wish = curve_wish_of(suite);
    return analysis_new(suite, &wish, catalogue);
}

static bool warned(const struct analysis *found, const char *code)
{
    for (size_t i = 0; i < found->warnings.count; i++)
        if (strcmp(found->warnings.rows[i].code, code) == 0)
            return true;
    return false;
}

static void four_answers_are_apart(void **state)
{
    (void)state;
    struct catalogue *catalogue = catalogue_default();
    struct suite *suite = system_of(12, 20, 100); /* 20 .. 240; bends at 105, 200 ms at 120 */
    struct analysis *found = analysis_of(suite, catalogue);
    const struct curve *curve = found->curve;
    assert_true(curve->linear.observed && curve->linear.load > 99 && curve->linear.load < 101);
    assert_true(curve->linear.low <= curve->linear.load &&
                curve->linear.high >= curve->linear.load);
    assert_true(curve->knee.observed && fabs(curve->knee.load - 105) < 3);
    assert_true(curve->knee.low < 106 && curve->knee.high > 104 && curve->knee_p < .05);
    assert_true(curve->critical.observed);
    assert_true(fabs(curve->critical.low - 120) < .1 && fabs(curve->critical.high - 140) < .1);
    assert_true(curve->capacity.observed && fabs(curve->capacity_rps - 100) < 1e-9);
    assert_true(curve->capacity_low < 100 && curve->capacity_high > 100);
    assert_true(curve->peak_observed && !curve->retrograde && fabs(curve->asymptote - 105) < 1e-6);
    assert_true(warned(found, "NO_REPLICATES") && !warned(found, "FEW_LEVELS"));
    analysis_free(found);
    suite_free(suite);
    catalogue_free(catalogue);
}

static void what_was_not_seen_is_not_observed(void **state)
{
    (void)state;
    struct catalogue *catalogue = catalogue_default();
    struct suite *suite = system_of(4, 10, 1000);
    struct analysis *found = analysis_of(suite, catalogue);
    const struct curve *curve = found->curve;
    assert_false(curve->linear.observed || curve->knee.observed || curve->critical.observed);
    assert_true(curve->capacity.observed && isnan(curve->capacity.high) && !curve->peak_observed);
    assert_true(found->none_observed && found->primary_count == 0);
    assert_true(warned(found, "PEAK_NOT_OBSERVED") && warned(found, "FEW_LEVELS"));
    assert_true(found->next_count >= 2);
    analysis_free(found);
    suite_free(suite);
    catalogue_free(catalogue);
}

/* Nothing is said of a target that only a saturated generator has tested. */
static void what_the_generator_spoiled_is_not_judged(void **state)
{
    (void)state;
    struct catalogue *catalogue = catalogue_default();
    struct suite *suite = system_of(1, 10, 1000);
    suite->series[0].levels[0].generator = 2;
    struct analysis *found = analysis_of(suite, catalogue);
    assert_false(found->curve->critical.observed || found->curve->capacity.observed);
    assert_string_equal(found->curve->critical.words,
                        "not observed: no level that could be judged");
    analysis_free(found);
    suite_free(suite);
    catalogue_free(catalogue);
}

static void a_level_that_breaks_a_law_is_kept_out(void **state)
{
    (void)state;
    struct catalogue *catalogue = catalogue_default();
    struct suite *suite = system_of(8, 20, 100);
    suite->series[0].levels[3].little = .3;
    suite->series[0].levels[6].state = LEVEL_NOT_STEADY;
    suite->series[0].levels[7].error_share = .05;
    struct analysis *found = analysis_of(suite, catalogue);
    assert_true(found->curve->points[3].inconsistent && !found->curve->points[3].usable);
    assert_false(found->curve->points[6].usable);
    assert_false(found->curve->points[7].good);
    assert_true(warned(found, "LITTLE_VIOLATION") && warned(found, "NOT_STEADY") &&
                warned(found, "ERRORS_IN_WINDOW"));
    analysis_free(found);
    suite_free(suite);
    catalogue_free(catalogue);
}

/* Two sizes of one system; only a size that moves the capacity confirms. */
static struct suite *sized(double less, double more)
{
    struct suite *suite = system_of(10, 20, less), *large = system_of(10, 20, more);
    suite->series[0].kind = SUITE_VERTICAL;
    for (size_t i = 0; i < 10; i++) {
        struct level *small = &suite->series[0].levels[i];
        small->size = 1;
        small->size_name = memory_copy_text("cpu 1");
    }
    for (size_t i = 0; i < 10; i++) {
        struct level *to = series_add(&suite->series[0]);
        *to = large->series[0].levels[i];
        to->size = 2;
        to->size_name = memory_copy_text("cpu 2");
    }
    large->series[0].level_count = 0;
    suite_free(large);
    for (size_t i = 0; i < 10; i++) {
        struct level *level = &suite->series[0].levels[i];
        struct level_resource *cpu = level_add_resource(level);
        cpu->thing = memory_copy_text("api");
        cpu->role = memory_copy_text("service");
        cpu->metric = memory_copy_text("cgroup.cpu_of_quota");
        cpu->part = memory_copy_text("");
        cpu->unit = memory_copy_text("1");
        cpu->mean = cpu->p95 = cpu->most = .99 * level->throughput / less;
    }
    return suite;
}

static void only_an_intervention_confirms(void **state)
{
    (void)state;
    struct catalogue *catalogue = catalogue_default();
    struct suite *moved = sized(60, 115), *left = sized(60, 60);
    struct analysis *yes = analysis_of(moved, catalogue), *no = analysis_of(left, catalogue);
    assert_int_equal(yes->size_count, 2);
    assert_int_equal(yes->primary_count, 1);
    assert_string_equal(yes->primary[0].kind, "cpu-quota");
    assert_int_equal(yes->primary[0].standing, STANDING_CONFIRMED);
    assert_int_equal(yes->primary[0].confidence, CONFIDENCE_HIGH);
    for (size_t i = 0; i < no->primary_count; i++)
        assert_int_not_equal(no->primary[i].standing, STANDING_CONFIRMED);
    analysis_free(yes);
    analysis_free(no);
    suite_free(moved);
    suite_free(left);
    catalogue_free(catalogue);
}

static void the_utilisation_law_is_tried(void **state)
{
    (void)state;
    struct catalogue *catalogue = catalogue_default();
    struct suite *suite = sized(60, 60);
    struct analysis *found = analysis_of(suite, catalogue);
    assert_false(warned(found, "UTILISATION_VIOLATION"));
    analysis_free(found);
    suite->series[0].levels[1].resources[0].mean += .12; /* somebody else was busy */
    found = analysis_of(suite, catalogue);
    assert_true(warned(found, "UTILISATION_VIOLATION"));
    analysis_free(found);
    suite_free(suite);
    catalogue_free(catalogue);
}

static void users_change_and_extend_the_catalogue(void **state)
{
    (void)state;
    struct catalogue *catalogue = catalogue_default();
    struct notes notes = {.items = NULL};
    size_t before = catalogue->count;
    struct span yaml = SPAN("expected:\n"
                            "  - { id: cpu, fix: our own, limit: 80 % }\n"
                            "  - { id: late, kinds: software, metric: p95_s, limit: 300 ms,\n"
                            "      load: 100 }\n");
    assert_int_equal(catalogue_read(catalogue, "own.yaml", yaml, &notes), 0);
    assert_int_equal(catalogue->count, before + 1);
    const struct catalogue_entry *cpu = catalogue_find(catalogue, "cpu", "api", "service");
    assert_string_equal(cpu->fix, "our own");
    assert_true(fabs(cpu->limit - .8) < 1e-12 && *cpu->root_cause);
    assert_string_equal(catalogue_find(catalogue, "cpu", "embedding", "")->id, "embedding-cpu");
    struct suite *suite = system_of(12, 20, 100);
    struct analysis *found = analysis_of(suite, catalogue);
    const struct expectation *late = &found->expectations[before];
    assert_int_equal(late->state, EXPECTED_SEEN);
    assert_true(fabs(late->load - 140) < .1); /* 400 ms there, 200 ms at 120 */
    assert_string_equal(found->primary[0].expected->id, "late");
    struct span bad = SPAN("expected: [{ kinds: cpu }, { id: x, limti: 3 }]");
    assert_int_equal(catalogue_read(catalogue, "own.yaml", bad, &notes), 1);
    assert_int_equal(notes.errors, 2);
    notes_fini(&notes);
    analysis_free(found);
    suite_free(suite);
    catalogue_free(catalogue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(four_answers_are_apart),
        cmocka_unit_test(what_was_not_seen_is_not_observed),
        cmocka_unit_test(what_the_generator_spoiled_is_not_judged),
        cmocka_unit_test(a_level_that_breaks_a_law_is_kept_out),
        cmocka_unit_test(only_an_intervention_confirms),
        cmocka_unit_test(the_utilisation_law_is_tried),
        cmocka_unit_test(users_change_and_extend_the_catalogue),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
