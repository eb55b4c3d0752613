/* Counters kept as the replies go, gauges asked for when they are read; see metrics.h. */
#include "testbed/metrics.h"

#include "base/check.h"
#include "base/memory.h"
#include "testbed/connection.h"
#include "testbed/limits.h"
#include "testbed/mcp.h"
#include "testbed/paths.h"
#include "testbed/pool.h"
#include "testbed/replica.h"
#include "testbed/station.h"
#include "testbed/tools.h"

#include <stdlib.h>

enum { STATUS_LEAST = 100, STATUS_COUNT = 500 };

/* Upper edges in seconds; the last bucket has none. */
static const double edges_s[] = {0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1,
                                 0.2,    0.5,   1,     2,     5,    10,   30};
_Static_assert(sizeof edges_s / sizeof edges_s[0] == SPREAD_EDGES, "as the header says");

struct metrics {
    uint64_t replies[PATH_COUNT][STATUS_COUNT];
    struct spread service, response;
    uint64_t prompt_tokens, made_tokens;
};

struct metrics *metrics_new(void)
{
    return memory_new(1, sizeof(struct metrics));
}

struct metrics *metrics_free(struct metrics *metrics)
{
    free(metrics);
    return NULL;
}

void metrics_reply(struct metrics *metrics, enum metrics_path path, int status)
{
    check(status >= STATUS_LEAST && status < STATUS_LEAST + STATUS_COUNT);
    metrics->replies[path][status - STATUS_LEAST]++;
}

void spread_add(struct spread *spread, nsec_t time_ns)
{
    size_t edge = 0;
    while (edge < SPREAD_EDGES && (double)time_ns > edges_s[edge] * 1e9)
        edge++;
    spread->counts[edge]++;
    spread->sum_ns += time_ns;
}

void metrics_departure(struct metrics *metrics, nsec_t service_ns, nsec_t response_ns)
{
    spread_add(&metrics->service, service_ns);
    spread_add(&metrics->response, response_ns);
}

void metrics_tokens(struct metrics *metrics, uint64_t prompt, uint64_t made)
{
    metrics->prompt_tokens += prompt;
    metrics->made_tokens += made;
}

static void put_head(struct text *out, const char *name, const char *type, const char *help)
{
    text_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void put_number(struct text *out, const char *name, const char *type, const char *help,
                       uint64_t number)
{
    put_head(out, name, type, help);
    text_printf(out, "%s %llu\n", name, (unsigned long long)number);
}

void spread_write(struct text *out, const char *name, const char *labels,
                  const struct spread *spread)
{
    uint64_t below = 0;
    const char *comma = labels ? "," : "";
    const char *own = labels ? labels : "";
    for (size_t i = 0; i <= SPREAD_EDGES; i++) {
        below += spread->counts[i];
        if (i < SPREAD_EDGES)
            text_printf(out, "%s_bucket{%s%sle=\"%g\"} %llu\n", name, own, comma, edges_s[i],
                        (unsigned long long)below);
        else
            text_printf(out, "%s_bucket{%s%sle=\"+Inf\"} %llu\n", name, own, comma,
                        (unsigned long long)below);
    }
    const char *open = labels ? "{" : "", *close = labels ? "}" : "";
    text_printf(out, "%s_sum%s%s%s %.9f\n%s_count%s%s%s %llu\n", name, open, own, close,
                (double)spread->sum_ns / 1e9, name, open, own, close, (unsigned long long)below);
}

static void put_spread(struct text *out, const char *name, const char *help,
                       const struct spread *spread)
{
    put_head(out, name, "histogram", help);
    spread_write(out, name, NULL, spread);
}

static void put_replies(struct text *out, const struct metrics *metrics)
{
    put_head(out, "testbed_requests_total", "counter", "Replies by path and status code.");
    for (int path = 0; path < PATH_COUNT; path++) {
        for (int status = 0; status < STATUS_COUNT; status++) {
            uint64_t count = metrics->replies[path][status];
            if (count)
                text_printf(out, "testbed_requests_total{path=\"%s\",code=\"%d\"} %llu\n",
                            paths_label((enum metrics_path)path), status + STATUS_LEAST,
                            (unsigned long long)count);
        }
    }
}

static void put_compute(struct testbed *testbed, struct text *out)
{
    struct pool_counts counts;
    pool_counts(testbed->compute, &counts);
    put_number(out, "testbed_compute_limit", "gauge", "Searches and embeddings at once, at most.",
               counts.threads);
    put_number(out, "testbed_compute_running", "gauge", "Searches and embeddings being done.",
               counts.running);
    put_number(out, "testbed_compute_waiting", "gauge", "Searches and embeddings that wait.",
               counts.waiting);
}

void metrics_write(struct testbed *testbed, struct text *out)
{
    const struct metrics *metrics = testbed->metrics;
    struct testbed_counts counts;
    testbed_counts(testbed, &counts);
    put_replies(out, metrics);
    put_number(out, "testbed_arrivals_total", "counter", "Work that the law has accepted.",
               counts.arrivals);
    put_number(out, "testbed_departures_total", "counter", "Work that is done.", counts.departures);
    put_number(out, "testbed_refused_total", "counter", "Work turned away by a full queue.",
               counts.refused);
    put_number(out, "testbed_faults_total", "counter", "Faults injected.", counts.faults);
    put_number(out, "testbed_connections_total", "counter", "Connections accepted.",
               counts.connections);
    put_number(out, "testbed_connections", "gauge", "Connections open.", counts.open);
    put_number(out, "testbed_in_flight", "gauge", "Work that has arrived and not departed.",
               counts.arrivals - counts.departures - counts.abandoned);
    put_number(out, "testbed_queue_length", "gauge", "Work waiting for a server or a slot.",
               counts.queued);
    put_number(out, "testbed_busy_servers", "gauge", "Servers at work.",
               testbed->batching ? counts.busy > 0 : counts.busy);
    put_number(out, "testbed_batch_size", "gauge", "Sequences in the present step.",
               testbed->batching ? counts.busy : 0);
    put_number(out, "testbed_kv_tokens", "gauge", "Tokens in the KV cache.", counts.kv_tokens);
    put_number(out, "testbed_kv_tokens_limit", "gauge", "Room of the KV cache; 0: no limit.",
               testbed->options.batching.kv_tokens);
    put_number(out, "testbed_prompt_tokens_total", "counter", "Tokens of prompts answered.",
               metrics->prompt_tokens);
    put_number(out, "testbed_generated_tokens_total", "counter", "Tokens of answers finished.",
               metrics->made_tokens);
    stations_write(testbed, out);
    replicas_write(testbed, out);
    tools_write(testbed, out);
    put_compute(testbed, out);
    mcp_write(testbed, out);
    limits_write(testbed, out);
    put_spread(out, "testbed_service_seconds", "Time that work held its server.",
               &metrics->service);
    put_spread(out, "testbed_response_seconds", "Time from arrival to computed departure.",
               &metrics->response);
}
