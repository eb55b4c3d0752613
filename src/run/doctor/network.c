/* Interfaces with what they dropped, loss on the way, and who listens here. */
#include "run/doctor/doctor.h"

#include "base/text.h"
#include "base/unit.h"
#include "host/listening.h"
#include "host/netstat.h"

#include <inttypes.h>
#include <stdint.h>
#include <string.h>

static const char *const area = "network";

enum { PORTS_SHOWN = 12, PER_MILLION = 1000000 };

static const double repeated_much = 0.001; /* share of segments sent again */

/* Counters of one interface since the start, as /proc/net/dev orders them. */
struct interface {
    struct span name;
    uint64_t packets_in, errors_in, dropped_in, packets_out, errors_out, dropped_out;
};

static bool interface_read(struct span line, struct interface *out)
{
    const char *colon = line.bytes ? memchr(line.at, ':', line.bytes) : NULL;
    if (!colon)
        return false;
    size_t length = (size_t)(colon - line.at);
    uint64_t numbers[16];
    struct span rest = {colon + 1, line.bytes - length - 1};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (!host_known(numbers[i] = host_number(host_word(&rest))))
            return false;
    *out = (struct interface){.name = span_trim((struct span){line.at, length}),
                              .packets_in = numbers[1],
                              .errors_in = numbers[2],
                              .dropped_in = numbers[3],
                              .packets_out = numbers[9],
                              .errors_out = numbers[10],
                              .dropped_out = numbers[11]};
    return true;
}

static void judge_interface(const char *root, const struct interface *one,
                            struct findings *findings)
{
    uint64_t packets = one->packets_in + one->packets_out;
    uint64_t bad = one->errors_in + one->errors_out + one->dropped_in + one->dropped_out;
    if (packets == 0)
        return;
    struct text path = TEXT_EMPTY, words = TEXT_EMPTY;
    text_printf(&path, "/sys/class/net/%.*s/speed", (int)one->name.bytes, one->name.at);
    uint64_t speed = host_read_number(root, path.at); /* Mbit/s; nothing for virtual ones */
    text_printf(&words, "%.*s: %" PRIu64 " errors, %" PRIu64 " dropped of %" PRIu64 " packets",
                (int)one->name.bytes, one->name.at, one->errors_in + one->errors_out,
                one->dropped_in + one->dropped_out, packets);
    if (host_known(speed) && speed > 0 && speed < UINT32_MAX)
        text_printf(&words, ", %" PRIu64 " Mbit/s", speed);
    bool loses = bad * PER_MILLION > packets * 1000;
    finding_add(findings, loses ? FINDING_WARNING : FINDING_FINE, area, "interface", "%s",
                words.at);
    if (loses)
        finding_remedy(findings,
                       "ip -s link show %.*s; look at cable, driver, ring buffers "
                       "(ethtool -g) before blaming the target",
                       (int)one->name.bytes, one->name.at);
    text_fini(&path);
    text_fini(&words);
}

static void look_at_interfaces(const char *root, struct findings *findings)
{
    struct text bytes = TEXT_EMPTY;
    if (host_read(root, "/proc/net/dev", &bytes) != 0)
        finding_add(findings, FINDING_UNKNOWN, area, "interface", "interfaces are not shown here");
    struct span lines = text_span(&bytes);
    while (lines.bytes > 0) {
        struct interface one;
        if (interface_read(host_line(&lines), &one))
            judge_interface(root, &one, findings);
    }
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
