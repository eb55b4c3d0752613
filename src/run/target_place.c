/* Literal addresses are compared with those of the interfaces; of names only localhost and those
 * with a fixed answer are known without asking. */
#include "run/target_place.h"

#include "base/text.h"
#include "wire/url.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

enum { HOST_ROOM = 256 };

static bool same_address(const struct sockaddr *one, const char *host)
{
    char words[INET6_ADDRSTRLEN] = "";
    if (one && one->sa_family == AF_INET)
        inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)one)->sin_addr, words,
                  sizeof words);
    else if (one && one->sa_family == AF_INET6)
        inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)one)->sin6_addr, words,
                  sizeof words);
    return words[0] && strcmp(words, host) == 0;
}

static bool address_is_ours(const char *host)
{
    struct ifaddrs *all = NULL;
    bool ours =
        strncmp(host, "127.", 4) == 0 || strcmp(host, "::1") == 0 || strcmp(host, "0.0.0.0") == 0;
    if (ours || getifaddrs(&all) != 0)
        return ours;
    for (struct ifaddrs *each = all; each && !ours; each = each->ifa_next)
        ours = same_address(each->ifa_addr, host);
    freeifaddrs(all);
    return ours;
}

/* The address that --resolve gives a name, or the name itself. */
static const char *resolved(const struct plan *plan, const char *host)
{
    size_t length = strlen(host);
    for (size_t i = 0; i < plan->resolve.count; i++) {
        const char *entry = plan->resolve.items[i];
        const char *port =
            strncmp(entry, host, length) == 0 && entry[length] == ':' ? entry + length + 1 : NULL;
        const char *address = port ? strchr(port, ':') : NULL;
        if (address)
            return address + 1;
    }
    return host;
}

static bool url_is_ours(const struct plan *plan, const char *words)
{
    struct url url;
    const char *why = NULL;
    char host[HOST_ROOM];
    if (!words || url_read(span_of(words), &url, &why) != 0)
        return false;
    if (url.unix_socket)
        return true;
    if (span_equal_nocase(url.host, SPAN("localhost")))
        return true;
    snprintf(host, sizeof host, "%.*s", (int)url.host.bytes, url.host.at);
    return address_is_ours(resolved(plan, host));
}

bool target_on_this_machine(const struct plan *plan)
{
    bool ours = url_is_ours(plan, plan->target);
    for (size_t i = 0; i < plan->targets.count; i++)
        ours = ours || url_is_ours(plan, plan->targets.items[i]);
    for (size_t i = 0; i < plan->request_count; i++)
        ours = ours || url_is_ours(plan, plan->requests[i].target);
    return ours;
}
