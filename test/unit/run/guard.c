/* Thresholds judged during a run, and the generator watched, on a live picture fed by hand: the
 * recorder without a file, one thread's blocks, a second at a time. */
#include "run/guard.h"
#include "record/recorder.h"
#include "record/result.h"
#include "run/overseer.h"

#include "base/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
/* cmocka needs what stands above it. */
/* clang-format off */
#include <cmocka.h>
/* clang-format on */

#define WORDS(literal) ((char *)(uintptr_t)(literal))

/* A plan of one request, a recorder and one thread's exchange. */
struct scene {
    struct plan plan;
    struct plan_scenario scenario;
    struct plan_stage stage;
    struct plan_task task;
    struct plan_request request;
    struct metric_table metrics;
    struct run_phase phase;
    struct tally_exchange tallies;
    struct recorder *recorder;
    uint32_t second;
};

static void scene_init(struct scene *scene)
{
    *scene = (struct scene){.second = 0};
    scene->stage = (struct plan_stage){
        .name = WORDS("hold"), .duration_ns = 60 * NSEC_PER_SEC, .target = 1, .jump = true};
    scene->task = (struct plan_task){.name = WORDS("front"), .weight = 1, .request_count = 1};
    scene->request = (struct plan_request){.name = WORDS("front"), .verb = "get"};
    scene->scenario = (struct plan_scenario){
        .name = WORDS("main"), .stages = &scene->stage, .stage_count = 1, .task_count = 1};
    scene->plan = (struct plan){
        .name = WORDS("scene"),
        .source = WORDS(""),
        .target = WORDS("http://192.0.2.1"),
        .scenarios = &scene->scenario,
        .scenario_count = 1,
        .tasks = &scene->task,
        .task_count = 1,
        .requests = &scene->request,
        .request_count = 1,
        .interval_ns = NSEC_PER_SEC,
        .time_scale = 1,
    };
    scene->phase = (struct run_phase){.name = "hold", .end_ns = 60 * NSEC_PER_SEC, .target = 1};
    metric_table_init(&scene->metrics);
    const struct run_request request = {"front", "front", "main"};
    struct run_head head = {.id = "x",
                            .name = "scene",
                            .plan_source = "",
                            .target = "",
                            .version = "0",
                            .host = "",
                            .kernel = "",
                            .cpu = "",
                            .segments = 1,
                            .interval_ns = NSEC_PER_SEC,
                            .time_scale = 1};
    const struct run_declared run = {.head = head,
                                     .metrics = &scene->metrics,
                                     .requests = &request,
                                     .phases = &scene->phase,
                                     .request_count = 1,
                                     .phase_count = 1};
    assert_int_equal(recorder_new(&scene->recorder, NULL, &run), 0);
    tally_exchange_init(&scene->tallies, &scene->metrics, 0, 1, 0);
    recorder_attach(scene->recorder, &scene->tallies);
}

static void scene_fini(struct scene *scene)
{
    recorder_close(scene->recorder);
    recorder_free(scene->recorder);
    tally_exchange_fini(&scene->tallies);
    metric_table_fini(&scene->metrics);
}

/* One second in which so many requests succeeded in this time, and so many failed. */
static void live_a_second(struct scene *scene, uint64_t good, nsec_t time_ns, uint64_t bad,
                          double busy)
{
    struct tally_block *block = ring_take(&scene->tallies.empty);
    assert_non_null(block);
    struct tally *tally = &block->requests[0];
    block->phase = 0;
    block->first_interval = block->last_interval = scene->second;
    block->begin_ns = scene->second * NSEC_PER_SEC;
    block->end_ns = block->begin_ns + NSEC_PER_SEC;
    tally_count(tally, COUNT_OFFERED, good + bad);
    tally_count(tally, COUNT_STARTED, good + bad);
    tally_count(tally, COUNT_SUCCEEDED, good);
    tally_count(tally, COUNT_FAILED, bad);
    tally_count(tally, COUNT_ERROR_HTTP_STATUS, bad);
    for (uint64_t i = 0; i < good; i++)
        tally_time(tally, HIST_RESPONSE, time_ns);
    block->gauges[GAUGE_BUSY] = busy;
    assert_true(ring_put(&scene->tallies.full, block));
    recorder_drain(scene->recorder);
    scene->second++;
}

/* What a look found. */
struct found {
    size_t count;
    bool abort;
    int scenario;
    char words[200];
};

static void note_found(void *self, const struct guard_finding *finding)
{
    struct found *found = self;
    found->count++;
    found->abort = finding->abort;
    found->scenario = finding->scenario;
    snprintf(found->words, sizeof found->words, "%s", finding->words);
}

static struct found look(struct scene *scene, struct guard *guard)
{
    struct found found = {.count = 0};
    struct result *result = recorder_result(scene->recorder, guard_window(guard));
    guard_look(guard, result, scene->second * NSEC_PER_SEC, note_found, &found);
    result_free(result);
    return found;
}

static struct plan_threshold error_rate(nsec_t window_s, bool abort)
{
    return (struct plan_threshold){.metric = WORDS("http_req_failed"),
                                   .aggregate = WORDS("rate"),
                                   .compare = COMPARE_LESS,
                                   .limit = 0.1,
                                   .window_ns = window_s * NSEC_PER_SEC,
                                   .abort = abort,
                                   .words = WORDS("rate<0.1")};
}

/* A window that failed once has failed, whatever the whole run looks like at its end. */
static void test_a_failed_window_is_kept(void **state)
{
    (void)state;
    struct scene scene;
    scene_init(&scene);
    struct plan_threshold threshold = error_rate(2, true);
    scene.plan.thresholds = &threshold;
    scene.plan.threshold_count = 1;
    struct guard *guard = guard_new(&scene.plan);
    assert_true(guard_awake(guard));
    live_a_second(&scene, 100, NSEC_PER_MSEC, 0, 0.1);
    assert_int_equal(look(&scene, guard).count, 0);
    live_a_second(&scene, 60, NSEC_PER_MSEC, 40, 0.1);
    struct found found = look(&scene, guard);
    assert_int_equal(found.count, 1);
    assert_true(found.abort);
    assert_int_equal(found.scenario, -1);
    assert_non_null(strstr(found.words, "rate<0.1"));
    assert_non_null(strstr(found.words, "failed at 0.2"));
    assert_false(guard_awake(guard)); /* nothing more to find */
    for (int i = 0; i < 20; i++)
        live_a_second(&scene, 100, NSEC_PER_MSEC, 0, 0.1);
    assert_int_equal(look(&scene, guard).count, 0);
    struct result *result = recorder_result(scene.recorder, 0);
    size_t count = 0;
    struct result_verdict *verdicts =
        guard_verdicts(guard, result, scene.second * NSEC_PER_SEC, &count);
    assert_int_equal(count, 1);
    assert_int_equal(verdicts[0].verdict, VERDICT_FAILED);
    assert_float_equal(verdicts[0].value, 0.2, 1e-9);
    guard_verdicts_free(verdicts, count);
    result_free(result);
    guard_free(guard);
    scene_fini(&scene);
}

static void test_not_before_it_is_due(void **state)
{
    (void)state;
    struct scene scene;
    scene_init(&scene);
    struct plan_threshold threshold = error_rate(1, true);
    threshold.after_ns = 3 * NSEC_PER_SEC;
    scene.plan.thresholds = &threshold;
    scene.plan.threshold_count = 1;
    struct guard *guard = guard_new(&scene.plan);
    live_a_second(&scene, 0, 0, 50, 0.1);
    live_a_second(&scene, 0, 0, 50, 0.1);
    assert_int_equal(look(&scene, guard).count, 0);
    live_a_second(&scene, 0, 0, 50, 0.1);
    assert_int_equal(look(&scene, guard).count, 1);
    guard_free(guard);
    scene_fini(&scene);
}

/* Thresholds without a window or abort wait for the end. */
static void test_asleep_without_need(void **state)
{
    (void)state;
    struct plan_threshold threshold = error_rate(0, false);
    struct plan plan = {
        .thresholds = &threshold, .threshold_count = 1, .interval_ns = NSEC_PER_SEC};
    struct guard *guard = guard_new(&plan);
    assert_false(guard_awake(guard));
    guard_free(guard);
}

/* An `until` limit ends its scenario when it comes true, with a window of its own. */
static void test_until_comes_true(void **state)
{
    (void)state;
    struct scene scene;
    scene_init(&scene);
    struct plan_threshold limit = {.metric = WORDS("response"),
                                   .aggregate = WORDS("p"),
                                   .percentile = 95,
                                   .compare = COMPARE_MORE,
                                   .limit = 200,
                                   .words = WORDS("response p(95)>200")};
    char *until = WORDS("response p(95)>200");
    scene.scenario.until = &until;
    scene.scenario.limits = &limit;
    scene.scenario.until_count = 1;
    struct guard *guard = guard_new(&scene.plan);
    for (int i = 0; i < 3; i++)
        live_a_second(&scene, 100, 20 * NSEC_PER_MSEC, 0, 0.1);
    assert_int_equal(look(&scene, guard).count, 0);
    for (int i = 0; i < 10; i++)
        live_a_second(&scene, 100, 300 * NSEC_PER_MSEC, 0, 0.1);
    struct found found = look(&scene, guard);
    assert_int_equal(found.count, 1);
    assert_int_equal(found.scenario, 0);
    assert_false(found.abort);
    assert_non_null(strstr(found.words, "was crossed at 3"));
    guard_free(guard);
    scene_fini(&scene);
}

/* Busy seconds are marked in the record, and only they; each second is judged once. */
static void test_saturated_seconds_are_marked(void **state)
{
    (void)state;
    struct scene scene;
    scene_init(&scene);
    struct overseer *overseer = overseer_new(&scene.plan, scene.recorder, 1);
    assert_false(overseer_shares_machine(overseer));
    for (uint32_t s = 0; s < 10; s++) {
        live_a_second(&scene, 100, NSEC_PER_MSEC, 0, s >= 4 && s < 7 ? 0.99 : 0.2);
        struct result *result = recorder_result(scene.recorder, 5 * NSEC_PER_SEC);
        overseer_judge(overseer, result, false);
        result_free(result);
    }
    struct result *result = recorder_result(scene.recorder, 0);
    overseer_judge(overseer, result, true);
    overseer_judge(overseer, result, true);
    assert_int_equal(overseer_conclude(overseer, result), GENERATOR_SATURATED);
    result_free(result);
    assert_int_equal(recorder_close(scene.recorder), 0); /* what was said is in the picture then */
    result = recorder_result(scene.recorder, 0);
    assert_int_equal(result->point_count, 10);
    for (uint32_t s = 0; s < 10; s++)
        assert_int_equal(result->points[s].saturated, s >= 4 && s < 7);
    assert_string_equal(result_fact(result, "generator.verdict"), "saturated");
    assert_string_equal(result_fact(result, "generator.saturated_s"), "3.000");
    assert_string_equal(result_fact(result, "generator.reason"),
                        "a loop thread was busy for 99 % (in 3 of 10 s)");
    result_free(result);
    overseer_free(overseer);
    scene_fini(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_failed_window_is_kept),
        cmocka_unit_test(test_not_before_it_is_due),
        cmocka_unit_test(test_asleep_without_need),
        cmocka_unit_test(test_until_comes_true),
        cmocka_unit_test(test_saturated_seconds_are_marked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
