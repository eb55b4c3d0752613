/* host/sockets.h - TCP sockets of this network namespace: how many are in each state, and who
 * listens on a port. Asked of the kernel itself (NETLINK_SOCK_DIAG), which is a hundred times
 * quicker than the text of /proc/net/tcp. */
#ifndef HOST_SOCKETS_H
#define HOST_SOCKETS_H

#include <stdint.h>

/* The kernel's numbers of states. */
enum socket_state {
    SOCKET_ESTABLISHED = 1,
    SOCKET_SYN_SENT,
    SOCKET_SYN_RECEIVED,
    SOCKET_FIN_WAIT_1,
    SOCKET_FIN_WAIT_2,
    SOCKET_TIME_WAIT,
    SOCKET_CLOSE,
    SOCKET_CLOSE_WAIT,
    SOCKET_LAST_ACK,
    SOCKET_LISTEN,
    SOCKET_CLOSING,
    SOCKET_STATES,
};

/* The word of a state ("syn-sent"), as ss has it. */
const char *socket_state_word(enum socket_state state);

/* Counts the sockets of the states in a mask (1 << state), IPv4 and IPv6. Returns 0 with counts, or
 * -errno. */
int sockets_count(uint32_t states, uint64_t counts[SOCKET_STATES]);

/* The inodes of the sockets that listen on a port, at most `most` of them; how many there are.
 * Returns -errno when the kernel does not say. */
int sockets_listening(uint16_t port, uint64_t *inodes, int most);

#endif
