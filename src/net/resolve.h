/* net/resolve.h - host names to addresses without blocking the loop (c-ares), A and AAAA.
 *
 * Answers are kept for their time to live, at least RESOLVE_LEAST_TTL_S, so that long runs follow a
 * change of DNS; literal addresses and fixed answers (--resolve host:port:address, /etc/hosts) need
 * no look-up. In simulation only literals and fixed answers are known. */
#ifndef NET_RESOLVE_H
#define NET_RESOLVE_H

#include "net/loop.h"
#include "net/stream.h"

#include <stddef.h>
#include <stdint.h>

enum { RESOLVE_LEAST_TTL_S = 1, RESOLVE_MOST_ADDRESSES = 16, RESOLVE_MOST_NAMES = 256 };

struct resolver;

/* Makes a resolver on a loop. fixed: "host:port:address" texts, where several addresses may stand
 * with commas between them and an IPv6 address in brackets or without. Returns 0, -errno, or
 * -EINVAL for a malformed fixed answer. */
int resolver_new(struct resolver **out, struct loop *loop, char *const *fixed, size_t fixed_count);
/* Ends all look-ups without calling back, and frees it; NULL is fine; returns NULL. Not from within
 * `answered`. */
struct resolver *resolver_free(struct resolver *resolver);

/* Asks these DNS servers instead of the system's: "10.0.0.1,[::1]:5353". Returns 0 or -EINVAL (in
 * simulation -ENOTSUP). */
int resolver_use_servers(struct resolver *resolver, const char *servers);

struct resolve_answer {
    struct net_address
        addresses[RESOLVE_MOST_ADDRESSES]; /* IPv6 and IPv4 interleaved, as resolved */
    size_t count;
    int error;         /* 0, or -errno: -ENOENT no such name, -ETIMEDOUT, -EAGAIN server failure */
    nsec_t took_ns;    /* 0 when it was known */
    const char *words; /* what went wrong, when error is set */
};

struct resolve_query {
    void (*answered)(struct resolve_query *query, const struct resolve_answer *answer);
    struct resolver *resolver; /* private from here */
    struct list node;
    nsec_t asked_ns;
    uint16_t port;
};

/* Asks for the addresses of host, with this port put in. Calls back once, maybe before it returns.
 */
void resolver_ask(struct resolver *resolver, struct resolve_query *query, const char *host,
                  uint16_t port);
/* Forgets a query that has not been answered. */
void resolver_cancel(struct resolve_query *query);

#endif
