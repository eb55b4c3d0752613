/* What drivers of language models send: path, lines and body, from plans as users write them. */
#include "plug/list.h"

#include "base/memory.h"
#include "plan/read.h"

#include <jansson.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* Last: it needs those above. */
// clang-format off
#include <cmocka.h>
// clang-format on

/* Composes the first request of a plan of this one task. Returns "METHOD path\nlines\nbody", or the
 * errors, a line each after "! ". Owner: caller. */
static char *composed(const char *task)
{
    struct plug_list plugs;
    struct text words = TEXT_EMPTY, out = TEXT_EMPTY, scratch = TEXT_EMPTY, kept = TEXT_EMPTY;
    struct plan_reading reading;
    plug_list_init(&plugs);
    text_printf(&words,
                "target: http://h\nhttp: { bearer: secret }\n"
                "scenarios: { a: { vus: 1, duration: 1s, tasks: [ { %s } ] } }\n",
                task);
    struct plan_source source = {.file = "p.yaml", .text = words.at};
    assert_int_equal(plan_read(&source, &plugs.vocabulary, &reading), 0);
    if (reading.plan) {
        const struct plan_request *request = &reading.plan->requests[0];
        const struct driver *driver = plugs.drivers[request->driver];
        struct span slots[16] = {{.at = "v\"1\"", .bytes = 4}, {.at = "second", .bytes = 6}};
        void *state = memory_new(1, driver->state_bytes ? driver->state_bytes : 1);
        void *compiled = driver->compile(reading.plan, request, &reading.notes);
        struct exchange_request sent = {.has_body = false};
        struct driver_call call = {.request = request,
                                   .compiled = compiled,
                                   .state = state,
                                   .slots = slots,
                                   .scratch = &scratch,
                                   .kept = &kept};
        if (compiled) {
            driver->compose(&call, &sent);
            text_put(&out, sent.method);
            text_putc(&out, ' ');
            text_put(&out, sent.path);
            text_putc(&out, '\n');
            text_put(&out, sent.headers);
            text_putc(&out, '\n');
            text_put(&out, sent.body);
            driver->release(compiled);
        }
        free(state);
    }
    for (size_t i = 0; i < reading.notes.count; i++)
        text_printf(&out, "! %s\n", reading.notes.items[i].sentence);
    plan_reading_fini(&reading);
    plug_list_fini(&plugs);
    text_fini(&words);
    text_fini(&scratch);
    return text_take(&out);
}

/* The request line, and the body as JSON equal to what is expected (NULL: none). */
static void sends(const char *task, const char *line, const char *body)
{
    char *got = composed(task);
    char *blank = strstr(got, "\r\n\n");
    if (!blank || strncmp(got, line, strlen(line)) != 0 || got[strlen(line)] != '\n')
        fail_msg("%s\nsends %s", task, got);
    json_error_t error;
    json_t *wanted = body ? json_loads(body, 0, &error) : NULL;
    json_t *sent = json_loads(blank + 3, JSON_REJECT_DUPLICATES, &error);
    if (body ? !sent || !json_equal(sent, wanted) : blank[3] != '\0')
        fail_msg("%s\nsends %s\nnot   %s", task, blank + 3, body ? body : "nothing");
    json_decref(wanted);
    json_decref(sent);
    free(got);
}

static void says(const char *task, const char *words)
{
    char *got = composed(task);
    if (!strstr(got, words))
        fail_msg("%s\ngives %s\nnot   %s", task, got, words);
    free(got);
}

static void chat(void **state)
{
    (void)state;
    sends(
        "openai.chat: { model: m, prompt: hi }", "POST /v1/chat/completions",
        "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],\"stream\":false}");
    sends("openai.chat: { model: m, prompt: hi, system: be brief, stream: true, max_tokens: 7, "
          "temperature: 0, stop: [\"a\", \"b\"], seed: 3, ignore_eos: true }",
          "POST /v1/chat/completions",
          "{\"model\":\"m\",\"messages\":[{\"role\":\"system\",\"content\":\"be brief\"},"
          "{\"role\":\"user\",\"content\":\"hi\"}],\"stream\":true,\"max_tokens\":7,"
          "\"temperature\":0,\"stop\":[\"a\",\"b\"],\"seed\":3,\"ignore_eos\":true,"
          "\"stream_options\":{\"include_usage\":true}}");
    sends(
        "openai.chat: { model: m, prompt: hi, stream: true, include_usage: false }",
        "POST /v1/chat/completions",
        "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],\"stream\":true}");
    sends("openai.chat: { model: m, prompt: hi, stream: true, continuous_usage_stats: true }",
          "POST /v1/chat/completions",
          "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],\"stream\":true,"
          "\"stream_options\":{\"include_usage\":true,\"continuous_usage_stats\":true}}");
    sends("openai.chat: { url: /x/chat, messages: [ { role: user, content: \"{{ vu }} ok\" } ] }",
          "POST /x/chat",
          "{\"model\":\"default\",\"messages\":[{\"role\":\"user\",\"content\":\"v\\\"1\\\" ok\"}],"
          "\"stream\":false}");
}

/* What a plan does not say is different in every request. */
static void prompts_differ(void **state)
{
    (void)state;
    sends("openai.chat: {}", "POST /v1/chat/completions",
          "{\"model\":\"default\",\"messages\":[{\"role\":\"user\",\"content\":\"Note v\\\"1\\\". "
          "Explain in a few sentences how a ship's load line keeps its crew safe.\"}],"
          "\"stream\":false}");
}

static void others(void **state)
{
    (void)state;
    sends("openai.completions: { model: m, prompt: \"a\\n{{ vu }}\", max_tokens: 3 }",
          "POST /v1/completions",
          "{\"model\":\"m\",\"prompt\":\"a\\nv\\\"1\\\"\",\"max_tokens\":3,\"stream\":false}");
    sends("openai.embeddings: { model: m, input: [a, \"{{ vu }}\"] }", "POST /v1/embeddings",
          "{\"model\":\"m\",\"input\":[\"a\",\"v\\\"1\\\"\"]}");
    sends("openai.models: {}", "GET /v1/models", NULL);
}

static void extra(void **state)
{
    (void)state;
    sends("openai.embeddings: { model: m, input: a, extra: { dimensions: 8, user: u } }",
          "POST /v1/embeddings",
          "{\"model\":\"m\",\"input\":\"a\",\"dimensions\":8,\"user\":\"u\"}");
    sends("openai.embeddings: { model: m, input: a, extra: { user: \"{{ vu }}\", n: [1] } }",
          "POST /v1/embeddings",
          "{\"model\":\"m\",\"input\":\"a\",\"user\":\"v\\\"1\\\"\",\"n\":[1]}");
    sends("openai.embeddings: { model: m, input: a, extra: {} }", "POST /v1/embeddings",
          "{\"model\":\"m\",\"input\":\"a\"}");
    says("openai.embeddings: { input: a, extra: [1] }", "! extra must be a map of members");
    says("openai.chat: { system: \"{{ vu }}\" }", "system has holes; write it as the first of");
}

static void lines(void **state)
{
    (void)state;
    says("openai.chat: { stream: true }", "Authorization: Bearer secret\r\n");
    says("openai.chat: { stream: true }", "Accept: text/event-stream\r\n");
    says("openai.chat: {}", "Accept: application/json\r\n");
    says("openai.chat: {}", "Content-Type: application/json\r\n");
    says("openai.chat: { headers: { Authorization: Basic x } }", "Authorization: Basic x\r\n");
    says("openai.chat: { streem: true }", "! unknown key \"streem\"");
}

static void ollama(void **state)
{
    (void)state;
    sends("ollama.generate: { model: m, prompt: \"{{ vu }}\", max_tokens: 9 }",
          "POST /api/generate",
          "{\"model\":\"m\",\"prompt\":\"v\\\"1\\\"\",\"stream\":true,"
          "\"options\":{\"num_predict\":9}}");
    sends("ollama.chat: { model: m, prompt: hi, stream: false, think: true, keep_alive: 5m, "
          "options: { num_ctx: 4096 } }",
          "POST /api/chat",
          "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],\"think\":true,"
          "\"stream\":false,\"options\":{\"num_ctx\":4096},\"keep_alive\":\"5m\"}");
    sends("ollama.embed: { model: m, input: [a, b] }", "POST /api/embed",
          "{\"model\":\"m\",\"input\":[\"a\",\"b\"]}");
    sends("ollama.tags: {}", "GET /api/tags", NULL);
    sends("ollama.ps: {}", "GET /api/ps", NULL);
    says("ollama.generate: { max_tokens: 9, options: { seed: 1 } }",
         "write num_predict among options in place of max_tokens");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chat),  cmocka_unit_test(prompts_differ), cmocka_unit_test(others),
        cmocka_unit_test(extra), cmocka_unit_test(lines),          cmocka_unit_test(ollama),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
