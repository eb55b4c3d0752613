/* link/events.h - what dialling and carrying share inside this room. */
#ifndef LINK_EVENTS_H
#define LINK_EVENTS_H

#include "link/connection.h"

#include <stdio.h>

/* Readiness of a connection's stream. */
void connection_ready(struct stream *stream, unsigned what);
/* The connection's timer. */
void connection_due(struct timer *timer, nsec_t now_ns);
/* Sets the instant that matters next; NSEC_NEVER: none. The timer is moved only when it is later.
 */
void connection_set_due(struct connection *connection, nsec_t due_ns);
/* Readiness while the connection is not standing yet (dial.c). */
void dial_ready(struct connection *connection, unsigned what);
/* Why connecting failed, for people. */
const char *connect_words(int error);

#endif
