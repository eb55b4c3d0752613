/* host/netstat.c - /proc/net/netstat and snmp have pairs of lines, names and then numbers, that
 * begin with the same word; sockstat has names and numbers in turn. */
#include "host/netstat.h"

/* The number in the column of this name, under this head ("TcpExt:"). */
static uint64_t column(struct span lines, struct span head, struct span name)
{
    while (lines.bytes > 0) {
        struct span names = host_line(&lines);
        if (!span_equal(host_word(&names), head))
            continue;
        struct span numbers = host_line(&lines);
        if (!span_equal(host_word(&numbers), head))
            return HOST_UNKNOWN;
        while (names.bytes > 0) {
            struct span one = host_word(&names), number = host_word(&numbers);
            if (span_equal(one, name))
                return host_number(number);
        }
        return HOST_UNKNOWN;
    }
    return HOST_UNKNOWN;
}

/* The number after this name on the line of this head ("TCP:"). */
static uint64_t pair(struct span lines, struct span head, struct span name)
{
    while (lines.bytes > 0) {
        struct span line = host_line(&lines);
        if (!span_equal(host_word(&line), head))
            continue;
        while (line.bytes > 0) {
            struct span one = host_word(&line), number = host_word(&line);
            if (span_equal(one, name))
                return host_number(number);
        }
    }
    return HOST_UNKNOWN;
}

void netstat_read(const char *root, struct netstat *out)
{
    struct text bytes = TEXT_EMPTY;
    host_read(root, "/proc/net/netstat", &bytes);
    struct span lines = text_span(&bytes);
    out->listen_overflows = column(lines, SPAN("TcpExt:"), SPAN("ListenOverflows"));
    out->listen_drops = column(lines, SPAN("TcpExt:"), SPAN("ListenDrops"));
    host_read(root, "/proc/net/snmp", &bytes);
    lines = text_span(&bytes);
    out->segments_out = column(lines, SPAN("Tcp:"), SPAN("OutSegs"));
    out->segments_repeated = column(lines, SPAN("Tcp:"), SPAN("RetransSegs"));
    out->opens_failed = column(lines, SPAN("Tcp:"), SPAN("AttemptFails"));
    out->established = column(lines, SPAN("Tcp:"), SPAN("CurrEstab"));
    host_read(root, "/proc/net/sockstat", &bytes);
    lines = text_span(&bytes);
    out->time_wait = pair(lines, SPAN("TCP:"), SPAN("tw"));
    out->in_use = pair(lines, SPAN("TCP:"), SPAN("inuse"));
    host_read(root, "/proc/net/sockstat6", &bytes);
    uint64_t six = pair(text_span(&bytes), SPAN("TCP6:"), SPAN("inuse"));
    if (host_known(out->in_use) && host_known(six)) /* without IPv6 there is no such file */
        out->in_use += six;
    text_fini(&bytes);
}
