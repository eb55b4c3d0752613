/* The probes `prometheus` and `http` against a server of this test: counters become rates, a reset
 * is a gap, histograms give mean and quantile, shares are what they say; and endpoints that hang,
 * dribble, flood or answer nonsense are a gap with its reason, in time. */
#include "plug/probe/prometheus.h"
#include "plan/plan.h"
#include "plug/probe/endpoint.h"
#include "plug/probe/probe_list.h"

#include "../../support/odd_server.h"
#include "../../support/probe_stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* As in prometheus.c, whose own it is. */
struct config {
    struct endpoint_config endpoint;
    int preset;
    char *query, *name, *unit;
    struct plan_texts series;
};

struct server {
    struct odd_server odd;
    char reply[16384];
};

static void say(struct server *server, const char *type, const char *body)
{
    snprintf(server->reply, sizeof server->reply,
             "HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %zu\r\n\r\n%s", type,
             strlen(body), body);
}

static void begin(struct server *server, const char *body)
{
    say(server, "text/plain; version=0.0.4", body);
    odd_start(&server->odd, odd_reply, server->reply);
}

static void near(double value, double wanted, double share)
{
    if (!(fabs(value - wanted) <= share * fabs(wanted)))
        fail_msg("%.17g is not %.17g", value, wanted);
}

/* Rates depend on when the two looks were; ratios of rates do not, and are exact. */
static void test_node(void **state)
{
    (void)state;
    struct server server;
    struct probe_stage stage = {.rc = 0};
    begin(&server, "node_cpu_seconds_total{cpu=\"0\",mode=\"idle\"} 100\n"
                   "node_cpu_seconds_total{cpu=\"0\",mode=\"user\"} 50\n"
                   "node_cpu_seconds_total{cpu=\"0\",mode=\"iowait\"} 10\n"
                   "node_cpu_seconds_total{cpu=\"0\",mode=\"steal\"} 0\n"
                   "node_memory_MemAvailable_bytes 1e9\nnode_memory_MemTotal_bytes 4e+09\n"
                   "node_disk_read_bytes_total{device=\"sda\"} 1000\n"
                   "node_disk_read_bytes_total{device=\"sdb\"} 5000\n");
    struct config config = {.endpoint.url = server.odd.url};
    assert_true(stage_open(&stage, &probe_prometheus, &config));
    nsec_t began_ns = clock_monotonic_ns();
    assert_int_equal(stage_look(&stage), 0);
    nsec_t first_ns = clock_monotonic_ns();
    near(stage_value(&stage, "memory.used_share", ""), 0.75, 1e-12);
    assert_true(isnan(stage_value(&stage, "cpu.busy", "")));
    assert_true(isnan(stage_value(&stage, "disk.read_bytes", "sda")));
    say(&server, "text/plain",
        "node_cpu_seconds_total{cpu=\"0\",mode=\"idle\"} 104\n"
        "node_cpu_seconds_total{cpu=\"0\",mode=\"user\"} 55\n"
        "node_cpu_seconds_total{cpu=\"0\",mode=\"iowait\"} 10.5\n"
        "node_cpu_seconds_total{cpu=\"0\",mode=\"steal\"} 0.5\n"
        "node_disk_read_bytes_total{device=\"sda\"} 3000\n"
        "node_disk_read_bytes_total{device=\"sdb\"} 4000\n");
    poll(NULL, 0, 200);
    nsec_t second_ns = clock_monotonic_ns();
    assert_int_equal(stage_look(&stage), 0);
    nsec_t ended_ns = clock_monotonic_ns();
    near(stage_value(&stage, "cpu.busy", ""), 0.55, 1e-9);
    near(stage_value(&stage, "cpu.iowait", ""), 0.05, 1e-9);
    assert_true(isnan(stage_value(&stage, "memory.used_share", "")));
    double rate = stage_value(&stage, "disk.read_bytes", "sda");
    assert_true(rate >= 2000.0 * NSEC_PER_SEC / (double)(ended_ns - began_ns));
    assert_true(rate <= 2000.0 * NSEC_PER_SEC / (double)(second_ns - first_ns));
    assert_true(isnan(stage_value(&stage, "disk.read_bytes", "sdb"))); /* it shrank: a gap */
    stage_close(&stage);
    odd_stop(&server.odd);
}

/* Rates over limits that stand beside them: the busier direction of a link, a processor quota. */
static void test_shares_of_limits(void **state)
{
    (void)state;
    struct server server;
    struct probe_stage stage = {.rc = 0};
    begin(&server, "node_network_receive_bytes_total{device=\"eth0\"} 0\n"
                   "node_network_transmit_bytes_total{device=\"eth0\"} 0\n"
                   "node_network_speed_bytes{device=\"eth0\"} 1000\n"
                   "container_cpu_usage_seconds_total{container=\"a\"} 0\n"
                   "container_spec_cpu_quota{container=\"a\"} 50000\n");
    struct config config = {.endpoint.url = server.odd.url};
    assert_true(stage_open(&stage, &probe_prometheus, &config));
    assert_int_equal(stage_look(&stage), 0);
    assert_true(isnan(stage_value(&stage, "network.link_share", "eth0")));
    say(&server, "text/plain",
        "node_network_receive_bytes_total{device=\"eth0\"} 50\n"
        "node_network_transmit_bytes_total{device=\"eth0\"} 200\n"
        "node_network_speed_bytes{device=\"eth0\"} 1000\n"
        "container_cpu_usage_seconds_total{container=\"a\"} 0.1\n"
        "container_spec_cpu_quota{container=\"a\"} 50000\n");
    poll(NULL, 0, 50);
    assert_int_equal(stage_look(&stage), 0);
    double sent = stage_value(&stage, "network.out_bytes", "eth0");
    double used = stage_value(&stage, "container.cpu", "a");
    assert_true(sent > 0 && used > 0);
    near(stage_value(&stage, "network.link_share", "eth0"), sent / 1000, 1e-9);
    near(stage_value(&stage, "container.cpu_of_quota", "a"), used / 0.5, 1e-9);
    stage_close(&stage);
    odd_stop(&server.odd);
}

/* Figures by Prometheus' own definition of histogram_quantile. */
static void test_quantile(void **state)
{
    (void)state;
    const double edges[] = {0.1, 0.5, 1, INFINITY}, counts[] = {50, 90, 100, 100};
    near(fold_quantile(edges, counts, 4, 0.5), 0.1, 1e-12);
    near(fold_quantile(edges, counts, 4, 0.7), 0.3, 1e-12);
    near(fold_quantile(edges, counts, 4, 0.95), 0.75, 1e-12);
    near(fold_quantile(edges, counts, 4, 0.25), 0.05, 1e-12);
    const double late[] = {0, 0, 0, 10};
    near(fold_quantile(edges, late, 4, 0.95), 1, 1e-12);
    const double none[] = {0, 0, 0, 0};
    assert_true(isnan(fold_quantile(edges, none, 4, 0.95)));
    assert_true(isnan(fold_quantile(edges, counts, 3, 0.95)));
}

static void test_vllm(void **state)
{
    (void)state;
    static const char first[] = "# TYPE vllm:num_requests_waiting gauge\n"
                                "vllm:num_requests_waiting{engine=\"0\"} 3\n"
                                "vllm:num_requests_waiting{engine=\"1\"} 4\n"
                                "vllm:kv_cache_usage_perc{engine=\"0\"} 0.5\n"
                                "vllm:kv_cache_usage_perc{engine=\"1\"} 0.9\n"
                                "vllm:prefix_cache_hits_total 100\n"
                                "vllm:prefix_cache_queries_total 1000\n"
                                "# TYPE vllm:time_to_first_token_seconds histogram\n"
                                "vllm:time_to_first_token_seconds_bucket{le=\"0.1\"} 10\n"
                                "vllm:time_to_first_token_seconds_bucket{le=\"0.5\"} 10\n"
                                "vllm:time_to_first_token_seconds_bucket{le=\"+Inf\"} 10\n"
                                "vllm:time_to_first_token_seconds_sum 0.9\n"
                                "vllm:time_to_first_token_seconds_count 10\n";
    static const char second[] = "vllm:num_requests_waiting{engine=\"0\"} NaN\n"
                                 "vllm:prefix_cache_hits_total 400\n"
                                 "vllm:prefix_cache_queries_total 1400\n"
                                 "vllm:time_to_first_token_seconds_bucket{le=\"+Inf\"} 30\n"
                                 "vllm:time_to_first_token_seconds_bucket{le=\"0.1\"} 20\n"
                                 "vllm:time_to_first_token_seconds_bucket{le=\"0.5\"} 30\n"
                                 "vllm:time_to_first_token_seconds_sum 4.9\n"
                                 "vllm:time_to_first_token_seconds_count 30\n";
    struct server server;
    struct probe_stage stage = {.rc = 0};
    begin(&server, first);
    struct config config = {.endpoint.url = server.odd.url};
    assert_true(stage_open(&stage, &probe_prometheus, &config));
    assert_int_equal(stage_look(&stage), 0);
    near(stage_value(&stage, "llm.waiting", ""), 7, 0);
    near(stage_value(&stage, "llm.kv_cache_share", ""), 0.9, 0);
    say(&server, "text/plain", second);
    poll(NULL, 0, 20);
    assert_int_equal(stage_look(&stage), 0);
    assert_true(isnan(stage_value(&stage, "llm.waiting", "")));
    near(stage_value(&stage, "llm.prefix_cache_hit_share", ""), 0.75, 1e-9);
    near(stage_value(&stage, "llm.ttft.mean", ""), 0.2, 1e-9);
    near(stage_value(&stage, "llm.ttft.p95", ""), 0.46, 1e-9); /* 0.1 + 0.4 * (19 - 10) / 10 */
    say(&server, "text/plain", first);                         /* the server was restarted */
    poll(NULL, 0, 20);
    assert_int_equal(stage_look(&stage), 0);
    assert_true(isnan(stage_value(&stage, "llm.ttft.mean", "")));
    assert_true(isnan(stage_value(&stage, "llm.prefix_cache_hit_share", "")));
    near(stage_value(&stage, "llm.waiting", ""), 7, 0);
    stage_close(&stage);
    odd_stop(&server.odd);
}

/* An exporter that stamps its samples and has nothing new repeats them: that is a gap too. */
static void test_stamps(void **state)
{
    (void)state;
    struct server server;
    struct probe_stage stage = {.rc = 0};
    begin(&server, "container_cpu_usage_seconds_total{container=\"a\",pod=\"p\"} 10 1000000\n"
                   "container_memory_rss{container=\"a\",pod=\"p\"} 5 1000000\n"
                   "container_memory_rss{container=\"POD\",pod=\"p\"} 7 1000000\n");
    struct config config = {.endpoint.url = server.odd.url};
    assert_true(stage_open(&stage, &probe_prometheus, &config));
    assert_int_equal(stage_look(&stage), 0);
    near(stage_value(&stage, "container.memory_rss", "p/a"), 5, 0);
    assert_int_equal(stage_look(&stage), 0);
    assert_true(isnan(stage_value(&stage, "container.memory_rss", "p/a")));
    say(&server, "text/plain",
        "container_cpu_usage_seconds_total{container=\"a\",pod=\"p\"} 15 1010000\n");
    assert_int_equal(stage_look(&stage), 0);
    near(stage_value(&stage, "container.cpu", "p/a"), 0.5, 1e-9); /* 5 s in 10 s, by the stamps */
    stage_close(&stage);
    odd_stop(&server.odd);
}

static void test_unknown_series(void **state)
{
    (void)state;
    struct server server;
    struct probe_stage stage = {.rc = 0};
    begin(&server, "# TYPE mine gauge\nmine{a=\"x\"} 4\nmine{a=\"y\"} 5\n"
                   "# TYPE done counter\ndone_total 10\n"
                   "bad line here\n");
    struct config config = {.endpoint.url = server.odd.url};
    assert_true(stage_open(&stage, &probe_prometheus, &config));
    assert_int_equal(stage_look(&stage), 0);
    near(stage_value(&stage, "mine", "a=\"x\""), 4, 0);
    near(stage_value(&stage, "mine", "a=\"y\""), 5, 0);
    near(stage_value(&stage, "prometheus.bad_lines", ""), 1, 0);
    assert_true(stage_event(&stage, "bad"));
    assert_true(isnan(stage_value(&stage, "done_total.rate", "")));
    poll(NULL, 0, 10);
    assert_int_equal(stage_look(&stage), 0);
    near(stage_value(&stage, "done_total.rate", ""), 0, 0);
    assert_false(stage_event(&stage, "bad")); /* said once */
    stage_close(&stage);
    char *names[] = {"do*"};
    config.series = (struct plan_texts){.items = names, .count = 1};
    assert_true(stage_open(&stage, &probe_prometheus, &config));
    assert_int_equal(stage_look(&stage), 0);
    assert_true(isnan(stage_value(&stage, "mine", "a=\"x\"")));
    stage_close(&stage);
    odd_stop(&server.odd);
}

static const char *unit_of(const struct probe_stage *stage, const char *name)
{
    for (size_t i = 0; i < stage->sink.value_count; i++)
        if (strcmp(stage->sink.values[i].metric->name, name) == 0)
            return stage->sink.values[i].metric->unit;
    return "none";
}

/* A number without a unit is no share; names say theirs. Memory's traffic is that of the system. */
static void test_units_and_traffic(void **state)
{
    (void)state;
    struct server server;
    struct probe_stage stage = {.rc = 0};
    begin(&server, "things_waiting 5\nbusy_ratio 0.5\nheld_bytes 7\n");
    struct config config = {.endpoint.url = server.odd.url};
    assert_true(stage_open(&stage, &probe_prometheus, &config));
    assert_int_equal(stage_look(&stage), 0);
    assert_string_equal(unit_of(&stage, "things_waiting"), "");
    assert_string_equal(unit_of(&stage, "busy_ratio"), "1");
    assert_string_equal(unit_of(&stage, "held_bytes"), "bytes");
    stage_close(&stage);
    say(&server, "text/plain",
        "# TYPE DRAM_Reads counter\nDRAM_Reads{aggregate=\"system\"} 1e6 1000000\n"
        "DRAM_Reads{socket=\"0\",aggregate=\"socket\"} 1e6 1000000\n"
        "# TYPE DRAM_Writes counter\nDRAM_Writes{aggregate=\"system\"} 0 1000000\n");
    assert_true(stage_open(&stage, &probe_prometheus, &config));
    assert_int_equal(stage_look(&stage), 0);
    say(&server, "text/plain",
        "# TYPE DRAM_Reads counter\nDRAM_Reads{aggregate=\"system\"} 5e6 1010000\n"
        "DRAM_Reads{socket=\"0\",aggregate=\"socket\"} 5e6 1010000\n"
        "# TYPE DRAM_Writes counter\nDRAM_Writes{aggregate=\"system\"} 1e6 1010000\n");
    assert_int_equal(stage_look(&stage), 0);
    near(stage_value(&stage, "host.memory_bandwidth", ""), 5e5, 1e-9); /* 5 MB in 10 s */
    stage_close(&stage);
    odd_stop(&server.odd);
}

/* The first name of several for one thing counts, in whatever order they come. */
static void test_names_for_one_thing(void **state)
{
    (void)state;
    static const char *const orders[] = {
        "queue_depth 5\nqueue_size 7\nqueue_depth{queue=\"q\"} 3\n",
        "queue_size 7\nqueue_depth 5\nqueue_depth{queue=\"q\"} 3\n",
    };
    for (size_t i = 0; i < 2; i++) {
        struct server server;
        struct probe_stage stage = {.rc = 0};
        begin(&server, orders[i]);
        struct config config = {.endpoint.url = server.odd.url};
        assert_true(stage_open(&stage, &probe_prometheus, &config));
        assert_int_equal(stage_look(&stage), 0);
        near(stage_value(&stage, "queue.depth", ""), 5, 0);
        near(stage_value(&stage, "queue.depth", "q"), 3, 0);
        stage_close(&stage);
        odd_stop(&server.odd);
    }
}

/* The reply of a real llama.cpp server, as it came over the wire. */
static void test_llamacpp(void **state)
{
    (void)state;
    static char body[8192];
    FILE *file = fopen(TEST_ROOT "/../shared/data/captures/metrics_llamacpp.txt", "r");
    if (!file) {
        print_message("SKIPPED LOUDLY: no captures here\n");
        skip();
    }
    body[fread(body, 1, sizeof body - 1, file)] = '\0';
    fclose(file);
    struct server server;
    struct probe_stage stage = {.rc = 0};
    begin(&server, body);
    struct config config = {.endpoint.url = server.odd.url};
    assert_true(stage_open(&stage, &probe_prometheus, &config));
    assert_int_equal(stage_look(&stage), 0);
    near(stage_value(&stage, "llm.kv_cache_share", ""), 0.116272, 0);
    near(stage_value(&stage, "llm.running", ""), 0, 0);
    near(stage_value(&stage, "llm.waiting", ""), 0, 0);
    poll(NULL, 0, 10);
    assert_int_equal(stage_look(&stage), 0);
    near(stage_value(&stage, "llm.output_tokens", ""), 0, 0);
    stage_close(&stage);
    odd_stop(&server.odd);
}

static void test_query(void **state)
{
    (void)state;
    struct server server;
    struct probe_stage stage = {.rc = 0};
    begin(&server, "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":["
                   "{\"metric\":{\"__name__\":\"up\",\"job\":\"a\"},\"value\":[1.5,\"1\"]},"
                   "{\"metric\":{\"job\":\"b\"},\"value\":[1.5,\"NaN\"]}]}}");
    *strrchr(server.odd.url, '/') = '\0';
    struct config config = {
        .endpoint.url = server.odd.url, .query = "sum(up)", .name = "app.up", .unit = "1"};
    assert_true(stage_open(&stage, &probe_prometheus, &config));
    assert_int_equal(stage_look(&stage), 0);
    assert_non_null(strstr(server.odd.asked, "GET /api/v1/query?query=sum%28up%29 HTTP/1.1"));
    near(stage_value(&stage, "app.up", "job=\"a\""), 1, 0);
    assert_true(isnan(stage_value(&stage, "app.up", "job=\"b\"")));
    say(&server, "application/json",
        "{\"status\":\"success\",\"data\":{\"resultType\":\"scalar\",\"result\":[1,\"2.5\"]}}");
    assert_int_equal(stage_look(&stage), 0);
    near(stage_value(&stage, "app.up", ""), 2.5, 0);
    say(&server, "application/json", "{\"status\":\"error\",\"error\":\"parse error at 3\"}");
    assert_int_equal(stage_look(&stage), PROBE_GAP);
    assert_non_null(strstr(stage.why.at, "parse error at 3"));
    say(&server, "application/json", "[1,");
    assert_int_equal(stage_look(&stage), PROBE_GAP);
    stage_close(&stage);
    odd_stop(&server.odd);
}

static void check_gap(void (*behave)(struct odd_server *, int), const char *words)
{
    struct odd_server server;
    struct probe_stage stage = {.place.timeout_ns = 300 * NSEC_PER_MSEC};
    if (behave == odd_flood) /* time enough for a mebibyte, on a slow machine too */
        stage.place.timeout_ns = 10 * NSEC_PER_SEC;
    odd_start(&server, behave, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>");
    struct config config = {.endpoint = {.url = server.url, .largest = 1 << 20}};
    assert_true(stage_open(&stage, &probe_prometheus, &config));
    nsec_t began_ns = clock_monotonic_ns();
    assert_int_equal(stage_look(&stage), PROBE_GAP);
    assert_true(clock_monotonic_ns() - began_ns < 5 * NSEC_PER_SEC);
    assert_int_equal(stage.sink.value_count, 0);
    if (!strstr(stage.why.at, words))
        fail_msg("\"%s\" has no \"%s\"", stage.why.at, words);
    stage_close(&stage);
    odd_stop(&server);
}

static void test_gaps(void **state)
{
    (void)state;
    check_gap(odd_hang, "did not answer whole within 300 ms");
    check_gap(odd_dribble, "did not answer whole");
    check_gap(odd_flood, "sent more than 1");
    check_gap(odd_garbage, "does not answer in HTTP");
    check_gap(odd_cut, "cut its answer off");
    check_gap(odd_reply, "no exposition of metrics (line 1");
    struct probe_stage stage = {.rc = 0};
    struct config config = {.endpoint.url = "/metrics"};
    assert_false(stage_open(&stage, &probe_prometheus, &config));
    assert_non_null(strstr(stage.why.at, "no target"));
    stage_close(&stage);
}

static void test_http(void **state)
{
    (void)state;
    struct server server;
    struct probe_stage stage = {.rc = 0};
    begin(&server, "ok");
    char base[64];
    snprintf(base, sizeof base, "http://127.0.0.1:%u/api", server.odd.port);
    stage.place.target = base;
    struct config config = {.endpoint.url = "/health"}; /* an http_config begins like it */
    assert_true(stage_open(&stage, &probe_http, &config));
    for (int i = 0; i < 2; i++) {
        assert_int_equal(stage_look(&stage), 0);
        near(stage_value(&stage, "http.healthy", ""), 1, 0);
        near(stage_value(&stage, "http.status", ""), 200, 0);
        assert_true(stage_value(&stage, "http.latency", "") > 0);
    }
    assert_int_equal(server.odd.connections, 2);
    assert_non_null(strstr(server.odd.asked, "GET /health HTTP/1.1"));
    snprintf(server.reply, sizeof server.reply, "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n");
    assert_int_equal(stage_look(&stage), 0);
    near(stage_value(&stage, "http.healthy", ""), 0, 0);
    assert_true(stage_event(&stage, "unhealthy"));
    odd_stop(&server.odd);
    assert_int_equal(stage_look(&stage),
                     0); /* that nobody answers is a fact, its latency is none */
    near(stage_value(&stage, "http.healthy", ""), 0, 0);
    assert_true(isnan(stage_value(&stage, "http.latency", "")));
    assert_true(isnan(stage_value(&stage, "http.status", "")));
    stage_close(&stage);
    stage.place.timeout_ns = 200 * NSEC_PER_MSEC;
    odd_start(&server.odd, odd_hang, NULL);
    config.endpoint.url = server.odd.url;
    assert_true(stage_open(&stage, &probe_http, &config));
    assert_int_equal(stage_look(&stage), 0);
    near(stage_value(&stage, "http.healthy", ""), 0, 0);
    assert_true(stage_event(&stage, "unhealthy"));
    odd_stop(&server.odd);
    stage_close(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_node),
        cmocka_unit_test(test_quantile),
        cmocka_unit_test(test_shares_of_limits),
        cmocka_unit_test(test_vllm),
        cmocka_unit_test(test_stamps),
        cmocka_unit_test(test_unknown_series),
        cmocka_unit_test(test_units_and_traffic),
        cmocka_unit_test(test_names_for_one_thing),
        cmocka_unit_test(test_llamacpp),
        cmocka_unit_test(test_query),
        cmocka_unit_test(test_gaps),
        cmocka_unit_test(test_http),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
