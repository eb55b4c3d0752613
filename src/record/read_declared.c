/* Reading what a run file declares.
 *
 * Metrics are found by name: the core's keep the numbers of this program, whatever numbers they had
 * in the program that wrote the file; the others follow. */
#include "record/read.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

enum {
    MOST_ROWS = 1000000, /* declared things of a kind */
    MOST_METRICS = 10000,
};

static const int64_t most_ns = INT64_MAX / 4;

/* ---- rows -------------------------------------------------------------------------------------
 */

struct rows rows_of(sqlite3 *db, const char *sql)
{
    struct rows rows = {.db = db};
    rows.error = source_error(db, sqlite3_prepare_v2(db, sql, -1, &rows.statement, NULL));
    return rows;
}

bool rows_next(struct rows *rows)
{
    if (rows->error)
        return false;
    int code = sqlite3_step(rows->statement);
    if (code == SQLITE_ROW)
        return true;
    if (code != SQLITE_DONE)
        rows->error = source_error(rows->db, code);
    return false;
}

char *rows_text(const struct rows *rows, int column)
{
    const unsigned char *text = sqlite3_column_text(rows->statement, column);
    return memory_copy_text(text ? (const char *)text : "");
}

int64_t rows_whole(struct rows *rows, int column, int64_t most)
{
    int64_t value = sqlite3_column_int64(rows->statement, column);
    if (value >= 0 && value <= most)
        return value;
    rows->error = RESULT_DAMAGED;
    return 0;
}

int rows_end(struct rows *rows)
{
    sqlite3_finalize(rows->statement);
    rows->statement = NULL;
    return rows->error;
}

/* A place for row number `count` of a declaring table, whose number must be just that. */
static void *row_place(struct rows *rows, void *array, size_t count, size_t size)
{
    if (rows_whole(rows, 0, MOST_ROWS) != (int64_t)count)
        rows->error = RESULT_DAMAGED;
    array = memory_resize(array, count + 1, size);
    memset((char *)array + count * size, 0, size);
    return array;
}

/* ---- declarations -----------------------------------------------------------------------------
 */

static int read_run(sqlite3 *db, struct result *out)
{
    struct rows rows =
        rows_of(db, "SELECT id, name, plan_source, plan_file, target, version, host, kernel, cpu,"
                    " cores, segments, seed, wall_start_ns, interval_ns, time_scale, hist_layout,"
                    " finished FROM run LIMIT 1");
    if (!rows_next(&rows)) {
        int error = rows_end(&rows);
        return error ? error : RESULT_DAMAGED;
    }
    char **texts[] = {&out->id,      &out->name, &out->plan_source, &out->plan_file, &out->target,
                      &out->version, &out->host, &out->kernel,      &out->cpu};
    for (int i = 0; i < 9; i++)
        if (i != 3 || sqlite3_column_type(rows.statement, i) != SQLITE_NULL)
            *texts[i] = rows_text(&rows, i);
    out->cores = (uint32_t)rows_whole(&rows, 9, UINT32_MAX);
    out->segments = (uint32_t)rows_whole(&rows, 10, UINT32_MAX);
    char *seed = rows_text(&rows, 11);
    out->seed = strtoull(seed, NULL, 10);
    free(seed);
    out->wall_start_ns = sqlite3_column_int64(rows.statement, 12);
    out->interval_ns = rows_whole(&rows, 13, most_ns);
    out->time_scale = sqlite3_column_double(rows.statement, 14);
    int64_t layout = rows_whole(&rows, 15, UINT32_MAX);
    out->finished = sqlite3_column_int64(rows.statement, 16) != 0;
    int error = rows_end(&rows);
    return !error && layout > HIST_LAYOUT ? RESULT_NEWER : error;
}

static int read_labels(sqlite3 *db, struct result *out)
{
    struct rows rows = rows_of(db, "SELECT name, value FROM label ORDER BY rowid");
    while (out->label_count < MOST_ROWS && rows_next(&rows)) {
        out->labels = memory_resize(out->labels, out->label_count + 1, sizeof *out->labels);
        out->labels[out->label_count++] =
            (struct result_fact){.name = rows_text(&rows, 0), .value = rows_text(&rows, 1)};
    }
    return rows_end(&rows);
}

static int read_phases(sqlite3 *db, struct result *out)
{
    struct rows rows = rows_of(db, "SELECT number, name, scenario, begin_ns, end_ns, target,"
                                   " excluded, level FROM phase ORDER BY number");
    while (rows_next(&rows)) {
        out->phases = row_place(&rows, out->phases, out->phase_count, sizeof *out->phases);
        struct result_phase *phase = &out->phases[out->phase_count++];
        phase->name = rows_text(&rows, 1);
        if (sqlite3_column_type(rows.statement, 2) != SQLITE_NULL)
            phase->scenario = rows_text(&rows, 2);
        phase->begin_ns = sqlite3_column_int64(rows.statement, 3);
        phase->end_ns = sqlite3_column_int64(rows.statement, 4);
        phase->target = sqlite3_column_double(rows.statement, 5);
        phase->excluded = sqlite3_column_int64(rows.statement, 6) != 0;
        phase->level = sqlite3_column_int64(rows.statement, 7) != 0;
    }
    return rows_end(&rows);
}

static int read_requests(sqlite3 *db, struct result *out)
{
    struct rows rows =
        rows_of(db, "SELECT number, name, task, scenario FROM request ORDER BY number");
    while (rows_next(&rows)) {
        out->requests = row_place(&rows, out->requests, out->request_count, sizeof *out->requests);
        struct result_request *request = &out->requests[out->request_count++];
        request->name = rows_text(&rows, 1);
        request->task = rows_text(&rows, 2);
        request->scenario = rows_text(&rows, 3);
    }
    return rows_end(&rows);
}

static int read_rules(sqlite3 *db, struct result *out)
{
    struct rows rows =
        rows_of(db, "SELECT number, service, outcome, failure FROM rule ORDER BY number");
    while (rows_next(&rows)) {
        out->services = row_place(&rows, out->services, out->service_count, sizeof *out->services);
        struct result_service *service = &out->services[out->service_count++];
        service->service = rows_text(&rows, 1);
        service->outcome = rows_text(&rows, 2);
        service->failure = sqlite3_column_int64(rows.statement, 3) != 0;
    }
    return rows_end(&rows);
}

/* ---- metrics ----------------------------------------------------------------------------------
 */

/* Puts our own rows first, every text a copy. */
static struct metric *own_rows(const struct metric *core, size_t count)
{
    struct metric *rows = memory_new(count, sizeof *rows);
    for (size_t i = 0; i < count; i++)
        rows[i] = (struct metric){.kind = core[i].kind,
                                  .name = memory_copy_text(core[i].name),
                                  .unit = memory_copy_text(core[i].unit),
                                  .sentence = memory_copy_text(core[i].sentence),
                                  .source = memory_copy_text(core[i].source)};
    return rows;
}

/* The number of the row's metric in the table, added at its end if new. */
static uint32_t metric_number(const struct rows *rows, struct metric **table, size_t *count,
                              enum metric_kind kind)
{
    char *name = rows_text(rows, 1);
    for (size_t i = 0; i < *count; i++) {
        if (strcmp((*table)[i].name, name) == 0) {
            free(name);
            return (uint32_t)i;
        }
    }
    *table = memory_resize(*table, *count + 1, sizeof **table);
    (*table)[*count] = (struct metric){.kind = kind,
                                       .name = name,
                                       .unit = rows_text(rows, 2),
                                       .sentence = rows_text(rows, 3),
                                       .source = rows_text(rows, 4)};
    return (uint32_t)(*count)++;
}

static int read_metrics(sqlite3 *db, const char *sql, enum metric_kind kind, struct metric **table,
                        size_t *count, uint32_t **map, size_t *mapped)
{
    struct rows rows = rows_of(db, sql);
    while (*mapped < MOST_METRICS && rows_next(&rows)) {
        *map = row_place(&rows, *map, *mapped, sizeof **map);
        (*map)[(*mapped)++] = metric_number(&rows, table, count, kind);
    }
    return rows_end(&rows);
}

static int read_gauges(sqlite3 *db, struct read_map *map)
{
    for (size_t g = 0; g < CORE_GAUGES; g++)
        map->gauges[g] = UINT32_MAX;
    struct rows rows = rows_of(db, "SELECT number, name FROM metric WHERE kind = 'gauge'");
    while (rows_next(&rows)) {
        int64_t number = rows_whole(&rows, 0, MOST_ROWS);
        char *name = rows_text(&rows, 1);
        for (uint32_t g = 0; g < CORE_GAUGES; g++)
            if (number < CORE_GAUGES && strcmp(core_gauges[g].name, name) == 0)
                map->gauges[number] = g;
        free(name);
    }
    return rows_end(&rows);
}

static int read_tables(sqlite3 *db, struct result *out, struct read_map *map)
{
    struct metric_table *metrics = &out->metrics;
    metrics->counters = own_rows(core_counters, CORE_COUNTERS);
    metrics->counter_count = CORE_COUNTERS;
    metrics->hists = own_rows(core_hists, CORE_HISTS);
    metrics->hist_count = CORE_HISTS;
    int error = read_metrics(db,
                             "SELECT number, name, unit, sentence, source FROM metric"
                             " WHERE kind = 'counter' ORDER BY number",
                             METRIC_COUNTER, &metrics->counters, &metrics->counter_count,
                             &map->counters, &map->counter_count);
    if (!error)
        error = read_metrics(db,
                             "SELECT number, name, unit, sentence, source FROM metric"
                             " WHERE kind = 'histogram' ORDER BY number",
                             METRIC_HISTOGRAM, &metrics->hists, &metrics->hist_count, &map->hists,
                             &map->hist_count);
    return error ? error : read_gauges(db, map);
}

int read_declared(const struct source *source, struct result **out, struct read_map *map)
{
    static int (*const parts[])(sqlite3 *, struct result *) = {read_run, read_labels, read_phases,
                                                               read_requests, read_rules};
    *map = (struct read_map){.counters = NULL};
    struct result *declared = memory_new(1, sizeof *declared);
    int error = read_tables(source->db, declared, map);
    for (size_t i = 0; i < sizeof parts / sizeof *parts && !error; i++)
        error = parts[i](source->db, declared);
    if (error) {
        result_free(declared);
        read_map_fini(map);
        return error;
    }
    *out = declared;
    return 0;
}

void read_map_fini(struct read_map *map)
{
    free(map->counters);
    free(map->hists);
    *map = (struct read_map){.counters = NULL};
}
