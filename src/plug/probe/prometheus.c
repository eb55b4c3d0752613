/* Scrapes an exposition endpoint, or asks a Prometheus server by PromQL. What is scraped is mapped
 * to our metrics by presets (prometheus.h); what no preset knows is handed out as it is called,
 * where that is asked for: counters as rates, all else as levels. */
#include "plug/probe/prometheus.h"

#include "base/memory.h"
#include "plan/plan.h"
#include "plug/probe/endpoint.h"
#include "plug/probe/probe_list.h"
#include "wire/url.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_RAW = 2000 };
enum { SCRAPE_TIME, SAMPLES, BAD_LINES };
enum { CHOICE_AUTO, CHOICE_NONE, CHOICE_FIRST };

static const struct metric metrics[] = {
    [SCRAPE_TIME] = {.name = "prometheus.scrape_time",
                     .kind = METRIC_GAUGE,
                     .unit = "s",
                     .sentence = "how long the endpoint took to answer",
                     .source = "probe prometheus"},
    [SAMPLES] = {.name = "prometheus.samples",
                 .kind = METRIC_GAUGE,
                 .unit = "samples",
                 .sentence = "samples of the answer",
                 .source = "probe prometheus"},
    [BAD_LINES] = {.name = "prometheus.bad_lines",
                   .kind = METRIC_GAUGE,
                   .unit = "lines",
                   .sentence = "lines of the answer that are not of the format",
                   .source = "probe prometheus"},
    {.name = NULL},
};

/* In the order of `presets`, after the first two. */
static const struct setting_word preset_words[] = {
    {"auto", "all presets at once; a reply that none of them knows is taken as it is"},
    {"none", "no preset: every series as it is called"},
    {"node_exporter", "a host, by Prometheus' node exporter"},
    {"cadvisor", "containers, by cAdvisor or the kubelet"},
    {"kube_state_metrics", "objects of a Kubernetes cluster"},
    {"dcgm", "NVIDIA GPUs, by the DCGM exporter"},
    {"vllm", "a vLLM server"},
    {"sglang", "an SGLang server with --enable-metrics"},
    {"tgi", "Text Generation Inference"},
    {"triton", "a Triton inference server"},
    {"llamacpp", "llama.cpp's server with --metrics"},
    {"qdrant", "a Qdrant vector store"},
    {"postgres_exporter", "PostgreSQL, by its exporter"},
    {"pgbouncer", "PgBouncer, by its exporter"},
    {"redis_exporter", "Redis, by its exporter"},
    {"haproxy", "HAProxy's own exporter"},
    {"pcm", "memory's traffic, by Intel's Performance Counter Monitor"},
    {"application", "what client libraries expose of applications"},
    {.word = NULL},
};

struct prometheus_config {
    struct endpoint_config endpoint;
    int preset;
    char *query, *name, *unit;
    struct plan_texts series;
};

#define CONFIG(field) offsetof(struct prometheus_config, field)

static const struct setting settings[] = {
    {.name = "url",
     .type = SETTING_TEXT,
     .offset = CONFIG(endpoint.url),
     .required = true,
     .sentence = "page of metrics (a URL, or a path on the target); with query: the server"},
    {.name = "preset",
     .type = SETTING_CHOICE,
     .offset = CONFIG(preset),
     .unset = "auto",
     .words = preset_words,
     .sentence = "whose metrics these are"},
    {.name = "series",
     .type = SETTING_TEXTS,
     .offset = CONFIG(series),
     .sentence = "series to hand out besides, by name; one that ends in * begins with it"},
    {.name = "query",
     .type = SETTING_TEXT,
     .offset = CONFIG(query),
     .sentence = "PromQL for a Prometheus server to evaluate at each look"},
    {.name = "name",
     .type = SETTING_TEXT,
     .offset = CONFIG(name),
     .unset = "query",
     .sentence = "name of the query's metric, such as app.queue"},
    {.name = "unit",
     .type = SETTING_TEXT,
     .offset = CONFIG(unit),
     .unset = "1",
     .sentence = "unit of the query's metric"},
    ENDPOINT_SETTINGS(CONFIG(endpoint)),
    {.name = NULL},
};

struct prometheus_probe {
    const struct prometheus_config *config;
    struct endpoint endpoint;
    struct past *past;
    struct fold *fold;
    bool told_bad, told_many, known;
};

static void prometheus_close(void *self)
{
    struct prometheus_probe *probe = self;
    endpoint_fini(&probe->endpoint);
    past_free(probe->past);
    fold_free(probe->fold);
    free(probe);
}

static int prometheus_open(const void *config, const struct probe_place *place, void **self,
                           struct text *why)
{
    const struct prometheus_config *mine = config;
    struct prometheus_probe *probe = memory_new(1, sizeof *probe);
    struct text tail = TEXT_EMPTY;
    if (mine->query) {
        text_puts(&tail, "/api/v1/query?query=");
        url_encode(span_of(mine->query), &tail);
    }
    probe->config = mine;
    probe->past = past_new();
    if (mine->preset != CHOICE_NONE)
        probe->fold =
            fold_new(mine->preset == CHOICE_AUTO ? NULL : &presets[mine->preset - CHOICE_FIRST]);
    int rc = endpoint_init(&probe->endpoint, &mine->endpoint, place, tail.at, why);
    text_fini(&tail);
    if (rc)
        prometheus_close(probe);
    else
        *self = probe;
    return rc;
}

/* ---- series as they are called ----------------------------------------------------------------
 */

static bool is_asked(const struct plan_texts *series, struct span name)
{
    for (size_t i = 0; i < series->count; i++) {
        struct span wanted = span_of(series->items[i]);
        bool begins = wanted.bytes && wanted.at[wanted.bytes - 1] == '*';
        wanted.bytes -= begins;
        if (begins ? span_begins(name, wanted) : span_equal(name, wanted))
            return true;
    }
    return false;
}

static bool ends_with(struct span name, struct span ending)
{
    return name.bytes >= ending.bytes &&
           memcmp(name.at + name.bytes - ending.bytes, ending.at, ending.bytes) == 0;
}

/* Whether it only grows: by its type, or by its name where no type is given. */
static bool is_counter(const struct exposition_sample *sample)
{
    switch (sample->kind) {
    case EXPOSITION_COUNTER:
        return !ends_with(sample->name, SPAN("_created"));
    case EXPOSITION_HISTOGRAM:
    case EXPOSITION_SUMMARY:
        return ends_with(sample->name, SPAN("_count")) || ends_with(sample->name, SPAN("_sum"));
    case EXPOSITION_UNKNOWN:
        return ends_with(sample->name, SPAN("_total"));
    default:
        return false;
    }
}

/* What names end in by Prometheus' conventions. A number without a unit is no share: 5 that wait
 * are not 500 %. */
static struct span unit_by_name(struct span name)
{
    static const struct {
        const char *ending, *unit;
    } rows[] = {{"_ratio", "1"}, {"_bytes", "bytes"}, {"_seconds", "s"}, {"_celsius", "C"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (ends_with(name, span_of(rows[i].ending)))
            return span_of(rows[i].unit);
    return SPAN("");
}

/* Hands out one sample by its own name. Returns whether there was a value. */
static bool hand_out_raw(struct prometheus_probe *probe, const struct exposition_sample *sample,
                         struct probe_sink *sink)
{
    double value = sample->value;
    bool counter = is_counter(sample);
    bool bucket = sample->kind == EXPOSITION_HISTOGRAM && ends_with(sample->name, SPAN("_bucket"));
    if (bucket || sample->kind == EXPOSITION_INFO)
        return false;
    if (counter && past_compare(probe->past, sample, &value) != PAST_RATE)
        return false;
    if (!counter && isfinite(sample->at_s) &&
        past_compare(probe->past, sample, &(double){0}) == PAST_STALE)
        return false;
    struct text name = TEXT_EMPTY, part = TEXT_EMPTY, sentence = TEXT_EMPTY, unit = TEXT_EMPTY;
    text_put(&name, sample->name);
    text_put(&part, sample->labels);
    text_put(&sentence, sample->help);
    text_put(&unit, sample->unit.bytes ? sample->unit : unit_by_name(sample->name));
    if (counter) {
        text_puts(&name, ".rate");
        text_puts(&unit, "/s");
    }
    probe_named(sink,
                &(struct metric){.name = name.at,
                                 .kind = METRIC_GAUGE,
                                 .unit = unit.bytes ? unit.at : "",
                                 .sentence = sentence.at,
                                 .source = probe->endpoint.url.at},
                part.bytes ? part.at : "", value);
    text_fini(&name);
    text_fini(&part);
    text_fini(&sentence);
    text_fini(&unit);
    return isfinite(value);
}

/* ---- a scrape ---------------------------------------------------------------------------------
 */

/* Whether a reply has anything that the presets know; looked at until it has. */
static bool knows(struct prometheus_probe *probe, struct exposition reader)
{
    struct exposition_sample sample;
    struct past *apart = past_new();
    fold_begin(probe->fold);
    while (!probe->known && exposition_next(&reader, &sample))
        probe->known = fold_sample(probe->fold, &sample, apart);
    past_free(apart);
    return probe->known;
}

static void read_samples(struct prometheus_probe *probe, struct exposition *reader,
                         struct probe_sink *sink)
{
    const struct prometheus_config *config = probe->config;
    struct exposition_sample sample;
    size_t raw = 0;
    bool all = config->series.count == 0 &&
               (config->preset == CHOICE_NONE ||
                (config->preset == CHOICE_AUTO && !probe->known && !knows(probe, *reader)));
    if (probe->fold)
        fold_begin(probe->fold);
    while (exposition_next(reader, &sample)) {
        bool wanted = all || is_asked(&config->series, sample.name);
        if (probe->fold && !wanted)
            fold_sample(probe->fold, &sample, probe->past);
        if (wanted && raw < MOST_RAW)
            raw += hand_out_raw(probe, &sample, sink);
    }
    if (probe->fold)
        fold_end(probe->fold, sink);
    if (raw == MOST_RAW && !probe->told_many) {
        probe->told_many = true;
        probe_event(sink, "limit", "%s has more than %d series; name those wanted as series",
                    probe->endpoint.url.at, MOST_RAW);
    }
}

int prometheus_take(void *self, const struct prometheus_page *page, struct probe_sink *sink,
                    struct text *why)
{
    struct prometheus_probe *probe = self;
    struct span open = SPAN("application/openmetrics-text");
    bool open_metrics = span_begins(span_of(page->content_type), open);
    struct exposition reader = exposition_of(page->body, open_metrics);
    past_begin(probe->past, (double)page->begun_ns / NSEC_PER_SEC);
    read_samples(probe, &reader, sink);
    if (reader.samples == 0) {
        text_printf(why, "%s answered something that is no exposition of metrics",
                    probe->endpoint.url.at);
        if (reader.why)
            text_printf(why, " (line %llu: %s)", (unsigned long long)reader.first_bad, reader.why);
        return PROBE_GAP;
    }
    probe_value(sink, SCRAPE_TIME, "", (double)page->took_ns / NSEC_PER_SEC);
    probe_value(sink, SAMPLES, "", (double)reader.samples);
    probe_value(sink, BAD_LINES, "", (double)reader.bad_lines);
    if (reader.bad_lines && !probe->told_bad) {
        probe->told_bad = true;
        probe_event(sink, "bad", "%s: line %llu and %llu others are not of the format: %s",
                    probe->endpoint.url.at, (unsigned long long)reader.first_bad,
                    (unsigned long long)(reader.bad_lines - 1), reader.why);
    }
    return 0;
}

static int prometheus_look(void *self, nsec_t at_ns, struct probe_sink *sink, struct text *why)
{
    static const char *const accept[] = {
        "Accept: text/plain;version=0.0.4, application/openmetrics-text;version=1.0.0;q=0.5"};
    struct prometheus_probe *probe = self;
    const struct prometheus_config *config = probe->config;
    const struct fetch_reply *reply = &probe->endpoint.reply;
    (void)at_ns;
    if (endpoint_ask(&probe->endpoint, config->query ? NULL : accept, config->query ? 0 : 1, why))
        return PROBE_GAP;
    if (config->query) {
        const struct metric metric = {.name = config->name,
                                      .kind = METRIC_GAUGE,
                                      .unit = config->unit,
                                      .sentence = config->query,
                                      .source = "PromQL"};
        return query_values(text_span(&reply->body), &metric, sink, why);
    }
    if (reply->status < 200 || reply->status >= 300) {
        text_printf(why, "%s answered %d", probe->endpoint.url.at, reply->status);
        return PROBE_GAP;
    }
    struct prometheus_page page = {.content_type = reply->content_type,
                                   .body = text_span(&reply->body),
                                   .begun_ns = probe->endpoint.asked_ns + reply->first_byte_ns,
                                   .took_ns = reply->took_ns};
    return prometheus_take(probe, &page, sink, why);
}

/* ---- for the reference ------------------------------------------------------------------------
 */

/* A selector in a table of Markdown. */
static void put_selector(const char *words, struct text *out)
{
    for (; *words; words++) {
        if (*words == '|')
            text_putc(out, '\\');
        text_putc(out, *words);
    }
}

static void describe_row(const struct preset_row *row, struct text *out)
{
    static const char *const how[] = {[PRESET_LEVEL] = "level of",
                                      [PRESET_RATE] = "growth a second of",
                                      [PRESET_HISTOGRAM] = "histogram"};
    bool histogram = row->kind == PRESET_HISTOGRAM;
    text_printf(out, "| `%s%s` | %s | %s | %s `", row->metric, histogram ? ".mean`, `.p95" : "",
                row->unit, row->sentence, how[row->kind]);
    put_selector(row->top, out);
    text_putc(out, '`');
    if (row->bottom) {
        text_puts(out, " over `");
        put_selector(row->bottom, out);
        text_putc(out, '`');
    }
    if (row->complement)
        text_puts(out, ", taken from 1");
    if (row->factor != 0)
        text_printf(out, ", times %g", row->factor);
    if (row->part)
        text_printf(out, ", by %s", row->part);
    text_puts(out, " |\n");
}

static void describe(struct text *out)
{
    text_puts(out,
              "A selector `name{label=a|b,label!=c} + name` adds up the samples that it names; "
              "values are handed out for each value of the labels after \"by\". A rate needs "
              "two looks; a counter that shrank gives none. A histogram gives its mean over "
              "the interval and, from its buckets, the 95th percentile.\n");
    for (const struct preset *preset = presets; preset->name; preset++) {
        text_printf(out,
                    "\n### Preset `%s`: %s\n\nRole: `%s`.\n\n"
                    "| metric | unit | meaning | made of |\n|---|---|---|---|\n",
                    preset->name, preset->sentence, preset->role);
        for (const struct preset_row *row = preset->rows; row->metric; row++)
            describe_row(row, out);
    }
}

const struct probe probe_prometheus = {
    .name = "prometheus",
    .sentence = "metrics that a service exposes, or that a Prometheus server has",
    .settings = settings,
    .config_bytes = sizeof(struct prometheus_config),
    .shorthand = "url",
    .metrics = metrics,
    .role = "service",
    .remote = true,
    .describe = describe,
    .open = prometheus_open,
    .look = prometheus_look,
    .close = prometheus_close,
};
