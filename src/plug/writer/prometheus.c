/* The run's totals in Prometheus' text exposition format (version 0.0.4), for node_exporter's
 * textfile collector or a push gateway. What was not observed is left out; response times are a
 * histogram with le buckets, so that they can be joined with others. */
#include "plug/writer/writer_list.h"
#include "show/figure.h"
#include "show/verdict.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* A label's value: backslash, quote and line feed are escaped. */
static void put_label(const char *words, struct text *out)
{
    char *clean = words_clean(words, true);
    for (const char *at = clean; *at; at++) {
        if (*at == '\\' || *at == '"')
            text_putc(out, '\\');
        if (*at == '\n')
            text_puts(out, "\\n");
        else
            text_putc(out, *at);
    }
    free(clean);
}

static void put_family(const char *name, const char *type, const char *help, struct text *out)
{
    text_printf(out, "# HELP plimsoll_%s %s\n# TYPE plimsoll_%s %s\n", name, help, name, type);
}

/* "plimsoll_NAME{run="...",request="..."": without the closing brace. */
static void put_name(const struct result *result, const char *name, const char *request,
                     struct text *out)
{
    text_printf(out, "plimsoll_%s{run=\"", name);
    put_label(result->name, out);
    text_putc(out, '"');
    if (request) {
        text_puts(out, ",request=\"");
        put_label(request, out);
        text_putc(out, '"');
    }
}

/* Seconds with as many digits as they need, and a point whatever the locale says. */
static void put_seconds(nsec_t duration_ns, struct text *out)
{
    text_put_uint(out, (uint64_t)(duration_ns / NSEC_PER_SEC));
    char digits[16];
    int end = snprintf(digits, sizeof digits, ".%09lld", (long long)(duration_ns % NSEC_PER_SEC));
    while (end > 1 && digits[end - 1] == '0')
        end--;
    text_put(out, (struct span){.at = digits, .bytes = end > 1 ? (size_t)end : 0});
}

struct outcome {
    const char *name;
    enum core_counter counter;
};

static void put_requests(const struct result *result, struct text *out)
{
    static const struct outcome outcomes[] = {
        {"succeeded", COUNT_SUCCEEDED}, {"failed", COUNT_FAILED},   {"timed_out", COUNT_TIMED_OUT},
        {"abandoned", COUNT_ABANDONED}, {"dropped", COUNT_DROPPED},
    };
    put_family("requests_total", "counter", "Requests by what became of them.", out);
    for (size_t i = 0; i < result->request_count; i++) {
        const struct result_request *request = &result->requests[i];
        for (size_t o = 0; o < sizeof outcomes / sizeof *outcomes; o++) {
            put_name(result, "requests_total", request->name, out);
            text_printf(out, ",outcome=\"%s\"} %" PRIu64 "\n", outcomes[o].name,
                        request->sum->counters[outcomes[o].counter]);
        }
    }
    put_family("errors_total", "counter", "Failed requests by kind of error.", out);
    for (uint32_t kind = COUNT_ERROR_DNS; kind < CORE_COUNTERS; kind++) {
        put_name(result, "errors_total", NULL, out);
        text_printf(out, ",kind=\"%s\"} %" PRIu64 "\n", figure_error_key(kind),
                    result->total->counters[kind]);
    }
}

static const nsec_t bounds_us[] = {1000,     2500,     5000,     10000,     25000,    50000,
                                   100000,   250000,   500000,   1000000,   2500000,  5000000,
                                   10000000, 30000000, 60000000, 120000000, 300000000};

static void put_durations(const struct result *result, struct text *out)
{
    put_family("response_seconds", "histogram",
               "Response time of requests that succeeded, from the instant they were due.", out);
    for (size_t i = 0; i < result->request_count; i++) {
        const struct result_request *request = &result->requests[i];
        const struct hist *hist = result_hist(request->sum, HIST_RESPONSE);
        for (size_t b = 0; b < sizeof bounds_us / sizeof *bounds_us; b++) {
            nsec_t bound = bounds_us[b] * NSEC_PER_USEC;
            put_name(result, "response_seconds_bucket", request->name, out);
            text_puts(out, ",le=\"");
            put_seconds(bound, out);
            text_printf(out, "\"} %" PRIu64 "\n", hist_count_to(hist, bound));
        }
        put_name(result, "response_seconds_bucket", request->name, out);
        text_printf(out, ",le=\"+Inf\"} %" PRIu64 "\n", hist->count);
        put_name(result, "response_seconds_sum", request->name, out);
        text_puts(out, "} ");
        put_seconds((nsec_t)hist->sum_ns, out);
        text_putc(out, '\n');
        put_name(result, "response_seconds_count", request->name, out);
        text_printf(out, "} %" PRIu64 "\n", hist->count);
    }
}

static void put_states(const struct result *result, struct text *out)
{
    struct verdict verdict;
    show_verdict(result, &verdict);
    put_family("passed", "gauge",
               "1 when the run passed, 0 when it failed; absent when not judged.", out);
    if (verdict.word == VERDICT_WORD_PASS || verdict.word == VERDICT_WORD_FAIL) {
        put_name(result, "passed", NULL, out);
        text_printf(out, "} %d\n", verdict.word == VERDICT_WORD_PASS);
    }
    put_family("measured_seconds", "gauge", "Measured time, excluded phases left out.", out);
    put_name(result, "measured_seconds", NULL, out);
    text_puts(out, "} ");
    put_seconds(result->total->measured_ns, out);
    text_putc(out, '\n');
    const char *state = result_fact(result, "generator.verdict");
    if (state) {
        put_family("generator_info", "gauge", "What the generator says of itself.", out);
        put_name(result, "generator_info", NULL, out);
        text_puts(out, ",verdict=\"");
        put_label(state, out);
        text_puts(out, "\"} 1\n");
    }
    show_verdict_fini(&verdict);
}

static int write_prometheus(const struct result *result, const struct show_options *options,
                            struct text *out)
{
    (void)options;
    put_states(result, out);
    put_requests(result, out);
    put_durations(result, out);
    return 0;
}

const struct writer writer_prometheus = {
    .name = "prometheus",
    .file = "metrics.prom",
    .sentence = "totals in Prometheus' text format",
    .write = write_prometheus,
};
