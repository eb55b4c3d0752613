/* Names that are known without asking; see resolve_known.h. */
#include "net/resolve_known.h"

#include "base/memory.h"
#include "base/text.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static struct span cut(struct span *rest, char mark)
{
    const char *at = rest->bytes ? memchr(rest->at, mark, rest->bytes) : NULL;
    struct span piece = {.at = rest->at, .bytes = at ? (size_t)(at - rest->at) : rest->bytes};
    size_t skip = piece.bytes + (at != NULL);
    *rest = (struct span){.at = rest->at + skip, .bytes = rest->bytes - skip};
    return piece;
}

static int read_address(struct span words, uint16_t port, struct net_address *out)
{
    char literal[128];
    if (words.bytes > 2 && words.at[0] == '[' && words.at[words.bytes - 1] == ']')
        words = (struct span){.at = words.at + 1, .bytes = words.bytes - 2};
    if (words.bytes >= sizeof literal)
        return -EINVAL;
    memcpy(literal, words.at, words.bytes);
    literal[words.bytes] = '\0';
    return net_address_read(literal, port, out);
}

static int read_fixed(struct span rest, struct known_name *name)
{
    struct span host = cut(&rest, ':'), port_words = cut(&rest, ':');
    uint64_t port;
    if (host.bytes == 0 || span_uint(port_words, &port) || port > UINT16_MAX || rest.bytes == 0)
        return -EINVAL;
    name->port = (uint16_t)port;
    name->count = 0;
    while (rest.bytes) {
        struct span words = cut(&rest, ',');
        if (name->count == RESOLVE_MOST_ADDRESSES ||
            read_address(words, name->port, &name->addresses[name->count]))
            return -EINVAL;
        name->count++;
    }
    name->host = memory_new(host.bytes + 1, 1);
    memcpy(name->host, host.at, host.bytes);
    return 0;
}

int known_names_init(struct known_names *known, char *const *fixed, size_t count)
{
    *known = (struct known_names){.items = memory_new(count, sizeof *known->items)};
    for (size_t i = 0; i < count; i++) {
        if (read_fixed(span_of(fixed[i]), &known->items[i])) {
            known_names_fini(known);
            return -EINVAL;
        }
        known->count++;
    }
    return 0;
}

void known_names_fini(struct known_names *known)
{
    for (size_t i = 0; i < known->count; i++)
        free(known->items[i].host);
    free(known->items);
    *known = (struct known_names){.items = NULL};
}

bool known_names_find(const struct known_names *known, const char *host, uint16_t port,
                      struct resolve_answer *answer)
{
    for (size_t i = 0; i < known->count; i++) {
        const struct known_name *name = &known->items[i];
        if (name->port != port || strcasecmp(name->host, host) != 0)
            continue;
        *answer = (struct resolve_answer){.count = name->count};
        memcpy(answer->addresses, name->addresses, sizeof answer->addresses);
        return true;
    }
    struct net_address literal;
    if (net_address_read(host, port, &literal))
        return false;
    *answer = (struct resolve_answer){.count = 1};
    answer->addresses[0] = literal;
    return true;
}

void net_address_set_port(struct net_address *address, uint16_t port)
{
    if (address->storage.ss_family == AF_INET) {
        struct sockaddr_in four;
        memcpy(&four, &address->storage, sizeof four);
        four.sin_port = htons(port);
        memcpy(&address->storage, &four, sizeof four);
    } else if (address->storage.ss_family == AF_INET6) {
        struct sockaddr_in6 six;
        memcpy(&six, &address->storage, sizeof six);
        six.sin6_port = htons(port);
        memcpy(&address->storage, &six, sizeof six);
    }
}
