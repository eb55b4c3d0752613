/* The summary: its width, its order, and what it says of runs that measured little. */
#include "show/summary.h"

#include "fixture.h"
#include "show/words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static char *summary_of(enum fixture_kind kind, bool colour)
{
    const struct show_options options = {
        .colour = colour, .columns = 80, .run_path = "runs/a.plim", .report_path = "runs/a.html"};
    struct result *result = fixture_result(kind);
    struct text out = TEXT_EMPTY;
    summary_put_verdict(result, &options, &out);
    summary_put_judged(result, &options, &out);
    summary_put_requests(result, &options, &out);
    summary_put_levels(result, &options, &out);
    summary_put_times(result, &options, &out);
    summary_put_errors(result, &options, &out);
    summary_put_trust(result, &options, &out);
    summary_put_advice(result, &options, &out);
    summary_put_next(result, &options, &out);
    result_free(result);
    return text_take(&out);
}

static void test_fits_and_is_plain(void **state)
{
    (void)state;
    for (int kind = 0; kind < FIXTURE_KINDS; kind++) {
        char *summary = summary_of((enum fixture_kind)kind, false);
        assert_null(strchr(summary, '\x1b'));
        assert_null(strstr(summary, "nan"));
        for (char *line = strtok(summary, "\n"); line; line = strtok(NULL, "\n")) {
            if (words_width(line) > 80)
                fail_msg("%s: %u columns: %s", fixture_names[kind], words_width(line), line);
            assert_true(line[strlen(line) - 1] != ' ');
        }
        free(summary);
    }
}

static void assert_order(const char *summary, const char *const *parts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *place = strstr(summary, parts[i]);
        if (!place)
            fail_msg("\"%s\" is missing, or not after \"%s\"", parts[i], i ? parts[i - 1] : "");
        summary = place;
    }
}

static void test_whole(void **state)
{
    (void)state;
    static const char *const parts[] = {
        "\nPASS  ",
        "2 of 2 objectives met (80 % needed)",
        "1 not\n",
        "requests in",
        "runs/a.plim",
        "response_time p95, task chat, level 100",
        "2.5 s",
        "accepted",
        "error_rate",
        "threshold",
        "not judged    ttft: p(99)<800, task chat: n = 212: too few",
        "request ",
        "chat",
        "browse/models",
        "all",
        "≥ at least:",
        "level ",
        "10 users",
        "100 users",
        "service (from sent)",
        "errors",
        "HTTP 503",
        "status codes",
        "200:",
        "accounts",
        "close:",
        "generator",
        "ok:",
        "note          no baseline",
        "report",
        "runs/a.html"};
    char *summary = summary_of(FIXTURE_WHOLE, false);
    assert_order(summary, parts, sizeof parts / sizeof *parts);
    free(summary);
}

static void test_little(void **state)
{
    (void)state;
    char *empty = summary_of(FIXTURE_EMPTY, false);
    assert_non_null(strstr(empty, "NOTHING MEASURED"));
    assert_non_null(strstr(empty, "errors        not observed"));
    free(empty);
    char *single = summary_of(FIXTURE_SINGLE, false);
    assert_non_null(strstr(single, "too few for p95 (needs 59)"));
    assert_non_null(strstr(single, "errors        none"));
    free(single);
    char *killed = summary_of(FIXTURE_KILLED, false);
    assert_non_null(strstr(killed, "\nINCOMPLETE"));
    assert_non_null(strstr(killed, "100 users        –")); /* not reached: no zero for nothing */
    free(killed);
    char *painted = summary_of(FIXTURE_WHOLE, true);
    assert_non_null(strstr(painted, "\x1b[32mPASS\x1b[0m"));
    free(painted);
}

static void test_services(void **state)
{
    (void)state;
    static const struct result_service services[] = {
        {(char *)"qdrant", (char *)"timeout", true, 3},
        {(char *)"database", (char *)"ok", false, 0},
        {(char *)"qdrant", (char *)"ok", false, 997},
    };
    const struct show_options options = {.columns = 80};
    struct result *result = fixture_result(FIXTURE_SINGLE);
    struct text out = TEXT_EMPTY;
    struct result_service *own = result->services;
    result->services = (struct result_service *)(uintptr_t)services;
    result->service_count = 3;
    summary_put_errors(result, &options, &out);
    assert_non_null(
        strstr(out.at, "\nservices      qdrant 99.7 % fine of 1000 · database not observed\n"));
    result->services = own;
    result->service_count = 0;
    text_fini(&out);
    result_free(result);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fits_and_is_plain),
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_little),
        cmocka_unit_test(test_services),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
