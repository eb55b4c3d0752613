/* study/measure.c - a table of names; one function for each kind of metric. */
#include "study/measure.h"

#include "record/metric.h"
#include "stat/hist.h"
#include "study/scope.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- names ------------------------------------------------------------------------------- */

enum kind {
    KIND_TIME,  /* a histogram of nanoseconds */
    KIND_SHARE, /* one count of another */
    KIND_COUNT, /* a counter */
    KIND_ENDED, /* requests that ended: succeeded, failed or timed out */
    KIND_GAUGE, /* a level over the points */
};

enum part { PART_FAILED, PART_SUCCEEDED, PART_CHECKS };

struct metric_name {
    const char *word;
    enum kind kind;
    uint32_t number; /* of the histogram, counter or gauge; or a part */
};

static const struct metric_name names[] = {
    {"response", KIND_TIME, HIST_RESPONSE},
    {"response_time", KIND_TIME, HIST_RESPONSE},
    {"service", KIND_TIME, HIST_SERVICE},
    {"service_time", KIND_TIME, HIST_SERVICE},
    {"http_req_duration", KIND_TIME, HIST_SERVICE},
    {"http_req_blocked", KIND_TIME, HIST_CONN_WAIT},
    {"conn_wait", KIND_TIME, HIST_CONN_WAIT},
    {"http_req_connecting", KIND_TIME, HIST_CONNECT},
    {"http_req_tls_handshaking", KIND_TIME, HIST_TLS},
    {"http_req_sending", KIND_TIME, HIST_SEND},
    {"http_req_waiting", KIND_TIME, HIST_WAIT},
    {"http_req_receiving", KIND_TIME, HIST_RECEIVE},
    {"iteration_duration", KIND_TIME, HIST_ITERATION},
    {"schedule_lag", KIND_TIME, HIST_LAG},
    {"http_req_failed", KIND_SHARE, PART_FAILED},
    {"error_rate", KIND_SHARE, PART_FAILED},
    {"errors", KIND_SHARE, PART_FAILED},
    {"failed", KIND_SHARE, PART_FAILED},
    {"success_rate", KIND_SHARE, PART_SUCCEEDED},
    {"availability", KIND_SHARE, PART_SUCCEEDED},
    {"checks", KIND_SHARE, PART_CHECKS},
    {"http_reqs", KIND_ENDED, 0},
    {"requests", KIND_ENDED, 0},
    {"rps", KIND_ENDED, 0},
    {"throughput", KIND_COUNT, COUNT_SUCCEEDED},
    {"iterations", KIND_COUNT, COUNT_ITERATIONS},
    {"dropped_iterations", KIND_COUNT, COUNT_DROPPED},
    {"data_sent", KIND_COUNT, COUNT_BYTES_OUT},
    {"data_received", KIND_COUNT, COUNT_BYTES_IN},
    {"vus", KIND_GAUGE, GAUGE_USERS},
};

/* The number of a declared metric, or UINT32_MAX. */
static uint32_t find_declared(const struct metric *metrics, size_t count, const char *word)
{
    for (uint32_t i = 0; i < count; i++)
        if (strcmp(metrics[i].name, word) == 0)
            return i;
    return UINT32_MAX;
}

static bool counts(const char *aggregate)
{
    return strcmp(aggregate, "count") == 0 || strcmp(aggregate, "rate") == 0 ||
           strcmp(aggregate, "rps") == 0;
}

/* Finds the name in the table above, then among the metrics that the run declares. Where a counter
 * and a histogram share a name ("late"), counts and rates are the counter's. */
static bool find_name(const struct metric_table *metrics, const struct measure_question *question,
                      struct metric_name *out)
{
    const char *word = question->metric;
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (strcmp(names[i].word, word) == 0) {
            *out = names[i];
            return true;
        }
    uint32_t hist = find_declared(metrics->hists, metrics->hist_count, word);
    uint32_t counter = find_declared(metrics->counters, metrics->counter_count, word);
    uint32_t gauge = find_declared(core_gauges, CORE_GAUGES, word);
    bool counted = question->aggregate != NULL && counts(question->aggregate);
    *out = (struct metric_name){word, KIND_GAUGE, gauge};
    if (counter != UINT32_MAX && (counted || hist == UINT32_MAX))
        *out = (struct metric_name){word, KIND_COUNT, counter};
    else if (hist != UINT32_MAX)
        *out = (struct metric_name){word, KIND_TIME, hist};
    return out->number != UINT32_MAX;
}

/* What a metric is asked for when nothing is named. */
static void set_usual_aggregate(enum kind kind, struct measure_question *question)
{
    if (question->aggregate != NULL)
        return;
    question->aggregate = kind == KIND_TIME ? "p" : kind == KIND_GAUGE ? "avg" : "rate";
    question->percentile = 95;
}

/* What the functions below work on. */
struct work {
    const struct result *result;
    const struct measure_question *question;
    const struct metric_name *name;
    const struct result_sum *sum;
    struct measured *out;
    struct text *why;
};

static bool asks(const struct work *work, const char *aggregate)
{
    return strcmp(work->question->aggregate, aggregate) == 0;
}

static int say(const struct work *work, const char *why)
{
    text_puts(work->why, why);
    return MEASURE_NOT_KNOWN;
}

static int say_no_aggregate(const struct work *work, const char *fitting)
{
    text_printf(work->why, "%s has no \"%s\"; it has %s", work->question->metric,
                work->question->aggregate, fitting);
    return MEASURE_NOT_KNOWN;
}

/* Events a second of the time that was measured. */
static int per_second(const struct work *work, double count)
{
    if (work->sum->measured_ns <= 0)
        return say(work, "nothing was measured yet");
    work->out->value = count * (double)NSEC_PER_SEC / (double)work->sum->measured_ns;
    work->out->unit = "/s";
    return 0;
}

/* ---- times ------------------------------------------------------------------------------- */

static int time_quantile(const struct work *work, const struct hist *done,
                         const struct hist *unfinished, double share)
{
    uint64_t needed = hist_count_for(share);
    if (work->out->count < needed) {
        text_printf(work->why, "n = %llu: too few for p%.10g (needs %llu)",
                    (unsigned long long)work->out->count, share * 100, (unsigned long long)needed);
        return MEASURE_NOT_KNOWN;
    }
    nsec_t value_ns = 0;
    hist_quantile_censored(done, unfinished, share, &value_ns, &work->out->at_least);
    work->out->value = (double)value_ns / 1e6;
    return 0;
}

/* Unfinished requests took at least their bounds, so the mean with the bounds is a lower bound. */
static void time_mean(const struct work *work, const struct hist *done,
                      const struct hist *unfinished)
{
    work->out->value =
        (done->sum_ns + unfinished->sum_ns) / (double)work->out->count / (double)NSEC_PER_MSEC;
    work->out->at_least = unfinished->count > 0;
}

static void time_most(const struct work *work, const struct hist *done,
                      const struct hist *unfinished)
{
    nsec_t most = done->count > 0 ? done->most : 0;
    if (unfinished->count > 0 && unfinished->most > most)
        most = unfinished->most;
    work->out->value = (double)most / 1e6;
    work->out->at_least = unfinished->count > 0;
}

/* Of the times that a request takes from its start to its end, unfinished ones are a part; of its
 * stages they are not. */
static bool whole_request(uint32_t hist)
{
    return hist == HIST_RESPONSE || hist == HIST_SERVICE;
}

static int measure_time(const struct work *work)
{
    static const struct hist none = {.least = NSEC_NEVER, .most = -1, .first_bucket = HIST_BUCKETS};
    const struct hist *done = result_hist(work->sum, work->name->number);
    const struct hist *unfinished =
        whole_request(work->name->number) ? result_hist(work->sum, HIST_CENSORED) : &none;
    struct measured *out = work->out;
    out->count = done->count + unfinished->count;
    out->unit = "ms";
    if (asks(work, "count")) {
        out->value = (double)out->count;
        out->unit = "requests";
        return 0;
    }
    if (asks(work, "rate") || asks(work, "rps"))
        return per_second(work, (double)done->count);
    if (out->count == 0)
        return say(work, "n = 0: nothing was recorded");
    if (asks(work, "p"))
        return time_quantile(work, done, unfinished, work->question->percentile / 100);
    if (asks(work, "med"))
        return time_quantile(work, done, unfinished, 0.5);
    if (asks(work, "avg"))
        time_mean(work, done, unfinished);
    else if (asks(work, "max"))
        time_most(work, done, unfinished);
    else if (asks(work, "min") && done->count > 0)
        out->value = (double)done->least / 1e6;
    else if (asks(work, "min"))
        return say(work, "no request was answered");
    else
        return say_no_aggregate(work, "p, med, avg, min, max, count and rps");
    return 0;
}

/* ---- shares ------------------------------------------------------------------------------ */

static uint64_t counter(const struct work *work, uint32_t number)
{
    return work->sum->counters[number];
}

static uint64_t ended(const struct work *work)
{
    return counter(work, COUNT_SUCCEEDED) + counter(work, COUNT_FAILED) +
           counter(work, COUNT_TIMED_OUT);
}

/* Error classes: each kind by its own name, and the roll-ups. */
static const struct {
    const char *word;
    uint32_t counters[5];
    size_t count;
} error_classes[] = {
    {"dns", {COUNT_ERROR_DNS}, 1},
    {"refused", {COUNT_ERROR_REFUSED}, 1},
    {"unreachable", {COUNT_ERROR_UNREACHABLE}, 1},
    {"connect_timeout", {COUNT_ERROR_CONNECT_TIMEOUT}, 1},
    {"tls", {COUNT_ERROR_TLS}, 1},
    {"reset", {COUNT_ERROR_RESET}, 1},
    {"response_timeout", {COUNT_ERROR_RESPONSE_TIMEOUT}, 1},
    {"protocol", {COUNT_ERROR_PROTOCOL}, 1},
    {"http_status", {COUNT_ERROR_HTTP_STATUS}, 1},
    {"too_large", {COUNT_ERROR_TOO_LARGE}, 1},
    {"generator", {COUNT_ERROR_GENERATOR}, 1},
    {"timeout", {COUNT_ERROR_CONNECT_TIMEOUT, COUNT_ERROR_RESPONSE_TIMEOUT}, 2},
    {"connection",
     {COUNT_ERROR_DNS, COUNT_ERROR_REFUSED, COUNT_ERROR_UNREACHABLE, COUNT_ERROR_TLS,
      COUNT_ERROR_RESET},
     5},
    {"validation", {COUNT_CHECKS_FAILED}, 1},
};

/* "503", or "5xx" for a hundred of them. */
static bool count_status(const struct work *work, const char *words, uint64_t *count)
{
    char *end;
    unsigned long code = strtoul(words, &end, 10), last = code;
    if (end != words && strcmp(end, "xx") == 0) {
        code *= 100;
        last = code + 99;
    } else if (end == words || *end != '\0') {
        return false;
    }
    *count = 0;
    for (; code <= last && code < TALLY_STATUS_CODES; code++)
        *count += result_status(work->sum, (uint32_t)code);
    return true;
}

static bool count_error(const struct work *work, const char *word, uint64_t *count)
{
    for (size_t i = 0; i < sizeof(error_classes) / sizeof(*error_classes); i++) {
        if (strcmp(error_classes[i].word, word) != 0)
            continue;
        *count = 0;
        for (size_t k = 0; k < error_classes[i].count; k++)
            *count += counter(work, error_classes[i].counters[k]);
        return true;
    }
    return count_status(work, word, count);
}

/* The failures that the scope asks for. */
static int count_failures(const struct work *work, uint64_t *count)
{
    const char *key = work->question->scope.key, *value = work->question->scope.value;
    bool known = true;
    *count = counter(work, COUNT_FAILED) + counter(work, COUNT_TIMED_OUT);
    if (key != NULL && value != NULL && strcmp(key, "error") == 0)
        known = count_error(work, value, count);
    else if (key != NULL && value != NULL && strcmp(key, "status") == 0)
        known = count_status(work, value, count);
    if (known)
        return 0;
    text_printf(work->why,
                "no %s \"%s\"; there are dns, refused, unreachable, connect_timeout, tls, reset, "
                "response_timeout, protocol, http_status, too_large, generator, timeout, "
                "connection, validation, and status codes like 503 or 5xx",
                key, value);
    return MEASURE_NOT_KNOWN;
}

/* Hits of a named service, which the record keeps for the whole run. */
static int count_service(const struct work *work, uint64_t *failures, uint64_t *all)
{
    const char *name = work->question->scope.value;
    bool found = false;
    const struct measure_scope *scope = &work->question->scope;
    if (scope->end_ns != 0 || scope->level != 0 || scope->task != NULL)
        return say(work, "services are counted over the whole run, not in parts of it");
    *failures = 0;
    *all = 0;
    for (size_t i = 0; i < work->result->service_count; i++) {
        const struct result_service *service = &work->result->services[i];
        if (name == NULL || strcmp(service->service, name) != 0)
            continue;
        found = true;
        *all += service->hits;
        *failures += service->failure ? service->hits : 0;
    }
    if (found)
        return 0;
    text_printf(work->why, "no reply was counted for a service \"%s\"", name ? name : "");
    return MEASURE_NOT_KNOWN;
}

static int measure_share(const struct work *work)
{
    const char *key = work->question->scope.key;
    uint64_t part = 0, all = ended(work);
    int rc = 0;
    if (work->name->number == PART_CHECKS) {
        part = counter(work, COUNT_CHECKS_PASSED);
        all = part + counter(work, COUNT_CHECKS_FAILED);
    } else if (key != NULL && strcmp(key, "service") == 0) {
        rc = count_service(work, &part, &all);
    } else {
        rc = count_failures(work, &part);
    }
    if (rc != 0)
        return rc;
    if (work->name->number == PART_SUCCEEDED)
        part = all > part ? all - part : 0;
    work->out->count = all;
    work->out->unit = "1";
    if (asks(work, "count")) {
        work->out->unit = work->name->number == PART_CHECKS ? "checks" : "requests";
        work->out->value = (double)part;
        return 0;
    }
    if (asks(work, "rps"))
        return per_second(work, (double)part);
    if (!asks(work, "rate") && !asks(work, "avg") && !asks(work, "value"))
        return say_no_aggregate(work, "rate, count and rps");
    if (all == 0)
        return say(work, "n = 0: nothing was recorded");
    work->out->value = (double)part / (double)all;
    return 0;
}

/* ---- counts and levels ------------------------------------------------------------------- */

static int measure_count(const struct work *work)
{
    bool all = work->name->kind == KIND_ENDED;
    uint64_t count = all ? ended(work) : counter(work, work->name->number);
    work->out->count = count;
    if (asks(work, "rate") || asks(work, "rps"))
        return per_second(work, (double)count);
    if (!asks(work, "count") && !asks(work, "value"))
        return say_no_aggregate(work, "count and rate");
    work->out->value = (double)count;
    work->out->unit = all ? "requests" : work->result->metrics.counters[work->name->number].unit;
    return 0;
}

static int measure_gauge(const struct work *work)
{
    double sum = 0, least = INFINITY, most = -INFINITY, last = 0;
    struct measured *out = work->out;
    for (size_t i = 0; i < work->result->point_count; i++) {
        const struct result_point *point = &work->result->points[i];
        if (!scope_has_point(work->result, &work->question->scope, point))
            continue;
        last = point->gauges[work->name->number];
        sum += last;
        least = fmin(least, last);
        most = fmax(most, last);
        out->count++;
    }
    out->unit = core_gauges[work->name->number].unit;
    if (out->count == 0)
        return say(work, "n = 0: nothing was recorded");
    if (asks(work, "value"))
        out->value = last;
    else if (asks(work, "avg"))
        out->value = sum / (double)out->count;
    else if (asks(work, "min"))
        out->value = least;
    else if (asks(work, "max"))
        out->value = most;
    else
        return say_no_aggregate(work, "value, avg, min and max");
    return 0;
}

/* ---- the question ------------------------------------------------------------------------ */

static int measure_named(const struct work *work)
{
    switch (work->name->kind) {
    case KIND_TIME:
        return measure_time(work);
    case KIND_SHARE:
        return measure_share(work);
    case KIND_COUNT:
    case KIND_ENDED:
        return measure_count(work);
    case KIND_GAUGE:
        return measure_gauge(work);
    }
    return say(work, "unknown kind of metric");
}

/* Error classes, status codes and services divide the failures only. */
static bool scope_fits(const struct work *work)
{
    const char *key = work->question->scope.key;
    bool divides = key != NULL && (strcmp(key, "error") == 0 || strcmp(key, "status") == 0 ||
                                   strcmp(key, "service") == 0);
    if (!divides || (work->name->kind == KIND_SHARE && work->name->number != PART_CHECKS))
        return true;
    text_printf(work->why, "%s is not recorded by %s; http_req_failed and success_rate are",
                work->question->metric, key);
    return false;
}

int measure(const struct result *result, const struct measure_question *question,
            struct measured *out, struct text *why)
{
    *out = (struct measured){.value = NAN, .unit = ""};
    struct metric_name name;
    struct measure_question asked = *question;
    if (!find_name(&result->metrics, &asked, &name)) {
        text_printf(why, "this run has no metric \"%s\"", question->metric);
        return MEASURE_NOT_KNOWN;
    }
    set_usual_aggregate(name.kind, &asked);
    struct work work = {
        .result = result, .question = &asked, .name = &name, .out = out, .why = why};
    if (!scope_fits(&work))
        return MEASURE_NOT_KNOWN;
    struct scope_sum scoped;
    if (scope_sum_init(&scoped, result, &question->scope, why) != 0)
        return MEASURE_NOT_KNOWN;
    work.sum = scoped.sum;
    int rc = measure_named(&work);
    scope_sum_fini(&scoped, result);
    if (rc != 0) {
        out->value = NAN;
        out->at_least = false;
    }
    return rc;
}
