/* Ends of simulated connections: what is on its way to them, and what waits to be read. */
#include "net_sim/pipe.h"

#include "base/check.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

enum { DEFAULT_WINDOW = 64 * 1024, DEFAULT_FAULT_BYTES = 4096, LEAST_BYTES = 256 };

/* ---- ends ------------------------------------------------------------------------------------ */

struct end *end_new(struct loop *loop)
{
    struct list *spare = list_take(&loop->spare);
    struct end *end;
    if (spare) {
        end = list_entry(spare, struct end, all);
    } else {
        end = memory_new(1, sizeof *end);
        end->loop = loop;
        end->index = loop->ends_made++;
        list_init(&end->all);
    }
    end->stream = NULL;
    end->peer = NULL;
    list_init(&end->node);
    list_append(&loop->ends, &end->all);
    end->heap_at = NOT_IN_HEAP;
    end->arrival_first = end->arrival_count = 0;
    end->byte_first = end->byte_count = end->arrived = 0;
    end->last_ns = end->wire_free_ns = 0;
    end->fate = FATE_NONE;
    end->ended = end->writer_waits = end->told_gone = end->fate_met = false;
    end->server = false;
    end->error = 0;
    return end;
}

void end_free(struct end *end)
{
    end->arrival_count = 0;
    world_schedule(end);
    list_remove(&end->node);
    list_remove(&end->all);
    list_prepend(&end->loop->spare, &end->all);
}

/* ---- fates ----------------------------------------------------------------------------------- */

static bool chance(struct random *random, double share)
{
    return share > 0 && random_unit(random) < share;
}

static enum fate draw_fate(struct random *random, const struct sim_options *options)
{
    if (options->reset_share + options->end_share + options->silence_share <= 0)
        return FATE_NONE;
    double drawn = random_unit(random);
    if ((drawn -= options->reset_share) < 0)
        return FATE_RESET;
    if ((drawn -= options->end_share) < 0)
        return FATE_END;
    return drawn < options->silence_share ? FATE_SILENCE : FATE_NONE;
}

void end_join(struct end *client, struct end *server)
{
    struct loop *loop = client->loop;
    server->number = client->number;
    server->server = true;
    server->random.key = random_key(loop->options.seed, "server", client->number);
    server->random.counter = 0;
    client->peer = server;
    server->peer = client;
    enum fate fate = draw_fate(&client->random, &loop->options);
    if (fate == FATE_NONE)
        return;
    uint64_t most = loop->options.fault_bytes ? loop->options.fault_bytes : DEFAULT_FAULT_BYTES;
    struct end *victim = random_next(&client->random) & 1 ? client : server;
    victim->fate = fate;
    victim->fate_bytes = random_below_of(random_next(&client->random), most);
}

/* ---- arrivals -------------------------------------------------------------------------------- */

static void add_arrival(struct end *to, struct arrival arrival)
{
    if (to->arrival_count == to->arrival_room) {
        uint32_t room = to->arrival_room ? to->arrival_room * 2 : 4;
        struct arrival *grown = memory_new(room, sizeof *grown);
        for (uint32_t i = 0; i < to->arrival_count; i++)
            grown[i] = to->arrivals[(to->arrival_first + i) & (to->arrival_room - 1)];
        free(to->arrivals);
        to->arrivals = grown;
        to->arrival_room = room;
        to->arrival_first = 0;
    }
    to->arrivals[(to->arrival_first + to->arrival_count) & (to->arrival_room - 1)] = arrival;
    to->last_ns = arrival.at_ns;
    if (to->arrival_count++ == 0)
        world_schedule(to);
}

/* The network's delay, drawn from the sender's numbers. */
static nsec_t draw_delay(struct loop *loop, struct random *random)
{
    nsec_t delay_ns = loop->options.delay_ns;
    if (loop->options.jitter_ns > 0)
        delay_ns +=
            (nsec_t)random_below_of(random_next(random), (uint64_t)loop->options.jitter_ns + 1);
    return delay_ns;
}

static nsec_t not_before(nsec_t at_ns, nsec_t earliest_ns)
{
    return at_ns > earliest_ns ? at_ns : earliest_ns;
}

void end_send(struct end *to, enum arrival_kind kind, nsec_t extra_ns)
{
    struct loop *loop = to->loop;
    nsec_t start_ns = not_before(loop->now_ns, to->wire_free_ns);
    nsec_t at_ns = start_ns + draw_delay(loop, &to->random) + extra_ns;
    add_arrival(to, (struct arrival){.at_ns = not_before(at_ns, to->last_ns), .kind = kind});
}

void end_tell(struct end *to, enum arrival_kind kind)
{
    nsec_t last_ns = to->last_ns, now_ns = to->loop->now_ns;
    add_arrival(to, (struct arrival){.at_ns = now_ns, .kind = kind});
    to->last_ns = not_before(last_ns, now_ns);
    uint32_t mask = to->arrival_room - 1;
    for (uint32_t i = to->arrival_count - 1; i > 0; i--) { /* to the front */
        struct arrival *one = &to->arrivals[(to->arrival_first + i) & mask];
        struct arrival *before = &to->arrivals[(to->arrival_first + i - 1) & mask];
        struct arrival kept = *one;
        *one = *before;
        *before = kept;
    }
    world_schedule(to);
}

/* ---- bytes ----------------------------------------------------------------------------------- */

static uint32_t window_of(const struct loop *loop)
{
    return loop->options.window_bytes ? loop->options.window_bytes : DEFAULT_WINDOW;
}

static void grow_bytes(struct end *to, uint32_t need)
{
    uint32_t room = to->byte_room ? to->byte_room : LEAST_BYTES;
    while (room < need)
        room *= 2;
    if (room == to->byte_room)
        return;
    char *grown = memory_new(room, 1);
    uint32_t until_wrap = to->byte_room - to->byte_first;
    uint32_t first = to->byte_count < until_wrap ? to->byte_count : until_wrap;
    if (first)
        memcpy(grown, to->bytes + to->byte_first, first);
    if (to->byte_count > first)
        memcpy(grown + first, to->bytes, to->byte_count - first);
    free(to->bytes);
    to->bytes = grown;
    to->byte_room = room;
    to->byte_first = 0;
}

static void put_bytes(struct end *to, const char *from, uint32_t bytes)
{
    if (to->byte_room - to->byte_count < bytes)
        grow_bytes(to, to->byte_count + bytes);
    uint32_t at = (to->byte_first + to->byte_count) & (to->byte_room - 1);
    uint32_t first = bytes < to->byte_room - at ? bytes : to->byte_room - at;
    memcpy(to->bytes + at, from, first);
    if (bytes > first)
        memcpy(to->bytes, from + first, bytes - first);
    to->byte_count += bytes;
}

/* One piece of data, at an instant; joins the piece before it when both arrive at once. */
static void add_piece(struct end *to, uint32_t bytes, nsec_t at_ns)
{
    uint32_t last = (to->arrival_first + to->arrival_count - 1) & (to->arrival_room - 1);
    if (to->arrival_count && to->arrivals[last].at_ns == at_ns &&
        to->arrivals[last].kind == ARRIVAL_DATA)
        to->arrivals[last].bytes += bytes;
    else
        add_arrival(to, (struct arrival){.at_ns = at_ns, .bytes = bytes, .kind = ARRIVAL_DATA});
}

nsec_t end_work(struct loop *loop)
{
    if (loop->options.client_ns <= 0)
        return loop->now_ns;
    loop->client_busy_ns += loop->options.client_ns;
    loop->client_free_ns = not_before(loop->client_free_ns, loop->now_ns) + loop->options.client_ns;
    return loop->client_free_ns;
}

static nsec_t time_of(uint32_t bytes, double bytes_per_second)
{
    return (nsec_t)((double)bytes / bytes_per_second * (double)NSEC_PER_SEC);
}

/* When bytes have left: the sender's processor, the connection's wire and the shared link. */
static nsec_t leave_at(struct end *to, uint32_t bytes)
{
    struct loop *loop = to->loop;
    const struct sim_options *options = &loop->options;
    nsec_t at_ns = not_before(to->server ? end_work(loop) : loop->now_ns, to->wire_free_ns);
    if (options->bytes_per_second > 0)
        at_ns += time_of(bytes, options->bytes_per_second);
    to->wire_free_ns = at_ns;
    if (options->link_bytes_per_second > 0) {
        nsec_t *free_ns = &loop->link_free_ns[to->server];
        at_ns = not_before(at_ns, *free_ns) + time_of(bytes, options->link_bytes_per_second);
        *free_ns = at_ns;
    }
    return at_ns;
}

/* Lets bytes that are in the ring arrive, whole or in pieces. */
static void send_pieces(struct end *to, uint32_t bytes)
{
    struct loop *loop = to->loop;
    const struct sim_options *options = &loop->options;
    nsec_t start_ns = leave_at(to, bytes);
    nsec_t at_ns = not_before(start_ns + draw_delay(loop, &to->random), to->last_ns);
    bool split = chance(&to->random, options->split_share);
    while (split && bytes > 1) {
        uint32_t piece = 1 + (uint32_t)random_below_of(random_next(&to->random), bytes);
        if (piece == bytes)
            break;
        uint64_t gap = options->split_gap_ns > 1 ? (uint64_t)options->split_gap_ns : 1;
        add_piece(to, piece, at_ns);
        at_ns += 1 + (nsec_t)random_below_of(random_next(&to->random), gap);
        bytes -= piece;
    }
    add_piece(to, bytes, at_ns);
}

/* The connection meets its fate: so many of the bytes still arrive. */
static void meet_fate(struct end *to, const char *from, uint32_t bytes)
{
    enum fate fate = to->fate;
    struct end *sender = to->peer;
    to->loop->counts.faults += to->fate_met ? 0 : 1;
    to->fate_met = true;
    if (bytes) {
        put_bytes(to, from, bytes);
        send_pieces(to, bytes);
    }
    to->fate_bytes = 0;
    if (fate == FATE_SILENCE)
        return;
    end_send(to, fate == FATE_RESET ? ARRIVAL_RESET : ARRIVAL_END, 0);
    end_send(sender, ARRIVAL_RESET, 0);
    to->peer = sender->peer = NULL;
    to->told_gone = sender->told_gone = true;
}

uint32_t end_send_bytes(struct end *to, const char *from, size_t bytes)
{
    uint32_t window = window_of(to->loop);
    uint32_t space = to->byte_count < window ? window - to->byte_count : 0;
    uint32_t taken = bytes < space ? (uint32_t)bytes : space;
    if (taken == 0)
        return 0;
    if (to->fate != FATE_NONE && taken > to->fate_bytes) {
        meet_fate(to, from, (uint32_t)to->fate_bytes);
        return taken;
    }
    if (to->fate != FATE_NONE)
        to->fate_bytes -= taken;
    put_bytes(to, from, taken);
    send_pieces(to, taken);
    return taken;
}

uint32_t end_take_bytes(struct end *end, char *into, size_t room)
{
    uint32_t bytes = room < end->arrived ? (uint32_t)room : end->arrived;
    uint32_t until_wrap = end->byte_room - end->byte_first;
    uint32_t first = bytes < until_wrap ? bytes : until_wrap;
    if (bytes == 0)
        return 0;
    memcpy(into, end->bytes + end->byte_first, first);
    if (bytes > first)
        memcpy(into + first, end->bytes, bytes - first);
    end->byte_first = (end->byte_first + bytes) & (end->byte_room - 1);
    end->byte_count -= bytes;
    end->arrived -= bytes;
    if (end->writer_waits && end->peer) {
        end->writer_waits = false;
        end_send(end->peer, ARRIVAL_SPACE, 0);
    }
    return bytes;
}

/* Unread bytes make of a close a reset, and bytes that arrive afterwards are answered by one
 * (RFC 9293, 3.6.1). */
static void tell_closed(struct end *end, struct end *peer, bool reset)
{
    bool at_once = reset || end->arrived;
    end_send(peer, at_once ? ARRIVAL_RESET : ARRIVAL_END, 0);
    if (!at_once && end->byte_count)
        end_send(peer, ARRIVAL_RESET, end->last_ns - end->loop->now_ns);
    peer->told_gone = at_once || end->byte_count;
}

void end_close(struct end *end, bool reset)
{
    struct end *peer = end->peer;
    if (peer) {
        peer->peer = NULL;
        if (!(peer->fate == FATE_SILENCE && peer->fate_met)) /* else nobody hears of it */
            tell_closed(end, peer, reset);
    }
    end->stream = NULL;
    end_free(end);
}
