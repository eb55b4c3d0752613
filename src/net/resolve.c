/* Names to addresses by c-ares, whose sockets the loop watches.
 *
 * One look-up serves all who ask for the same name meanwhile. c-ares cannot end a single look-up,
 * so one that nobody waits for any more goes on, and its answer is kept like any other. */
#include "net/resolve.h"

#include "base/memory.h"
#include "net/resolve_known.h"

#include <ares.h>
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct resolver {
    struct loop *loop;
    ares_channel channel;
    struct timer timer; /* when c-ares wants to look again without input */
    struct list sockets, names;
    size_t name_count;
    struct known_names known;
    bool ending;
};

/* A socket of c-ares. */
struct resolver_socket {
    struct watch watch;
    struct list node;
    struct resolver *resolver;
};

/* What is known of a name, and who waits for it while it is being looked up. The list of names is
 * in order of their last look-up. */
struct name {
    struct list node;
    struct resolver *resolver;
    char *host;
    struct list waiting; /* struct resolve_query */
    bool asked;          /* a look-up is under way */
    bool answering;      /* its answer is being handed out */
    nsec_t until_ns;     /* the answer is good until then */
    struct resolve_answer answer;
};

/* ---- c-ares in the loop ---------------------------------------------------------------------- */

static void set_timer(struct resolver *resolver)
{
    struct timeval wait, *known = ares_timeout(resolver->channel, NULL, &wait);
    if (!known) {
        timer_stop(resolver->loop, &resolver->timer);
        return;
    }
    nsec_t wait_ns = known->tv_sec * NSEC_PER_SEC + known->tv_usec * NSEC_PER_USEC;
    timer_start(resolver->loop, &resolver->timer, loop_now(resolver->loop) + wait_ns);
}

static void on_timer(struct timer *timer, nsec_t now_ns)
{
    struct resolver *resolver = list_entry(timer, struct resolver, timer);
    (void)now_ns;
    ares_process_fd(resolver->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    set_timer(resolver);
}

static void on_socket_ready(struct watch *watch, unsigned what)
{
    struct resolver_socket *socket = list_entry(watch, struct resolver_socket, watch);
    struct resolver *resolver = socket->resolver;
    int fd = watch->fd; /* the socket may be gone after this */
    ares_process_fd(resolver->channel, what & WATCH_READ ? fd : ARES_SOCKET_BAD,
                    what & WATCH_WRITE ? fd : ARES_SOCKET_BAD);
    set_timer(resolver);
}

static struct resolver_socket *find_socket(struct resolver *resolver, int fd)
{
    for (struct list *node = resolver->sockets.next; node != &resolver->sockets;
         node = node->next) {
        struct resolver_socket *socket = list_entry(node, struct resolver_socket, node);
        if (socket->watch.fd == fd)
            return socket;
    }
    return NULL;
}

/* c-ares says what it waits for on a socket; nothing: it is about to close it. */
static void on_socket_state(void *self, ares_socket_t fd, int readable, int writable)
{
    struct resolver *resolver = self;
    struct resolver_socket *socket = find_socket(resolver, fd);
    unsigned what = (readable ? WATCH_READ : 0U) | (writable ? WATCH_WRITE : 0U);
    if (!socket && what) {
        socket = memory_new(1, sizeof *socket);
        socket->watch = (struct watch){.fd = fd, .ready = on_socket_ready};
        socket->resolver = resolver;
        list_append(&resolver->sockets, &socket->node);
    }
    if (socket)
        loop_watch(resolver->loop, &socket->watch, what); /* failing, the look-up times out */
    if (socket && !what) {
        list_remove(&socket->node);
        free(socket);
    }
}

/* ---- answers --------------------------------------------------------------------------------- */

static void put_error(int status, struct resolve_answer *answer)
{
    switch (status) {
    case ARES_ENOTFOUND:
    case ARES_EBADNAME:
        *answer = (struct resolve_answer){.error = -ENOENT, .words = "no such host name"};
        break;
    case ARES_ENODATA:
        *answer = (struct resolve_answer){.error = -ENOENT, .words = "the name has no address"};
        break;
    case ARES_ETIMEOUT:
        *answer =
            (struct resolve_answer){.error = -ETIMEDOUT, .words = "no DNS server answered in time"};
        break;
    case ARES_ECONNREFUSED: /* c-ares says this also when each server answered that it failed */
    case ARES_ESERVFAIL:
        *answer = (struct resolve_answer){
            .error = -EAGAIN, .words = "no DNS server could be reached, or each one failed"};
        break;
    default:
        *answer = (struct resolve_answer){.error = status == ARES_ENOMEM ? -ENOMEM : -EAGAIN,
                                          .words = ares_strerror(status)};
    }
}

/* Takes the next address of this family, from *node on. */
static bool take_family(const struct ares_addrinfo_node **node, int family,
                        struct resolve_answer *answer)
{
    while (*node && (*node)->ai_family != family)
        *node = (*node)->ai_next;
    if (!*node || answer->count == RESOLVE_MOST_ADDRESSES)
        return false;
    struct net_address *out = &answer->addresses[answer->count++];
    *out = (struct net_address){.bytes = (*node)->ai_addrlen};
    memcpy(&out->storage, (*node)->ai_addr, (*node)->ai_addrlen);
    *node = (*node)->ai_next;
    return true;
}

/* Puts the addresses, the families by turns, in the order of c-ares (RFC 6724), which decides what
 * family is first (RFC 8305, section 4). Gives the shortest time to live, in seconds. */
static int put_addresses(const struct ares_addrinfo *info, struct resolve_answer *answer)
{
    const struct ares_addrinfo_node *first = info->nodes, *other = info->nodes;
    int ttl_s = INT32_MAX;
    *answer = (struct resolve_answer){.error = 0};
    if (!first)
        return 0;
    int family = first->ai_family, second = family == AF_INET ? AF_INET6 : AF_INET;
    for (bool more = true; more;) {
        more = take_family(&first, family, answer);
        more = take_family(&other, second, answer) || more;
    }
    for (const struct ares_addrinfo_node *node = info->nodes; node; node = node->ai_next)
        ttl_s = node->ai_ttl < ttl_s ? node->ai_ttl : ttl_s;
    return ttl_s;
}

static void answer_query(struct resolve_query *query, struct resolve_answer *answer, nsec_t now_ns)
{
    for (size_t i = 0; i < answer->count; i++)
        net_address_set_port(&answer->addresses[i], query->port);
    answer->took_ns = now_ns - query->asked_ns;
    query->answered(query, answer);
}

static void on_looked_up(void *self, int status, int timeouts, struct ares_addrinfo *info)
{
    struct name *name = self;
    struct resolver *resolver = name->resolver;
    int ttl_s = 0;
    (void)timeouts;
    name->asked = false;
    if (resolver->ending) {
        ares_freeaddrinfo(info);
        return;
    }
    if (status == ARES_SUCCESS)
        ttl_s = put_addresses(info, &name->answer);
    if (status != ARES_SUCCESS || name->answer.count == 0)
        put_error(status == ARES_SUCCESS ? ARES_ENODATA : status, &name->answer);
    ares_freeaddrinfo(info);
    nsec_t now_ns = loop_now(resolver->loop);
    ttl_s = ttl_s > RESOLVE_LEAST_TTL_S ? ttl_s : RESOLVE_LEAST_TTL_S;
    name->until_ns = now_ns + ttl_s * NSEC_PER_SEC;
    struct resolve_answer answer = name->answer;
    struct list waiting;
    list_init(&waiting);
    list_move_all(&name->waiting, &waiting);
    name->answering = true; /* who asks from within is answered from what is kept */
    for (struct list *node; (node = list_take(&waiting));)
        answer_query(list_entry(node, struct resolve_query, node), &answer, now_ns);
    name->answering = false;
}

/* ---- names ----------------------------------------------------------------------------------- */

static struct name *find_name(struct resolver *resolver, const char *host)
{
    for (struct list *node = resolver->names.next; node != &resolver->names; node = node->next) {
        struct name *name = list_entry(node, struct name, node);
        if (strcasecmp(name->host, host) == 0)
            return name;
    }
    return NULL;
}

static void drop_name(struct name *name)
{
    while (list_take(&name->waiting))
        continue;
    list_remove(&name->node);
    name->resolver->name_count--;
    free(name->host);
    free(name);
}

/* Makes room by forgetting the name that was looked up longest ago, of those not in use. */
static void drop_oldest(struct resolver *resolver)
{
    for (struct list *node = resolver->names.next; node != &resolver->names; node = node->next) {
        struct name *name = list_entry(node, struct name, node);
        if (!name->asked && !name->answering) {
            drop_name(name);
            return;
        }
    }
}

static struct name *add_name(struct resolver *resolver, const char *host)
{
    if (resolver->name_count >= RESOLVE_MOST_NAMES)
        drop_oldest(resolver);
    struct name *name = memory_new(1, sizeof *name);
    name->resolver = resolver;
    name->host = memory_copy_text(host);
    list_init(&name->waiting);
    list_init(&name->node);
    list_append(&resolver->names, &name->node);
    resolver->name_count++;
    return name;
}

static void look_up(struct name *name)
{
    struct resolver *resolver = name->resolver;
    struct ares_addrinfo_hints hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    list_remove(&name->node);
    list_append(&resolver->names, &name->node);
    name->asked = true;
    ares_getaddrinfo(resolver->channel, name->host, NULL, &hints, on_looked_up, name);
    set_timer(resolver);
}

/* ---- the resolver ---------------------------------------------------------------------------- */

int resolver_new(struct resolver **out, struct loop *loop, char *const *fixed, size_t fixed_count)
{
    struct resolver *resolver = memory_new(1, sizeof *resolver);
    struct ares_options options = {.sock_state_cb = on_socket_state,
                                   .sock_state_cb_data = resolver};
    resolver->loop = loop;
    list_init(&resolver->sockets);
    list_init(&resolver->names);
    timer_init(&resolver->timer, on_timer);
    int error = known_names_init(&resolver->known, fixed, fixed_count);
    if (!error && ares_init_options(&resolver->channel, &options, ARES_OPT_SOCK_STATE_CB)) {
        known_names_fini(&resolver->known);
        error = -ENOMEM; /* the only trouble that it has without a broken resolv.conf */
    }
    if (error)
        free(resolver);
    else
        *out = resolver;
    return error;
}

struct resolver *resolver_free(struct resolver *resolver)
{
    if (!resolver)
        return NULL;
    resolver->ending = true;
    ares_destroy(resolver->channel);
    timer_stop(resolver->loop, &resolver->timer);
    while (!list_empty(&resolver->names))
        drop_name(list_entry(resolver->names.next, struct name, node));
    while (!list_empty(&resolver->sockets)) {
        struct resolver_socket *socket =
            list_entry(resolver->sockets.next, struct resolver_socket, node);
        list_remove(&socket->node);
        free(socket);
    }
    known_names_fini(&resolver->known);
    free(resolver);
    return NULL;
}

int resolver_use_servers(struct resolver *resolver, const char *servers)
{
    return ares_set_servers_ports_csv(resolver->channel, servers) == ARES_SUCCESS ? 0 : -EINVAL;
}

void resolver_ask(struct resolver *resolver, struct resolve_query *query, const char *host,
                  uint16_t port)
{
    struct resolve_answer answer;
    query->resolver = resolver;
    query->port = port;
    query->asked_ns = loop_now(resolver->loop);
    list_init(&query->node);
    if (known_names_find(&resolver->known, host, port, &answer)) {
        query->answered(query, &answer);
        return;
    }
    struct name *name = find_name(resolver, host);
    if (!name)
        name = add_name(resolver, host);
    if (!name->asked && (name->answering || query->asked_ns < name->until_ns)) {
        answer = name->answer;
        answer_query(query, &answer, query->asked_ns);
        return;
    }
    list_append(&name->waiting, &query->node);
    if (!name->asked)
        look_up(name);
}

void resolver_cancel(struct resolve_query *query)
{
    list_remove(&query->node);
}
