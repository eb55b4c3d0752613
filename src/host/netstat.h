/* host/netstat.h - what TCP on this machine dropped, repeated and still holds (of this network
 * namespace). */
#ifndef HOST_NETSTAT_H
#define HOST_NETSTAT_H

#include "host/file.h"

/* Counters since the start and counts at this instant; each may be HOST_UNKNOWN. */
struct netstat {
    uint64_t listen_overflows; /* connections refused because accept() came too late */
    uint64_t listen_drops;     /* the same and all other reasons of a listening socket */
    uint64_t segments_out;
    uint64_t segments_repeated; /* sent again: loss, or a target that does not answer */
    uint64_t opens_failed;      /* connections that did not come about */
    uint64_t resets;            /* connections broken off by either side */
    uint64_t resets_sent;       /* segments with a reset that we sent */
    uint64_t established;       /* now */
    uint64_t time_wait;         /* now: ports that rest after a close of ours */
    uint64_t in_use;            /* TCP sockets now, IPv4 and IPv6 */
    uint64_t orphans;           /* now: closed by their process, not yet by TCP */
    uint64_t memory_pages;      /* that TCP's buffers hold now */
};

/* The texts of /proc/net/netstat, snmp, sockstat and sockstat6; an empty one says nothing. */
struct netstat_texts {
    struct span netstat, snmp, sockstat, sockstat6;
};
void netstat_parse(const struct netstat_texts *texts, struct netstat *out);

/* Reads them; what is not said is HOST_UNKNOWN. */
void netstat_read(const char *root, struct netstat *out);

#endif
