/* The testbed in the process of its client, on one loop. Built twice: with VIRTUAL_TIME it runs on
 * the simulated network, where a reply leaves exactly at its departure, and where requests are cut
 * into pieces and connections break as a seed says. */
#include "base/text.h"
#include "net/stream.h"
#include "testbed/testbed.h"

#ifdef VIRTUAL_TIME
#include "net_sim/world.h"
#endif

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { CLIENTS = 8, ENTRIES = 64 };

struct client {
    struct stream stream;
    const char *request;
    struct text reply;
    bool connected, over;
};

struct world {
    struct loop *loop;
    struct testbed *testbed;
    struct client clients[CLIENTS];
    struct testbed_entry entries[ENTRIES];
    size_t entry_count;
};

static void on_served(void *self, const struct testbed_entry *entry)
{
    struct world *world = self;
    assert_true(world->entry_count < ENTRIES);
    world->entries[world->entry_count++] = *entry;
}

static void on_ready(struct stream *stream, unsigned what)
{
    struct client *client = list_entry(stream, struct client, stream);
    char bytes[4096];
    nsec_t rx_ns;
    enum rx_source source;
    if ((what & STREAM_CONNECTED) && !client->connected) {
        client->connected = true;
        size_t count = strlen(client->request);
        assert_int_equal(stream_write(stream, client->request, count), count);
    }
    for (;;) {
        ssize_t count = stream_read(stream, bytes, sizeof bytes, &rx_ns, &source);
        if (count > 0) {
            text_put(&client->reply, (struct span){.at = bytes, .bytes = (size_t)count});
            continue;
        }
        client->over = count != -EAGAIN;
        break;
    }
    if (client->over)
        stream_close(stream, false);
}

static void begin(struct world *world, struct testbed_options *options)
{
    *world = (struct world){.entry_count = 0};
    options->served = on_served;
    options->self = world;
    assert_int_equal(loop_new(&world->loop), 0);
    assert_int_equal(testbed_new(&world->testbed, world->loop, options), 0);
    for (int i = 0; i < CLIENTS; i++)
        world->clients[i].stream.fd = -1;
}

static void end(struct world *world)
{
    for (int i = 0; i < CLIENTS; i++) {
        stream_close(&world->clients[i].stream, false);
        text_fini(&world->clients[i].reply);
    }
    assert_null(testbed_free(world->testbed));
    loop_free(world->loop);
}

static void start(struct world *world, int client, const char *request)
{
    struct net_address address;
    world->clients[client].request = request;
    testbed_address(world->testbed, &address);
    assert_int_equal(
        stream_connect(&world->clients[client].stream, world->loop, &address, NULL, on_ready), 0);
}

/* Turns the loop until this many pieces of work were served, or for_ns is over. */
static void turn(struct world *world, size_t entries, nsec_t for_ns)
{
    nsec_t until_ns = loop_now(world->loop) + for_ns;
    while (world->entry_count < entries && loop_now(world->loop) < until_ns)
        assert_true(loop_turn(world->loop, until_ns) >= 0);
}

#define WORK "GET /work HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n"

/* Eight at once at one server: departures a service apart, each reply after its departure. */
static void departures_are_a_service_apart(void **state)
{
    struct testbed_options options = testbed_defaults();
    struct world world;
    struct testbed_counts counts;
    (void)state;
    options.law.kind = LAW_MD1;
    options.law.service_ns = 5 * NSEC_PER_MSEC;
    begin(&world, &options);
    for (int i = 0; i < CLIENTS; i++)
        start(&world, i, WORK);
    turn(&world, 1, NSEC_PER_SEC);
    testbed_counts(world.testbed, &counts);
    assert_int_equal(counts.arrivals, CLIENTS);
    assert_int_equal(counts.queued + counts.busy, counts.arrivals - counts.departures);
    turn(&world, CLIENTS, 5 * NSEC_PER_SEC);
    assert_int_equal(world.entry_count, CLIENTS);
    for (size_t i = 0; i < CLIENTS; i++) {
        const struct testbed_entry *entry = &world.entries[i];
        assert_int_equal(entry->number, i);
        assert_int_equal(entry->service_ns, 5 * NSEC_PER_MSEC);
        assert_int_equal(entry->departure_ns,
                         world.entries[0].departure_ns + (nsec_t)i * entry->service_ns);
        assert_true(entry->written_ns >= entry->departure_ns);
#ifdef VIRTUAL_TIME
        assert_int_equal(entry->written_ns, entry->departure_ns);
#endif
    }
    turn(&world, SIZE_MAX, 50 * NSEC_PER_MSEC);
    testbed_counts(world.testbed, &counts);
    assert_int_equal(counts.replies, CLIENTS);
    assert_int_equal(counts.open, 0);
    for (int i = 0; i < CLIENTS; i++)
        assert_true(world.clients[i].over && strstr(world.clients[i].reply.at, "200 OK"));
    end(&world);
}

/* Clients that are gone before their departure, and work in flight at the end, leak nothing and
 * harm nothing (the sanitizers watch). */
static void ends_with_work_in_flight(void **state)
{
    struct testbed_options options = testbed_defaults();
    struct world world;
    struct testbed_counts counts;
    (void)state;
    options.law.kind = LAW_MMC;
    options.law.servers = 2;
    options.law.service_ns = NSEC_PER_SEC;
    begin(&world, &options);
    for (int i = 0; i < CLIENTS; i++)
        start(&world, i, "GET /work?service_us=200000 HTTP/1.1\r\nHost: t\r\n\r\n");
    turn(&world, SIZE_MAX, 50 * NSEC_PER_MSEC);
    testbed_counts(world.testbed, &counts);
    assert_int_equal(counts.busy, 2);
    assert_int_equal(counts.queued, CLIENTS - 2);
    for (int i = 0; i < CLIENTS / 2; i++)
        stream_close(&world.clients[i].stream, true);
    turn(&world, 2, NSEC_PER_SEC);
    assert_int_equal(world.entry_count, 2);
    end(&world);
}

#define CHAT                                                                                       \
    "POST /v1/chat/completions HTTP/1.1\r\nHost: t\r\nContent-Length: 71\r\n\r\n"                  \
    "{\"messages\":[{\"content\":\"12345678\"}],\"stream\":true,\"max_tokens\": 3}     "

static void batching_serves_streams_together(void **state)
{
    struct testbed_options options = testbed_defaults();
    struct world world;
    (void)state;
    options.law.kind = LAW_BATCHING;
    options.batching.slots = 4;
    options.batching.step_ns = 5 * NSEC_PER_MSEC;
    options.batching.step_sequence_ns = 0;
    options.batching.prefill_rate = 0;
    begin(&world, &options);
    for (int i = 0; i < 4; i++)
        start(&world, i, CHAT);
    turn(&world, 4, 5 * NSEC_PER_SEC);
    assert_int_equal(world.entry_count, 4);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(world.entries[i].service_ns, 15 * NSEC_PER_MSEC);
    /* the first began alone, the others one step later */
    assert_int_equal(world.entries[3].departure_ns - world.entries[0].departure_ns,
                     5 * NSEC_PER_MSEC);
    turn(&world, SIZE_MAX, 20 * NSEC_PER_MSEC);
    for (int i = 0; i < 4; i++)
        assert_non_null(strstr(world.clients[i].reply.at, "data: [DONE]\n\n\r\n0\r\n\r\n"));
    end(&world);
}

static void refuses_to_serve_strangers(void **state)
{
    struct testbed_options options = testbed_defaults();
    struct testbed *testbed = NULL;
    struct loop *loop;
    (void)state;
    assert_int_equal(loop_new(&loop), 0);
    options.listen.address = "0.0.0.0";
    assert_int_equal(testbed_new(&testbed, loop, &options), -EPERM);
    options.listen.address = "localhost";
    assert_int_equal(testbed_new(&testbed, loop, &options), -EINVAL);
    assert_null(testbed);
    assert_null(testbed_free(NULL));
    loop_free(loop);
}

#ifdef VIRTUAL_TIME

#define WORK_CHUNKED                                                                               \
    "POST /work?service_us=1000 HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n"             \
    "Connection: close\r\n\r\n5\r\nhello\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n"

/* Rounds of clients over a network that does what the options say. Returns a number that is the
 * same for the same events; answered: replies that came whole. */
static uint64_t play(const struct sim_options *network, int rounds, int *answered)
{
    struct testbed_options options = testbed_defaults();
    struct testbed_counts counts;
    struct world world;
    options.law.kind = LAW_MMC;
    options.law.servers = 2;
    begin(&world, &options);
    sim_configure(world.loop, network);
    for (int round = 0; round < rounds; round++) {
        world.entry_count = 0;
        for (int i = 0; i < CLIENTS; i++)
            start(&world, i, i & 1 ? WORK_CHUNKED : WORK);
        turn(&world, SIZE_MAX, NSEC_PER_SEC);
        for (int i = 0; i < CLIENTS; i++) {
            struct client *client = &world.clients[i];
            const char *body =
                client->reply.at ? strstr(client->reply.at, "\r\n\r\n{\"n\":") : NULL;
            *answered += client->over && body && body[strlen(body) - 1] == '\n';
            stream_close(&client->stream, false);
            text_fini(&client->reply);
            *client = (struct client){.stream.fd = -1};
        }
    }
    testbed_counts(world.testbed, &counts);
    assert_int_equal(counts.arrivals, counts.departures);
    assert_int_equal(counts.busy + counts.queued, 0);
    uint64_t digest = sim_digest(world.loop);
    end(&world);
    return digest;
}

/* However requests are cut into pieces, all are answered; and the same seed is the same run. */
static void pieces_make_whole_requests(void **state)
{
    enum { ROUNDS = 200 };
    struct sim_options network = {.seed = 4,
                                  .delay_ns = 100 * NSEC_PER_USEC,
                                  .jitter_ns = 50 * NSEC_PER_USEC,
                                  .split_share = 1,
                                  .split_gap_ns = 20 * NSEC_PER_USEC};
    int answered = 0, again = 0;
    (void)state;
    uint64_t digest = play(&network, ROUNDS, &answered);
    assert_int_equal(answered, ROUNDS * CLIENTS);
    assert_int_equal(play(&network, ROUNDS, &again), digest);
    network.seed = 5;
    assert_int_not_equal(play(&network, ROUNDS, &again), digest);
}

/* Connections that break, end or fall silent at any byte leave nothing behind in the law. */
static void broken_connections_leave_nothing(void **state)
{
    enum { ROUNDS = 500 };
    struct sim_options network = {.seed = 6,
                                  .delay_ns = 100 * NSEC_PER_USEC,
                                  .split_share = 0.5,
                                  .split_gap_ns = 20 * NSEC_PER_USEC,
                                  .reset_share = 0.3,
                                  .end_share = 0.2,
                                  .silence_share = 0.2,
                                  .fault_bytes = 250};
    int answered = 0;
    (void)state;
    play(&network, ROUNDS, &answered);
    assert_true(answered > ROUNDS * CLIENTS * 3 / 10 - 100 && answered < ROUNDS * CLIENTS * 3 / 4);
}

/* Under continuous batching, in virtual time, to the nanosecond: the first stream is alone in its
 * first step, the others join at its end. */
static void batching_is_exact(void **state)
{
    struct testbed_options options = testbed_defaults();
    struct world world;
    (void)state;
    options.law.kind = LAW_BATCHING;
    options.batching.slots = 2;
    options.batching.prefill_rate = 1000; /* 2 tokens: 2 ms */
    begin(&world, &options);
    for (int i = 0; i < 3; i++)
        start(&world, i, CHAT);
    turn(&world, 3, 5 * NSEC_PER_SEC);
    assert_int_equal(world.entry_count, 3);
    /* Steps of the defaults (10 ms and 1 ms a sequence): 13 (one alone, its prompt), 14 (two, a
     * prompt), 12 (two; the first is done), 14 (the second and the third, its prompt; the second
     * is done), 11 and 11 (the third alone). */
    const nsec_t ends_ms[] = {39, 53, 75}, services_ms[] = {39, 40, 36};
    nsec_t start_ns = world.entries[0].arrival_ns;
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(world.entries[i].number, i);
        assert_int_equal(world.entries[i].departure_ns - start_ns, ends_ms[i] * NSEC_PER_MSEC);
        assert_int_equal(world.entries[i].service_ns, services_ms[i] * NSEC_PER_MSEC);
        assert_int_equal(world.entries[i].written_ns, world.entries[i].departure_ns);
    }
    end(&world);
}

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(departures_are_a_service_apart),
        cmocka_unit_test(ends_with_work_in_flight),
        cmocka_unit_test(batching_serves_streams_together),
        cmocka_unit_test(refuses_to_serve_strangers),
#ifdef VIRTUAL_TIME
        cmocka_unit_test(pieces_make_whole_requests),
        cmocka_unit_test(broken_connections_leave_nothing),
        cmocka_unit_test(batching_is_exact),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
