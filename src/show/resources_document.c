/* What was watched, for programs: JSON and CSV. */
#include "show/document.h"
#include "show/resources.h"

#include "base/memory.h"
#include "show/words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    STAMP_ROOM = 64,
    MOST_SAMPLES = 600, /* of a series in the document of a run; the run file has all */
};

/* ISO 8601, UTC, with milliseconds. */
static const char *stamp(char room[STAMP_ROOM], nsec_t wall_ns)
{
    time_t seconds = (time_t)(wall_ns / NSEC_PER_SEC);
    struct tm utc;
    char whole[32];
    gmtime_r(&seconds, &utc);
    strftime(whole, sizeof whole, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(room, STAMP_ROOM, "%s.%03dZ", whole, (int)(wall_ns % NSEC_PER_SEC / NSEC_PER_MSEC));
    return room;
}

/* How many neighbours become one, so that at most `most` are left; 0: all are. */
static size_t together(size_t count, size_t most)
{
    return most && count > most ? (count + most - 1) / most : 1;
}

static json_t *seconds_of(const nsec_t *times, size_t count, size_t step)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i += step)
        json_array_append_new(list, document_seconds(times[i]));
    return list;
}

/* The values; of neighbours that became one their mean. */
static json_t *values_of(const struct result_series *series, size_t step)
{
    json_t *list = json_array();
    for (size_t i = 0; i < series->count; i += step) {
        size_t end = i + step < series->count ? i + step : series->count;
        double sum = 0;
        for (size_t k = i; k < end; k++)
            sum += series->values[k];
        json_array_append_new(list, document_number(sum / (double)(end - i)));
    }
    return list;
}

static json_t *series_document(const struct result *result, const struct result_series *series,
                               size_t most)
{
    const struct result_watched *watched = &result->watched[series->watched];
    struct series_figures figures = result_series_over(series, INT64_MIN, INT64_MAX);
    size_t step = together(series->count, most);
    json_t *row = json_object();
    json_object_set_new(row, "watched", document_text(watched->name));
    json_object_set_new(row, "role", document_text(watched->role));
    json_object_set_new(row, "probe", document_text(watched->probe));
    json_object_set_new(row, "metric", document_text(series->metric));
    json_object_set_new(row, "part", document_text(series->part));
    json_object_set_new(row, "unit", document_text(series->unit));
    json_object_set_new(row, "sentence", document_text(series->sentence));
    json_object_set_new(row, "count", document_count(series->count));
    json_object_set_new(row, "mean", document_number(figures.mean));
    json_object_set_new(row, "min", document_number(figures.least));
    json_object_set_new(row, "p95", document_number(figures.p95));
    json_object_set_new(row, "max", document_number(figures.most));
    json_object_set_new(row, "slope_per_s", document_number(figures.slope));
    json_object_set_new(row, "at_s", seconds_of(series->at_ns, series->count, step));
    json_object_set_new(row, "took_s", seconds_of(series->took_ns, series->count, step));
    json_object_set_new(row, "values", values_of(series, step));
    return row;
}

static json_t *events_document(const struct result *result)
{
    json_t *list = json_array();
    for (size_t i = 0; i < result->event_count; i++) {
        json_t *row = json_object();
        json_object_set_new(row, "at_s", document_seconds(result->events[i].at_ns));
        json_object_set_new(row, "kind", document_text(result->events[i].kind));
        json_object_set_new(row, "words", document_text(result->events[i].words));
        json_array_append_new(list, row);
    }
    return list;
}

static json_t *watched_document(const struct result *result)
{
    json_t *list = json_array();
    for (size_t i = 0; i < result->watched_count; i++) {
        json_t *row = json_object();
        json_object_set_new(row, "name", document_text(result->watched[i].name));
        json_object_set_new(row, "role", document_text(result->watched[i].role));
        json_object_set_new(row, "probe", document_text(result->watched[i].probe));
        json_array_append_new(list, row);
    }
    return list;
}

static json_t *series_list(const struct result *result, size_t most)
{
    json_t *list = json_array();
    for (size_t i = 0; i < result->series_count; i++)
        json_array_append_new(list, series_document(result, &result->series[i], most));
    return list;
}

json_t *document_resources(const struct result *result)
{
    json_t *resources = json_object();
    json_object_set_new(resources, "watched", watched_document(result));
    json_object_set_new(resources, "series", series_list(result, MOST_SAMPLES));
    return resources;
}

static json_t *resources_document(const struct result *result)
{
    char room[STAMP_ROOM];
    json_t *host = json_object(), *whole = json_object();
    json_object_set_new(host, "name", document_text(result->host));
    json_object_set_new(host, "kernel", document_text(result->kernel));
    json_object_set_new(host, "cpu", document_text(result->cpu));
    json_object_set_new(host, "cores", document_count(result->cores));
    json_object_set_new(whole, "schema_version", json_integer(1));
    json_object_set_new(whole, "version", document_text(result->version));
    json_object_set_new(whole, "started_at", json_string(stamp(room, result->wall_start_ns)));
    json_object_set_new(whole, "duration_s", document_seconds(result->end_ns));
    json_object_set_new(whole, "host", host);
    json_object_set_new(whole, "watched", watched_document(result));
    json_object_set_new(whole, "series", series_list(result, 0));
    json_object_set_new(whole, "events", events_document(result));
    return whole;
}

void resources_json(const struct result *result, struct text *out)
{
    json_t *document = resources_document(result);
    char *words = json_dumps(document, JSON_INDENT(1) | JSON_REAL_PRECISION(12));
    text_puts(out, words ? words : "{}");
    text_putc(out, '\n');
    free(words);
    json_decref(document);
}

/* ---- CSV ------------------------------------------------------------------------------------- */

struct csv_row {
    nsec_t at_ns;
    const struct result_series *series;
    size_t sample;
};

static int by_time(const void *one, const void *other)
{
    const struct csv_row *a = one, *b = other;
    if (a->at_ns != b->at_ns)
        return a->at_ns < b->at_ns ? -1 : 1;
    return (a->series > b->series) - (a->series < b->series);
}

/* Quoted where it must be (RFC 4180). */
static void put_csv(struct text *out, const char *words)
{
    char *clean = words_clean(words, false);
    if (!strpbrk(clean, ",\"")) {
        text_puts(out, clean);
    } else {
        text_putc(out, '"');
        for (const char *at = clean; *at; at++)
            text_printf(out, *at == '"' ? "\"%c" : "%c", *at);
        text_putc(out, '"');
    }
    text_putc(out, ',');
    free(clean);
}

static void put_csv_row(const struct result *result, const struct csv_row *row, struct text *out)
{
    char room[STAMP_ROOM];
    const struct result_watched *watched = &result->watched[row->series->watched];
    text_printf(out, "%s,%.3f,", stamp(room, result->wall_start_ns + row->at_ns),
                (double)row->at_ns / (double)NSEC_PER_SEC);
    put_csv(out, watched->name);
    put_csv(out, watched->role);
    put_csv(out, row->series->metric);
    put_csv(out, row->series->part);
    text_printf(out, "%.10g,", row->series->values[row->sample]);
    put_csv(out, row->series->unit);
    text_printf(out, "%.6f\n", (double)row->series->took_ns[row->sample] / (double)NSEC_PER_SEC);
}

void resources_csv(const struct result *result, struct text *out)
{
    size_t count = 0, filled = 0;
    for (size_t i = 0; i < result->series_count; i++)
        count += result->series[i].count;
    struct csv_row *rows = memory_new(count, sizeof *rows);
    for (size_t i = 0; i < result->series_count; i++)
        for (size_t k = 0; k < result->series[i].count; k++)
            rows[filled++] = (struct csv_row){result->series[i].at_ns[k], &result->series[i], k};
    qsort(rows, count, sizeof *rows, by_time);
    text_puts(out, "time,at_s,watched,role,metric,part,value,unit,took_s\n");
    for (size_t i = 0; i < count; i++)
        put_csv_row(result, &rows[i], out);
    free(rows);
}
