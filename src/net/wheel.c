/* The timer wheel. Invariants:
 *   - a timer of level 0 lies in the slot of its own tick, which is less than 256 ticks ahead;
 *   - a timer of level L > 0 lies in the slot of its tick >> 8L, and moves down when the wheel's
 * tick reaches the start of that slot;
 *   - a bit in `used` is set for every slot that holds a timer; it is cleared when a search finds
 * the slot empty, so that stopping a timer need not know its slot. */
#include "net/wheel.h"

#include "base/check.h"

enum { SLOT_BITS = 8, SLOT_MASK = WHEEL_SLOTS - 1 };

/* Of net/loop.h: the same over real and simulated loops. */
void timer_init(struct timer *timer, void (*fire)(struct timer *timer, nsec_t now_ns))
{
    list_init(&timer->node);
    timer->due_ns = 0;
    timer->fire = fire;
}

bool timer_running(const struct timer *timer)
{
    return !list_empty(&timer->node);
}

static uint64_t tick_of(nsec_t at_ns)
{
    return at_ns <= 0 ? 0 : (uint64_t)at_ns >> WHEEL_TICK_BITS;
}

void wheel_init(struct wheel *wheel, nsec_t now_ns)
{
    *wheel = (struct wheel){.tick = tick_of(now_ns), .next_ns = NSEC_NEVER};
    for (int level = 0; level < WHEEL_LEVELS; level++) {
        for (int slot = 0; slot < WHEEL_SLOTS; slot++)
            list_init(&wheel->slots[level][slot]);
    }
}

static void place(struct wheel *wheel, struct timer *timer)
{
    uint64_t tick = tick_of(timer->due_ns);
    if (tick < wheel->tick)
        tick = wheel->tick;
    uint64_t ahead = tick - wheel->tick;
    int level = 0;
    while (level < WHEEL_LEVELS - 1 && ahead >> (SLOT_BITS * (level + 1)))
        level++;
    if (ahead >> (SLOT_BITS * WHEEL_LEVELS)) /* beyond the wheel: the farthest slot, then again */
        tick = wheel->tick + (UINT64_C(1) << (SLOT_BITS * WHEEL_LEVELS)) - 1;
    unsigned slot = (unsigned)(tick >> (SLOT_BITS * level)) & SLOT_MASK;
    list_append(&wheel->slots[level][slot], &timer->node);
    wheel->used[level][slot / 64] |= UINT64_C(1) << (slot % 64);
}

void wheel_start(struct wheel *wheel, struct timer *timer, nsec_t due_ns)
{
    check(list_empty(&timer->node));
    timer->due_ns = due_ns;
    place(wheel, timer);
    wheel->count++;
    if (due_ns < wheel->next_ns)
        wheel->next_ns = due_ns;
}

void wheel_stop(struct wheel *wheel, struct timer *timer)
{
    if (list_empty(&timer->node))
        return;
    list_remove(&timer->node);
    wheel->count--;
}

/* How many slots after `from` (0 .. 255) the first slot in use lies; 256 when none is. */
static unsigned find_used(struct wheel *wheel, int level, unsigned from)
{
    for (unsigned step = 0; step < WHEEL_SLOTS;) {
        unsigned slot = (from + step) & SLOT_MASK;
        uint64_t word = wheel->used[level][slot / 64] >> (slot % 64);
        if (!word) {
            step += 64 - slot % 64;
            continue;
        }
        unsigned skip = (unsigned)__builtin_ctzll(word);
        slot += skip;
        step += skip;
        if (!list_empty(&wheel->slots[level][slot]))
            return step;
        wheel->used[level][slot / 64] &= ~(UINT64_C(1) << (slot % 64));
    }
    return WHEEL_SLOTS;
}

/* The first tick at which a slot must be looked at; UINT64_MAX when all are empty. */
static uint64_t next_tick(struct wheel *wheel)
{
    uint64_t best = UINT64_MAX;
    unsigned ahead = find_used(wheel, 0, (unsigned)wheel->tick & SLOT_MASK);
    if (ahead < WHEEL_SLOTS)
        best = wheel->tick + ahead;
    for (int level = 1; level < WHEEL_LEVELS; level++) {
        uint64_t turn = (wheel->tick >> (SLOT_BITS * level)) + 1;
        ahead = find_used(wheel, level, (unsigned)turn & SLOT_MASK);
        if (ahead == WHEEL_SLOTS)
            continue;
        uint64_t tick = (turn + ahead) << (SLOT_BITS * level);
        if (tick < best)
            best = tick;
    }
    return best;
}

static nsec_t earliest_in(const struct list *slot)
{
    nsec_t earliest = NSEC_NEVER;
    for (const struct list *node = slot->next; node != slot; node = node->next) {
        nsec_t due_ns = list_entry(node, const struct timer, node)->due_ns;
        if (due_ns < earliest)
            earliest = due_ns;
    }
    return earliest;
}

nsec_t wheel_next(struct wheel *wheel)
{
    if (wheel->count == 0)
        return NSEC_NEVER;
    if (wheel->next_ns > 0)
        return wheel->next_ns;
    uint64_t tick = next_tick(wheel);
    nsec_t next_ns = (nsec_t)(tick << WHEEL_TICK_BITS);
    struct list *slot = &wheel->slots[0][tick & SLOT_MASK];
    if (tick - wheel->tick < WHEEL_SLOTS && !list_empty(slot)) {
        nsec_t earliest_ns = earliest_in(slot);
        bool boundary = (tick & SLOT_MASK) == 0 && tick != wheel->tick;
        if (!boundary || earliest_ns < next_ns)
            next_ns = earliest_ns;
    }
    wheel->next_ns = next_ns > 0 ? next_ns : 1;
    return wheel->next_ns;
}

/* Moves the timers of the slots that begin at the present tick down a level. */
static void cascade(struct wheel *wheel)
{
    for (int level = WHEEL_LEVELS - 1; level > 0; level--) {
        if (wheel->tick & ((UINT64_C(1) << (SLOT_BITS * level)) - 1))
            continue;
        unsigned slot = (unsigned)(wheel->tick >> (SLOT_BITS * level)) & SLOT_MASK;
        struct list moving;
        list_init(&moving);
        list_move_all(&wheel->slots[level][slot], &moving);
        for (struct list *node; (node = list_take(&moving));)
            place(wheel, list_entry(node, struct timer, node));
    }
}

static int fire_slot(struct wheel *wheel, struct list *slot, nsec_t now_ns, nsec_t *worst_lag_ns)
{
    struct list due;
    list_init(&due);
    for (struct list *node = slot->next, *next; node != slot; node = next) {
        next = node->next;
        if (list_entry(node, struct timer, node)->due_ns > now_ns)
            continue;
        list_remove(node);
        list_append(&due, node);
    }
    int fired = 0;
    for (struct list *node; (node = list_take(&due)); fired++) {
        struct timer *timer = list_entry(node, struct timer, node);
        wheel->count--;
        if (timer->due_ns > 0 && now_ns - timer->due_ns > *worst_lag_ns)
            *worst_lag_ns = now_ns - timer->due_ns;
        timer->fire(timer, now_ns);
    }
    return fired;
}

int wheel_run(struct wheel *wheel, nsec_t now_ns, nsec_t *worst_lag_ns)
{
    uint64_t now_tick = tick_of(now_ns);
    int fired = 0;
    if (now_ns < wheel->next_ns)
        return 0;
    while (wheel->count) {
        uint64_t tick = next_tick(wheel);
        if (tick > now_tick)
            break;
        bool moved = tick != wheel->tick;
        wheel->tick = tick;
        if (moved)
            cascade(wheel);
        struct list *slot = &wheel->slots[0][tick & SLOT_MASK];
        if (earliest_in(slot) > now_ns && tick == now_tick)
            break;
        fired += fire_slot(wheel, slot, now_ns, worst_lag_ns);
        if (tick == now_tick)
            break; /* timers started meanwhile fire in the next turn, so that input gets its turn */
    }
    if (wheel->tick < now_tick)
        wheel->tick = now_tick;
    wheel->next_ns = 0; /* not known: found when asked */
    return fired;
}
