/* wire/exposition.h by examples of the two formats' specifications, by real scrapes, and by what
 * exporters get wrong. */
#include "wire/exposition.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void expect(struct span found, const char *wanted)
{
    if (!span_equal(found, span_of(wanted)))
        fail_msg("\"%.*s\" is not \"%s\"", (int)found.bytes, found.at, wanted);
}

static void test_text_format(void **state)
{
    (void)state;
    struct exposition_sample sample;
    struct text value = TEXT_EMPTY;
    struct exposition reader =
        exposition_of(SPAN("# HELP http_requests_total The total number of HTTP requests.\n"
                           "# TYPE http_requests_total counter\n"
                           "http_requests_total{method=\"post\",code=\"200\"} 1027 1395066363000\n"
                           "http_requests_total{ method = \"a\\\\b\\\"c\\nd\" , } 3\n"
                           "\n# just a remark\n"
                           "metric_without_timestamp_and_labels 12.47\n"
                           "something_weird{problem=\"division by zero\"} +Inf -3982045\n"
                           "vllm:num_requests_waiting{engine=\"0\"} NaN\r\n"
                           "\t empty{} 1e-3"),
                      false);
    assert_true(exposition_next(&reader, &sample));
    expect(sample.name, "http_requests_total");
    expect(sample.family, "http_requests_total");
    expect(sample.help, "The total number of HTTP requests.");
    assert_int_equal(sample.kind, EXPOSITION_COUNTER);
    assert_true(sample.value == 1027 && sample.at_s == 1395066363.0);
    expect(exposition_find(sample.labels, SPAN("code")), "200");
    assert_null(exposition_find(sample.labels, SPAN("cod")).at);
    assert_true(exposition_next(&reader, &sample));
    exposition_text(exposition_find(sample.labels, SPAN("method")), &value);
    assert_string_equal(value.at, "a\\b\"c\nd");
    assert_true(isnan(sample.at_s));
    assert_true(exposition_next(&reader, &sample));
    assert_int_equal(sample.kind, EXPOSITION_UNKNOWN);
    assert_true(sample.value == 12.47);
    assert_true(exposition_next(&reader, &sample));
    assert_true(isinf(sample.value) && sample.value > 0 && sample.at_s == -3982.045);
    assert_true(exposition_next(&reader, &sample));
    expect(sample.name, "vllm:num_requests_waiting");
    assert_true(isnan(sample.value));
    assert_true(exposition_next(&reader, &sample));
    assert_true(sample.value == 1e-3 && sample.labels.bytes == 0);
    assert_false(exposition_next(&reader, &sample));
    assert_int_equal(reader.bad_lines, 0);
    assert_int_equal(reader.samples, 6);
    text_fini(&value);
}

static void test_open_metrics(void **state)
{
    (void)state;
    struct exposition_sample sample;
    struct exposition reader =
        exposition_of(SPAN("# TYPE acme_http_router_request_seconds histogram\n"
                           "# UNIT acme_http_router_request_seconds seconds\n"
                           "# HELP acme_http_router_request_seconds Latency \\n of it\n"
                           "acme_http_router_request_seconds_bucket{le=\"0.1\"} 8 # {} 0.054\n"
                           "acme_http_router_request_seconds_bucket{le=\"+Inf\"} 17 1520879607.789"
                           " # {trace_id=\"KOO5S4vxi0o\"} 0.67 1520879607.7\n"
                           "acme_http_router_request_seconds_sum 324789.3\n"
                           "# TYPE go_goroutines gauge\n"
                           "go_goroutines 69\n"
                           "go_goroutines_total 1\n"
                           "# TYPE foo counter\n"
                           "foo_total 17.0 1520879607.789\n"
                           "foo_created 1520430000.123\n"
                           "# EOF\nlate 1\n"),
                      true);
    assert_true(exposition_next(&reader, &sample));
    expect(sample.name, "acme_http_router_request_seconds_bucket");
    expect(sample.family, "acme_http_router_request_seconds");
    expect(sample.unit, "seconds");
    assert_int_equal(sample.kind, EXPOSITION_HISTOGRAM);
    assert_true(sample.value == 8 && isnan(sample.at_s));
    assert_true(exposition_next(&reader, &sample));
    assert_true(sample.value == 17 && sample.at_s == 1520879607.789);
    expect(exposition_find(sample.labels, SPAN("le")), "+Inf");
    assert_true(exposition_next(&reader, &sample));
    assert_true(exposition_next(&reader, &sample));
    assert_int_equal(sample.kind, EXPOSITION_GAUGE);
    assert_true(exposition_next(&reader, &sample)); /* a gauge has no _total: another metric */
    assert_int_equal(sample.kind, EXPOSITION_UNKNOWN);
    assert_true(exposition_next(&reader, &sample));
    expect(sample.family, "foo");
    assert_int_equal(sample.kind, EXPOSITION_COUNTER);
    assert_true(exposition_next(&reader, &sample));
    assert_true(reader.bad_lines == 0 && !reader.ended);
    assert_false(exposition_next(&reader, &sample));
    assert_true(reader.ended);
    assert_int_equal(reader.bad_lines, 1);
    assert_int_equal(reader.first_bad, 14);
}

static void test_bad_lines(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "1abc 3",
        "abc",
        "abc{ 3",
        "abc{x=\"1} 3",
        "abc{x=1} 3",
        "abc{x=\"1\"",
        "abc{x=\"1\" y=\"2\"} 3",
        "abc{,} 3",
        "abc{x=\"1\",,} 3",
        "abc x",
        "abc 0x10",
        "abc 1 2 3",
        "abc 1 x",
        "abc-d 1",
        "<html>",
        "abc 1 # {x=\"1\"} 2",
        "# TYPE 1x gauge",
        "abc{x=\"1\"}",
        "abc{x:y=\"1\"} 1",
        "abc 1,5",
        "abc nan(1)",
        "abc{x=\"\\",
        "{x=\"1\"} 2",
        "abc 1e",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct text bytes = TEXT_EMPTY;
        struct exposition_sample sample;
        text_printf(&bytes, "good 1\n%s\nbetter 2\n", wrong[i]);
        struct exposition reader = exposition_of(text_span(&bytes), false);
        assert_true(exposition_next(&reader, &sample) && sample.value == 1);
        if (!exposition_next(&reader, &sample) || sample.value != 2)
            fail_msg("taken for a sample: %s", wrong[i]);
        assert_false(exposition_next(&reader, &sample));
        if (reader.bad_lines != 1 || reader.first_bad != 2 || !reader.why)
            fail_msg("not counted: %s", wrong[i]);
        text_fini(&bytes);
    }
}

/* A scrape of a real llama.cpp server: every line is read, and the figures are those that stand
 * there. */
static void test_real_scrape(void **state)
{
    (void)state;
    struct exposition_sample sample;
    struct text bytes = TEXT_EMPTY;
    FILE *file = fopen(TEST_ROOT "/../shared/data/captures/metrics_llamacpp.txt", "r");
    double tokens = 0, cache = 0;
    if (!file) {
        print_message("skipped: no captures here\n");
        skip();
    }
    for (int byte; (byte = fgetc(file)) != EOF;)
        text_putc(&bytes, (char)byte);
    fclose(file);
    struct exposition reader = exposition_of(text_span(&bytes), false);
    while (exposition_next(&reader, &sample)) {
        assert_int_not_equal(sample.kind, EXPOSITION_UNKNOWN);
        if (span_equal(sample.name, SPAN("llamacpp:prompt_tokens_total")))
            tokens = sample.value;
        if (span_equal(sample.name, SPAN("llamacpp:kv_cache_usage_ratio")))
            cache = sample.value;
    }
    assert_int_equal(reader.bad_lines, 0);
    assert_true(tokens == 1898 && cache == 0.116272);
    text_fini(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_format),
        cmocka_unit_test(test_open_metrics),
        cmocka_unit_test(test_bad_lines),
        cmocka_unit_test(test_real_scrape),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
