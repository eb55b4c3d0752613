/* See limits.h. */
#include "testbed/limits.h"

#include "testbed/pool.h"
#include "testbed/reply.h"

#include <time.h>

void limits_init(struct testbed *testbed)
{
    list_init(&testbed->limits.waiting);
}

/* ---- sessions and memory --------------------------------------------------------------------- */

static uint64_t memory_used(const struct testbed *testbed)
{
    const struct limit_options *options = &testbed->options.limit;
    return options->base_bytes + testbed->limits.memory_holders * options->request_bytes;
}

static bool take_memory(struct connection *connection)
{
    struct testbed *testbed = connection->testbed;
    const struct limit_options *options = &testbed->options.limit;
    if (options->memory_bytes &&
        memory_used(testbed) + options->request_bytes > options->memory_bytes) {
        testbed->limits.memory_failures++;
        reply_error(connection, 500, "out of memory, as asked for by --memory-limit");
        return false;
    }
    testbed->limits.memory_holders++;
    connection->holds_memory = true;
    return true;
}

bool limits_enter(struct connection *connection, nsec_t fixed_ns)
{
    struct limits *limits = &connection->testbed->limits;
    uint64_t most = connection->testbed->options.limit.sessions;
    if (!take_memory(connection))
        return false;
    if (most && limits->sessions >= most) {
        connection->fixed_ns = fixed_ns;
        list_append(&limits->waiting, &connection->gate_node);
        limits->waiting_count++;
        return false;
    }
    limits->sessions++;
    connection->in_session = true;
    return true;
}

static void free_memory(struct connection *connection)
{
    connection->testbed->limits.memory_holders -= connection->holds_memory;
    connection->holds_memory = false;
}

struct connection *limits_leave(struct connection *connection)
{
    struct limits *limits = &connection->testbed->limits;
    free_memory(connection);
    if (!connection->in_session)
        return NULL;
    connection->in_session = false;
    limits->sessions--;
    limits->sessions_done++;
    struct list *first = list_take(&limits->waiting);
    if (!first)
        return NULL;
    struct connection *next = list_entry(first, struct connection, gate_node);
    limits->waiting_count--;
    limits->sessions++;
    next->in_session = true;
    return next;
}

void limits_gone(struct connection *connection)
{
    if (list_empty(&connection->gate_node))
        return;
    list_remove(&connection->gate_node);
    connection->testbed->limits.waiting_count--;
    free_memory(connection);
}

/* ---- metrics --------------------------------------------------------------------------------- */

/* A metric of one sample. */
struct sample {
    const char *name, *type, *labels, *help;
    double value;
};

static void put_all(struct text *out, const struct sample *samples, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct sample *one = &samples[i];
        text_printf(out, "# HELP %s %s\n# TYPE %s %s\n%s%s %.15g\n", one->name, one->help,
                    one->name, one->type, one->name, one->labels, one->value);
    }
}

/* In virtual time the processor works for the compute threads alone. */
static double processor_s(struct testbed *testbed, const struct pool_counts *compute)
{
    if (pool_is_virtual(testbed->compute))
        return (double)compute->busy_ns / 1e9;
    struct timespec used;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

/* Labels of a container as cAdvisor has them, whose processor is that of the compute threads. */
#define CONTAINER "{namespace=\"plimsoll\",pod=\"testbed\",container=\"testbed\"}"

static void write_quota(double processors, const struct pool_counts *compute, struct text *out)
{
    const struct sample samples[] = {
        {"container_cpu_usage_seconds_total", "counter", CONTAINER, "Processor time.",
         (double)compute->busy_ns / 1e9},
        {"container_spec_cpu_period", "gauge", CONTAINER, "Period of the quota, in us.", 1e5},
        {"container_spec_cpu_quota", "gauge", CONTAINER, "Quota of a period, in us.",
         1e5 * processors},
        {"container_cpu_cfs_periods_total", "counter", CONTAINER, "Periods with work.",
         (double)compute->periods},
        {"container_cpu_cfs_throttled_periods_total", "counter", CONTAINER,
         "Periods in which the quota ran out.", (double)compute->throttled},
        {"container_cpu_cfs_throttled_seconds_total", "counter", CONTAINER,
         "Time for which it had run out.", (double)compute->throttled_ns / 1e9},
    };
    put_all(out, samples, sizeof samples / sizeof *samples);
}

static void write_memory(struct testbed *testbed, struct text *out)
{
    const struct sample samples[] = {
        {"container_memory_working_set_bytes", "gauge", CONTAINER, "Memory in use.",
         (double)memory_used(testbed)},
        {"container_spec_memory_limit_bytes", "gauge", CONTAINER, "Its limit.",
         (double)testbed->options.limit.memory_bytes},
        {"container_oom_events_total", "counter", CONTAINER, "Requests for which there was none.",
         (double)testbed->limits.memory_failures},
    };
    put_all(out, samples, sizeof samples / sizeof *samples);
}

/* As HAProxy tells of a frontend with a queue before its servers. */
static void write_balancer(struct testbed *testbed, struct text *out)
{
    static const char proxy[] = "{proxy=\"work\"}", server[] = "{proxy=\"work\",server=\"work-1\"}";
    const struct limits *limits = &testbed->limits;
    double sessions = (double)limits->sessions, waiting = (double)limits->waiting_count;
    const struct sample samples[] = {
        {"haproxy_frontend_current_sessions", "gauge", proxy, "Requests in hand.",
         sessions + waiting},
        {"haproxy_backend_current_queue", "gauge", proxy, "Requests that wait.", waiting},
        {"haproxy_server_current_sessions", "gauge", server, "Requests at the server.", sessions},
        {"haproxy_server_limit_sessions", "gauge", server, "At once, at most.",
         (double)testbed->options.limit.sessions},
        {"haproxy_backend_http_requests_total", "counter", proxy, "Requests to the server.",
         (double)(limits->sessions_done + limits->sessions)},
    };
    put_all(out, samples, sizeof samples / sizeof *samples);
}

/* As node_exporter tells of a network device. */
static void write_network(struct testbed *testbed, struct text *out)
{
    static const char device[] = "{device=\"eth0\"}";
    const struct sample samples[] = {
        {"node_network_transmit_bytes_total", "counter", device, "Sent.",
         (double)testbed->sent_bytes},
        {"node_network_receive_bytes_total", "counter", device, "Received.",
         (double)testbed->received_bytes},
        {"node_network_speed_bytes", "gauge", device, "Speed, a second.",
         (double)testbed->options.limit.link_bytes},
    };
    put_all(out, samples, sizeof samples / sizeof *samples);
}

void limits_write(struct testbed *testbed, struct text *out)
{
    const struct limit_options *options = &testbed->options.limit;
    struct pool_counts compute;
    pool_counts(testbed->compute, &compute);
    const struct sample process = {"process_cpu_seconds_total", "counter", "",
                                   "Processor time of the process.",
                                   processor_s(testbed, &compute)};
    put_all(out, &process, 1);
    if (options->processors > 0)
        write_quota(options->processors, &compute, out);
    if (options->memory_bytes)
        write_memory(testbed, out);
    if (options->sessions)
        write_balancer(testbed, out);
    if (options->link_bytes)
        write_network(testbed, out);
}
