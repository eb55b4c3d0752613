/* Things watched and their samples: growing them in a picture, copying, freeing, looking up. */
#include "record/series.h"

#include "base/check.h"
#include "base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static char *copy_or_empty(const char *text)
{
    return memory_copy_text(text ? text : "");
}

/* ---- in a result ----------------------------------------------------------------------------- */

void series_keep_fini(struct series_keep *keep)
{
    free(keep->rooms);
    *keep = (struct series_keep){.rooms = NULL};
}

void series_add_watched(struct result *result, const struct result_watched *watched)
{
    result->watched =
        memory_resize(result->watched, result->watched_count + 1, sizeof *result->watched);
    result->watched[result->watched_count++] =
        (struct result_watched){.name = copy_or_empty(watched->name),
                                .role = copy_or_empty(watched->role),
                                .probe = copy_or_empty(watched->probe)};
}

void series_declare(struct series_keep *keep, struct result *result, uint32_t watched,
                    const struct metric *metric, const char *part)
{
    check(watched < result->watched_count);
    keep->rooms = memory_resize(keep->rooms, keep->count + 1, sizeof *keep->rooms);
    keep->rooms[keep->count++] = 0;
    result->series =
        memory_resize(result->series, result->series_count + 1, sizeof *result->series);
    result->series[result->series_count++] =
        (struct result_series){.watched = watched,
                               .metric = copy_or_empty(metric->name),
                               .unit = copy_or_empty(metric->unit),
                               .part = copy_or_empty(part),
                               .sentence = copy_or_empty(metric->sentence)};
}

/* Of the older half, two neighbours become one: the mean value at the first one's instant. */
static void series_thin(struct result_series *series)
{
    size_t half = series->count / 2, kept = 0;
    for (size_t i = 0; i < series->count; i++, kept++) {
        series->at_ns[kept] = series->at_ns[i];
        series->took_ns[kept] = series->took_ns[i];
        series->values[kept] = series->values[i];
        if (i + 1 >= half)
            continue;
        series->values[kept] = (series->values[i] + series->values[i + 1]) / 2;
        if (series->took_ns[i + 1] > series->took_ns[kept])
            series->took_ns[kept] = series->took_ns[i + 1];
        i++;
    }
    series->count = kept;
}

void series_add_sample(struct series_keep *keep, struct result *result, uint32_t number,
                       const struct series_sample *sample)
{
    check(number < result->series_count);
    struct result_series *series = &result->series[number];
    if (series->count == SERIES_SAMPLES)
        series_thin(series);
    if (series->count == keep->rooms[number]) {
        size_t room = series->count ? 2 * series->count : 32;
        series->at_ns = memory_resize(series->at_ns, room, sizeof *series->at_ns);
        series->took_ns = memory_resize(series->took_ns, room, sizeof *series->took_ns);
        series->values = memory_resize(series->values, room, sizeof *series->values);
        keep->rooms[number] = room;
    }
    series->at_ns[series->count] = sample->at_ns;
    series->took_ns[series->count] = sample->took_ns;
    series->values[series->count++] = sample->value;
}

static void *copy_array(const void *from, size_t count, size_t size)
{
    void *copy = memory_new(count, size);
    if (count)
        memcpy(copy, from, count * size);
    return copy;
}

void series_copy(const struct result *from, struct result *to, nsec_t since_ns)
{
    for (size_t i = 0; i < from->watched_count; i++)
        series_add_watched(to, &from->watched[i]);
    to->series_count = from->series_count;
    to->series = memory_new(from->series_count, sizeof *to->series);
    for (size_t i = 0; i < from->series_count; i++) {
        const struct result_series *series = &from->series[i];
        size_t first = series->count;
        while (first > 0 && series->at_ns[first - 1] >= since_ns)
            first--;
        size_t count = series->count - first;
        to->series[i] = (struct result_series){
            .watched = series->watched,
            .metric = memory_copy_text(series->metric),
            .unit = memory_copy_text(series->unit),
            .part = memory_copy_text(series->part),
            .sentence = memory_copy_text(series->sentence),
            .count = count,
            .at_ns = copy_array(series->at_ns + first, count, sizeof *series->at_ns),
            .took_ns = copy_array(series->took_ns + first, count, sizeof *series->took_ns),
            .values = copy_array(series->values + first, count, sizeof *series->values),
        };
    }
}

void series_free(struct result *result)
{
    for (size_t i = 0; i < result->watched_count; i++) {
        free(result->watched[i].name);
        free(result->watched[i].role);
        free(result->watched[i].probe);
    }
    free(result->watched);
    for (size_t i = 0; i < result->series_count; i++) {
        struct result_series *series = &result->series[i];
        free(series->metric);
        free(series->unit);
        free(series->part);
        free(series->sentence);
        free(series->at_ns);
        free(series->took_ns);
        free(series->values);
    }
    free(result->series);
}

/* ---- figures --------------------------------------------------------------------------------- */

const struct result_series *result_series_find(const struct result *result, const char *watched,
                                               const char *metric, const char *part)
{
    for (size_t i = 0; i < result->series_count; i++) {
        const struct result_series *series = &result->series[i];
        if (strcmp(series->metric, metric) == 0 && strcmp(series->part, part ? part : "") == 0 &&
            strcmp(result->watched[series->watched].name, watched) == 0)
            return series;
    }
    return NULL;
}

static int compare_values(const void *one, const void *other)
{
    const double *a = one, *b = other;
    return (*a > *b) - (*a < *b);
}

/* The smallest value that a share of all do not exceed (rank ceil(share * n)). */
static double value_quantile(const double *values, size_t count, double share)
{
    double *sorted = copy_array(values, count, sizeof *values);
    qsort(sorted, count, sizeof *sorted, compare_values);
    size_t rank = (size_t)ceil(share * (double)count);
    double value = sorted[rank > 0 ? rank - 1 : 0];
    free(sorted);
    return value;
}

/* Least squares over seconds since the first sample; NAN where all are at one instant. */
static double slope_of(const nsec_t *at_ns, const double *values, size_t count, double mean)
{
    double middle = 0, across = 0, along = 0;
    for (size_t i = 0; i < count; i++)
        middle += (double)(at_ns[i] - at_ns[0]) / (double)NSEC_PER_SEC / (double)count;
    for (size_t i = 0; i < count; i++) {
        double apart = (double)(at_ns[i] - at_ns[0]) / (double)NSEC_PER_SEC - middle;
        along += apart * apart;
        across += apart * (values[i] - mean);
    }
    return along > 0 ? across / along : NAN;
}

struct series_figures result_series_over(const struct result_series *series, nsec_t begin_ns,
                                         nsec_t end_ns)
{
    size_t first = 0, past;
    while (first < series->count && series->at_ns[first] < begin_ns)
        first++;
    for (past = first; past < series->count && series->at_ns[past] <= end_ns;)
        past++;
    const double *values = series->values + first;
    struct series_figures figures = {
        .count = past - first, .mean = NAN, .least = NAN, .most = NAN, .p95 = NAN, .slope = NAN};
    if (figures.count == 0)
        return figures;
    double sum = 0;
    for (size_t i = 0; i < figures.count; i++) {
        sum += values[i];
        figures.least = fmin(figures.least, values[i]); /* of NAN and a number: the number */
        figures.most = fmax(figures.most, values[i]);
    }
    figures.mean = sum / (double)figures.count;
    figures.p95 = value_quantile(values, figures.count, 0.95);
    figures.slope = slope_of(series->at_ns + first, values, figures.count, figures.mean);
    return figures;
}

/* ---- while recording ------------------------------------------------------------------------- */

struct book_row {
    uint32_t watched;
    char *metric, *part;
};

struct series_book {
    struct book_row *rows;
    size_t count, room;
    size_t next; /* the row after the one found last: most likely the one asked for next */
    char **metrics;
    size_t metric_count;
};

struct series_book *series_book_new(void)
{
    return memory_new(1, sizeof(struct series_book));
}

struct series_book *series_book_free(struct series_book *book)
{
    if (!book)
        return NULL;
    for (size_t i = 0; i < book->count; i++) {
        free(book->rows[i].metric);
        free(book->rows[i].part);
    }
    for (size_t i = 0; i < book->metric_count; i++)
        free(book->metrics[i]);
    free(book->rows);
    free(book->metrics);
    free(book);
    return NULL;
}

static bool row_is(const struct book_row *row, uint32_t watched, const char *metric,
                   const char *part)
{
    return row->watched == watched && strcmp(row->part, part) == 0 &&
           strcmp(row->metric, metric) == 0;
}

static uint32_t metric_at(struct series_book *book, const char *name, bool *fresh)
{
    for (size_t i = 0; i < book->metric_count; i++)
        if (strcmp(book->metrics[i], name) == 0)
            return (uint32_t)i;
    *fresh = true;
    book->metrics = memory_resize(book->metrics, book->metric_count + 1, sizeof *book->metrics);
    book->metrics[book->metric_count] = memory_copy_text(name);
    return (uint32_t)book->metric_count++;
}

struct series_entry series_book_at(struct series_book *book, uint32_t watched, const char *metric,
                                   const char *part)
{
    for (size_t i = 0; i < book->count; i++) {
        size_t at = (book->next + i) % book->count;
        if (!row_is(&book->rows[at], watched, metric, part))
            continue;
        book->next = at + 1;
        return (struct series_entry){.series = (uint32_t)at};
    }
    if (book->count == book->room) {
        book->room = book->room ? 2 * book->room : 64;
        book->rows = memory_resize(book->rows, book->room, sizeof *book->rows);
    }
    struct series_entry entry = {.series = (uint32_t)book->count, .fresh = true};
    entry.metric_number = metric_at(book, metric, &entry.fresh_metric);
    book->rows[book->count++] = (struct book_row){
        .watched = watched, .metric = memory_copy_text(metric), .part = memory_copy_text(part)};
    book->next = book->count;
    return entry;
}
