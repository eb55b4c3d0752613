/* A blocking client of a few lines: HTTP/1.0, so that the page ends with the connection; see
 * fetch.h. */
#include "testbed/fetch.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static bool take_prefix(struct span *url, struct span prefix)
{
    if (!span_begins(*url, prefix))
        return false;
    url->at += prefix.bytes;
    url->bytes -= prefix.bytes;
    return true;
}

/* Splits a URL into a port of this server and a path; false: it leads elsewhere. */
static bool read_url(const struct toolbox *toolbox, struct span url, uint16_t *port,
                     struct span *path)
{
    uint64_t asked = toolbox->port_count ? toolbox->ports[0] : 0;
    for (size_t i = 0; i < url.bytes; i++) {
        if ((unsigned char)url.at[i] <= ' ')
            return false;
    }
    if (url.bytes && url.at[0] != '/') {
        if (!take_prefix(&url, SPAN("http://127.0.0.1:")) &&
            !take_prefix(&url, SPAN("http://localhost:")))
            return false;
        const char *slash = memchr(url.at, '/', url.bytes);
        size_t digits = slash ? (size_t)(slash - url.at) : url.bytes;
        if (span_uint((struct span){.at = url.at, .bytes = digits}, &asked))
            return false;
        url.at += digits;
        url.bytes -= digits;
    }
    *path = url.bytes ? url : SPAN("/");
    for (uint64_t i = 0; i < toolbox->port_count; i++) {
        if (toolbox->ports[i] == asked) {
            *port = toolbox->ports[i];
            return true;
        }
    }
    return false;
}

static int talk(int fd, struct span request, size_t most_bytes, struct text *reply)
{
    char bytes[8192];
    size_t sent = 0;
    while (sent < request.bytes) {
        ssize_t count = send(fd, request.at + sent, request.bytes - sent, MSG_NOSIGNAL);
        if (count < 0 && errno != EINTR)
            return -errno;
        sent += count > 0 ? (size_t)count : 0;
    }
    for (;;) {
        ssize_t count = recv(fd, bytes, sizeof bytes, 0);
        if (count == 0 || reply->bytes >= most_bytes)
            return 0;
        if (count < 0 && errno != EINTR)
            return errno == EAGAIN ? -ETIMEDOUT : -errno;
        if (count > 0)
            text_put(reply, (struct span){.at = bytes, .bytes = (size_t)count});
    }
}

static int ask(uint16_t port, struct span request, size_t most_bytes, struct text *reply)
{
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval patience = {.tv_sec = FETCH_SECONDS};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    int error = connect(fd, (const struct sockaddr *)&to, sizeof to) ? -errno : 0;
    if (error == 0)
        error = talk(fd, request, most_bytes, reply);
    close(fd);
    return error;
}

int fetch_page(const struct toolbox *toolbox, struct span url, size_t most_bytes, struct text *body)
{
    struct text request = TEXT_EMPTY, reply = TEXT_EMPTY;
    struct span path;
    uint16_t port;
    if (!read_url(toolbox, url, &port, &path))
        return FETCH_ELSEWHERE;
    text_puts(&request, "GET ");
    text_put(&request, path);
    text_puts(&request, " HTTP/1.0\r\nHost: localhost\r\n");
    if (toolbox->token)
        text_printf(&request, "Authorization: Bearer %s\r\n", toolbox->token);
    text_puts(&request, "\r\n");
    int error = ask(port, text_span(&request), most_bytes, &reply);
    if (error == 0) {
        const char *end = reply.bytes ? strstr(reply.at, "\r\n\r\n") : NULL;
        if (!end || strncmp(reply.at, "HTTP/1.1 200", 12) != 0)
            error = FETCH_STATUS;
        else
            text_put(body, (struct span){.at = end + 4,
                                         .bytes = reply.bytes - (size_t)(end + 4 - reply.at)});
    }
    text_fini(&request);
    text_fini(&reply);
    return error;
}
