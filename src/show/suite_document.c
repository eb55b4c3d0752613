/* Writer and reader share tables of fields, so that neither knows a key that the other does not. */
#include "show/suite_document.h"

#include "base/error.h"
#include "base/memory.h"
#include "show/document.h"
#include "study/replicates.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- fields ---------------------------------------------------------------------------------- */

enum field_type { FIELD_REAL, FIELD_COUNT, FIELD_TIME, FIELD_TEXT };

struct field {
    const char *key;
    enum field_type type;
    size_t offset;
};

#define SUITE(member)    offsetof(struct suite, member)
#define SERIES(member)   offsetof(struct level_series, member)
#define LEVEL(member)    offsetof(struct level, member)
#define RESOURCE(member) offsetof(struct level_resource, member)
#define EVENT(member)    offsetof(struct suite_event, member)

static const struct field suite_fields[] = {
    {"name", FIELD_TEXT, SUITE(name)},
    {"target", FIELD_TEXT, SUITE(target)},
    {"version", FIELD_TEXT, SUITE(version)},
    {"host", FIELD_TEXT, SUITE(host)},
    {"wall_start_ns", FIELD_TIME, SUITE(wall_start_ns)},
    {"time_scale", FIELD_REAL, SUITE(time_scale)},
    {"slo_response_s", FIELD_REAL, SUITE(slo_response_s)},
    {"slo_error_share", FIELD_REAL, SUITE(slo_error_share)},
    {NULL, FIELD_TEXT, 0},
};

static const struct field series_fields[] = {
    {"name", FIELD_TEXT, SERIES(name)},
    {"size_unit", FIELD_TEXT, SERIES(size_unit)},
    {NULL, FIELD_TEXT, 0},
};

static const struct field level_fields[] = {
    {"users", FIELD_REAL, LEVEL(users)},
    {"rate_rps", FIELD_REAL, LEVEL(rate)},
    {"instances", FIELD_REAL, LEVEL(instances)},
    {"size", FIELD_REAL, LEVEL(size)},
    {"size_name", FIELD_TEXT, LEVEL(size_name)},
    {"begin_ns", FIELD_TIME, LEVEL(begin_ns)},
    {"end_ns", FIELD_TIME, LEVEL(end_ns)},
    {"measured_s", FIELD_REAL, LEVEL(measured_s)},
    {"warmup_s", FIELD_REAL, LEVEL(warmup_s)},
    {"concurrency", FIELD_REAL, LEVEL(concurrency)},
    {"think_s", FIELD_REAL, LEVEL(think_s)},
    {"throughput_rps", FIELD_REAL, LEVEL(throughput)},
    {"goodput_rps", FIELD_REAL, LEVEL(goodput)},
    {"requests", FIELD_COUNT, LEVEL(requests)},
    {"failed", FIELD_COUNT, LEVEL(failed)},
    {"timed_out", FIELD_COUNT, LEVEL(timed_out)},
    {"error_share", FIELD_REAL, LEVEL(error_share)},
    {"timeout_share", FIELD_REAL, LEVEL(timeout_share)},
    {"mean_s", FIELD_REAL, LEVEL(mean_s)},
    {"p50_s", FIELD_REAL, LEVEL(p50_s)},
    {"p95_s", FIELD_REAL, LEVEL(p95_s)},
    {"p99_s", FIELD_REAL, LEVEL(p99_s)},
    {"most_s", FIELD_REAL, LEVEL(most_s)},
    {"service_s", FIELD_REAL, LEVEL(service_s)},
    {"ttft_p95_s", FIELD_REAL, LEVEL(ttft_p95_s)},
    {"output_tokens_per_s", FIELD_REAL, LEVEL(tokens_s)},
    {"little_ratio", FIELD_REAL, LEVEL(little)},
    {"run", FIELD_TEXT, LEVEL(run)},
    {NULL, FIELD_TEXT, 0},
};

static const struct field resource_fields[] = {
    {"thing", FIELD_TEXT, RESOURCE(thing)},
    {"role", FIELD_TEXT, RESOURCE(role)},
    {"metric", FIELD_TEXT, RESOURCE(metric)},
    {"part", FIELD_TEXT, RESOURCE(part)},
    {"unit", FIELD_TEXT, RESOURCE(unit)},
    {"mean", FIELD_REAL, RESOURCE(mean)},
    {"p95", FIELD_REAL, RESOURCE(p95)},
    {"most", FIELD_REAL, RESOURCE(most)},
    {"slope_per_s", FIELD_REAL, RESOURCE(slope)},
    {"slope_low_per_s", FIELD_REAL, RESOURCE(slope_low)},
    {"slope_high_per_s", FIELD_REAL, RESOURCE(slope_high)},
    {"count", FIELD_COUNT, RESOURCE(count)},
    {NULL, FIELD_TEXT, 0},
};

static const struct field event_fields[] = {
    {"at_ns", FIELD_TIME, EVENT(at_ns)},
    {"kind", FIELD_TEXT, EVENT(kind)},
    {"words", FIELD_TEXT, EVENT(words)},
    {NULL, FIELD_TEXT, 0},
};

static const char *const kind_words[] = {"progression", "vertical", "horizontal",
                                         "run",         "soak",     NULL};
static const char *const state_words[] = {"steady", "not steady", "short", "stopped", NULL};
static const char *const generator_words[] = {"ok", "suspect", "saturated", NULL};

/* ---- writing --------------------------------------------------------------------------------- */

static json_t *fields_write(const struct field *fields, const void *from)
{
    json_t *object = json_object();
    for (; fields->key; fields++) {
        const char *at = (const char *)from + fields->offset;
        json_t *value = NULL;
        switch (fields->type) {
        case FIELD_REAL:
            value = document_number(*(const double *)at);
            break;
        case FIELD_COUNT:
            value = document_count(*(const uint64_t *)at);
            break;
        case FIELD_TIME:
            value = json_integer(*(const nsec_t *)at);
            break;
        case FIELD_TEXT:
            value = document_text(*(char *const *)at);
            break;
        }
        json_object_set_new(object, fields->key, value);
    }
    return object;
}

static json_t *level_write(const struct level *level)
{
    json_t *object = fields_write(level_fields, level);
    json_object_set_new(object, "replicate", json_integer(level->replicate));
    json_object_set_new(object, "state", json_string(state_words[level->state]));
    json_object_set_new(object, "generator", json_string(generator_words[level->generator]));
    json_t *errors = json_array(), *resources = json_array();
    for (size_t i = 0; i < level->error_count; i++) {
        json_t *error = json_object();
        json_object_set_new(error, "words", document_text(level->errors[i].words));
        json_object_set_new(error, "count", document_count(level->errors[i].count));
        json_array_append_new(errors, error);
    }
    for (size_t i = 0; i < level->resource_count; i++)
        json_array_append_new(resources, fields_write(resource_fields, &level->resources[i]));
    json_t *served = json_array();
    for (size_t i = 0; i < level->served_count; i++)
        json_array_append_new(served, document_count(level->served[i]));
    json_object_set_new(object, "instance_requests", served);
    if (level->served_count)
        json_object_set_new(object, "instance_requests_counted_by",
                            json_string(level->served_by_users ? "generator" : "balancer"));
    json_object_set_new(object, "request_skew", document_number(level_skew(level)));
    json_object_set_new(object, "errors", errors);
    json_object_set_new(object, "resources", resources);
    return object;
}

static json_t *figure_write(const struct replicates_figure *figure)
{
    json_t *object = json_object();
    json_object_set_new(object, "mean", document_number(figure->mean));
    json_object_set_new(object, "low", document_number(figure->low));
    json_object_set_new(object, "high", document_number(figure->high));
    return object;
}

/* What follows from the levels; a reader works it out again. */
static json_t *replicates_write(const struct level_series *series)
{
    struct replicates *found = NULL;
    size_t count = replicates_find(series, &found);
    json_t *all = json_array();
    for (size_t i = 0; i < count; i++) {
        const struct level *first = found[i].first;
        json_t *object = json_object();
        json_object_set_new(object, "users", document_number(first->users));
        json_object_set_new(object, "rate_rps", document_number(first->rate));
        json_object_set_new(object, "instances", document_number(first->instances));
        json_object_set_new(object, "size", document_number(first->size));
        json_object_set_new(object, "count", document_count(found[i].count));
        json_object_set_new(object, "throughput_rps", figure_write(&found[i].throughput));
        json_object_set_new(object, "p95_s", figure_write(&found[i].p95_s));
        json_array_append_new(all, object);
    }
    free(found);
    return all;
}

json_t *suite_document(const struct suite *suite)
{
    json_t *root = json_object(), *all = json_array(), *events = json_array();
    json_object_set_new(root, "scalability_results", json_integer(SUITE_SCHEMA_VERSION));
    json_t *head = fields_write(suite_fields, suite);
    json_object_update(root, head);
    json_decref(head);
    for (size_t i = 0; i < suite->series_count; i++) {
        const struct level_series *series = &suite->series[i];
        json_t *object = fields_write(series_fields, series), *levels = json_array();
        json_object_set_new(object, "kind", json_string(kind_words[series->kind]));
        for (size_t k = 0; k < series->level_count; k++)
            json_array_append_new(levels, level_write(&series->levels[k]));
        json_object_set_new(object, "levels", levels);
        json_object_set_new(object, "replicates", replicates_write(series));
        json_array_append_new(all, object);
    }
    for (size_t i = 0; i < suite->event_count; i++)
        json_array_append_new(events, fields_write(event_fields, &suite->events[i]));
    json_object_set_new(root, "series", all);
    json_object_set_new(root, "events", events);
    return root;
}

void suite_document_write(const struct suite *suite, struct text *out)
{
    json_t *root = suite_document(suite);
    char *words = json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
    text_puts(out, words);
    text_putc(out, '\n');
    free(words);
    json_decref(root);
}

/* ---- reading --------------------------------------------------------------------------------- */

/* A key that is absent leaves the field as it was made; one of another type is named. */
static bool fields_read(const struct field *fields, const json_t *object, void *to,
                        struct text *why)
{
    for (; fields->key; fields++) {
        const json_t *value = json_object_get(object, fields->key);
        char *at = (char *)to + fields->offset;
        bool fits = true;
        if (!value || json_is_null(value))
            continue;
        if (fields->type == FIELD_TEXT && (fits = json_is_string(value))) {
            free(*(char **)at);
            *(char **)at = memory_copy_text(json_string_value(value));
        } else if (fields->type == FIELD_REAL && (fits = json_is_number(value))) {
            *(double *)at = json_number_value(value);
        } else if (fields->type == FIELD_TIME && (fits = json_is_integer(value))) {
            *(nsec_t *)at = json_integer_value(value);
        } else if (fields->type == FIELD_COUNT &&
                   (fits = json_is_integer(value) && json_integer_value(value) >= 0)) {
            *(uint64_t *)at = (uint64_t)json_integer_value(value);
        }
        if (!fits) {
            text_printf(why, "\"%s\" has a value of another kind than it should", fields->key);
            return false;
        }
    }
    return true;
}

/* The index of the word under a key; 0 where the key is absent. */
static bool word_read(const char *const *words, const json_t *object, const char *key, int *out,
                      struct text *why)
{
    const char *given = json_string_value(json_object_get(object, key));
    *out = 0;
    for (int i = 0; given && words[i]; i++)
        if (strcmp(words[i], given) == 0) {
            *out = i;
            return true;
        }
    if (given)
        text_printf(why, "\"%s\" is no %s that this version knows", given, key);
    return given == NULL;
}

static void need_texts(struct level *level)
{
    char **texts[] = {&level->size_name, &level->run};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (!*texts[i])
            *texts[i] = memory_copy_text("");
    for (size_t i = 0; i < level->resource_count; i++) {
        struct level_resource *resource = &level->resources[i];
        char **names[] = {&resource->thing, &resource->role, &resource->metric, &resource->part,
                          &resource->unit};
        for (size_t k = 0; k < sizeof names / sizeof *names; k++)
            if (!*names[k])
                *names[k] = memory_copy_text("");
    }
}

static bool level_read(const json_t *object, struct level *level, struct text *why)
{
    int state = 0;
    size_t i;
    const json_t *item, *errors = json_object_get(object, "errors"),
                        *resources = json_object_get(object, "resources"),
                        *served = json_object_get(object, "instance_requests");
    if (!fields_read(level_fields, object, level, why) ||
        !word_read(state_words, object, "state", &state, why) ||
        !word_read(generator_words, object, "generator", &level->generator, why))
        return false;
    level->state = (enum level_state)state;
    level->replicate = (uint32_t)json_integer_value(json_object_get(object, "replicate"));
    json_array_foreach(errors, i, item)
    {
        const char *words = json_string_value(json_object_get(item, "words"));
        json_int_t count = json_integer_value(json_object_get(item, "count"));
        if (words && count > 0)
            level_add_error(level, words, (uint64_t)count);
    }
    json_array_foreach(served, i, item)
    {
        if (json_is_integer(item) && json_integer_value(item) >= 0)
            level_add_served(level, (uint64_t)json_integer_value(item));
    }
    const char *counted =
        json_string_value(json_object_get(object, "instance_requests_counted_by"));
    level->served_by_users = counted && strcmp(counted, "generator") == 0;
    json_array_foreach(resources, i, item)
    {
        if (!fields_read(resource_fields, item, level_add_resource(level), why))
            return false;
    }
    need_texts(level);
    return true;
}

static bool series_read(const json_t *object, struct suite *suite, struct text *why)
{
    int kind = 0;
    size_t i;
    const json_t *item, *levels = json_object_get(object, "levels");
    if (!word_read(kind_words, object, "kind", &kind, why))
        return false;
    struct level_series *series = suite_add(suite, (enum suite_kind)kind, "");
    if (!fields_read(series_fields, object, series, why))
        return false;
    if (!series->size_unit)
        series->size_unit = memory_copy_text("");
    json_array_foreach(levels, i, item)
    {
        if (!level_read(item, series_add(series), why))
            return false;
    }
    return true;
}

static bool root_read(const json_t *root, struct suite *suite, struct text *why)
{
    size_t i;
    const json_t *item, *all = json_object_get(root, "series"),
                        *events = json_object_get(root, "events");
    if (!fields_read(suite_fields, root, suite, why))
        return false;
    json_array_foreach(all, i, item)
    {
        if (!series_read(item, suite, why))
            return false;
    }
    json_array_foreach(events, i, item)
    {
        struct suite_event event = {0};
        bool fine = fields_read(event_fields, item, &event, why);
        if (fine)
            suite_add_event(suite, event.at_ns, event.kind ? event.kind : "",
                            event.words ? event.words : "");
        free(event.kind);
        free(event.words);
        if (!fine)
            return false;
    }
    return true;
}

int suite_document_read(struct span bytes, struct suite **out, struct text *why)
{
    json_error_t error;
    json_t *root = json_loadb(bytes.at ? bytes.at : "", bytes.bytes, 0, &error);
    const json_t *version = json_object_get(root, "scalability_results");
    int outcome = SUITE_NOT_ONE;
    struct suite *suite = suite_new();
    if (!root)
        text_printf(why, "no JSON: line %d: %s", error.line, error.text);
    else if (!json_is_integer(version))
        text_puts(why, "JSON, but not the results of a scale test: \"scalability_results\" is "
                       "missing");
    else if (json_integer_value(version) > SUITE_SCHEMA_VERSION)
        outcome = SUITE_NEWER, text_puts(why, "written by a newer version of plimsoll");
    else if (root_read(root, suite, why))
        outcome = 0;
    json_decref(root);
    if (outcome == 0)
        *out = suite;
    else
        suite_free(suite);
    return outcome;
}

int suite_document_read_file(const char *path, struct suite **out, struct text *why)
{
    char chunk[65536], sentence[100];
    struct text bytes = TEXT_EMPTY;
    FILE *file = fopen(path, "re");
    int error = file ? 0 : -errno;
    for (size_t n; file && (n = fread(chunk, 1, sizeof chunk, file)) > 0;)
        text_put(&bytes, (struct span){chunk, n});
    if (file && ferror(file))
        error = -EIO;
    if (file)
        fclose(file);
    if (error)
        text_puts(why, error_sentence(error, sentence, sizeof sentence));
    int outcome = error ? error : suite_document_read(text_span(&bytes), out, why);
    text_fini(&bytes);
    return outcome;
}
