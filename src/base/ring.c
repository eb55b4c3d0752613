/* A ring of pointers for one putter and one taker: each side writes only its own count, and
 * publishes it with release so that the other's acquire sees the slot. */
#include "base/ring.h"

#include "base/check.h"

void ring_init(struct ring *ring)
{
    atomic_init(&ring->put, 0);
    atomic_init(&ring->taken, 0);
}

bool ring_put(struct ring *ring, void *thing)
{
    check(thing);
    size_t put = atomic_load_explicit(&ring->put, memory_order_relaxed);
    if (put - atomic_load_explicit(&ring->taken, memory_order_acquire) == RING_ROOM)
        return false;
    ring->slots[put % RING_ROOM] = thing;
    atomic_store_explicit(&ring->put, put + 1, memory_order_release);
    return true;
}

void *ring_take(struct ring *ring)
{
    size_t taken = atomic_load_explicit(&ring->taken, memory_order_relaxed);
    if (taken == atomic_load_explicit(&ring->put, memory_order_acquire))
        return NULL;
    void *thing = ring->slots[taken % RING_ROOM];
    atomic_store_explicit(&ring->taken, taken + 1, memory_order_release);
    return thing;
}
