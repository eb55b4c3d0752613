/* testbed/station.h - services beside the model that have a queueing law of their own: a database
 * behind a pool of connections, the model that a RAG service asks for its answer, agents.
 *
 * Each is a law (law.h) with its servers and its seed; the request in hand passes one station at a
 * time. Station s draws S_n of its own sequence: the seed is random_key(seed, name, 0). */
#ifndef TESTBED_STATION_H
#define TESTBED_STATION_H

#include "testbed/connection.h"

struct station {
    const char *name;
    const char *full_words; /* what a request is told that is turned away */
    struct law *law;
    struct law_options options;
    uint64_t departures, refused;
    nsec_t busy_ns;  /* sum of service times of departures */
    nsec_t spent_ns; /* sum of their times from arrival to departure */
};

/* Makes all stations of a testbed. */
void stations_init(struct testbed *testbed);
/* All work must have left. */
void stations_fini(struct testbed *testbed);

/* Takes the request in hand in, as arriving at arrival_ns; connection->work is filled, and when it
 * departs `due` is called. Returns false when it was turned away and the client told so. */
bool station_begin(struct connection *connection, enum station_index index, nsec_t arrival_ns,
                   void (*due)(struct connection *connection, nsec_t now_ns));
/* The same for so many bytes read at --memory-bandwidth, which must be set, one after another; what
 * is read is counted when it is over. */
void station_read_memory(struct connection *connection, uint64_t bytes, nsec_t arrival_ns,
                         void (*due)(struct connection *connection, nsec_t now_ns));
/* Ends it, at its departure. */
void station_end(struct connection *connection);

/* Writes their counts in Prometheus' text format. */
void stations_write(struct testbed *testbed, struct text *out);

/* POST /db/query, and GET: a query through the pool of connections. */
void database_serve(struct connection *connection, const struct request *request);
/* POST /api/v1/agents/{research,synthesis}/execute. */
void agents_serve(struct connection *connection, const struct request *request);

#endif
