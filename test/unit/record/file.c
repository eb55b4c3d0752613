/* Run files: what the live picture said at the end is what is read; merged segments are as if
 * recorded in one; other files and newer ones are met with the answer that the headers promise. */
#include "recorded.h"

#include "record/schema.h"
#include "record/series.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>

static void what_was_recorded_is_read(void **state)
{
    (void)state;
    struct fixture fix;
    fixture_init(&fix);
    struct result *live = record(&fix, fix.path, 0, 2), *read = NULL;
    assert_true(live->finished);
    assert_false(exists(fix.path, "-wal"));
    assert_false(exists(fix.path, "-shm"));
    assert_int_equal(result_read(fix.path, &read), 0);
    assert_true(read->finished);
    assert_result_equal(live, read);
    assert_string_equal(read->id, fix.run.head.id);
    assert_string_equal(read->plan_source, fix.run.head.plan_source);
    assert_null(read->plan_file);
    assert_true(read->seed == UINT64_MAX - 1);
    assert_int_equal(read->wall_start_ns, fix.run.head.wall_start_ns);
    assert_string_equal(read->labels[0].value, "abc'1");
    assert_int_equal(read->example_count, 1);
    assert_string_equal(read->examples[0].words, "it's \"gone\"");
    assert_int_equal(read->examples[0].status, -1);
    assert_int_equal(read->event_count, 1);
    assert_string_equal(read->events[0].words, "gateway: ok");
    assert_string_equal(result_fact(read, "generator.verdict"), "ok");
    assert_true(read->points[2].saturated);
    assert_false(read->points[3].saturated);
    assert_string_equal(read->metrics.hists[fix.first_token].name, "ttft");
    result_free(live);
    result_free(read);
    fixture_fini(&fix);
}

static int64_t query(const char *path, const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    int64_t value = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return value;
}

static void users_can_query_it(void **state)
{
    (void)state;
    struct fixture fix;
    fixture_init(&fix);
    struct result *live = record(&fix, fix.path, 0, 1);
    assert_int_equal(query(fix.path, "PRAGMA application_id"), SCHEMA_APPLICATION);
    assert_int_equal(query(fix.path, "PRAGMA user_version"), SCHEMA_VERSION);
    assert_int_equal(query(fix.path, "SELECT sum(value) FROM counters WHERE metric = 'offered'"
                                     " AND NOT excluded"),
                     (int64_t)live->total->counters[COUNT_OFFERED]);
    assert_int_equal(query(fix.path, "SELECT sum(count) FROM histograms WHERE metric = 'ttft'"
                                     " AND request = 'chat' AND NOT excluded"),
                     (int64_t)result_hist(live->requests[0].sum, fix.first_token)->count);
    assert_int_equal(query(fix.path, "SELECT count(*) FROM samples WHERE metric = 'cpu.busy'"
                                     " AND watched = 'host' AND part = 'cpu0' AND unit = '1'"),
                     INTERVALS);
    assert_int_equal(query(fix.path, "SELECT count(*) FROM gauges WHERE metric = 'users'"
                                     " AND segment = 1"),
                     INTERVALS);
    assert_int_equal(query(fix.path, "SELECT count(*) FROM pragma_integrity_check"
                                     " WHERE integrity_check = 'ok'"),
                     1);
    result_free(live);
    fixture_fini(&fix);
}

static void merged_segments_are_as_one_run(void **state)
{
    (void)state;
    struct fixture fix;
    fixture_init(&fix);
    char one[160], two[160], both[160], other[160];
    snprintf(one, sizeof one, "%s/one.plim", fix.directory);
    snprintf(two, sizeof two, "%s/two?%%.plim", fix.directory); /* a URI's special letters */
    snprintf(both, sizeof both, "%s/both.plim", fix.directory);
    snprintf(other, sizeof other, "%s/other.plim", fix.directory);
    result_free(record(&fix, one, 0, 0));
    result_free(record(&fix, two, 1, 2));
    struct result *whole = record(&fix, fix.path, 0, 2), *merged = NULL;
    const char *const paths[] = {one, two};
    assert_int_equal(result_merge_files(paths, 2, both), 0);
    assert_int_equal(result_read(both, &merged), 0);
    assert_int_equal(merged->segments, 3);
    assert_true(merged->finished);
    for (size_t i = 0; i < whole->point_count; i++) /* the extra block of file two's own */
        assert_sum_equal(whole->points[i].sum, merged->points[i].sum, &fix.metrics);
    assert_result_equal(whole, merged);
    assert_int_equal(merged->examples[0].times, 2);
    assert_int_equal(query(both, "SELECT count(*) FROM samples"), 3 * INTERVALS);
    assert_int_equal(query(both, "SELECT count(*) FROM metric WHERE kind = 'sample'"), 1);

    const char *const twice[] = {one, one};
    assert_int_equal(result_merge_files(twice, 2, other), -EEXIST);
    assert_false(exists(other, ""));
    assert_int_equal(result_merge_files(paths, 2, both), -EEXIST); /* never overwritten */
    fix.run.head.id = "another";
    char strange[160];
    snprintf(strange, sizeof strange, "%s/strange.plim", fix.directory);
    result_free(record(&fix, strange, 3, 3));
    const char *const mixed[] = {one, strange};
    assert_int_equal(result_merge_files(mixed, 2, other), RESULT_NOT_A_RUN);
    assert_false(exists(other, ""));
    result_free(whole);
    result_free(merged);
    fixture_fini(&fix);
}

static void execute(const char *path, const char *sql)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

/* What a file of before things were watched lacks. */
static const char before_watching[] =
    "DROP VIEW samples; DROP TABLE watched; DROP TABLE series; DELETE FROM sample;"
    "CREATE TABLE series (id INTEGER PRIMARY KEY, metric TEXT NOT NULL, label TEXT NOT NULL,"
    " UNIQUE (metric, label));";

static void older_files_are_read_and_merged(void **state)
{
    (void)state;
    struct fixture fix;
    fixture_init(&fix);
    char fresh[160], both[160];
    snprintf(fresh, sizeof fresh, "%s/fresh.plim", fix.directory);
    snprintf(both, sizeof both, "%s/both.plim", fix.directory);
    struct result *live = record(&fix, fix.path, 0, 0), *read = NULL;
    result_free(record(&fix, fresh, 1, 1));
    execute(fix.path, before_watching);
    assert_int_equal(result_read(fix.path, &read), 0);
    assert_int_equal(read->point_count, live->point_count);
    assert_int_equal(read->watched_count + read->series_count, 0);
    result_free(read);
    const char *const paths[] = {fix.path, fresh};
    assert_int_equal(result_merge_files(paths, 2, both), 0);
    assert_int_equal(result_read(both, &read), 0);
    assert_int_equal(read->series_count, 1);
    assert_int_equal(read->series[0].count, INTERVALS);
    result_free(read);
    result_free(live);
    fixture_fini(&fix);
}

static void samples_of_a_stretch_have_figures(void **state)
{
    (void)state;
    nsec_t at_ns[12], took_ns[12];
    double values[12];
    for (int i = 0; i < 12; i++) { /* 5, 8, 11, ... : 3 a sample, every half second */
        at_ns[i] = (7 + i) * NSEC_PER_SEC / 2;
        values[i] = 5 + 3 * i;
    }
    struct result_series series = {
        .count = 12, .at_ns = at_ns, .took_ns = took_ns, .values = values};
    struct series_figures all = result_series_over(&series, 0, 100 * NSEC_PER_SEC);
    assert_int_equal(all.count, 12);
    assert_float_equal(all.mean, 5 + 3 * 5.5, 1e-9);
    assert_float_equal(all.least, 5, 0);
    assert_float_equal(all.most, 38, 0);
    assert_float_equal(all.p95, 38, 0); /* rank ceil(11.4) */
    assert_float_equal(all.slope, 6, 1e-9);
    struct series_figures two = result_series_over(&series, 4 * NSEC_PER_SEC, 9 * NSEC_PER_SEC / 2);
    assert_int_equal(two.count, 2);
    assert_float_equal(two.mean, 9.5, 1e-9);
    struct series_figures one = result_series_over(&series, 4 * NSEC_PER_SEC, 4 * NSEC_PER_SEC);
    assert_int_equal(one.count, 1);
    assert_true(isnan(one.slope));
    assert_true(isnan(result_series_over(&series, 0, 1).mean));
}

/* Twenty thousand samples of a ramp: all are in the file, a bounded number in memory, and what is
 * in memory still lies on the ramp. */
static void long_series_are_thinned(void **state)
{
    (void)state;
    struct fixture fix;
    fixture_init(&fix);
    enum { MANY = 20000 };
    const struct metric ramp = {.name = "ramp", .kind = METRIC_GAUGE, .unit = "s"};
    struct recorder *recorder = fixture_recorder(&fix, fix.path);
    uint32_t host = recorder_watched(recorder, "host", "generator", "null");
    for (int i = 0; i < MANY; i++)
        recorder_sample(recorder, host, &ramp, "", i * NSEC_PER_SEC, 1, i);
    assert_int_equal(recorder_close(recorder), 0);
    struct result *live = recorder_result(recorder, 0), *read = NULL;
    recorder_free(recorder);
    assert_int_equal(result_read(fix.path, &read), 0);
    assert_result_equal(live, read);
    const struct result_series *series = result_series_find(live, "host", "ramp", "");
    assert_true(series->count > SERIES_SAMPLES / 2 && series->count <= SERIES_SAMPLES);
    struct series_figures whole = result_series_over(series, 0, MANY * NSEC_PER_SEC);
    assert_float_equal(whole.slope, 1, 0.01);
    assert_true(series->values[series->count - 1] == MANY - 1);
    for (size_t i = 1; i < series->count; i++)
        assert_true(series->at_ns[i] > series->at_ns[i - 1]);
    assert_int_equal(query(fix.path, "SELECT count(*) FROM sample"), MANY);
    result_free(live);
    result_free(read);
    fixture_fini(&fix);
}

static void verdicts_are_stored_and_replaced(void **state)
{
    (void)state;
    struct fixture fix;
    fixture_init(&fix);
    result_free(record(&fix, fix.path, 0, 0));
    struct result_verdict verdicts[2] = {
        {.words = (char *)"p(95)<200",
         .scope = (char *)"",
         .value = 201.5,
         .limit = 200,
         .accept = 200,
         .unit = (char *)"ms",
         .count = 99,
         .at_least = true,
         .verdict = VERDICT_FAILED},
        {.words = (char *)"p(99)<1",
         .scope = (char *)"task chat",
         .value = NAN,
         .unit = (char *)"ms",
         .verdict = VERDICT_NOT_JUDGED,
         .objective = true,
         .why = (char *)"n = 3: too few for p99"},
    };
    assert_int_equal(result_store_verdicts(fix.path, verdicts, 2), 0);
    struct result *read = NULL;
    assert_int_equal(result_read(fix.path, &read), 0);
    assert_int_equal(read->verdict_count, 2);
    assert_true(read->verdicts[0].value == 201.5);
    assert_true(read->verdicts[0].at_least);
    assert_int_equal(read->verdicts[0].verdict, VERDICT_FAILED);
    assert_null(read->verdicts[0].why);
    assert_true(isnan(read->verdicts[1].value));
    assert_int_equal(read->verdicts[1].verdict, VERDICT_NOT_JUDGED);
    assert_string_equal(read->verdicts[1].why, "n = 3: too few for p99");
    read = result_free(read);
    assert_int_equal(result_store_verdicts(fix.path, verdicts, 1), 0);
    assert_int_equal(result_read(fix.path, &read), 0);
    assert_int_equal(read->verdict_count, 1);
    result_free(read);
    assert_int_equal(result_store_verdicts("/nowhere/x", verdicts, 1), -ENOENT);
    fixture_fini(&fix);
}

/* ---- files that are no runs, or newer ------------------------------------------------------- */

static void write_file(const char *path, const char *bytes, size_t count)
{
    int descriptor = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0644);
    assert_int_equal(write(descriptor, bytes, count), (ssize_t)count);
    close(descriptor);
}

static void poke(const char *path, off_t at, const char *bytes, size_t count)
{
    int descriptor = open(path, O_WRONLY);
    assert_int_equal(pwrite(descriptor, bytes, count, at), (ssize_t)count);
    close(descriptor);
}

static void other_files_are_told_apart(void **state)
{
    (void)state;
    struct fixture fix;
    fixture_init(&fix);
    struct result *read = NULL;
    assert_int_equal(result_read(fix.path, &read), -ENOENT);
    assert_int_equal(result_read(fix.directory, &read), -EISDIR);
    assert_int_equal(result_read("/dev/null", &read), RESULT_NOT_A_RUN);
    write_file(fix.path, "", 0);
    assert_int_equal(result_read(fix.path, &read), RESULT_NOT_A_RUN);
    char noise[5000];
    memset(noise, 'x', sizeof noise);
    write_file(fix.path, noise, sizeof noise);
    assert_int_equal(result_read(fix.path, &read), RESULT_NOT_A_RUN);
    unlink(fix.path);
    sqlite3 *db = NULL;
    sqlite3_open(fix.path, &db);
    sqlite3_exec(db, "CREATE TABLE run (id)", NULL, NULL, NULL);
    sqlite3_close(db);
    assert_int_equal(result_read(fix.path, &read), RESULT_NOT_A_RUN);
    unlink(fix.path);
    result_free(record(&fix, fix.path, 0, 0));
    poke(fix.path, SCHEMA_VERSION_AT, "\0\0\0\2", 4);
    assert_int_equal(result_read(fix.path, &read), RESULT_NEWER);
    assert_null(read);
    fixture_fini(&fix);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_recorded_is_read),
        cmocka_unit_test(users_can_query_it),
        cmocka_unit_test(merged_segments_are_as_one_run),
        cmocka_unit_test(older_files_are_read_and_merged),
        cmocka_unit_test(samples_of_a_stretch_have_figures),
        cmocka_unit_test(long_series_are_thinned),
        cmocka_unit_test(verdicts_are_stored_and_replaced),
        cmocka_unit_test(other_files_are_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
