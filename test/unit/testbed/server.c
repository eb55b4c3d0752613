/* The testbed in the process of its client, on one loop: what a test in virtual time does too. */
#include "base/text.h"
#include "net/stream.h"
#include "testbed/testbed.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(departures_are_a_service_apart),
        cmocka_unit_test(ends_with_work_in_flight),
        cmocka_unit_test(batching_serves_streams_together),
        cmocka_unit_test(refuses_to_serve_strangers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
