/* The preset l4-gemma3-4b in virtual time against what was measured on the machine that it stands
 * for: users without think time, each on a connection of its own that it keeps.
 *
 *   Source   the requirements' figures for Gemma 3 4B on an NVIDIA L4: 10 users about 1.4 s, 50
 *            users about 6.2 s on one replica; 50 users over 10 replicas with 8 parallel slots
 *            about 2.7 s. The bound is 10 %.
 *
 * The same law over evenly spread connections gives less than half of the 2.7 s: checked too, since
 * it is why the preset has a balancer that is uneven. */
#include "testbed/balance.h"
#include "testbed/batching.h"

#include "base/memory.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { PROMPT_TOKENS = 32, USERS_MOST = 50, REPLICAS_MOST_HERE = 10 };

static const nsec_t WARM_NS = 60 * NSEC_PER_SEC, END_NS = 660 * NSEC_PER_SEC;

struct user {
    struct sequence sequence;
    struct batching *batching;
    struct stage *stage;
    struct list over; /* in stage->over: asks again */
};

struct stage {
    struct batching *replicas[REPLICAS_MOST_HERE];
    uint64_t replica_count, tokens, answers;
    struct user users[USERS_MOST];
    struct list over;
    double sum_s;
};

static void on_token(void *self, struct sequence *sequence, nsec_t boundary_ns)
{
    struct stage *stage = self;
    struct user *user = list_entry(sequence, struct user, sequence);
    if (sequence->made < sequence->tokens)
        return;
    if (boundary_ns > WARM_NS && boundary_ns <= END_NS) {
        stage->answers++;
        stage->sum_s += (double)(boundary_ns - sequence->arrival_ns) / 1e9;
    }
    list_append(&stage->over, &user->over);
}

static void ask(struct user *user, nsec_t now_ns)
{
    user->sequence.prompt_tokens = PROMPT_TOKENS;
    user->sequence.tokens = user->stage->tokens;
    assert_int_equal(batching_arrive(user->batching, &user->sequence, now_ns), 0);
}

/* One step of the machine whose step ends first. */
static void step(struct stage *stage)
{
    uint64_t next = 0;
    for (uint64_t i = 1; i < stage->replica_count; i++) {
        if (batching_boundary(stage->replicas[i]) < batching_boundary(stage->replicas[next]))
            next = i;
    }
    nsec_t boundary_ns = batching_boundary(stage->replicas[next]);
    batching_advance(stage->replicas[next], boundary_ns);
    struct list *node;
    while ((node = list_take(&stage->over)))
        ask(list_entry(node, struct user, over), boundary_ns);
}

static nsec_t first_boundary(const struct stage *stage)
{
    nsec_t first_ns = NSEC_NEVER;
    for (uint64_t i = 0; i < stage->replica_count; i++) {
        nsec_t boundary_ns = batching_boundary(stage->replicas[i]);
        first_ns = boundary_ns < first_ns ? boundary_ns : first_ns;
    }
    return first_ns;
}

/* The mean answer time in seconds. */
static double play(uint64_t users, uint64_t replicas, double skew)
{
    struct testbed_options options;
    struct stage *stage = memory_new(1, sizeof *stage);
    assert_int_equal(testbed_preset("l4-gemma3-4b", &options), 0);
    struct balance *balance =
        balance_new(replicas, skew < 0 ? options.batching.balance_skew : skew);
    stage->replica_count = replicas;
    stage->tokens = options.chat.tokens;
    list_init(&stage->over);
    for (uint64_t i = 0; i < replicas; i++)
        stage->replicas[i] = batching_new(&options.batching, UINT64_MAX, on_token, stage);
    for (uint64_t i = 0; i < users; i++) {
        struct user *user = &stage->users[i];
        list_init(&user->sequence.node);
        list_init(&user->over);
        user->stage = stage;
        user->batching = stage->replicas[balance_next(balance)];
        ask(user, NSEC_PER_SEC + (nsec_t)i * 37 * NSEC_PER_MSEC);
    }
    while (first_boundary(stage) < END_NS)
        step(stage);
    for (uint64_t i = 0; i < users; i++)
        batching_abandon(stage->users[i].batching, &stage->users[i].sequence);
    for (uint64_t i = 0; i < replicas; i++)
        batching_free(stage->replicas[i]);
    balance_free(balance);
    double mean_s = stage->sum_s / (double)stage->answers;
    free(stage);
    return mean_s;
}

static void l4_gemma3_4b_answers_as_measured(void **state)
{
    static const struct {
        uint64_t users, replicas;
        double measured_s;
    } rows[] = {{10, 1, 1.4}, {50, 1, 6.2}, {50, 10, 2.7}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        double mean_s = play(rows[i].users, rows[i].replicas, -1);
        print_message("%2llu users, %2llu replicas: %.3f s, measured %.1f s\n",
                      (unsigned long long)rows[i].users, (unsigned long long)rows[i].replicas,
                      mean_s, rows[i].measured_s);
        assert_true(fabs(mean_s - rows[i].measured_s) < 0.1 * rows[i].measured_s);
    }
}

static void an_even_balancer_would_give_less_than_half(void **state)
{
    (void)state;
    double mean_s = play(50, 10, 0);
    print_message("50 users, 10 replicas, evenly: %.3f s\n", mean_s);
    assert_true(mean_s < 2.7 / 2);
    assert_true(mean_s > 0.42 + 48 * 0.010); /* overhead and 48 steps of at least the base */
}

/* Users on one saturated machine see users times the step over what the slots give (Little). */
static void a_saturated_machine_follows_littles_law(void **state)
{
    struct testbed_options options;
    (void)state;
    assert_int_equal(testbed_preset("l4-gemma3-4b", &options), 0);
    const struct batching_options *batching = &options.batching;
    double slots = (double)batching->slots, tokens = (double)options.chat.tokens;
    double step_s =
        (double)batching->step_ns / 1e9 + slots * (double)batching->step_sequence_ns / 1e9;
    double answer_s = tokens * step_s + slots * PROMPT_TOKENS / batching->prefill_rate;
    double expected_s = 50 / (slots / answer_s);
    assert_true(fabs(play(50, 1, 0) - expected_s) < 0.02 * expected_s);
}

static void the_balancer_keeps_to_its_shares(void **state)
{
    uint64_t counts[10] = {0};
    double sum = 0;
    struct balance *balance = balance_new(10, 1);
    (void)state;
    for (int i = 1; i <= 10; i++)
        sum += 1.0 / i;
    for (int n = 1; n <= 1000; n++) {
        counts[balance_next(balance)]++;
        for (int i = 0; i < 10; i++)
            assert_true(fabs((double)counts[i] - n / (i + 1.0) / sum) < 1.5);
    }
    balance_free(balance);
    balance = balance_new(4, 0);
    for (uint64_t n = 0; n < 40; n++)
        assert_int_equal(balance_next(balance), n % 4);
    balance_free(balance);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(l4_gemma3_4b_answers_as_measured),
        cmocka_unit_test(an_even_balancer_would_give_less_than_half),
        cmocka_unit_test(a_saturated_machine_follows_littles_law),
        cmocka_unit_test(the_balancer_keeps_to_its_shares),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
