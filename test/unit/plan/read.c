/* Plans as people write them: what is read, where it came from, and what is refused. */
#include "words.h"

/* The sketch of the documentation, with plain verbs beside the chat. */
static const char sketch[] =
    "schema: 1\n"
    "name: api-gateway\n"
    "target: ${TARGET:-http://127.0.0.1:8000}\n"
    "services:\n"
    "  gateway: { health: /health, wait: 30s, role: gateway }\n"
    "scenarios:\n"
    "  chat:\n"
    "    executor: ramping-vus\n"
    "    pattern: step\n"
    "    levels: [10, 50, 100]\n"
    "    level_duration: 5m\n"
    "    think: 2s..5s\n"
    "    tasks:\n"
    "      - weight: 70\n"
    "        name: chat\n"
    "        openai.chat:\n"
    "          model: qwen2.5-14b-instruct\n"
    "          messages: [{ role: user, content: \"{{ prompts.next }}\" }]\n"
    "          max_tokens: 150\n"
    "          stream: true\n"
    "        checks: [status == 200, \"body.choices[0] exists\"]\n"
    "      - { weight: 20, name: models, get: /v1/models }\n"
    "      - { weight: 10, name: health, get: /health }\n"
    "data:\n"
    "  prompts: { values: [\"say \\\"hi\\\"\", \"count\"] }\n"
    "objectives:\n"
    "  - { metric: response_time, stat: p95, target: 2s, accept: 2.5s, task: chat }\n"
    "  - { metric: error_rate, target: 1%, accept: 1.2% }\n"
    "  - { metric: throughput, target: \">10/s\", at: 100 }\n"
    "thresholds:\n"
    "  http_req_failed: [\"rate<0.01\"]\n"
    "  ttft{task:chat}: [{ expr: \"p(95)<800\", window: 30s, min_samples: 300, abort: true }]\n";

static void reads_the_sketch(void **state)
{
    (void)state;
    struct plan_reading reading = test_read(sketch, NULL);
    test_accepted(&reading);
    const struct plan *plan = reading.plan;
    assert_string_equal(plan->name, "api-gateway");
    assert_string_equal(plan->target, "http://127.0.0.1:8000");
    assert_int_equal(plan->service_count, 1);
    assert_string_equal(plan->services[0].health, "/health");
    assert_true(plan->services[0].wait_ns == 30 * NSEC_PER_SEC);
    const struct plan_scenario *chat = &plan->scenarios[0];
    assert_int_equal(chat->executor, EXECUTOR_RAMPING_VUS);
    assert_string_equal(chat->pattern, "step");
    assert_int_equal(chat->stage_count, 3);
    assert_string_equal(chat->stages[1].name, "level 2 of 3: 50 users");
    assert_true(chat->stages[1].jump && chat->stages[1].level && !chat->stages[1].excluded);
    assert_int_equal(chat->vus, 100);
    assert_int_equal(chat->think.spread, SPREAD_UNIFORM);
    assert_true(chat->think.a > 1.99 && chat->think.a < 2.01 && chat->think.b > 4.99);
    assert_true(plan_duration(plan) == 15 * 60 * NSEC_PER_SEC);
    plan_reading_fini(&reading);
}

static void reads_the_tasks_of_the_sketch(void **state)
{
    (void)state;
    struct plan_reading reading = test_read(sketch, NULL);
    test_accepted(&reading);
    const struct plan *plan = reading.plan;
    assert_int_equal(plan->task_count, 3);
    assert_int_equal(plan->request_count, 3);
    assert_int_equal(plan->tasks[0].weight, 70);
    assert_string_equal(plan->requests[0].verb, "openai.chat");
    assert_int_equal(plan->requests[0].driver, 1);
    assert_int_equal(plan->requests[0].check_count, 2);
    const struct test_chat *chat = plan->requests[0].config;
    assert_string_equal(chat->model, "qwen2.5-14b-instruct");
    assert_int_equal(chat->max_tokens, 150);
    assert_true(chat->stream);
    /* the feeder's symbol has a slot in this scenario; its row is rendered as JSON */
    assert_int_equal(plan->scenarios[0].symbols.slots, 1);
    struct text body = TEXT_EMPTY;
    struct span slots[] = {plan->feeders[0].cells[0]};
    template_render(chat->messages, slots, &body);
    assert_string_equal(body.at, "[{\"role\":\"user\",\"content\":\"say \\\"hi\\\"\"}]");
    text_fini(&body);
    const struct test_http *models = plan->requests[1].config;
    assert_true(span_equal(template_constant(models->url), SPAN("/v1/models")));
    plan_reading_fini(&reading);
}

static void reads_the_goals_of_the_sketch(void **state)
{
    (void)state;
    struct plan_reading reading = test_read(sketch, NULL);
    test_accepted(&reading);
    const struct plan *plan = reading.plan;
    assert_int_equal(plan->objective_count, 3);
    assert_true(plan->objectives[0].target > 1.99 && plan->objectives[0].target < 2.01);
    assert_true(plan->objectives[0].accept > 2.49 && !plan->objectives[0].least);
    assert_true(plan->objectives[1].accept > 0.0119 && plan->objectives[1].accept < 0.0121);
    assert_true(plan->objectives[2].least && plan->objectives[2].at > 99);
    assert_int_equal(plan->threshold_count, 2);
    const struct plan_threshold *ttft = &plan->thresholds[1];
    assert_string_equal(ttft->metric, "ttft");
    assert_string_equal(ttft->filter_key, "task");
    assert_string_equal(ttft->filter_value, "chat");
    assert_string_equal(ttft->aggregate, "p");
    assert_true(ttft->percentile > 94.9 && ttft->percentile < 95.1 && ttft->limit > 799);
    assert_true(ttft->abort && ttft->min_samples == 300 && ttft->window_ns == 30 * NSEC_PER_SEC);
    plan_reading_fini(&reading);
}

/* The same plan as JSON is read the same way. */
static void reads_json(void **state)
{
    (void)state;
    struct plan_reading reading = test_read(
        "{\"target\":\"http://h\",\"scenarios\":{\"a\":{\"vus\":3,\"duration\":\"10s\","
        "\"tasks\":[{\"post\":{\"url\":\"/x\",\"json\":{\"n\":1.5,\"t\":true,\"s\":\"1\"}}}]}}}",
        NULL);
    test_accepted(&reading);
    const struct test_http *post = reading.plan->requests[0].config;
    assert_true(
        span_equal(template_constant(post->json), SPAN("{\"n\":1.5,\"t\":true,\"s\":\"1\"}")));
    assert_string_equal(reading.plan->tasks[0].name, "POST /x");
    plan_reading_fini(&reading);
}

/* JSON's way of writing what is beyond U+FFFF. */
static void reads_surrogates_of_json(void **state)
{
    (void)state;
    struct plan_source source = {
        .file = "plan.json",
        .text =
            "{\"target\":\"http://h\",\"name\":\"\\ud83d\\ude00 \\\\ud83d\",\"scenarios\":{\"a\":{"
            "\"vus\":3,\"duration\":\"10s\",\"tasks\":[{\"get\":\"/\"}]}}}"};
    struct plan_reading reading;
    assert_int_equal(plan_read(&source, &test_words, &reading), 0);
    test_accepted(&reading);
    assert_string_equal(reading.plan->name, "\xF0\x9F\x98\x80 \\ud83d");
    plan_reading_fini(&reading);
}

static const char *origin_of(const struct plan_reading *reading, const char *path)
{
    const char *origin = NULL;
    for (size_t i = 0; i < reading->origin_count; i++) {
        if (strcmp(reading->origins[i].path, path) == 0)
            origin = reading->origins[i].origin;
    }
    assert_non_null(origin);
    return origin;
}

static const char small[] = "target: http://h\n"
                            "scenarios:\n"
                            "  main: { users: 4, duration: 10s, tasks: [{ get: / }] }\n";

/* Command line over environment over .env over plan over default. */
static void keeps_the_precedence(void **state)
{
    (void)state;
    char dotenv[] = "/tmp/plimsoll-test-XXXXXX";
    int file = mkstemp(dotenv);
    assert_true(file >= 0);
    FILE *stream = fdopen(file, "w");
    fputs("# limits\nexport SCALABILITY_MAX_USERS=7\nSCALABILITY_TEST_DURATION='20'\n", stream);
    fclose(stream);
    char *environment[] = {"SCALABILITY_MAX_USERS=9", NULL};
    struct plan_override override = {"scenarios.*.users", "11", "--users"};
    struct plan_source source = {.file = "plan.yaml", .text = small, .dotenv = dotenv};
    const uint64_t expected[] = {7, 9, 11};
    for (int i = 0; i < 3; i++) {
        struct plan_reading reading;
        source.environment = i >= 1 ? environment : NULL;
        source.overrides = i == 2 ? &override : NULL;
        source.override_count = i == 2;
        assert_int_equal(plan_read(&source, &test_words, &reading), 0);
        test_accepted(&reading);
        assert_int_equal(reading.plan->scenarios[0].vus, expected[i]);
        assert_true(reading.plan->scenarios[0].stages[0].duration_ns == 20 * NSEC_PER_SEC);
        const char *origin = origin_of(&reading, "scenarios.main.vus");
        assert_non_null(strstr(origin, i == 0   ? dotenv
                                       : i == 1 ? "environment SCALABILITY_MAX_USERS"
                                                : "command line --users"));
        assert_string_equal(origin_of(&reading, "scenarios.main.graceful_stop"), "default");
        plan_reading_fini(&reading);
    }
    remove(dotenv);
}

static void refuses_unknown_overrides(void **state)
{
    (void)state;
    struct plan_override overrides[] = {{"scenarios.main.vuss", "11", "--set"},
                                        {"labels.commit", "abc", "--label"}};
    struct plan_source source = {
        .file = "plan.yaml", .text = small, .overrides = overrides, .override_count = 2};
    struct plan_reading reading;
    assert_int_equal(plan_read(&source, &test_words, &reading), 0);
    assert_null(reading.plan);
    assert_int_equal(reading.notes.errors, 1);
    char *words = test_notes(&reading);
    assert_string_equal(words,
                        "command line: --set: the plan has no setting \"scenarios.main.vuss\"; "
                        "did you mean \"scenarios.main.vus\"?\n");
    free(words);
    plan_reading_fini(&reading);
}

static void reads_labels_of_the_command_line(void **state)
{
    (void)state;
    struct plan_override override = {"labels.commit", "abc", "--label"};
    struct plan_source source = {
        .file = "plan.yaml", .text = small, .overrides = &override, .override_count = 1};
    struct plan_reading reading;
    assert_int_equal(plan_read(&source, &test_words, &reading), 0);
    test_accepted(&reading);
    assert_int_equal(reading.plan->label_count, 1);
    assert_string_equal(reading.plan->labels[0].value, "abc");
    plan_reading_fini(&reading);
}

/* What a bad value of the command line earns has no line to show. */
static void says_what_is_wrong_with_an_override(void **state)
{
    (void)state;
    struct plan_override override = {"scenarios.*.vus", "-3", "--users"};
    struct plan_source source = {
        .file = "plan.yaml", .text = small, .overrides = &override, .override_count = 1};
    struct plan_reading reading;
    assert_int_equal(plan_read(&source, &test_words, &reading), 0);
    char *words = test_notes(&reading);
    assert_string_equal(words, "command line: --users: vus must be at least 0 users; it is -3\n");
    free(words);
    plan_reading_fini(&reading);
}

static void hides_secrets(void **state)
{
    (void)state;
    char *environment[] = {"KEY=sesame-env", NULL};
    struct plan_reading reading =
        test_read("target: http://joe:sesame-url@h\n"
                  "http:\n"
                  "  bearer: sesame-bearer\n"
                  "  headers:\n"
                  "    Authorization: 'Basic sesame-basic'\n"
                  "    X-Api-Key: ${KEY}\n"
                  "    x-plain: ünïcode\n"
                  "variables: { api_key: sesame-variable }\n"
                  "scenarios:\n"
                  "  main:\n"
                  "    vus: 1\n"
                  "    duration: 1s\n"
                  "    tasks:\n"
                  "      - post: { url: /, json: { password: sesame-json }, headers: { "
                  "authorization: \"Bearer {{ api_key }}\" } }\n",
                  environment);
    test_accepted(&reading);
    assert_null(strstr(reading.plan->source, "sesame"));
    assert_non_null(strstr(reading.plan->source, "x-plain: ünïcode\n"));
    assert_non_null(strstr(reading.plan->source, "X-Api-Key: ${KEY}\n"));
    assert_string_equal(reading.plan->http.bearer, "sesame-bearer");
    for (size_t i = 0; i < reading.origin_count; i++)
        assert_null(strstr(reading.origins[i].value, "sesame-b"));
    plan_reading_fini(&reading);
}

static void reads_a_command_line(void **state)
{
    (void)state;
    static const char *const headers[] = {"X-A: one", "Authorization: Bearer sesame"};
    struct plan_quick quick = {.url = "127.0.0.1:8000/v1/x?y=1",
                               .users = 50,
                               .spawn_rate = 5,
                               .duration_ns = 90 * NSEC_PER_SEC,
                               .headers = headers,
                               .header_count = 2,
                               .json = "{\"a\":\"${x}\\n\"}",
                               .think = {.spread = SPREAD_UNIFORM, .a = 1, .b = 2}};
    struct plan_source source = {0};
    struct plan_reading reading;
    assert_int_equal(plan_read_quick(&quick, &source, &test_words, &reading), 0);
    test_accepted(&reading);
    const struct plan *plan = reading.plan;
    assert_string_equal(plan->target, "http://127.0.0.1:8000");
    assert_string_equal(plan->tasks[0].name, "POST /v1/x?y=1");
    const struct plan_scenario *main = &plan->scenarios[0];
    assert_int_equal(main->executor, EXECUTOR_CONSTANT_VUS);
    assert_int_equal(main->vus, 50);
    assert_true(main->spawn_rate > 4.9 && main->think.b > 1.9);
    assert_true(main->stages[0].duration_ns == 90 * NSEC_PER_SEC);
    const struct test_http *post = plan->requests[0].config;
    assert_true(span_equal(template_constant(post->body), SPAN("{\"a\":\"${x}\\n\"}")));
    assert_int_equal(post->headers.count, 3);
    assert_string_equal(post->headers.items[2].name, "content-type");
    assert_null(strstr(plan->source, "sesame"));
    plan_reading_fini(&reading);
}

static void reads_rates_and_iterations_of_a_command_line(void **state)
{
    (void)state;
    struct plan_source source = {0};
    struct plan_reading reading;
    struct plan_quick open = {.url = "http://h", .rate = 200, .duration_ns = NSEC_PER_SEC};
    assert_int_equal(plan_read_quick(&open, &source, &test_words, &reading), 0);
    test_accepted(&reading);
    assert_int_equal(reading.plan->scenarios[0].executor, EXECUTOR_CONSTANT_ARRIVAL_RATE);
    assert_true(reading.plan->scenarios[0].stages[0].target > 199);
    assert_string_equal(reading.plan->tasks[0].name, "GET /");
    plan_reading_fini(&reading);
    struct plan_quick counted = {.url = "http://h", .rate = 50, .iterations = 25};
    assert_int_equal(plan_read_quick(&counted, &source, &test_words, &reading), 0);
    assert_non_null(reading.plan);
    assert_int_equal(reading.plan->scenarios[0].stages[0].duration_ns, 490 * NSEC_PER_MSEC);
    plan_reading_fini(&reading);

    struct plan_quick shared = {.url = "http://h", .users = 3, .iterations = 100};
    assert_int_equal(plan_read_quick(&shared, &source, &test_words, &reading), 0);
    test_accepted(&reading);
    assert_int_equal(reading.plan->scenarios[0].executor, EXECUTOR_SHARED_ITERATIONS);
    assert_int_equal(reading.plan->scenarios[0].iterations, 100);
    plan_reading_fini(&reading);
}

static void reads_the_flat_form(void **state)
{
    (void)state;
    struct plan_reading reading = test_read("name: research_agent_baseline\n"
                                            "target_url: http://localhost:8000/api/v1/execute\n"
                                            "method: POST\n"
                                            "headers: {Content-Type: application/json}\n"
                                            "payload_template: {query: x, depth: 2}\n"
                                            "concurrent_users: 10\n"
                                            "think_time_seconds: 2.0\n"
                                            "load_pattern: STEP_FUNCTION\n"
                                            "levels: [1]\n",
                                            NULL);
    char *words = test_notes(&reading); /* the flat form has no levels */
    assert_non_null(strstr(words, "plan.yaml:9:1: unknown key \"levels\" in the plan"));
    free(words);
    plan_reading_fini(&reading);
}

static const char open_model[] = "target: http://h\n"
                                 "scenarios:\n"
                                 "  a:\n"
                                 "    executor: ramping-arrival-rate\n"
                                 "    startRate: 60\n"
                                 "    timeUnit: 1m\n"
                                 "    preAllocatedVUs: 10\n"
                                 "    maxVUs: 100\n"
                                 "    gaps: { gamma: 0.5 }\n"
                                 "    warm_up: 5s\n"
                                 "    start_time: 10s\n"
                                 "    stages:\n"
                                 "      - { duration: 10s, target: 600 }\n"
                                 "      - { duration: 20s, target: 600 }\n"
                                 "      - { duration: 0s, target: 60 }\n"
                                 "      - { duration: 10s, target: 60 }\n"
                                 "    tasks: [{ get: / }]\n";

/* k6's words; what the scenario asks for at each instant follows from the stages. */
static void follows_k6_stages(void **state)
{
    (void)state;
    struct plan_reading reading = test_read(open_model, NULL);
    test_accepted(&reading);
    const struct plan_scenario *a = &reading.plan->scenarios[0];
    assert_true(scenario_is_open(a));
    assert_int_equal(a->gaps, GAPS_GAMMA);
    assert_int_equal(a->stage_count, 5);
    assert_string_equal(a->stages[0].name, "warm-up");
    assert_true(a->stages[0].excluded);
    assert_string_equal(a->stages[1].name, "ramp to 10/s");
    assert_true(a->stages[2].level && !a->stages[1].level);
    const struct {
        double second, target;
    } at[] = {{9, 0},     {11, 1}, {14.9, 1}, {20, 5.5}, {30, 10},
              {44.9, 10}, {46, 1}, {54.9, 1}, {55.1, 0}};
    for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
        double target = scenario_target_at(a, (nsec_t)(at[i].second * 1e9));
        assert_true(target > at[i].target - 0.001 && target < at[i].target + 0.001);
    }
    plan_reading_fini(&reading);
}

static void scales_time(void **state)
{
    (void)state;
    struct plan_override override = {"time_scale", "0.1", "--time-scale"};
    struct plan_source source = {
        .file = "plan.yaml", .text = open_model, .overrides = &override, .override_count = 1};
    struct plan_reading reading;
    assert_int_equal(plan_read(&source, &test_words, &reading), 0);
    test_accepted(&reading);
    assert_true(plan_duration(reading.plan) == 5500 * NSEC_PER_MSEC);
    plan_reading_fini(&reading);
}

/* Think times are a person's, whatever the length of the test: they are scaled only when asked. */
static void scales_think_times_when_asked(void **state)
{
    (void)state;
    static const char words[] =
        "target: http://h\n"
        "scenarios:\n"
        "  a: { vus: 1, duration: 100s, think: 2s..5s, pacing: 10s, tasks: [{ think: 3s, steps: "
        "[{ get: / }, { get: /b, think: 1s }] }] }\n";
    struct plan_override overrides[] = {{"time_scale", "0.1", "--time-scale"},
                                        {"time_scale_think", "true", "--scale-think"}};
    for (size_t asked = 0; asked < 2; asked++) {
        struct plan_source source = {.file = "plan.yaml",
                                     .text = words,
                                     .overrides = overrides,
                                     .override_count = 1 + asked};
        struct plan_reading reading;
        double scale = asked ? 0.1 : 1;
        assert_int_equal(plan_read(&source, &test_words, &reading), 0);
        test_accepted(&reading);
        const struct plan_scenario *a = reading.plan->scenarios;
        assert_true(plan_duration(reading.plan) == 10 * NSEC_PER_SEC);
        assert_true(a->think.a == 2 * scale && a->think.b == 5 * scale);
        assert_true(a->pacing_ns == (asked ? 1 : 10) * NSEC_PER_SEC);
        assert_true(distribution_mean(&reading.plan->requests[0].think) == 3 * scale);
        assert_true(distribution_mean(&reading.plan->requests[1].think) == 1 * scale);
        plan_reading_fini(&reading);
    }
}

static void carries_captures_between_steps(void **state)
{
    (void)state;
    struct plan_reading reading =
        test_read("target: http://h\n"
                  "setup:\n"
                  "  - { name: login, post: /login, capture: { token: body.token } }\n"
                  "http: { headers: { x-run: \"{{ seed_word }}\" } }\n"
                  "variables: { seed_word: abc }\n"
                  "scenarios:\n"
                  "  a:\n"
                  "    vus: 1\n"
                  "    duration: 1s\n"
                  "    tasks:\n"
                  "      - name: order\n"
                  "        steps:\n"
                  "          - { name: make, post: /o, capture: { id: body.id } }\n"
                  "          - { name: read, get: { url: \"/o/{{ id | url }}\", headers: { t: "
                  "\"{{ token }}\" } }, think: 1s }\n"
                  "      - { name: other, get: /x }\n",
                  NULL);
    test_accepted(&reading);
    const struct plan *plan = reading.plan;
    assert_int_equal(plan->setup_count, 1);
    assert_int_equal(plan->task_count, 3);
    const struct plan_scenario *a = &plan->scenarios[0];
    assert_int_equal(a->first_task, 1);
    assert_int_equal(a->task_count, 2);
    assert_string_equal(plan->requests[1].name, "order/make");
    assert_string_equal(plan->requests[2].name, "order/read");
    uint16_t token = capture_slot(plan->requests[0].captures[0]);
    uint16_t id = capture_slot(plan->requests[1].captures[0]);
    assert_int_not_equal(token, id);
    struct span slots[2] = {{0}};
    slots[token] = SPAN("T");
    slots[id] = SPAN("a b");
    const struct test_http *read = plan->requests[2].config;
    struct text out = TEXT_EMPTY;
    template_render(read->url, slots, &out);
    template_render(read->headers.items[0].value, slots, &out);
    assert_string_equal(out.at, "/o/a%20bT");
    text_fini(&out);
    plan_reading_fini(&reading);
}

/* A value captured by one task does not reach another. */
static void keeps_captures_within_their_task(void **state)
{
    (void)state;
    struct plan_reading reading =
        test_read("target: http://h\n"
                  "scenarios:\n"
                  "  a:\n"
                  "    vus: 1\n"
                  "    duration: 1s\n"
                  "    tasks:\n"
                  "      - { name: one, get: /, capture: { id: body.id } }\n"
                  "      - { name: two, get: \"/{{ id }}\" }\n",
                  NULL);
    assert_null(reading.plan);
    char *words = test_notes(&reading);
    assert_non_null(strstr(words, "plan.yaml:8:29: unknown name \"id\" in a template"));
    free(words);
    plan_reading_fini(&reading);
}

static void follows_aliases_and_merges(void **state)
{
    (void)state;
    struct plan_reading reading = test_read("target: http://h\n"
                                            "scenarios:\n"
                                            "  a: &base\n"
                                            "    vus: 1\n"
                                            "    duration: 1s\n"
                                            "    tasks: [{ name: t, get: / }]\n"
                                            "  b:\n"
                                            "    <<: *base\n"
                                            "    vus: 2\n",
                                            NULL);
    test_accepted(&reading);
    assert_int_equal(reading.plan->scenarios[1].vus, 2);
    assert_string_equal(reading.plan->requests[0].name, "a/t");
    assert_string_equal(reading.plan->requests[1].name, "b/t");
    plan_reading_fini(&reading);
}

/* Nine lines that stand for a billion values are refused, in no time. */
static void survives_a_billion_laughs(void **state)
{
    (void)state;
    struct text plan = TEXT_EMPTY;
    text_puts(&plan, "a: &a [x,x,x,x,x,x,x,x,x,x]\n");
    for (char level = 'b'; level <= 'j'; level++) {
        text_printf(&plan, "%c: &%c [", level, level);
        for (int i = 0; i < 10; i++)
            text_printf(&plan, "%s*%c", i ? "," : "", level - 1);
        text_puts(&plan, "]\n");
    }
    struct plan_reading reading = test_read(plan.at, NULL);
    assert_null(reading.plan);
    assert_int_equal(reading.notes.errors, 1);
    assert_non_null(strstr(reading.notes.items[0].sentence, "too large"));
    plan_reading_fini(&reading);
    text_fini(&plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_the_sketch),
        cmocka_unit_test(reads_the_tasks_of_the_sketch),
        cmocka_unit_test(reads_the_goals_of_the_sketch),
        cmocka_unit_test(reads_json),
        cmocka_unit_test(reads_surrogates_of_json),
        cmocka_unit_test(keeps_the_precedence),
        cmocka_unit_test(refuses_unknown_overrides),
        cmocka_unit_test(reads_labels_of_the_command_line),
        cmocka_unit_test(says_what_is_wrong_with_an_override),
        cmocka_unit_test(hides_secrets),
        cmocka_unit_test(reads_a_command_line),
        cmocka_unit_test(reads_rates_and_iterations_of_a_command_line),
        cmocka_unit_test(reads_the_flat_form),
        cmocka_unit_test(follows_k6_stages),
        cmocka_unit_test(scales_time),
        cmocka_unit_test(scales_think_times_when_asked),
        cmocka_unit_test(carries_captures_between_steps),
        cmocka_unit_test(keeps_captures_within_their_task),
        cmocka_unit_test(follows_aliases_and_merges),
        cmocka_unit_test(survives_a_billion_laughs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
