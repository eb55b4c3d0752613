/* The least error that an open load generator can have on this machine: request n is due at n/RATE
 * and goes out on a free connection, or waits for one. Two times are kept of each:
 *
 *   latency    from the instant at which it was due to the last byte of its reply
 *   lateness   from the instant at which it was due to its writing, where a connection was free:
 *              the generator's own
 *
 *   usage: floor_open PORT CONNECTIONS SECONDS RATE
 *
 * It sleeps in epoll_pwait2 until the next request is due, with a timer slack of 1 ns. */
#include "floor.h"

#include <sys/prctl.h>

struct open_floor {
    struct floor_target target;
    int epoll;
    int *fds;
    size_t *have;
    int64_t *due_ns;     /* by connection: of the request on it */
    uint32_t *free_ones; /* a stack of connections without a request */
    size_t free_count;
    int64_t begin_ns;
    double gap_ns;
    uint64_t total, sent, done, late_count;
    int64_t *latency_ns, *late_ns;
};

static int compare(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

static double quantile_us(const int64_t *sorted, uint64_t count, double share)
{
    return count ? (double)sorted[(uint64_t)((double)(count - 1) * share)] / 1e3 : 0;
}

static int64_t due(const struct open_floor *floor, uint64_t number)
{
    return floor->begin_ns + (int64_t)((double)number * floor->gap_ns);
}

/* Sends all that is due and finds a connection. Returns the instant to wait for. */
static int64_t send_due(struct open_floor *floor, int starved)
{
    int64_t now_ns = floor_now();
    while (floor->sent < floor->total && floor->free_count) {
        int64_t due_ns = due(floor, floor->sent);
        if (due_ns > now_ns)
            return due_ns;
        uint32_t number = floor->free_ones[--floor->free_count];
        floor->due_ns[number] = due_ns;
        if (!starved)
            floor->late_ns[floor->late_count++] = now_ns - due_ns;
        floor->sent++;
        floor_send(&floor->target, floor->fds[number]);
        now_ns = floor_now();
    }
    return now_ns + FLOOR_SECOND_NS / 10; /* only a reply can make a difference */
}

static void receive(struct open_floor *floor, uint32_t number)
{
    if (!floor_receive(&floor->target, floor->fds[number], &floor->have[number]))
        return;
    floor->latency_ns[floor->done++] = floor_now() - floor->due_ns[number];
    floor->free_ones[floor->free_count++] = number;
}

static void run(struct open_floor *floor)
{
    int starved = 0; /* no connection was free since the last sending */
    while (floor->done < floor->total) {
        int64_t wait_ns = send_due(floor, starved) - floor_now();
        starved = floor->free_count == 0;
        struct timespec wait = {.tv_nsec = wait_ns > 0 ? wait_ns % FLOOR_SECOND_NS : 0};
        struct epoll_event events[FLOOR_EVENTS];
        int ready = epoll_pwait2(floor->epoll, events, FLOOR_EVENTS, &wait, NULL);
        for (int i = 0; i < ready; i++)
            receive(floor, events[i].data.u32);
    }
}

static void report(struct open_floor *floor)
{
    qsort(floor->latency_ns, floor->done, sizeof *floor->latency_ns, compare);
    qsort(floor->late_ns, floor->late_count, sizeof *floor->late_ns, compare);
    uint64_t later = 0;
    for (uint64_t i = 0; i < floor->late_count; i++)
        later += floor->late_ns[i] > 1000000;
    printf("{\"requests\": %llu, \"p50_us\": %.1f, \"p99_us\": %.1f, \"late_p50_us\": %.1f, "
           "\"late_p99_us\": %.1f, \"late_share\": %.6f}\n",
           (unsigned long long)floor->done, quantile_us(floor->latency_ns, floor->done, 0.5),
           quantile_us(floor->latency_ns, floor->done, 0.99),
           quantile_us(floor->late_ns, floor->late_count, 0.5),
           quantile_us(floor->late_ns, floor->late_count, 0.99),
           (double)later / (double)floor->total);
}

static void make(struct open_floor *floor, size_t connections)
{
    floor->epoll = epoll_create1(EPOLL_CLOEXEC);
    floor->fds = floor_open_all(floor->target.port, connections, floor->epoll);
    floor->have = calloc(connections, sizeof *floor->have);
    floor->due_ns = calloc(connections, sizeof *floor->due_ns);
    floor->free_ones = calloc(connections, sizeof *floor->free_ones);
    floor->latency_ns = calloc(floor->total, sizeof *floor->latency_ns);
    floor->late_ns = calloc(floor->total, sizeof *floor->late_ns);
    if (!floor->fds || !floor->have || !floor->due_ns || !floor->free_ones || !floor->latency_ns ||
        !floor->late_ns)
        floor_fail("memory");
    for (size_t i = connections; i-- > 0;)
        floor->free_ones[floor->free_count++] = (uint32_t)i;
}

int main(int count, char **words)
{
    if (count != 5) {
        fprintf(stderr, "usage: floor_open PORT CONNECTIONS SECONDS RATE\n");
        return 2;
    }
    prctl(PR_SET_TIMERSLACK, 1);
    struct open_floor floor = {.free_count = 0};
    double rate = strtod(words[4], NULL);
    floor_learn(&floor.target, (uint16_t)strtoul(words[1], NULL, 10));
    floor.total = (uint64_t)(strtod(words[3], NULL) * rate);
    floor.gap_ns = (double)FLOOR_SECOND_NS / rate;
    make(&floor, strtoul(words[2], NULL, 10));
    floor.begin_ns = floor_now() + FLOOR_SECOND_NS / 1000;
    run(&floor);
    report(&floor);
    free(floor.late_ns);
    free(floor.latency_ns);
    free(floor.free_ones);
    free(floor.due_ns);
    free(floor.have);
    free(floor.fds);
    return 0;
}
