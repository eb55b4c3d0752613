/* Checks and captures over replies. */
#include "words.h"

static const char head[] = "Content-Type: application/json; charset=utf-8\r\n"
                           "X-Count:  42 \r\n"
                           "X-Empty:\r\n"
                           "x-token: abc==\r\n";
static const char body[] = "{\"id\":\"a\\u00e9\\n\",\"ok\":true,\"n\":12.5,\"none\":null,"
                           "\"list\":[1,{\"k\":\"v\"}],\"page\":\"page=17&x\"}";

static struct reply sample(void)
{
    return (struct reply){.status = 201,
                          .head = SPAN(head),
                          .body = SPAN(body),
                          .response_ns = 150 * NSEC_PER_MSEC,
                          .body_bytes = sizeof body - 1};
}

static void passes_or_not(void **state)
{
    (void)state;
    static const struct {
        const char *words;
        bool passes;
    } cases[] = {
        {"status == 201", true},
        {"status == 200", false},
        {"status == 2xx", true},
        {"status is 2XX", true},
        {"status is not 2xx", false},
        {"status != 200", true},
        {"status != 2xx", false},
        {"status in [200, 201, 204]", true},
        {"status in [200,4xx]", false},
        {"status not in [200,4xx]", true},
        {"status < 300", true},
        {"status >= 201", true},
        {"status > 201", false},
        {"latency < 200ms", true},
        {"latency < 150ms", false},
        {"latency <= 150ms", true},
        {"bytes < 1MB", true},
        {"bytes > 1KiB", false},
        {"body contains \"ok\"", true},
        {"body contains ok", true},
        {"body contains 'nope'", false},
        {"body not contains nope", true},
        {"body matches \"\\\"n\\\":[0-9.]+\"", true}, /* \\" is a quote to POSIX */
        {"body matches '\"n\":[0-9.]+'", true},
        {"body matches \"^[{].*[}]$\"", true},
        {"body exists", true},
        {"body.ok exists", true},
        {"body.ok == true", true},
        {"body.ok == false", false},
        {"body.none exists", true},
        {"body.missing exists", false},
        {"body.missing not exists", true},
        {"body.missing == 1", false},
        {"body.missing != 1", true},
        {"body.n == 12.5", true},
        {"body.n == 12.50", true},
        {"body.n > 12", true},
        {"body.n in [1, 12.5]", true},
        {"body.n == \"12.50\"", false}, /* in quotes: compared as text */
        {"body.list[0] == 1", true},
        {"body.list[1].k == v", true},
        {"body['list'][-1].k == \"v\"", true},
        {"body.id == \"a\xC3\xA9\n\"", true},
        {"body.id contains \xC3\xA9", true},
        {"body.id < 3", false},
        {"body.page matches page=[0-9]+", true},
        {"header content-type contains json", true},
        {"header Content-Type == application/json", false},
        {"header x-count == 42", true},
        {"header x-count == 42.0", true},
        {"header x-count >= 43", false},
        {"header x-empty exists", true},
        {"header x-missing exists", false},
        {"header x-missing != a", true},
        {"header x-token: == abc==", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct notes notes = {0};
        struct reply reply = sample();
        struct reply_check *check = check_compile(span_of(cases[i].words), NULL, &notes);
        if (!check)
            print_error("%s: %s\n", cases[i].words, notes.items[0].sentence);
        assert_non_null(check);
        if (check_passes(check, &reply) != cases[i].passes)
            print_error("%s: not %s\n", cases[i].words, cases[i].passes ? "true" : "false");
        assert_int_equal(check_passes(check, &reply), cases[i].passes);
        assert_string_equal(check_words(check), cases[i].words);
        check_free(check);
    }
}

/* Replies that are empty, cut, or no JSON at all pass nothing by accident. */
static void survives_odd_replies(void **state)
{
    (void)state;
    static const char *const words[] = {"body.id exists",  "body contains ok", "body == \"x\"",
                                        "body matches ok", "header a exists",  "body.n > 0",
                                        "body exists"};
    static const char *const bodies[] = {NULL, "", "{\"id", "[[[[", "\"\\ud8", "nul"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        struct notes notes = {0};
        struct reply_check *check = check_compile(span_of(words[i]), NULL, &notes);
        for (size_t j = 0; j < sizeof bodies / sizeof *bodies; j++) {
            struct reply reply = {.status = 200, .body = span_of(bodies[j])};
            bool expected = strcmp(words[i], "body exists") == 0 && reply.body.bytes > 0;
            assert_int_equal(check_passes(check, &reply), expected);
        }
        check_free(check);
    }
}

static void says_what_it_needs(void **state)
{
    (void)state;
    struct notes notes = {0};
    static const struct {
        const char *words;
        bool body, head;
    } cases[] = {{"status == 200", false, false}, {"latency < 1s", false, false},
                 {"bytes < 1MB", false, false},   {"body contains x", true, false},
                 {"body.x exists", true, false},  {"header x exists", false, true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct reply_check *check = check_compile(span_of(cases[i].words), NULL, &notes);
        assert_int_equal(check_needs_body(check), cases[i].body);
        assert_int_equal(check_needs_head(check), cases[i].head);
        check_free(check);
    }
}

static void captures(void **state)
{
    (void)state;
    static const struct {
        const char *words, *expected;
    } cases[] = {
        {"body.id", "a\xC3\xA9\n"},
        {"body.n", "12.5"},
        {"body.list[1]", "{\"k\":\"v\"}"},
        {"body.none", NULL},
        {"body.missing", NULL},
        {"header x-token", "abc=="},
        {"header x-missing", NULL},
        {"regex \"page=([0-9]+)\"", "17"},
        {"regex 'page=([a-z]+)'", NULL},
        {"regex (page=)(x)?", "page="},
        {"status", "201"},
        {"body", body},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct notes notes = {0};
        struct reply reply = sample();
        struct text out = TEXT_EMPTY;
        text_puts(&out, "-");
        struct reply_capture *capture = capture_compile(span_of(cases[i].words), 3, NULL, &notes);
        assert_non_null(capture);
        assert_int_equal(capture_slot(capture), 3);
        assert_int_equal(capture_take(capture, &reply, &out), cases[i].expected != NULL);
        assert_string_equal(out.at + 1, cases[i].expected ? cases[i].expected : "");
        text_fini(&out);
        capture_free(capture);
    }
}

static void finds_headers(void **state)
{
    (void)state;
    assert_true(span_equal(reply_header(SPAN(head), "X-COUNT"), SPAN("42")));
    assert_null(reply_header(SPAN(head), "X").at);
    assert_null(reply_header((struct span){0}, "X").at);
    assert_non_null(reply_header(SPAN(head), "x-empty").at);
    assert_true(span_equal(reply_header(SPAN("a: 1"), "a"), SPAN("1"))); /* no line end */
}

/* What the system's compiler would write out for hours is refused at once (found by fuzzing). */
static void endless_expressions_are_refused(void **state)
{
    (void)state;
    static const char *const endless[] = {
        "body matches \"x++++++++++++++++++++++++\"",
        "body matches \"(a{1000}){1000}\"",
        "body matches \"((((((((((((((((a+)+)+)+)+)+)+)+)+)+)+)+)+)+)+)+\"",
        "body matches \"a{255}{255}{255}\"",
    };
    static const char *const fine[] = {"body matches \"^(ok|fine)+[a-z]{1,40}$\"",
                                       "body matches \"[]x]{3}\\{[0-9]+\\}\""};
    for (size_t i = 0; i < sizeof endless / sizeof *endless; i++) {
        struct notes notes = {0};
        assert_null(check_compile(span_of(endless[i]), NULL, &notes));
        assert_int_equal(notes.errors, 1);
        assert_non_null(strstr(notes.items[0].sentence, "repetitions"));
        notes_fini(&notes);
    }
    for (size_t i = 0; i < sizeof fine / sizeof *fine; i++) {
        struct notes notes = {0};
        struct reply_check *check = check_compile(span_of(fine[i]), NULL, &notes);
        assert_non_null(check);
        check_free(check);
        notes_fini(&notes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(passes_or_not),      cmocka_unit_test(survives_odd_replies),
        cmocka_unit_test(says_what_it_needs), cmocka_unit_test(captures),
        cmocka_unit_test(finds_headers),      cmocka_unit_test(endless_expressions_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
