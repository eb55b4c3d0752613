/* The simulated loop: a virtual clock that jumps from one event to the next.
 *
 * One turn: move the clock to the next arrival or timer (or the caller's instant), hand out what
 * arrives then, run the timers due then. Arrivals come from a binary heap ordered by instant and
 * then by when they were scheduled, so that the order is the same every time. */
#include "net/loop.h"

#include "base/memory.h"
#include "net_sim/pipe.h"

#include <errno.h>
#include <stdlib.h>

enum { FIRST_PORT = 32768 };

int loop_new(struct loop **out)
{
    struct loop *loop = memory_new(1, sizeof *loop);
    loop->now_ns = NSEC_PER_SEC; /* not 0, which elsewhere says that something did not happen */
    loop->next_port = FIRST_PORT;
    loop->digest = UINT64_C(0xCBF29CE484222325);
    wheel_init(&loop->wheel, loop->now_ns);
    list_init(&loop->listeners);
    list_init(&loop->ends);
    list_init(&loop->spare);
    *out = loop;
    return 0;
}

struct loop *loop_free(struct loop *loop)
{
    if (!loop)
        return NULL;
    list_move_all(&loop->ends, &loop->spare);
    for (struct list *node; (node = list_take(&loop->spare));) {
        struct end *end = list_entry(node, struct end, all);
        free(end->arrivals);
        free(end->bytes);
        free(end);
    }
    free(loop->heap);
    free(loop);
    return NULL;
}

nsec_t loop_now(const struct loop *loop)
{
    return loop->now_ns;
}

/* ---- the heap -------------------------------------------------------------------------------- */

static bool is_before(const struct heap_entry *one, const struct heap_entry *other)
{
    if (one->due_ns != other->due_ns)
        return one->due_ns < other->due_ns;
    return one->order < other->order;
}

static void put_entry(struct loop *loop, uint32_t at, struct heap_entry entry)
{
    loop->heap[at] = entry;
    entry.end->heap_at = at;
}

/* Finds the place of an entry, from a place whose own entry may be overwritten. */
static void settle(struct loop *loop, uint32_t at, struct heap_entry entry)
{
    while (at > 0 && is_before(&entry, &loop->heap[(at - 1) / 2])) {
        put_entry(loop, at, loop->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= loop->heap_count)
            break;
        if (child + 1 < loop->heap_count && is_before(&loop->heap[child + 1], &loop->heap[child]))
            child++;
        if (!is_before(&loop->heap[child], &entry))
            break;
        put_entry(loop, at, loop->heap[child]);
        at = child;
    }
    put_entry(loop, at, entry);
}

static void take_out(struct loop *loop, struct end *end)
{
    uint32_t at = end->heap_at;
    end->heap_at = NOT_IN_HEAP;
    struct heap_entry last = loop->heap[--loop->heap_count];
    if (at < loop->heap_count)
        settle(loop, at, last);
}

void world_schedule(struct end *end)
{
    struct loop *loop = end->loop;
    if (end->arrival_count == 0) {
        if (end->heap_at != NOT_IN_HEAP)
            take_out(loop, end);
        return;
    }
    nsec_t due_ns = end->arrivals[end->arrival_first].at_ns;
    if (!end->server && due_ns < loop->client_free_ns)
        due_ns = loop->client_free_ns; /* its processor has something else to do until then */
    struct heap_entry entry = {.due_ns = due_ns, .order = loop->order++, .end = end};
    if (end->heap_at == NOT_IN_HEAP) {
        if (loop->heap_count == loop->heap_room) {
            loop->heap_room = loop->heap_room ? 2 * loop->heap_room : 64;
            loop->heap = memory_resize(loop->heap, loop->heap_room, sizeof *loop->heap);
        }
        end->heap_at = loop->heap_count++;
    }
    settle(loop, end->heap_at, entry);
}

/* ---- turning --------------------------------------------------------------------------------- */

static nsec_t earlier(nsec_t one_ns, nsec_t other_ns)
{
    return one_ns < other_ns ? one_ns : other_ns;
}

/* Moves the clock to what comes next. Returns false when nothing ever does. */
static bool wait_for_next(struct loop *loop, nsec_t until_ns)
{
    nsec_t next_ns = earlier(until_ns, wheel_next(&loop->wheel));
    if (loop->heap_count)
        next_ns = earlier(next_ns, loop->heap[0].due_ns);
    if (atomic_exchange_explicit(&loop->woken, false, memory_order_acquire))
        return true; /* a wait that was ended beforehand takes no time */
    if (next_ns == NSEC_NEVER)
        return false;
    if (next_ns > loop->now_ns) {
        loop->asleep_ns += next_ns - loop->now_ns;
        loop->now_ns = next_ns;
    }
    return true;
}

int loop_turn(struct loop *loop, nsec_t until_ns)
{
    int calls = 0;
    nsec_t lag_ns = 0;
    if (!wait_for_next(loop, until_ns))
        return -EDEADLK;
    uint64_t before = loop->order; /* what is scheduled meanwhile belongs to the next turn */
    while (loop->heap_count && loop->heap[0].due_ns <= loop->now_ns && loop->heap[0].order < before)
        calls += stream_arrive(loop->heap[0].end);
    return calls + wheel_run(&loop->wheel, loop->now_ns, &lag_ns);
}

void loop_wake(struct loop *loop)
{
    atomic_store_explicit(&loop->woken, true, memory_order_release);
}

void loop_usage(struct loop *loop, nsec_t *asleep_ns, nsec_t *worst_lag_ns)
{
    /* The clock waits for everybody, so that nothing is late but what clients have to do. */
    *asleep_ns =
        loop->asleep_ns > loop->client_busy_ns ? loop->asleep_ns - loop->client_busy_ns : 0;
    *worst_lag_ns = loop->client_lag_ns;
    loop->asleep_ns = loop->client_busy_ns = loop->client_lag_ns = 0;
}

/* ---- timers and watches ---------------------------------------------------------------------- */

void timer_start(struct loop *loop, struct timer *timer, nsec_t due_ns)
{
    wheel_stop(&loop->wheel, timer);
    wheel_start(&loop->wheel, timer, due_ns);
}

void timer_stop(struct loop *loop, struct timer *timer)
{
    wheel_stop(&loop->wheel, timer);
}

int loop_watch(struct loop *loop, struct watch *watch, unsigned what)
{
    (void)loop, (void)watch, (void)what;
    return -ENOTSUP;
}

/* ---- the world ------------------------------------------------------------------------------- */

void sim_configure(struct loop *loop, const struct sim_options *options)
{
    loop->options = *options;
}

uint64_t sim_digest(const struct loop *loop)
{
    return loop->digest;
}

void sim_counts(const struct loop *loop, struct sim_counts *out)
{
    *out = loop->counts;
}
