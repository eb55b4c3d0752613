/* One loop, one listener, and connections that look for the blank line that ends a request. It is
 * no HTTP server: bodies are not understood, since the self-test sends none. */
#include "app/null_server.h"

#include "base/list.h"
#include "base/memory.h"
#include "base/text.h"
#include "net/loop.h"
#include "net/stream.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { READ_BYTES = 16 * 1024, BACKLOG = 4096, END_BYTES = 4 };

static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

struct null_server {
    pthread_t thread;
    struct loop *loop;
    struct listener listener;
    struct list connections;
    atomic_bool stop;
    char bytes[READ_BYTES];
};

struct connection {
    struct stream stream;
    struct list node;
    struct null_server *server;
    size_t matched;       /* how much of the blank line the last bytes were */
    uint64_t answers;     /* owed */
    size_t answered_part; /* bytes of the answer under way that are written */
};

static void end(struct connection *connection)
{
    stream_close(&connection->stream, false);
    list_remove(&connection->node);
    free(connection);
}

/* How many requests end within the bytes. */
static uint64_t count_requests(struct connection *connection, const char *bytes, size_t count)
{
    static const char blank[END_BYTES + 1] = "\r\n\r\n";
    uint64_t requests = 0;
    for (size_t i = 0; i < count; i++) {
        if (bytes[i] == blank[connection->matched])
            connection->matched++;
        else
            connection->matched = bytes[i] == '\r';
        if (connection->matched == END_BYTES) {
            requests++;
            connection->matched = 0;
        }
    }
    return requests;
}

/* Writes what is owed. False when the connection broke. */
static bool pay(struct connection *connection)
{
    const size_t length = sizeof answer - 1;
    while (connection->answers) {
        size_t left = length - connection->answered_part;
        ssize_t written =
            stream_write(&connection->stream, answer + connection->answered_part, left);
        if (written == -EAGAIN)
            return true;
        if (written < 0)
            return false;
        connection->answered_part += (size_t)written;
        if (connection->answered_part < length)
            continue;
        connection->answered_part = 0;
        connection->answers--;
    }
    return true;
}

static void on_ready(struct stream *stream, unsigned what)
{
    struct connection *connection = (struct connection *)(void *)stream;
    struct null_server *server = connection->server;
    bool open = !(what & STREAM_WRITABLE) || pay(connection);
    while (open && (what & (STREAM_READABLE | STREAM_CLOSED))) {
        nsec_t rx_ns;
        enum rx_source source;
        ssize_t bytes = stream_read(stream, server->bytes, sizeof server->bytes, &rx_ns, &source);
        if (bytes == -EAGAIN)
            break;
        open = bytes > 0;
        if (!open)
            break;
        connection->answers += count_requests(connection, server->bytes, (size_t)bytes);
        open = pay(connection);
        if ((size_t)bytes < sizeof server->bytes && !(what & STREAM_CLOSED))
            break;
    }
    if (!open)
        end(connection);
}

static void on_accepted(struct listener *listener)
{
    struct null_server *server = list_entry(listener, struct null_server, listener);
    for (;;) {
        struct connection *connection = memory_new(1, sizeof *connection);
        connection->server = server;
        list_init(&connection->node);
        if (listener_accept(listener, &connection->stream, on_ready) != 0) {
            free(connection);
            return;
        }
        list_append(&server->connections, &connection->node);
    }
}

static void *serve(void *self)
{
    struct null_server *server = self;
    pthread_setname_np(pthread_self(), "null-server");
    while (!atomic_load(&server->stop))
        loop_turn(server->loop, NSEC_NEVER);
    return NULL;
}

int null_server_start(struct null_server **out, uint16_t *port)
{
    struct null_server *server = memory_new(1, sizeof *server);
    struct net_address at;
    list_init(&server->connections);
    int error = loop_new(&server->loop);
    if (error == 0)
        error = net_address_read("127.0.0.1", 0, &at);
    if (error == 0)
        error = listener_open(&server->listener, server->loop, &at, BACKLOG, false, on_accepted);
    if (error) {
        loop_free(server->loop);
        free(server);
        return error;
    }
    listener_address(&server->listener, &at);
    *port = ntohs(((struct sockaddr_in *)(void *)&at.storage)->sin_port);
    error = -pthread_create(&server->thread, NULL, serve, server);
    if (error) {
        listener_close(&server->listener);
        loop_free(server->loop);
        free(server);
        return error;
    }
    *out = server;
    return 0;
}

struct null_server *null_server_stop(struct null_server *server)
{
    if (!server)
        return NULL;
    atomic_store(&server->stop, true);
    loop_wake(server->loop);
    pthread_join(server->thread, NULL);
    while (!list_empty(&server->connections))
        end(list_entry(server->connections.next, struct connection, node));
    listener_close(&server->listener);
    loop_free(server->loop);
    free(server);
    return NULL;
}
