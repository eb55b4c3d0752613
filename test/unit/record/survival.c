/* Run files in trouble: a writer killed at any moment, directories and disks that take no more, and
 * reading while it is written. What was committed is there. */
#include "recorded.h"

#include <errno.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>

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
