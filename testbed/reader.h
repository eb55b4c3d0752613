/* testbed/reader.h - reads HTTP/1.0 and HTTP/1.1 requests out of bytes that come as they please.
 *
 * Written by hand and apart from room `wire` on purpose: client and testbed must not share a bug.
 * The reader looks at one piece of memory that begins with the request and grows; it is asked
 * again with more bytes until the request is whole. Chunked bodies are joined in place.
 *
 *   Limits   head READER_HEAD_BYTES, READER_HEADERS lines; body as asked.
 *   Source   RFC 9110, RFC 9112. Two lengths, a length with an encoding, folded lines and blanks
 *            before a colon are refused, since they are what request smuggling is made of. */
#ifndef TESTBED_READER_H
#define TESTBED_READER_H

#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { READER_HEAD_BYTES = 16384, READER_HEADERS = 100 };

/* Where a reader stands in the request that it is reading; all zero at its beginning. */
struct reader {
    size_t searched;     /* bytes in which the end of the head is known not to lie */
    size_t head_bytes;   /* of the head with its blank line; 0: not yet known */
    size_t raw_at;       /* next byte of a chunked body that was not looked at */
    size_t body_bytes;   /* joined so far */
    uint64_t chunk_left; /* of the chunk being read */
    int chunk_state;
    bool told_continue; /* the caller has written 100 Continue */
};

struct reader_header {
    struct span name, value;
};

/* A request; its spans point into the bytes that were read. */
struct request {
    struct span method, target, path, query; /* query without the '?' */
    int minor;                               /* of HTTP/1.x */
    struct reader_header headers[READER_HEADERS];
    size_t header_count;
    struct span body;
    bool keep_alive;
    size_t bytes; /* of the whole, as it came */
};

enum reader_result {
    READER_MORE,     /* ask again when there are more bytes */
    READER_CONTINUE, /* the same, and the client waits for 100 Continue (said once) */
    READER_DONE,     /* request is filled */
    READER_BAD,      /* status says which reply is due; the connection cannot be used further */
};

/* Looks for a request at the beginning of bytes.
 *
 *   body_limit  longest body taken
 *   status      written when READER_BAD: 400, 413, 431, 501 or 505 */
enum reader_result reader_read(struct reader *reader, char *bytes, size_t count,
                               uint64_t body_limit, struct request *request, int *status);

/* The value of the first header of this name (without case), or an empty span with at NULL. */
struct span request_header(const struct request *request, const char *name);
/* The value of a key in the query ("a=1&b=2"; not decoded), or an empty span with at NULL. */
struct span request_query(const struct request *request, const char *key);

#endif
