/* Sums, spreads and distributions in the document; see document.h. */
#include "show/document.h"
#include "show/figure.h"

#include <math.h>
#include <stdio.h>

static double milliseconds(nsec_t duration_ns)
{
    return (double)duration_ns / (double)NSEC_PER_MSEC;
}

static void set_time(json_t *object, const char *name, struct figure_time time)
{
    char key[32];
    snprintf(key, sizeof key, "%s_ms", name);
    json_object_set_new(object, key, time.known ? json_real(milliseconds(time.ns)) : json_null());
}

struct named_time {
    const char *name;
    struct figure_time time;
};

json_t *document_times(const struct figure_times *times)
{
    const struct named_time named[] = {
        {"min", times->least}, {"avg", times->mean}, {"p50", times->p50},   {"p90", times->p90},
        {"p95", times->p95},   {"p99", times->p99},  {"p999", times->p999}, {"max", times->most},
    };
    json_t *object = json_object(), *at_least = json_array(), *too_few = json_object();
    json_object_set_new(object, "count", document_count(times->count));
    json_object_set_new(object, "censored", document_count(times->censored));
    for (size_t i = 0; i < sizeof named / sizeof *named; i++) {
        set_time(object, named[i].name, named[i].time);
        if (named[i].time.known && named[i].time.at_least)
            json_array_append_new(at_least, json_string(named[i].name));
        if (!named[i].time.known && named[i].time.needs)
            json_object_set_new(too_few, named[i].name, document_count(named[i].time.needs));
    }
    json_object_set_new(object, "deviation_ms",
                        document_number(times->deviation_ns / (double)NSEC_PER_MSEC));
    json_object_set_new(object, "at_least", at_least);
    json_object_set_new(object, "too_few_needs", too_few);
    return object;
}

static json_t *errors_object(const struct result_sum *sum, const struct figure_sums *figures)
{
    json_t *errors = json_object(), *kinds = json_object(), *rolled = json_object();
    for (uint32_t kind = COUNT_ERROR_DNS; sum && kind < CORE_COUNTERS; kind++)
        json_object_set_new(kinds, figure_error_key(kind), document_count(sum->counters[kind]));
    json_object_set_new(rolled, "timeout", document_count(figures->roll_timeout));
    json_object_set_new(rolled, "connection", document_count(figures->roll_connection));
    json_object_set_new(rolled, "validation", document_count(figures->roll_validation));
    json_object_set_new(rolled, "http_5xx", document_count(figures->roll_5xx));
    json_object_set_new(errors, "by_kind", kinds);
    json_object_set_new(errors, "rolled_up", rolled);
    return errors;
}

static json_t *status_object(const struct result_sum *sum)
{
    json_t *codes = json_object();
    for (uint32_t code = 0; sum && code < TALLY_STATUS_CODES; code++) {
        char key[16];
        uint64_t count = result_status(sum, code);
        snprintf(key, sizeof key, "%u", code);
        if (count && code)
            json_object_set_new(codes, key, document_count(count));
    }
    return codes;
}

/* Where the time of a request went: each part by itself, and what drivers measured. */
static json_t *parts_object(const struct result_sum *sum, const struct metric_table *metrics)
{
    json_t *parts = json_object();
    for (uint32_t metric = 0; sum && metric < metrics->hist_count; metric++) {
        const struct hist *hist = result_hist(sum, metric);
        struct figure_times times;
        if (metric == HIST_RESPONSE || metric == HIST_SERVICE || hist->count == 0)
            continue;
        figure_times(hist, NULL, &times);
        json_object_set_new(parts, metrics->hists[metric].name, document_times(&times));
    }
    return parts;
}

static json_t *driver_counters(const struct result_sum *sum, const struct metric_table *metrics)
{
    json_t *counters = json_object();
    for (size_t metric = CORE_COUNTERS; sum && metric < metrics->counter_count; metric++)
        json_object_set_new(counters, metrics->counters[metric].name,
                            document_count(sum->counters[metric]));
    return counters;
}

json_t *document_sums(const struct result_sum *sum, const struct metric_table *metrics)
{
    struct figure_sums figures;
    figure_sums(sum, &figures);
    json_t *object = json_object();
    json_object_set_new(object, "requests", document_count(figures.requests));
    json_object_set_new(object, "succeeded", document_count(figures.succeeded));
    json_object_set_new(object, "failed", document_count(figures.failed));
    json_object_set_new(object, "timed_out", document_count(figures.timed_out));
    json_object_set_new(object, "abandoned", document_count(figures.abandoned));
    json_object_set_new(object, "dropped", document_count(figures.dropped));
    json_object_set_new(object, "error_ratio", document_number(figures.error_share));
    json_object_set_new(object, "failed_assertions", document_count(figures.checks_failed));
    json_object_set_new(object, "passed_assertions", document_count(figures.checks_passed));
    json_object_set_new(object, "measured_s", document_number(figures.seconds));
    json_object_set_new(object, "rate_rps", document_number(figures.rate_rps));
    json_object_set_new(object, "rate_rpm", document_number(figures.rate_rpm));
    json_object_set_new(object, "response", document_times(&figures.response));
    json_object_set_new(object, "service", document_times(&figures.service));
    json_object_set_new(object, "parts", parts_object(sum, metrics));
    json_object_set_new(object, "errors", errors_object(sum, &figures));
    json_object_set_new(object, "status_codes", status_object(sum));
    json_object_set_new(object, "received_bytes", document_count(figures.bytes_in));
    json_object_set_new(object, "sent_bytes", document_count(figures.bytes_out));
    json_object_set_new(object, "received_bytes_per_s", document_number(figures.in_bytes_rate));
    json_object_set_new(object, "sent_bytes_per_s", document_number(figures.out_bytes_rate));
    json_object_set_new(object, "connections", document_count(figures.connections));
    json_object_set_new(object, "retried", document_count(figures.retried));
    json_object_set_new(object, "stale_connections", document_count(figures.stale));
    json_object_set_new(object, "late", document_count(figures.late));
    json_object_set_new(object, "driver_counters", driver_counters(sum, metrics));
    json_object_set_new(object, "llm", document_llm(sum, metrics));
    return object;
}

/* Buckets of the histogram joined to this many an octave: 4.4 % wide, finer than a screen. */
enum { BARS_AN_OCTAVE = 16, JOINED = (1 << HIST_SUB_BITS) / BARS_AN_OCTAVE };

struct bars {
    json_t *low, *high, *count;
};

static void add_bar(struct bars *bars, uint32_t first, uint32_t last, uint64_t count)
{
    if (count == 0)
        return;
    json_array_append_new(bars->low, json_real(milliseconds(hist_bucket_low(first))));
    json_array_append_new(bars->high, json_real(milliseconds(hist_bucket_high(last) + 1)));
    json_array_append_new(bars->count, document_count(count));
}

json_t *document_distribution(const struct result_sum *sum)
{
    struct bars bars = {.low = json_array(), .high = json_array(), .count = json_array()};
    json_t *object = json_object();
    json_object_set_new(object, "low_ms", bars.low);
    json_object_set_new(object, "high_ms", bars.high);
    json_object_set_new(object, "count", bars.count);
    const struct hist *hist = sum ? result_hist(sum, HIST_RESPONSE) : NULL;
    json_object_set_new(object, "above", document_count(hist ? hist->above : 0));
    if (!hist || hist->count == 0)
        return object;
    for (uint32_t first = hist->first_bucket / JOINED * JOINED; first <= hist->last_bucket;
         first += JOINED) {
        uint64_t count = 0;
        for (uint32_t i = first; i < first + JOINED && i < HIST_BUCKETS; i++)
            count += hist->buckets[i];
        add_bar(&bars, first, first + JOINED - 1, count);
    }
    return object;
}
