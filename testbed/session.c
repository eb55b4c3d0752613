/* A table whose index is a part of the id; see session.h. */
#include "testbed/session.h"

#include "base/memory.h"
#include "base/random.h"

#include <stdio.h>
#include <stdlib.h>

struct sessions {
    struct session **table; /* NULL: free */
    uint64_t most, room, open, opened, first_free;
    uint64_t key;
};

struct sessions *sessions_new(uint64_t seed, uint64_t most)
{
    struct sessions *sessions = memory_new(1, sizeof *sessions);
    sessions->most = most < UINT32_MAX ? most : UINT32_MAX;
    sessions->key = random_key(seed, "testbed sessions", 0);
    return sessions;
}

static void forget_events(struct session *session)
{
    for (int i = 0; i < SESSION_EVENTS; i++)
        free(session->events[i].data);
}

struct sessions *sessions_free(struct sessions *sessions)
{
    if (!sessions)
        return NULL;
    for (uint64_t i = 0; i < sessions->room; i++) {
        if (sessions->table[i])
            sessions_close(sessions, sessions->table[i]);
    }
    free(sessions->table);
    free(sessions);
    return NULL;
}

static uint64_t free_place(struct sessions *sessions)
{
    uint64_t at = sessions->first_free;
    while (at < sessions->room && sessions->table[at])
        at++;
    if (at == sessions->room) {
        uint64_t room = sessions->room ? 2 * sessions->room : 16;
        sessions->table = memory_resize(sessions->table, room, sizeof *sessions->table);
        for (uint64_t i = sessions->room; i < room; i++)
            sessions->table[i] = NULL;
        sessions->room = room;
    }
    sessions->first_free = at + 1;
    return at;
}

struct session *sessions_open(struct sessions *sessions, const char *version)
{
    if (sessions->open >= sessions->most)
        return NULL;
    struct session *session = memory_new(1, sizeof *session);
    uint64_t one = random_bits_at(sessions->key, 2 * sessions->opened);
    uint64_t other = random_bits_at(sessions->key, 2 * sessions->opened + 1);
    session->index = free_place(sessions);
    session->version = version;
    snprintf(session->id, sizeof session->id, "%08x-%04x-4%03x-8%03x-%04x%08x",
             (unsigned)(one >> 32), (unsigned)(one >> 16 & 0xFFFF), (unsigned)(one & 0xFFF),
             (unsigned)(other >> 52), (unsigned)(other & 0xFFFF), (unsigned)session->index);
    list_init(&session->calls);
    list_init(&session->streams_open);
    sessions->table[session->index] = session;
    sessions->open++;
    sessions->opened++;
    return session;
}

struct session *sessions_find(const struct sessions *sessions, struct span id)
{
    uint64_t index = 0;
    if (id.bytes != SESSION_ID_BYTES)
        return NULL;
    for (size_t i = SESSION_ID_BYTES - 8; i < SESSION_ID_BYTES; i++) {
        char digit = id.at[i];
        bool letter = digit >= 'a' && digit <= 'f';
        if (!letter && (digit < '0' || digit > '9'))
            return NULL;
        index = index << 4 | (uint64_t)(letter ? digit - 'a' + 10 : digit - '0');
    }
    struct session *session = index < sessions->room ? sessions->table[index] : NULL;
    return session && span_equal(span_of(session->id), id) ? session : NULL;
}

void sessions_close(struct sessions *sessions, struct session *session)
{
    sessions->table[session->index] = NULL;
    if (session->index < sessions->first_free)
        sessions->first_free = session->index;
    sessions->open--;
    forget_events(session);
    free(session);
}

void sessions_count(const struct sessions *sessions, uint64_t *open, uint64_t *opened)
{
    *open = sessions->open;
    *opened = sessions->opened;
}

/* ---- events -----------------------------------------------------------------------------------
 */

static void give_up(struct session *session, struct session_event *event)
{
    if (event->data)
        session->event_bytes -= span_of(event->data).bytes;
    free(event->data);
    *event = (struct session_event){.data = NULL};
}

void session_keep(struct session *session, uint64_t stream, uint64_t number, bool last,
                  struct span data)
{
    uint64_t oldest =
        session->event_count > SESSION_EVENTS - 1 ? session->event_count - (SESSION_EVENTS - 1) : 0;
    give_up(session, &session->events[session->event_count % SESSION_EVENTS]);
    while (oldest < session->event_count && session->event_bytes + data.bytes > SESSION_EVENT_BYTES)
        give_up(session, &session->events[oldest++ % SESSION_EVENTS]);
    struct text copy = TEXT_EMPTY;
    text_put(&copy, data);
    session->event_bytes += data.bytes;
    session->events[session->event_count++ % SESSION_EVENTS] = (struct session_event){
        .stream = stream, .number = number, .last = last, .data = text_take(&copy)};
}

const struct session_event *session_next(const struct session *session, uint64_t stream,
                                         uint64_t after)
{
    const struct session_event *best = NULL;
    for (int i = 0; i < SESSION_EVENTS; i++) {
        const struct session_event *event = &session->events[i];
        if (event->data && event->stream == stream && event->number > after &&
            (!best || event->number < best->number))
            best = event;
    }
    return best;
}
