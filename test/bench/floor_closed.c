/* The least that a closed load generator can cost: for each request one write and one read, the
 * wait shared by all that is ready, and nothing parsed, timed or counted but the number.
 *
 *   usage: floor_closed PORT CONNECTIONS SECONDS
 *
 * What a load generator costs above this is what it does beyond moving the bytes. */
#include "floor.h"

int main(int count, char **words)
{
    if (count != 4) {
        fprintf(stderr, "usage: floor_closed PORT CONNECTIONS SECONDS\n");
        return 2;
    }
    size_t connections = strtoul(words[2], NULL, 10);
    struct floor_target target;
    floor_learn(&target, (uint16_t)strtoul(words[1], NULL, 10));
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    int *fds = floor_open_all(target.port, connections, epoll);
    size_t *have = calloc(connections, sizeof *have);
    if (!fds || !have)
        floor_fail("memory");

    int64_t end_ns = floor_now() + (int64_t)(strtod(words[3], NULL) * FLOOR_SECOND_NS);
    uint64_t done = 0;
    for (size_t i = 0; i < connections; i++)
        floor_send(&target, fds[i]);
    while (floor_now() < end_ns) {
        struct epoll_event events[FLOOR_EVENTS];
        int ready = epoll_wait(epoll, events, FLOOR_EVENTS, 100);
        for (int i = 0; i < ready; i++) {
            uint32_t number = events[i].data.u32;
            if (!floor_receive(&target, fds[number], &have[number]))
                continue;
            done++;
            floor_send(&target, fds[number]);
        }
    }
    printf("{\"requests\": %llu}\n", (unsigned long long)done);
    free(have);
    free(fds);
    return 0;
}
