/* host/sockets.c - dumps of inet_diag: one request for each address family, an answer of many
 * messages (sock_diag(7)). */
#include "host/sockets.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { ANSWER_BYTES = 32 << 10, WAIT_S = 1 };

struct request {
    struct nlmsghdr head;
    struct inet_diag_req_v2 body;
};

/* What is done with each socket. */
struct visitor {
    void (*take)(struct visitor *visitor, const struct inet_diag_msg *socket);
    uint64_t *counts; /* by state */
    uint16_t port;
    uint64_t *inodes;
    int count, most;
};

const char *socket_state_word(enum socket_state state)
{
    static const char *const words[SOCKET_STATES] = {[SOCKET_ESTABLISHED] = "established",
                                                     [SOCKET_SYN_SENT] = "syn-sent",
                                                     [SOCKET_SYN_RECEIVED] = "syn-recv",
                                                     [SOCKET_FIN_WAIT_1] = "fin-wait-1",
                                                     [SOCKET_FIN_WAIT_2] = "fin-wait-2",
                                                     [SOCKET_TIME_WAIT] = "time-wait",
                                                     [SOCKET_CLOSE] = "close",
                                                     [SOCKET_CLOSE_WAIT] = "close-wait",
                                                     [SOCKET_LAST_ACK] = "last-ack",
                                                     [SOCKET_LISTEN] = "listen",
                                                     [SOCKET_CLOSING] = "closing"};
    return state > 0 && state < SOCKET_STATES ? words[state] : "unknown";
}

static int ask(int netlink, uint8_t family, uint32_t states)
{
    struct request request = {
        .head = {.nlmsg_len = sizeof request,
                 .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                 .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
        .body = {.sdiag_family = family, .sdiag_protocol = IPPROTO_TCP, .idiag_states = states}};
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    ssize_t sent = sendto(netlink, &request, sizeof request, 0, (const struct sockaddr *)&kernel,
                          sizeof kernel);
    return sent < 0 ? -errno : 0;
}

/* One datagram of the answer. Returns 1 while there is more, 0 at the end, -errno. */
static int take_answer(struct visitor *visitor, const char *bytes, size_t length)
{
    while (length >= sizeof(struct nlmsghdr)) {
        struct nlmsghdr head;
        memcpy(&head, bytes, sizeof head);
        if (head.nlmsg_len < sizeof head || head.nlmsg_len > length)
            return -EBADMSG;
        if (head.nlmsg_type == NLMSG_DONE)
            return 0;
        if (head.nlmsg_type == NLMSG_ERROR) {
            struct nlmsgerr error = {.error = -EBADMSG};
            if (head.nlmsg_len >= NLMSG_HDRLEN + sizeof error)
                memcpy(&error, bytes + NLMSG_HDRLEN, sizeof error);
            return error.error ? error.error : -EBADMSG;
        }
        struct inet_diag_msg socket;
        if (head.nlmsg_len >= NLMSG_HDRLEN + sizeof socket) {
            memcpy(&socket, bytes + NLMSG_HDRLEN, sizeof socket);
            visitor->take(visitor, &socket);
        }
        size_t step = NLMSG_ALIGN((size_t)head.nlmsg_len);
        if (step >= length)
            break;
        bytes += step;
        length -= step;
    }
    return 1;
}

static int visit(uint32_t states, struct visitor *visitor)
{
    static const uint8_t families[] = {AF_INET, AF_INET6};
    _Alignas(struct nlmsghdr) char answer[ANSWER_BYTES];
    int netlink = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    if (netlink < 0)
        return -errno;
    struct timeval wait = {.tv_sec = WAIT_S};
    setsockopt(netlink, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    int rc = 0;
    for (int i = 0; i < 2 && rc == 0; i++) {
        rc = ask(netlink, families[i], states);
        int more = rc == 0;
        while (more > 0) {
            ssize_t got = recv(netlink, answer, sizeof answer, 0);
            if (got < 0 && errno == EINTR)
                continue;
            more = got < 0 ? -errno : take_answer(visitor, answer, (size_t)got);
        }
        if (more < 0 && !(i > 0 && more == -ENOENT)) /* a kernel may lack IPv6 */
            rc = more;
    }
    close(netlink);
    return rc;
}

static void count_one(struct visitor *visitor, const struct inet_diag_msg *socket)
{
    if (socket->idiag_state < SOCKET_STATES)
        visitor->counts[socket->idiag_state]++;
}

int sockets_count(uint32_t states, uint64_t counts[SOCKET_STATES])
{
    uint64_t found[SOCKET_STATES] = {0};
    struct visitor visitor = {.take = count_one, .counts = found};
    int rc = visit(states, &visitor);
    if (rc == 0)
        memcpy(counts, found, sizeof found);
    return rc;
}

static void keep_listening(struct visitor *visitor, const struct inet_diag_msg *socket)
{
    if (ntohs(socket->id.idiag_sport) == visitor->port && visitor->count < visitor->most)
        visitor->inodes[visitor->count++] = socket->idiag_inode;
}

int sockets_listening(uint16_t port, uint64_t *inodes, int most)
{
    struct visitor visitor = {.take = keep_listening, .port = port, .inodes = inodes, .most = most};
    int rc = visit(1U << SOCKET_LISTEN, &visitor);
    return rc < 0 ? rc : visitor.count;
}
