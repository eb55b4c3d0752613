/* Literal socket addresses to and from text. */
#include "net/stream.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

static int read_unix(const char *path, struct net_address *out)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    if (strlen(path) == 0 || strlen(path) >= sizeof name.sun_path)
        return -EINVAL;
    memcpy(name.sun_path, path, strlen(path) + 1);
    *out = (struct net_address){.bytes = sizeof name};
    memcpy(&out->storage, &name, sizeof name);
    return 0;
}

int net_address_read(const char *literal, uint16_t port, struct net_address *out)
{
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    if (strncmp(literal, "unix:", 5) == 0)
        return read_unix(literal + 5, out);
    if (inet_pton(AF_INET, literal, &four.sin_addr) == 1) {
        *out = (struct net_address){.bytes = sizeof four};
        memcpy(&out->storage, &four, sizeof four);
        return 0;
    }
    if (inet_pton(AF_INET6, literal, &six.sin6_addr) == 1) {
        *out = (struct net_address){.bytes = sizeof six};
        memcpy(&out->storage, &six, sizeof six);
        return 0;
    }
    return -EINVAL;
}

const char *net_address_write(const struct net_address *address, char *out, size_t room)
{
    char literal[INET6_ADDRSTRLEN] = "?";
    if (address->bytes == 0) {
        snprintf(out, room, "none");
    } else if (address->storage.ss_family == AF_UNIX) {
        struct sockaddr_un name;
        memcpy(&name, &address->storage, sizeof name);
        snprintf(out, room, "unix:%s", name.sun_path);
    } else if (address->storage.ss_family == AF_INET6) {
        struct sockaddr_in6 six;
        memcpy(&six, &address->storage, sizeof six);
        inet_ntop(AF_INET6, &six.sin6_addr, literal, sizeof literal);
        snprintf(out, room, "[%s]:%u", literal, (unsigned)ntohs(six.sin6_port));
    } else {
        struct sockaddr_in four;
        memcpy(&four, &address->storage, sizeof four);
        inet_ntop(AF_INET, &four.sin_addr, literal, sizeof literal);
        snprintf(out, room, "%s:%u", literal, (unsigned)ntohs(four.sin_port));
    }
    return out;
}
