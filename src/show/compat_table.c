/* Another tool's metrics as text; see compat_table.h. */
#include "show/compat_table.h"

#include "base/unit.h"
#include "show/figure.h"
#include "show/summary_line.h"
#include "show/table.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static void cell_number(struct table *table, const char *unit, double number)
{
    char words[UNIT_ROOM];
    if (!isfinite(number))
        table_cell(table, "–");
    else if (strcmp(unit, "ms") == 0)
        table_cell(table, unit_write_duration(words, (nsec_t)llround(number * 1e6)));
    else
        table_cell(table, unit_write_number(words, number));
}

/* Our own histogram of this name over the measured part; NULL: there is none, or it is empty. */
static const struct hist *own_hist(const struct result *result, const char *name)
{
    for (uint32_t i = 0; name && i < result->metrics.hist_count; i++)
        if (strcmp(result->metrics.hists[i].name, name) == 0) {
            const struct hist *hist = result_hist(result->total, i);
            return hist->count ? hist : NULL;
        }
    return NULL;
}

/* What of ours is meant, below the tool's own. */
static void row_ours(struct table *table, const struct result *result, const char *name)
{
    const struct hist *hist = own_hist(result, name);
    struct figure_times times;
    char words[FIGURE_ROOM], number[UNIT_ROOM], title[64];
    if (!hist)
        return;
    figure_times(hist, NULL, &times);
    snprintf(title, sizeof title, "  ours: %s", name);
    table_cell_tone(table, title, TONE_FAINT);
    table_cell_tone(table, unit_write_count(number, times.count), TONE_FAINT);
    table_cell_tone(table, figure_write_time(words, times.mean), TONE_FAINT);
    table_cell_tone(table, figure_write_time(words, times.p50), TONE_FAINT);
    table_cell_tone(table, figure_write_time(words, times.p99), TONE_FAINT);
}

static void put_spreads(const struct compat *compat, const struct result *result,
                        const struct show_options *options, struct text *out)
{
    static const struct table_column columns[] = {{"metric", false, 0},
                                                  {"n", true, 1},
                                                  {"mean", true, 0},
                                                  {"p50", true, 0},
                                                  {"p99", true, 0}};
    char number[UNIT_ROOM];
    struct table *table = table_new(columns, sizeof columns / sizeof *columns);
    for (size_t i = 0; i < compat->count; i++) {
        const struct compat_metric *metric = &compat->metrics[i];
        if (metric->single)
            continue;
        table_cell(table, metric->name);
        table_cell(table, unit_write_count(number, metric->count));
        cell_number(table, metric->unit, metric->mean);
        cell_number(table, metric->unit, metric->median);
        cell_number(table, metric->unit, metric->p99);
        row_ours(table, result, metric->ours);
    }
    table_put(table, 0, options->columns, options->colour, out);
    table_free(table);
}

static void put_singles(const struct compat *compat, const struct show_options *options,
                        struct text *out)
{
    static const struct table_column columns[] = {{"", false, 0}, {"", true, 0}, {"", false, 0}};
    struct table *table = table_new(columns, sizeof columns / sizeof *columns);
    for (size_t i = 0; i < compat->count; i++) {
        const struct compat_metric *metric = &compat->metrics[i];
        if (!metric->single)
            continue;
        table_cell(table, metric->name);
        cell_number(table, metric->unit, metric->mean);
        table_cell(table, metric->unit);
    }
    table_put(table, 0, options->columns, options->colour, out);
    table_free(table);
}

void compat_table_put(const struct compat *compat, const struct result *result,
                      const struct show_options *options, struct text *out)
{
    struct text line = TEXT_EMPTY;
    char number[UNIT_ROOM];
    text_printf(&line, "%s: its definitions, from this run's trace of %s answers",
                compat_tool_name(compat->tool), unit_write_count(number, compat->completed));
    if (compat->failed)
        text_printf(&line, "; %s requests that did not succeed are left out",
                    unit_write_count(number, compat->failed));
    if (compat->cut)
        text_printf(&line, "; of %s some chunks were not recorded",
                    unit_write_count(number, compat->cut));
    text_putc(out, '\n');
    summary_put_line("as told by", line.at, options, out);
    put_spreads(compat, result, options, out);
    put_singles(compat, options, out);
    text_putc(out, '\n');
    for (size_t i = 0; i < compat->count; i++) {
        const struct compat_metric *metric = &compat->metrics[i];
        text_clear(&line);
        text_printf(&line, "%s: %s", metric->name, metric->definition);
        if (metric->difference)
            text_printf(&line, ". Differs: %s", metric->difference);
        text_puts(&line, ".");
        summary_put_line(i ? "" : "where", line.at, options, out);
    }
    text_fini(&line);
}
