/* testbed/qdrant.h - vector collections behind Qdrant's REST paths: health, collections, points,
 * search and query.
 *
 * Served: PUT, GET and DELETE of /collections/NAME, PUT of its /points (the form with "points"),
 * POST of /points/search and /points/query (a vector, {"nearest": ...} or an id). Filters and
 * quantisation are not, and a request that names them is refused rather than answered without.
 *
 *   Source   Qdrant's OpenAPI description, version 1.x. */
#ifndef TESTBED_QDRANT_H
#define TESTBED_QDRANT_H

#include "testbed/connection.h"

/* /healthz, /readyz and /livez. */
void qdrant_health(struct connection *connection, const struct request *request);
/* /collections and all below. */
void qdrant_serve(struct connection *connection, const struct request *request);

/* What a search in the collection "default" reads. */
uint64_t qdrant_bytes(const struct testbed *testbed);
/* What it costs a thread in virtual time: one pass over these bytes at --search-rate. */
nsec_t qdrant_cost(const struct testbed *testbed);

#endif
