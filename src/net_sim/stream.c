/* Simulated streams and listeners: connecting, reading, writing and closing over ends of pipes. */
#include "net/stream.h"

#include "base/check.h"
#include "base/memory.h"
#include "net/resolve_known.h"
#include "net_sim/pipe.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_QUEUED = 65536 };

#define SYN_AGAIN_NS NSEC_PER_SEC /* a full queue answers nothing; TCP asks again (RFC 6298) */

/* ---- addresses ------------------------------------------------------------------------------- */

static uint16_t port_of(const struct net_address *address)
{
    struct sockaddr_in four;
    struct sockaddr_in6 six;
    if (address->storage.ss_family == AF_INET) {
        memcpy(&four, &address->storage, sizeof four);
        return ntohs(four.sin_port);
    }
    if (address->storage.ss_family != AF_INET6)
        return 0;
    memcpy(&six, &address->storage, sizeof six);
    return ntohs(six.sin6_port);
}

/* Whether a listener at `at` hears a connect to `to`; the unspecified address hears all. */
static bool hears(const struct net_address *at, const struct net_address *to)
{
    struct net_address any;
    if (at->storage.ss_family != to->storage.ss_family || at->bytes != to->bytes)
        return false;
    if (memcmp(&at->storage, &to->storage, to->bytes) == 0)
        return true;
    if (at->storage.ss_family == AF_UNIX || port_of(at) != port_of(to))
        return false;
    net_address_read(at->storage.ss_family == AF_INET ? "0.0.0.0" : "::", port_of(at), &any);
    return memcmp(&at->storage, &any.storage, any.bytes) == 0;
}

/* The listener for this address; of several that share it the one that has served fewest. */
static struct sim_listener *find_listener(struct loop *loop, const struct net_address *to)
{
    struct sim_listener *best = NULL;
    for (struct list *node = loop->listeners.next; node != &loop->listeners; node = node->next) {
        struct sim_listener *one = list_entry(node, struct sim_listener, node);
        if (hears(&one->at, to) && (!best || one->served < best->served))
            best = one;
    }
    return best;
}

/* ---- arrivals -------------------------------------------------------------------------------- */

/* The wish to connect has reached the other side. */
static int arrive_at_listener(struct end *client)
{
    struct loop *loop = client->loop;
    struct sim_listener *place = find_listener(loop, &client->to);
    double refuse = loop->options.refuse_share;
    if (!place || (refuse > 0 && random_unit(&client->random) < refuse)) {
        loop->counts.refused++;
        end_send(client, ARRIVAL_REFUSED, 0);
        return 0;
    }
    if (place->queued >= place->most) {
        end_send(client, ARRIVAL_SYN, SYN_AGAIN_NS);
        return 0;
    }
    struct end *server = end_new(loop);
    loop->counts.connections++;
    end_join(client, server);
    end_send(client, ARRIVAL_CONNECTED, 0);
    place->served++;
    place->queued++;
    list_append(&place->queue, &server->node);
    place->listener->accepted(place->listener);
    return 1;
}

static void break_off(struct end *end, int error)
{
    end->error = error;
    if (end->peer)
        end->peer->peer = NULL;
    end->peer = NULL;
}

/* Takes in one arrival. Returns what the stream is to be told. */
static unsigned take_in(struct end *end, struct arrival arrival)
{
    switch ((enum arrival_kind)arrival.kind) {
    case ARRIVAL_DATA:
        end->loop->counts.arrivals++;
        end->loop->counts.bytes += arrival.bytes;
        end->arrived += arrival.bytes;
        return STREAM_READABLE;
    case ARRIVAL_END:
        end->ended = true;
        return STREAM_READABLE | STREAM_CLOSED;
    case ARRIVAL_RESET:
        break_off(end, -ECONNRESET);
        return STREAM_READABLE | STREAM_CLOSED;
    case ARRIVAL_SPACE:
        return STREAM_WRITABLE;
    case ARRIVAL_CONNECTED:
        end->stream->connecting = false;
        return STREAM_CONNECTED;
    case ARRIVAL_REFUSED:
        break_off(end, -ECONNREFUSED);
        return STREAM_CLOSED;
    case ARRIVAL_ACCEPTED:
        return STREAM_WRITABLE | (end->arrived ? STREAM_READABLE : 0U) |
               (end->ended || end->error ? STREAM_READABLE | STREAM_CLOSED : 0U);
    case ARRIVAL_SYN:
        break;
    }
    return 0;
}

static void digest(struct loop *loop, const struct end *end, const struct arrival *arrival)
{
    const uint64_t prime = UINT64_C(0x100000001B3); /* FNV-1a, a word at a time */
    uint64_t sum = loop->digest;
    sum = (sum ^ (uint64_t)arrival->at_ns) * prime;
    sum = (sum ^ end->number) * prime;
    sum = (sum ^ ((uint64_t)arrival->kind << 32 | arrival->bytes)) * prime;
    loop->digest = sum ^ sum >> 29;
}

/* Whether the clients' processor is busy; else it takes this piece up. */
static bool must_wait(struct end *end)
{
    struct loop *loop = end->loop;
    const struct arrival *first = &end->arrivals[end->arrival_first];
    if (end->server || loop->options.client_ns <= 0 || first->kind != ARRIVAL_DATA)
        return false;
    if (loop->client_free_ns > loop->now_ns)
        return true;
    nsec_t lag_ns = loop->now_ns - first->at_ns;
    loop->client_lag_ns = lag_ns > loop->client_lag_ns ? lag_ns : loop->client_lag_ns;
    end_work(loop);
    return false;
}

int stream_arrive(struct end *end)
{
    struct loop *loop = end->loop;
    unsigned what = 0;
    bool syn = false;
    if (must_wait(end)) {
        world_schedule(end);
        return 0;
    }
    while (end->arrival_count && !syn) {
        struct arrival arrival = end->arrivals[end->arrival_first];
        if (arrival.at_ns > loop->now_ns)
            break;
        end->arrival_first = (end->arrival_first + 1) & (end->arrival_room - 1);
        end->arrival_count--;
        digest(loop, end, &arrival);
        what |= take_in(end, arrival);
        syn = arrival.kind == ARRIVAL_SYN;
        if (end->error)
            end->arrival_count = 0; /* nothing comes after the break */
    }
    world_schedule(end);
    if (syn)
        return arrive_at_listener(end);
    if (!what || !end->stream)
        return 0;
    end->stream->ready(end->stream, what);
    return 1;
}

/* ---- streams --------------------------------------------------------------------------------- */

static void attach(struct stream *stream, struct end *end,
                   void (*ready)(struct stream *stream, unsigned what))
{
    *stream =
        (struct stream){.loop = end->loop, .fd = (int)end->index, .ready = ready, .impl = end};
    end->stream = stream;
}

int stream_connect(struct stream *stream, struct loop *loop, const struct net_address *to,
                   const struct net_address *from,
                   void (*ready)(struct stream *stream, unsigned what))
{
    (void)from; /* every address is at home here */
    struct end *end = end_new(loop);
    end->number = loop->connects++;
    end->random.key = random_key(loop->options.seed, "client", end->number);
    end->random.counter = 0;
    end->to = *to;
    attach(stream, end, ready);
    stream->connecting = true;
    end_send(end, ARRIVAL_SYN, 0);
    return 0;
}

void stream_stamp(struct stream *stream)
{
    (void)stream;
}

int stream_error(struct stream *stream)
{
    const struct end *end = stream->impl;
    return stream->fd < 0 ? -EBADF : end->error;
}

ssize_t stream_read(struct stream *stream, void *into, size_t room, nsec_t *rx_ns,
                    enum rx_source *source)
{
    struct end *end = stream->impl;
    if (stream->fd < 0)
        return -EBADF;
    if (stream->connecting)
        return end->error ? end->error : -EAGAIN;
    uint32_t bytes = end_take_bytes(end, into, room);
    if (bytes) {
        *rx_ns = stream->loop->now_ns;
        *source = RX_READ;
        return bytes;
    }
    if (end->error)
        return end->error;
    return end->ended ? 0 : -EAGAIN;
}

ssize_t stream_write(struct stream *stream, const void *from, size_t bytes)
{
    struct end *end = stream->impl;
    if (stream->fd < 0)
        return -EBADF;
    if (end->error)
        return end->error == -ECONNRESET ? -EPIPE : end->error;
    if (stream->connecting)
        return -EAGAIN;
    if (!end->peer) { /* nobody is there any more: TCP learns that from the answer */
        if (!end->told_gone)
            end_send(end, ARRIVAL_RESET, stream->loop->options.delay_ns);
        end->told_gone = true;
        return (ssize_t)bytes;
    }
    uint32_t taken = end_send_bytes(end->peer, from, bytes);
    if (taken < bytes && end->peer)
        end->peer->writer_waits = true;
    return taken || bytes == 0 ? (ssize_t)taken : -EAGAIN;
}

bool stream_is_stale(struct stream *stream)
{
    const struct end *end = stream->impl;
    return stream->fd < 0 || end->arrived || end->ended || end->error;
}

void stream_close(struct stream *stream, bool reset)
{
    if (stream->fd < 0)
        return;
    end_close(stream->impl, reset);
    stream->fd = -1;
    stream->impl = NULL;
}

/* ---- listeners ------------------------------------------------------------------------------- */

/* A port that nobody listens on; 0 when all are taken. */
static uint16_t free_port(struct loop *loop, struct net_address at)
{
    for (unsigned tries = 0; tries < UINT16_MAX; tries++) {
        uint16_t port = loop->next_port++;
        net_address_set_port(&at, port);
        if (port && !find_listener(loop, &at))
            return port;
    }
    return 0;
}

int listener_open(struct listener *listener, struct loop *loop, const struct net_address *at,
                  int backlog, bool share, void (*accepted)(struct listener *listener))
{
    struct net_address place = *at;
    if (at->storage.ss_family != AF_UNIX && port_of(at) == 0)
        net_address_set_port(&place, free_port(loop, place));
    const struct sim_listener *other = find_listener(loop, &place);
    if (other && !(other->share && share))
        return -EADDRINUSE;
    struct sim_listener *own = memory_new(1, sizeof *own);
    *own = (struct sim_listener){.listener = listener, .at = place, .share = share};
    own->most = backlog > 0 && backlog < MOST_QUEUED ? (uint32_t)backlog : MOST_QUEUED;
    list_init(&own->queue);
    list_init(&own->node);
    list_append(&loop->listeners, &own->node);
    *listener = (struct listener){.loop = loop, .fd = 0, .accepted = accepted, .impl = own};
    return 0;
}

int listener_accept(struct listener *listener, struct stream *stream,
                    void (*ready)(struct stream *stream, unsigned what))
{
    struct sim_listener *own = listener->impl;
    struct list *node = list_take(&own->queue);
    if (!node)
        return -EAGAIN;
    struct end *end = list_entry(node, struct end, node);
    own->queued--;
    attach(stream, end, ready);
    end_tell(end, ARRIVAL_ACCEPTED);
    return 0;
}

void listener_address(const struct listener *listener, struct net_address *out)
{
    const struct sim_listener *own = listener->impl;
    *out = own->at;
}

void listener_close(struct listener *listener)
{
    struct sim_listener *own = listener->impl;
    if (listener->fd < 0)
        return;
    for (struct list *node; (node = list_take(&own->queue));)
        end_close(list_entry(node, struct end, node), true);
    list_remove(&own->node);
    free(own);
    listener->fd = -1;
    listener->impl = NULL;
}
