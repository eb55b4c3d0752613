/* Limits that a generator runs into long before its processors do. */
#include "run/doctor/doctor.h"

#include "base/unit.h"
#include "host/limits.h"
#include "host/netstat.h"

#include <inttypes.h>

static const char *const area = "kernel";

enum {
    DESCRIPTORS_FEW = 4096,
    PORTS_FEW = 16384,
    LISTEN_FEW = 1024,
    TRACKED_SHARE = 2, /* more than one in so many of conntrack's entries are taken */
};

static const char *limit_words(char out[UNIT_ROOM], uint64_t limit)
{
    return limit == LIMIT_NONE ? "no limit"
           : host_known(limit) ? unit_write_count(out, limit)
                               : "an unknown number";
}

static void look_at_descriptors(const struct limits *limits, struct findings *findings)
{
    char soft[UNIT_ROOM], hard[UNIT_ROOM], most[UNIT_ROOM];
    uint64_t can = limits->descriptors_hard;
    bool few = host_known(can) && can < DESCRIPTORS_FEW;
    finding_add(findings, few ? FINDING_WARNING : FINDING_FINE, area, "descriptors",
                "%s a process, to be raised to %s by itself",
                limit_words(soft, limits->descriptors_soft), limit_words(hard, can));
    if (few)
        finding_remedy(findings, "one a connection is needed: ulimit -Hn 65536, LimitNOFILE= of a "
                                 "unit, or nofile in limits.conf");
    uint64_t open = limits->files_open, all = limits->files_most;
    if (host_known(open) && host_known(all) && all > 0 && open > all - all / 10) {
        finding_add(findings, FINDING_WARNING, area, "files",
                    "%s of %s files of the machine are open", unit_write_count(soft, open),
                    unit_write_count(most, all));
        finding_remedy(findings, "raise fs.file-max");
    }
}

static void look_at_ports(const struct limits *limits, const struct netstat *net,
                          struct findings *findings)
{
    char have[UNIT_ROOM], resting[UNIT_ROOM];
    if (!host_known(limits->ports)) {
        finding_add(findings, FINDING_UNKNOWN, area, "ports",
                    "the range of ports is not shown here");
        return;
    }
    uint64_t rest = host_known(net->time_wait) ? net->time_wait : 0;
    bool few = limits->ports<PORTS_FEW, taken = rest> limits->ports / 2;
    finding_add(findings, few || taken ? FINDING_WARNING : FINDING_FINE, area, "ports",
                "%s for each pair of addresses (%" PRIu64 " to %" PRIu64
                "), %s resting in TIME_WAIT",
                unit_write_count(have, limits->ports), limits->port_first, limits->port_last,
                unit_write_count(resting, rest));
    if (taken)
        finding_remedy(findings, "wait a minute until they are free, and keep connections open "
                                 "(connections: {mode: shared})");
    else if (few)
        finding_remedy(findings,
                       "sysctl -w net.ipv4.ip_local_port_range=\"1024 65535\", or several "
                       "addresses in connections.source");
}

static void look_at_queues(const char *root, const struct limits *limits, const struct netstat *net,
                           struct findings *findings)
{
    if (host_known(limits->listen_most)) {
        bool few = limits->listen_most < LISTEN_FEW;
        finding_add(findings, few ? FINDING_WARNING : FINDING_FINE, area, "somaxconn",
                    "%" PRIu64 " connections may wait for a server on this machine",
                    limits->listen_most);
        if (few)
            finding_remedy(findings, "for targets on this machine: sysctl -w "
                                     "net.core.somaxconn=4096");
    }
    if (host_known(net->listen_overflows) && net->listen_overflows > 0) {
        finding_add(findings, FINDING_WARNING, area, "overflows",
                    "%" PRIu64 " connections were dropped by full listening queues since the start",
                    net->listen_overflows);
        finding_remedy(findings, "a server of this machine accepts too slowly, or its backlog is "
                                 "too short: ss -ltn shows which (Recv-Q against Send-Q)");
    }
    uint64_t tracked = host_read_number(root, "/proc/sys/net/netfilter/nf_conntrack_count");
    uint64_t most = host_read_number(root, "/proc/sys/net/netfilter/nf_conntrack_max");
    if (!host_known(tracked) || !host_known(most) || most == 0)
        return;
    bool full = tracked > most / TRACKED_SHARE;
    finding_add(findings, full ? FINDING_WARNING : FINDING_FINE, area, "conntrack",
                "%" PRIu64 " of %" PRIu64 " connections are tracked by the firewall", tracked,
                most);
    if (full)
        finding_remedy(findings,
                       "a full table drops packets silently: sysctl -w "
                       "net.netfilter.nf_conntrack_max=%" PRIu64,
                       most * 4);
}

void doctor_kernel(const char *root, struct findings *findings)
{
    struct limits limits;
    struct netstat net;
    limits_read(root, &limits);
    netstat_read(root, &net);
    look_at_descriptors(&limits, findings);
    look_at_ports(&limits, &net, findings);
    look_at_queues(root, &limits, &net, findings);
}
