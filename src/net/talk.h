/* net/talk.h - says one thing to a stream socket and hears the whole answer, on the calling thread.
 *
 * For control planes that speak lines rather than HTTP (HAProxy's runtime API). Like net/fetch.h it
 * blocks for a bounded time, reads a bounded answer, and can be cancelled. */
#ifndef NET_TALK_H
#define NET_TALK_H

#include "base/clock.h"
#include "base/text.h"

#include <stdatomic.h>

struct talk {
    const char *place;         /* a socket's path (with a slash), or a literal address and port:
                                  "127.0.0.1:9999", "[::1]:9999" */
    struct span words;         /* what is said */
    nsec_t timeout_ns;         /* of the whole; 0: 5 s */
    size_t most_bytes;         /* of the answer; 0: 16 MiB */
    const atomic_bool *cancel; /* or NULL */
};

/* Connects, says the words, and replaces answer by all that comes until the other end closes.
 * Returns 0; -ENOENT or -ECONNREFUSED (nothing there), -EACCES, -ETIMEDOUT, -ECANCELED, -EMSGSIZE
 * (more than most_bytes), -EINVAL (place is none), or another -errno. answer is written on success
 * only. */
int talk_once(const struct talk *talk, struct text *answer);

#endif
