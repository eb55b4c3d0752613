/* wire/http1.h - HTTP/1.1 requests to bytes, and bytes to responses.
 *
 * Reading is llhttp's; around it are the rules that a client needs: whether the reply has a body
 * (HEAD, 1xx, 204, 304), interim 1xx replies are passed over, the head is handed over whole and
 * raw, whether the connection may be kept, and limits on everything.
 *
 *   Cost     reading a small reply about 0.3 us; no allocation while a head fits the bytes fed at
 *            once
 *   Limits   head HTTP1_MOST_HEAD_BYTES, interim heads before it included; body by the caller
 *   Source   RFC 9112 (framing: section 6.3), RFC 9110 (methods, status codes, fields)
 *
 * How strict it is. A line of the head may end with a bare LF (RFC 9112, 2.2 allows it), a line of
 * the chunk framing may not; control characters in a header's value pass, as they do in curl.
 * Transfer-Encoding beside Content-Length wins, as in curl and browsers, but the connection is not
 * kept. Content-Length twice is not HTTP, also when both agree. 101 is refused, because nobody
 * asked for it. llhttp 8.1 refuses a chunk extension behind one with a value ("5;a=b;c") and blanks
 * around a chunk's size. Bytes after the end of a response are the caller's: `used` says where it
 * ended. */
#ifndef WIRE_HTTP1_H
#define WIRE_HTTP1_H

#include "base/text.h"

#include <llhttp.h>
#include <stdbool.h>
#include <stdint.h>

enum { HTTP1_MOST_HEAD_BYTES = 64 * 1024 };

struct http1_request {
    struct span method; /* "GET" */
    struct span path; /* "/v1/models?x=1", origin form; percent-encoded by its maker; empty: "/" */
    struct span host; /* "example.org:8080", for the Host line */
    struct span headers; /* raw lines, "Name: value\r\n" each; or empty */
    struct span body;    /* or empty */
    bool has_body;       /* send Content-Length even when the body is empty (POST, PUT, PATCH) */
};

/* Appends the request's bytes: request line, Host, the given lines, Content-Length, blank line,
 * body. */
void http1_write_request(const struct http1_request *request, struct text *out);

/* Whether a header line may be sent: a token for a name, no CR, LF or NUL in the value. */
bool http1_header_ok(struct span name, struct span value);

/* Takes the first line off raw head lines (as the `head` event has them); name and value point into
 * them, the value without blanks at its ends. A folded line belongs to the value that it goes on.
 * Returns false, writing nothing, when no line is left. */
bool http1_head_next(struct span *lines, struct span *name, struct span *value);

/* The value of the first line of this name, letters compared without case. Returns false, writing
 * nothing, when there is none. */
bool http1_head_find(struct span lines, struct span name, struct span *value);

struct http1_reader;

/* What a response tells. The reader must outlive the call that feeds it; only from `end` may it be
 * readied for the next response or given up, since `end` is the last thing a feed does. */
struct http1_events {
    /* The final status and the raw header lines, without the status line and the blank line; spans
     * are valid during the call only. */
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
    struct text head_kept; /* the part of a head that came in earlier feeds */
    uint32_t head_bytes;   /* bytes of heads so far, interim ones included */
    int failed;            /* 0, or what every later feed returns */
    bool head_request;     /* the request was HEAD: no body follows */
    bool wants_head;
    bool started, in_head, ended, keep, stopped;
    unsigned char first; /* first byte of the response: tells TLS from HTTP in words */
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
 * given only when the response ended within them, or on an error). Returns HTTP1_MORE (feed on),
 * HTTP1_DONE (the response is complete), or -EBADMSG (not HTTP; http1_reader_why says what),
 * -EMSGSIZE (head too long), -ECANCELED (http1_reader_stop). */
int http1_reader_feed(struct http1_reader *reader, struct span bytes, size_t *used);

/* From within `head` or `body`: no event comes after this, and the feed returns -ECANCELED. */
void http1_reader_stop(struct http1_reader *reader);

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
