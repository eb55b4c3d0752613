/* A socket of its own for each talk, never blocking but in poll, which waits in short steps so that
 * a cancel is seen at once. */
#include "net/talk.h"

#include "net/stream.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { STEP_MS = 20, MOST_PLACE_BYTES = 256 };

/* "host:port", "[host]:port", or a path. */
static int read_place(const char *place, struct net_address *out)
{
    char words[MOST_PLACE_BYTES];
    uint64_t port;
    struct span all = span_of(place);
    const char *colon = strrchr(place, ':');
    if (all.bytes + sizeof "unix:" > sizeof words)
        return -EINVAL;
    if (strchr(place, '/')) {
        memcpy(words, "unix:", 5);
        memcpy(words + 5, place, all.bytes + 1);
        return net_address_read(words, 0, out);
    }
    if (!colon || span_uint(span_of(colon + 1), &port) || port == 0 || port > UINT16_MAX)
        return -EINVAL;
    struct span host = {.at = place, .bytes = (size_t)(colon - place)};
    if (host.bytes > 2 && host.at[0] == '[' && host.at[host.bytes - 1] == ']')
        host = (struct span){.at = host.at + 1, .bytes = host.bytes - 2};
    memcpy(words, host.at, host.bytes);
    words[host.bytes] = '\0';
    return net_address_read(words, (uint16_t)port, out);
}

/* Waits until the socket is ready. Returns 0, -ETIMEDOUT or -ECANCELED. */
static int wait_for(int fd, short events, const struct talk *talk, nsec_t until_ns)
{
    struct pollfd ready = {.fd = fd, .events = events};
    for (;;) {
        if (talk->cancel && atomic_load(talk->cancel))
            return -ECANCELED;
        if (clock_monotonic_ns() >= until_ns)
            return -ETIMEDOUT;
        int count = poll(&ready, 1, STEP_MS);
        if (count > 0)
            return 0;
        if (count < 0 && errno != EINTR)
            return -errno;
    }
}

static int connect_to(int fd, const struct net_address *address, const struct talk *talk,
                      nsec_t until_ns)
{
    int error = 0;
    socklen_t bytes = sizeof error;
    if (connect(fd, (const struct sockaddr *)&address->storage, address->bytes) == 0)
        return 0;
    if (errno != EINPROGRESS)
        return -errno; /* EAGAIN: the backlog of a socket file is full */
    int rc = wait_for(fd, POLLOUT, talk, until_ns);
    if (rc == 0 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &bytes) == 0)
        rc = -error;
    return rc;
}

static int say_words(int fd, const struct talk *talk, nsec_t until_ns)
{
    struct span left = talk->words;
    while (left.bytes) {
        ssize_t sent = send(fd, left.at, left.bytes, MSG_NOSIGNAL);
        if (sent > 0)
            left = (struct span){.at = left.at + sent, .bytes = left.bytes - (size_t)sent};
        else if (errno != EAGAIN && errno != EINTR)
            return -errno;
        int rc = left.bytes ? wait_for(fd, POLLOUT, talk, until_ns) : 0;
        if (rc)
            return rc;
    }
    return 0;
}

static int hear_all(int fd, const struct talk *talk, nsec_t until_ns, struct text *heard)
{
    char bytes[16384];
    size_t most = talk->most_bytes ? talk->most_bytes : (size_t)16 << 20;
    for (;;) {
        int rc = wait_for(fd, POLLIN, talk, until_ns);
        if (rc)
            return rc;
        ssize_t count = recv(fd, bytes, sizeof bytes, 0);
        if (count == 0)
            return 0;
        if (count < 0 && errno != EAGAIN && errno != EINTR)
            return -errno;
        if (count > 0 && (size_t)count > most - heard->bytes)
            return -EMSGSIZE;
        if (count > 0)
            text_put(heard, (struct span){.at = bytes, .bytes = (size_t)count});
    }
}

int talk_once(const struct talk *talk, struct text *answer)
{
    struct net_address address;
    struct text heard = TEXT_EMPTY;
    nsec_t until_ns = clock_monotonic_ns();
    until_ns += talk->timeout_ns ? talk->timeout_ns : 5 * NSEC_PER_SEC;
    int rc = read_place(talk->place, &address);
    if (rc)
        return rc;
    int fd = socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    rc = connect_to(fd, &address, talk, until_ns);
    rc = rc ? rc : say_words(fd, talk, until_ns);
    rc = rc ? rc : hear_all(fd, talk, until_ns, &heard);
    close(fd);
    if (rc == 0) {
        text_clear(answer);
        text_put(answer, text_span(&heard));
    }
    text_fini(&heard);
    return rc;
}
