/* control/haproxy.h - HAProxy's runtime API: one command in, its answer out.
 *
 * HAProxy answers on a stream socket and closes it after each command; an answer is text, and what
 * is wrong in it is said in words ("No such server."), which is the caller's to read. */
#ifndef CONTROL_HAPROXY_H
#define CONTROL_HAPROXY_H

#include "control/control.h"

struct haproxy_place {
    const char *socket;        /* "/run/haproxy/admin.sock", or "127.0.0.1:9999" */
    nsec_t timeout_ns;         /* of a command; 0: 5 s */
    const atomic_bool *cancel; /* or NULL */
};

/* Sends one command ("show stat", "set server back/s1 state drain"; its newline is added) and
 * replaces out by the whole answer, without the blank line at its end. Returns 0, CONTROL_ABSENT
 * (nothing listens there), CONTROL_FORBIDDEN (the socket may not be opened, or HAProxy answered
 * "Permission denied"), CONTROL_TIMEOUT or CONTROL_FAILED, why then holding one sentence. */
int haproxy_ask(const struct haproxy_place *place, const char *command, struct text *out,
                struct text *why);

#endif
