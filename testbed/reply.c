/* The HTTP writer of the testbed; see reply.h. */
#include "testbed/reply.h"

#include "base/check.h"

static const char *phrase(int status)
{
    static const struct {
        int status;
        const char *phrase;
    } rows[] = {
        {200, "OK"},
        {201, "Created"},
        {204, "No Content"},
        {301, "Moved Permanently"},
        {302, "Found"},
        {304, "Not Modified"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {408, "Request Timeout"},
        {413, "Content Too Large"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
        {505, "HTTP Version Not Supported"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].status == status)
            return rows[i].phrase;
    }
    return "Status";
}

void reply_begin(struct connection *connection, int status, const char *type)
{
    struct text *out = &connection->out;
    connection->status = status;
    connection->reply_at = out->bytes;
    if (status == 200) {
        text_put(out, SPAN("HTTP/1.1 200 OK\r\nServer: plimsoll-testbed\r\n"));
    } else {
        text_put(out, SPAN("HTTP/1.1 "));
        text_put_uint(out, (uint64_t)status);
        text_putc(out, ' ');
        text_puts(out, phrase(status));
        text_put(out, SPAN("\r\nServer: plimsoll-testbed\r\n"));
    }
    if (type)
        reply_line(connection, "Content-Type", span_of(type));
}

void reply_line(struct connection *connection, const char *name, struct span value)
{
    struct text *out = &connection->out;
    text_puts(out, name);
    text_put(out, SPAN(": "));
    text_put(out, value);
    text_put(out, SPAN("\r\n"));
}

/* Ends the head. HTTP/1.0 clients are told when the connection stays open, all others when it does
 * not; --close-after lies about it, as some servers do. */
static void end_head(struct connection *connection)
{
    struct text *out = &connection->out;
    if (!connection->keep_alive)
        text_put(out, SPAN("Connection: close\r\n"));
    else if (connection->minor_zero || connection->testbed->options.fault.close_after)
        text_put(out, SPAN("Connection: keep-alive\r\n"));
    text_put(out, SPAN("\r\n"));
    connection->body_at = out->bytes;
}

void reply_end(struct connection *connection, struct span body)
{
    struct text *out = &connection->out;
    bool bodiless = connection->status == 204 || connection->status == 304;
    if (!bodiless) {
        text_put(out, SPAN("Content-Length: "));
        text_put_uint(out, body.bytes);
        text_put(out, SPAN("\r\n"));
    }
    end_head(connection);
    if (!bodiless && !connection->head_only)
        text_put(out, body);
    connection_replied(connection, false);
}

void reply_send(struct connection *connection, int status, const char *type, struct span body)
{
    reply_begin(connection, status, type);
    reply_end(connection, body);
}

void reply_error_body(struct text *out, int status, const char *message)
{
    const char *type = status == 429   ? "rate_limit_error"
                       : status == 401 ? "authentication_error"
                       : status < 500  ? "invalid_request_error"
                                       : "server_error";
    text_puts(out, "{\"error\":{\"message\":");
    reply_json_string(out, span_of(message));
    text_printf(out, ",\"type\":\"%s\",\"code\":%d}}", type, status);
}

void reply_error(struct connection *connection, int status, const char *message)
{
    struct text body = TEXT_EMPTY;
    reply_error_body(&body, status, message);
    reply_begin(connection, status, TYPE_JSON);
    if (status == 429 || status == 503)
        reply_line(connection, "Retry-After", SPAN("1"));
    if (status == 401)
        reply_line(connection, "WWW-Authenticate", SPAN("Bearer"));
    reply_end(connection, text_span(&body));
    text_fini(&body);
}

void reply_stream(struct connection *connection)
{
    if (connection->minor_zero)
        connection->keep_alive = false;
    else
        reply_line(connection, "Transfer-Encoding", SPAN("chunked"));
    end_head(connection);
}

static void put_hex(struct text *out, size_t number)
{
    char digits[16];
    size_t first = sizeof digits;
    do {
        digits[--first] = "0123456789abcdef"[number & 15];
        number >>= 4;
    } while (number);
    text_put(out, (struct span){.at = digits + first, .bytes = sizeof digits - first});
}

void reply_piece(struct connection *connection, struct span piece)
{
    struct text *out = &connection->out;
    check(piece.bytes > 0);
    if (!connection->minor_zero) {
        put_hex(out, piece.bytes);
        text_put(out, SPAN("\r\n"));
    }
    text_put(out, piece);
    if (!connection->minor_zero)
        text_put(out, SPAN("\r\n"));
}

void reply_stream_end(struct connection *connection)
{
    if (!connection->minor_zero)
        text_put(&connection->out, SPAN("0\r\n\r\n"));
    connection_replied(connection, true);
}

void reply_json_string(struct text *out, struct span text)
{
    text_putc(out, '"');
    for (size_t i = 0; i < text.bytes; i++) {
        unsigned char byte = (unsigned char)text.at[i];
        if (byte == '"' || byte == '\\') {
            text_putc(out, '\\');
            text_putc(out, (char)byte);
        } else if (byte < ' ') {
            text_printf(out, "\\u%04x", byte);
        } else {
            text_putc(out, (char)byte);
        }
    }
    text_putc(out, '"');
}
