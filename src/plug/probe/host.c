/* What this machine has of things that run out: descriptors and ports; its load, and how fast its
 * links and its memory are. Memory bandwidth is told by few machines (resctrl, where it is
 * mounted; counters of memory controllers); elsewhere it is said once that it cannot be
 * observed. */
#include "base/memory.h"
#include "base/unit.h"
#include "host/bandwidth.h"
#include "host/interface.h"
#include "host/limits.h"
#include "host/netstat.h"
#include "plug/probe/local.h"
#include "plug/probe/probe_list.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    DESCRIPTORS,
    DESCRIPTOR_SHARE,
    PORTS,
    PORTS_HELD,
    LOAD_1,
    LOAD_5,
    LOAD_15,
    TASKS,
    LINK_SPEED,
    BANDWIDTH,
};

static const struct metric metrics[] = {
    [DESCRIPTORS] =
        LOCAL_METRIC("host.descriptors", "descriptors",
                     "files and sockets open on the whole machine", "/proc/sys/fs/file-nr"),
    [DESCRIPTOR_SHARE] = LOCAL_METRIC("host.descriptor_share", "1", "the same, of its limit",
                                      "/proc/sys/fs/file-nr"),
    [PORTS] =
        LOCAL_METRIC("host.ports", "ports", "local ports for connections to one address and port",
                     "/proc/sys/net/ipv4"),
    [PORTS_HELD] = LOCAL_METRIC("host.ports_held", "sockets",
                                "TCP sockets that may hold such a port, resting ones included",
                                "/proc/net/sockstat"),
    [LOAD_1] = LOCAL_METRIC("host.load", "tasks",
                            "tasks running, ready, or waiting for a disk; mean of 1 minute",
                            "/proc/loadavg"),
    [LOAD_5] = LOCAL_METRIC("host.load_5m", "tasks", "the same of 5 minutes", "/proc/loadavg"),
    [LOAD_15] = LOCAL_METRIC("host.load_15m", "tasks", "the same of 15 minutes", "/proc/loadavg"),
    [TASKS] = LOCAL_METRIC("host.tasks", "tasks", "processes and threads", "/proc/loadavg"),
    [LINK_SPEED] =
        LOCAL_METRIC("host.link_speed", "bit/s", "speed of the interface's link", "/sys/class/net"),
    [BANDWIDTH] =
        LOCAL_METRIC("host.memory_bandwidth", "bytes/s",
                     "bytes moved between memory and processors", "resctrl, or uncore counters"),
    {.name = NULL},
};

static const struct setting_word places[] = {
    {"local", "this machine"},
    {NULL, NULL},
};

static const struct setting settings[] = {
    {.name = "place",
     .type = SETTING_CHOICE,
     .words = places,
     .unset = "local",
     .sentence = "which machine; others are watched with what they run: prometheus, kubernetes"},
    {.name = NULL},
};

struct host_config {
    int place;
};

struct host_probe {
    struct local local;
    struct bandwidth *bandwidth; /* NULL: not observable */
    uint64_t moved;              /* bytes, at the look before */
    bool told;
};

static int host_open(const void *config, const struct probe_place *place, void **self,
                     struct text *why)
{
    (void)config;
    (void)why;
    struct host_probe *probe = memory_new(1, sizeof *probe);
    probe->local.place = place;
    probe->bandwidth = bandwidth_open(place->root);
    probe->moved = HOST_UNKNOWN;
    *self = probe;
    return 0;
}

static void put_limits(const struct local *local, struct probe_sink *sink)
{
    struct limits limits;
    struct netstat netstat;
    limits_read_machine(local->place->root, &limits);
    netstat_read(local->place->root, &netstat);
    double open = local_known(limits.files_open), most = local_known(limits.files_most);
    probe_value(sink, DESCRIPTORS, "", open);
    if (limits.files_most < INT64_MAX) /* many kernels grant as many as can be counted */
        probe_value(sink, DESCRIPTOR_SHARE, "", open / most);
    probe_value(sink, PORTS, "", local_known(limits.ports));
    probe_value(sink, PORTS_HELD, "", local_known(netstat.in_use) + local_known(netstat.time_wait));
}

/* "0.20 0.18 0.12 1/80 11206" */
static void put_load(struct local *local, struct probe_sink *sink)
{
    struct span words = span_trim(local_read(local, "/proc/loadavg"));
    for (size_t i = 0; i < 3; i++) {
        struct span word = host_word(&words);
        double load = NAN;
        if (unit_read_real(word, &load) == 0)
            probe_value(sink, LOAD_1 + i, "", load);
    }
    struct span word = host_word(&words);
    const char *slash = word.bytes ? memchr(word.at, '/', word.bytes) : NULL;
    if (slash)
        probe_value(sink, TASKS, "",
                    local_known(host_number(
                        (struct span){slash + 1, word.bytes - (size_t)(slash + 1 - word.at)})));
}

static void put_links(struct local *local, struct probe_sink *sink)
{
    struct interface interface;
    struct span lines = local_read(local, "/proc/net/dev");
    while (interface_next(&lines, &interface))
        if (interface.in_packets + interface.out_packets > 0)
            probe_value(sink, LINK_SPEED, interface.name,
                        local_known(interface_speed(local->place->root, interface.name)));
}

static void put_bandwidth(struct host_probe *probe, struct probe_sink *sink)
{
    if (!probe->bandwidth) {
        if (!probe->told)
            probe_event(sink, "unobserved",
                        "memory bandwidth is not observable: neither resctrl with memory "
                        "bandwidth monitoring nor counters of memory controllers are here");
        probe->told = true;
        return;
    }
    uint64_t moved = bandwidth_read(probe->bandwidth);
    if (probe->local.elapsed_ns > 0)
        probe_value(sink, BANDWIDTH, "", local_rate(&probe->local, probe->moved, moved));
    probe->moved = moved;
}

static int host_look(void *self, nsec_t at_ns, struct probe_sink *sink, struct text *why)
{
    struct host_probe *probe = self;
    (void)why;
    local_begin(&probe->local, at_ns);
    put_limits(&probe->local, sink);
    put_load(&probe->local, sink);
    put_links(&probe->local, sink);
    put_bandwidth(probe, sink);
    return 0;
}

static void host_close(void *self)
{
    struct host_probe *probe = self;
    bandwidth_close(probe->bandwidth);
    local_fini(&probe->local);
    free(probe);
}

const struct probe probe_host = {
    .name = "host",
    .sentence = "this machine as a whole: descriptors, ports, load, links; and all of the above",
    .settings = settings,
    .config_bytes = sizeof(struct host_config),
    .shorthand = "place",
    .metrics = metrics,
    .role = "host",
    .also = "cpu memory disk network",
    .unasked = "",
    .open = host_open,
    .look = host_look,
    .close = host_close,
};
