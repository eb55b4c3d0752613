/* The public header's promises that need no server: configs become plans, mistakes are told with
 * their place, nothing ambient is read, and values of other versions keep their size. */
#include <plimsoll/plimsoll.h>

#include "lib/scenario.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
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

static void check_config(const struct plimsoll_config *config, const char *wrong)
{
    char *notes = NULL;
    struct plimsoll_plan *plan = plimsoll_plan_of_config(config);
    int outcome = plimsoll_plan_check(plan, &notes);
    assert_int_equal(outcome, wrong ? PLIMSOLL_BAD_PLAN : 0);
    if (wrong && (!notes || !strstr(notes, wrong)))
        fail_msg("\"%s\" is not in: %s", wrong, notes ? notes : "nothing");
    if (!wrong)
        assert_null(notes);
    plimsoll_text_free(notes);
    plimsoll_plan_free(plan);
}

static void configs_of_every_pattern_are_plans(void **state)
{
    (void)state;
    const struct plimsoll_header headers[] = {{"X-Quoted", "a \"b\" \\ c"}, {"Accept", "*/*"}};
    for (int pattern = PLIMSOLL_CONSTANT; pattern <= PLIMSOLL_STRESS_TEST; pattern++) {
        struct plimsoll_config config = PLIMSOLL_CONFIG_INIT;
        config.target_url = "http://127.0.0.1:8000/api";
        config.load_pattern = (enum plimsoll_pattern)pattern;
        config.duration_seconds = 300;
        config.headers = headers;
        config.header_count = 2;
        config.payload = "{\"query\": \"one\\ntwo {{ uuid }}\", \"n\": [1, 2]}";
        config.think_time_seconds = 0.5;
        config.success_rate_threshold = 99;
        config.latency_p95_threshold_ms = 1500;
        check_config(&config, NULL);
    }
}

static void mistakes_in_a_config_are_told(void **state)
{
    (void)state;
    struct plimsoll_config config = PLIMSOLL_CONFIG_INIT;
    check_config(&config, "target"); /* missing */
    config.target_url = "http://127.0.0.1:8000/";
    check_config(&config, NULL);
    config.success_rate_threshold = 101;
    check_config(&config, "success_rate_threshold must be between 0 and 100");
    config.success_rate_threshold = 100;
    config.payload = "{\"open\": ";
    check_config(&config, "plan:");
    config.payload = NULL;
    config.load_pattern = (enum plimsoll_pattern)77;
    check_config(&config, "pattern \"unknown\" is unknown");
}

static void an_older_config_is_read_to_its_size(void **state)
{
    (void)state;
    struct plimsoll_config config = PLIMSOLL_CONFIG_INIT;
    config.target_url = "http://127.0.0.1:8000/";
    config.success_rate_threshold = 101; /* behind the size that this program claims */
    config.bytes = offsetof(struct plimsoll_config, success_rate_threshold);
    check_config(&config, NULL);
}

static void settings_and_variables_are_given_not_ambient(void **state)
{
    (void)state;
    char *notes = NULL;
    setenv("PLACE", "http://ambient", 1);
    struct plimsoll_plan *plan = plimsoll_plan_of_text(
        "target: ${PLACE}\nscenarios:\n  a: { vus: 1, duration: 1s, tasks: [{ get: / }] }\n");
    assert_int_equal(plimsoll_plan_check(plan, &notes), PLIMSOLL_BAD_PLAN);
    assert_non_null(strstr(notes, "plan:1:"));
    assert_non_null(strstr(notes, "PLACE"));
    plimsoll_text_free(notes);
    plimsoll_plan_variable(plan, "PLACE", "nonsense");
    plimsoll_plan_variable(plan, "PLACE", "http://127.0.0.1:9");
    assert_int_equal(plimsoll_plan_check(plan, NULL), 0);
    plimsoll_plan_set(plan, "scenarios.*.vus", "many");
    assert_int_equal(plimsoll_plan_check(plan, NULL), PLIMSOLL_BAD_PLAN);
    plimsoll_plan_set(plan, "scenarios.*.vus", "3");
    assert_int_equal(plimsoll_plan_check(plan, NULL), 0);
    plimsoll_plan_set(plan, "no.such", "1");
    assert_int_equal(plimsoll_plan_check(plan, NULL), PLIMSOLL_BAD_PLAN);
    plimsoll_plan_free(plan);
    unsetenv("PLACE");
}

static void scenarios_are_plans(void **state)
{
    (void)state;
    size_t count = 0, standard = 0;
    for (const char *name; (name = plimsoll_scenario_name(count)) != NULL; count++) {
        char *notes = NULL;
        struct plimsoll_plan *plan = plimsoll_plan_of_scenario(name);
        assert_non_null(strstr(plimsoll_plan_words(plan), name));
        plimsoll_plan_set(plan, "target", "http://127.0.0.9:1");
        assert_int_equal(plimsoll_plan_check(plan, &notes), 0);
        assert_null(notes);
        plimsoll_plan_free(plan);
        assert_true(scenario_sentence(scenario_find(name)).bytes > 20);
    }
    while (plimsoll_standard_scenario(standard))
        standard++;
    assert_true(count >= 14);
    assert_int_equal(standard, 5);
    assert_null(plimsoll_plan_of_scenario("none"));
}

static void a_plan_with_errors_is_a_report_that_says_so(void **state)
{
    (void)state;
    struct plimsoll_report *report = NULL;
    struct plimsoll_values values = PLIMSOLL_VALUES_INIT;
    struct plimsoll_plan *plan = plimsoll_plan_of_text("target: 7\n");
    assert_int_equal(plimsoll_run(plan, NULL, &report), 0);
    assert_int_equal(plimsoll_report_outcome(report), PLIMSOLL_BAD_PLAN);
    assert_non_null(strstr(plimsoll_report_sentence(report), "scenarios"));
    assert_int_equal(plimsoll_report_values(report, NULL, 0, &values), -ENOENT);
    assert_int_equal(plimsoll_report_slo_availability(report), PLIMSOLL_UNKNOWN);
    assert_int_equal(plimsoll_report_save(report, "/nonexistent"), -ENOENT);
    plimsoll_report_free(report);
    plimsoll_plan_free(plan);
    plan = plimsoll_plan_of_file("/nonexistent/plan.yaml");
    assert_int_equal(plimsoll_run(plan, NULL, &report), -ENOENT);
    plimsoll_plan_free(plan);
    assert_int_equal(plimsoll_report_read("/dev/null", &report), -EINVAL);
}

/* Nothing listens on port 1: every request is refused, at once, which is a result too. */
/* One run on both sides, and one in which nothing succeeded: no comparison. */
static void compares_with_itself(const struct plimsoll_report *report)
{
    char *words = NULL;
    struct plimsoll_sides sides = PLIMSOLL_SIDES_INIT;
    struct plimsoll_comparison found = PLIMSOLL_COMPARISON_INIT;
    assert_int_equal(plimsoll_compare(&sides, &found, NULL), -EINVAL);
    sides.base = sides.now = &report;
    sides.base_count = sides.now_count = 1;
    assert_int_equal(plimsoll_compare(&sides, &found, &words), -ENOENT); /* no p95 of nothing */
    assert_non_null(strstr(words, "response p95 of base run 1 is not known: n = 0"));
    plimsoll_text_free(words);
    sides.metric = "error_rate";
    assert_int_equal(plimsoll_compare(&sides, &found, &words), 0);
    assert_int_equal(found.change, PLIMSOLL_NOT_COMPARABLE);
    assert_true(found.base_median == 1 && found.now_median == 1 && found.shift == 0);
    assert_non_null(strstr(words, "1 run is given twice"));
    plimsoll_text_free(words);
}

static void a_run_without_a_server_has_figures(void **state)
{
    (void)state;
    volatile sig_atomic_t stop = 0;
    const char *kind = NULL;
    uint64_t refused = 0, count = 0;
    struct plimsoll_report *report = NULL;
    struct plimsoll_values values = PLIMSOLL_VALUES_INIT;
    struct plimsoll_options options = PLIMSOLL_OPTIONS_INIT;
    struct plimsoll_plan *plan = plimsoll_plan_of_text(
        "target: http://127.0.0.1:1\nscenarios:\n  a: { executor: per-vu-iterations, vus: 2, "
        "iterations: 5, tasks: [{ name: page, get: / }] }\nobjectives: [error_rate < 1%]\n");
    options.stop = &stop;
    assert_int_equal(plimsoll_run(plan, &options, &report), 0);
    assert_int_equal(plimsoll_report_values(report, NULL, 0, &values), 0);
    assert_int_equal(values.total_requests, 10);
    assert_int_equal(values.failed_requests, 10);
    assert_int_equal(values.errors_connection, 10);
    assert_true(values.error_rate == 1);
    assert_true(isnan(values.response.p95_ms));
    for (size_t i = 0; plimsoll_report_error(report, i, &kind, &count) == 0; i++)
        refused += strcmp(kind, "refused") == 0 ? count : 0;
    assert_int_equal(refused, 10);
    assert_int_equal(plimsoll_report_slo_availability(report), PLIMSOLL_NO);
    assert_int_equal(plimsoll_report_slo_latency_p95(report), PLIMSOLL_UNKNOWN);
    assert_int_equal(plimsoll_report_values(report, "page", 0, &values), 0);
    assert_int_equal(values.total_requests, 10);
    assert_int_equal(plimsoll_report_values(report, "none", 0, &values), -ENOENT);
    assert_int_equal(plimsoll_report_values(report, "page", 5, &values), -EINVAL);
    char *words = NULL;
    assert_int_equal(plimsoll_report_words(report, "json", &words), 0);
    assert_non_null(strstr(words, "\"refused\""));
    plimsoll_text_free(words);
    assert_int_equal(plimsoll_report_words(report, "none", &words), -ENOENT);
    compares_with_itself(report);
    plimsoll_report_free(report);
    plimsoll_plan_free(plan);
}

/* ---- two at once ------------------------------------------------------------------------------
 */

static void *run_refused(void *words)
{
    struct plimsoll_report *report = NULL;
    struct plimsoll_plan *plan = plimsoll_plan_of_text(words);
    plimsoll_run(plan, NULL, &report);
    plimsoll_plan_free(plan);
    return report;
}

static void two_runs_go_on_at_once(void **state)
{
    (void)state;
    char plans[2][300];
    pthread_t threads[2];
    for (int i = 0; i < 2; i++) {
        snprintf(plans[i], sizeof plans[i],
                 "target: http://127.0.0.1:1\nthreads: 2\nscenarios:\n  a: { executor: "
                 "per-vu-iterations, vus: %d, iterations: 20, think: 1ms, tasks: [{ get: / }] }\n",
                 2 + i);
        assert_int_equal(pthread_create(&threads[i], NULL, run_refused, plans[i]), 0);
    }
    for (int i = 0; i < 2; i++) {
        void *report = NULL;
        struct plimsoll_values values = PLIMSOLL_VALUES_INIT;
        pthread_join(threads[i], &report);
        assert_int_equal(plimsoll_report_values(report, NULL, 0, &values), 0);
        assert_int_equal(values.failed_requests, 40 + 20 * i);
        plimsoll_report_free(report);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(configs_of_every_pattern_are_plans),
        cmocka_unit_test(mistakes_in_a_config_are_told),
        cmocka_unit_test(an_older_config_is_read_to_its_size),
        cmocka_unit_test(settings_and_variables_are_given_not_ambient),
        cmocka_unit_test(scenarios_are_plans),
        cmocka_unit_test(a_plan_with_errors_is_a_report_that_says_so),
        cmocka_unit_test(two_runs_go_on_at_once),
        cmocka_unit_test(a_run_without_a_server_has_figures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
