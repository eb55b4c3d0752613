/* The network of this machine: what each interface carries, and how TCP fares. Counters are those
 * of this network namespace. The states of sockets are counted one by one, which is left out while
 * there are very many: looking must not cost what is looked at. */
#include "base/memory.h"
#include "host/interface.h"
#include "host/netstat.h"
#include "host/sockets.h"
#include "plug/probe/local.h"
#include "plug/probe/probe_list.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    IN_BYTES,
    OUT_BYTES,
    IN_PACKETS,
    OUT_PACKETS,
    DROPS,
    ERRORS,
    LINK_SHARE,
    SEGMENTS,
    RETRANSMITS,
    RETRANSMIT_SHARE,
    LISTEN_OVERFLOWS,
    LISTEN_DROPS,
    RESETS,
    RESETS_SENT,
    OPENS_FAILED,
    SOCKETS,
    ESTABLISHED,
    TIME_WAIT,
    ORPHANS,
    BUFFERS,
    STATE,
};

#define DEV      "/proc/net/dev"
#define SNMP     "/proc/net/snmp"
#define NETSTAT  "/proc/net/netstat"
#define SOCKSTAT "/proc/net/sockstat"
enum { MOST_SOCKETS = 20000 }; /* whose states are counted one by one */

static const struct metric metrics[] = {
    [IN_BYTES] =
        LOCAL_METRIC("network.in_bytes", "bytes/s", "bytes received, frames included", DEV),
    [OUT_BYTES] = LOCAL_METRIC("network.out_bytes", "bytes/s", "bytes sent, frames included", DEV),
    [IN_PACKETS] = LOCAL_METRIC("network.in_packets", "1/s", "packets received", DEV),
    [OUT_PACKETS] = LOCAL_METRIC("network.out_packets", "1/s", "packets sent", DEV),
    [DROPS] = LOCAL_METRIC("network.drops", "1/s", "packets dropped, both ways", DEV),
    [ERRORS] = LOCAL_METRIC("network.errors", "1/s", "packets with errors, both ways", DEV),
    [LINK_SHARE] = LOCAL_METRIC("network.link_share", "1",
                                "use of the link in its busier direction, by its speed",
                                DEV " and /sys/class/net"),
    [SEGMENTS] = LOCAL_METRIC("network.tcp_segments", "1/s", "TCP segments sent", SNMP),
    [RETRANSMITS] = LOCAL_METRIC("network.tcp_retransmits", "1/s", "TCP segments sent again", SNMP),
    [RETRANSMIT_SHARE] =
        LOCAL_METRIC("network.tcp_retransmit_share", "1", "segments sent again, of all sent", SNMP),
    [LISTEN_OVERFLOWS] =
        LOCAL_METRIC("network.listen_overflows", "1/s",
                     "connections refused because accept() came too late", NETSTAT),
    [LISTEN_DROPS] = LOCAL_METRIC("network.listen_drops", "1/s",
                                  "the same, and dropped for all other reasons", NETSTAT),
    [RESETS] = LOCAL_METRIC("network.tcp_resets", "1/s",
                            "established connections that were broken off", SNMP),
    [RESETS_SENT] =
        LOCAL_METRIC("network.tcp_resets_sent", "1/s", "resets that this machine sent", SNMP),
    [OPENS_FAILED] = LOCAL_METRIC("network.tcp_opens_failed", "1/s",
                                  "connections that did not come about", SNMP),
    [SOCKETS] = LOCAL_METRIC("network.tcp_sockets", "sockets", "TCP sockets in use", SOCKSTAT),
    [ESTABLISHED] = LOCAL_METRIC("network.tcp_established", "sockets",
                                 "connections established, or closed by the other side only", SNMP),
    [TIME_WAIT] = LOCAL_METRIC("network.tcp_time_wait", "sockets",
                               "ports that rest after a close of ours", SOCKSTAT),
    [ORPHANS] = LOCAL_METRIC("network.tcp_orphans", "sockets",
                             "sockets that no process has any more", SOCKSTAT),
    [BUFFERS] =
        LOCAL_METRIC("network.tcp_buffers", "bytes", "memory that TCP's buffers hold", SOCKSTAT),
    [STATE] = LOCAL_METRIC("network.tcp_state", "sockets", "sockets in each of the other states",
                           "inet_diag"),
    {.name = NULL},
};

struct network_config {
    char *interface;
    uint64_t speed_bytes; /* a second */
};

static const struct setting settings[] = {
    {.name = "interface",
     .type = SETTING_TEXT,
     .offset = offsetof(struct network_config, interface),
     .sentence = "only this interface; else all, and TCP"},
    {.name = "speed",
     .type = SETTING_BYTES,
     .offset = offsetof(struct network_config, speed_bytes),
     .least = 1,
     .most = 1e15,
     .sentence = "bytes a second that its link carries each way (12.5MB is 100 Mbit/s), where the "
                 "driver says nothing (virtual machines) or a limit on the rate is lower"},
    {.name = NULL},
};

struct known_interface {
    struct interface before;
    uint64_t speed; /* bits a second */
    nsec_t at_ns;
};

struct network_probe {
    struct local local;
    const struct network_config *config; /* NULL: none was asked for */
    struct text netstat, snmp, sockstat, sockstat6;
    struct netstat before;
    struct known_interface *interfaces;
    size_t count;
};

static int network_open(const void *config, const struct probe_place *place, void **self,
                        struct text *why)
{
    const struct network_config *wanted = config;
    if (wanted && wanted->speed_bytes && (!wanted->interface || !*wanted->interface)) {
        text_puts(why, "speed is that of one interface: name it");
        return -EINVAL;
    }
    struct network_probe *probe = memory_new(1, sizeof *probe);
    probe->local.place = place;
    probe->config = config;
    *self = probe;
    return 0;
}

/* ---- interfaces ------------------------------------------------------------------------------ */

static struct known_interface *known(struct network_probe *probe, const struct interface *now)
{
    for (size_t i = 0; i < probe->count; i++)
        if (strcmp(probe->interfaces[i].before.name, now->name) == 0)
            return &probe->interfaces[i];
    probe->interfaces =
        memory_resize(probe->interfaces, probe->count + 1, sizeof *probe->interfaces);
    uint64_t told = probe->config ? probe->config->speed_bytes : 0;
    probe->interfaces[probe->count] = (struct known_interface){
        .before = *now,
        .speed = told ? 8 * told : interface_speed(probe->local.place->root, now->name)};
    return &probe->interfaces[probe->count++];
}

static void put_interface(const struct local *local, const struct known_interface *interface,
                          const struct interface *now, struct probe_sink *sink)
{
    const struct interface *before = &interface->before;
    const char *part = now->name;
    double in = local_rate(local, before->in_bytes, now->in_bytes);
    double out = local_rate(local, before->out_bytes, now->out_bytes);
    probe_value(sink, IN_BYTES, part, in);
    probe_value(sink, OUT_BYTES, part, out);
    probe_value(sink, IN_PACKETS, part, local_rate(local, before->in_packets, now->in_packets));
    probe_value(sink, OUT_PACKETS, part, local_rate(local, before->out_packets, now->out_packets));
    probe_value(sink, DROPS, part,
                local_rate(local, before->in_drops, now->in_drops) +
                    local_rate(local, before->out_drops, now->out_drops));
    probe_value(sink, ERRORS, part,
                local_rate(local, before->in_errors, now->in_errors) +
                    local_rate(local, before->out_errors, now->out_errors));
    if (host_known(interface->speed))
        probe_value(sink, LINK_SHARE, part, 8 * fmax(in, out) / (double)interface->speed);
}

/* The interface that was asked for; NULL: all. */
static const char *only_one(const struct network_probe *probe)
{
    const char *name = probe->config ? probe->config->interface : NULL;
    return name && *name ? name : NULL;
}

/* Whether there was any interface; one that never carried anything is left out. */
static bool look_at_interfaces(struct network_probe *probe, nsec_t at_ns, struct probe_sink *sink)
{
    struct interface now;
    bool any = false;
    struct span lines = local_read(&probe->local, DEV);
    while (interface_next(&lines, &now)) {
        const char *only = only_one(probe);
        if (only && strcmp(only, now.name) != 0)
            continue;
        any = true;
        struct known_interface *interface = known(probe, &now);
        bool used = now.in_packets + now.out_packets > 0;
        if (used && interface->at_ns && interface->at_ns + probe->local.elapsed_ns == at_ns)
            put_interface(&probe->local, interface, &now, sink);
        interface->before = now;
        interface->at_ns = at_ns;
    }
    return any;
}

/* ---- TCP ------------------------------------------------------------------------------------- */

static void put_rates(const struct network_probe *probe, const struct netstat *now,
                      struct probe_sink *sink)
{
    const struct netstat *before = &probe->before;
    const struct local *local = &probe->local;
    double sent = local_rate(local, before->segments_out, now->segments_out);
    double again = local_rate(local, before->segments_repeated, now->segments_repeated);
    probe_value(sink, SEGMENTS, "", sent);
    probe_value(sink, RETRANSMITS, "", again);
    if (sent > 0)
        probe_value(sink, RETRANSMIT_SHARE, "", again / sent);
    probe_value(sink, LISTEN_OVERFLOWS, "",
                local_rate(local, before->listen_overflows, now->listen_overflows));
    probe_value(sink, LISTEN_DROPS, "", local_rate(local, before->listen_drops, now->listen_drops));
    probe_value(sink, RESETS, "", local_rate(local, before->resets, now->resets));
    probe_value(sink, RESETS_SENT, "", local_rate(local, before->resets_sent, now->resets_sent));
    probe_value(sink, OPENS_FAILED, "", local_rate(local, before->opens_failed, now->opens_failed));
}

/* Established and resting sockets are told by the kernel in one number each. */
static void put_states(const struct network_probe *probe, const struct netstat *now,
                       struct probe_sink *sink)
{
    uint64_t counts[SOCKET_STATES];
    uint32_t states = (1U << SOCKET_STATES) - 2;
    states &= ~(1U << SOCKET_ESTABLISHED | 1U << SOCKET_TIME_WAIT | 1U << SOCKET_CLOSE);
    bool few = host_known(now->in_use) && host_known(now->time_wait) &&
               now->in_use + now->time_wait <= MOST_SOCKETS;
    if (!few || *probe->local.place->root || sockets_count(states, counts) != 0)
        return;
    for (int state = 1; state < SOCKET_STATES; state++)
        if (states & 1U << state)
            probe_value(sink, STATE, socket_state_word((enum socket_state)state),
                        (double)counts[state]);
}

static void look_at_tcp(struct network_probe *probe, struct probe_sink *sink)
{
    const char *root = probe->local.place->root;
    host_read(root, NETSTAT, &probe->netstat);
    host_read(root, SNMP, &probe->snmp);
    host_read(root, SOCKSTAT, &probe->sockstat);
    host_read(root, "/proc/net/sockstat6", &probe->sockstat6);
    struct netstat_texts texts = {text_span(&probe->netstat), text_span(&probe->snmp),
                                  text_span(&probe->sockstat), text_span(&probe->sockstat6)};
    struct netstat now;
    netstat_parse(&texts, &now);
    if (probe->local.elapsed_ns > 0)
        put_rates(probe, &now, sink);
    probe->before = now;
    probe_value(sink, SOCKETS, "", local_known(now.in_use));
    probe_value(sink, ESTABLISHED, "", local_known(now.established));
    probe_value(sink, TIME_WAIT, "", local_known(now.time_wait));
    probe_value(sink, ORPHANS, "", local_known(now.orphans));
    probe_value(sink, BUFFERS, "", local_known(now.memory_pages) * (double)sysconf(_SC_PAGESIZE));
    put_states(probe, &now, sink);
}

static int network_look(void *self, nsec_t at_ns, struct probe_sink *sink, struct text *why)
{
    struct network_probe *probe = self;
    local_begin(&probe->local, at_ns);
    bool any = look_at_interfaces(probe, at_ns, sink);
    const char *only = only_one(probe);
    if (!only)
        look_at_tcp(probe, sink);
    if (any)
        return 0;
    text_printf(why, DEV " lists no interface %s", only ? only : "");
    return PROBE_GAP;
}

static void network_close(void *self)
{
    struct network_probe *probe = self;
    local_fini(&probe->local);
    text_fini(&probe->netstat);
    text_fini(&probe->snmp);
    text_fini(&probe->sockstat);
    text_fini(&probe->sockstat6);
    free(probe->interfaces);
    free(probe);
}

const struct probe probe_network = {
    .name = "network",
    .sentence = "the interfaces and TCP of this machine",
    .settings = settings,
    .config_bytes = sizeof(struct network_config),
    .shorthand = "interface",
    .metrics = metrics,
    .role = "host",
    .unasked = "",
    .open = network_open,
    .look = network_look,
    .close = network_close,
};
