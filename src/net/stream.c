/* Real streams and listeners: non-blocking sockets, registered once, edge-triggered.
 *
 * A short read means the socket was drained (epoll(7)), so that no second read is spent on learning
 * EAGAIN. The time of receipt is the kernel's where it was asked for its stamps, else it is taken
 * right after each read. */
#include "net/stream.h"

#include "net/loop_real.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24
#endif

static void set_option(int fd, int level, int option, int value)
{
    setsockopt(fd, level, option, &value, sizeof value); /* a wish: nothing breaks without it */
}

static void tune(int fd, int family)
{
    if (family != AF_UNIX)
        set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
}

static void fill(struct stream *stream, struct loop *loop, int fd,
                 void (*ready)(struct stream *stream, unsigned what))
{
    *stream = (struct stream){.loop = loop, .fd = fd, .ready = ready};
}

static int bind_source(int fd, const struct net_address *from)
{
    if (!from || from->bytes == 0)
        return 0;
    /* The port is chosen at connect, so that it need only be unique for the whole four-tuple. */
    set_option(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
    return bind(fd, (const struct sockaddr *)&from->storage, from->bytes) ? -errno : 0;
}

int stream_connect(struct stream *stream, struct loop *loop, const struct net_address *to,
                   const struct net_address *from,
                   void (*ready)(struct stream *stream, unsigned what))
{
    int family = to->storage.ss_family;
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    tune(fd, family);
    int error = bind_source(fd, from);
    if (!error && connect(fd, (const struct sockaddr *)&to->storage, to->bytes) &&
        errno != EINPROGRESS)
        error = -errno;
    if (error == -EAGAIN) /* a Unix socket whose backlog is full: it refuses, in TCP's words */
        error = -ECONNREFUSED;
    fill(stream, loop, fd, ready);
    stream->connecting = true;
    if (!error)
        error =
            loop_register(loop, fd, stream, LOOP_STREAM, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
    if (error) {
        close(fd);
        stream->fd = -1;
    }
    return error;
}

int stream_error(struct stream *stream)
{
    int error = 0;
    socklen_t bytes = sizeof error;
    if (stream->fd < 0)
        return -EBADF;
    if (getsockopt(stream->fd, SOL_SOCKET, SO_ERROR, &error, &bytes))
        return -errno;
    return -error;
}

static void dispatch_stream(struct stream *stream, uint32_t events)
{
    unsigned what = 0;
    if (events & (EPOLLERR | EPOLLHUP | EPOLLRDHUP))
        what |= STREAM_CLOSED;
    if (events & EPOLLIN)
        what |= STREAM_READABLE;
    if (stream->connecting) {
        if (events & (EPOLLERR | EPOLLHUP)) {
            what = STREAM_CLOSED;
        } else if (events & EPOLLOUT) {
            stream->connecting = false;
            what |= STREAM_CONNECTED;
        } else {
            return;
        }
    } else if (events & EPOLLOUT) {
        what |= STREAM_WRITABLE;
    }
    stream->ready(stream, what);
}

void stream_dispatch(void *thing, enum loop_kind kind, uint32_t events)
{
    if (kind == LOOP_STREAM) {
        dispatch_stream(thing, events);
    } else {
        struct listener *listener = thing;
        listener->accepted(listener);
    }
}

void stream_stamp(struct stream *stream)
{
    int on = 1;
    if (stream->stamped)
        return;
    stream->stamped = setsockopt(stream->fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) == 0;
}

/* What the monotonic clock showed at an instant of the day's clock, by reading both together: again
 * when something came between the readings. Returns -1 when that instant is not of the last minute:
 * the day's clock was stepped, or there is no stamp. now_ns: the clock now. */
static nsec_t monotonic_of(const struct timespec *stamp, nsec_t *now_ns)
{
    enum { TOGETHER_NS = 2000, TRIES = 4, RECENT_S = 60 };
    struct timespec day;
    nsec_t before_ns = *now_ns;
    for (int tries = 0; tries < TRIES; tries++) {
        clock_gettime(CLOCK_REALTIME, &day);
        *now_ns = clock_monotonic_ns();
        if (*now_ns - before_ns <= TOGETHER_NS)
            break;
        before_ns = *now_ns;
    }
    nsec_t age = (day.tv_sec - stamp->tv_sec) * NSEC_PER_SEC + day.tv_nsec - stamp->tv_nsec;
    return age >= 0 && age <= RECENT_S * NSEC_PER_SEC ? *now_ns - age : -1;
}

static nsec_t stamp_of(struct msghdr *message, nsec_t *now_ns)
{
    struct timespec stamp;
    struct cmsghdr *control = CMSG_FIRSTHDR(message);
    if (!control || control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_TIMESTAMPNS)
        return -1;
    memcpy(&stamp, CMSG_DATA(control), sizeof stamp);
    return monotonic_of(&stamp, now_ns);
}

static ssize_t read_stamped(struct stream *stream, struct iovec room, nsec_t *rx_ns,
                            enum rx_source *source)
{
    union {
        struct cmsghdr aligned;
        char bytes[CMSG_SPACE(sizeof(struct timespec))];
    } control;
    struct msghdr message = {.msg_iov = &room,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof control};
    ssize_t bytes = recvmsg(stream->fd, &message, 0);
    if (bytes < 0)
        return errno == EINTR ? -EAGAIN : -errno;
    *rx_ns = clock_monotonic_ns();
    nsec_t stamp_ns = bytes ? stamp_of(&message, rx_ns) : -1;
    *source = stamp_ns < 0 ? RX_READ : RX_KERNEL;
    if (stamp_ns >= 0)
        *rx_ns = stamp_ns;
    return bytes;
}

ssize_t stream_read(struct stream *stream, void *into, size_t room, nsec_t *rx_ns,
                    enum rx_source *source)
{
    if (stream->stamped)
        return read_stamped(stream, (struct iovec){into, room}, rx_ns, source);
    ssize_t bytes = read(stream->fd, into, room);
    if (bytes < 0)
        return errno == EINTR ? -EAGAIN : -errno;
    *rx_ns = clock_monotonic_ns();
    *source = RX_READ;
    return bytes;
}

ssize_t stream_write(struct stream *stream, const void *from, size_t bytes)
{
    ssize_t written = send(stream->fd, from, bytes, MSG_NOSIGNAL);
    return written < 0 ? -errno : written;
}

bool stream_is_stale(struct stream *stream)
{
    char byte;
    ssize_t bytes = recv(stream->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return bytes >= 0 || (errno != EAGAIN && errno != EINTR);
}

void stream_close(struct stream *stream, bool reset)
{
    if (stream->fd < 0)
        return;
    loop_forget(stream->loop, stream);
    if (reset) {
        struct linger now = {.l_onoff = 1, .l_linger = 0};
        setsockopt(stream->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    }
    close(stream->fd);
    stream->fd = -1;
}

int listener_open(struct listener *listener, struct loop *loop, const struct net_address *at,
                  int backlog, bool share, void (*accepted)(struct listener *listener))
{
    int fd = socket(at->storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (share)
        set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
    *listener = (struct listener){.loop = loop, .fd = fd, .accepted = accepted};
    int error = 0;
    if (bind(fd, (const struct sockaddr *)&at->storage, at->bytes) || listen(fd, backlog))
        error = -errno;
    if (!error)
        error = loop_register(loop, fd, listener, LOOP_LISTENER, EPOLLIN);
    if (error)
        listener_close(listener);
    return error;
}

int listener_accept(struct listener *listener, struct stream *stream,
                    void (*ready)(struct stream *stream, unsigned what))
{
    struct sockaddr_storage from = {.ss_family = AF_UNSPEC};
    socklen_t bytes = sizeof from;
    int fd = accept4(listener->fd, (struct sockaddr *)&from, &bytes, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
        return errno == ECONNABORTED || errno == EINTR ? -EAGAIN : -errno;
    tune(fd, from.ss_family);
    fill(stream, listener->loop, fd, ready);
    int error = loop_register(listener->loop, fd, stream, LOOP_STREAM,
                              EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
    if (error) {
        close(fd);
        stream->fd = -1;
    }
    return error;
}

void listener_address(const struct listener *listener, struct net_address *out)
{
    out->bytes = sizeof out->storage;
    if (getsockname(listener->fd, (struct sockaddr *)&out->storage, &out->bytes))
        out->bytes = 0;
}

void listener_close(struct listener *listener)
{
    if (listener->fd < 0)
        return;
    loop_forget(listener->loop, listener);
    close(listener->fd);
    listener->fd = -1;
}
