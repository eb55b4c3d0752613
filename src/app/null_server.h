/* app/null_server.h - a server that does as little as HTTP allows, on a thread of its own: what is
 * measured against it is the generator and the machine. For the self-test only. */
#ifndef APP_NULL_SERVER_H
#define APP_NULL_SERVER_H

#include <stdint.h>

struct null_server;

/* Listens on a free port of 127.0.0.1 and answers every request with 200 and two bytes. port:
 * where. Returns 0 or -errno. Owner: caller, null_server_stop. */
int null_server_start(struct null_server **out, uint16_t *port);
/* Ends it and frees all; NULL is fine; returns NULL. */
struct null_server *null_server_stop(struct null_server *server);

#endif
