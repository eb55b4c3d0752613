/* link/channel.h - a child process as the connection of a pool: one message a line each way, many
 * exchanges at a time, told apart by the ids of their JSON-RPC messages. Private to this room.
 *
 * A user of a pool per user has a channel of its own; a shared pool has `most` (1 when not given),
 * and the one with the fewest calls takes the next. While an exchange that wants to be alone is
 * under way (opening a session) the others wait, and that wait is set-up, not theirs.
 *
 * A reply ends the exchange of its id. Notifications of progress go to the exchange of their token,
 * everything else that is no reply to the oldest exchange; replies to nobody are passed over. When
 * the child ends, the exchanges under way fail with what it said last; the next one starts another.
 * An exchange that is given up leaves the child running and tells it (notifications/cancelled),
 * unless it was alone: then the child is ended. */
#ifndef LINK_CHANNEL_H
#define LINK_CHANNEL_H

#include "link/connection.h"
#include "net/piped.h"

enum { CHANNEL_LINE_BYTES = 4 << 20 }; /* of one message; max_response_bytes may allow less */

struct channel {
    struct connection connection; /* what exchanges, users and pools know it by */
    struct piped child;
    struct list node;       /* in link.channels */
    struct list calls;      /* under way, the oldest first */
    struct list queue;      /* wait until set-up is over */
    struct exchange *alone; /* under way, and nothing else may be */
    struct text line;       /* unfinished */
    nsec_t line_ns;         /* when its first byte was received */
    nsec_t ended_ns;        /* its output ended; 0: not yet */
    bool last;              /* takes no more exchanges */
    bool closing;           /* nobody's any more; its output is passed over */
    bool too_long;          /* a line was longer than allowed */
    bool gone;              /* the child was waited for */
    void *state;            /* of who speaks on it */
};

/* Puts an exchange on a channel of its pool, starting one if there is none. */
void channel_place(struct pool *pool, struct exchange *exchange, nsec_t now_ns);
/* Gives an exchange up without calling back. */
void channel_cancel(struct exchange *exchange);
/* Ends it: its input is closed, and it goes when its child has. */
void channel_close(struct connection *connection);
/* Ends all channels of a pool, or of all with NULL, killing what stays. May turn the loop. */
void channels_settle(struct link *link);
/* Kills the children of a pool that are left. */
void channels_kill(struct pool *pool);

#endif
