/* testbed/paths.h - which path is served by what. */
#ifndef TESTBED_PATHS_H
#define TESTBED_PATHS_H

#include "testbed/connection.h"

/* Answers the request, or keeps it to answer later. */
void paths_serve(struct connection *connection, const struct request *request);
/* The value of the metrics' label `path`. */
const char *paths_label(enum metrics_path path);

#endif
