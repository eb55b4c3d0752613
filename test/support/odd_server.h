/* support/odd_server.h - a server of one thread for tests of clients: each connection is given to a
 * function that behaves as the test wants (well, late, endlessly, or like nonsense). */
#ifndef SUPPORT_ODD_SERVER_H
#define SUPPORT_ODD_SERVER_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct odd_server {
    int listener;
    unsigned short port;
    char url[64];
    atomic_bool over;
    atomic_int connections;
    char asked[8192]; /* the last request's head */
    void (*behave)(struct odd_server *server, int fd);
    const char *reply; /* for odd_reply: the whole answer */
    pthread_t thread;
};

/* Sends it all, or gives up when the other end is gone. */
static inline bool odd_send(int fd, const char *bytes, size_t count)
{
    while (count) {
        ssize_t sent = send(fd, bytes, count, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        bytes += sent;
        count -= (size_t)sent;
    }
    return true;
}

/* Reads a request's head into server->asked. Returns false when the client has closed. */
static inline bool odd_hear(struct odd_server *server, int fd)
{
    size_t have = 0;
    char asked[sizeof server->asked];
    while (have + 1 < sizeof asked) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        if (atomic_load(&server->over))
            return false;
        if (poll(&ready, 1, 20) <= 0)
            continue;
        ssize_t count = recv(fd, asked + have, sizeof asked - 1 - have, 0);
        if (count <= 0)
            return false;
        have += (size_t)count;
        asked[have] = '\0';
        if (strstr(asked, "\r\n\r\n")) {
            memcpy(server->asked, asked, have + 1);
            return true;
        }
    }
    return false;
}

/* Sleeps for a while, or until the server is to end. */
static inline void odd_sleep(struct odd_server *server, int ms)
{
    for (int i = 0; i < ms && !atomic_load(&server->over); i += 10)
        poll(NULL, 0, 10);
}

/* ---- behaviours -------------------------------------------------------------------------------
 */

static inline void odd_reply(struct odd_server *server, int fd)
{
    while (odd_hear(server, fd))
        if (!odd_send(fd, server->reply, strlen(server->reply)))
            return;
}

static inline void odd_hang(struct odd_server *server, int fd)
{
    if (odd_hear(server, fd))
        odd_sleep(server, 60000);
}

static inline void odd_dribble(struct odd_server *server, int fd)
{
    static const char head[] = "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n";
    if (!odd_hear(server, fd) || !odd_send(fd, head, sizeof head - 1))
        return;
    while (!atomic_load(&server->over) && odd_send(fd, "#", 1))
        odd_sleep(server, 20);
}

static inline void odd_flood(struct odd_server *server, int fd)
{
    static const char head[] = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n";
    char block[65536];
    memset(block, 'x', sizeof block);
    if (!odd_hear(server, fd) || !odd_send(fd, head, sizeof head - 1))
        return;
    for (int i = 0; i < 1600 && odd_send(fd, block, sizeof block); i++)
        ;
}

static inline void odd_garbage(struct odd_server *server, int fd)
{
    static const char nonsense[] = "\x01\x02\xff nonsense \n\n";
    if (odd_hear(server, fd))
        odd_send(fd, nonsense, sizeof nonsense - 1);
}

static inline void odd_endless_head(struct odd_server *server, int fd)
{
    if (!odd_hear(server, fd) || !odd_send(fd, "HTTP/1.1 200 OK\r\n", 17))
        return;
    while (!atomic_load(&server->over) && odd_send(fd, "X-More: and more and more\r\n", 27))
        ;
}

static inline void odd_cut(struct odd_server *server, int fd)
{
    static const char part[] = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf";
    if (odd_hear(server, fd))
        odd_send(fd, part, sizeof part - 1);
}

/* ---- life -------------------------------------------------------------------------------------
 */

static inline void *odd_serve(void *self)
{
    struct odd_server *server = self;
    while (!atomic_load(&server->over)) {
        struct pollfd ready = {.fd = server->listener, .events = POLLIN};
        if (poll(&ready, 1, 10) <= 0)
            continue;
        int fd = accept(server->listener, NULL, NULL);
        if (fd < 0)
            continue;
        atomic_fetch_add(&server->connections, 1);
        server->behave(server, fd);
        close(fd);
    }
    return NULL;
}

/* Listens on a free port of 127.0.0.1. */
static inline void odd_start(struct odd_server *server,
                             void (*behave)(struct odd_server *server, int fd), const char *reply)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t bytes = sizeof name;
    memset(server, 0, sizeof *server);
    server->behave = behave;
    server->reply = reply;
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(server->listener, (struct sockaddr *)&name, sizeof name) ||
        listen(server->listener, 16) ||
        getsockname(server->listener, (struct sockaddr *)&name, &bytes))
        abort();
    server->port = ntohs(name.sin_port);
    snprintf(server->url, sizeof server->url, "http://127.0.0.1:%u/metrics", server->port);
    if (pthread_create(&server->thread, NULL, odd_serve, server))
        abort();
}

/* The same on a socket file. */
static inline void odd_start_unix(struct odd_server *server, const char *path, const char *reply)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    memset(server, 0, sizeof *server);
    memcpy(name.sun_path, path, strlen(path) + 1);
    server->behave = odd_reply;
    server->reply = reply;
    server->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    unlink(path);
    if (bind(server->listener, (struct sockaddr *)&name, sizeof name) ||
        listen(server->listener, 16) || pthread_create(&server->thread, NULL, odd_serve, server))
        abort();
}

static inline void odd_stop(struct odd_server *server)
{
    atomic_store(&server->over, true);
    pthread_join(server->thread, NULL);
    close(server->listener);
}

#endif
