/* base/ring.h - hands pointers from one thread to one other, without a lock.
 *
 *   Owner    one thread puts, one takes; each may be any thread, but always the same.
 *   Limits   RING_ROOM pointers; a full ring refuses. */
#ifndef BASE_RING_H
#define BASE_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

enum { RING_ROOM = 64 }; /* pointers; a power of two */

struct ring {
    _Atomic size_t put;   /* written by the putting thread */
    _Atomic size_t taken; /* written by the taking thread */
    void *slots[RING_ROOM];
};

/* An empty ring. */
void ring_init(struct ring *ring);
/* Puts a pointer that is not NULL; false when the ring is full. */
bool ring_put(struct ring *ring, void *thing);
/* Takes the oldest pointer; NULL when there is none. */
void *ring_take(struct ring *ring);

#endif
