/* Named patterns: each expands into the stages that its words promise. */
#include "plug/pattern/pattern_list.h"

#include "base/memory.h"
#include "plan/read.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct get {
    struct template *url;
};

static const struct setting get_rows[] = {
    {.name = "url", .type = SETTING_TEMPLATE, .offset = offsetof(struct get, url)}, {.name = NULL}};

static const struct request_verb verbs[] = {{.word = "get",
                                             .sentence = "",
                                             .settings = get_rows,
                                             .config_bytes = sizeof(struct get),
                                             .shorthand = "url"}};

/* Reads a scenario of these words and gives "duration name" a stage, one a line; or the errors.
 * Owner: caller. */
static char *expand(const char *words)
{
    struct pattern_word patterns[] = {pattern_constant, pattern_ramp,   pattern_step,
                                      pattern_spike,    pattern_stress, pattern_soak};
    struct vocabulary vocabulary = {.verbs = verbs,
                                    .verb_count = 1,
                                    .patterns = patterns,
                                    .pattern_count = sizeof patterns / sizeof *patterns};
    struct text text = TEXT_EMPTY, out = TEXT_EMPTY;
    text_printf(&text, "target: http://h\nscenarios: { a: { %s, tasks: [{ get: / }] } }\n", words);
    struct plan_source source = {.file = "p.yaml", .text = text.at};
    struct plan_reading reading;
    assert_int_equal(plan_read(&source, &vocabulary, &reading), 0);
    for (size_t i = 0; i < reading.notes.count; i++)
        text_printf(&out, "! %s\n", reading.notes.items[i].sentence);
    for (size_t i = 0; reading.plan && i < reading.plan->scenarios[0].stage_count; i++) {
        const struct plan_stage *stage = &reading.plan->scenarios[0].stages[i];
        text_printf(&out, "%g %s%s%s\n", (double)stage->duration_ns / 1e9,
                    stage->excluded ? "-"
                    : stage->level  ? "="
                                    : "/",
                    stage->jump ? "|" : "", stage->name);
    }
    plan_reading_fini(&reading);
    text_fini(&text);
    return text_take(&out);
}

static void expands(void **state)
{
    (void)state;
    static const struct {
        const char *words, *stages;
    } cases[] = {
        {"pattern: constant, vus: 5, duration: 10s", "10 =|5 users\n"},
        {"pattern: CONSTANT, vus: 1, duration: 10s, ramp_up: 4s",
         "4 /ramp to 1 user\n6 =|1 user\n"},
        {"pattern: constant, rate: 50/s, duration: 10s, warm_up: 2s", "2 -|warm-up\n10 =|50/s\n"},
        {"pattern: ramp, vus: 100, duration: 1m", "60 /ramp to 100 users\n"},
        {"pattern: LINEAR_RAMP, vus: 1500, duration: 1m, ramp_up: 20s",
         "20 /ramp to 1,500 users\n40 =|1,500 users\n"},
        {"pattern: step, levels: [10, 50], level_duration: 30s",
         "30 =|level 1 of 2: 10 users\n30 =|level 2 of 2: 50 users\n"},
        {"pattern: step, levels: [10, 50], duration: 1m, level_ramp: 5s",
         "5 /ramp to 10 users\n25 =|level 1 of 2: 10 users\n5 /ramp to 50 users\n"
         "25 =|level 2 of 2: 50 users\n"},
        {"pattern: STEP_FUNCTION, vus: 25, start: 10, step: 10, level_duration: 5s",
         "5 =|level 1 of 3: 10 users\n5 =|level 2 of 3: 20 users\n5 =|level 3 of 3: 25 users\n"},
        {"pattern: step, vus: 7, steps: 3, duration: 30s",
         "10 =|level 1 of 3: 2 users\n10 =|level 2 of 3: 5 users\n10 =|level 3 of 3: 7 users\n"},
        {"pattern: step, vus: 2, steps: 5, duration: 30s",
         "15 =|level 1 of 2: 1 user\n15 =|level 2 of 2: 2 users\n"},
        {"pattern: step, rate: 10/s, steps: 4, duration: 40s",
         "10 =|level 1 of 4: 2.5/s\n10 =|level 2 of 4: 5/s\n10 =|level 3 of 4: 7.5/s\n"
         "10 =|level 4 of 4: 10/s\n"},
        {"pattern: SPIKE_TEST, vus: 12, duration: 100s, multiplier: 4, length: 10s, period: 40s",
         "15 =|calm 1: 12 users\n10 =|spike 1 of 2: 48 users\n30 =|calm 2: 12 users\n"
         "10 =|spike 2 of 2: 48 users\n35 =|calm at the end: 12 users\n"},
        {"pattern: STRESS_TEST, vus: 25, step: 10, level_duration: 5s",
         "5 =|level 1 of 3: 10 users\n5 =|level 2 of 3: 20 users\n5 =|level 3 of 3: 25 users\n"},
        {"pattern: stress, vus: 20, duration: 20s",
         "2 =|level 1 of 10: 2 users\n2 =|level 2 of 10: 4 users\n2 =|level 3 of 10: 6 users\n"
         "2 =|level 4 of 10: 8 users\n2 =|level 5 of 10: 10 users\n"
         "2 =|level 6 of 10: 12 users\n2 =|level 7 of 10: 14 users\n"
         "2 =|level 8 of 10: 16 users\n2 =|level 9 of 10: 18 users\n"
         "2 =|level 10 of 10: 20 users\n"},
        {"pattern: soak, vus: 3, duration: 10s, parts: 3, ramp_up: 1s",
         "1 /ramp to 3 users\n3 =|part 1 of 3: 3 users\n3 =|part 2 of 3: 3 users\n"
         "3 =|part 3 of 3: 3 users\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *stages = expand(cases[i].words);
        assert_string_equal(stages, cases[i].stages);
        free(stages);
    }
}

static void refuses(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "pattern: constant, duration: 10s",
        "pattern: constant, vus: 3",
        "pattern: constant, vus: 3, duration: 3s, ramp_up: 3s",
        "pattern: ramp, vus: 3, duration: 3s, ramp_up: 4s",
        "pattern: step, level_duration: 3s",
        "pattern: step, levels: [1, 2]",
        "pattern: step, levels: []",
        "pattern: step, levels: [1], duration: 5s, level_ramp: 5s",
        "pattern: spike, vus: 3, duration: 10s",
        "pattern: spike, vus: 3, duration: 100s, length: 5s, period: 5s",
        "pattern: spike, vus: 3, duration: 1m, multiplier: 0.5",
        "pattern: stress, duration: 3s",
        "pattern: stress, vus: 1000000, step: 1",
        "pattern: soak, vus: 1",
        "pattern: soak, vus: 1, duration: 5s, ramp_up: 5s",
        "pattern: constant, vus: 1, duration: 5s, stages: [{ duration: 1s, target: 1 }]",
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *words = expand(cases[i]);
        if (words[0] != '!')
            print_error("%s was accepted: %s", cases[i], words);
        assert_int_equal(words[0], '!');
        free(words);
    }
}

/* What ends a stress test is compiled, its own or the plan's. */
static void stops_at_limits(void **state)
{
    (void)state;
    struct pattern_word patterns[] = {pattern_stress};
    struct vocabulary vocabulary = {
        .verbs = verbs, .verb_count = 1, .patterns = patterns, .pattern_count = 1};
    static const char *const texts[] = {
        "target: http://h\nscenarios: { a: { pattern: stress, vus: 10, tasks: [{ get: / }] } }\n",
        "target: http://h\nscenarios: { a: { pattern: stress, vus: 10, until: [\"response p(99) > "
        "2s\"], tasks: [{ get: / }] } }\n"};
    for (int i = 0; i < 2; i++) {
        struct plan_source source = {.file = "p.yaml", .text = texts[i]};
        struct plan_reading reading;
        assert_int_equal(plan_read(&source, &vocabulary, &reading), 0);
        assert_non_null(reading.plan);
        const struct plan_scenario *a = &reading.plan->scenarios[0];
        assert_int_equal(a->until_count, i ? 1 : 2);
        assert_string_equal(a->limits[0].metric, i ? "response" : "http_req_failed");
        assert_string_equal(a->limits[0].aggregate, i ? "p" : "rate");
        assert_int_equal(a->limits[0].compare, COMPARE_MORE);
        assert_true(a->limits[0].limit > (i ? 1999 : 0.049) &&
                    a->limits[0].limit < (i ? 2001 : 0.051));
        plan_reading_fini(&reading);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(expands), cmocka_unit_test(refuses),
                                       cmocka_unit_test(stops_at_limits)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
