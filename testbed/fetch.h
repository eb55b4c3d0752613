/* testbed/fetch.h - fetches a page of this server over a connection of its own, as a tool does it:
 * on a thread that may wait. No other server is asked, whatever the URL says. */
#ifndef TESTBED_FETCH_H
#define TESTBED_FETCH_H

#include "testbed/tools.h"

enum { FETCH_ELSEWHERE = 1, FETCH_STATUS = 2, FETCH_SECONDS = 5 };

/* Appends the page's body, at most so many bytes. url: "/path", or "http://127.0.0.1:PORT/path"
 * (localhost is taken too) with a port of this server. Returns 0, FETCH_ELSEWHERE, FETCH_STATUS
 * (not 200), or -errno. */
int fetch_page(const struct toolbox *toolbox, struct span url, size_t most_bytes,
               struct text *body);

#endif
