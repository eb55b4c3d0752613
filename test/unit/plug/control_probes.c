/* The probes `docker` and `kubernetes` against replies in the shape that the engine's and the API's
 * documentation give them, served by this test: figures by hand from the counters in them. */
#include "plan/plan.h"
#include "plug/probe/probe_list.h"

#include "../../support/odd_server.h"
#include "../../support/probe_stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* A page of a recorded API: the longest path that a request's begins with is answered. */
struct page {
    const char *path, *body; /* body NULL: 404 */
};

struct recorded {
    struct odd_server odd;
    const struct page *pages; /* ends with path NULL */
};

static void answer_pages(struct odd_server *server, int fd)
{
    const struct recorded *recorded = (const struct recorded *)(const void *)server;
    char head[256];
    while (odd_hear(server, fd)) {
        const char *path = strchr(server->asked, ' ') + 1;
        const struct page *found = NULL;
        for (const struct page *page = recorded->pages; page->path; page++)
            if (strncmp(path, page->path, strlen(page->path)) == 0 &&
                (!found || strlen(page->path) > strlen(found->path)))
                found = page;
        const char *body =
            found && found->body ? found->body : "{\"kind\":\"Status\",\"message\":\"not here\"}";
        snprintf(head, sizeof head,
                 "HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
                 found && found->body ? "200 OK" : "404 Not Found", strlen(body));
        if (!odd_send(fd, head, strlen(head)) || !odd_send(fd, body, strlen(body)))
            return;
    }
}

static void near(double value, double wanted)
{
    if (!(fabs(value - wanted) <= 1e-6 * fabs(wanted)))
        fail_msg("%.17g is not %.17g", value, wanted);
}

/* ---- docker -----------------------------------------------------------------------------------
 */

#define STATS(read, cpu, periods, throttled, usage, rx, written)                                   \
    "{\"read\":\"" read "\",\"pids_stats\":{\"current\":7,\"limit\":1000},"                        \
    "\"blkio_stats\":{\"io_service_bytes_recursive\":["                                            \
    "{\"major\":254,\"minor\":0,\"op\":\"read\",\"value\":4096},"                                  \
    "{\"major\":254,\"minor\":0,\"op\":\"write\",\"value\":" written "},"                          \
    "{\"major\":254,\"minor\":16,\"op\":\"write\",\"value\":1000}]},"                              \
    "\"cpu_stats\":{\"cpu_usage\":{\"total_usage\":" cpu ",\"usage_in_usermode\":1},"              \
    "\"online_cpus\":2,\"throttling_data\":{\"periods\":" periods                                  \
    ",\"throttled_periods\":" throttled ",\"throttled_time\":5}},"                                 \
    "\"memory_stats\":{\"usage\":" usage ",\"limit\":1000000000,"                                  \
    "\"stats\":{\"inactive_file\":50000000}},"                                                     \
    "\"networks\":{\"eth0\":{\"rx_bytes\":" rx ",\"tx_bytes\":10},"                                \
    "\"eth1\":{\"rx_bytes\":5,\"tx_bytes\":20}}}"

static const char containers[] = "[{\"Id\":\"abc\",\"Names\":[\"/web-1\"],\"State\":\"running\"},"
                                 "{\"Id\":\"def\",\"Names\":[\"/db\"],\"State\":\"running\"}]";

static void test_docker(void **state)
{
    (void)state;
    static const struct page first[] = {{"/containers/json", containers},
                                        {"/containers/web-1/stats?stream=false",
                                         STATS("2026-11-20T14:00:00.500000000Z", "1000000000", "10",
                                               "2", "450000000", "1000", "0")},
                                        {.path = NULL}};
    static const struct page second[] = {{"/containers/json", containers},
                                         {"/containers/web-1/stats?stream=false",
                                          STATS("2026-11-20T14:00:02.500000000Z", "4000000000",
                                                "30", "7", "350000000", "9000", "8192")},
                                         {.path = NULL}};
    static const struct page third[] = {
        {"/containers/json", "[{\"Id\":\"abc\",\"Names\":[\"/web-1\"]}]"},
        {"/containers/web-1/stats?stream=false",
         STATS("2026-11-20T14:00:04Z", "5", "1", "0", "350000000", "1", "1")},
        {.path = NULL}};
    static const struct page fourth[] = {{"/containers/json", "[]"}, {.path = NULL}};
    struct recorded recorded = {.pages = first};
    odd_start(&recorded.odd, answer_pages, NULL);
    *strrchr(recorded.odd.url, '/') = '\0';
    char *names[] = {"web*"};
    struct {
        char *engine;
        struct plan_texts containers;
    } config = {recorded.odd.url, {.items = names, .count = 1}};
    recorded.pages = first; /* odd_start emptied its own part only */
    struct probe_stage stage = {.rc = 0};
    assert_true(stage_open(&stage, &probe_docker, &config));
    assert_int_equal(stage_look(&stage), 0);
    near(stage_value(&stage, "container.memory", "web-1"), 400e6);
    near(stage_value(&stage, "container.memory_share", "web-1"), 0.4);
    near(stage_value(&stage, "container.processes", "web-1"), 7);
    assert_true(isnan(stage_value(&stage, "container.cpu", "web-1")));
    assert_true(isnan(stage_value(&stage, "container.memory", "db")));
    recorded.pages = second;
    assert_int_equal(stage_look(&stage), 0);
    near(stage_value(&stage, "container.cpu", "web-1"), 1.5); /* 3 s in 2 s */
    near(stage_value(&stage, "container.throttled_share", "web-1"), 0.25);
    near(stage_value(&stage, "container.received_bytes", "web-1"), 4000);
    near(stage_value(&stage, "container.sent_bytes", "web-1"), 0);
    near(stage_value(&stage, "container.written_bytes", "web-1"), 4096);
    recorded.pages = third; /* counters began anew */
    assert_int_equal(stage_look(&stage), 0);
    assert_true(isnan(stage_value(&stage, "container.cpu", "web-1")));
    assert_true(stage_event(&stage, "restart"));
    recorded.pages = fourth;
    assert_int_equal(stage_look(&stage), PROBE_GAP);
    assert_true(stage_event(&stage, "gone"));
    stage_close(&stage);
    odd_stop(&recorded.odd);
    assert_false(stage_open(&stage, &probe_docker, &config));
    assert_int_equal(stage.rc, PROBE_ABSENT);
    stage_close(&stage);
}

/* ---- kubernetes -------------------------------------------------------------------------------
 */

#define PODS(restarts, reason)                                                                     \
    "{\"kind\":\"PodList\",\"items\":["                                                            \
    "{\"metadata\":{\"name\":\"web-a\"},\"spec\":{\"containers\":["                                \
    "{\"name\":\"main\",\"resources\":{\"requests\":{\"cpu\":\"500m\",\"memory\":\"64Mi\"},"       \
    "\"limits\":{\"cpu\":\"1\",\"memory\":\"128Mi\"}}},"                                           \
    "{\"name\":\"side\",\"resources\":{\"requests\":{\"cpu\":\"0.5\"},"                            \
    "\"limits\":{\"memory\":\"128Mi\"}}}]},"                                                       \
    "\"status\":{\"phase\":\"Running\",\"conditions\":[{\"type\":\"Initialized\","                 \
    "\"status\":\"True\"},{\"type\":\"Ready\",\"status\":\"True\"}],"                              \
    "\"containerStatuses\":[{\"restartCount\":" restarts ",\"lastState\":{" reason "}},"           \
    "{\"restartCount\":1}]}},"                                                                     \
    "{\"metadata\":{\"name\":\"web-b\"},\"spec\":{\"containers\":[{\"name\":\"main\"}]},"          \
    "\"status\":{\"phase\":\"Pending\"}}]}"

#define USE(instant)                                                                               \
    "{\"items\":[{\"metadata\":{\"name\":\"web-a\"},\"timestamp\":\"" instant "\","                \
    "\"window\":\"15s\",\"containers\":[{\"name\":\"main\",\"usage\":{\"cpu\":\"250000000n\","     \
    "\"memory\":\"65536Ki\"}},{\"name\":\"side\",\"usage\":{\"cpu\":\"0\","                        \
    "\"memory\":\"64Mi\"}}]}]}"

#define EVENTS(more)                                                                               \
    "{\"items\":[{\"reason\":\"BackOff\",\"message\":\"old\",\"lastTimestamp\":"                   \
    "\"2026-11-20T14:00:00Z\",\"involvedObject\":{\"kind\":\"Pod\",\"name\":\"x\"}}" more "]}"

static const char deployments[] =
    "{\"items\":[{\"metadata\":{\"name\":\"web\"},\"spec\":{\"replicas\":3},"
    "\"status\":{\"replicas\":3,\"readyReplicas\":2,\"unavailableReplicas\":1}},"
    "{\"metadata\":{\"name\":\"idle\"},\"spec\":{\"replicas\":0},\"status\":{}}]}";

#define SPACE "/namespaces/shop/"

static void test_kubernetes(void **state)
{
    (void)state;
    static const struct page first[] = {
        {"/api/v1" SPACE "pods?limit=500&labelSelector=app%3Dweb", PODS("0", "")},
        {"/apis/apps/v1" SPACE "deployments", deployments},
        {"/apis/metrics.k8s.io/v1beta1" SPACE "pods", USE("2026-11-20T14:00:00Z")},
        {"/api/v1" SPACE "events?limit=500&fieldSelector=type%3DWarning", EVENTS("")},
        {.path = NULL}};
    static const struct page second[] = {
        {"/api/v1" SPACE "pods",
         PODS("2", "\"terminated\":{\"reason\":\"OOMKilled\",\"exitCode\":137}")},
        {"/apis/metrics.k8s.io/v1beta1" SPACE "pods", USE("2026-11-20T14:00:00Z")},
        {"/api/v1" SPACE "events",
         EVENTS(",{\"reason\":\"Unhealthy\",\"message\":\"probe failed\",\"eventTime\":"
                "\"2026-11-20T14:00:03.5Z\",\"involvedObject\":{\"kind\":\"Pod\"}}")},
        {.path = NULL}};
    struct recorded recorded = {.pages = first};
    odd_start(&recorded.odd, answer_pages, NULL);
    recorded.pages = first;
    *strrchr(recorded.odd.url, '/') = '\0';
    struct {
        char *kubeconfig, *context, *server, *space, *selector;
        bool events;
    } config = {.server = recorded.odd.url, .space = "shop", .selector = "app=web", .events = true};
    struct probe_stage stage = {.rc = 0};
    assert_true(stage_open(&stage, &probe_kubernetes, &config));
    assert_int_equal(stage_look(&stage), 0);
    near(stage_value(&stage, "pods.running", ""), 1);
    near(stage_value(&stage, "pods.pending", ""), 1);
    near(stage_value(&stage, "pods.ready", ""), 1);
    near(stage_value(&stage, "pod.cpu_request", "web-a"), 1);
    near(stage_value(&stage, "pod.memory_limit", "web-a"), 268435456);
    assert_true(isnan(stage_value(&stage, "pod.cpu_limit", "web-a"))); /* one has none */
    assert_true(isnan(stage_value(&stage, "pod.restarts", "web-a")));
    near(stage_value(&stage, "pod.cpu", "web-a"), 0.25);
    near(stage_value(&stage, "pod.memory", "web-a"), 134217728);
    near(stage_value(&stage, "pod.cpu_share", "web-a"), 0.25);
    near(stage_value(&stage, "pod.memory_share", "web-a"), 0.5);
    near(stage_value(&stage, "deployment.replicas", "web"), 3);
    near(stage_value(&stage, "deployment.ready", "web"), 2);
    near(stage_value(&stage, "deployment.unavailable", "web"), 1);
    near(stage_value(&stage, "deployment.ready", "idle"), 0);
    assert_false(stage_event(&stage, "kubernetes")); /* what was there before is not told */
    recorded.pages = second;
    assert_int_equal(stage_look(&stage), 0);
    near(stage_value(&stage, "pod.restarts", "web-a"), 2);
    assert_true(stage_event(&stage, "oom"));
    assert_true(stage_event(&stage, "kubernetes"));
    assert_true(isnan(stage_value(&stage, "pod.cpu", "web-a"))); /* the measurement of before */
    assert_true(stage_event(&stage, "absent"));                  /* no deployments any more */
    assert_int_equal(stage_look(&stage), 0);
    assert_false(stage_event(&stage, "absent")); /* said once */
    assert_false(stage_event(&stage, "kubernetes"));
    near(stage_value(&stage, "pod.restarts", "web-a"), 0);
    odd_stop(&recorded.odd);
    assert_int_equal(stage_look(&stage), PROBE_GAP);
    stage_close(&stage);
    config.server = NULL;
    config.kubeconfig = "/no/such/kubeconfig";
    assert_false(stage_open(&stage, &probe_kubernetes, &config));
    assert_int_equal(stage.rc, PROBE_ABSENT);
    assert_non_null(strstr(stage.why.at, "/no/such/kubeconfig cannot be read"));
    stage_close(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_docker),
        cmocka_unit_test(test_kubernetes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
