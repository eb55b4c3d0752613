/* What the floors share: a connection to a loopback port, and one request by hand to learn how many
 * bytes a reply has. A floor knows its server: every reply is as long as the first one.
 *
 * The floors use nothing of Plimsoll, so that nothing that is slow here can be slow on both sides.
 */
#ifndef FLOOR_H
#define FLOOR_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { FLOOR_EVENTS = 512, FLOOR_READ_BYTES = 65536, FLOOR_SECOND_NS = 1000000000 };

struct floor_target {
    uint16_t port;
    char request[256];
    size_t request_bytes, reply_bytes;
};

static inline _Noreturn void floor_fail(const char *what)
{
    fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
    exit(EXIT_FAILURE);
}

static inline int64_t floor_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * FLOOR_SECOND_NS + now.tv_nsec;
}

static inline int floor_connect(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address))
        floor_fail("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

static inline void floor_send(const struct floor_target *target, int fd)
{
    if (write(fd, target->request, target->request_bytes) != (ssize_t)target->request_bytes)
        floor_fail("write");
}

/* Sends one request and waits until the reply has paused for 50 ms: that is its length. */
static inline void floor_learn(struct floor_target *target, uint16_t port)
{
    int written = snprintf(target->request, sizeof target->request,
                           "GET / HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n\r\n", (unsigned)port);
    target->port = port;
    target->request_bytes = (size_t)written;
    int fd = floor_connect(port);
    floor_send(target, fd);
    struct timespec pause = {.tv_nsec = 50000000};
    nanosleep(&pause, NULL);
    char reply[FLOOR_READ_BYTES];
    ssize_t got = read(fd, reply, sizeof reply);
    if (got < 12 || memcmp(reply + 9, "200", 3) != 0)
        floor_fail("the first reply is not a 200");
    target->reply_bytes = (size_t)got;
    close(fd);
}

/* Opens the connections and has each of them watched, by its number. Owner: caller, free(). */
static inline int *floor_open_all(uint16_t port, size_t count, int epoll)
{
    int *fds = malloc(count * sizeof *fds);
    for (size_t i = 0; fds && i < count; i++) {
        struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.u32 = (uint32_t)i};
        fds[i] = floor_connect(port);
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, fds[i], &event))
            floor_fail("epoll_ctl");
    }
    return fds;
}

/* Reads what there is of a reply. Returns whether it is whole now. */
static inline int floor_receive(const struct floor_target *target, int fd, size_t *have)
{
    static char bytes[FLOOR_READ_BYTES]; /* what is read is not looked at */
    ssize_t got = read(fd, bytes, sizeof bytes);
    if (got == 0 || (got < 0 && errno != EAGAIN))
        floor_fail("read");
    *have += got > 0 ? (size_t)got : 0;
    if (*have < target->reply_bytes)
        return 0;
    *have = 0;
    return 1;
}

#endif
