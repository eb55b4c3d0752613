/* testbed/work.h - a connection's work under the law: taken in, waited for, ended. */
#ifndef TESTBED_WORK_H
#define TESTBED_WORK_H

#include "testbed/connection.h"

/* Takes the request in hand into the law, as arriving when its last byte was received.
 *
 *   fixed_ns  its service time, or a negative number for the law's own
 *
 * Returns true, with connection->work filled; or false: refused, and the client has been told. */
bool work_begin(struct connection *connection, nsec_t fixed_ns);
/* Ends it, at its departure; the entry of the log goes out with the reply's last byte. */
void work_end(struct connection *connection);
/* The client has gone: it waits for a session no longer, and gives back the one that its work was
 * still to begin in. */
void work_gone(struct connection *connection);
/* The client has gone: the work stays until its departure, then the connection is freed. */
void work_outlive(struct connection *connection);

/* The same for a sequence under the batching law; connection->sequence has its tokens set. */
bool work_begin_sequence(struct connection *connection);
/* The sequence has told its last token at this boundary. */
void work_end_sequence(struct connection *connection, nsec_t boundary_ns);
/* The client has gone: the sequence is given up. */
void work_abandon(struct connection *connection);
/* GET /work: holds a server and says how long. */
void work_serve(struct connection *connection, const struct request *request);

#endif
