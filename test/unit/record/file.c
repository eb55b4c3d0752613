/* Run files: what the live picture said at the end is what is read; merged segments are as if
 * recorded in one; a full disk, read-only directories, other files and newer ones are met with the
 * answer that the headers promise. */
#include "fixture.h"

#include "record/schema.h"
#include "record/series.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>

enum { INTERVALS = 8, REQUESTS = 300 };

/* Records what threads first .. last counted in all intervals. */
static struct result *record(struct fixture *fix, const char *path, uint32_t first, uint32_t last)
{
    struct recorder *recorder = fixture_recorder(fix, path);
    struct tally_exchange exchange[4];
    const struct metric load = {
        .name = "cpu.busy", .kind = METRIC_GAUGE, .unit = "1", .sentence = "busy", .source = "us"};
    uint32_t host = recorder_watched(recorder, "host", "generator", "cpu");
    for (uint32_t k = first; k <= last; k++) {
        tally_exchange_init(&exchange[k], &fix->metrics, k, FIX_REQUESTS, FIX_RULES);
        recorder_attach(recorder, &exchange[k]);
    }
    for (uint32_t i = 0; i < INTERVALS; i++) {
        for (uint32_t k = first; k <= last; k++) {
            hand_in(fix, &exchange[k], k, i, REQUESTS);
            char part[8];
            snprintf(part, sizeof part, "cpu%u", k);
            recorder_sample(recorder, host, &load, part, i * NSEC_PER_SEC, 9, 0.25 * k + i);
            recorder_sample(recorder, host, &load, part, i * NSEC_PER_SEC, 9, NAN);
            recorder_drain(recorder);
        }
    }
    struct tally_block *block = ring_take(&exchange[first].empty);
    tally_example(block, (struct tally_example){.at_ns = 5,
                                                .request = 2,
                                                .error = COUNT_ERROR_DNS,
                                                .status = -1,
                                                .words = "it's \"gone\""});
    block->phase = 3;
    block->first_interval = block->last_interval = INTERVALS;
    block->begin_ns = INTERVALS * NSEC_PER_SEC;
    block->end_ns = block->begin_ns + 1000;
    assert_true(ring_put(&exchange[first].full, block));
    recorder_event(recorder, 7, "health", "gateway: ok");
    recorder_fact(recorder, "generator.verdict", "suspect");
    recorder_fact(recorder, "generator.verdict", "ok");
    recorder_saturated(recorder, 2 * NSEC_PER_SEC, 3 * NSEC_PER_SEC, "cpu");
    assert_int_equal(recorder_close(recorder), 0);
    struct result *live = recorder_result(recorder, 0);
    recorder_free(recorder);
    for (uint32_t k = first; k <= last; k++)
        tally_exchange_fini(&exchange[k]);
    return live;
}

static bool exists(const char *path, const char *end)
{
    char name[512];
    struct stat status;
    snprintf(name, sizeof name, "%s%s", path, end);
    return stat(name, &status) == 0;
}

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
    assert_string_equal(read->id, fix.head.id);
    assert_string_equal(read->plan_source, fix.head.plan_source);
    assert_null(read->plan_file);
    assert_true(read->seed == UINT64_MAX - 1);
    assert_int_equal(read->wall_start_ns, fix.head.wall_start_ns);
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
    fix.head.id = "another";
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

/* ---- a writer that was killed --------------------------------------------------------------- */

/* In a child: records one interval every two milliseconds and says so through the pipe once it has
 * been committed, until killed. */
static _Noreturn void record_until_killed(struct fixture *fix, int said)
{
    struct recorder *recorder = fixture_recorder(fix, fix->path);
    struct tally_exchange exchange;
    tally_exchange_init(&exchange, &fix->metrics, 0, FIX_REQUESTS, FIX_RULES);
    recorder_attach(recorder, &exchange);
    for (uint32_t i = 0; i < 100000; i++) {
        struct tally_block *block = ring_take(&exchange.empty);
        fill_block(fix, block, 0, i, 50);
        if (!ring_put(&exchange.full, block))
            _exit(2);
        recorder_drain(recorder);
        if (write(said, &i, sizeof i) != sizeof i)
            _exit(3);
        usleep(2000);
    }
    _exit(4);
}

/* Returns how many intervals the child had committed when it was killed. */
static uint32_t kill_a_writer(struct fixture *fix, useconds_t after_us)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(ends[0]);
        record_until_killed(fix, ends[1]);
    }
    close(ends[1]);
    usleep(after_us);
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    assert_true(WIFSIGNALED(status));
    uint32_t interval = 0, count = 0;
    while (read(ends[0], &interval, sizeof interval) == sizeof interval)
        count = interval + 1;
    close(ends[0]);
    return count;
}

static void assert_has_intervals(const struct result *read, uint32_t committed)
{
    uint64_t offered = 0;
    for (size_t p = 0; p < read->phase_count; p++)
        offered += read->phases[p].sum->counters[COUNT_OFFERED];
    assert_true(offered == committed * 50u || offered == (committed + 1) * 50u);
    assert_false(read->finished);
}

static void a_killed_writer_loses_nothing_committed(void **state)
{
    (void)state;
    struct random random = {.key = (uint64_t)getpid()};
    uint32_t total = 0;
    for (int round = 0; round < 12; round++) {
        struct fixture fix;
        fixture_init(&fix);
        useconds_t after = (useconds_t)random_below_of(random_next(&random), 150000);
        uint32_t committed = kill_a_writer(&fix, after);
        struct result *read = NULL;
        int error = result_read(fix.path, &read);
        if (committed == 0 && error != 0) { /* killed before there was a run */
            fixture_fini(&fix);
            continue;
        }
        assert_int_equal(error, 0);
        assert_has_intervals(read, committed);
        total += committed;
        result_free(read);
        fixture_fini(&fix);
    }
    assert_true(total > 0);
}

/* Nobody drains here but the recorder's own thread: what was handed in a second before the kill
 * is in the file. */
static void a_killed_writer_loses_a_second_at_most(void **state)
{
    (void)state;
    struct fixture fix;
    fixture_init(&fix);
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        struct recorder *recorder = fixture_recorder(&fix, fix.path);
        struct tally_exchange exchange;
        tally_exchange_init(&exchange, &fix.metrics, 0, FIX_REQUESTS, FIX_RULES);
        recorder_attach(recorder, &exchange);
        for (uint32_t i = 0;; i++) {
            hand_in(&fix, &exchange, 0, i, 50);
            nsec_t now_ns = clock_monotonic_ns();
            if (write(ends[1], &now_ns, sizeof now_ns) != sizeof now_ns)
                _exit(3);
            usleep(40000);
        }
    }
    close(ends[1]);
    usleep(1900000);
    nsec_t killed_ns = clock_monotonic_ns(), handed_ns = 0;
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    uint32_t old = 0;
    while (read(ends[0], &handed_ns, sizeof handed_ns) == sizeof handed_ns)
        old += handed_ns < killed_ns - NSEC_PER_SEC;
    close(ends[0]);
    struct result *read = NULL;
    assert_int_equal(result_read(fix.path, &read), 0);
    uint64_t offered = 0;
    for (size_t p = 0; p < read->phase_count; p++)
        offered += read->phases[p].sum->counters[COUNT_OFFERED];
    assert_true(old > 5);
    assert_true(offered >= old * 50u);
    result_free(read);
    fixture_fini(&fix);
}

/* The end of a run, where WAL and file become one, is no better a moment to lose anything. */
static void a_writer_killed_while_closing_loses_nothing(void **state)
{
    (void)state;
    enum { BLOCKS = 40 };
    struct random random = {.key = (uint64_t)getpid()};
    unsigned before = 0;
    for (int round = 0; round < 20; round++) {
        struct fixture fix;
        fixture_init(&fix);
        int ends[2];
        assert_int_equal(pipe(ends), 0);
        pid_t child = fork();
        if (child == 0) {
            struct recorder *recorder = fixture_recorder(&fix, fix.path);
            struct tally_exchange exchange;
            tally_exchange_init(&exchange, &fix.metrics, 0, FIX_REQUESTS, FIX_RULES);
            recorder_attach(recorder, &exchange);
            for (uint32_t i = 0; i < BLOCKS; i++) {
                hand_in(&fix, &exchange, 0, i, 50);
                recorder_drain(recorder);
            }
            if (write(ends[1], "x", 1) != 1)
                _exit(3);
            recorder_close(recorder);
            pause();
        }
        char said = 0;
        assert_int_equal(read(ends[0], &said, 1), 1);
        usleep((useconds_t)random_below_of(random_next(&random), 8000));
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        close(ends[0]);
        close(ends[1]);
        struct result *read = NULL;
        assert_int_equal(result_read(fix.path, &read), 0);
        uint64_t offered = 0;
        for (size_t p = 0; p < read->phase_count; p++)
            offered += read->phases[p].sum->counters[COUNT_OFFERED];
        assert_int_equal(offered, BLOCKS * 50);
        before += !read->finished;
        result_free(read);
        fixture_fini(&fix);
    }
    print_message("killed before the end of closing: %u of 20\n", before);
}

enum { NOBODY = 65534 };

/* Reads as a user who may write nowhere near the file; returns what result_read did. */
static int read_as_nobody(const char *path, uint64_t *offered)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        if (geteuid() == 0 && (setgid(NOBODY) != 0 || setuid(NOBODY) != 0))
            _exit(99);
        struct result *read = NULL;
        uint64_t answer[2] = {0, 0};
        int error = result_read(path, &read);
        answer[0] = (uint64_t)(int64_t)error;
        for (size_t p = 0; !error && p < read->phase_count; p++)
            answer[1] += read->phases[p].sum->counters[COUNT_OFFERED];
        result_free(read);
        _exit(write(ends[1], answer, sizeof answer) == sizeof answer ? 0 : 1);
    }
    close(ends[1]);
    uint64_t answer[2] = {99, 0};
    ssize_t got = 0;
    while (got < (ssize_t)sizeof answer) {
        ssize_t more = read(ends[0], (char *)answer + got, sizeof answer - (size_t)got);
        if (more <= 0)
            break;
        got += more;
    }
    close(ends[0]);
    int status = 0;
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
    *offered = answer[1];
    return (int)(int64_t)answer[0];
}

static size_t copies_left(void)
{
    size_t count = 0;
    DIR *handle = opendir("/tmp");
    for (struct dirent *entry = readdir(handle); entry; entry = readdir(handle))
        count += strncmp(entry->d_name, "plimsoll-read-", 14) == 0;
    closedir(handle);
    return count;
}

static void a_read_only_directory_will_do(void **state)
{
    (void)state;
    struct fixture fix;
    fixture_init(&fix);
    uint32_t committed = kill_a_writer(&fix, 200000);
    assert_true(committed > 1);
    char shm[160];
    snprintf(shm, sizeof shm, "%s-shm", fix.path);
    size_t copies = copies_left();
    for (int round = 0; round < 2; round++) { /* with the WAL's index beside it, and without */
        assert_int_equal(chmod(fix.directory, 0555), 0);
        uint64_t offered = 0;
        assert_int_equal(read_as_nobody(fix.path, &offered), 0);
        assert_true(offered == committed * 50u || offered == (committed + 1) * 50u);
        assert_int_equal(chmod(fix.directory, 0755), 0);
        unlink(shm);
    }
    assert_int_equal(copies_left(), copies);
    fixture_fini(&fix);

    fixture_init(&fix); /* a finished run */
    result_free(record(&fix, fix.path, 0, 0));
    assert_int_equal(chmod(fix.directory, 0555), 0);
    uint64_t offered = 0;
    assert_int_equal(read_as_nobody(fix.path, &offered), 0);
    assert_int_equal(offered, INTERVALS * REQUESTS);
    assert_int_equal(chmod(fix.directory, 0755), 0);
    fixture_fini(&fix);
}

static void a_running_file_can_be_read(void **state)
{
    (void)state;
    struct fixture fix;
    fixture_init(&fix);
    struct recorder *recorder = fixture_recorder(&fix, fix.path);
    struct tally_exchange exchange;
    tally_exchange_init(&exchange, &fix.metrics, 0, FIX_REQUESTS, FIX_RULES);
    recorder_attach(recorder, &exchange);
    for (uint32_t i = 0; i < INTERVALS; i++) {
        hand_in(&fix, &exchange, 0, i, 50);
        recorder_drain(recorder);
        struct result *read = NULL;
        assert_int_equal(result_read(fix.path, &read), 0);
        assert_has_intervals(read, i + 1);
        result_free(read);
    }
    assert_int_equal(recorder_close(recorder), 0);
    assert_false(exists(fix.path, "-wal"));
    recorder_free(recorder);
    tally_exchange_fini(&exchange);
    fixture_fini(&fix);
}

/* ---- full disks ----------------------------------------------------------------------------- */

/* Records until the file fails; returns the error. The live picture must have gone on. */
static int record_until_full(struct fixture *fix, const char *path, uint64_t *in_file)
{
    struct recorder *recorder = fixture_recorder(fix, path);
    struct tally_exchange exchange;
    tally_exchange_init(&exchange, &fix->metrics, 0, FIX_REQUESTS, FIX_RULES);
    recorder_attach(recorder, &exchange);
    uint32_t i = 0;
    for (; i < 3000 && recorder_error(recorder) == 0; i++) {
        hand_in(fix, &exchange, 0, i, 300);
        recorder_drain(recorder);
    }
    for (uint32_t more = 0; more < 5; more++, i++) {
        hand_in(fix, &exchange, 0, i, 300);
        recorder_drain(recorder);
    }
    int error = recorder_close(recorder);
    struct result *live = recorder_result(recorder, 0), *read = NULL;
    assert_false(live->finished);
    uint64_t offered = 0;
    for (size_t p = 0; p < live->phase_count; p++)
        offered += live->phases[p].sum->counters[COUNT_OFFERED];
    assert_int_equal(offered, 300 * i);
    assert_int_equal(result_read(path, &read), 0); /* up to where the disk was full */
    *in_file = 0;
    for (size_t p = 0; p < read->phase_count; p++)
        *in_file += read->phases[p].sum->counters[COUNT_OFFERED];
    assert_false(read->finished);
    assert_true(*in_file >= 300 && *in_file <= offered - 5 * 300);
    assert_int_equal(*in_file % 300, 0);
    result_free(read);
    result_free(live);
    recorder_free(recorder);
    tally_exchange_fini(&exchange);
    return error;
}

static void a_full_disk_is_said_and_survived(void **state)
{
    (void)state;
    struct fixture fix;
    fixture_init(&fix);
    char mounted[160], path[200];
    snprintf(mounted, sizeof mounted, "%s/small", fix.directory);
    snprintf(path, sizeof path, "%s/run.plim", mounted);
    assert_int_equal(mkdir(mounted, 0755), 0);
    if (mount("none", mounted, "tmpfs", 0, "size=1m") != 0) {
        rmdir(mounted);
        fixture_fini(&fix);
        print_message("SKIPPED: a full disk needs to mount a tmpfs: %s\n", strerror(errno));
        skip();
    }
    uint64_t in_file = 0;
    int error = record_until_full(&fix, path, &in_file);
    umount(mounted);
    rmdir(mounted);
    fixture_fini(&fix);
    assert_int_equal(error, -ENOSPC);
    assert_true(in_file > 3000);
}

static void a_limited_file_size_is_said_and_survived(void **state)
{
    (void)state;
    struct fixture fix;
    fixture_init(&fix);
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit before, small;
    getrlimit(RLIMIT_FSIZE, &before);
    small = (struct rlimit){.rlim_cur = 600000, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    uint64_t in_file = 0;
    int error = record_until_full(&fix, fix.path, &in_file);
    setrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, SIG_DFL);
    fixture_fini(&fix);
    assert_int_equal(error, -EFBIG);
    assert_true(in_file > 3000);
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
        cmocka_unit_test(a_killed_writer_loses_nothing_committed),
        cmocka_unit_test(a_killed_writer_loses_a_second_at_most),
        cmocka_unit_test(a_writer_killed_while_closing_loses_nothing),
        cmocka_unit_test(a_read_only_directory_will_do),
        cmocka_unit_test(a_running_file_can_be_read),
        cmocka_unit_test(a_full_disk_is_said_and_survived),
        cmocka_unit_test(a_limited_file_size_is_said_and_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
