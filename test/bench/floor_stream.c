/* The least that a reader of token streams can be: STREAMS connections to plimsoll-testbed
 * --stamp-tokens, each asks, reads until the stream's end, and asks again. One clock read for each
 * read, and nothing is parsed but the stamps. What it prints is what an ideal client sees on this
 * machine: how late tokens are seen, and how far the gaps between them are from the true ones.
 *
 *   usage: floor_stream PORT STREAMS SECONDS TOKENS */
#include "floor.h"

#include <stdbool.h>

enum { MOST_GAPS = 8 << 20, BODY_BYTES = 160 };

struct reading {
    int64_t stamp_ns, rx_ns; /* of its last token; 0: none in this answer */
    int fd;
};

struct stream_floor {
    struct floor_target target;
    int epoll;
    struct reading *readings;
    int64_t *error_ns, *lag_ns;
    size_t gaps, lags;
    uint64_t answers;
};

static int compare(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

static void print_quantiles(const char *name, int64_t *values, size_t count)
{
    qsort(values, count, sizeof *values, compare);
    if (count)
        printf(" %s_us p50=%.1f p99=%.1f max=%.1f", name, (double)values[count / 2] / 1e3,
               (double)values[count * 99 / 100] / 1e3, (double)values[count - 1] / 1e3);
}

static void note(struct stream_floor *floor, struct reading *reading, int64_t stamp_ns,
                 int64_t rx_ns)
{
    if (floor->lags < MOST_GAPS)
        floor->lag_ns[floor->lags++] = rx_ns - stamp_ns;
    if (reading->stamp_ns && floor->gaps < MOST_GAPS) {
        int64_t error_ns = (rx_ns - reading->rx_ns) - (stamp_ns - reading->stamp_ns);
        floor->error_ns[floor->gaps++] = error_ns < 0 ? -error_ns : error_ns;
    }
    reading->stamp_ns = stamp_ns;
    reading->rx_ns = rx_ns;
}

/* Every token's event has its stamp before its content; the role's and the last have no content. */
static void look(struct stream_floor *floor, struct reading *reading, const char *at, size_t bytes)
{
    static const char stamp[] = "\"stamp_ns\":", token[] = "\"content\":\" ", end[] = "[DONE]";
    const char *stop = at + bytes;
    int64_t rx_ns = floor_now();
    const char *next = at;
    while ((next = memmem(next, (size_t)(stop - next), stamp, sizeof stamp - 1))) {
        next += sizeof stamp - 1;
        const char *feed = memchr(next, '\n', (size_t)(stop - next));
        if (!feed)
            break; /* cut by the read: rare, and left out */
        if (memmem(next, (size_t)(feed - next), token, sizeof token - 1))
            note(floor, reading, strtoll(next, NULL, 10), rx_ns);
        next = feed;
    }
    if (memmem(at, bytes, end, sizeof end - 1)) {
        reading->stamp_ns = 0;
        floor->answers++;
        floor_send(&floor->target, reading->fd);
    }
}

static void open_all(struct stream_floor *floor, size_t streams, unsigned port, unsigned tokens)
{
    char body[BODY_BYTES];
    int bytes = snprintf(body, sizeof body,
                         "{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],\"stream\":true,"
                         "\"max_tokens\":%u}",
                         tokens);
    int written = snprintf(floor->target.request, sizeof floor->target.request,
                           "POST /v1/chat/completions HTTP/1.1\r\nHost: h\r\n"
                           "Content-Length: %d\r\n\r\n%s",
                           bytes, body);
    floor->target.request_bytes = (size_t)written;
    floor->epoll = epoll_create1(EPOLL_CLOEXEC);
    for (size_t i = 0; i < streams; i++) {
        floor->readings[i].fd = floor_connect((uint16_t)port);
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)i};
        if (epoll_ctl(floor->epoll, EPOLL_CTL_ADD, floor->readings[i].fd, &event))
            floor_fail("epoll_ctl");
    }
    for (size_t i = 0; i < streams; i++)
        floor_send(&floor->target, floor->readings[i].fd);
}

int main(int count, char **words)
{
    if (count != 5) {
        fprintf(stderr, "usage: floor_stream PORT STREAMS SECONDS TOKENS\n");
        return 2;
    }
    size_t streams = strtoul(words[2], NULL, 10);
    struct stream_floor floor = {.readings = calloc(streams, sizeof *floor.readings),
                                 .error_ns = calloc(MOST_GAPS, sizeof(int64_t)),
                                 .lag_ns = calloc(MOST_GAPS, sizeof(int64_t))};
    static char bytes[4 * FLOOR_READ_BYTES];
    open_all(&floor, streams, (unsigned)strtoul(words[1], NULL, 10),
             (unsigned)strtoul(words[4], NULL, 10));
    int64_t end_ns = floor_now() + (int64_t)(strtod(words[3], NULL) * FLOOR_SECOND_NS);
    while (floor_now() < end_ns) {
        struct epoll_event events[FLOOR_EVENTS];
        int ready = epoll_wait(floor.epoll, events, FLOOR_EVENTS, 100);
        for (int i = 0; i < ready; i++) {
            struct reading *reading = &floor.readings[events[i].data.u32];
            ssize_t got = read(reading->fd, bytes, sizeof bytes);
            if (got == 0 || (got < 0 && errno != EAGAIN))
                floor_fail("read");
            if (got > 0)
                look(&floor, reading, bytes, (size_t)got);
        }
    }
    printf("floor_stream answers=%llu", (unsigned long long)floor.answers);
    print_quantiles("stamp_lag", floor.lag_ns, floor.lags);
    print_quantiles("itl_error", floor.error_ns, floor.gaps);
    printf("\n");
    return 0;
}
