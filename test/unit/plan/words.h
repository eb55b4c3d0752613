/* A small vocabulary for the tests of the plan room: HTTP verbs, one verb of several settings, and
 * the pattern "step" with levels only. The real ones are in src/plug, above this room. */
#ifndef TEST_PLAN_WORDS_H
#define TEST_PLAN_WORDS_H

#include "base/memory.h"
#include "plan/read.h"
#include "plan/stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct test_http {
    struct template *url, *body, *json;
    struct plan_headers headers;
};

static const struct setting test_http_rows[] = {
    {.name = "url",
     .type = SETTING_TEMPLATE,
     .offset = offsetof(struct test_http, url),
     .required = true,
     .sentence = "path on the target, or a whole URL"},
    {.name = "headers",
     .type = SETTING_HEADERS,
     .offset = offsetof(struct test_http, headers),
     .sentence = "headers of this request"},
    {.name = "body",
     .type = SETTING_TEMPLATE,
     .offset = offsetof(struct test_http, body),
     .sentence = "bytes of the body"},
    {.name = "json",
     .type = SETTING_JSON,
     .offset = offsetof(struct test_http, json),
     .sentence = "body, written as JSON"},
    {.name = NULL},
};

struct test_chat {
    char *model;
    struct template *messages;
    uint64_t max_tokens;
    bool stream;
};

static const struct setting test_chat_rows[] = {
    {.name = "model",
     .type = SETTING_TEXT,
     .offset = offsetof(struct test_chat, model),
     .required = true,
     .sentence = "name of the model"},
    {.name = "messages",
     .type = SETTING_JSON,
     .offset = offsetof(struct test_chat, messages),
     .required = true,
     .sentence = "messages of the conversation"},
    {.name = "max_tokens",
     .type = SETTING_UINT,
     .offset = offsetof(struct test_chat, max_tokens),
     .least = 1,
     .unit = "tokens",
     .sentence = "most tokens of the answer"},
    {.name = "stream",
     .type = SETTING_BOOL,
     .offset = offsetof(struct test_chat, stream),
     .unset = "false",
     .sentence = "tokens as they come"},
    {.name = NULL},
};

#define TEST_VERB(name)                                                                            \
    {                                                                                              \
        .word = name, .sentence = "an HTTP request", .settings = test_http_rows,                   \
        .config_bytes = sizeof(struct test_http), .shorthand = "url"                               \
    }

static const struct request_verb test_verbs[] = {
    TEST_VERB("get"),
    TEST_VERB("post"),
    TEST_VERB("put"),
    {.word = "openai.chat",
     .sentence = "a chat completion",
     .settings = test_chat_rows,
     .config_bytes = sizeof(struct test_chat),
     .driver = 1},
};

struct test_step {
    struct plan_numbers levels;
    nsec_t level_duration_ns;
};

static const struct setting test_step_rows[] = {
    {.name = "levels",
     .type = SETTING_NUMBERS,
     .offset = offsetof(struct test_step, levels),
     .most = 1000000,
     .required = true,
     .sentence = "users of the levels"},
    {.name = "level_duration",
     .type = SETTING_DURATION,
     .offset = offsetof(struct test_step, level_duration_ns),
     .required = true,
     .environment = "SCALABILITY_STEP_DURATION",
     .sentence = "how long each level is held"},
    {.name = NULL},
};

static int test_step_expand(const void *config, struct plan_scenario *scenario, struct notes *notes)
{
    const struct test_step *step = config;
    if (step->level_duration_ns < NSEC_PER_SEC) {
        notes_error(notes, "levels of less than a second say nothing");
        return 1;
    }
    scenario->start_target = step->levels.items[0];
    for (size_t i = 0; i < step->levels.count; i++) {
        char prefix[64];
        snprintf(prefix, sizeof prefix, "level %zu of %zu: ", i + 1, step->levels.count);
        scenario_add_stage(scenario,
                           (struct plan_stage){.duration_ns = step->level_duration_ns,
                                               .target = step->levels.items[i],
                                               .jump = true,
                                               .level = true},
                           prefix);
    }
    return 0;
}

struct test_process {
    char *name;
    uint64_t port;
};

static const struct setting test_process_rows[] = {
    {.name = "name",
     .type = SETTING_TEXT,
     .offset = offsetof(struct test_process, name),
     .sentence = "its name"},
    {.name = "port",
     .type = SETTING_UINT,
     .offset = offsetof(struct test_process, port),
     .most = 65535,
     .sentence = "port that it listens on"},
    {.name = NULL},
};

static const struct setting test_no_rows[] = {{.name = NULL}};

static const struct plug_word test_probes[] = {
    {.word = "host",
     .sentence = "the machine",
     .settings = test_process_rows,
     .config_bytes = sizeof(struct test_process),
     .shorthand = "name",
     .number = 3,
     .role = "host",
     .also = "cpu disk",
     .unasked = ""},
    {.word = "cpu", .sentence = "processors", .settings = test_no_rows, .unasked = ""},
    {.word = "process",
     .sentence = "a process",
     .settings = test_process_rows,
     .config_bytes = sizeof(struct test_process),
     .shorthand = "name",
     .unasked = "self"},
    {.word = "slow", .sentence = "something else", .settings = test_no_rows},
};

static const struct pattern_word test_patterns[] = {
    {.word = "step",
     .aliases = "STEP_FUNCTION",
     .sentence = "levels",
     .settings = test_step_rows,
     .config_bytes = sizeof(struct test_step),
     .expand = test_step_expand},
};

static const char *const test_metrics[] = {"ttft", NULL};

static const struct vocabulary test_words = {
    .verbs = test_verbs,
    .verb_count = sizeof test_verbs / sizeof *test_verbs,
    .patterns = test_patterns,
    .pattern_count = sizeof test_patterns / sizeof *test_patterns,
    .probes = test_probes,
    .probe_count = sizeof test_probes / sizeof *test_probes,
    .metrics = test_metrics,
};

/* Reads a plan from its text, with an environment of its own. */
static inline struct plan_reading test_read(const char *text, char *const *environment)
{
    struct plan_reading reading;
    struct plan_source source = {.file = "plan.yaml", .text = text, .environment = environment};
    assert_int_equal(plan_read(&source, &test_words, &reading), 0);
    return reading;
}

/* All notes as they are shown. Owner: caller. */
static inline char *test_notes(const struct plan_reading *reading)
{
    struct text out = TEXT_EMPTY;
    notes_write(&reading->notes, reading->text, &out);
    return text_take(&out);
}

/* Fails with the notes when the plan was not accepted. */
static inline void test_accepted(const struct plan_reading *reading)
{
    if (reading->plan)
        return;
    char *words = test_notes(reading);
    print_error("%s", words);
    free(words);
    fail();
}

#endif
