/* What was watched, for people; see resources.h. Of a host's hundred figures a screen holds those
 * of which something is likely to run out; all are in the documents. */
#include "show/resources.h"

#include "base/unit.h"
#include "show/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Figures of this machine that matter, in the order in which they are shown. */
static const char *const headlines[] = {
    "cpu.busy",
    "cpu.iowait",
    "cpu.steal",
    "cpu.run_queue",
    "cpu.pressure",
    "memory.used_share",
    "memory.available",
    "memory.swap_used",
    "memory.pressure",
    "disk.busy",
    "disk.await",
    "disk.queue",
    "disk.read_bytes",
    "disk.write_bytes",
    "network.in_bytes",
    "network.out_bytes",
    "network.link_share",
    "network.tcp_retransmit_share",
    "network.listen_overflows",
    "network.tcp_sockets",
    "host.load",
    "host.descriptors",
    "process.cpu",
    "process.rss",
    "process.threads",
    "process.descriptors",
    "process.run_delay",
    "process.count",
    "cgroup.cpu",
    "cgroup.cpu_of_quota",
    "cgroup.throttled",
    "cgroup.memory",
    "cgroup.memory_of_limit",
};

/* Of these a line through a pipe has room. */
static const char *const line_heads[] = {
    "cpu.busy",    "memory.used_share",   "disk.busy",      "process.cpu",
    "process.rss", "cgroup.cpu_of_quota", "gpu.utilization"};

enum {
    HEADLINES = sizeof headlines / sizeof *headlines,
    LINE_HEADS = sizeof line_heads / sizeof *line_heads
};

const char *resources_value(char room[RESOURCES_ROOM], const char *unit, double value)
{
    char number[UNIT_ROOM];
    if (strcmp(unit, "1") == 0)
        snprintf(room, RESOURCES_ROOM, "%s", unit_write_share(number, value));
    else if (strcmp(unit, "bytes") == 0)
        snprintf(room, RESOURCES_ROOM, "%s", unit_write_bytes(number, value));
    else if (strcmp(unit, "bytes/s") == 0)
        snprintf(room, RESOURCES_ROOM, "%s/s", unit_write_bytes(number, value));
    else if (strcmp(unit, "s") == 0)
        snprintf(room, RESOURCES_ROOM, "%s",
                 unit_write_duration(number, (nsec_t)(value * (double)NSEC_PER_SEC)));
    else if (strcmp(unit, "1/s") == 0)
        snprintf(room, RESOURCES_ROOM, "%s/s", unit_write_number(number, value));
    else
        snprintf(room, RESOURCES_ROOM, "%s", unit_write_number(number, value));
    return room;
}

/* ---- which ----------------------------------------------------------------------------------- */

static size_t rank_of(const char *metric)
{
    size_t rank = 0;
    while (rank < HEADLINES && strcmp(headlines[rank], metric) != 0)
        rank++;
    return rank;
}

/* Metrics of this machine's own probes, of which only headlines are shown. */
static bool is_local(const char *probe)
{
    static const char *const local[] = {"cpu",  "memory",  "disk",  "network",
                                        "host", "process", "cgroup"};
    for (size_t i = 0; i < sizeof local / sizeof *local; i++)
        if (strcmp(local[i], probe) == 0)
            return true;
    return false;
}

/* Each processor of many would fill the screen. */
static bool is_shown(const struct result *result, const struct result_series *series)
{
    const char *probe = result->watched[series->watched].probe;
    if (series->count == 0)
        return false;
    if (strcmp(series->metric, "cpu.busy") == 0 && *series->part)
        return false;
    return !is_local(probe) || rank_of(series->metric) < HEADLINES;
}

/* ---- a table --------------------------------------------------------------------------------- */

static void put_row(struct table *table, const struct result *result,
                    const struct result_series *series)
{
    char room[RESOURCES_ROOM];
    struct series_figures figures = result_series_over(series, INT64_MIN, INT64_MAX);
    struct text metric = TEXT_EMPTY;
    words_put(&metric, series->metric, false);
    if (*series->part) {
        text_putc(&metric, ' ');
        words_put(&metric, series->part, false);
    }
    char *name = words_clean(result->watched[series->watched].name, false);
    table_cell(table, metric.at);
    table_cell(table, name);
    table_cell(table, resources_value(room, series->unit, series->values[series->count - 1]));
    table_cell(table, resources_value(room, series->unit, figures.mean));
    table_cell(table, resources_value(room, series->unit, figures.p95));
    table_cell(table, resources_value(room, series->unit, figures.most));
    text_fini(&metric);
    free(name);
}

void resources_table(const struct result *result, const struct show_options *options, size_t rows,
                     struct text *out)
{
    static const struct table_column columns[] = {{"watched", false, 0}, {"of", false, 2},
                                                  {"now", true, 0},      {"mean", true, 0},
                                                  {"p95", true, 1},      {"most", true, 0}};
    struct table *table = table_new(columns, sizeof columns / sizeof *columns);
    for (uint32_t thing = 0; thing < result->watched_count; thing++)
        for (size_t rank = 0; rank <= HEADLINES; rank++)
            for (size_t i = 0; i < result->series_count; i++) {
                const struct result_series *series = &result->series[i];
                if (series->watched == thing && rank_of(series->metric) == rank &&
                    is_shown(result, series) && (rows == 0 || table_rows(table) < rows))
                    put_row(table, result, series);
            }
    table_put(table, 0, options->columns, options->colour, out);
    table_free(table);
}

void resources_line(const struct result *result, struct text *out)
{
    char room[RESOURCES_ROOM];
    char at[UNIT_ROOM];
    text_puts(out, unit_write_duration(at, result->end_ns / NSEC_PER_SEC * NSEC_PER_SEC));
    for (size_t head = 0; head < LINE_HEADS; head++)
        for (size_t i = 0; i < result->series_count; i++) {
            const struct result_series *series = &result->series[i];
            const char *thing = result->watched[series->watched].name;
            bool whole = *series->part == '\0' || strncmp(series->metric, "cpu.", 4) != 0;
            if (strcmp(series->metric, line_heads[head]) != 0 || series->count == 0 || !whole)
                continue;
            text_puts(out, "  ");
            if (strcmp(result->watched[series->watched].role, "host") != 0) {
                words_put(out, thing, false);
                text_putc(out, ' ');
            }
            words_put(out, series->metric, false);
            if (*series->part) {
                text_putc(out, ' ');
                words_put(out, series->part, false);
            }
            text_printf(out, " %s",
                        resources_value(room, series->unit, series->values[series->count - 1]));
        }
    text_putc(out, '\n');
}
