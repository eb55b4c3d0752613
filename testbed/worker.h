/* testbed/worker.h - a process of its own for each /work, with memory that it really fills: what a
 * service of worker processes does to the limit of its control group.
 *
 * When the limit is met the kernel ends a worker, not an option of ours: its work then fails when
 * it is due, with 500. The processes are real, so a testbed in virtual time had better have none.
 */
#ifndef TESTBED_WORKER_H
#define TESTBED_WORKER_H

#include "testbed/connection.h"

/* Starts the worker of a connection's work, where workers are asked for. */
void worker_begin(struct connection *connection);
/* Ends it. Returns false when it was no longer alive, or could not be started. Without one: true.
 */
bool worker_end(struct connection *connection);

#endif
