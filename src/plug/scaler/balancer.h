/* plug/scaler/balancer.h - the servers of one HAProxy backend, as its runtime API tells and changes
 * them.
 *
 *   Source   HAProxy Management Guide 2.6, section 9.3: show servers state, show stat, set server,
 *            add server, enable health, del server, shutdown sessions server. */
#ifndef PLUG_SCALER_BALANCER_H
#define PLUG_SCALER_BALANCER_H

#include "control/haproxy.h"

#include <stdbool.h>
#include <stddef.h>

enum balancer_state { BALANCER_READY, BALANCER_DRAIN, BALANCER_MAINT };

struct balancer_server {
    char name[128];
    enum balancer_state state; /* as somebody wished */
    bool up;                   /* takes requests now */
    double sessions;           /* now */
    bool http;                 /* what is balanced is requests, and not connections */
    double served;             /* of them, in all */
};

struct balancer_servers {
    struct balancer_server *items; /* in HAProxy's order */
    size_t count;
};

struct balancer {
    struct haproxy_place place;
    const char *backend;
};

/* "ready", "drain", "maint" */
const char *balancer_word(enum balancer_state state);

/* Reads all servers. Returns 0 or an outcome of a scaler with why. Owner: caller,
 * balancer_servers_free. */
int balancer_list(const struct balancer *balancer, struct balancer_servers *out, struct text *why);
void balancer_servers_free(struct balancer_servers *servers);
/* The server of a name; NULL: none. */
const struct balancer_server *balancer_find(const struct balancer_servers *servers,
                                            const char *name);

/* Each returns 0 or an outcome with why. */
int balancer_set(const struct balancer *balancer, const char *name, enum balancer_state state,
                 struct text *why);
/* Adds a server, which is then in maintenance; settings: what follows its address, or "". */
int balancer_add(const struct balancer *balancer, const char *name, const char *address,
                 const char *settings, struct text *why);
/* Removes one that is in maintenance and was added while running. */
int balancer_remove(const struct balancer *balancer, const char *name, struct text *why);
/* Ends the connections that a server has. */
int balancer_cut(const struct balancer *balancer, const char *name, struct text *why);

#endif
