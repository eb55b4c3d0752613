/* Thresholds in k6's words, with a window, a least count, and an abort.
 *   Source  https://grafana.com/docs/k6/latest/using-k6/thresholds/ (aggregates, abortOnFail,
 *           delayAbortEval) */
#include "plan/part.h"

#include "base/memory.h"
#include "base/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct threshold_form {
    char *expr;
    nsec_t window_ns, after_ns;
    uint64_t min_samples;
    bool abort;
};

#define FORM(member) offsetof(struct threshold_form, member)

const struct setting threshold_rows[] = {
    {.name = "expr",
     .type = SETTING_TEXT,
     .offset = FORM(expr),
     .required = true,
     .aliases = "threshold",
     .sentence = "what must be true, such as p(95)<200"},
    {.name = "window",
     .type = SETTING_DURATION,
     .offset = FORM(window_ns),
     .unset = "0",
     .sentence = "judge the last so much time; 0 is everything measured"},
    {.name = "min_samples",
     .type = SETTING_UINT,
     .offset = FORM(min_samples),
     .unset = "0",
     .unit = "samples",
     .sentence = "not judged with fewer"},
    {.name = "after",
     .type = SETTING_DURATION,
     .offset = FORM(after_ns),
     .unset = "0",
     .aliases = "delayAbortEval delay_abort_eval",
     .sentence = "not judged before"},
    {.name = "abort",
     .type = SETTING_BOOL,
     .offset = FORM(abort),
     .unset = "false",
     .aliases = "abortOnFail abort_on_fail",
     .sentence = "end the run when it fails"},
    {.name = NULL},
};

static const struct {
    const char *word;
    int compare;
} compares[] = {{"<=", COMPARE_AT_MOST}, {">=", COMPARE_AT_LEAST}, {"===", COMPARE_EQUAL},
                {"==", COMPARE_EQUAL},   {"!=", COMPARE_NOT},      {"<", COMPARE_LESS},
                {">", COMPARE_MORE}};

static const char *const expression_forms =
    "for example p(95)<200, avg<100, rate<0.01, count>1000, rps>10, p(95)<baseline*1.1";

/* The names that every run has, k6's among them; study gives them their meaning. What is declared
 * besides comes with the vocabulary. */
static const char *const metric_names =
    "response response_time service service_time http_req_duration http_req_blocked conn_wait "
    "http_req_connecting http_req_tls_handshaking http_req_sending http_req_waiting "
    "http_req_receiving iteration_duration schedule_lag http_req_failed error_rate errors failed "
    "success_rate availability checks http_reqs requests rps throughput iterations "
    "dropped_iterations data_sent data_received vus";

static const char *nearest_metric(const struct reader *reader, const char *name)
{
    static const char *const common[] = {
        "http_req_failed", "http_req_duration", "http_reqs",  "iterations",   "checks",
        "response_time",   "error_rate",        "throughput", "service_time", "dropped_iterations"};
    const char *nearest = NULL;
    size_t best = strlen(name) / 3 + 2;
    const char *const *more = reader->vocabulary->metrics;
    size_t count = sizeof common / sizeof *common;
    for (size_t i = 0; i < count || (more && *more); i++) {
        const char *candidate = i < count ? common[i] : *more++;
        size_t distance = text_distance(name, candidate);
        if (distance < best) {
            best = distance;
            nearest = candidate;
        }
    }
    return nearest;
}

bool metric_is_known(struct reader *reader, const struct node *node, const char *name)
{
    if (!reader->vocabulary->metrics || text_has_word(metric_names, name))
        return true;
    for (const char *const *more = reader->vocabulary->metrics; *more; more++) {
        if (strcmp(*more, name) == 0)
            return true;
    }
    char hint[120] = "";
    const char *nearest = nearest_metric(reader, name);
    if (nearest)
        snprintf(hint, sizeof hint, "did you mean \"%s\"?", nearest);
    reader_error(reader, node, *hint ? hint : NULL, "metric \"%s\" is unknown", name);
    return false;
}

static char *copy_span(struct span span)
{
    struct text copy = TEXT_EMPTY;
    text_put(&copy, span);
    return text_take(&copy);
}

static int read_aggregate(struct span words, struct plan_threshold *out)
{
    static const char *const names = "rate count avg med min max rps value";
    if (words.bytes > 3 && span_begins(words, SPAN("p("))) {
        struct span number = span_trim((struct span){words.at + 2, words.bytes - 3});
        if (words.at[words.bytes - 1] != ')' || unit_read_real(number, &out->percentile) ||
            out->percentile < 0 || out->percentile > 100)
            return 1;
        out->aggregate = memory_copy_text("p");
        return 0;
    }
    if (words.bytes > 1 && (words.at[0] == 'p' || words.at[0] == 'P')) { /* p95 */
        struct span number = {words.at + 1, words.bytes - 1};
        if (unit_read_real(number, &out->percentile) == 0 && out->percentile >= 0 &&
            out->percentile <= 100) {
            out->aggregate = memory_copy_text("p");
            return 0;
        }
    }
    char *name = copy_span(words);
    if (!text_has_word(names, name)) {
        free(name);
        return 1;
    }
    out->aggregate = name;
    return 0;
}

/* "200", "200ms" (milliseconds either way), "1%", "10/s" */
static int read_limit(struct span words, double *limit)
{
    nsec_t duration = 0;
    if (unit_read_real(words, limit) == 0)
        return 0;
    if (unit_read_duration(words, 0, &duration) == 0) {
        *limit = (double)duration / (double)NSEC_PER_MSEC;
        return 0;
    }
    if (words.bytes && words.at[words.bytes - 1] == '%')
        return unit_read_share(words, limit);
    return unit_read_rate(words, limit);
}

/* "+10%" or "- 5%" after "baseline", or "* 1.1" on either side: a factor above 0. */
static int read_factor(struct span words, double *factor)
{
    words = span_trim(words);
    char sign = words.bytes ? words.at[0] : '\0';
    if (sign == '\0') {
        *factor = 1;
        return 0;
    }
    struct span number = span_trim((struct span){words.at + 1, words.bytes - 1});
    double value = 0;
    bool percent = number.bytes && number.at[number.bytes - 1] == '%';
    if (percent ? unit_read_share(number, &value) : unit_read_real(number, &value))
        return 1;
    if (sign == '*')
        *factor = value;
    else if ((sign == '+' || sign == '-') && percent)
        *factor = sign == '+' ? 1 + value : 1 - value;
    else
        return 1;
    return *factor > 0 ? 0 : 1;
}

/* "baseline", "baseline*1.1", "1.1 * baseline", "baseline + 10%". Returns false for other words.
 */
static bool read_baseline(struct span words, struct plan_threshold *out)
{
    struct span name = SPAN("baseline");
    if (span_begins(words, name))
        return read_factor((struct span){words.at + name.bytes, words.bytes - name.bytes},
                           &out->baseline) == 0;
    struct span before = {words.at, words.bytes > name.bytes ? words.bytes - name.bytes : 0};
    if (!before.bytes || !span_equal((struct span){words.at + before.bytes, name.bytes}, name))
        return false;
    before = span_trim(before);
    if (!before.bytes || before.at[before.bytes - 1] != '*')
        return false;
    before = span_trim((struct span){before.at, before.bytes - 1});
    return unit_read_real(before, &out->baseline) == 0 && out->baseline > 0;
}

static int say_bad(struct reader *reader, const struct node *node, const char *words)
{
    reader_error(reader, node, expression_forms, "\"%s\" is no threshold", words);
    return 1;
}

int threshold_compile(struct reader *reader, const struct node *node, const char *words,
                      struct plan_threshold *out)
{
    struct span whole = span_trim(span_of(words));
    size_t at = 0;
    while (at < whole.bytes && !strchr("<>=!", whole.at[at]))
        at++;
    struct span aggregate = span_trim((struct span){whole.at, at});
    struct span rest = {whole.at + at, whole.bytes - at};
    size_t found = 0, count = sizeof compares / sizeof *compares;
    while (found < count && !span_begins(rest, span_of(compares[found].word)))
        found++;
    if (found == count || read_aggregate(aggregate, out))
        return say_bad(reader, node, words);
    size_t taken = strlen(compares[found].word);
    struct span limit = span_trim((struct span){rest.at + taken, rest.bytes - taken});
    if (!read_baseline(limit, out) && read_limit(limit, &out->limit))
        return say_bad(reader, node, words);
    if (compares[found].compare == COMPARE_LESS)
        out->compare = COMPARE_LESS;
    else if (compares[found].compare == COMPARE_AT_MOST)
        out->compare = COMPARE_AT_MOST;
    else if (compares[found].compare == COMPARE_MORE)
        out->compare = COMPARE_MORE;
    else if (compares[found].compare == COMPARE_AT_LEAST)
        out->compare = COMPARE_AT_LEAST;
    else if (compares[found].compare == COMPARE_EQUAL)
        out->compare = COMPARE_EQUAL;
    else
        out->compare = COMPARE_NOT;
    free(out->words);
    out->words = copy_span(whole);
    return 0;
}

/* "http_req_duration{task:chat}" */
static int read_metric(struct reader *reader, const struct node *node, const char *words,
                       struct plan_threshold *out)
{
    static const char *const keys = "task tag error status level service name";
    const char *open = strchr(words, '{'), *colon = open ? strchr(open, ':') : NULL;
    size_t bytes = strlen(words);
    if (open && (!colon || words[bytes - 1] != '}')) {
        reader_error(reader, node, "for example http_req_duration{task:chat}",
                     "\"%s\" is no metric with a filter", words);
        return 1;
    }
    out->metric = copy_span(span_trim((struct span){words, open ? (size_t)(open - words) : bytes}));
    if (open) {
        out->filter_key = copy_span(span_trim((struct span){open + 1, (size_t)(colon - open) - 1}));
        out->filter_value =
            copy_span(span_trim((struct span){colon + 1, (size_t)(words + bytes - colon) - 2}));
        if (!text_has_word(keys, out->filter_key)) {
            reader_error(reader, node, "a filter is task, tag, error, status, level or service",
                         "filter \"%s\" is unknown", out->filter_key);
            return 1;
        }
        if (strcmp(out->filter_key, "name") == 0) { /* k6's word for what is a task here */
            free(out->filter_key);
            out->filter_key = memory_copy_text("task");
        }
    }
    return metric_is_known(reader, node, out->metric) ? 0 : 1;
}

int threshold_compile_limit(struct reader *reader, const struct node *node, const char *words,
                            struct plan_threshold *out)
{
    const char *blank = strchr(words, ' ');
    if (!blank) {
        reader_error(reader, node, "for example \"http_req_failed rate>0.05\"",
                     "\"%s\" is no metric and limit", words);
        return 1;
    }
    char *metric = copy_span((struct span){words, (size_t)(blank - words)});
    int rc =
        read_metric(reader, node, metric, out) || threshold_compile(reader, node, blank + 1, out);
    free(metric);
    if (rc == 0 && out->baseline > 0) {
        reader_error(reader, node, "thresholds may use the baseline",
                     "\"%s\": the limit here is a number", words);
        rc = 1;
    }
    return rc;
}

void threshold_fini(struct plan_threshold *threshold)
{
    free(threshold->metric);
    free(threshold->filter_key);
    free(threshold->filter_value);
    free(threshold->aggregate);
    free(threshold->words);
    *threshold = (struct plan_threshold){0};
}

/* A limit by the baseline needs one that the run is compared with. */
static void check_baseline(struct reader *reader, const struct node *node,
                           const struct plan_threshold *threshold)
{
    if (threshold->baseline > 0 && !reader->plan->baseline)
        reader_error(reader, node, "name it: baseline: NAME in the plan, or --baseline NAME",
                     "\"%s\" needs a baseline, and the plan names none", threshold->words);
}

/* A filter must name something that the plan has. */
static void check_filter(struct reader *reader, const struct node *node,
                         const struct plan_threshold *threshold)
{
    const struct plan *plan = reader->plan;
    if (!threshold->filter_key || strcmp(threshold->filter_key, "task") != 0)
        return;
    for (size_t i = 0; i < plan->task_count; i++) {
        if (strcmp(plan->tasks[i].name, threshold->filter_value) == 0)
            return;
    }
    const char *nearest = NULL;
    size_t best = strlen(threshold->filter_value) / 3 + 2;
    for (size_t i = 0; i < plan->request_count; i++) {
        const char *name = plan->requests[i].name;
        size_t distance = text_distance(name, threshold->filter_value);
        if (distance == 0)
            return;
        if (distance < best) {
            best = distance;
            nearest = name;
        }
    }
    char hint[160] = "";
    if (nearest)
        snprintf(hint, sizeof hint, "did you mean \"%.100s\"?", nearest);
    reader_error(reader, node, nearest ? hint : NULL, "no task is named \"%s\"",
                 threshold->filter_value);
}

static void read_one(struct reader *reader, const struct node *key, const struct node *node,
                     const char *path)
{
    struct plan *plan = reader->plan;
    struct threshold_form form = {0};
    size_t errors = reader->notes->errors;
    if (node->kind == NODE_MAP) {
        struct setting_scope scope = {threshold_rows, &form};
        setting_read_map(reader, node, path, &scope, 1);
    } else {
        form.expr = reader_words(reader, node, "a threshold such as p(95)<200");
        if (form.expr)
            reader_keep_origin(reader, path, form.expr, node);
    }
    struct plan_threshold threshold = {.window_ns = form.window_ns,
                                       .after_ns = form.after_ns,
                                       .min_samples = form.min_samples,
                                       .abort = form.abort};
    if (reader->notes->errors == errors && form.expr &&
        !read_metric(reader, key, key->text, &threshold)) {
        const struct node *expr = node->kind == NODE_MAP ? node_find(node, "expr") : node;
        if (threshold_compile(reader, expr ? expr : node, form.expr, &threshold) == 0)
            check_baseline(reader, expr ? expr : node, &threshold);
        check_filter(reader, key, &threshold);
    }
    setting_free(threshold_rows, &form);
    plan->thresholds = memory_resize(plan->thresholds, plan->threshold_count + 1, sizeof threshold);
    plan->thresholds[plan->threshold_count++] = threshold;
}

void thresholds_read(struct reader *reader, const struct setting *row, const char *path,
                     const struct node *node, void *field)
{
    (void)field;
    if (!reader_wants(reader, node, NODE_MAP, row->name))
        return;
    for (size_t i = 0; i < node->count; i++) {
        const struct node *key = node->rows[i].key, *value = node->rows[i].value;
        char here[PATH_ROOM];
        path_write(here, "%s.%s", path, key->text);
        size_t count = value->kind == NODE_LIST ? value->count : 1;
        for (size_t j = 0; j < count; j++)
            read_one(reader, key, value->kind == NODE_LIST ? value->rows[j].value : value, here);
    }
}

/* ---- guards: thresholds that come with the words of a plan ------------------------------------
 */

static bool wants_guard(const struct plan_request *request, const struct request_verb *verb)
{
    if (!verb->guard || request->settings != verb->settings ||
        strcmp(request->verb, verb->word) != 0)
        return false;
    for (const struct setting *row = verb->settings; row->name; row++) {
        if (row->type == SETTING_BOOL && strcmp(row->name, verb->guard_setting) == 0)
            return *(const bool *)((const char *)request->config + row->offset);
    }
    return false;
}

static bool metric_is_judged(const struct plan *plan, const char *guard)
{
    size_t bytes = strcspn(guard, " ");
    for (size_t i = 0; i < plan->threshold_count; i++) {
        const char *metric = plan->thresholds[i].metric;
        if (metric && strlen(metric) == bytes && strncmp(metric, guard, bytes) == 0)
            return true;
    }
    return false;
}

void thresholds_guard(struct reader *reader)
{
    struct plan *plan = reader->plan;
    for (size_t i = 0; i < plan->request_count; i++) {
        for (size_t v = 0; v < reader->vocabulary->verb_count; v++) {
            const struct request_verb *verb = &reader->vocabulary->verbs[v];
            struct plan_threshold threshold = {.window_ns = 0};
            if (!wants_guard(&plan->requests[i], verb) || metric_is_judged(plan, verb->guard) ||
                threshold_compile_limit(reader, reader->document.root, verb->guard, &threshold))
                continue;
            plan->thresholds =
                memory_resize(plan->thresholds, plan->threshold_count + 1, sizeof threshold);
            plan->thresholds[plan->threshold_count++] = threshold;
        }
    }
}
