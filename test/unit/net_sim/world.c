/* The simulated network: exact delays, the same story for the same seed, and every misfortune that
 * it can be told to bring. */
#include "net_sim/world.h"
#include "talk.h"

static void test_delays_exact(void **state)
{
    (void)state;
    const nsec_t delay = 250 * NSEC_PER_USEC;
    struct loop *loop = new_loop(&(struct sim_options){.delay_ns = delay});
    struct server server = {.echoes = true};
    open_server(&server, loop, 80);
    nsec_t start = loop_now(loop);
    struct talker *client = dial(loop, 80);
    turn(loop, start + NSEC_PER_SEC);
    assert_int_equal(loop_now(loop), start + NSEC_PER_SEC); /* waited for nothing */
    assert_int_equal(client->connected_ns, start + 2 * delay);
    nsec_t said = loop_now(loop);
    assert_int_equal(stream_write(&client->stream, "hello", 5), 5);
    rest(loop);
    assert_int_equal(only_talker(&server)->first_ns, said + delay);
    assert_int_equal(client->first_ns, said + 2 * delay);
    assert_int_equal(client->got_bytes, 5);
    assert_memory_equal(client->got, "hello", 5);
    stream_close(&only_talker(&server)->stream, false);
    nsec_t closed = loop_now(loop);
    rest(loop);
    assert_int_equal(client->closed_ns, closed + delay);
    assert_int_equal(client->last, 0);
    talker_free(client);
    close_server(&server);
    loop_free(loop);
}

static void test_bandwidth(void **state)
{
    (void)state;
    struct loop *loop = new_loop(&(struct sim_options){.bytes_per_second = 1e6, .delay_ns = 7});
    struct server server = {.echoes = false};
    char kilobyte[1000] = {1};
    open_server(&server, loop, 80);
    struct talker *client = dial(loop, 80);
    rest(loop);
    nsec_t said = loop_now(loop);
    for (int i = 0; i < 10; i++)
        stream_write(&client->stream, kilobyte, sizeof kilobyte);
    rest(loop);
    assert_int_equal(only_talker(&server)->first_ns, said + NSEC_PER_MSEC + 7);
    assert_int_equal(loop_now(loop), said + 10 * NSEC_PER_MSEC + 7);
    assert_int_equal(only_talker(&server)->got_bytes, 10000);
    talker_free(client);
    close_server(&server);
    loop_free(loop);
}

/* Two who send a kilobyte each over a link of 1 MB/s: the second one waits for the first. */
static void test_shared_link(void **state)
{
    (void)state;
    struct loop *loop = new_loop(&(struct sim_options){.link_bytes_per_second = 1e6});
    struct server server = {.echoes = true};
    char kilobyte[1000] = {1};
    struct talker *clients[2];
    open_server(&server, loop, 80);
    for (int i = 0; i < 2; i++)
        clients[i] = dial(loop, 80);
    rest(loop);
    nsec_t said = loop_now(loop);
    for (int i = 0; i < 2; i++)
        stream_write(&clients[i]->stream, kilobyte, sizeof kilobyte);
    rest(loop);
    /* There in 1 and 2 ms; the way back is a link of its own. */
    assert_int_equal(clients[0]->first_ns, said + 2 * NSEC_PER_MSEC);
    assert_int_equal(clients[1]->first_ns, said + 3 * NSEC_PER_MSEC);
    for (int i = 0; i < 2; i++)
        talker_free(clients[i]);
    close_server(&server);
    loop_free(loop);
}

/* Two clients on a processor that needs 1 ms a piece: the first piece leaves after 1 ms, the second
 * after 2; the first reply, there since 1 ms, is taken up at 2, the second one at 3; and of 10 ms
 * four were work. Servers are not held up. */
static void test_busy_clients(void **state)
{
    (void)state;
    struct loop *loop = new_loop(&(struct sim_options){.client_ns = NSEC_PER_MSEC});
    struct server server = {.echoes = true};
    struct talker *clients[2];
    nsec_t asleep_ns, lag_ns;
    open_server(&server, loop, 80);
    for (int i = 0; i < 2; i++)
        clients[i] = dial(loop, 80);
    rest(loop);
    nsec_t said = loop_now(loop);
    loop_usage(loop, &asleep_ns, &lag_ns);
    for (int i = 0; i < 2; i++)
        stream_write(&clients[i]->stream, "hello", 5);
    turn(loop, said + 10 * NSEC_PER_MSEC);
    assert_int_equal(clients[0]->first_ns, said + 2 * NSEC_PER_MSEC);
    assert_int_equal(clients[1]->first_ns, said + 3 * NSEC_PER_MSEC);
    loop_usage(loop, &asleep_ns, &lag_ns);
    assert_int_equal(asleep_ns, 6 * NSEC_PER_MSEC);
    assert_int_equal(lag_ns, NSEC_PER_MSEC);
    for (int i = 0; i < 2; i++)
        talker_free(clients[i]);
    close_server(&server);
    loop_free(loop);
}

/* The byte that stands at a place of what everybody says. */
static char said_at(size_t at)
{
    return (char)(at * 7 + at / 251);
}

/* A long conversation of many with an echo under these options. Gives the digest. */
static uint64_t converse(const struct sim_options *options, struct sim_counts *counts)
{
    enum { CLIENTS = 40, ROUNDS = 30 };
    struct loop *loop = new_loop(options);
    struct server server = {.echoes = true};
    struct talker *clients[CLIENTS];
    size_t said[CLIENTS] = {0};
    open_server(&server, loop, 80);
    for (int i = 0; i < CLIENTS; i++)
        clients[i] = dial(loop, 80);
    for (int round = 0; round < ROUNDS; round++) {
        turn(loop, loop_now(loop) + NSEC_PER_MSEC);
        for (int i = 0; i < CLIENTS; i++) {
            char words[300];
            size_t bytes = (size_t)(1 + (round * 31 + i * 17) % 299);
            for (size_t k = 0; k < bytes; k++)
                words[k] = said_at(said[i] + k);
            if (stream_write(&clients[i]->stream, words, bytes) == (ssize_t)bytes)
                said[i] += bytes;
        }
    }
    rest(loop);
    for (int i = 0; i < CLIENTS; i++) {
        assert_true(clients[i]->got_bytes <= said[i]);
        for (size_t k = 0; k < clients[i]->got_bytes; k++)
            assert_int_equal(clients[i]->got[k], said_at(k));
        bool faults = options->reset_share + options->end_share + options->silence_share > 0;
        if (!faults && options->refuse_share == 0)
            assert_int_equal(clients[i]->got_bytes, said[i]);
        talker_free(clients[i]);
    }
    close_server(&server);
    uint64_t digest = sim_digest(loop);
    sim_counts(loop, counts);
    loop_free(loop);
    return digest;
}

static void test_determinism(void **state)
{
    (void)state;
    const struct sim_options worlds[] = {
        {.seed = 1, .delay_ns = 100},
        {.seed = 1, .delay_ns = 1000, .jitter_ns = 500000},
        {.seed = 1, .jitter_ns = 1000, .split_share = 0.5, .split_gap_ns = 1000},
        {.seed = 1, .split_share = 1, .reset_share = 0.2, .end_share = 0.2, .silence_share = 0.2},
        {.seed = 1, .jitter_ns = 1000, .refuse_share = 0.5},
    };
    for (size_t i = 0; i < sizeof worlds / sizeof *worlds; i++) {
        struct sim_counts first, second, third;
        struct sim_options other = worlds[i];
        other.seed = 2;
        uint64_t digest = converse(&worlds[i], &first);
        assert_int_equal(converse(&worlds[i], &second), digest);
        assert_memory_equal(&first, &second, sizeof first);
        if (i > 0)
            assert_true(converse(&other, &third) != digest);
        print_message("world %zu: %llu arrivals, %llu faults, %llu refused\n", i,
                      (unsigned long long)first.arrivals, (unsigned long long)first.faults,
                      (unsigned long long)first.refused);
    }
}

static void test_splitting(void **state)
{
    (void)state;
    struct sim_counts whole, cut;
    converse(&(struct sim_options){.seed = 3}, &whole);
    converse(&(struct sim_options){.seed = 3, .split_share = 1, .split_gap_ns = 50}, &cut);
    assert_true(cut.bytes == whole.bytes);
    assert_true(cut.arrivals > 2 * whole.arrivals);
}

/* Each kind of fault, on all connections: each client sees its own sign of it. */
static void test_faults(void **state)
{
    (void)state;
    enum { CLIENTS = 200 };
    for (int kind = 0; kind < 3; kind++) {
        struct sim_options options = {.seed = 9, .delay_ns = 10, .fault_bytes = 50};
        options.reset_share = kind == 0;
        options.end_share = kind == 1;
        options.silence_share = kind == 2;
        struct loop *loop = new_loop(&options);
        struct server server = {.echoes = true};
        struct talker *clients[CLIENTS];
        struct sim_counts counts;
        char words[100];
        memset(words, 'w', sizeof words);
        open_server(&server, loop, 80);
        for (int i = 0; i < CLIENTS; i++)
            clients[i] = dial(loop, 80);
        rest(loop);
        for (int i = 0; i < CLIENTS; i++)
            assert_int_equal(stream_write(&clients[i]->stream, words, sizeof words), 100);
        rest(loop);
        size_t some = 0, ends = 0;
        for (int i = 0; i < CLIENTS; i++) {
            assert_true(clients[i]->got_bytes < 50); /* never all of the echo */
            some += clients[i]->got_bytes > 0;
            ends += clients[i]->last == 0 && clients[i]->seen & STREAM_CLOSED;
            if (kind == 2)
                assert_int_equal(clients[i]->seen & STREAM_CLOSED, 0);
            else
                assert_true(clients[i]->seen & STREAM_CLOSED);
            if (kind == 0)
                assert_int_equal(clients[i]->last, -ECONNRESET);
            if (kind == 0)
                assert_int_equal(stream_write(&clients[i]->stream, words, 1), -EPIPE);
            talker_free(clients[i]);
        }
        sim_counts(loop, &counts);
        assert_int_equal(counts.faults, CLIENTS);
        assert_true(some > 50); /* those whose replies are hit get some of them */
        assert_true(kind == 1 ? ends > 50 : ends == 0);
        rest(loop);
        close_server(&server);
        loop_free(loop);
    }
}

static void test_refused(void **state)
{
    (void)state;
    struct loop *loop = new_loop(&(struct sim_options){.delay_ns = 100});
    nsec_t start = loop_now(loop);
    struct talker *nobody = dial(loop, 81);
    rest(loop);
    assert_int_equal(nobody->seen, STREAM_CLOSED);
    assert_int_equal(nobody->closed_ns, start + 200);
    assert_int_equal(stream_error(&nobody->stream), -ECONNREFUSED);
    talker_free(nobody);
    sim_configure(loop, &(struct sim_options){.seed = 4, .refuse_share = 0.25});
    struct server server = {.echoes = true};
    open_server(&server, loop, 80);
    int refused = 0;
    for (int i = 0; i < 2000; i++) {
        struct talker *client = dial(loop, 80);
        rest(loop);
        refused += stream_error(&client->stream) == -ECONNREFUSED;
        talker_free(client);
    }
    assert_in_range(refused, 420, 580); /* 500 expected, deviation 19.4: four of them */
    close_server(&server);
    loop_free(loop);
}

/* What the peer said before it closed is read to the end; what it did not read makes it a reset. */
static void test_closing(void **state)
{
    (void)state;
    struct loop *loop = new_loop(&(struct sim_options){.delay_ns = 100});
    struct server server = {.ignores = true};
    open_server(&server, loop, 80);
    for (int kind = 0; kind < 4; kind++) {
        struct talker *client = dial(loop, 80);
        rest(loop);
        struct talker *other = only_talker(&server);
        if (kind == 1)
            stream_write(&client->stream, "unread", 6);
        rest(loop);
        assert_int_equal(stream_is_stale(&other->stream), kind == 1);
        assert_false(stream_is_stale(&client->stream));
        if (kind == 3)
            stream_write(&client->stream, "crossing", 8);
        stream_write(&other->stream, "goodbye", 7);
        stream_close(&other->stream, kind == 2);
        rest(loop);
        assert_int_equal(client->got_bytes, 7);
        assert_true(client->seen & STREAM_CLOSED);
        assert_true(stream_is_stale(&client->stream));
        nsec_t rx_ns;
        enum rx_source source;
        ssize_t now = stream_read(&client->stream, client->got, 1, &rx_ns, &source);
        assert_int_equal(now, kind == 0 ? 0 : -ECONNRESET);
        if (kind == 0) { /* half closed: a write goes out, and is answered by a reset */
            assert_int_equal(stream_write(&client->stream, "x", 1), 1);
            rest(loop);
            assert_int_equal(stream_write(&client->stream, "x", 1), -EPIPE);
        }
        talker_free(client);
        talker_free(other);
    }
    close_server(&server);
    loop_free(loop);
}

static void test_window(void **state)
{
    (void)state;
    struct loop *loop = new_loop(&(struct sim_options){.delay_ns = 100, .window_bytes = 1000});
    struct server server = {.ignores = true};
    char words[3000];
    for (size_t i = 0; i < sizeof words; i++)
        words[i] = said_at(i);
    open_server(&server, loop, 80);
    struct talker *client = dial(loop, 80);
    rest(loop);
    struct talker *other = only_talker(&server);
    size_t sent = 0;
    for (int round = 0; round < 3; round++) {
        assert_int_equal(stream_write(&client->stream, words + sent, sizeof words - sent), 1000);
        sent += 1000;
        if (sent < sizeof words)
            assert_int_equal(stream_write(&client->stream, words + sent, 1), -EAGAIN);
        client->seen = 0;
        rest(loop);
        assert_int_equal(client->seen, 0);
        nsec_t read_ns = loop_now(loop);
        take_all(other);
        rest(loop);
        assert_int_equal(client->seen, sent < sizeof words ? STREAM_WRITABLE : 0);
        assert_int_equal(loop_now(loop), read_ns + (sent < sizeof words ? 100 : 0));
    }
    assert_int_equal(other->got_bytes, 3000);
    assert_memory_equal(other->got, words, 3000);
    talker_free(client);
    close_server(&server);
    loop_free(loop);
}

static void test_listeners(void **state)
{
    (void)state;
    struct loop *loop = new_loop(NULL);
    struct server one = {.echoes = true}, two = {.echoes = true}, any = {.echoes = true};
    struct net_address at = address("127.0.0.1", 90), wild = address("0.0.0.0", 0), six;
    list_init(&one.talkers), list_init(&two.talkers), list_init(&any.talkers);
    assert_int_equal(listener_open(&one.listener, loop, &at, 8, true, on_accepted), 0);
    assert_int_equal(listener_open(&two.listener, loop, &at, 8, false, on_accepted), -EADDRINUSE);
    assert_int_equal(listener_open(&two.listener, loop, &at, 8, true, on_accepted), 0);
    assert_int_equal(listener_open(&any.listener, loop, &wild, 8, false, on_accepted), 0);
    listener_address(&any.listener, &wild);
    char words[64];
    int port = atoi(strrchr(net_address_write(&wild, words, sizeof words), ':') + 1);
    assert_true(port >= 32768);
    struct talker *clients[5];
    for (int i = 0; i < 5; i++) /* two to each of those who share, one to the wild one */
        clients[i] = dial(loop, i < 4 ? 90 : (uint16_t)port);
    rest(loop);
    struct list *lists[] = {&one.talkers, &two.talkers, &any.talkers};
    for (int i = 0; i < 3; i++) {
        int count = 0;
        for (struct list *node = lists[i]->next; node != lists[i]; node = node->next)
            count++;
        assert_int_equal(count, i < 2 ? 2 : 1);
    }
    struct talker *other_family = talker_new(loop);
    six = address("::1", 90);
    stream_connect(&other_family->stream, loop, &six, NULL, on_ready);
    rest(loop);
    assert_int_equal(stream_error(&other_family->stream), -ECONNREFUSED);
    struct net_address path = address("unix:/run/x.sock", 0);
    struct server local = {.echoes = true};
    list_init(&local.talkers);
    assert_int_equal(listener_open(&local.listener, loop, &path, 8, false, on_accepted), 0);
    talker_free(other_family);
    other_family = talker_new(loop);
    stream_connect(&other_family->stream, loop, &path, NULL, on_ready);
    rest(loop);
    assert_int_equal(other_family->seen, STREAM_CONNECTED);
    talker_free(other_family);
    for (int i = 0; i < 5; i++)
        talker_free(clients[i]);
    close_server(&one), close_server(&two), close_server(&any), close_server(&local);
    loop_free(loop);
}

static void never_accepts(struct listener *listener)
{
    (void)listener;
}

/* A full queue answers nothing; the client asks again after a second. */
static void test_full_queue(void **state)
{
    (void)state;
    struct loop *loop = new_loop(NULL);
    struct server server = {.echoes = true};
    struct net_address at = address("127.0.0.1", 80);
    list_init(&server.talkers);
    listener_open(&server.listener, loop, &at, 1, false, never_accepts);
    nsec_t start = loop_now(loop);
    struct talker *first = dial(loop, 80), *second = dial(loop, 80);
    turn(loop, start + 1);
    assert_int_equal(first->seen, STREAM_CONNECTED);
    assert_int_equal(second->seen, 0);
    on_accepted(&server.listener);
    turn(loop, start + 2 * NSEC_PER_SEC);
    assert_int_equal(second->connected_ns, start + NSEC_PER_SEC);
    talker_free(first);
    listener_close(&server.listener); /* the second was never taken: it is reset */
    turn(loop, loop_now(loop) + 1);
    assert_int_equal(second->last, -ECONNRESET);
    talker_free(second);
    close_server(&server);
    loop_free(loop);
}

struct alarm {
    struct timer timer;
    nsec_t fired_ns;
    int *order, place;
};

static void on_alarm(struct timer *timer, nsec_t now_ns)
{
    struct alarm *alarm = list_entry(timer, struct alarm, timer);
    alarm->fired_ns = now_ns;
    alarm->place = (*alarm->order)++;
}

static void test_clock(void **state)
{
    (void)state;
    struct loop *loop = new_loop(NULL);
    int order = 0;
    struct alarm alarms[3];
    const nsec_t ahead[3] = {3600 * NSEC_PER_SEC, 5, NSEC_PER_MSEC};
    nsec_t start = loop_now(loop), asleep, lag;
    assert_true(start > 0);
    assert_int_equal(loop_turn(loop, NSEC_NEVER), -EDEADLK);
    for (int i = 0; i < 3; i++) {
        alarms[i].order = &order;
        timer_init(&alarms[i].timer, on_alarm);
        timer_start(loop, &alarms[i].timer, start + ahead[i]);
    }
    loop_wake(loop);
    assert_int_equal(loop_turn(loop, NSEC_NEVER), 0);
    assert_int_equal(loop_now(loop), start); /* woken: time did not pass */
    rest(loop);
    for (int i = 0; i < 3; i++)
        assert_int_equal(alarms[i].fired_ns, start + ahead[i]);
    assert_int_equal(alarms[1].place, 0);
    assert_int_equal(alarms[0].place, 2);
    loop_usage(loop, &asleep, &lag);
    assert_int_equal(asleep, ahead[0]);
    assert_int_equal(lag, 0);
    struct watch watch = {.fd = 0};
    assert_int_equal(loop_watch(loop, &watch, WATCH_READ), -ENOTSUP);
    loop_free(loop);
}

static void on_answer(struct resolve_query *query, const struct resolve_answer *answer)
{
    (void)query;
    assert_true(answer->error == -ENOENT ? answer->words != NULL : answer->count == 1);
    query->node.next = NULL; /* a sign that it came */
}

static void test_names(void **state)
{
    (void)state;
    struct loop *loop = new_loop(NULL);
    struct resolver *resolver;
    char *fixed[] = {"api.test:80:10.0.0.1"};
    const char *const hosts[] = {"api.test", "127.0.0.1", "unknown.test"};
    assert_int_equal(resolver_new(&resolver, loop, fixed, 1), 0);
    for (int i = 0; i < 3; i++) {
        struct resolve_query query = {.answered = on_answer};
        resolver_ask(resolver, &query, hosts[i], 80);
        assert_null(query.node.next);
    }
    resolver_free(resolver);
    loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_delays_exact), cmocka_unit_test(test_bandwidth),
        cmocka_unit_test(test_shared_link),  cmocka_unit_test(test_busy_clients),
        cmocka_unit_test(test_determinism),  cmocka_unit_test(test_splitting),
        cmocka_unit_test(test_faults),       cmocka_unit_test(test_refused),
        cmocka_unit_test(test_closing),      cmocka_unit_test(test_window),
        cmocka_unit_test(test_listeners),    cmocka_unit_test(test_full_queue),
        cmocka_unit_test(test_clock),        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
