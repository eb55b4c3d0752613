/* /proc/net/tcp has a line a socket: slot, local address:port in hexadecimal, remote one, and the
 * state, 0A for listening. */
#include "host/listening.h"

#include "base/memory.h"

#include <stdlib.h>

static uint32_t hexadecimal(struct span digits)
{
    uint32_t number = 0;
    for (size_t i = 0; i < digits.bytes; i++) {
        char digit = digits.at[i];
        uint32_t value = digit >= '0' && digit <= '9'   ? (uint32_t)(digit - '0')
                         : digit >= 'A' && digit <= 'F' ? (uint32_t)(digit - 'A' + 10)
                                                        : 0;
        number = number * 16 + value;
    }
    return number;
}

static void add(struct listening *listening, uint16_t port)
{
    size_t at = 0;
    while (at < listening->count && listening->ports[at] < port)
        at++;
    if (at < listening->count && listening->ports[at] == port)
        return;
    listening->ports =
        memory_resize(listening->ports, listening->count + 1, sizeof *listening->ports);
    for (size_t i = listening->count; i > at; i--)
        listening->ports[i] = listening->ports[i - 1];
    listening->ports[at] = port;
    listening->count++;
}

static int read_table(const char *root, const char *path, struct listening *out)
{
    struct text bytes = TEXT_EMPTY;
    int known = host_read(root, path, &bytes);
    struct span lines = text_span(&bytes);
    host_line(&lines); /* the titles */
    while (lines.bytes > 0) {
        struct span line = host_line(&lines);
        host_word(&line);
        struct span local = host_word(&line);
        host_word(&line);
        struct span state = host_word(&line);
        if (local.bytes > 5 && local.at[local.bytes - 5] == ':' && span_equal(state, SPAN("0A")))
            add(out, (uint16_t)hexadecimal((struct span){local.at + local.bytes - 4, 4}));
    }
    text_fini(&bytes);
    return known;
}

int listening_read(const char *root, struct listening *out)
{
    *out = (struct listening){0};
    int four = read_table(root, "/proc/net/tcp", out);
    int six = read_table(root, "/proc/net/tcp6", out);
    return four == 0 || six == 0 ? 0 : HOST_NOT_KNOWN;
}

void listening_fini(struct listening *listening)
{
    free(listening->ports);
    *listening = (struct listening){0};
}
