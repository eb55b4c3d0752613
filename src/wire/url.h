/* wire/url.h - the parts of a URL, and percent-encoding (RFC 3986). */
#ifndef WIRE_URL_H
#define WIRE_URL_H

#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

/* Spans point into the text that was read. */
struct url {
    struct span scheme; /* "http", "https", "http+unix" */
    struct span user;   /* "name:password" before @, or empty */
    struct span host;   /* without brackets; the socket's path (percent-decoded by the caller) for
                           http+unix */
    uint16_t port;      /* the scheme's own when not given; 0 for http+unix */
    bool tls, unix_socket, ipv6;
    struct span path; /* with the query, from the slash; empty: "/" is meant. Fragment is cut off */
};

/* Reads an absolute URL. http+unix:///run/x.sock:/path has the socket before a colon. Returns 0 or
 * URL_BAD, *why then naming what is wrong. */
enum { URL_BAD = 1 };
int url_read(struct span words, struct url *out, const char **why);

/* Parts a reference, relative to a base URL (empty: it is absolute), into what a client that knows
 * only http and https asks: an absolute URL, and the path of the socket to connect to (empty when
 * there is none; the URL's host is then "localhost"). Both are replaced. Returns 0 or URL_BAD with
 * *why. */
int url_client(struct span base, struct span reference, struct text *url, struct text *socket,
               const char **why);

/* Appends bytes percent-encoded as a query value. */
void url_encode(struct span bytes, struct text *out);

/* Appends the target of a reference ("/x", "../x", "?q", "//host/x", absolute) relative to a base
 * URL. */
void url_join(struct span base, struct span reference, struct text *out);

#endif
