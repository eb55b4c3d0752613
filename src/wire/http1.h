/* wire/http1.h - HTTP/1.1 requests to bytes, and bytes to responses.
 *
 * Reading is llhttp's; around it are the rules that a client needs: whether the reply has a body
 * (HEAD, 1xx, 204, 304), interim 1xx replies are passed over, the head is handed over whole and
 * raw, whether the connection may be kept, and limits on everything.
 *
 *   Cost     reading a small reply about 0.3 us; no allocation while a head fits the bytes fed at
 * once Limits   head HTTP1_MOST_HEAD_BYTES; body by the caller */
#ifndef WIRE_HTTP1_H
#define WIRE_HTTP1_H

#include "base/text.h"

#include <llhttp.h>
#include <stdbool.h>
#include <stdint.h>

enum { HTTP1_MOST_HEAD_BYTES = 64 * 1024 };

struct http1_request {
    struct span method;  /* "GET" */
    struct span path;    /* "/v1/models?x=1", origin form; percent-encoded by its maker */
    struct span host;    /* "example.org:8080", for the Host line */
    struct span headers; /* raw lines, "Name: value\r\n" each; or empty */
    struct span body;    /* or empty */
    bool has_body;       /* send Content-Length even when the body is empty (POST, PUT, PATCH) */
};

/* Appends the request's bytes: request line, Host, the given lines, Content-Length, blank line,
 * body. */
void http1_write_request(const struct http1_request *request, struct text *out);

/* Whether a header line may be sent: a token for a name, no CR, LF or NUL in the value. */
bool http1_header_ok(struct span name, struct span value);

struct http1_reader;

struct http1_events {
    /* The final status and the raw head lines; spans are valid during the call only. */
    void (*head)(void *self, int status, struct span head);
    /* Bytes of the body, de-chunked, in order. */
    void (*body)(void *self, struct span bytes);
    /* The message is complete. */
    void (*end)(void *self);
};

/* A reader of one response after the other on one connection. Small and open, so that it can live
 * inside a connection; the fields are private. */
struct http1_reader {
    llhttp_t parser;
    const struct http1_events *events;
    void *self;
    const char *head_at;   /* start of the head within the bytes being fed, or NULL */
    struct text head_kept; /* the part of a head that came in earlier feeds */
    uint64_t head_bytes;
    bool head_request; /* the request was HEAD: no body follows */
    bool wants_head;
    bool started, ended, keep, interim;
    const char *why;
};

/* Readies a reader for the connection's first response. */
void http1_reader_init(struct http1_reader *reader);
/* Frees what it kept. */
void http1_reader_fini(struct http1_reader *reader);

/* Readies it for the response to the next request. wants_head: whether `head` must carry the lines
 * (else its span is empty, which saves copying). */
void http1_reader_expect(struct http1_reader *reader, const struct http1_events *events, void *self,
                         bool head_request, bool wants_head);

enum { HTTP1_MORE = 1, HTTP1_DONE = 2 };

/* Feeds bytes as they came; calls back for what they complete. used: bytes consumed (fewer than
 * given only when the response ended within them). Returns HTTP1_MORE (feed on), HTTP1_DONE (the
 * response is complete), or -EBADMSG (not HTTP; http1_reader_why says what), -EMSGSIZE (head too
 * long). */
int http1_reader_feed(struct http1_reader *reader, struct span bytes, size_t *used);

/* Says that the stream ended. Returns HTTP1_DONE (a body that runs to the end of the stream is
 * complete), or -ECONNRESET when the reply was cut off, or had not begun. */
int http1_reader_finish(struct http1_reader *reader);

/* After HTTP1_DONE: whether the connection may carry another request. */
bool http1_reader_keeps(const struct http1_reader *reader);
/* Whether any byte of the response has come. */
bool http1_reader_started(const struct http1_reader *reader);
/* Why feeding failed, in words. */
const char *http1_reader_why(const struct http1_reader *reader);

#endif
