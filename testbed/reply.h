/* testbed/reply.h - writes HTTP replies into a connection's output. */
#ifndef TESTBED_REPLY_H
#define TESTBED_REPLY_H

#include "testbed/connection.h"

#define TYPE_JSON  "application/json"
#define TYPE_TEXT  "text/plain; charset=utf-8"
#define TYPE_BYTES "application/octet-stream"

/* Begins a reply: status line and the headers that all have. type NULL: no Content-Type. */
void reply_begin(struct connection *connection, int status, const char *type);
/* One more header. */
void reply_line(struct connection *connection, const char *name, struct span value);
/* Ends the head and puts the body: the reply is whole. */
void reply_end(struct connection *connection, struct span body);
/* All three. */
void reply_send(struct connection *connection, int status, const char *type, struct span body);
/* Appends an error in OpenAI's form: {"error":{"message":...,"type":...,"code":...}}. */
void reply_error_body(struct text *out, int status, const char *message);
/* Replies with one. */
void reply_error(struct connection *connection, int status, const char *message);

/* Ends the head of a reply whose length is not known: chunked, or until the end of the connection
 * for HTTP/1.0. */
void reply_stream(struct connection *connection);
/* A piece of it. */
void reply_piece(struct connection *connection, struct span piece);
/* Its end. */
void reply_stream_end(struct connection *connection);

/* Appends a JSON string with its quotes; text is UTF-8 as given. */
void reply_json_string(struct text *out, struct span text);

#endif
