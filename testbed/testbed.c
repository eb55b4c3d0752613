/* The server as a whole: made, listening, counted, ended; see testbed.h. */
#include "testbed/testbed.h"

#include "base/memory.h"
#include "testbed/connection.h"
#include "testbed/limits.h"
#include "testbed/mcp.h"
#include "testbed/pool.h"
#include "testbed/replica.h"
#include "testbed/session.h"
#include "testbed/station.h"
#include "testbed/tools.h"
#include "testbed/vectors.h"
#include "testbed/worker.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

enum { BACKLOG = 4096 };

struct testbed_options testbed_defaults(void)
{
    return (struct testbed_options){
        .listen = {.address = "127.0.0.1",
                   .most_connections = UINT64_MAX,
                   .body_bytes = UINT64_C(8) << 20},
        .law = {.service_ns = 10 * NSEC_PER_MSEC,
                .queue_limit = UINT64_MAX,
                .full_status = 503,
                .seed = 1},
        .batching = {.slots = 8,
                     .prefill_rate = 8000,
                     .step_ns = 10 * NSEC_PER_MSEC,
                     .step_sequence_ns = NSEC_PER_MSEC,
                     .replicas = 1,
                     .gpu = {.memory_bytes = UINT64_C(24) << 30,
                             .weights_bytes = UINT64_C(8) << 30,
                             .kv_token_bytes = UINT64_C(128) << 10,
                             .idle_watts = 16,
                             .busy_watts = 72}},
        .chat = {.tokens = 16},
        .platform = {.database = {.service_ns = 2 * NSEC_PER_MSEC, .servers = 10},
                     .answer = {.service_ns = 0},
                     .research = {.service_ns = 200 * NSEC_PER_MSEC, .servers = 16},
                     .synthesis = {.service_ns = 400 * NSEC_PER_MSEC, .servers = 16},
                     .vectors = 100000,
                     .dimensions = 128,
                     .compute_threads = 1,
                     .search_rate = 5e9,
                     .embed_token_ns = 10 * NSEC_PER_USEC,
                     .tool_limit = 4,
                     .tool_queue = UINT64_MAX,
                     .sandbox_in = "/tmp",
                     .mcp_sessions = 10000},
        .fault = {.stall_ns = NSEC_PER_SEC, .slow_gap_ns = 10 * NSEC_PER_MSEC, .seed = 1},
    };
}

static void on_accept(struct listener *listener)
{
    struct door *door = list_entry(listener, struct door, listener);
    while (connection_accept(door) == 0)
        continue;
    testbed_bury(door->testbed);
}

static bool is_loopback(const struct net_address *address)
{
    const struct sockaddr *any = (const struct sockaddr *)&address->storage;
    if (any->sa_family == AF_INET) {
        const struct sockaddr_in *four = (const struct sockaddr_in *)&address->storage;
        return ntohl(four->sin_addr.s_addr) >> 24 == 127;
    }
    if (any->sa_family == AF_INET6) {
        const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)&address->storage;
        return IN6_IS_ADDR_LOOPBACK(&six->sin6_addr);
    }
    return true; /* a Unix socket is guarded by its file */
}

static int open_door(struct testbed *testbed, const char *name, uint16_t port, unsigned roles)
{
    const struct testbed_listen *listen = &testbed->options.listen;
    struct door *door = &testbed->doors[testbed->door_count];
    struct net_address address;
    int error;
    door->testbed = testbed;
    door->name = name;
    door->roles = roles ? roles : ROLE_ALL;
    door->listener.fd = -1;
    if (listen->unix_path) {
        struct text path = TEXT_EMPTY;
        text_printf(&path, "unix:%s", listen->unix_path);
        error = net_address_read(path.at, 0, &address);
        text_fini(&path);
    } else {
        error = net_address_read(listen->address, port, &address);
    }
    if (error)
        return error;
    if (!is_loopback(&address) && !listen->token)
        return -EPERM;
    error = listener_open(&door->listener, testbed->loop, &address, BACKLOG, false, on_accept);
    if (error == 0)
        testbed->door_count++;
    return error;
}

static int open_doors(struct testbed *testbed)
{
    const struct testbed_listen *listen = &testbed->options.listen;
    int error = open_door(testbed, "testbed", listen->port, listen->roles);
    for (uint64_t i = 0; i < listen->more_count && !error && !listen->unix_path; i++)
        error =
            open_door(testbed, listen->more[i].name, listen->more[i].port, listen->more[i].roles);
    return error;
}

int testbed_new(struct testbed **out, struct loop *loop, const struct testbed_options *options)
{
    struct testbed *testbed = memory_new(1, sizeof *testbed);
    testbed->loop = loop;
    testbed->made_ns = loop_now(loop);
    testbed->options = *options;
    testbed->token = memory_copy_text(options->listen.token);
    list_init(&testbed->connections);
    list_init(&testbed->dead);
    list_init(&testbed->spare);
    testbed->law = law_new(&options->law);
    replicas_init(testbed);
    testbed->stations = memory_new(STATION_COUNT, sizeof *testbed->stations);
    stations_init(testbed);
    testbed->vectors = vectors_new(options->law.seed, options->platform.vectors,
                                   options->platform.dimensions, options->platform.nearest);
    if (options->platform.vectors_at_start)
        vectors_prepare(testbed->vectors);
    testbed->compute = pool_new(loop, (unsigned)options->platform.compute_threads);
    if (options->limit.processors > 0)
        pool_limit(testbed->compute, options->limit.processors);
    limits_init(testbed);
    testbed->sessions = sessions_new(options->law.seed, options->platform.mcp_sessions);
    testbed->tools = pool_new(loop, (unsigned)options->platform.tool_limit);
    faults_init(&testbed->faults, &options->fault);
    testbed->metrics = metrics_new();
    testbed->read_buffer = memory_new(READ_BYTES, 1);
    int error = open_doors(testbed);
    if (error) {
        testbed_free(testbed);
        return error;
    }
    testbed->toolbox = toolbox_new(testbed);
    *out = testbed;
    return 0;
}

/* Work whose client has gone, or goes now, ends without its departure. */
static void end_connections(struct testbed *testbed)
{
    struct list *node;
    testbed->options.served = NULL;
    while ((node = list_take(&testbed->connections))) {
        struct connection *connection = list_entry(node, struct connection, node);
        connection_end(connection, true);
        if (connection->working) {
            worker_end(connection);
            law_leave(connection->station ? connection->station->law : testbed->law,
                      &connection->work);
            timer_stop(testbed->loop, &connection->timer);
            list_remove(&connection->node);
            list_append(&testbed->dead, &connection->node);
        }
    }
    testbed_bury(testbed);
}

struct testbed *testbed_free(struct testbed *testbed)
{
    struct list *node;
    if (!testbed)
        return NULL;
    for (uint64_t i = 0; i < testbed->door_count; i++)
        listener_close(&testbed->doors[i].listener);
    end_connections(testbed);
    pool_free(testbed->compute);
    pool_free(testbed->tools);
    toolbox_free(testbed->toolbox);
    mcp_end(testbed);
    vectors_free(testbed->vectors);
    while ((node = list_take(&testbed->spare))) {
        struct connection *connection = list_entry(node, struct connection, node);
        text_fini(&connection->in);
        text_fini(&connection->out);
        free(connection);
    }
    law_free(testbed->law);
    stations_fini(testbed);
    free(testbed->stations);
    replicas_fini(testbed);
    metrics_free(testbed->metrics);
    text_fini(&testbed->scratch);
    free(testbed->read_buffer);
    free(testbed->token);
    free(testbed);
    return NULL;
}

void testbed_address(const struct testbed *testbed, struct net_address *out)
{
    listener_address(&testbed->doors[0].listener, out);
}

const char *testbed_door(const struct testbed *testbed, uint64_t index, struct net_address *out)
{
    if (index >= testbed->door_count)
        return NULL;
    listener_address(&testbed->doors[index].listener, out);
    return testbed->doors[index].name;
}

void testbed_counts(struct testbed *testbed, struct testbed_counts *out)
{
    nsec_t now_ns = loop_now(testbed->loop);
    *out = (struct testbed_counts){
        .connections = testbed->connections_count,
        .open = testbed->open,
        .requests = testbed->requests,
        .replies = testbed->replies,
        .arrivals = law_arrivals(testbed->law),
        .refused = testbed->refused,
        .departures = testbed->departures,
        .abandoned = testbed->abandoned,
        .busy = law_busy(testbed->law, now_ns),
        .queued = law_queued(testbed->law, now_ns),
        .faults = testbed->faults.struck,
    };
    replicas_count(testbed, out);
}
