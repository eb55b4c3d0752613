/* Reading a run file: its blocks are rebuilt one after the other, in the order in which they were
 * written, and fed to the same picture that the recorder feeds; see picture.h.
 *
 * The tables of a block's numbers are keyed by block first, so that one cursor in each, moved on
 * together, reads everything in one pass. Whatever a damaged file may hold is checked here: below,
 * a number out of range would be our own mistake. */
#include "record/read.h"

#include "base/check.h"
#include "base/memory.h"
#include "record/picture.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    MOST_SEGMENTS = 65535,
    MOST_CELLS = 10000000, /* requests times phases */
    MOST_SERIES = 1000000,
};

/* Later, or longer, no block of a run that anybody made can be. */
static const nsec_t most_begin_ns = (nsec_t)366 * 24 * 3600 * NSEC_PER_SEC;
static const nsec_t most_length_ns = (nsec_t)24 * 3600 * NSEC_PER_SEC;

/* A table of numbers of blocks, read along with them. */
struct cursor {
    struct rows rows;
    int64_t block; /* of the row under it; INT64_MAX: no more */
};

enum { COUNTERS, HISTOGRAMS, STATUSES, GAUGES, LOOP_LAGS, RULE_HITS, CURSORS };

static const char *const cursor_sql[CURSORS] = {
    [COUNTERS] = "SELECT block, request, metric, value FROM counter ORDER BY block",
    [HISTOGRAMS] = "SELECT block, request, metric, buckets FROM histogram ORDER BY block",
    [STATUSES] = "SELECT block, request, code, count FROM status ORDER BY block",
    [GAUGES] = "SELECT block, metric, value FROM gauge ORDER BY block",
    [LOOP_LAGS] = "SELECT block, buckets FROM loop_lag ORDER BY block",
    [RULE_HITS] = "SELECT block, rule, hits FROM rule_hit ORDER BY block",
};

struct reading {
    const struct read_map *map;
    const struct metric_table *metrics;
    struct cursor cursors[CURSORS];
    struct tally_block *block; /* being rebuilt */
};

/* ---- the numbers of one block -----------------------------------------------------------------
 */

static void cursor_next(struct cursor *cursor)
{
    int64_t before = cursor->block;
    cursor->block = INT64_MAX;
    if (!rows_next(&cursor->rows))
        return;
    cursor->block = sqlite3_column_int64(cursor->rows.statement, 0);
    if (cursor->block < before)
        cursor->rows.error = RESULT_DAMAGED;
}

static struct span row_bytes(const struct rows *rows, int column)
{
    const void *bytes = sqlite3_column_blob(rows->statement, column);
    int size = sqlite3_column_bytes(rows->statement, column);
    return (struct span){.at = bytes, .bytes = bytes && size > 0 ? (size_t)size : 0};
}

static void decode(struct rows *rows, int column, struct hist *to)
{
    if (hist_decode(row_bytes(rows, column), to) != 0)
        rows->error = RESULT_DAMAGED;
}

static void take_counter(struct reading *reading, struct rows *rows, struct tally *tally)
{
    size_t number = (size_t)rows_whole(rows, 2, (int64_t)reading->map->counter_count - 1);
    int64_t value = rows_whole(rows, 3, INT64_MAX);
    if (!rows->error)
        tally->counters[reading->map->counters[number]] += (uint64_t)value;
}

static void take_hist(struct reading *reading, struct rows *rows, struct tally *tally)
{
    size_t number = (size_t)rows_whole(rows, 2, (int64_t)reading->map->hist_count - 1);
    if (!rows->error)
        decode(rows, 3, tally_hist(tally, reading->map->hists[number]));
}

static void take_status(struct rows *rows, struct tally *tally)
{
    size_t code = (size_t)rows_whole(rows, 2, TALLY_STATUS_CODES - 1);
    int64_t count = rows_whole(rows, 3, UINT32_MAX);
    if (!rows->error)
        tally->status[code] += (uint32_t)count;
}

static void take_gauge(struct reading *reading, struct rows *rows)
{
    size_t number = (size_t)rows_whole(rows, 1, CORE_GAUGES - 1);
    double value = sqlite3_column_double(rows->statement, 2);
    if (!rows->error && reading->map->gauges[number] != UINT32_MAX && isfinite(value))
        reading->block->gauges[reading->map->gauges[number]] = value;
}

static void take_rule(struct reading *reading, struct rows *rows)
{
    size_t rule = (size_t)rows_whole(rows, 1, (int64_t)reading->block->rule_count - 1);
    int64_t hits = rows_whole(rows, 2, INT64_MAX);
    if (!rows->error)
        reading->block->rules[rule].hits += (uint64_t)hits;
}

/* Adds the row under a cursor to the block being rebuilt. */
static void take_row(struct reading *reading, int which)
{
    struct rows *rows = &reading->cursors[which].rows;
    struct tally_block *block = reading->block;
    struct tally *tally = NULL;
    if (which == COUNTERS || which == HISTOGRAMS || which == STATUSES) {
        int64_t request = rows_whole(rows, 1, (int64_t)block->request_count - 1);
        if (rows->error)
            return;
        tally = &block->requests[request];
    }
    if (which == COUNTERS)
        take_counter(reading, rows, tally);
    else if (which == HISTOGRAMS)
        take_hist(reading, rows, tally);
    else if (which == STATUSES)
        take_status(rows, tally);
    else if (which == GAUGES)
        take_gauge(reading, rows);
    else if (which == LOOP_LAGS)
        decode(rows, 1, block->loop_lag);
    else
        take_rule(reading, rows);
}

/* ---- blocks -----------------------------------------------------------------------------------
 */

static int block_numbers(struct reading *reading, int64_t id)
{
    for (int i = 0; i < CURSORS; i++) {
        struct cursor *cursor = &reading->cursors[i];
        while (cursor->block == id && !cursor->rows.error) {
            take_row(reading, i);
            if (!cursor->rows.error)
                cursor_next(cursor);
        }
        if (cursor->rows.error)
            return cursor->rows.error;
        if (cursor->block < id) /* numbers of a block that is not there */
            return RESULT_DAMAGED;
    }
    return 0;
}

static void block_head(struct rows *rows, struct tally_block *block, const struct result *declared)
{
    block->segment = (uint32_t)rows_whole(rows, 1, MOST_SEGMENTS);
    block->first_interval = (uint32_t)rows_whole(rows, 2, UINT32_MAX - 1);
    block->last_interval = (uint32_t)rows_whole(rows, 3, UINT32_MAX - 1);
    block->phase = (uint32_t)rows_whole(rows, 4, (int64_t)declared->phase_count - 1);
    block->begin_ns = sqlite3_column_int64(rows->statement, 5);
    block->end_ns = sqlite3_column_int64(rows->statement, 6);
    if (block->begin_ns < -most_length_ns || block->begin_ns > most_begin_ns ||
        block->end_ns < block->begin_ns || block->end_ns - block->begin_ns > most_length_ns ||
        block->last_interval < block->first_interval)
        rows->error = RESULT_DAMAGED;
}

static int read_blocks(sqlite3 *db, struct reading *reading, struct picture *picture)
{
    struct rows rows = rows_of(db, "SELECT id, segment, interval, last_interval, phase, begin_ns,"
                                   " end_ns FROM block ORDER BY id");
    for (int i = 0; i < CURSORS; i++) {
        reading->cursors[i] = (struct cursor){.rows = rows_of(db, cursor_sql[i]), .block = 0};
        cursor_next(&reading->cursors[i]);
        if (!rows.error)
            rows.error = reading->cursors[i].rows.error;
    }
    while (rows_next(&rows)) {
        int64_t id = sqlite3_column_int64(rows.statement, 0);
        block_head(&rows, reading->block, picture_declared(picture));
        if (!rows.error)
            rows.error = block_numbers(reading, id);
        if (rows.error)
            break;
        picture_block(picture, reading->block);
        tally_block_clear(reading->block, reading->metrics);
    }
    for (int i = 0; i < CURSORS; i++)
        rows_end(&reading->cursors[i].rows);
    return rows_end(&rows);
}

/* How many intervals share a point, so that there are at most RESULT_POINTS; each phase may add
 * one, as points do not span phases. */
static uint32_t intervals_a_point(sqlite3 *db, const struct result *declared)
{
    struct rows rows = rows_of(db, "SELECT max(last_interval) FROM block");
    int64_t last = rows_next(&rows) ? sqlite3_column_int64(rows.statement, 0) : 0;
    rows_end(&rows);
    int64_t points = RESULT_POINTS - (int64_t)declared->phase_count;
    if (points < RESULT_POINTS / 2)
        points = RESULT_POINTS / 2;
    if (last < 0 || last >= UINT32_MAX)
        return 1;
    return (uint32_t)(last / points + 1);
}

/* ---- words ------------------------------------------------------------------------------------
 */

static int read_events(sqlite3 *db, struct picture *picture)
{
    struct rows rows = rows_of(db, "SELECT at_ns, kind, words FROM event ORDER BY rowid");
    while (rows_next(&rows)) {
        char *kind = rows_text(&rows, 1), *words = rows_text(&rows, 2);
        picture_event(picture, sqlite3_column_int64(rows.statement, 0), kind, words);
        free(kind);
        free(words);
    }
    return rows_end(&rows);
}

static int read_facts(sqlite3 *db, struct picture *picture)
{
    struct rows rows = rows_of(db, "SELECT name, value FROM fact ORDER BY rowid");
    while (rows_next(&rows)) {
        char *name = rows_text(&rows, 0), *value = rows_text(&rows, 1);
        picture_fact(picture, name, value);
        free(name);
        free(value);
    }
    return rows_end(&rows);
}

static int read_saturated(sqlite3 *db, struct picture *picture)
{
    struct rows rows = rows_of(db, "SELECT begin_ns, end_ns FROM saturated ORDER BY rowid");
    while (rows_next(&rows))
        picture_saturated(picture, sqlite3_column_int64(rows.statement, 0),
                          sqlite3_column_int64(rows.statement, 1));
    return rows_end(&rows);
}

static int read_examples(sqlite3 *db, const struct read_map *map, struct result *out)
{
    struct rows rows = rows_of(db, "SELECT at_ns, request, error, status, words, times FROM example"
                                   " ORDER BY rowid");
    while (rows_next(&rows)) {
        struct result_example example = {.at_ns = sqlite3_column_int64(rows.statement, 0)};
        example.request = (uint32_t)rows_whole(&rows, 1, UINT32_MAX);
        if (example.request != UINT32_MAX && example.request >= out->request_count)
            rows.error = RESULT_DAMAGED;
        size_t error = (size_t)rows_whole(&rows, 2, (int64_t)map->counter_count - 1);
        example.status = (int32_t)sqlite3_column_int64(rows.statement, 3);
        example.times = (uint64_t)rows_whole(&rows, 5, INT64_MAX);
        if (rows.error)
            break;
        example.error = map->counters[error];
        example.words = rows_text(&rows, 4);
        out->examples = memory_resize(out->examples, out->example_count + 1, sizeof *out->examples);
        out->examples[out->example_count++] = example;
    }
    return rows_end(&rows);
}

static double row_real(const struct rows *rows, int column)
{
    return sqlite3_column_type(rows->statement, column) == SQLITE_NULL
               ? NAN
               : sqlite3_column_double(rows->statement, column);
}

static int read_verdicts(sqlite3 *db, struct result *out)
{
    struct rows rows =
        rows_of(db, "SELECT words, scope, value, limit_value, accept, unit, count, at_least,"
                    " verdict, objective, why FROM verdict ORDER BY number");
    while (rows_next(&rows)) {
        out->verdicts = memory_resize(out->verdicts, out->verdict_count + 1, sizeof *out->verdicts);
        struct result_verdict *verdict = &out->verdicts[out->verdict_count++];
        *verdict = (struct result_verdict){
            .words = rows_text(&rows, 0),
            .scope = rows_text(&rows, 1),
            .value = row_real(&rows, 2),
            .limit = row_real(&rows, 3),
            .accept = row_real(&rows, 4),
            .unit = rows_text(&rows, 5),
            .count = (uint64_t)rows_whole(&rows, 6, INT64_MAX),
            .at_least = sqlite3_column_int64(rows.statement, 7) != 0,
            .objective = sqlite3_column_int64(rows.statement, 9) != 0,
        };
        int64_t number = rows_whole(&rows, 8, VERDICT_NOT_JUDGED);
        verdict->verdict = VERDICT_MET;
        if (number == VERDICT_ACCEPTED)
            verdict->verdict = VERDICT_ACCEPTED;
        else if (number == VERDICT_FAILED)
            verdict->verdict = VERDICT_FAILED;
        else if (number == VERDICT_NOT_JUDGED)
            verdict->verdict = VERDICT_NOT_JUDGED;
        if (sqlite3_column_type(rows.statement, 10) != SQLITE_NULL)
            verdict->why = rows_text(&rows, 10);
    }
    return rows_end(&rows);
}

/* ---- what was watched ------------------------------------------------------------------------ */

/* Files written before things were watched lack the table. */
static bool has_watched(sqlite3 *db)
{
    struct rows rows = rows_of(db, "SELECT 1 FROM sqlite_master WHERE name = 'watched'");
    bool there = rows_next(&rows);
    rows_end(&rows);
    return there;
}

static int read_watched(sqlite3 *db, struct picture *picture)
{
    struct rows rows = rows_of(db, "SELECT number, name, role, probe FROM watched ORDER BY number");
    while (rows_next(&rows)) {
        struct result_watched watched = {
            .name = rows_text(&rows, 1), .role = rows_text(&rows, 2), .probe = rows_text(&rows, 3)};
        picture_watched(picture, &watched);
        free(watched.name);
        free(watched.role);
        free(watched.probe);
    }
    return rows_end(&rows);
}

/* Series by id, with the number that each has in the picture: ids may have holes in merged files.
 * Owner of ids: caller. */
static int read_series(sqlite3 *db, struct picture *picture, int64_t **ids, size_t *count)
{
    struct rows rows =
        rows_of(db, "SELECT t.id, (SELECT count(*) FROM watched v WHERE v.number < w.number),"
                    " t.metric, t.part, coalesce(m.unit, ''), coalesce(m.sentence, '')"
                    " FROM series t JOIN watched w ON w.number = t.watched LEFT JOIN metric m"
                    " ON m.kind = 'sample' AND m.name = t.metric ORDER BY t.id");
    while (*count < MOST_SERIES && rows_next(&rows)) {
        char *name = rows_text(&rows, 2), *part = rows_text(&rows, 3), *unit = rows_text(&rows, 4),
             *sentence = rows_text(&rows, 5);
        struct metric metric = {
            .name = name, .kind = METRIC_GAUGE, .unit = unit, .sentence = sentence};
        *ids = memory_resize(*ids, *count + 1, sizeof **ids);
        (*ids)[(*count)++] = sqlite3_column_int64(rows.statement, 0);
        picture_series(picture, (uint32_t)rows_whole(&rows, 1, UINT32_MAX), &metric, part);
        free(name);
        free(part);
        free(unit);
        free(sentence);
    }
    return rows_end(&rows);
}

static int read_samples(sqlite3 *db, struct picture *picture)
{
    int64_t *ids = NULL;
    size_t count = 0, at = 0;
    int error = read_series(db, picture, &ids, &count);
    struct rows rows = rows_of(db, "SELECT series, at_ns, took_ns, value FROM sample"
                                   " ORDER BY series, at_ns, rowid");
    while (!error && rows_next(&rows)) {
        int64_t id = sqlite3_column_int64(rows.statement, 0);
        struct series_sample sample = {.at_ns = sqlite3_column_int64(rows.statement, 1),
                                       .took_ns = sqlite3_column_int64(rows.statement, 2),
                                       .value = sqlite3_column_double(rows.statement, 3)};
        while (at < count && ids[at] < id)
            at++;
        if (at == count || ids[at] != id || !isfinite(sample.value))
            rows.error = RESULT_DAMAGED; /* a sample of nothing, or no number */
        else
            picture_sample(picture, (uint32_t)at, &sample);
    }
    free(ids);
    int ended = rows_end(&rows);
    return error ? error : ended;
}

/* ---- the whole --------------------------------------------------------------------------------
 */

static int read_numbers(const struct source *source, const struct read_map *map,
                        struct picture *picture)
{
    const struct result *declared = picture_declared(picture);
    struct tally_exchange exchange;
    tally_exchange_init(&exchange, &declared->metrics, 0, declared->request_count,
                        declared->service_count);
    struct reading reading = {
        .map = map, .metrics = &declared->metrics, .block = exchange.blocks[0]};
    int error = read_saturated(source->db, picture);
    if (!error)
        error = read_blocks(source->db, &reading, picture);
    if (!error)
        error = read_events(source->db, picture);
    if (!error)
        error = read_facts(source->db, picture);
    if (!error && has_watched(source->db)) {
        error = read_watched(source->db, picture);
        error = error ? error : read_samples(source->db, picture);
    }
    tally_exchange_fini(&exchange);
    return error;
}

static int read_run(const struct source *source, struct result **out)
{
    struct result *declared = NULL;
    struct read_map map;
    int error = read_declared(source, &declared, &map);
    if (error)
        return error;
    if (declared->request_count * declared->phase_count > MOST_CELLS) {
        result_free(declared);
        read_map_fini(&map);
        return RESULT_DAMAGED;
    }
    struct picture *picture = picture_new(declared, intervals_a_point(source->db, declared));
    error = read_numbers(source, &map, picture);
    struct result *result = error ? NULL : picture_result(picture, 0);
    picture_free(picture);
    if (!error)
        error = read_examples(source->db, &map, result);
    if (!error)
        error = read_verdicts(source->db, result);
    read_map_fini(&map);
    if (error)
        result_free(result);
    else
        *out = result;
    return error;
}

int result_read(const char *path, struct result **out)
{
    struct source source;
    int error = source_open(&source, path);
    if (error)
        return error;
    error = read_run(&source, out);
    source_close(&source);
    return error;
}
