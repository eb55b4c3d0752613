/* Interfaces with what they dropped, loss on the way, and who listens here. */
#include "run/doctor/doctor.h"

#include "base/text.h"
#include "base/unit.h"
#include "host/interface.h"
#include "host/listening.h"
#include "host/netstat.h"

#include <inttypes.h>

static const char *const area = "network";

enum { PORTS_SHOWN = 12, LOST_ONE_IN = 1000 };

static const double repeated_much = 0.001; /* share of segments sent again */

static void judge_interface(const char *root, const struct interface *one,
                            struct findings *findings)
{
    uint64_t packets = one->in_packets + one->out_packets;
    uint64_t errors = one->in_errors + one->out_errors, drops = one->in_drops + one->out_drops;
    if (packets == 0)
        return;
    struct text words = TEXT_EMPTY;
    text_printf(&words, "%s: %" PRIu64 " errors, %" PRIu64 " dropped of %" PRIu64 " packets",
                one->name, errors, drops, packets);
    uint64_t speed = interface_speed(root, one->name);
    char room[UNIT_ROOM];
    if (host_known(speed))
        text_printf(&words, ", %s Mbit/s", unit_write_count(room, speed / 1000000));
    bool loses = errors + drops > packets / LOST_ONE_IN;
    finding_add(findings, loses ? FINDING_WARNING : FINDING_FINE, area, "interface", "%s",
                words.at);
    if (loses)
        finding_remedy(findings,
                       "ip -s link show %s; look at cable, driver, ring buffers (ethtool -g) "
                       "before blaming the target",
                       one->name);
    text_fini(&words);
}

static void look_at_interfaces(const char *root, struct findings *findings)
{
    struct text bytes = TEXT_EMPTY;
    if (host_read(root, "/proc/net/dev", &bytes) != 0)
        finding_add(findings, FINDING_UNKNOWN, area, "interface", "interfaces are not shown here");
    struct span lines = text_span(&bytes);
    struct interface one;
    while (interface_next(&lines, &one))
        judge_interface(root, &one, findings);
    text_fini(&bytes);
}

static void look_at_loss(const char *root, struct findings *findings)
{
    struct netstat net;
    netstat_read(root, &net);
    if (!host_known(net.segments_repeated) || !host_known(net.segments_out) ||
        net.segments_out == 0)
        return;
    double share = (double)net.segments_repeated / (double)net.segments_out;
    char words[UNIT_ROOM];
    bool much = share > repeated_much;
    finding_add(findings, much ? FINDING_WARNING : FINDING_FINE, area, "loss",
                "%s of TCP segments were sent again since the start",
                unit_write_share(words, share));
    if (much)
        finding_remedy(findings, "the way to a target loses packets, which its users pay in 200 ms "
                                 "steps: test from nearer, or find where (mtr)");
}

static void look_at_listeners(const char *root, struct findings *findings)
{
    struct listening listening;
    if (listening_read(root, &listening) != 0) {
        finding_add(findings, FINDING_UNKNOWN, area, "listening", "sockets are not shown here");
        return;
    }
    struct text ports = TEXT_EMPTY;
    for (size_t i = 0; i < listening.count && i < PORTS_SHOWN; i++)
        text_printf(&ports, "%s%u", i ? ", " : "", (unsigned)listening.ports[i]);
    if (listening.count > PORTS_SHOWN)
        text_printf(&ports, " and %zu more", listening.count - PORTS_SHOWN);
    finding_add(findings, FINDING_FINE, area, "listening", "TCP ports: %s",
                listening.count ? ports.at : "none");
    text_fini(&ports);
    listening_fini(&listening);
}

void doctor_network(const char *root, struct findings *findings)
{
    look_at_interfaces(root, findings);
    look_at_loss(root, findings);
    look_at_listeners(root, findings);
}
