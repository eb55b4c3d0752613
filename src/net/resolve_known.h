/* net/resolve_known.h - names whose addresses need no look-up: literal addresses, and the fixed
 * answers that a user gave. Shared by the real and the simulated resolver; nobody outside includes
 * it. */
#ifndef NET_RESOLVE_KNOWN_H
#define NET_RESOLVE_KNOWN_H

#include "net/resolve.h"

struct known_name {
    char *host;
    uint16_t port;
    size_t count;
    struct net_address addresses[RESOLVE_MOST_ADDRESSES];
};

struct known_names {
    struct known_name *items;
    size_t count;
};

/* Reads "host:port:address[,address...]" texts. Returns 0 or -EINVAL, having kept nothing. */
int known_names_init(struct known_names *known, char *const *fixed, size_t count);
/* Frees them. */
void known_names_fini(struct known_names *known);
/* Whether the host is a literal address, or fixed for this port; then fills the answer. */
bool known_names_find(const struct known_names *known, const char *host, uint16_t port,
                      struct resolve_answer *answer);
/* The address with another port (nothing changes for a Unix socket). */
void net_address_set_port(struct net_address *address, uint16_t port);

#endif
