/* The table. Limits are rules of thumb, and are named beside every finding that rests on them.
 *
 *   Source   Gregg's USE method for utilisation, saturation and errors; NVML's documentation for
 *            utilization.gpu (percent of time in which one or more kernels ran), which is
 *            why it is weak; /proc/diskstats' busy time likewise on devices that work in
 *            parallel; vLLM's documentation for KV cache, waiting and preemptions. */
#include "study/indicator.h"

#include <string.h>

static const struct indicator table[] = {
    {"cgroup.cpu_of_quota", "cpu-quota", "CPU quota", USE_SHARE, 0.95},
    {"cgroup.throttled", "cpu-quota", "CPU quota", USE_WANT, 0.25},
    {"container.cpu_of_quota", "cpu-quota", "CPU quota", USE_SHARE, 0.95},
    {"container.throttled_share", "cpu-quota", "CPU quota", USE_WANT, 0.25},
    {"cgroup.cpu_pressure", "cpu-quota", "CPU quota", USE_WANT, 0.25},
    {"cpu.busy", "cpu", "CPU", USE_SHARE, 0.95},
    {"cpu.pressure", "cpu", "CPU", USE_WANT, 0.25},
    {"process.cpu", "cpu", "CPU", USE_COUNT, 1},
    {"container.cpu", "cpu", "CPU", USE_COUNT, 1},
    {"cgroup.cpu", "cpu-quota", "CPU", USE_COUNT, 1},
    {"process.run_delay", "cpu", "CPU", USE_WANT, 0.5},
    {"cgroup.memory_of_limit", "memory", "memory", USE_LEVEL, 0.95},
    {"container.memory_share", "memory", "memory", USE_LEVEL, 0.95},
    {"memory.used_share", "memory", "memory", USE_LEVEL, 0.95},
    {"memory.pressure_full", "memory", "memory", USE_WANT, 0.1},
    {"cgroup.memory_pressure", "memory", "memory", USE_WANT, 0.1},
    {"memory.oom_kills", "memory", "memory", USE_EVENT, 0},
    {"cgroup.oom_kills", "memory", "memory", USE_EVENT, 0},
    {"container.oom_events", "memory", "memory", USE_EVENT, 0},
    {"cgroup.memory_limit_hits", "memory", "memory", USE_EVENT, 0},
    {"memory.swapped_in", "memory", "memory", USE_EVENT, 10},
    {"host.memory_bandwidth", "memory-bandwidth", "memory bandwidth", USE_COUNT, 0},
    {"gpu.tensor_active", "gpu-compute", "GPU", USE_SHARE, 0.9},
    {"gpu.engine_active", "gpu-compute", "GPU", USE_WEAK, 0.95},
    {"gpu.utilization", "gpu-compute", "GPU", USE_WEAK, 0.95},
    {"gpu.dram_active", "gpu-bandwidth", "GPU memory bandwidth", USE_SHARE, 0.9},
    {"gpu.memory_share", "gpu-memory", "GPU memory", USE_LEVEL, 0.95},
    {"gpu.throttled_heat", "gpu-compute", "GPU", USE_WANT, 0.25},
    {"llm.kv_cache_share", "kv-cache", "KV cache", USE_LEVEL, 0.95},
    {"llm.preemptions", "kv-cache", "KV cache", USE_EVENT, 0},
    {"llm.waiting", "slots", "slots", USE_QUEUE, 1},
    {"llm.running", "slots", "slots", USE_COUNT, 0},
    {"network.link_share", "network", "network", USE_SHARE, 0.9},
    {"network.listen_overflows", "accept-queue", "accept queue", USE_EVENT, 0},
    {"network.tcp_retransmit_share", "network", "network", USE_WANT, 0.02},
    {"network.drops", "network", "network", USE_EVENT, 1},
    {"disk.busy", "disk", "disk", USE_WEAK, 0.95},
    {"disk.pressure", "disk", "disk", USE_WANT, 0.25},
    {"cgroup.io_pressure", "disk", "disk", USE_WANT, 0.25},
    {"pool.used_share", "pool", "connection pool", USE_SHARE, 0.95},
    {"pool.waiting", "pool", "connection pool", USE_QUEUE, 1},
    {"pool.clients_waiting", "pool", "connection pool", USE_QUEUE, 1},
    {"pool.in_use", "pool", "connection pool", USE_COUNT, 0},
    {"database.pool_share", "database", "database connections", USE_SHARE, 0.95},
    {"cache.memory_share", "cache", "cache memory", USE_LEVEL, 0.95},
    {"cache.evictions", "cache", "cache memory", USE_EVENT, 0},
    {"vector.update_queue", "vector-search", "vector search", USE_QUEUE, 1},
    {"balancer.queue", "balancer", "load balancer", USE_QUEUE, 1},
    {"balancer.sessions", "balancer", "load balancer", USE_COUNT, 0},
    {"balancer.server_sessions", "balancer", "load balancer", USE_COUNT, 0},
    {"network.conntrack_share", "network", "connection table", USE_LEVEL, 0.95},
    {"host.descriptor_share", "descriptors", "descriptors", USE_LEVEL, 0.95},
    {"queue.depth", "queue", "queue", USE_QUEUE, 1},
    {"queue.pending", "queue", "queue", USE_QUEUE, 1},
    {"app.in_flight", "queue", "requests in flight", USE_COUNT, 0},
};

/* The last word of a metric of the user's own. */
static const struct indicator endings[] = {
    {"busy", "resource", "", USE_SHARE, 0.95},
    {"utilization", "resource", "", USE_SHARE, 0.95},
    {"utilisation", "resource", "", USE_SHARE, 0.95},
    {"used_share", "resource", "", USE_SHARE, 0.95},
    {"usage", "resource", "", USE_LEVEL, 0.95},
    {"queue", "resource", "", USE_QUEUE, 1},
    {"queue_length", "resource", "", USE_QUEUE, 1},
    {"queue_size", "resource", "", USE_QUEUE, 1},
    {"queued", "resource", "", USE_QUEUE, 1},
    {"waiting", "resource", "", USE_QUEUE, 1},
    {"pending", "resource", "", USE_QUEUE, 1},
    {"depth", "resource", "", USE_QUEUE, 1},
    {"in_use", "resource", "", USE_COUNT, 0},
    {"in_flight", "resource", "", USE_COUNT, 0},
    {"running", "resource", "", USE_COUNT, 0},
};

/* Failures and the kinds of resources that cause them; blanks at both ends of each word. */
static const struct {
    const char *words, *kinds;
} errors[] = {
    {"429", " rate-limit slots tools queue "},
    {"503", " pool database slots balancer memory gpu-memory kv-cache queue software rate-limit "},
    {"502", " balancer memory software "},
    {"504", " balancer pool database vector-search software "},
    {"500", " memory gpu-memory database pool "},
    {"507", " memory gpu-memory kv-cache disk "},
    {"refused", " accept-queue pool database memory descriptors "},
    {"reset", " accept-queue memory network "},
    {"connect timeout", " accept-queue network balancer "},
    {"timeout", " cpu cpu-quota gpu-compute kv-cache slots pool database vector-search tools queue "
                "network disk resource memory-bandwidth dependency software "},
};

static bool ends_in(const char *metric, const char *ending)
{
    size_t length = strlen(metric), tail = strlen(ending);
    return length > tail && strcmp(metric + length - tail, ending) == 0 &&
           strchr("._", metric[length - tail - 1]);
}

const struct indicator *indicator_find(const char *metric, const char *unit)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strcmp(table[i].metric, metric) == 0)
            return &table[i];
    static const char *const ours[] = {"cpu.",  "memory.", "disk.",      "network.", "process.",
                                       "host.", "cgroup.", "container.", "gpu."};
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (strncmp(metric, ours[i], strlen(ours[i])) == 0)
            return NULL;
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        bool share = endings[i].use == USE_SHARE || endings[i].use == USE_LEVEL;
        /* What is scraped by its own name mostly has no unit, which is told as "1". */
        if (ends_in(metric, endings[i].metric) && (!share || strcmp(unit, "1") == 0))
            return &endings[i];
    }
    return NULL;
}

bool indicator_error_fits(const char *kind, const char *words)
{
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        const char *at = strcmp(errors[i].words, words) == 0 ? strstr(errors[i].kinds, kind) : NULL;
        if (at && at[-1] == ' ' && at[strlen(kind)] == ' ')
            return true;
    }
    return false;
}
