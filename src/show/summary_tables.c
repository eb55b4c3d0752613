/* The summary's tables of figures; see summary.h. */
#include "base/unit.h"
#include "show/figure.h"
#include "show/summary.h"
#include "show/table.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void count_cell(struct table *table, uint64_t count, enum words_tone tone)
{
    char number[UNIT_ROOM];
    table_cell_tone(table, unit_write_count(number, count), tone);
}

/* In a table the thin space before the unit goes, so that eight figures fit a terminal. */
static void time_cell(struct table *table, struct figure_time time)
{
    char words[FIGURE_ROOM], *to = words;
    figure_write_time(words, time);
    for (const char *from = words; *from; from++) {
        if (*from != ' ')
            *to++ = *from;
    }
    *to = '\0';
    table_cell(table, words);
}

static void number_cell(struct table *table, double number)
{
    char words[UNIT_ROOM];
    table_cell(table, isfinite(number) ? unit_write_number(words, number) : "–");
}

static void times_cells(struct table *table, const struct figure_times *times)
{
    time_cell(table, times->least);
    time_cell(table, times->mean);
    time_cell(table, times->p50);
    time_cell(table, times->p95);
    time_cell(table, times->p99);
    time_cell(table, times->most);
}

static void sum_row(struct table *table, const char *name, const struct result_sum *sum)
{
    struct figure_sums figures;
    figure_sums(sum, &figures);
    char *clean = words_clean(name, false);
    table_cell(table, clean);
    free(clean);
    if (figures.seconds > 0.0) {
        count_cell(table, figures.requests, TONE_PLAIN);
        count_cell(table, figures.failed, figures.failed ? TONE_BAD : TONE_PLAIN);
    } else { /* a level that was not reached: nothing is not zero */
        table_cell(table, "–");
        table_cell(table, "–");
    }
    times_cells(table, &figures.response);
    number_cell(table, figures.rate_rps);
    number_cell(table, figures.rate_rpm);
}

static struct table *figures_table(const char *title)
{
    const struct table_column columns[] = {
        {title, false, 0}, {"requests", true, 0}, {"failed", true, 0},  {"min", true, 3},
        {"avg", true, 0},  {"p50", true, 0},      {"p95", true, 0},     {"p99", true, 0},
        {"max", true, 0},  {"req/s", true, 0},    {"req/min", true, 4},
    };
    return table_new(columns, sizeof columns / sizeof *columns);
}

static void why_line(struct figure_time time, uint64_t count, const char *name, struct text *out)
{
    char why[FIGURE_WHY_ROOM];
    if (!time.known && count)
        text_printf(out, "  –  %s\n", figure_why(why, time, count, name));
}

static bool too_few(const struct figure_times *times)
{
    return times->count && !(times->p50.known && times->p95.known && times->p99.known);
}

/* Whether a row has fewer records than a percentile needs, though all rows together have enough. */
static bool row_has_too_few(const struct result *result)
{
    struct figure_sums sums;
    bool found = false;
    for (size_t i = 0; i < result->request_count && !found; i++) {
        figure_sums(result->requests[i].sum, &sums);
        found = too_few(&sums.response);
    }
    for (size_t i = 0; i < result->phase_count && !found; i++) {
        figure_sums(result->phases[i].sum, &sums);
        found = result->phases[i].level && too_few(&sums.response);
    }
    return found;
}

/* Says why figures of the tables are missing, or are lower bounds. */
static void put_footnotes(const struct result *result, const struct show_options *options,
                          struct text *out)
{
    struct figure_sums sums;
    char number[UNIT_ROOM], words[160];
    figure_sums(result->total, &sums);
    const struct figure_times *response = &sums.response;
    why_line(response->p50, response->count, "p50", out);
    why_line(response->p95, response->count, "p95", out);
    why_line(response->p99, response->count, "p99", out);
    if (!too_few(response) && row_has_too_few(result)) {
        snprintf(words, sizeof words,
                 "  – too few for it: p50 needs %" PRIu64 " requests, p95 %" PRIu64 ", p99 %" PRIu64
                 "\n",
                 hist_count_for(0.5), hist_count_for(0.95), hist_count_for(0.99));
        words_put_tone(out, options->colour, TONE_FAINT, words);
    }
    if (!response->censored)
        return;
    snprintf(words, sizeof words, "  ≥ at least: %s never finished or were dropped\n",
             unit_write_count(number, response->censored));
    words_put_tone(out, options->colour, TONE_FAINT, words);
}

void summary_put_requests(const struct result *result, const struct show_options *options,
                          struct text *out)
{
    struct table *table = figures_table("request");
    for (size_t i = 0; i < result->request_count; i++) {
        const struct result_request *request = &result->requests[i];
        if (request->sum && request->sum->counters[COUNT_OFFERED])
            sum_row(table, request->name, request->sum);
    }
    if (table_rows(table) != 1)
        sum_row(table, "all", result->total);
    text_putc(out, '\n');
    table_put(table, 0, options->columns, options->colour, out);
    table_free(table);
    put_footnotes(result, options, out);
}

static const char *level_name(const struct result_phase *phase, char room[UNIT_ROOM + 16])
{
    char number[UNIT_ROOM];
    const char *load = phase->name ? strstr(phase->name, ": ") : NULL;
    if (load) /* of "level 2 of 3: 50 users" the row needs the load only */
        return load + 2;
    if (phase->name)
        return phase->name;
    snprintf(room, UNIT_ROOM + 16, "load %s", unit_write_number(number, phase->target));
    return room;
}

void summary_put_levels(const struct result *result, const struct show_options *options,
                        struct text *out)
{
    struct table *table = figures_table("level");
    for (size_t i = 0; i < result->phase_count; i++) {
        char room[UNIT_ROOM + 16];
        if (result->phases[i].level)
            sum_row(table, level_name(&result->phases[i], room), result->phases[i].sum);
    }
    if (table_rows(table) > 1) {
        text_putc(out, '\n');
        table_put(table, 0, options->columns, options->colour, out);
    }
    table_free(table);
}

/* One row of the table that explains the headline: what a part of the time took. */
static void part_row(struct table *table, const char *name, const struct hist *hist)
{
    struct figure_times times;
    if (hist->count == 0)
        return;
    figure_times(hist, NULL, &times);
    table_cell(table, name);
    count_cell(table, times.count, TONE_PLAIN);
    times_cells(table, &times);
}

struct part {
    const char *words;
    enum core_hist hist;
};

void summary_put_times(const struct result *result, const struct show_options *options,
                       struct text *out)
{
    static const struct part parts[] = {
        {"service (from sent)", HIST_SERVICE},
        {"schedule lag", HIST_LAG},
        {"connection wait", HIST_CONN_WAIT},
        {"name look-up", HIST_DNS},
        {"connect", HIST_CONNECT},
        {"TLS", HIST_TLS},
        {"wait (first byte)", HIST_WAIT},
        {"receive", HIST_RECEIVE},
    };
    const struct table_column columns[] = {
        {"where it went", false, 0},
        {"n", true, 1},
        {"min", true, 2},
        {"avg", true, 0},
        {"p50", true, 0},
        {"p95", true, 0},
        {"p99", true, 0},
        {"max", true, 0},
    };
    struct table *table = table_new(columns, sizeof columns / sizeof *columns);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        part_row(table, parts[i].words, result_hist(result->total, parts[i].hist));
    for (uint32_t i = CORE_HISTS; i < result->metrics.hist_count; i++)
        part_row(table, result->metrics.hists[i].name, result_hist(result->total, i));
    if (table_rows(table)) {
        text_putc(out, '\n');
        table_put(table, 0, options->columns, options->colour, out);
    }
    table_free(table);
}
