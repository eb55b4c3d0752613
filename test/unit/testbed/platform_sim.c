/* The services around the model on a simulated loop: each reply leaves at the instant that its laws
 * say, to the nanosecond; and broken connections leave nothing behind in any of them. */
#include "base/text.h"
#include "net/stream.h"
#include "net_sim/world.h"
#include "testbed/station.h"
#include "testbed/testbed.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { CLIENTS = 8, REQUEST_ROOM = 1024 };

struct client {
    struct stream stream;
    char request[REQUEST_ROOM];
    struct text reply;
    nsec_t last_ns; /* of its latest byte */
    bool connected, over;
};

struct world {
    struct loop *loop;
    struct testbed *testbed;
    struct client clients[CLIENTS];
    nsec_t begun_ns;
};

static void on_ready(struct stream *stream, unsigned what)
{
    struct client *client = list_entry(stream, struct client, stream);
    char bytes[4096];
    enum rx_source source;
    ssize_t count;
    if ((what & STREAM_CONNECTED) && !client->connected) {
        client->connected = true;
        size_t length = strlen(client->request);
        assert_int_equal(stream_write(stream, client->request, length), length);
    }
    while ((count = stream_read(stream, bytes, sizeof bytes, &client->last_ns, &source)) > 0)
        text_put(&client->reply, (struct span){.at = bytes, .bytes = (size_t)count});
    client->over = count != -EAGAIN;
    if (client->over)
        stream_close(stream, false);
}

static void begin(struct world *world, const struct testbed_options *options)
{
    *world = (struct world){.begun_ns = 0};
    assert_int_equal(loop_new(&world->loop), 0);
    assert_int_equal(testbed_new(&world->testbed, world->loop, options), 0);
    world->begun_ns = loop_now(world->loop);
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

static void start(struct world *world, int index, const char *line, const char *body)
{
    struct client *client = &world->clients[index];
    struct net_address address;
    snprintf(client->request, sizeof client->request,
             "%s HTTP/1.1\r\nHost: t\r\nConnection: close\r\nAccept: application/json, "
             "text/event-stream\r\nContent-Length: %zu\r\n\r\n%s",
             line, strlen(body), body);
    testbed_address(world->testbed, &address);
    assert_int_equal(stream_connect(&client->stream, world->loop, &address, NULL, on_ready), 0);
}

static void turn(struct world *world, nsec_t for_ns)
{
    nsec_t until_ns = loop_now(world->loop) + for_ns;
    while (loop_now(world->loop) < until_ns)
        assert_true(loop_turn(world->loop, until_ns) >= 0);
}

static nsec_t spent(const struct world *world, int index)
{
    return world->clients[index].last_ns - world->begun_ns;
}

static bool says(const struct world *world, int index, const char *words)
{
    const struct text *reply = &world->clients[index].reply;
    return reply->at && strstr(reply->at, words);
}

/* ---- laws -------------------------------------------------------------------------------------
 */

static void a_pool_of_connections_serves_in_turn(void **state)
{
    struct testbed_options options = testbed_defaults();
    struct world world;
    (void)state;
    options.platform.database =
        (struct station_options){.service_ns = 3 * NSEC_PER_MSEC, .servers = 2, .fixed = true};
    begin(&world, &options);
    for (int i = 0; i < 5; i++)
        start(&world, i, "GET /db/query", "");
    turn(&world, NSEC_PER_SEC);
    const nsec_t ends_ms[] = {3, 3, 6, 6, 9};
    for (int i = 0; i < 5; i++)
        assert_int_equal(spent(&world, i), ends_ms[i] * NSEC_PER_MSEC);
    assert_true(says(&world, 4, "\"wait_ns\":6000000,\"service_ns\":3000000"));
    end(&world);
}

static void a_pool_that_is_full_refuses(void **state)
{
    struct testbed_options options = testbed_defaults();
    struct world world;
    (void)state;
    options.platform.database = (struct station_options){
        .service_ns = 3 * NSEC_PER_MSEC, .servers = 2, .fixed = true, .refuses = true};
    begin(&world, &options);
    for (int i = 0; i < 5; i++)
        start(&world, i, "GET /db/query", "");
    turn(&world, NSEC_PER_SEC);
    for (int i = 0; i < 5; i++) {
        assert_true(says(&world, i, i < 2 ? "HTTP/1.1 200" : "HTTP/1.1 503"));
        assert_true(i < 2 || says(&world, i, "too many connections"));
        assert_int_equal(spent(&world, i), i < 2 ? 3 * NSEC_PER_MSEC : 0);
    }
    end(&world);
}

/* One thread: three embeddings of 4 tokens end 4, 8 and 12 token costs after they came. */
static void embeddings_wait_for_their_thread(void **state)
{
    struct testbed_options options = testbed_defaults();
    struct world world;
    (void)state;
    options.platform.embed_token_ns = NSEC_PER_MSEC;
    begin(&world, &options);
    for (int i = 0; i < 3; i++)
        start(&world, i, "POST /embed", "{\"inputs\":\"how deep it lies\"}");
    turn(&world, NSEC_PER_SEC);
    for (int i = 0; i < 3; i++)
        assert_int_equal(spent(&world, i), 4 * (i + 1) * NSEC_PER_MSEC);
    end(&world);
}

/* Embedding, search, database and answer, one after the other. */
static void a_query_passes_four_stages(void **state)
{
    struct testbed_options options = testbed_defaults();
    struct world world;
    (void)state;
    options.platform.vectors = 1000;
    options.platform.embed_token_ns = NSEC_PER_MSEC;
    options.platform.database =
        (struct station_options){.service_ns = 5 * NSEC_PER_MSEC, .servers = 1, .fixed = true};
    options.platform.answer =
        (struct station_options){.service_ns = 70 * NSEC_PER_MSEC, .servers = 1, .fixed = true};
    begin(&world, &options);
    start(&world, 0, "POST /query", "{\"query\":\"how deep\"}");
    turn(&world, NSEC_PER_SEC);
    nsec_t search_ns = 102400; /* 1000 rows of 128 numbers of 4 bytes, at 5 GB/s */
    assert_int_equal(spent(&world, 0), (2 + 5 + 70) * NSEC_PER_MSEC + search_ns);
    assert_true(says(&world, 0,
                     "\"timings_ms\":{\"embed\":2.000,\"search\":0.102,\"database\":5.000,"
                     "\"answer\":70.000}"));
    end(&world);
}

#define CHAT "POST /v1/chat/completions"
#define CHAT_BODY                                                                                  \
    "{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],\"max_tokens\":4,\"stream\":false}"

/* What is not on the GPU goes before it; two replicas do not wait for each other. */
static void replicas_answer_side_by_side(void **state)
{
    struct testbed_options options = testbed_defaults();
    struct world world;
    (void)state;
    options.law.kind = LAW_BATCHING;
    options.batching.slots = 1;
    options.batching.prefill_rate = 0;
    options.batching.step_ns = 10 * NSEC_PER_MSEC;
    options.batching.step_sequence_ns = 0;
    options.batching.overhead_ns = 7 * NSEC_PER_MSEC;
    options.batching.replicas = 2;
    begin(&world, &options);
    for (int i = 0; i < 4; i++)
        start(&world, i, CHAT, CHAT_BODY);
    turn(&world, NSEC_PER_SEC);
    const nsec_t ends_ms[] = {47, 47, 87, 87};
    for (int i = 0; i < 4; i++)
        assert_int_equal(spent(&world, i), ends_ms[i] * NSEC_PER_MSEC);
    end(&world);
}

/* ---- limits to be planted ---------------------------------------------------------------------
 */

static void work_of_10_ms(struct testbed_options *options)
{
    *options = testbed_defaults();
    options->law.kind = LAW_FIXED;
    options->law.service_ns = 10 * NSEC_PER_MSEC;
}

/* Two sessions: five pieces of work of 10 ms end in pairs. */
static void sessions_queue_before_the_balancer(void **state)
{
    struct testbed_options options;
    struct world world;
    (void)state;
    work_of_10_ms(&options);
    options.limit.sessions = 2;
    begin(&world, &options);
    for (int i = 0; i < 5; i++)
        start(&world, i, "GET /work", "");
    turn(&world, 5 * NSEC_PER_MSEC);
    start(&world, 5, "GET /metrics", "");
    turn(&world, NSEC_PER_SEC);
    for (int i = 0; i < 5; i++)
        assert_int_equal(spent(&world, i), (10 + i / 2 * 10) * NSEC_PER_MSEC);
    assert_true(says(&world, 5, "haproxy_backend_current_queue{proxy=\"work\"} 3\n"));
    assert_true(says(&world, 5, "haproxy_frontend_current_sessions{proxy=\"work\"} 5\n"));
    end(&world);
}

/* One session: who goes away keeps the place, as everywhere in the law, and gives it on in the end.
 */
static void sessions_of_those_who_went_are_given_on(void **state)
{
    struct testbed_options options;
    struct world world;
    (void)state;
    work_of_10_ms(&options);
    options.limit.sessions = 1;
    begin(&world, &options);
    for (int i = 0; i < 4; i++)
        start(&world, i, "GET /work", "");
    turn(&world, 5 * NSEC_PER_MSEC);
    stream_close(&world.clients[0].stream, false);
    stream_close(&world.clients[1].stream, false);
    turn(&world, NSEC_PER_SEC);
    assert_int_equal(spent(&world, 2), 30 * NSEC_PER_MSEC);
    assert_int_equal(spent(&world, 3), 40 * NSEC_PER_MSEC);
    end(&world);
}

/* 100 bytes, 40 of them always there and 30 for each request: the third one fails. */
static void memory_runs_out(void **state)
{
    struct testbed_options options;
    struct world world;
    (void)state;
    work_of_10_ms(&options);
    options.limit.memory_bytes = 100;
    options.limit.base_bytes = 40;
    options.limit.request_bytes = 30;
    begin(&world, &options);
    for (int i = 0; i < 3; i++)
        start(&world, i, "GET /work", "");
    turn(&world, 5 * NSEC_PER_MSEC);
    start(&world, 3, "GET /metrics", "");
    turn(&world, 10 * NSEC_PER_MSEC);
    start(&world, 4, "GET /work", "");
    turn(&world, NSEC_PER_SEC);
    for (int i = 0; i < 5; i++)
        assert_true(says(&world, i, i == 2 ? "HTTP/1.1 500" : "HTTP/1.1 200"));
    assert_int_equal(spent(&world, 2), 0);
    assert_true(says(&world, 3, "container=\"testbed\"} 100\n"));
    end(&world);
}

/* Work of 10 ms each at once, then 5 ms each, one after the other, at the service behind. */
static void work_asks_the_service_behind(void **state)
{
    struct testbed_options options;
    struct world world;
    (void)state;
    work_of_10_ms(&options);
    options.platform.upstream =
        (struct station_options){.service_ns = 5 * NSEC_PER_MSEC, .servers = 1, .fixed = true};
    begin(&world, &options);
    for (int i = 0; i < 3; i++)
        start(&world, i, "GET /work", "");
    turn(&world, NSEC_PER_SEC);
    for (int i = 0; i < 3; i++)
        assert_int_equal(spent(&world, i), (15 + 5 * i) * NSEC_PER_MSEC);
    end(&world);
}

/* Half a processor: of 60 ms of work 50 fit into the first period, which begins with the world. */
static void a_quota_holds_the_compute_threads(void **state)
{
    struct testbed_options options = testbed_defaults();
    struct world world;
    (void)state;
    options.platform.embed_token_ns = 15 * NSEC_PER_MSEC;
    options.platform.compute_threads = 2;
    options.limit.processors = 0.5;
    begin(&world, &options);
    start(&world, 0, "POST /embed", "{\"inputs\":\"how deep it lies\"}");
    turn(&world, NSEC_PER_SEC);
    assert_int_equal(spent(&world, 0), 110 * NSEC_PER_MSEC);
    start(&world, 1, "GET /metrics", "");
    turn(&world, NSEC_PER_SEC);
    assert_true(says(&world, 1, "\nprocess_cpu_seconds_total 0.06\n"));
    assert_true(says(&world, 1, "container_cpu_cfs_throttled_periods_total{namespace="));
    end(&world);
}

/* Twenty a second, those of a quarter of a second at once: five of eight, and one more soon. */
static void a_rate_is_limited(void **state)
{
    struct testbed_options options = testbed_defaults();
    struct world world;
    (void)state;
    options.law.rate_limit = 20;
    begin(&world, &options);
    for (int i = 0; i < 8; i++)
        start(&world, i, "GET /work", "");
    turn(&world, 51 * NSEC_PER_MSEC);
    for (int i = 0; i < 8; i++)
        assert_true(says(&world, i, i < 5 ? "HTTP/1.1 200" : "HTTP/1.1 429"));
    for (int i = 6; i < 8; i++) {
        text_fini(&world.clients[i].reply);
        world.clients[i] = (struct client){.stream.fd = -1};
        start(&world, i, "GET /work", "");
    }
    turn(&world, NSEC_PER_MSEC);
    assert_true(says(&world, 6, "HTTP/1.1 200") && says(&world, 7, "HTTP/1.1 429"));
    end(&world);
}

/* 100 rows of 128 numbers at 5.12 MB a second: 10 ms each, one after another, all counted. */
static void searches_share_the_memory(void **state)
{
    struct testbed_options options = testbed_defaults();
    struct world world;
    char body[REQUEST_ROOM / 2] = "{\"limit\":1,\"vector\":[1";
    (void)state;
    options.platform.vectors = 100;
    options.platform.memory_bandwidth = 5120000;
    for (int i = 1; i < 128; i++)
        strcat(body, ",1");
    strcat(body, "]}");
    begin(&world, &options);
    for (int i = 0; i < 3; i++)
        start(&world, i, "POST /collections/default/points/search", body);
    turn(&world, NSEC_PER_SEC);
    nsec_t first_ns = spent(&world, 0);
    for (int i = 0; i < 3; i++) {
        assert_true(says(&world, i, "HTTP/1.1 200"));
        assert_int_equal(spent(&world, i) - first_ns, i * 10 * NSEC_PER_MSEC);
    }
    start(&world, 3, "GET /metrics", "");
    turn(&world, NSEC_PER_MSEC);
    assert_true(says(&world, 3, "DRAM_Reads{aggregate=\"system\",source=\"uncore\"} 153600\n"));
    end(&world);
}

/* Room for two sequences of 3 tokens beside the weights: the third is refused at once. */
static void a_gpu_runs_out_of_memory(void **state)
{
    struct testbed_options options = testbed_defaults();
    struct world world;
    (void)state;
    options.law.kind = LAW_BATCHING;
    options.batching.gpu.weights_bytes = 1000;
    options.batching.gpu.kv_token_bytes = 100;
    options.batching.gpu.memory_bytes = 1600;
    options.batching.gpu.fails = true;
    begin(&world, &options);
    for (int i = 0; i < 3; i++)
        start(&world, i, "POST /v1/chat/completions",
              "{\"max_tokens\":2,\"messages\":[{\"role\":\"user\",\"content\":\"four\"}]}");
    turn(&world, NSEC_PER_SEC);
    for (int i = 0; i < 3; i++)
        assert_true(says(&world, i, i < 2 ? "HTTP/1.1 200" : "HTTP/1.1 500"));
    assert_true(says(&world, 2, "out of memory"));
    end(&world);
}

/* ---- MCP --------------------------------------------------------------------------------------
 */

static void progress_comes_before_the_reply(void **state)
{
    struct testbed_options options = testbed_defaults();
    struct world world;
    char line[REQUEST_ROOM / 2];
    (void)state;
    begin(&world, &options);
    start(&world, 0, "POST /mcp",
          "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":"
          "{\"protocolVersion\":\"2025-06-18\"}}");
    turn(&world, NSEC_PER_SEC);
    assert_true(says(&world, 0, "\"protocolVersion\":\"2025-06-18\""));
    const char *id = strstr(world.clients[0].reply.at, "Mcp-Session-Id: ");
    assert_non_null(id);
    snprintf(line, sizeof line, "POST /mcp HTTP/1.1\r\nMcp-Session-Id: %.36s\r\nX:", id + 16);
    start(&world, 1, line,
          "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tools/call\",\"params\":{\"name\":\"wait\","
          "\"arguments\":{\"steps\":2,\"step_ms\":50},\"_meta\":{\"progressToken\":\"p\"}}}");
    nsec_t begun_ns = loop_now(world.loop);
    turn(&world, NSEC_PER_SEC);
    const char *first = strstr(world.clients[1].reply.at, "\"progress\":1");
    const char *second = strstr(world.clients[1].reply.at, "\"progress\":2");
    const char *result = strstr(world.clients[1].reply.at, "\"result\"");
    assert_true(first && second && result && first < second && second < result);
    assert_int_equal(world.clients[1].last_ns - begun_ns, 100 * NSEC_PER_MSEC);
    end(&world);
}

/* ---- what breaks ------------------------------------------------------------------------------
 */

static void start_any(struct world *world, int index, int kind)
{
    switch (kind) {
    case 0:
        start(world, index, "GET /db/query", "");
        break;
    case 1:
        start(world, index, "POST /embed", "{\"inputs\":[\"a b c\",\"d\"]}");
        break;
    case 2:
        start(world, index, "POST /query", "{\"query\":\"a b c\",\"top_k\":3}");
        break;
    case 3:
        start(world, index, "POST /index", "{\"documents\":[\"a b c\",\"d\"]}");
        break;
    case 4:
        start(world, index, "POST /tools/execute",
              "{\"tool\":\"wait\",\"args\":{\"steps\":2,\"step_ms\":1}}");
        break;
    case 5:
        start(world, index, CHAT, CHAT_BODY);
        break;
    default:
        start(world, index, "POST /mcp",
              "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{}}");
        break;
    }
}

static void broken_connections_leave_nothing(void **state)
{
    enum { ROUNDS = 400 };
    struct sim_options network = {.seed = 9,
                                  .delay_ns = 100 * NSEC_PER_USEC,
                                  .split_share = 0.5,
                                  .split_gap_ns = 20 * NSEC_PER_USEC,
                                  .reset_share = 0.3,
                                  .end_share = 0.2,
                                  .silence_share = 0.1,
                                  .fault_bytes = 400};
    struct testbed_options options = testbed_defaults();
    struct testbed_counts counts;
    struct world world;
    (void)state;
    options.law.kind = LAW_BATCHING;
    options.platform.vectors = 50;
    options.batching.replicas = 3;
    options.batching.balance_skew = 1;
    begin(&world, &options);
    sim_configure(world.loop, &network);
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < CLIENTS; i++)
            start_any(&world, i, (round + i) % 7);
        turn(&world, (round & 1 ? 300 : 1) * NSEC_PER_MSEC);
        for (int i = 0; i < CLIENTS; i++) {
            stream_close(&world.clients[i].stream, round & 2);
            text_fini(&world.clients[i].reply);
            world.clients[i] = (struct client){.stream.fd = -1};
        }
    }
    sim_configure(world.loop, &(struct sim_options){.seed = 1});
    turn(&world, 10 * NSEC_PER_SEC);
    testbed_counts(world.testbed, &counts);
    assert_int_equal(counts.busy + counts.queued + counts.kv_tokens, 0);
    assert_int_equal(counts.arrivals, counts.departures + counts.abandoned);
    start(&world, 0, "GET /metrics", "");
    turn(&world, NSEC_PER_SEC);
    for (int i = 0; i < STATION_COUNT; i++) {
        static const char *const names[] = {"database",  "answer", "research",
                                            "synthesis", "memory", "upstream"};
        char line[96];
        snprintf(line, sizeof line, "testbed_station_busy{station=\"%s\"} 0\n", names[i]);
        assert_true(says(&world, 0, line));
    }
    assert_true(says(&world, 0, "testbed_tools_running 0\n"));
    end(&world);
}

/* Freed with everything under way: in pools, at stations, in the batch. */
static void ends_with_all_under_way(void **state)
{
    struct testbed_options options = testbed_defaults();
    (void)state;
    options.law.kind = LAW_BATCHING;
    options.platform.vectors = 50;
    for (int step = 0; step < 40; step++) {
        struct world world;
        begin(&world, &options);
        for (int i = 0; i < 7; i++)
            start_any(&world, i, i);
        turn(&world, step * 250 * NSEC_PER_USEC);
        end(&world);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pool_of_connections_serves_in_turn),
        cmocka_unit_test(a_pool_that_is_full_refuses),
        cmocka_unit_test(a_rate_is_limited),
        cmocka_unit_test(sessions_queue_before_the_balancer),
        cmocka_unit_test(sessions_of_those_who_went_are_given_on),
        cmocka_unit_test(memory_runs_out),
        cmocka_unit_test(work_asks_the_service_behind),
        cmocka_unit_test(a_quota_holds_the_compute_threads),
        cmocka_unit_test(searches_share_the_memory),
        cmocka_unit_test(a_gpu_runs_out_of_memory),
        cmocka_unit_test(embeddings_wait_for_their_thread),
        cmocka_unit_test(a_query_passes_four_stages),
        cmocka_unit_test(replicas_answer_side_by_side),
        cmocka_unit_test(progress_comes_before_the_reply),
        cmocka_unit_test(broken_connections_leave_nothing),
        cmocka_unit_test(ends_with_all_under_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
