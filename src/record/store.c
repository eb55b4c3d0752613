/* Writing to runs that are over: verdicts into a file, and several files into one.
 *
 * Merging copies rows: blocks get new numbers, everything keyed by a block follows it. Nothing is
 * added up, so that the merged file says of each thread and interval exactly what its own did. */
#include "base/memory.h"
#include "base/text.h"
#include "record/file.h"
#include "record/read.h"
#include "record/result.h"
#include "record/source.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- verdicts -------------------------------------------------------------------------------- */

static void bind_real(sqlite3_stmt *statement, int at, double value)
{
    if (isnan(value))
        sqlite3_bind_null(statement, at);
    else
        sqlite3_bind_double(statement, at, value);
}

static void bind_words(sqlite3_stmt *statement, int at, const char *words)
{
    sqlite3_bind_text(statement, at, words ? words : "", -1, SQLITE_STATIC);
}

static int insert_verdict(sqlite3_stmt *statement, size_t number,
                          const struct result_verdict *verdict)
{
    sqlite3_bind_int64(statement, 1, (int64_t)number);
    bind_words(statement, 2, verdict->words);
    bind_words(statement, 3, verdict->scope);
    bind_real(statement, 4, verdict->value);
    bind_real(statement, 5, verdict->limit);
    bind_real(statement, 6, verdict->accept);
    bind_words(statement, 7, verdict->unit);
    sqlite3_bind_int64(statement, 8, (int64_t)verdict->count);
    sqlite3_bind_int(statement, 9, verdict->at_least);
    sqlite3_bind_int(statement, 10, (int)verdict->verdict);
    sqlite3_bind_int(statement, 11, verdict->objective);
    if (verdict->why)
        bind_words(statement, 12, verdict->why);
    else
        sqlite3_bind_null(statement, 12);
    int code = sqlite3_step(statement);
    sqlite3_reset(statement);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

static int replace_verdicts(sqlite3 *db, const struct result_verdict *verdicts, size_t count)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_exec(db, "BEGIN IMMEDIATE; DELETE FROM verdict", NULL, NULL, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_prepare_v2(
            db, "INSERT INTO verdict VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
            -1, &statement, NULL);
    for (size_t i = 0; i < count && code == SQLITE_OK; i++)
        code = insert_verdict(statement, i, &verdicts[i]);
    sqlite3_finalize(statement);
    if (code == SQLITE_OK)
        code = sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
    return code;
}

int result_store_verdicts(const char *path, const struct result_verdict *verdicts, size_t count)
{
    int outcome = source_probe(path);
    if (outcome)
        return outcome < 0 ? outcome : -EINVAL;
    sqlite3 *db = NULL;
    int code = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (code == SQLITE_OK) {
        sqlite3_busy_timeout(db, 3000);
        code = replace_verdicts(db, verdicts, count);
    }
    int error = sqlite_errno(db, code);
    sqlite3_close(db);
    return error;
}

/* ---- merging --------------------------------------------------------------------------------- */

/* From the attached run `s` into the open one; ?1 is added to the numbers of its blocks. */
static const char *const merge_sql[] = {
    "INSERT INTO main.counter SELECT block + ?1, request, metric, value FROM s.counter",
    "INSERT INTO main.histogram SELECT block + ?1, request, metric, count, sum_ns, min_ns, max_ns,"
    " buckets FROM s.histogram",
    "INSERT INTO main.status SELECT block + ?1, request, code, count FROM s.status",
    "INSERT INTO main.gauge SELECT block + ?1, metric, value FROM s.gauge",
    "INSERT INTO main.loop_lag SELECT block + ?1, count, sum_ns, min_ns, max_ns, buckets"
    " FROM s.loop_lag",
    "INSERT INTO main.rule_hit SELECT block + ?1, rule, hits FROM s.rule_hit",
    "INSERT INTO main.block SELECT id + ?1, segment, attempt, interval, last_interval, phase,"
    " begin_ns, end_ns FROM s.block",
    "INSERT INTO main.trace SELECT * FROM s.trace ORDER BY rowid",
    "INSERT INTO main.event SELECT at_ns, kind, words FROM s.event ORDER BY rowid",
    "INSERT INTO main.example SELECT at_ns, request, error, status, words, times FROM s.example"
    " WHERE true ORDER BY rowid"
    " ON CONFLICT DO UPDATE SET times = times + excluded.times, at_ns = min(at_ns, excluded.at_ns)",
    "INSERT INTO main.saturated SELECT begin_ns, end_ns, words FROM s.saturated ORDER BY rowid",
    "INSERT INTO main.fact SELECT name, value FROM s.fact WHERE true ORDER BY rowid"
    " ON CONFLICT DO UPDATE SET value = excluded.value",
    "INSERT INTO main.metric SELECT 'sample', (SELECT coalesce(max(number) + 1, 0) FROM main.metric"
    " WHERE kind = 'sample') + row_number() OVER (ORDER BY number) - 1, name, unit, sentence,"
    " source FROM s.metric WHERE kind = 'sample'"
    " AND name NOT IN (SELECT name FROM main.metric WHERE kind = 'sample')",
    "UPDATE main.run SET finished = min(finished, (SELECT finished FROM s.run))",
    "UPDATE main.run SET segments ="
    " (SELECT count(*) FROM (SELECT DISTINCT segment, attempt FROM main.block))",
};

/* The same for what was watched; files of before had none of it. A thing of the same name, role and
 * probe is the same thing. */
static const char *const merge_watched_sql[] = {
    "INSERT INTO main.watched SELECT (SELECT coalesce(max(number) + 1, 0) FROM main.watched)"
    " + row_number() OVER (ORDER BY number) - 1, name, role, probe FROM s.watched o WHERE"
    " NOT EXISTS (SELECT 1 FROM main.watched m WHERE m.name = o.name AND m.role = o.role"
    " AND m.probe = o.probe) ORDER BY number",
    "INSERT INTO main.series (watched, metric, part) SELECT m.number, t.metric, t.part"
    " FROM s.series t JOIN s.watched o ON o.number = t.watched"
    " JOIN main.watched m ON m.name = o.name AND m.role = o.role AND m.probe = o.probe"
    " WHERE true ORDER BY t.id ON CONFLICT DO NOTHING",
    "INSERT INTO main.sample SELECT n.id, x.at_ns, x.value, x.took_ns FROM s.sample x"
    " JOIN s.series t ON t.id = x.series JOIN s.watched o ON o.number = t.watched"
    " JOIN main.watched m ON m.name = o.name AND m.role = o.role AND m.probe = o.probe"
    " JOIN main.series n ON n.watched = m.number AND n.metric = t.metric AND n.part = t.part"
    " ORDER BY x.rowid",
};

static bool same_metrics(const struct metric *one, size_t count, const struct metric *other,
                         size_t other_count)
{
    if (count != other_count)
        return false;
    for (size_t i = 0; i < count; i++)
        if (strcmp(one[i].name, other[i].name) != 0)
            return false;
    return true;
}

/* Whether the numbers of one file mean the same in the other. */
static bool same_run(const struct result *one, const struct result *other)
{
    if (strcmp(one->id, other->id) != 0 || one->interval_ns != other->interval_ns ||
        one->request_count != other->request_count || one->phase_count != other->phase_count ||
        one->service_count != other->service_count)
        return false;
    for (size_t i = 0; i < one->request_count; i++)
        if (strcmp(one->requests[i].name, other->requests[i].name) != 0)
            return false;
    for (size_t i = 0; i < one->phase_count; i++)
        if (strcmp(one->phases[i].name, other->phases[i].name) != 0)
            return false;
    return same_metrics(one->metrics.counters, one->metrics.counter_count, other->metrics.counters,
                        other->metrics.counter_count) &&
           same_metrics(one->metrics.hists, one->metrics.hist_count, other->metrics.hists,
                        other->metrics.hist_count);
}

/* Whether the file numbers its metrics as this program would: else rows cannot just be copied. */
static bool maps_to_itself(const struct read_map *map, const struct result *declared)
{
    bool same = map->counter_count == declared->metrics.counter_count &&
                map->hist_count == declared->metrics.hist_count;
    for (uint32_t i = 0; same && i < map->counter_count; i++)
        same = map->counters[i] == i;
    for (uint32_t i = 0; same && i < map->hist_count; i++)
        same = map->hists[i] == i;
    return same;
}

/* A number of a one-row question, or -1. */
static int64_t ask(sqlite3 *db, const char *sql)
{
    struct rows rows = rows_of(db, sql);
    int64_t number = rows_next(&rows) ? sqlite3_column_int64(rows.statement, 0) : -1;
    return rows_end(&rows) ? -1 : number;
}

/* Runs one of the statements above. */
static int copy_by(sqlite3 *db, const char *sql, int64_t offset)
{
    struct rows rows = rows_of(db, sql);
    if (!rows.error && sqlite3_bind_parameter_count(rows.statement) > 0)
        sqlite3_bind_int64(rows.statement, 1, offset);
    rows_next(&rows);
    return rows_end(&rows);
}

static int copy_rows(sqlite3 *db)
{
    int64_t offset = ask(db, "SELECT coalesce(max(id), 0) FROM main.block");
    int64_t shared = ask(db, "SELECT count(*) FROM (SELECT DISTINCT segment, attempt FROM s.block"
                             " INTERSECT SELECT DISTINCT segment, attempt FROM main.block)");
    if (offset < 0 || shared < 0)
        return RESULT_DAMAGED;
    if (shared > 0) /* the same thread twice would be counted twice */
        return -EEXIST;
    int error = source_error(db, sqlite3_exec(db, "BEGIN", NULL, NULL, NULL));
    for (size_t i = 0; i < sizeof merge_sql / sizeof *merge_sql && !error; i++)
        error = copy_by(db, merge_sql[i], offset);
    bool watched = ask(db, "SELECT count(*) FROM s.sqlite_master WHERE name = 'watched'") > 0;
    for (size_t i = 0; i < sizeof merge_watched_sql / sizeof *merge_watched_sql && watched; i++)
        error = error ? error : copy_by(db, merge_watched_sql[i], offset);
    return error ? error : source_error(db, sqlite3_exec(db, "COMMIT", NULL, NULL, NULL));
}

static int merge_one(sqlite3 *db, const char *path, const struct result *first)
{
    struct source source;
    struct read_map map;
    struct result *declared = NULL;
    int error = source_open(&source, path);
    if (error)
        return error;
    error = read_declared(&source, &declared, &map);
    if (error) {
        source_close(&source);
        return error;
    }
    if (!same_run(first, declared) || !maps_to_itself(&map, declared))
        error = RESULT_NOT_A_RUN;
    read_map_fini(&map);
    result_free(declared);
    if (!error) {
        sqlite3_stmt *attach = NULL;
        int code = sqlite3_prepare_v2(db, "ATTACH ?1 AS s", -1, &attach, NULL);
        sqlite3_bind_text(attach, 1, source.uri, -1, SQLITE_STATIC);
        code = code == SQLITE_OK ? sqlite3_step(attach) : code;
        sqlite3_finalize(attach);
        error = source_error(db, code);
    }
    if (!error) {
        error = copy_rows(db);
        if (!sqlite3_get_autocommit(db))
            sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
        sqlite3_exec(db, "DETACH s", NULL, NULL, NULL);
    }
    source_close(&source);
    return error;
}

static int declared_of(const char *path, struct result **out)
{
    struct source source;
    struct read_map map;
    int error = source_open(&source, path);
    if (error)
        return error;
    error = read_declared(&source, out, &map);
    if (!error)
        read_map_fini(&map);
    source_close(&source);
    return error;
}

static int fill(const char *const *paths, size_t count, const char *into,
                const struct result *first)
{
    struct run_file *file = NULL;
    int error = run_file_create(&file, into, first);
    if (error)
        return error;
    error = run_file_close(file); /* finished so far: 1, and the least of all files' below */
    sqlite3 *db = NULL;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI;
    if (!error)
        error = source_error(db, sqlite3_open_v2(into, &db, flags, NULL));
    for (size_t i = 0; i < count && !error; i++)
        error = merge_one(db, paths[i], first);
    sqlite3_close(db);
    if (error)
        unlink(into);
    return error;
}

int result_merge_files(const char *const *paths, size_t count, const char *into)
{
    if (count == 0)
        return -EINVAL;
    struct result *first = NULL;
    int error = declared_of(paths[0], &first);
    if (!error)
        error = fill(paths, count, into, first);
    result_free(first);
    return error;
}
