/* net/loop_real.h - what stream.c needs of the epoll loop; nobody outside this room includes it.
 *
 * An epoll event carries a pointer whose two lowest bits say what it points to. */
#ifndef NET_LOOP_REAL_H
#define NET_LOOP_REAL_H

#include "net/loop.h"

enum loop_kind { LOOP_STREAM, LOOP_LISTENER, LOOP_WATCH, LOOP_SELF };

/* Registers a descriptor for these epoll events. Returns 0 or -errno. */
int loop_register(struct loop *loop, int fd, void *thing, enum loop_kind kind, uint32_t events);
/* Forgets a thing whose descriptor is about to be closed: no event of the present batch reaches it.
 */
void loop_forget(struct loop *loop, const void *thing);
/* Hands epoll events to a stream or a listener (stream.c). */
void stream_dispatch(void *thing, enum loop_kind kind, uint32_t events);

#endif
