/* Containers of an engine, by its API: one list, and for each container that is wanted its
 * counters, which become rates by the engine's own time stamps. */
#include "control/docker.h"

#include "base/memory.h"
#include "control/kubernetes.h"
#include "plan/plan.h"
#include "plug/probe/member.h"
#include "plug/probe/probe_list.h"
#include "wire/url.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_CONTAINERS = 200 };

enum {
    CPU,
    THROTTLED_SHARE,
    MEMORY,
    MEMORY_LIMIT,
    MEMORY_SHARE,
    RECEIVED,
    SENT,
    READ,
    WRITTEN,
    PROCESSES,
};

#define CONTAINER(number, word, of, what)                                                          \
    [number] = METRIC_ROW(METRIC_GAUGE, "container." word, of, what, "the container engine's stats")

static const struct metric metrics[] = {
    CONTAINER(CPU, "cpu", "cores", "processors used"),
    CONTAINER(THROTTLED_SHARE, "throttled_share", "1",
              "share of periods in which its quota ran out"),
    CONTAINER(MEMORY, "memory", "bytes", "memory in use, without the page cache that is idle"),
    CONTAINER(MEMORY_LIMIT, "memory_limit", "bytes", "memory that it may use"),
    CONTAINER(MEMORY_SHARE, "memory_share", "1", "memory over its limit"),
    CONTAINER(RECEIVED, "received_bytes", "bytes/s", "received, over all its interfaces"),
    CONTAINER(SENT, "sent_bytes", "bytes/s", "sent, over all its interfaces"),
    CONTAINER(READ, "read_bytes", "bytes/s", "read from devices"),
    CONTAINER(WRITTEN, "written_bytes", "bytes/s", "written to devices"),
    CONTAINER(PROCESSES, "processes", "tasks", "processes and threads"),
    {.name = NULL},
};

struct docker_config {
    char *engine;
    struct plan_texts containers;
};

static const struct setting settings[] = {
    {.name = "containers",
     .type = SETTING_TEXTS,
     .offset = offsetof(struct docker_config, containers),
     .sentence = "names of containers; one that ends in * begins with it; else all that run"},
    {.name = "engine",
     .type = SETTING_TEXT,
     .offset = offsetof(struct docker_config, engine),
     .unset = "/var/run/docker.sock",
     .sentence = "the engine's socket, or tcp://HOST:PORT"},
    {.name = NULL},
};

struct docker_probe {
    const struct docker_config *config;
    struct docker *client;
    struct remembered *past;
    json_t *running; /* names of the look before, as keys */
};

static void docker_close(void *self)
{
    struct docker_probe *probe = self;
    docker_free(probe->client);
    remembered_free(probe->past);
    json_decref(probe->running);
    free(probe);
}

static int docker_open(const void *config, const struct probe_place *place, void **self,
                       struct text *why)
{
    struct docker_probe *probe = memory_new(1, sizeof *probe);
    probe->config = config;
    probe->past = remembered_new();
    struct docker_options options = {
        .engine = probe->config->engine, .timeout_ns = place->timeout_ns, .cancel = place->cancel};
    struct control_request request = {.path = "/containers/json?limit=1"};
    int rc = docker_new(&options, &probe->client, why);
    rc = rc ? rc : docker_ask(probe->client, &request, NULL, why);
    if (rc == CONTROL_ABSENT || rc == CONTROL_FORBIDDEN || !probe->client) {
        docker_close(probe);
        return PROBE_ABSENT;
    }
    text_clear(why); /* what is slow or odd now may be well at the next look */
    *self = probe;
    return 0;
}

/* ---- one container ----------------------------------------------------------------------------
 */

/* The growth a second of a counter; NAN when it is not known, or shrank. */
static double rate_of(struct docker_probe *probe, const char *name, const char *what, double now,
                      double passed_s)
{
    double growth = now - remembered_swap(probe->past, name, what, now);
    return growth >= 0 && passed_s > 0 ? growth / passed_s : (double)NAN;
}

static double sum_networks(const json_t *stats, const char *what)
{
    const char *interface;
    json_t *networks = member_at(stats, "networks"), *one;
    double sum = networks ? 0 : (double)NAN;
    json_object_foreach(networks, interface, one) sum += member_number(one, what);
    return sum;
}

/* The sum of an operation ("read" with control groups v2, "Read" with v1) over all devices. */
static double sum_devices(const json_t *stats, const char *operation)
{
    size_t i;
    json_t *one, *all = member_at(stats, "blkio_stats.io_service_bytes_recursive");
    double sum = json_is_array(all) ? 0 : (double)NAN;
    json_array_foreach(all, i, one)
    {
        if (span_equal_nocase(span_of(member_text(one, "op")), span_of(operation)))
            sum += member_number(one, "value");
    }
    return sum;
}

static void hand_out_memory(const json_t *stats, const char *name, struct probe_sink *sink)
{
    double used = member_number(stats, "memory_stats.usage");
    double limit = member_number(stats, "memory_stats.limit");
    double idle = member_number(stats, "memory_stats.stats.inactive_file");
    double idle_1 = member_number(stats, "memory_stats.stats.total_inactive_file");
    if (isfinite(idle_1)) /* control groups v1 */
        idle = idle_1;
    if (isfinite(idle) && idle <= used)
        used -= idle;
    probe_value(sink, MEMORY, name, used);
    probe_value(sink, MEMORY_LIMIT, name, limit);
    if (limit > 0)
        probe_value(sink, MEMORY_SHARE, name, used / limit);
}

static void hand_out(struct docker_probe *probe, const json_t *stats, const char *name,
                     struct probe_sink *sink)
{
    double at_s = NAN;
    kubernetes_instant(span_of(member_text(stats, "read")), &at_s);
    double passed_s = at_s - remembered_swap(probe->past, name, "read", at_s);
    double cpu_ns = member_number(stats, "cpu_stats.cpu_usage.total_usage");
    double before_ns = remembered_swap(probe->past, name, "cpu", cpu_ns);
    if (cpu_ns < before_ns)
        probe_event(sink, "restart", "container %s was restarted", name);
    if (passed_s > 0 && cpu_ns >= before_ns)
        probe_value(sink, CPU, name, (cpu_ns - before_ns) / NSEC_PER_SEC / passed_s);
    double periods = member_number(stats, "cpu_stats.throttling_data.periods");
    double throttled = member_number(stats, "cpu_stats.throttling_data.throttled_periods");
    double share = rate_of(probe, name, "throttled", throttled, passed_s) /
                   rate_of(probe, name, "periods", periods, passed_s);
    probe_value(sink, THROTTLED_SHARE, name, share);
    hand_out_memory(stats, name, sink);
    probe_value(sink, RECEIVED, name,
                rate_of(probe, name, "in", sum_networks(stats, "rx_bytes"), passed_s));
    probe_value(sink, SENT, name,
                rate_of(probe, name, "out", sum_networks(stats, "tx_bytes"), passed_s));
    probe_value(sink, READ, name,
                rate_of(probe, name, "reads", sum_devices(stats, "read"), passed_s));
    probe_value(sink, WRITTEN, name,
                rate_of(probe, name, "writes", sum_devices(stats, "write"), passed_s));
    probe_value(sink, PROCESSES, name, member_number(stats, "pids_stats.current"));
}

/* ---- all of them ------------------------------------------------------------------------------
 */

static bool is_wanted(const struct plan_texts *wanted, const char *name)
{
    for (size_t i = 0; i < wanted->count; i++) {
        size_t bytes = strlen(wanted->items[i]);
        bool begins = bytes && wanted->items[i][bytes - 1] == '*';
        if (begins ? strncmp(name, wanted->items[i], bytes - 1) == 0
                   : strcmp(name, wanted->items[i]) == 0)
            return true;
    }
    return wanted->count == 0;
}

/* Its name without the slash that the engine puts before it. */
static const char *name_of(const json_t *container)
{
    const char *name = json_string_value(json_array_get(member_at(container, "Names"), 0));
    name = name ? name : member_text(container, "Id");
    return name[0] == '/' ? name + 1 : name;
}

static int look_at(struct docker_probe *probe, const char *name, struct probe_sink *sink,
                   struct text *why)
{
    struct text path = TEXT_EMPTY;
    json_t *stats = NULL;
    text_puts(&path, "/containers/");
    url_encode(span_of(name), &path);
    text_puts(&path, "/stats?stream=false&one-shot=true");
    int rc = docker_ask(probe->client, &(struct control_request){.path = path.at}, &stats, why);
    if (rc == CONTROL_DONE && stats)
        hand_out(probe, stats, name, sink);
    json_decref(stats);
    text_fini(&path);
    return rc;
}

/* Tells of those that ran at the look before and do no more. */
static void tell_gone(struct docker_probe *probe, json_t *running, struct probe_sink *sink)
{
    const char *name;
    json_t *one;
    json_object_foreach(probe->running, name, one)
    {
        if (!json_object_get(running, name))
            probe_event(sink, "gone", "container %s no longer runs", name);
    }
    json_decref(probe->running);
    probe->running = running;
}

static int docker_look(void *self, nsec_t at_ns, struct probe_sink *sink, struct text *why)
{
    struct docker_probe *probe = self;
    json_t *list = NULL, *one, *running = json_object();
    struct text ignored = TEXT_EMPTY;
    size_t i, count = 0;
    (void)at_ns;
    int rc = docker_ask(probe->client, &(struct control_request){.path = "/containers/json"}, &list,
                        why);
    if (rc) {
        json_decref(running);
        return PROBE_GAP;
    }
    remembered_begin(probe->past);
    json_array_foreach(list, i, one)
    {
        const char *name = name_of(one);
        if (!is_wanted(&probe->config->containers, name) || count == MOST_CONTAINERS)
            continue;
        json_object_set_new(running, name, json_true());
        count += look_at(probe, name, sink, &ignored) == CONTROL_DONE;
    }
    tell_gone(probe, running, sink);
    json_decref(list);
    if (count == 0)
        text_printf(why, "no container that is wanted runs%s%s", ignored.bytes ? ": " : "",
                    ignored.bytes ? ignored.at : "");
    text_fini(&ignored);
    return count ? 0 : PROBE_GAP;
}

const struct probe probe_docker = {
    .name = "docker",
    .sentence = "containers, by the engine's socket",
    .settings = settings,
    .config_bytes = sizeof(struct docker_config),
    .shorthand = "containers",
    .metrics = metrics,
    .role = "container",
    .remote = true,
    .open = docker_open,
    .look = docker_look,
    .close = docker_close,
};
