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

void netstat_parse(const struct netstat_texts *texts, struct netstat *out)
{
    out->listen_overflows = column(texts->netstat, SPAN("TcpExt:"), SPAN("ListenOverflows"));
    out->listen_drops = column(texts->netstat, SPAN("TcpExt:"), SPAN("ListenDrops"));
    out->segments_out = column(texts->snmp, SPAN("Tcp:"), SPAN("OutSegs"));
    out->segments_repeated = column(texts->snmp, SPAN("Tcp:"), SPAN("RetransSegs"));
    out->opens_failed = column(texts->snmp, SPAN("Tcp:"), SPAN("AttemptFails"));
    out->resets = column(texts->snmp, SPAN("Tcp:"), SPAN("EstabResets"));
    out->resets_sent = column(texts->snmp, SPAN("Tcp:"), SPAN("OutRsts"));
    out->established = column(texts->snmp, SPAN("Tcp:"), SPAN("CurrEstab"));
    out->time_wait = pair(texts->sockstat, SPAN("TCP:"), SPAN("tw"));
    out->in_use = pair(texts->sockstat, SPAN("TCP:"), SPAN("inuse"));
    out->orphans = pair(texts->sockstat, SPAN("TCP:"), SPAN("orphan"));
    out->memory_pages = pair(texts->sockstat, SPAN("TCP:"), SPAN("mem"));
    uint64_t six = pair(texts->sockstat6, SPAN("TCP6:"), SPAN("inuse"));
    if (host_known(out->in_use) && host_known(six)) /* without IPv6 there is no such file */
        out->in_use += six;
}

void netstat_read(const char *root, struct netstat *out)
{
    struct text netstat = TEXT_EMPTY, snmp = TEXT_EMPTY, four = TEXT_EMPTY, six = TEXT_EMPTY;
    host_read(root, "/proc/net/netstat", &netstat);
    host_read(root, "/proc/net/snmp", &snmp);
    host_read(root, "/proc/net/sockstat", &four);
    host_read(root, "/proc/net/sockstat6", &six);
    struct netstat_texts texts = {text_span(&netstat), text_span(&snmp), text_span(&four),
                                  text_span(&six)};
    netstat_parse(&texts, out);
    text_fini(&netstat);
    text_fini(&snmp);
    text_fini(&four);
    text_fini(&six);
}
