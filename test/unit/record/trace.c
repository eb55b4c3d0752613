/* The trace: what a loop thread says of its requests is what is read from the file, request by
 * request and chunk by chunk, also when slots are used again, requests are sent again, the ring is
 * full, and the file holds as many as it may. */
#include "fixture.h"

#include "record/trace.h"
#include "record/trace_keep.h"

#include <errno.h>
#include <pthread.h>
#include <sqlite3.h>

enum { THREADS = 2, TRACED = 2000, SLOTS = 7 };

#define START_NS (1000 * NSEC_PER_SEC)

/* What request n is: known from n alone. */
static uint32_t chunks_of(uint32_t n)
{
    return n % 23;
}

static nsec_t begun_ns(uint32_t n)
{
    return (nsec_t)n * NSEC_PER_MSEC;
}

static nsec_t gap_ns(uint32_t n, uint32_t k)
{
    return k % 5 == 0 ? 0 : (nsec_t)(n * 131 + k * k * 977) * 1000;
}

static enum trace_chunk_kind kind_of(uint32_t k)
{
    return k == 0 ? TRACE_CHUNK_EMPTY : k < 3 ? TRACE_CHUNK_REASONING : TRACE_CHUNK_CONTENT;
}

static void say_chunks(struct trace_ring *ring, uint32_t slot, uint32_t n)
{
    nsec_t at_ns = START_NS + begun_ns(n);
    for (uint32_t k = 0; k < chunks_of(n); k++) {
        at_ns += gap_ns(n, k);
        trace_chunk(ring, slot, kind_of(k), k, at_ns);
    }
}

static void say_request(struct trace_ring *ring, uint32_t slot, uint32_t n)
{
    bool failed = n % 10 == 9;
    if (n % 4 == 1) { /* a first attempt of which nothing may be left */
        trace_chunk(ring, slot, TRACE_CHUNK_CONTENT, 99, START_NS);
        trace_again(ring, slot);
    }
    say_chunks(ring, slot, n);
    if (n % 3 != 2)
        trace_tokens(ring, slot, n % 3 == 0 ? TRACE_SOURCE_USAGE : TRACE_SOURCE_EVENTS, n + 7,
                     n + 3);
    const struct trace_end end = {
        .start_ns = START_NS,
        .intended_ns = START_NS + begun_ns(n) - 500,
        .asked_ns = START_NS + begun_ns(n),
        .sent_ns = failed ? 0 : START_NS + begun_ns(n) + 40,
        .end_ns = START_NS + begun_ns(n) + NSEC_PER_SEC,
        .request = n % FIX_REQUESTS,
        .phase = n % FIX_PHASES,
        .outcome = failed ? COUNT_FAILED : COUNT_SUCCEEDED,
        .error = failed ? COUNT_ERROR_RESET : 0,
        .status = failed ? 0 : 200,
        .attempts = 1 + (n % 4 == 1),
    };
    trace_over(ring, slot, &end);
}

static void assert_request(const struct fixture *fix, const struct trace_request *got, uint32_t n)
{
    bool failed = n % 10 == 9;
    nsec_t at_ns = begun_ns(n), answer_ns = TRACE_NEVER, last_ns = TRACE_NEVER;
    assert_string_equal(got->request, fix->requests[n % FIX_REQUESTS].name);
    assert_string_equal(got->phase, fix->phases[n % FIX_PHASES].name);
    assert_int_equal(got->excluded, n % FIX_PHASES == 0 || n % FIX_PHASES == 3);
    assert_string_equal(got->outcome, failed ? "failed" : "succeeded");
    assert_int_equal(got->intended_ns, begun_ns(n) - 500);
    assert_int_equal(got->asked_ns, begun_ns(n));
    assert_true(got->sent_ns == (failed ? TRACE_NEVER : begun_ns(n) + 40));
    assert_int_equal(got->end_ns, begun_ns(n) + NSEC_PER_SEC);
    assert_int_equal(got->status, failed ? 0 : 200);
    assert_int_equal(got->attempts, 1 + (n % 4 == 1));
    if (failed)
        assert_string_equal(got->error, "error_reset");
    else
        assert_null(got->error);
    assert_int_equal(got->prompt_tokens, n % 3 == 0 ? (int)n + 7 : -1);
    assert_int_equal(got->output_tokens, n % 3 == 2 ? -1 : (int)n + 3);
    assert_false(got->cut);
    assert_int_equal(got->piece_count, chunks_of(n));
    for (uint32_t k = 0; k < chunks_of(n); k++) {
        at_ns += gap_ns(n, k);
        assert_int_equal(got->pieces[k].at_ns, at_ns);
        assert_int_equal(got->pieces[k].tokens, k);
        assert_int_equal(got->pieces[k].kind, kind_of(k));
        if (k == 3)
            answer_ns = at_ns;
        if (k > 0)
            last_ns = at_ns;
    }
    assert_true(got->answer_ns == answer_ns && got->last_ns == last_ns);
}

struct talker {
    struct tally_exchange exchange;
    uint32_t segment;
    pthread_t thread;
};

/* Requests n with n mod THREADS = segment, several at once. */
static void *talk(void *argument)
{
    struct talker *self = argument;
    for (uint32_t i = 0; i < TRACED; i++)
        say_request(self->exchange.trace, i % SLOTS, i * THREADS + self->segment);
    return NULL;
}

static void record(struct fixture *fix, uint64_t most)
{
    struct recorder *recorder = NULL;
    struct talker talkers[THREADS];
    fix->run.trace_most = most;
    assert_int_equal(recorder_new(&recorder, fix->path, &fix->run), 0);
    for (uint32_t i = 0; i < THREADS; i++) {
        talkers[i].segment = i;
        tally_exchange_init(&talkers[i].exchange, &fix->metrics, i, FIX_REQUESTS, FIX_RULES);
        tally_exchange_trace(&talkers[i].exchange);
        recorder_attach(recorder, &talkers[i].exchange);
    }
    for (uint32_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&talkers[i].thread, NULL, talk, &talkers[i]), 0);
    for (uint32_t i = 0; i < THREADS; i++)
        pthread_join(talkers[i].thread, NULL);
    recorder_drain(recorder);
    assert_int_equal(recorder_close(recorder), 0);
    recorder_free(recorder);
    for (uint32_t i = 0; i < THREADS; i++)
        tally_exchange_fini(&talkers[i].exchange);
}

static void test_file(void **state)
{
    struct fixture fix;
    struct trace *trace = NULL;
    struct trace_request request;
    (void)state;
    fixture_init(&fix);
    record(&fix, 1000000);
    struct result *result = NULL;
    assert_int_equal(result_read(fix.path, &result), 0);
    /* All of it fits into the rings, should nobody drain meanwhile. */
    assert_int_equal(atol(result_fact(result, "trace.requests")), THREADS * TRACED);
    assert_string_equal(result_fact(result, "trace.lost"), "0");
    assert_int_equal(trace_open(&trace, fix.path), 0);
    long count = 0;
    for (nsec_t before_ns = -1; trace_next(trace, &request); count++) {
        assert_true(request.asked_ns > before_ns);
        before_ns = request.asked_ns;
        uint32_t n = (uint32_t)(request.asked_ns / NSEC_PER_MSEC);
        assert_int_equal(request.segment, n % THREADS);
        assert_request(&fix, &request, n);
    }
    assert_int_equal(trace_close(trace), 0);
    assert_int_equal(count, THREADS * TRACED);
    result_free(result);
    fixture_fini(&fix);
}

static void test_most(void **state)
{
    struct fixture fix;
    struct trace *trace = NULL;
    struct trace_request request;
    struct result *result = NULL;
    int count = 0;
    (void)state;
    fixture_init(&fix);
    record(&fix, 100);
    assert_int_equal(result_read(fix.path, &result), 0);
    assert_string_equal(result_fact(result, "trace.requests"), "100");
    assert_int_equal(atol(result_fact(result, "trace.lost")), THREADS * TRACED - 100);
    assert_int_equal(trace_open(&trace, fix.path), 0);
    while (trace_next(trace, &request))
        count++;
    assert_int_equal(trace_close(trace), 0);
    assert_int_equal(count, 100);
    result_free(result);
    fixture_fini(&fix);
}

static void test_none(void **state)
{
    struct fixture fix;
    struct recorder *recorder = NULL;
    struct trace *trace = NULL;
    (void)state;
    fixture_init(&fix);
    assert_int_equal(recorder_new(&recorder, fix.path, &fix.run), 0);
    recorder_free(recorder);
    assert_int_equal(trace_open(&trace, fix.path), TRACE_NONE);
    assert_int_equal(trace_open(&trace, "/nonexistent/run.plim"), -ENOENT);
    fixture_fini(&fix);
}

/* A file that was changed is said to be damaged, wherever; it is never believed. */
static void test_damage(void **state)
{
    static const char *const damages[] = {
        "UPDATE trace SET chunks = x'ffffffffffffffffffffffff' WHERE rowid = 40", /* too long */
        "UPDATE trace SET chunks = x'80' WHERE rowid = 41",       /* half a number */
        "UPDATE trace SET chunks = x'0401ff01' WHERE rowid = 42", /* half a chunk */
        "UPDATE trace SET chunks = x'0301' WHERE rowid = 43",     /* no such kind */
        "UPDATE trace SET asked_ns = 'soon', end_ns = 1e300 WHERE rowid = 44",
        "UPDATE trace SET output_tokens = -5 WHERE rowid = 45",
        "UPDATE trace SET outcome = 100000 WHERE rowid = 46",
    };
    (void)state;
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        struct fixture fix;
        struct trace *trace = NULL;
        struct trace_request request;
        sqlite3 *db = NULL;
        fixture_init(&fix);
        record(&fix, 100);
        assert_int_equal(sqlite3_open(fix.path, &db), SQLITE_OK);
        assert_int_equal(sqlite3_exec(db, damages[i], NULL, NULL, NULL), SQLITE_OK);
        sqlite3_close(db);
        assert_int_equal(trace_open(&trace, fix.path), 0);
        while (trace_next(trace, &request))
            ;
        assert_int_equal(trace_close(trace), RESULT_DAMAGED);
        fixture_fini(&fix);
    }
}

/* A ring that nobody reads keeps what it holds and counts the rest; what was under way then is
 * marked, what came later is whole again. */
static void test_full_ring(void **state)
{
    struct trace_ring *ring = trace_ring_new();
    struct trace_keep *keep = trace_keep_new();
    struct trace_row row;
    const struct trace_end end = {.start_ns = 1, .intended_ns = 1, .asked_ns = 1, .end_ns = 2};
    (void)state;
    for (uint32_t i = 0; i < TRACE_RING_CELLS; i++)
        trace_chunk(ring, 3, TRACE_CHUNK_CONTENT, 0, i + 1);
    trace_over(ring, 3, &end); /* ends have room that chunks have not */
    assert_true(trace_keep_next(keep, ring, &row));
    assert_true(row.cut && row.events > TRACE_RING_CELLS / 2 && row.events < TRACE_RING_CELLS);
    assert_false(trace_keep_next(keep, ring, &row));
    trace_chunk(ring, 3, TRACE_CHUNK_CONTENT, 0, 9);
    trace_over(ring, 3, &end);
    assert_true(trace_keep_next(keep, ring, &row));
    assert_true(!row.cut && row.events == 1);
    for (uint32_t i = 0; i < TRACE_RING_CELLS; i++)
        trace_over(ring, i % SLOTS, &end);
    uint64_t lost = trace_lost_requests(ring), kept = 0;
    while (trace_keep_next(keep, ring, &row))
        kept++;
    assert_true(lost > 0 && kept > 0);
    assert_int_equal(lost + kept, TRACE_RING_CELLS);
    trace_keep_free(keep);
    trace_ring_free(ring);
}

/* Round and round, with the reader at every distance: places that wrap are places all the same. */
static void test_wrap(void **state)
{
    struct fixture fix;
    struct trace_ring *ring = trace_ring_new();
    struct trace_keep *keep = trace_keep_new();
    struct trace_row row;
    uint32_t read = 0;
    (void)state;
    fixture_init(&fix);
    for (uint32_t n = 0; n < 30000; n++) {
        say_request(ring, n % SLOTS, n);
        if (n % 1000 != 999)
            continue;
        for (; trace_keep_next(keep, ring, &row); read++) {
            assert_int_equal(row.asked_ns, begun_ns(read));
            assert_int_equal(row.events, chunks_of(read) ? chunks_of(read) - 1 : 0);
            assert_false(row.cut);
        }
    }
    assert_int_equal(read, 30000);
    trace_keep_free(keep);
    trace_ring_free(ring);
    fixture_fini(&fix);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_file),      cmocka_unit_test(test_most),
        cmocka_unit_test(test_none),      cmocka_unit_test(test_damage),
        cmocka_unit_test(test_full_ring), cmocka_unit_test(test_wrap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
