/* What comes from outside of a plan: the environment, .env, references, and the variables of the
 * requirements. */
#include "plan/environment.h"
#include "words.h"

#include <errno.h>
#include <unistd.h>

static char *write_file(const char *words)
{
    char path[] = "/tmp/plimsoll-test-XXXXXX";
    int file = mkstemp(path);
    assert_true(file >= 0);
    assert_int_equal(write(file, words, strlen(words)), (ssize_t)strlen(words));
    close(file);
    return memory_copy_text(path);
}

static void reads_dotenv(void **state)
{
    (void)state;
    char *path = write_file("# comment\n"
                            "A=one\n"
                            "export B = two words  # comment\r\n"
                            "C=\"three # no comment\"\n"
                            "D='${A}'\n"
                            "E=\n"
                            "F=a#b\n"
                            "\n"
                            "not a line\n"
                            "9X=bad\n"
                            "G=\"open\n");
    struct variables variables = {0};
    struct notes notes = {0};
    char *environment[] = {"A=outer", "BARE", NULL};
    variables_add_environment(&variables, environment);
    assert_int_equal(variables_add_file(&variables, path, &notes), 0);
    static const char *const expected[][2] = {
        {"A", "outer"}, {"B", "two words"}, {"C", "three # no comment"},
        {"D", "${A}"},  {"E", ""},          {"F", "a#b"}};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        const struct variable *variable = variables_find(&variables, span_of(expected[i][0]));
        assert_non_null(variable);
        assert_string_equal(variable->value, expected[i][1]);
    }
    assert_null(variables_find(&variables, SPAN("BARE")));
    assert_int_equal(notes.count, 3); /* said, and no reason to stop: other programs read it too */
    assert_int_equal(notes.errors, 0);
    assert_int_equal(notes.items[0].line, 9);
    assert_int_equal(variables_add_file(&variables, "/not/there/.env", &notes), -ENOENT);
    notes_fini(&notes);
    variables_fini(&variables);
    remove(path);
    free(path);
}

static void expands_references(void **state)
{
    (void)state;
    static const struct {
        const char *words, *expected, *missing;
    } cases[] = {
        {"a", "a", ""},
        {"${A}", "x", ""},
        {"-${A}-${A}-", "-x-x-", ""},
        {"${A:-y}", "x", ""},
        {"${NO:-y}", "y", ""},
        {"${NO:-}", "", ""},
        {"${EMPTY:-y}", "y", ""}, /* as in the shell */
        {"${EMPTY}", "", ""},
        {"${NO}", "", "NO"},
        {"$${A}", "${A}", ""},
        {"$A $ {A} ${a.b} ${} ${", "$A $ {A} ${a.b} ${} ${", ""},
        {"${NO:-http://h:80/x}", "http://h:80/x", ""},
        {"${NO:-{{ target }}/health}!", "{{ target }}/health!", ""}, /* a hole has braces too */
        {"${A:-{{ target }}}{{ vu }}", "x{{ vu }}", ""},
        {"${NO:-{{x}", "{{x", ""},
    };
    char *environment[] = {"A=x", "EMPTY=", NULL};
    struct variables variables = {0};
    variables_add_environment(&variables, environment);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct text out = TEXT_EMPTY;
        struct reference reference;
        variables_expand(&variables, span_of(cases[i].words), &out, &reference);
        text_reserve(&out, 1);
        assert_string_equal(out.at, cases[i].expected);
        assert_string_equal(reference.missing, cases[i].missing);
        text_fini(&out);
    }
    variables_fini(&variables);
}

static bool has_note(const struct plan_reading *reading, const char *words)
{
    for (size_t i = 0; i < reading->notes.count; i++) {
        if (strstr(reading->notes.items[i].sentence, words))
            return true;
    }
    return false;
}

/* The variables of the requirements set what they name, and misspelt ones are said. */
static void takes_the_variables_of_the_requirements(void **state)
{
    (void)state;
    char *environment[] = {"SCALABILITY_TEST_DURATION=600",
                           "SCALABILITY_MAX_USERS=500",
                           "SCALABILITY_RAMP_UP_RATE=20",
                           "SCALABILITY_STEP_DURATION=60",
                           "SCALABILITY_MONITORING_INTERVAL=10",
                           "SCALABILITY_THRESHOLD_GPU=90",
                           "SCALABILITY_MAX_USER=3",
                           NULL};
    struct plan_reading reading = test_read(
        "target: http://h\nscenarios: { a: { vus: 1, tasks: [{ get: / }] } }\n", environment);
    test_accepted(&reading);
    const struct plan_scenario *a = &reading.plan->scenarios[0];
    assert_int_equal(a->vus, 500);
    assert_true(a->stages[0].duration_ns == 600 * NSEC_PER_SEC);
    assert_true(a->spawn_rate > 19.9 && a->spawn_rate < 20.1);
    assert_true(reading.plan->watch.interval_ns == 10 * NSEC_PER_SEC);
    assert_true(reading.plan->watch.gpu > 0.899 && reading.plan->watch.gpu < 0.901);
    assert_int_equal(reading.plan->scale.max_users, 500);
    assert_true(reading.plan->scale.duration_ns == 600 * NSEC_PER_SEC);
    assert_true(reading.plan->scale.step_duration_ns == 60 * NSEC_PER_SEC);
    assert_true(has_note(&reading, "SCALABILITY_MAX_USER is no variable that plimsoll knows"));
    plan_reading_fini(&reading);
}

/* Where the plan has stages of its own, the variables do not break it. */
static void leaves_stages_alone(void **state)
{
    (void)state;
    char *environment[] = {"SCALABILITY_TEST_DURATION=600", "SCALABILITY_MAX_USERS=500", NULL};
    struct plan_reading reading =
        test_read("target: http://h\nscenarios: { a: { stages: [{ duration: 5s, target: 3 }], "
                  "tasks: [{ get: / }] } }\n",
                  environment);
    test_accepted(&reading);
    assert_int_equal(reading.plan->scenarios[0].vus, 3);
    assert_true(plan_duration(reading.plan) == 5 * NSEC_PER_SEC);
    assert_true(has_note(&reading, "\"duration\", set from outside of the plan, has no effect"));
    plan_reading_fini(&reading);
}

static void names_where_a_reference_came_from(void **state)
{
    (void)state;
    char *environment[] = {"TARGET=http://joe:sesame@h", NULL};
    struct plan_reading reading =
        test_read("target: ${TARGET}\nscenarios: { a: { vus: ${USERS:-2}, duration: 1s, tasks: "
                  "[{ post: { url: /, json: { n: ${N:-3}, s: \"${N:-3}\" } } }] } }\n",
                  environment);
    /* in a flow map ${...} would end it: such a plan needs quotes or lines */
    assert_null(reading.plan);
    plan_reading_fini(&reading);
    reading = test_read("target: ${TARGET}\n"
                        "scenarios:\n"
                        "  a:\n"
                        "    vus: ${USERS:-2}\n"
                        "    duration: 1s\n"
                        "    tasks:\n"
                        "      - post:\n"
                        "          url: /\n"
                        "          json:\n"
                        "            n: ${N:-3}\n"
                        "            s: \"${N:-3}\"\n",
                        environment);
    test_accepted(&reading);
    assert_int_equal(reading.plan->scenarios[0].vus, 2);
    const struct test_http *post = reading.plan->requests[0].config;
    assert_true(span_equal(template_constant(post->json), SPAN("{\"n\":3,\"s\":\"3\"}")));
    bool found = false;
    for (size_t i = 0; i < reading.origin_count; i++) {
        if (strcmp(reading.origins[i].path, "target") != 0)
            continue;
        found = true;
        assert_string_equal(reading.origins[i].value, "http://***@h");
        assert_string_equal(reading.origins[i].origin, "plan.yaml:1, TARGET from the environment");
    }
    assert_true(found);
    plan_reading_fini(&reading);
}

static void reads_secrets_from_files(void **state)
{
    (void)state;
    char *path = write_file("  sesame\n");
    struct text plan = TEXT_EMPTY;
    text_printf(&plan,
                "target: http://h\nhttp: { bearer: { file: %s } }\n"
                "scenarios: { a: { vus: 1, duration: 1s, tasks: [{ get: / }] } }\n",
                path);
    char *environment[] = {"PAIR=joe:pw", NULL};
    struct plan_reading reading = test_read(plan.at, environment);
    test_accepted(&reading);
    assert_string_equal(reading.plan->http.bearer, "sesame");
    plan_reading_fini(&reading);
    reading = test_read("target: http://h\nhttp: { basic: { env: PAIR } }\n"
                        "scenarios: { a: { vus: 1, duration: 1s, tasks: [{ get: / }] } }\n",
                        environment);
    test_accepted(&reading);
    assert_string_equal(reading.plan->http.basic, "joe:pw");
    plan_reading_fini(&reading);
    text_fini(&plan);
    remove(path);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_dotenv),
        cmocka_unit_test(expands_references),
        cmocka_unit_test(takes_the_variables_of_the_requirements),
        cmocka_unit_test(leaves_stages_alone),
        cmocka_unit_test(names_where_a_reference_came_from),
        cmocka_unit_test(reads_secrets_from_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
