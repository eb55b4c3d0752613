/* The document's head, verdict and lists; sums and series are in their own files. */
#include "show/document.h"

#include "base/check.h"
#include "show/figure.h"
#include "show/verdict.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

json_t *document_text(const char *words)
{
    if (!words)
        return json_null();
    char *clean = words_clean(words, true);
    json_t *text = json_string(clean);
    check(text != NULL);
    free(clean);
    return text;
}

json_t *document_number(double number)
{
    return isfinite(number) ? json_real(number) : json_null();
}

json_t *document_count(uint64_t count)
{
    return json_integer(count > INT64_MAX ? INT64_MAX : (json_int_t)count);
}

json_t *document_seconds(nsec_t duration_ns)
{
    return json_real((double)duration_ns / (double)NSEC_PER_SEC);
}

static json_t *wall_time(nsec_t wall_ns)
{
    if (wall_ns <= 0)
        return json_null();
    time_t seconds = (time_t)(wall_ns / NSEC_PER_SEC);
    struct tm parts;
    char words[40];
    if (!gmtime_r(&seconds, &parts) ||
        strftime(words, sizeof words, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
        return json_null();
    return json_string(words);
}

static json_t *facts_object(const struct result_fact *facts, size_t count)
{
    json_t *object = json_object();
    for (size_t i = 0; i < count; i++) {
        char *name = words_clean(facts[i].name, false);
        json_object_set_new(object, name, document_text(facts[i].value));
        free(name);
    }
    return object;
}

static json_t *seed_text(uint64_t seed)
{
    struct text digits = TEXT_EMPTY; /* a text: JSON readers round integers above 2^53 */
    text_put_uint(&digits, seed);
    json_t *text = json_string(digits.at);
    text_fini(&digits);
    return text;
}

static json_t *run_object(const struct result *result, const struct show_options *options)
{
    json_t *run = json_object();
    json_object_set_new(run, "id", document_text(result->id));
    json_object_set_new(run, "name", document_text(result->name));
    json_object_set_new(run, "target", document_text(result->target));
    json_object_set_new(run, "started_at", wall_time(result->wall_start_ns));
    json_object_set_new(run, "duration_s", document_seconds(result->end_ns));
    json_object_set_new(run, "finished", json_boolean(result->finished));
    json_object_set_new(run, "seed", seed_text(result->seed));
    json_object_set_new(run, "interval_s", document_seconds(result->interval_ns));
    json_object_set_new(run, "time_scale_ratio", document_number(result->time_scale));
    json_object_set_new(run, "threads", document_count(result->segments));
    json_object_set_new(run, "version", document_text(result->version));
    json_object_set_new(run, "host", document_text(result->host));
    json_object_set_new(run, "kernel", document_text(result->kernel));
    json_object_set_new(run, "cpu", document_text(result->cpu));
    json_object_set_new(run, "cores", document_count(result->cores));
    json_object_set_new(run, "path", document_text(options->run_path));
    json_object_set_new(run, "labels", facts_object(result->labels, result->label_count));
    return run;
}

static json_t *answer(enum verdict_answer known)
{
    return known == ANSWER_UNKNOWN ? json_null() : json_boolean(known == ANSWER_YES);
}

static json_t *verdict_object(const struct verdict *verdict)
{
    json_t *object = json_object();
    json_object_set_new(object, "word", json_string(show_verdict_key(verdict->word)));
    json_object_set_new(object, "title", json_string(show_verdict_title(verdict->word)));
    json_object_set_new(object, "sentence", document_text(verdict->sentence));
    json_object_set_new(object, "thresholds", document_count(verdict->thresholds));
    json_object_set_new(object, "thresholds_failed", document_count(verdict->thresholds_failed));
    json_object_set_new(object, "thresholds_not_judged",
                        document_count(verdict->thresholds_unjudged));
    json_object_set_new(object, "objectives", document_count(verdict->objectives));
    json_object_set_new(object, "objectives_met", document_count(verdict->objectives_met));
    json_object_set_new(object, "objectives_judged", document_count(verdict->objectives_judged));
    json_object_set_new(object, "objectives_needed_ratio",
                        document_number(verdict->objectives_needed));
    return object;
}

static const char *judged_key(const struct result_verdict *judged)
{
    return judged->verdict == VERDICT_NOT_JUDGED ? "not_judged" : show_judged_words(judged);
}

static json_t *judged_shown(const struct result_verdict *judged, double value, bool at_least)
{
    struct text words = TEXT_EMPTY;
    show_judged_value(judged->unit, value, at_least, &words);
    json_t *text = document_text(words.at);
    text_fini(&words);
    return text;
}

static json_t *judged_array(const struct result *result)
{
    json_t *array = json_array();
    for (size_t i = 0; i < result->verdict_count; i++) {
        const struct result_verdict *judged = &result->verdicts[i];
        json_t *one = json_object();
        json_object_set_new(one, "kind",
                            json_string(judged->objective ? "objective" : "threshold"));
        json_object_set_new(one, "words", document_text(judged->words));
        json_object_set_new(one, "scope", document_text(judged->scope));
        json_object_set_new(one, "verdict", json_string(judged_key(judged)));
        json_object_set_new(one, "value", document_number(judged->value));
        json_object_set_new(one, "at_least", json_boolean(judged->at_least));
        json_object_set_new(one, "limit", document_number(judged->limit));
        json_object_set_new(one, "accept", document_number(judged->accept));
        json_object_set_new(one, "unit", document_text(judged->unit));
        json_object_set_new(one, "count", document_count(judged->count));
        json_object_set_new(one, "why", document_text(judged->why));
        json_object_set_new(one, "value_shown",
                            judged_shown(judged, judged->value, judged->at_least));
        json_object_set_new(one, "limit_shown", judged_shown(judged, judged->limit, false));
        json_object_set_new(one, "accept_shown", judged_shown(judged, judged->accept, false));
        json_array_append_new(array, one);
    }
    return array;
}

static json_t *accounts_object(const struct result *result)
{
    struct figure_accounts accounts;
    struct figure_sums sums;
    figure_accounts(result, &accounts);
    figure_sums(result->total, &sums);
    json_t *object = json_object();
    json_object_set_new(object, "close", json_boolean(accounts.close));
    json_object_set_new(object, "waiting_begin", document_count(accounts.waiting_begin));
    json_object_set_new(object, "offered", document_count(sums.offered));
    json_object_set_new(object, "started", document_count(sums.started));
    json_object_set_new(object, "dropped", document_count(sums.dropped));
    json_object_set_new(object, "waiting_end", document_count(accounts.waiting_end));
    json_object_set_new(object, "in_flight_begin", document_count(accounts.in_flight_begin));
    json_object_set_new(object, "succeeded", document_count(sums.succeeded));
    json_object_set_new(object, "failed", document_count(sums.failed - sums.timed_out));
    json_object_set_new(object, "timed_out", document_count(sums.timed_out));
    json_object_set_new(object, "abandoned", document_count(sums.abandoned));
    json_object_set_new(object, "in_flight_end", document_count(accounts.in_flight_end));
    json_object_set_new(object, "offered_off", json_integer(accounts.offered_off));
    json_object_set_new(object, "started_off", json_integer(accounts.started_off));
    return object;
}

static json_t *requests_array(const struct result *result)
{
    json_t *array = json_array();
    for (size_t i = 0; i < result->request_count; i++) {
        const struct result_request *request = &result->requests[i];
        json_t *one = json_object();
        json_object_set_new(one, "name", document_text(request->name));
        json_object_set_new(one, "task", document_text(request->task));
        json_object_set_new(one, "scenario", document_text(request->scenario));
        json_object_set_new(one, "summary", document_sums(request->sum, &result->metrics));
        json_object_set_new(one, "distribution", document_distribution(request->sum));
        json_object_set_new(one, "series", document_request_series(result, i));
        json_array_append_new(array, one);
    }
    return array;
}

static json_t *phases_array(const struct result *result)
{
    json_t *array = json_array();
    for (size_t i = 0; i < result->phase_count; i++) {
        const struct result_phase *phase = &result->phases[i];
        json_t *one = json_object();
        json_object_set_new(one, "name", document_text(phase->name));
        json_object_set_new(one, "scenario", document_text(phase->scenario));
        json_object_set_new(one, "begin_s", document_seconds(phase->begin_ns));
        json_object_set_new(one, "end_s", document_seconds(phase->end_ns));
        json_object_set_new(one, "target", document_number(phase->target));
        json_object_set_new(one, "excluded", json_boolean(phase->excluded));
        json_object_set_new(one, "level", json_boolean(phase->level));
        json_object_set_new(one, "users", document_number(phase->users));
        json_object_set_new(one, "summary", document_sums(phase->sum, &result->metrics));
        json_array_append_new(array, one);
    }
    return array;
}

static json_t *services_array(const struct result *result)
{
    json_t *array = json_array();
    for (size_t i = 0; i < result->service_count; i++) {
        const struct result_service *service = &result->services[i];
        json_t *one = json_object();
        json_object_set_new(one, "service", document_text(service->service));
        json_object_set_new(one, "outcome", document_text(service->outcome));
        json_object_set_new(one, "failure", json_boolean(service->failure));
        json_object_set_new(one, "hits", document_count(service->hits));
        json_array_append_new(array, one);
    }
    return array;
}

static json_t *events_array(const struct result *result)
{
    json_t *array = json_array();
    for (size_t i = 0; i < result->event_count; i++) {
        const struct result_event *event = &result->events[i];
        json_t *one = json_object();
        json_object_set_new(one, "at_s", document_seconds(event->at_ns));
        json_object_set_new(one, "kind", document_text(event->kind));
        json_object_set_new(one, "words", document_text(event->words));
        json_array_append_new(array, one);
    }
    return array;
}

static json_t *examples_array(const struct result *result)
{
    json_t *array = json_array();
    for (size_t i = 0; i < result->example_count; i++) {
        const struct result_example *example = &result->examples[i];
        json_t *one = json_object();
        const char *request = example->request < result->request_count
                                  ? result->requests[example->request].name
                                  : NULL;
        json_object_set_new(one, "at_s", document_seconds(example->at_ns));
        json_object_set_new(one, "request", document_text(request));
        json_object_set_new(one, "kind", json_string(figure_error_key(example->error)));
        json_object_set_new(one, "status",
                            example->status > 0 ? json_integer(example->status) : json_null());
        json_object_set_new(one, "words", document_text(example->words));
        json_object_set_new(one, "times", document_count(example->times));
        json_array_append_new(array, one);
    }
    return array;
}

static json_t *generator_object(const struct result *result)
{
    uint64_t saturated = 0;
    for (size_t i = 0; i < result->point_count; i++)
        saturated += result->points[i].saturated;
    json_t *object = json_object();
    json_object_set_new(object, "verdict", document_text(result_fact(result, "generator.verdict")));
    json_object_set_new(object, "reason", document_text(result_fact(result, "generator.reason")));
    json_object_set_new(object, "saturated_intervals", document_count(saturated));
    return object;
}

static json_t *advice_array(const struct result *result)
{
    json_t *array = json_array();
    for (size_t i = 0; i < result->fact_count; i++) {
        if (strncmp(result->facts[i].name, "advice.", 7) == 0)
            json_array_append_new(array, document_text(result->facts[i].value));
    }
    return array;
}

json_t *document_new(const struct result *result, const struct show_options *options)
{
    struct verdict verdict;
    show_verdict(result, &verdict);
    json_t *document = json_object();
    json_object_set_new(document, "schema_version", json_integer(DOCUMENT_SCHEMA_VERSION));
    json_object_set_new(document, "run", run_object(result, options));
    json_object_set_new(document, "verdict", verdict_object(&verdict));
    json_object_set_new(document, "slo_availability_passed", answer(verdict.availability_passed));
    json_object_set_new(document, "slo_latency_p95_passed", answer(verdict.latency_p95_passed));
    json_object_set_new(document, "generator", generator_object(result));
    json_object_set_new(document, "summary", document_sums(result->total, &result->metrics));
    json_object_set_new(document, "distribution", document_distribution(result->total));
    json_object_set_new(document, "accounts", accounts_object(result));
    json_object_set_new(document, "verdicts", judged_array(result));
    json_object_set_new(document, "requests", requests_array(result));
    json_object_set_new(document, "phases", phases_array(result));
    json_object_set_new(document, "series", document_series(result));
    json_object_set_new(document, "resources", document_resources(result));
    json_object_set_new(document, "concurrency", document_concurrency(result));
    json_object_set_new(document, "definitions", document_definitions(&result->metrics));
    json_object_set_new(document, "services", services_array(result));
    json_object_set_new(document, "events", events_array(result));
    json_object_set_new(document, "examples", examples_array(result));
    json_object_set_new(document, "advice", advice_array(result));
    json_object_set_new(document, "facts", facts_object(result->facts, result->fact_count));
    json_t *plan = json_object();
    json_object_set_new(plan, "file", document_text(result->plan_file));
    json_object_set_new(plan, "source", document_text(result->plan_source));
    json_object_set_new(document, "plan", plan);
    show_verdict_fini(&verdict);
    return document;
}
