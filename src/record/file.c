/* Writing a run file.
 *
 * The schema and the declarations go into the plain file first, so that its head names it from its
 * first instant on; only then WAL begins. synchronous = NORMAL: a commit is a write and no fsync,
 * so what is committed survives the end of this process, however it comes; a crash of the whole
 * machine may lose what the kernel had not yet written, never the file's consistency. */
#include "record/file.h"

#include "base/memory.h"
#include "record/schema.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BUSY_MS = 3000 }; /* how long a reader may hold up the closing */

enum statement {
    INSERT_BLOCK,
    INSERT_COUNTER,
    INSERT_HISTOGRAM,
    INSERT_STATUS,
    INSERT_GAUGE,
    INSERT_LOOP_LAG,
    INSERT_RULE_HIT,
    INSERT_TRACE,
    INSERT_EVENT,
    INSERT_EXAMPLE,
    INSERT_SATURATED,
    INSERT_FACT,
    INSERT_METRIC,
    INSERT_WATCHED,
    INSERT_SERIES,
    INSERT_SAMPLE,
    INSERT_LABEL,
    INSERT_PHASE,
    INSERT_REQUEST,
    INSERT_RULE,
    INSERT_RUN,
    STATEMENTS,
};

static const char *const statement_sql[STATEMENTS] = {
    [INSERT_BLOCK] = "INSERT INTO block VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    [INSERT_COUNTER] = "INSERT INTO counter VALUES (?1, ?2, ?3, ?4)",
    [INSERT_HISTOGRAM] = "INSERT INTO histogram VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    [INSERT_STATUS] = "INSERT INTO status VALUES (?1, ?2, ?3, ?4)",
    [INSERT_GAUGE] = "INSERT INTO gauge VALUES (?1, ?2, ?3)",
    [INSERT_LOOP_LAG] = "INSERT INTO loop_lag VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    [INSERT_RULE_HIT] = "INSERT INTO rule_hit VALUES (?1, ?2, ?3)",
    [INSERT_TRACE] = "INSERT INTO trace VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12,"
                     " ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21)",
    [INSERT_EVENT] = "INSERT INTO event VALUES (?1, ?2, ?3)",
    [INSERT_EXAMPLE] = "INSERT INTO example VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
                       " ON CONFLICT DO UPDATE SET times = excluded.times",
    [INSERT_SATURATED] = "INSERT INTO saturated VALUES (?1, ?2, ?3)",
    [INSERT_FACT] = "INSERT INTO fact VALUES (?1, ?2)"
                    " ON CONFLICT DO UPDATE SET value = excluded.value",
    [INSERT_METRIC] = "INSERT INTO metric VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    [INSERT_WATCHED] = "INSERT INTO watched VALUES (?1, ?2, ?3, ?4)",
    [INSERT_SERIES] = "INSERT INTO series VALUES (?1, ?2, ?3, ?4)",
    [INSERT_SAMPLE] = "INSERT INTO sample VALUES (?1, ?2, ?3, ?4)",
    [INSERT_LABEL] = "INSERT INTO label VALUES (?1, ?2)",
    [INSERT_PHASE] = "INSERT INTO phase VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    [INSERT_REQUEST] = "INSERT INTO request VALUES (?1, ?2, ?3, ?4)",
    [INSERT_RULE] = "INSERT INTO rule VALUES (?1, ?2, ?3, ?4)",
    [INSERT_RUN] = "INSERT INTO run VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12,"
                   " ?13, ?14, ?15, ?16, 0)",
};

struct run_file {
    sqlite3 *db;
    sqlite3_stmt *statements[STATEMENTS];
    int64_t blocks; /* written; the last one's id */
    struct text scratch;
    int error;
};

/* The errno at which reading or writing last failed, by what SQLite remembers: of the connection,
 * of the database file, of its journal or WAL. 0: none. */
static int system_errno(sqlite3 *db)
{
    int number = sqlite3_system_errno(db);
    sqlite3_file *journal = NULL;
    if (number == 0)
        sqlite3_file_control(db, "main", SQLITE_FCNTL_LAST_ERRNO, &number);
    if (number == 0)
        sqlite3_file_control(db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &journal);
    if (journal && journal->pMethods)
        journal->pMethods->xFileControl(journal, SQLITE_FCNTL_LAST_ERRNO, &number);
    return number;
}

int sqlite_errno(sqlite3 *db, int code)
{
    int system = db && (code & 0xff) != SQLITE_OK ? system_errno(db) : 0;
    switch (code & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return 0;
    case SQLITE_FULL:
        return -ENOSPC;
    case SQLITE_NOMEM:
        return -ENOMEM;
    case SQLITE_READONLY:
        return -EROFS;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return -EBUSY;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return -EUCLEAN;
    case SQLITE_CANTOPEN:
        return system > 0 ? -system : -ENOENT;
    default:
        return system > 0 ? -system : -EIO;
    }
}

static int keep_error(struct run_file *file, int code)
{
    int error = sqlite_errno(file->db, code);
    if (error && !file->error)
        file->error = error;
    return file->error;
}

static int execute(struct run_file *file, const char *sql)
{
    if (file->error)
        return file->error;
    return keep_error(file, sqlite3_exec(file->db, sql, NULL, NULL, NULL));
}

/* ---- binding and stepping ---------------------------------------------------------------------
 */

/* One value of a row; `bytes` and `words` need to live only until the row is written. */
struct value {
    enum { VALUE_INTEGER, VALUE_REAL, VALUE_WORDS, VALUE_BYTES, VALUE_NONE } kind;
    int64_t integer;
    double real;
    const char *words;
    struct span bytes;
};

#define INTEGER(x) ((struct value){.kind = VALUE_INTEGER, .integer = (int64_t)(x)})
#define REAL(x)    ((struct value){.kind = VALUE_REAL, .real = (x)})
#define WORDS(x)   ((struct value){.kind = VALUE_WORDS, .words = (x)})
#define BYTES(x)   ((struct value){.kind = VALUE_BYTES, .bytes = (x)})

/* Writes a row; the values are those of ?1 and on. */
#define INSERT(file, statement, ...)                                                               \
    insert((file), (statement), (const struct value[]){__VA_ARGS__},                               \
           sizeof((const struct value[]){__VA_ARGS__}) / sizeof(struct value))

static int insert(struct run_file *file, enum statement which, const struct value *values,
                  size_t count)
{
    if (file->error)
        return file->error;
    sqlite3_stmt *statement = file->statements[which];
    if (!statement) { /* prepared at its first use */
        int code = sqlite3_prepare_v3(file->db, statement_sql[which], -1, SQLITE_PREPARE_PERSISTENT,
                                      &file->statements[which], NULL);
        if (code != SQLITE_OK)
            return keep_error(file, code);
        statement = file->statements[which];
    }
    for (size_t i = 0; i < count; i++) {
        const struct value *value = &values[i];
        int at = (int)i + 1;
        if (value->kind == VALUE_INTEGER)
            sqlite3_bind_int64(statement, at, value->integer);
        else if (value->kind == VALUE_REAL)
            sqlite3_bind_double(statement, at, value->real);
        else if (value->kind == VALUE_WORDS)
            sqlite3_bind_text(statement, at, value->words, -1, SQLITE_STATIC);
        else if (value->kind == VALUE_NONE)
            sqlite3_bind_null(statement, at);
        else if (value->bytes.bytes == 0)
            sqlite3_bind_zeroblob(statement, at, 0);
        else
            sqlite3_bind_blob64(statement, at, value->bytes.at, value->bytes.bytes, SQLITE_STATIC);
    }
    int code = sqlite3_step(statement);
    int error = keep_error(file, code == SQLITE_DONE ? SQLITE_OK : code);
    sqlite3_reset(statement);
    return error;
}

/* ---- creating ---------------------------------------------------------------------------------
 */

static void write_metrics(struct run_file *file, const struct result *declared)
{
    for (size_t i = 0; i < declared->metrics.counter_count; i++)
        run_file_metric(file, "counter", i, &declared->metrics.counters[i]);
    for (size_t i = 0; i < declared->metrics.hist_count; i++)
        run_file_metric(file, "histogram", i, &declared->metrics.hists[i]);
    for (size_t i = 0; i < CORE_GAUGES; i++)
        run_file_metric(file, "gauge", i, &core_gauges[i]);
}

static void write_head(struct run_file *file, const struct result *run)
{
    char seed[24];
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)run->seed);
    INSERT(file, INSERT_RUN, WORDS(run->id), WORDS(run->name), WORDS(run->plan_source),
           WORDS(run->plan_file), WORDS(run->target), WORDS(run->version), WORDS(run->host),
           WORDS(run->kernel), WORDS(run->cpu), INTEGER(run->cores), INTEGER(run->segments),
           WORDS(seed), INTEGER(run->wall_start_ns), INTEGER(run->interval_ns),
           REAL(run->time_scale), INTEGER(HIST_LAYOUT));
}

static void write_declared(struct run_file *file, const struct result *run)
{
    write_head(file, run);
    for (size_t i = 0; i < run->label_count; i++)
        INSERT(file, INSERT_LABEL, WORDS(run->labels[i].name), WORDS(run->labels[i].value));
    for (size_t i = 0; i < run->phase_count; i++) {
        const struct result_phase *phase = &run->phases[i];
        INSERT(file, INSERT_PHASE, INTEGER(i), WORDS(phase->name), WORDS(phase->scenario),
               INTEGER(phase->begin_ns), INTEGER(phase->end_ns), REAL(phase->target),
               INTEGER(phase->excluded), INTEGER(phase->level));
    }
    for (size_t i = 0; i < run->request_count; i++)
        INSERT(file, INSERT_REQUEST, INTEGER(i), WORDS(run->requests[i].name),
               WORDS(run->requests[i].task), WORDS(run->requests[i].scenario));
    for (size_t i = 0; i < run->service_count; i++)
        INSERT(file, INSERT_RULE, INTEGER(i), WORDS(run->services[i].service),
               WORDS(run->services[i].outcome), INTEGER(run->services[i].failure));
    write_metrics(file, run);
}

/* WAL needs memory shared between processes, which some file systems lack; there, the file is
 * locked for us alone instead, and can be queried only after the run. */
static void begin_wal(struct run_file *file)
{
    if (sqlite3_exec(file->db, "PRAGMA journal_mode = WAL", NULL, NULL, NULL) != SQLITE_OK) {
        execute(file, "PRAGMA locking_mode = EXCLUSIVE");
        execute(file, "PRAGMA journal_mode = WAL");
    }
    execute(file, "PRAGMA synchronous = NORMAL");
}

static int file_fill(struct run_file *file, const char *path, const struct result *declared)
{
    int code = sqlite3_open_v2(path, &file->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (code != SQLITE_OK)
        return keep_error(file, code);
    char pragmas[96];
    snprintf(pragmas, sizeof pragmas, "PRAGMA application_id = %d; PRAGMA user_version = %d;",
             SCHEMA_APPLICATION, SCHEMA_VERSION);
    sqlite3_busy_timeout(file->db, BUSY_MS);
    execute(file, "BEGIN");
    execute(file, pragmas);
    for (size_t i = 0; schema_sql[i]; i++)
        execute(file, schema_sql[i]);
    write_declared(file, declared);
    execute(file, "COMMIT");
    begin_wal(file);
    return file->error;
}

static void file_free(struct run_file *file)
{
    for (size_t i = 0; i < STATEMENTS; i++)
        sqlite3_finalize(file->statements[i]);
    sqlite3_close(file->db);
    text_fini(&file->scratch);
    free(file);
}

int run_file_create(struct run_file **out, const char *path, const struct result *declared)
{
    /* The system's own words for what is wrong with the path are better than SQLite's. */
    int descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (descriptor < 0)
        return -errno;
    close(descriptor);
    struct run_file *file = memory_new(1, sizeof *file);
    int error = file_fill(file, path, declared);
    if (error) {
        file_free(file);
        unlink(path);
        return error;
    }
    *out = file;
    return 0;
}

/* ---- rows -------------------------------------------------------------------------------------
 */

int run_file_begin(struct run_file *file)
{
    return execute(file, "BEGIN IMMEDIATE");
}

int run_file_commit(struct run_file *file)
{
    if (!file->error)
        execute(file, "COMMIT");
    if (file->error && !sqlite3_get_autocommit(file->db))
        sqlite3_exec(file->db, "ROLLBACK", NULL, NULL, NULL);
    return file->error;
}

static void write_hist(struct run_file *file, size_t request, size_t metric,
                       const struct hist *hist)
{
    text_clear(&file->scratch);
    hist_encode(hist, &file->scratch);
    INSERT(file, INSERT_HISTOGRAM, INTEGER(file->blocks), INTEGER(request), INTEGER(metric),
           INTEGER(hist->count), REAL(hist->sum_ns), INTEGER(hist->least), INTEGER(hist->most),
           BYTES(text_span(&file->scratch)));
}

static void write_tally(struct run_file *file, size_t request, const struct tally *tally,
                        const struct metric_table *metrics)
{
    for (size_t m = 0; m < metrics->counter_count; m++)
        if (tally->counters[m])
            INSERT(file, INSERT_COUNTER, INTEGER(file->blocks), INTEGER(request), INTEGER(m),
                   INTEGER(tally->counters[m]));
    for (size_t m = 0; m < metrics->hist_count; m++)
        if (tally->hists[m] && tally->hists[m]->count > 0)
            write_hist(file, request, m, tally->hists[m]);
    for (size_t code = 0; code < TALLY_STATUS_CODES; code++)
        if (tally->status[code])
            INSERT(file, INSERT_STATUS, INTEGER(file->blocks), INTEGER(request), INTEGER(code),
                   INTEGER(tally->status[code]));
}

int run_file_block(struct run_file *file, const struct tally_block *block,
                   const struct metric_table *metrics)
{
    file->blocks++;
    INSERT(file, INSERT_BLOCK, INTEGER(file->blocks), INTEGER(block->segment), INTEGER(0),
           INTEGER(block->first_interval), INTEGER(block->last_interval), INTEGER(block->phase),
           INTEGER(block->begin_ns), INTEGER(block->end_ns));
    for (size_t r = 0; r < block->request_count; r++)
        write_tally(file, r, &block->requests[r], metrics);
    for (size_t g = 0; g < CORE_GAUGES; g++)
        if (isfinite(block->gauges[g])) /* SQLite has no other numbers */
            INSERT(file, INSERT_GAUGE, INTEGER(file->blocks), INTEGER(g), REAL(block->gauges[g]));
    for (size_t i = 0; i < block->rule_count; i++)
        if (block->rules[i].hits)
            INSERT(file, INSERT_RULE_HIT, INTEGER(file->blocks), INTEGER(i),
                   INTEGER(block->rules[i].hits));
    const struct hist *lag = block->loop_lag;
    if (lag && lag->count > 0) {
        text_clear(&file->scratch);
        hist_encode(lag, &file->scratch);
        INSERT(file, INSERT_LOOP_LAG, INTEGER(file->blocks), INTEGER(lag->count), REAL(lag->sum_ns),
               INTEGER(lag->least), INTEGER(lag->most), BYTES(text_span(&file->scratch)));
    }
    return file->error;
}

static struct value instant(nsec_t at_ns)
{
    return at_ns == TRACE_NEVER ? (struct value){.kind = VALUE_NONE} : INTEGER(at_ns);
}

static struct value known(bool is_known, uint64_t count)
{
    return is_known ? INTEGER(count) : (struct value){.kind = VALUE_NONE};
}

static struct value source_words(enum trace_source source)
{
    static const char *const words[TRACE_SOURCES] = {[TRACE_SOURCE_EVENTS] = "events",
                                                     [TRACE_SOURCE_USAGE] = "usage",
                                                     [TRACE_SOURCE_CONTINUOUS] =
                                                         "continuous usage"};
    return source == TRACE_SOURCE_NONE ? (struct value){.kind = VALUE_NONE} : WORDS(words[source]);
}

int run_file_trace(struct run_file *file, uint32_t segment, const struct trace_row *row)
{
    const struct trace_end *end = &row->end;
    bool counted = row->source == TRACE_SOURCE_USAGE || row->source == TRACE_SOURCE_CONTINUOUS;
    return INSERT(file, INSERT_TRACE, INTEGER(segment), INTEGER(0), INTEGER(end->request),
                  INTEGER(end->phase), INTEGER(row->intended_ns), INTEGER(row->asked_ns),
                  instant(row->sent_ns), instant(row->first_ns), instant(row->answer_ns),
                  instant(row->last_ns), INTEGER(row->end_ns), INTEGER(end->outcome),
                  known(end->error != 0, end->error), INTEGER(end->status), INTEGER(end->attempts),
                  source_words(row->source), known(counted, row->prompt_tokens),
                  known(row->source != TRACE_SOURCE_NONE, row->output_tokens), INTEGER(row->events),
                  INTEGER(row->cut), BYTES(row->chunks));
}

int run_file_example(struct run_file *file, const struct result_example *example)
{
    return INSERT(file, INSERT_EXAMPLE, INTEGER(example->at_ns), INTEGER(example->request),
                  INTEGER(example->error), INTEGER(example->status), WORDS(example->words),
                  INTEGER(example->times));
}

int run_file_event(struct run_file *file, nsec_t at_ns, const char *kind, const char *words)
{
    return INSERT(file, INSERT_EVENT, INTEGER(at_ns), WORDS(kind), WORDS(words));
}

int run_file_saturated(struct run_file *file, nsec_t begin_ns, nsec_t end_ns, const char *words)
{
    return INSERT(file, INSERT_SATURATED, INTEGER(begin_ns), INTEGER(end_ns), WORDS(words));
}

int run_file_fact(struct run_file *file, const char *name, const char *value)
{
    return INSERT(file, INSERT_FACT, WORDS(name), WORDS(value));
}

int run_file_metric(struct run_file *file, const char *kind, size_t number,
                    const struct metric *metric)
{
    return INSERT(file, INSERT_METRIC, WORDS(kind), INTEGER(number), WORDS(metric->name),
                  WORDS(metric->unit), WORDS(metric->sentence), WORDS(metric->source));
}

int run_file_watched(struct run_file *file, uint32_t number, const struct result_watched *watched)
{
    return INSERT(file, INSERT_WATCHED, INTEGER(number), WORDS(watched->name), WORDS(watched->role),
                  WORDS(watched->probe));
}

int run_file_series(struct run_file *file, uint32_t number, uint32_t watched, const char *metric,
                    const char *part)
{
    return INSERT(file, INSERT_SERIES, INTEGER(number), INTEGER(watched), WORDS(metric),
                  WORDS(part));
}

int run_file_sample(struct run_file *file, uint32_t series, const struct series_sample *sample)
{
    return INSERT(file, INSERT_SAMPLE, INTEGER(series), INTEGER(sample->at_ns), REAL(sample->value),
                  INTEGER(sample->took_ns));
}

int run_file_error(const struct run_file *file)
{
    return file->error;
}

/* ---- closing ----------------------------------------------------------------------------------
 */

int run_file_close(struct run_file *file)
{
    if (!file)
        return 0;
    execute(file, "UPDATE run SET finished = 1");
    int error = file->error;
    if (!error) {
        int code = sqlite3_exec(file->db, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL);
        for (size_t i = 0; i < STATEMENTS; i++) { /* the journal mode needs them gone */
            sqlite3_finalize(file->statements[i]);
            file->statements[i] = NULL;
        }
        if ((code & 0xff) == SQLITE_OK)
            code = sqlite3_exec(file->db, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL);
        /* Somebody who reads it right now keeps it in WAL form: complete all the same. */
        if ((code & 0xff) != SQLITE_BUSY && (code & 0xff) != SQLITE_LOCKED)
            error = keep_error(file, code);
    }
    file_free(file);
    return error;
}
