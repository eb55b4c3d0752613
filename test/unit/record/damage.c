/* Damaged run files: whatever bytes are turned over or cut off, reading ends with a result or a
 * clear answer, never with a crash (run under the sanitizers by ./check). The seed is printed. */
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <time.h>

enum { ROUNDS = 400, MOST_BYTES = 1 << 20 };

struct damage {
    struct fixture fix;
    char *bytes; /* of the whole file */
    size_t count;
    unsigned read, damaged, refused;
};

static void make_run(struct damage *damage, uint32_t intervals)
{
    struct recorder *recorder = fixture_recorder(&damage->fix, damage->fix.path);
    struct tally_exchange exchange;
    tally_exchange_init(&exchange, &damage->fix.metrics, 0, FIX_REQUESTS, FIX_RULES);
    recorder_attach(recorder, &exchange);
    for (uint32_t i = 0; i < intervals; i++) {
        hand_in(&damage->fix, &exchange, 0, i, 60);
        recorder_drain(recorder);
    }
    recorder_fact(recorder, "generator.verdict", "ok");
    recorder_event(recorder, 1, "health", "ok");
    assert_int_equal(recorder_close(recorder), 0);
    recorder_free(recorder);
    tally_exchange_fini(&exchange);
    damage->bytes = memory_new(1, MOST_BYTES);
    int descriptor = open(damage->fix.path, O_RDONLY);
    ssize_t got = read(descriptor, damage->bytes, MOST_BYTES);
    close(descriptor);
    assert_true(got > 4096 && got < MOST_BYTES);
    damage->count = (size_t)got;
}

static void try_bytes(struct damage *damage, const char *bytes, size_t count)
{
    int descriptor = open(damage->fix.path, O_CREAT | O_TRUNC | O_WRONLY, 0644);
    assert_int_equal(write(descriptor, bytes, count), (ssize_t)count);
    close(descriptor);
    struct result *result = NULL;
    int error = result_read(damage->fix.path, &result);
    if (error == 0) {
        damage->read++;
        for (size_t i = 0; i < result->point_count; i++)
            (void)result_hist(result->points[i].sum, HIST_RESPONSE);
        struct result_sum *sum = result_window(result, 0, NSEC_NEVER, UINT32_MAX);
        result_sum_free(sum, &result->metrics);
        result_free(result);
        return;
    }
    assert_null(result);
    if (error == RESULT_DAMAGED)
        damage->damaged++;
    else
        damage->refused++;
    /* Errors of the system would blame the machine for what is wrong with the file. */
    assert_true(error > 0 || error == -ENOMEM);
}

static void damage_init(struct damage *damage, uint32_t intervals)
{
    memset(damage, 0, sizeof *damage);
    fixture_init(&damage->fix);
    make_run(damage, intervals);
}

static void damage_fini(struct damage *damage)
{
    print_message("%u read, %u damaged, %u not a run or newer\n", damage->read, damage->damaged,
                  damage->refused);
    free(damage->bytes);
    fixture_fini(&damage->fix);
}

static void bytes_turned_over(void **state)
{
    (void)state;
    struct damage damage;
    damage_init(&damage, 8);
    struct random random = {.key = (uint64_t)time(NULL)};
    print_message("seed %llu\n", (unsigned long long)random.key);
    char *copy = memory_new(1, damage.count);
    for (int round = 0; round < ROUNDS; round++) {
        memcpy(copy, damage.bytes, damage.count);
        uint64_t places = 1 + random_below_of(random_next(&random), 40);
        for (uint64_t i = 0; i < places; i++)
            copy[random_below_of(random_next(&random), damage.count)] = (char)random_next(&random);
        try_bytes(&damage, copy, damage.count);
    }
    free(copy);
    assert_true(damage.damaged > ROUNDS / 20);
    damage_fini(&damage);
}

/* Random bytes mostly die in the b-trees; these reach the numbers of well-formed rows. */
static void rows_changed(void **state)
{
    (void)state;
    static const char *const changes[] = {
        "UPDATE block SET phase = 4 WHERE id = 3",
        "UPDATE block SET phase = -1 WHERE id = 3",
        "UPDATE block SET segment = 70000 WHERE id = 3",
        "UPDATE block SET begin_ns = 9e18 WHERE id = 3",
        "UPDATE block SET end_ns = begin_ns - 1 WHERE id = 3",
        "UPDATE block SET last_interval = 0 WHERE id = 3",
        "DELETE FROM block WHERE id = 3",
        "UPDATE counter SET request = 3 WHERE block = 2 AND metric = 0 AND request = 0",
        "UPDATE counter SET metric = 999 WHERE block = 2 AND metric = 0 AND request = 0",
        "UPDATE counter SET value = -5 WHERE block = 2 AND metric = 0 AND request = 0",
        "UPDATE histogram SET buckets = x'01' WHERE block = 2",
        "UPDATE histogram SET buckets = substr(buckets, 1, length(buckets) - 1) WHERE block = 2",
        "UPDATE histogram SET buckets = zeroblob(100000) WHERE block = 2",
        "UPDATE histogram SET metric = 77 WHERE block = 1 AND metric = 4 AND request = 0",
        "UPDATE status SET code = 600 WHERE block = 1 AND code = 200",
        "UPDATE gauge SET metric = 50 WHERE block = 1 AND metric = 0",
        "UPDATE rule_hit SET rule = 2 WHERE block = 1",
        "UPDATE loop_lag SET buckets = 'x' WHERE block = 1",
        "UPDATE phase SET number = 9 WHERE number = 3",
        "DELETE FROM request WHERE number = 0",
        "DELETE FROM phase",
        "DELETE FROM run",
        "DELETE FROM metric WHERE kind = 'histogram'",
        "INSERT INTO example VALUES (0, 17, 0, 0, 'x', 1)",
        "INSERT INTO example VALUES (0, 0, 900, 0, 'x', 1)",
        "INSERT INTO verdict VALUES (0, 'x', '', 1, 1, 1, '', 1, 0, 9, 0, NULL)",
        "INSERT INTO sample VALUES (77, 0, 1, 1)",
        "DROP TABLE counter",
        "ALTER TABLE block RENAME COLUMN phase TO face",
    };
    struct damage damage;
    damage_init(&damage, 4);
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        int descriptor = open(damage.fix.path, O_CREAT | O_TRUNC | O_WRONLY, 0644);
        assert_int_equal(write(descriptor, damage.bytes, damage.count), (ssize_t)damage.count);
        close(descriptor);
        sqlite3 *db = NULL;
        assert_int_equal(sqlite3_open(damage.fix.path, &db), SQLITE_OK);
        int code = sqlite3_exec(db, "PRAGMA legacy_alter_table = ON", NULL, NULL, NULL);
        code = code ? code : sqlite3_exec(db, changes[i], NULL, NULL, NULL);
        if (code != SQLITE_OK)
            fail_msg("%s: %s", changes[i], sqlite3_errmsg(db));
        if (i + 2 < sizeof changes / sizeof *changes && sqlite3_changes(db) == 0)
            fail_msg("%s: changes nothing", changes[i]);
        sqlite3_close(db);
        struct result *result = NULL;
        int error = result_read(damage.fix.path, &result);
        if (error != RESULT_DAMAGED)
            fail_msg("%s: result_read says %d", changes[i], error);
        assert_null(result);
    }
    damage_fini(&damage);
}

static void bytes_cut_off(void **state)
{
    (void)state;
    struct damage damage;
    damage_init(&damage, 8);
    for (size_t count = 0; count < damage.count; count += 1 + damage.count / 150)
        try_bytes(&damage, damage.bytes, count);
    assert_true(damage.damaged > 50);
    assert_int_equal(damage.read, 0);
    damage_fini(&damage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_turned_over),
        cmocka_unit_test(rows_changed),
        cmocka_unit_test(bytes_cut_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
