/* testbed/session.h - MCP sessions: their ids, the events that may be asked for again, and the
 * calls and streams that are open in them.
 *
 * Each reply that is an event stream has a number in its session, and each of its events one in the
 * stream; an event's id is "STREAM-EVENT". The latest SESSION_EVENTS of a session, and at most
 * SESSION_EVENT_BYTES of them, are kept to be sent again after a Last-Event-ID.
 *
 *   Owner    the loop's thread. */
#ifndef TESTBED_SESSION_H
#define TESTBED_SESSION_H

#include "base/list.h"
#include "base/text.h"

enum {
    SESSION_ID_BYTES = 36,
    SESSION_EVENTS = 64,
    SESSION_EVENT_BYTES = 1 << 18,
};

struct session_event {
    uint64_t stream, number;
    bool last;  /* of its stream */
    char *data; /* one JSON message, or "" */
};

struct session {
    char id[SESSION_ID_BYTES + 1];
    uint64_t index; /* in the table */
    const char *version;
    uint64_t streams;                            /* begun */
    struct session_event events[SESSION_EVENTS]; /* a ring */
    uint64_t event_count;                        /* kept so far, with those given up again */
    size_t event_bytes;
    struct list calls;        /* struct mcp_call: being executed */
    struct list streams_open; /* struct connection: GET streams */
};

struct sessions;

/* None yet; ids are drawn from the seed. Owner: caller. */
struct sessions *sessions_new(uint64_t seed, uint64_t most);
/* Frees all; NULL is fine; returns NULL. */
struct sessions *sessions_free(struct sessions *sessions);
/* A new session, or NULL when there are as many as may be. */
struct session *sessions_open(struct sessions *sessions, const char *version);
/* The session of an id, or NULL. */
struct session *sessions_find(const struct sessions *sessions, struct span id);
/* Ends one; its lists must be empty. */
void sessions_close(struct sessions *sessions, struct session *session);
/* Open now, and opened so far. */
void sessions_count(const struct sessions *sessions, uint64_t *open, uint64_t *opened);

/* Keeps an event; the oldest go when there are too many. */
void session_keep(struct session *session, uint64_t stream, uint64_t number, bool last,
                  struct span data);
/* The kept event of a stream with the least number above after, or NULL. */
const struct session_event *session_next(const struct session *session, uint64_t stream,
                                         uint64_t after);

#endif
