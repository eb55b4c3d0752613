/* Every report of every kind of run: well formed, whatever names and messages hold, and with the
 * figures that the run has. */
#include "../show/fixture.h"

#include "plug/writer/writer_list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct writer *const writers[] = {
    &writer_text,  &writer_json,       &writer_csv,  &writer_csv_tasks, &writer_markdown,
    &writer_junit, &writer_prometheus, &writer_html, &writer_null,
};

static char *written(const struct writer *writer, const struct result *result)
{
    const struct show_options options = {.columns = 80};
    struct text out = TEXT_EMPTY;
    assert_int_equal(writer->write(result, &options, &out), 0);
    return text_take(&out);
}

static size_t count_of(const char *words, const char *part)
{
    size_t count = 0;
    for (const char *at = words; (at = strstr(at, part)); at += strlen(part))
        count++;
    return count;
}

static void test_all_kinds(void **state)
{
    (void)state;
    for (int kind = 0; kind < FIXTURE_KINDS; kind++) {
        struct result *result = fixture_result((enum fixture_kind)kind);
        for (size_t i = 0; i < sizeof writers / sizeof *writers; i++) {
            char *bytes = written(writers[i], result);
            bool none = writers[i] == &writer_null;
            assert_int_equal(bytes[0] == '\0', none);
            if (writers[i] != &writer_html) /* its script may say NaN */
                assert_null(strstr(bytes, "nan"));
            assert_null(strchr(bytes, '\x1b'));
            free(bytes);
        }
        result_free(result);
    }
}

/* Columns of tokens are there only where answers are made of them. */
static void test_csv_tokens(void **state)
{
    struct result *streamed = fixture_result(FIXTURE_STREAMED);
    struct result *whole = fixture_result(FIXTURE_WHOLE);
    char *with = written(&writer_csv_tasks, streamed), *without = written(&writer_csv_tasks, whole);
    (void)state;
    assert_non_null(strstr(with, ",ttft_p95_ms,"));
    assert_non_null(strstr(with, ",token_source\r\n"));
    assert_non_null(strstr(with, ",usage\r\nbrowse/models,"));
    assert_null(strstr(without, "ttft"));
    free(with);
    free(without);
    with = written(&writer_csv, streamed);
    without = written(&writer_csv, whole);
    assert_non_null(strstr(with, ",itl_p99_ms,"));
    assert_null(strstr(without, "itl"));
    free(with);
    free(without);
    result_free(streamed);
    result_free(whole);
}

/* Splits one row of RFC 4180; returns how many fields it has and moves on to the next row. */
static size_t csv_row(const char **at)
{
    size_t fields = 1;
    bool quoted = false;
    for (; **at; (*at)++) {
        if (**at == '"')
            quoted = !quoted;
        else if (**at == ',' && !quoted)
            fields++;
        else if (**at == '\r' && (*at)[1] == '\n' && !quoted) {
            *at += 2;
            return fields;
        }
    }
    fail_msg("a row without an end");
    return 0;
}

static void test_csv(void **state)
{
    (void)state;
    struct result *result = fixture_result(FIXTURE_HOSTILE);
    const struct writer *tables[] = {&writer_csv, &writer_csv_tasks};
    const size_t rows[] = {1 + result->point_count, 1 + result->request_count + 1};
    for (size_t i = 0; i < 2; i++) {
        char *bytes = written(tables[i], result);
        const char *at = bytes;
        size_t fields = csv_row(&at), count = 1;
        for (; *at; count++)
            assert_int_equal(csv_row(&at), fields);
        assert_int_equal(count, rows[i]);
        free(bytes);
    }
    result_free(result);
}

static void test_csv_formula(void **state)
{
    (void)state;
    struct result *result = fixture_result(FIXTURE_SINGLE);
    free(result->requests[0].name);
    result->requests[0].name = memory_copy_text("=cmd|'/c calc'!A0");
    char *bytes = written(&writer_csv_tasks, result);
    assert_non_null(strstr(bytes, "\r\n\"'=cmd|'/c calc'!A0\",chat,api,"));
    assert_non_null(strstr(bytes, ",,")); /* p99 of 27 requests is not known: empty, not 0 */
    free(bytes);
    result_free(result);
}

static void test_junit(void **state)
{
    (void)state;
    struct result *result = fixture_result(FIXTURE_HOSTILE);
    result->verdicts[3].verdict = VERDICT_FAILED;
    char *bytes = written(&writer_junit, result);
    assert_non_null(strstr(bytes, "tests=\"6\" failures=\"1\" errors=\"0\" skipped=\"1\""));
    assert_int_equal(count_of(bytes, "<testcase "), 6);
    assert_int_equal(count_of(bytes, "<failure "), 1);
    assert_int_equal(count_of(bytes, "<skipped "), 1);
    assert_null(strstr(bytes, "<img"));
    free(bytes);
    result_free(result);

    result = fixture_result(FIXTURE_KILLED); /* a run that was cut off fails the build */
    bytes = written(&writer_junit, result);
    assert_non_null(strstr(bytes, "tests=\"1\" failures=\"1\""));
    free(bytes);
    result_free(result);
}

static void test_markdown(void **state)
{
    (void)state;
    struct result *result = fixture_result(FIXTURE_HOSTILE);
    char *bytes = written(&writer_markdown, result);
    assert_null(strstr(bytes, "<img"));
    assert_null(strstr(bytes, "--|`"));
    size_t columns = 0;
    for (char *line = strtok(bytes, "\n"); line; line = strtok(NULL, "\n")) {
        if (line[0] == '|' && strstr(line, "req/min"))
            columns = count_of(line, "|");
        else if (line[0] == '|' && columns)
            assert_int_equal(count_of(line, "|"), columns);
    }
    assert_int_equal(columns, 12);
    free(bytes);
    result_free(result);
}

/* NAME{labels} value, as Prometheus' own reader splits it. */
static void assert_sample(const char *line)
{
    const char *at = line + strspn(line, "abcdefghijklmnopqrstuvwxyz_");
    bool quoted = false;
    assert_int_equal(*at, '{');
    for (at++; *at && (quoted || *at != '}'); at++) {
        if (*at == '\\')
            at++;
        else if (*at == '"')
            quoted = !quoted;
    }
    assert_int_equal(strncmp(at, "} ", 2), 0);
    assert_int_equal(strspn(at + 2, "0123456789."), strlen(at + 2));
}

static void test_prometheus(void **state)
{
    (void)state;
    struct result *result = fixture_result(FIXTURE_HOSTILE);
    char *bytes = written(&writer_prometheus, result);
    size_t samples = 0;
    for (char *line = strtok(bytes, "\n"); line; line = strtok(NULL, "\n")) {
        if (line[0] == '#')
            continue;
        assert_sample(line);
        samples++;
    }
    assert_true(samples > 60);
    free(bytes);

    bytes = written(&writer_prometheus, result);
    char expected[64];
    snprintf(expected, sizeof expected, "le=\"+Inf\"} %llu\n",
             (unsigned long long)result_hist(result->requests[1].sum, HIST_RESPONSE)->count);
    assert_non_null(strstr(bytes, expected));
    assert_non_null(strstr(bytes, "le=\"0.0025\"}"));
    free(bytes);
    result_free(result);
}

static void test_html(void **state)
{
    (void)state;
    struct result *result = fixture_result(FIXTURE_HOSTILE);
    char *bytes = written(&writer_html, result);
    assert_int_equal(strncmp(bytes, "<!doctype html>", 15), 0);
    assert_int_equal(count_of(bytes, "</script>"), 2);
    assert_int_equal(count_of(bytes, "@RUN@"), 0);
    assert_null(strstr(bytes, "<img"));
    assert_non_null(strstr(bytes, "\\u003c/script\\u003e"));
    free(bytes);
    result_free(result);
}

static void test_names(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof writers / sizeof *writers; i++) {
        assert_non_null(writers[i]->name);
        assert_non_null(writers[i]->sentence);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(writers[i]->name, writers[k]->name);
    }
    assert_null(writer_null.file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_kinds),   cmocka_unit_test(test_csv),
        cmocka_unit_test(test_csv_formula), cmocka_unit_test(test_csv_tokens),
        cmocka_unit_test(test_junit),       cmocka_unit_test(test_markdown),
        cmocka_unit_test(test_prometheus),  cmocka_unit_test(test_html),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
