/* doc/run-file.md is held to its word: each of its queries runs and finds something, each table and
 * column that it names is there, and its Python program, an independent reader of the histograms,
 * comes to the percentile that we print. */
#include "fixture.h"

#include "base/text.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/wait.h>

struct document {
    struct fixture fix;
    struct result *live;
    struct text words;
};

static void document_init(struct document *document)
{
    memset(document, 0, sizeof *document);
    fixture_init(&document->fix);
    struct recorder *recorder = fixture_recorder(&document->fix, document->fix.path);
    struct tally_exchange exchange;
    tally_exchange_init(&exchange, &document->fix.metrics, 0, FIX_REQUESTS, FIX_RULES);
    recorder_attach(recorder, &exchange);
    const struct metric busy = {.name = "cpu.busy", .kind = METRIC_GAUGE, .unit = "1"};
    uint32_t host = recorder_watched(recorder, "host", "generator", "cpu");
    for (uint32_t i = 0; i < 8; i++) {
        hand_in(&document->fix, &exchange, 0, i, 2000);
        recorder_sample(recorder, host, &busy, "", i * NSEC_PER_SEC, 1000, 0.5);
        recorder_drain(recorder);
    }
    assert_int_equal(recorder_close(recorder), 0);
    document->live = recorder_result(recorder, 0);
    recorder_free(recorder);
    tally_exchange_fini(&exchange);
    int descriptor = open(TEST_ROOT "/doc/run-file.md", O_RDONLY);
    assert_true(descriptor >= 0);
    char bytes[4096];
    for (ssize_t got = read(descriptor, bytes, sizeof bytes); got > 0;
         got = read(descriptor, bytes, sizeof bytes))
        text_put(&document->words, (struct span){.at = bytes, .bytes = (size_t)got});
    close(descriptor);
}

static void document_fini(struct document *document)
{
    result_free(document->live);
    text_fini(&document->words);
    fixture_fini(&document->fix);
}

/* The next block of code in this language, as a text of its own; NULL when there is none. */
static char *next_code(const char **at, const char *fence)
{
    const char *begin = strstr(*at, fence);
    if (!begin)
        return NULL;
    begin += strlen(fence);
    const char *end = strstr(begin, "\n```");
    assert_non_null(end);
    *at = end + 4;
    struct text code = TEXT_EMPTY;
    text_put(&code, (struct span){.at = begin, .bytes = (size_t)(end - begin) + 1});
    return text_take(&code);
}

static void its_queries_find_something(void **state)
{
    (void)state;
    struct document document;
    document_init(&document);
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(document.fix.path, &db), SQLITE_OK);
    const char *at = document.words.at;
    int queries = 0;
    for (char *sql = next_code(&at, "```sql\n"); sql; sql = next_code(&at, "```sql\n")) {
        sqlite3_stmt *statement = NULL;
        if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK)
            fail_msg("%s\n%s", sql, sqlite3_errmsg(db));
        if (sqlite3_step(statement) != SQLITE_ROW)
            fail_msg("finds nothing: %s", sql);
        sqlite3_finalize(statement);
        free(sql);
        queries++;
    }
    assert_true(queries >= 6);
    sqlite3_close(db);
    document_fini(&document);
}

static void it_names_every_table_and_column(void **state)
{
    (void)state;
    struct document document;
    document_init(&document);
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    assert_int_equal(sqlite3_open(document.fix.path, &db), SQLITE_OK);
    const char *sql = "SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c"
                      " WHERE m.type = 'table'";
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    int columns = 0;
    for (; sqlite3_step(statement) == SQLITE_ROW; columns++) {
        const char *table = (const char *)sqlite3_column_text(statement, 0);
        const char *column = (const char *)sqlite3_column_text(statement, 1);
        char word[128];
        snprintf(word, sizeof word, "\n| `%s`", strcmp(table, "series") ? table : "sample");
        const char *row = strstr(document.words.at, word);
        if (!row)
            fail_msg("doc/run-file.md has no row for table %s", table);
        snprintf(word, sizeof word, "%s`", column);
        const char *found = strstr(row, word);
        if (!found || found > strchr(row + 1, '\n'))
            fail_msg("doc/run-file.md: column %s is not in the row of %s", column, table);
    }
    assert_true(columns > 50);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    document_fini(&document);
}

/* Runs the document's program beside the run file; writes what it printed. Returns its exit
 * code. */
static int run_python(const struct document *document, const char *code, char *out, size_t room)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDOUT_FILENO);
        if (chdir(document->fix.directory) != 0)
            _exit(126);
        execlp("python3", "python3", "-c", code, (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    size_t used = 0;
    for (ssize_t got = 1; got > 0 && used + 1 < room; used += got > 0 ? (size_t)got : 0)
        got = read(ends[0], out + used, room - 1 - used);
    out[used] = '\0';
    close(ends[0]);
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void its_program_finds_our_percentile(void **state)
{
    (void)state;
    struct document document;
    document_init(&document);
    const char *at = document.words.at;
    char *code = next_code(&at, "```python\n"), printed[200];
    assert_non_null(code);
    int ended = run_python(&document, code, printed, sizeof printed);
    free(code);
    if (ended == 127) {
        document_fini(&document);
        print_message("SKIPPED: no python3 to run the program of doc/run-file.md\n");
        skip();
    }
    assert_int_equal(ended, 0);
    nsec_t expected = 0;
    const struct hist *hist = result_hist(document.live->requests[0].sum, HIST_RESPONSE);
    assert_int_equal(hist_quantile(hist, 0.95, &expected), 0);
    double value = 0;
    assert_int_equal(sscanf(printed, "p95 %lf ms", &value), 1);
    assert_true(value * 1e6 - (double)expected < 1 && (double)expected - value * 1e6 < 1);
    document_fini(&document);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_queries_find_something),
        cmocka_unit_test(it_names_every_table_and_column),
        cmocka_unit_test(its_program_finds_our_percentile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
