/* testbed/limits.h - limits that requests to /work share before any law has its say: sessions
 * behind a balancer, and memory.
 *
 *   sessions  of /work: a balancer hands so many at once to the servers behind it, first come first
 *             served, and the others wait in its queue (HAProxy's `maxconn` of a server)
 *   memory    each request to /work holds request_bytes from its taking until its reply; one that
 *             would exceed memory_bytes is answered 500, as when the kernel ends the worker that
 *             had it
 *
 * All are arithmetic: nothing is really limited, so that they are the same in virtual time. The
 * figures are told under the names of those exporters that tell of the real things. */
#ifndef TESTBED_LIMITS_H
#define TESTBED_LIMITS_H

#include "testbed/connection.h"

/* Empty queues. */
void limits_init(struct testbed *testbed);

/* Takes memory and a session for the request in hand. Returns true when it has both; false when it
 * was refused and told, or waits for a session: limits_next then has its turn. */
bool limits_enter(struct connection *connection, nsec_t fixed_ns);
/* Gives both back. Returns the connection that has the session now, or NULL. */
struct connection *limits_leave(struct connection *connection);
/* The client has gone: it waits no longer. */
void limits_gone(struct connection *connection);

/* Writes what they come to, and the service's processor, memory and network, in Prometheus' text
 * format: under the names of cAdvisor, HAProxy, node_exporter and of client libraries. */
void limits_write(struct testbed *testbed, struct text *out);

#endif
