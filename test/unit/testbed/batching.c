/* Steps worked out by hand: a = 10, c = 2, a prompt token takes 1 ns. */
#include "testbed/batching.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { MOST = 64 };

struct told {
    size_t count;
    struct {
        uint64_t number;
        nsec_t at_ns;
    } rows[MOST];
    struct batching *batching;
    struct sequence *abandon; /* given up when the first token is told */
};

static void on_token(void *self, struct sequence *sequence, nsec_t boundary_ns)
{
    struct told *told = self;
    assert_true(told->count < MOST);
    told->rows[told->count].number = sequence->number;
    told->rows[told->count++].at_ns = boundary_ns;
    if (told->abandon) {
        batching_abandon(told->batching, told->abandon);
        told->abandon = NULL;
    }
}

static struct batching *make(struct told *told, uint64_t slots, uint64_t kv_tokens, uint64_t limit)
{
    struct batching_options options = {.slots = slots,
                                       .prefill_rate = 1e9,
                                       .step_ns = 10,
                                       .step_sequence_ns = 2,
                                       .kv_tokens = kv_tokens};
    *told = (struct told){.count = 0};
    told->batching = batching_new(&options, limit, on_token, told);
    return told->batching;
}

static struct sequence sequence_of(uint64_t prompt, uint64_t tokens)
{
    struct sequence sequence = {.prompt_tokens = prompt, .tokens = tokens};
    return sequence;
}

static int arrive(struct batching *batching, struct sequence *sequence, nsec_t at_ns)
{
    list_init(&sequence->node);
    return batching_arrive(batching, sequence, at_ns);
}

/* A at 0 (prompt 100, 3 tokens): step 1 is 0..112 (100 + 10 + 2). B at 50 (prompt 20, 1 token)
 * joins at 112: step 2 is 112..146 (20 + 10 + 4). B is done; step 3 is 146..158. */
static void two_sequences_by_hand(void **state)
{
    struct told told;
    struct batching *batching = make(&told, 4, 0, UINT64_MAX);
    struct sequence a = sequence_of(100, 3), b = sequence_of(20, 1);
    (void)state;
    assert_int_equal(arrive(batching, &a, 0), 0);
    assert_int_equal(batching_boundary(batching), 112);
    assert_int_equal(arrive(batching, &b, 50), 0);
    assert_int_equal(batching_waiting(batching), 1);
    assert_int_equal(batching_kv_tokens(batching), 100);
    batching_advance(batching, 111);
    assert_int_equal(told.count, 0);
    batching_advance(batching, 112);
    assert_int_equal(batching_running(batching), 2);
    assert_int_equal(batching_kv_tokens(batching), 121);
    assert_int_equal(batching_boundary(batching), 146);
    batching_advance(batching, 100000);
    const nsec_t times[] = {112, 146, 146, 158};
    const uint64_t numbers[] = {0, 0, 1, 0};
    assert_int_equal(told.count, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(told.rows[i].at_ns, times[i]);
        assert_int_equal(told.rows[i].number, numbers[i]);
    }
    assert_int_equal(b.begin_ns, 112);
    assert_int_equal(batching_boundary(batching), NSEC_NEVER);
    assert_int_equal(batching_kv_tokens(batching), 0);
    assert_null(batching_free(batching));
}

/* A late timer must not shift what follows: one advance far too late tells the same instants. */
static void lateness_does_not_add_up(void **state)
{
    struct told early, late;
    struct batching *one = make(&early, 2, 0, UINT64_MAX), *other = make(&late, 2, 0, UINT64_MAX);
    struct sequence a = sequence_of(1, 20), b = sequence_of(1, 20);
    (void)state;
    assert_int_equal(arrive(one, &a, 0), 0);
    assert_int_equal(arrive(other, &b, 0), 0);
    for (nsec_t now_ns = 0; now_ns < 1000; now_ns++)
        batching_advance(one, now_ns);
    batching_advance(other, 1000);
    assert_int_equal(early.count, 20);
    assert_memory_equal(early.rows, late.rows, sizeof early.rows);
    batching_free(one);
    batching_free(other);
}

static void slots_and_queue_limit(void **state)
{
    struct told told;
    struct batching *batching = make(&told, 1, 0, 1);
    struct sequence sequences[3] = {sequence_of(1, 1), sequence_of(1, 1), sequence_of(1, 1)};
    (void)state;
    assert_int_equal(arrive(batching, &sequences[0], 0), 0);
    assert_int_equal(arrive(batching, &sequences[1], 1), 0);
    assert_int_equal(arrive(batching, &sequences[2], 2), BATCHING_FULL);
    assert_int_equal(batching_arrivals(batching), 2);
    batching_advance(batching, 13);
    assert_int_equal(told.rows[0].at_ns, 13);
    assert_int_equal(batching_boundary(batching), 26);
    batching_advance(batching, 26);
    batching_free(batching);
}

/* A free slot is not a place in the queue: with no queue at all, arrivals during a step still take
 * the slots that are free at its end. */
static void no_queue_still_fills_slots(void **state)
{
    struct told told;
    struct batching *batching = make(&told, 2, 0, 0);
    struct sequence sequences[3] = {sequence_of(1, 1), sequence_of(1, 1), sequence_of(1, 1)};
    (void)state;
    assert_int_equal(arrive(batching, &sequences[0], 0), 0);
    assert_int_equal(arrive(batching, &sequences[1], 1), 0);
    assert_int_equal(arrive(batching, &sequences[2], 2), BATCHING_FULL);
    batching_advance(batching, 1000);
    assert_int_equal(told.count, 2);
    batching_free(batching);
}

/* The cache holds 100: 60 + 30 leave no room for 20 more, which waits although a slot is free, and
 * holds up the short one behind it. */
static void cache_limits_admission(void **state)
{
    struct told told;
    struct batching *batching = make(&told, 8, 100, UINT64_MAX);
    struct sequence a = sequence_of(58, 2), b = sequence_of(29, 1), c = sequence_of(19, 1),
                    d = sequence_of(1, 1), e = sequence_of(100, 1);
    (void)state;
    assert_int_equal(arrive(batching, &a, 0), 0);
    assert_int_equal(arrive(batching, &b, 1), 0);
    assert_int_equal(arrive(batching, &c, 1), 0);
    assert_int_equal(arrive(batching, &d, 1), 0);
    assert_int_equal(arrive(batching, &e, 1), BATCHING_TOO_LONG);
    batching_advance(batching, 70); /* 58 + 12: the first step */
    assert_int_equal(batching_running(batching), 2);
    assert_int_equal(batching_waiting(batching), 2);
    batching_advance(batching, 10000);
    assert_int_equal(told.count, 5);
    assert_int_equal(c.begin_ns, d.begin_ns);
    assert_int_equal(c.begin_ns, 70 + 29 + 14);
    batching_free(batching);
}

/* Room for 10, prompts of 3. A's step is 0..15 (3 + 10 + 2); with b 15..32 (3 + 10 + 4), and then
 * 3 + 2 and 3 + 1 tokens are there, and two more do not fit: b, which came last, is put back. A
 * ends alone at 44 and 56, and b reads its 3 + 1 tokens again, 56..72, and ends at 84 and 96. */
static void the_last_one_is_put_back(void **state)
{
    static const nsec_t ends[] = {15, 32, 32, 44, 56, 72, 84, 96};
    static const uint64_t numbers[] = {0, 0, 1, 0, 0, 1, 1, 1};
    struct batching_options options = {.slots = 8,
                                       .prefill_rate = 1e9,
                                       .step_ns = 10,
                                       .step_sequence_ns = 2,
                                       .kv_tokens = 10,
                                       .kv_full = KV_PREEMPT};
    struct told told = {.count = 0};
    struct batching *batching = batching_new(&options, UINT64_MAX, on_token, &told);
    struct sequence a = sequence_of(3, 4), b = sequence_of(3, 4);
    (void)state;
    told.batching = batching;
    assert_int_equal(arrive(batching, &a, 0), 0);
    assert_int_equal(arrive(batching, &b, 0), 0);
    batching_advance(batching, 40);
    assert_int_equal(batching_preemptions(batching), 1);
    assert_int_equal(batching_waiting(batching), 1);
    assert_int_equal(batching_kv_tokens(batching), 5);
    batching_advance(batching, 1000);
    assert_int_equal(told.count, 8);
    for (size_t i = 0; i < 8; i++) {
        assert_int_equal(told.rows[i].at_ns, ends[i]);
        assert_int_equal(told.rows[i].number, numbers[i]);
    }
    assert_int_equal(batching_preemptions(batching), 1);
    assert_int_equal(batching_kv_tokens(batching), 0);
    batching_free(batching);
}

static void abandoned_sequences_free_their_room(void **state)
{
    struct told told;
    struct batching *batching = make(&told, 2, 100, UINT64_MAX);
    struct sequence a = sequence_of(40, 5), b = sequence_of(40, 5), c = sequence_of(40, 1);
    (void)state;
    assert_int_equal(arrive(batching, &a, 0), 0);
    assert_int_equal(arrive(batching, &b, 0), 0);
    assert_int_equal(arrive(batching, &c, 0), 0);
    batching_advance(batching, 52); /* a alone: 40 + 12 */
    assert_int_equal(told.count, 1);
    told.abandon = &b; /* by a, in the middle of the step's telling */
    batching_advance(batching, 52 + 40 + 14);
    assert_int_equal(told.count, 2);
    assert_int_equal(batching_running(batching), 2);
    assert_true(c.running);
    batching_abandon(batching, &a);
    batching_abandon(batching, &a); /* twice does no harm */
    batching_abandon(batching, &c);
    assert_int_equal(batching_kv_tokens(batching), 0);
    batching_advance(batching, 100000);
    assert_int_equal(batching_boundary(batching), NSEC_NEVER);
    batching_free(batching);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_sequences_by_hand),
        cmocka_unit_test(lateness_does_not_add_up),
        cmocka_unit_test(slots_and_queue_limit),
        cmocka_unit_test(no_queue_still_fills_slots),
        cmocka_unit_test(cache_limits_admission),
        cmocka_unit_test(the_last_one_is_put_back),
        cmocka_unit_test(abandoned_sequences_free_their_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
