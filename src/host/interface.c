/* host/interface.c - two lines of heads, then "eth0: bytes packets errs drop fifo frame compressed
 * multicast" and the same eight for what was sent; the first number may touch the colon. */
#include "host/interface.h"

#include <string.h>

enum { COLUMNS = 16 };

static bool read_line(struct span line, struct interface *out)
{
    const char *colon = line.bytes ? memchr(line.at, ':', line.bytes) : NULL;
    if (!colon)
        return false;
    struct span name = span_trim((struct span){line.at, (size_t)(colon - line.at)});
    struct span rest = {colon + 1, line.bytes - (size_t)(colon + 1 - line.at)};
    uint64_t columns[COLUMNS];
    if (name.bytes == 0 || name.bytes >= INTERFACE_NAME)
        return false;
    for (size_t i = 0; i < COLUMNS; i++) {
        columns[i] = host_number(host_word(&rest));
        if (!host_known(columns[i]))
            return false;
    }
    *out = (struct interface){.in_bytes = columns[0],
                              .in_packets = columns[1],
                              .in_errors = columns[2],
                              .in_drops = columns[3],
                              .out_bytes = columns[8],
                              .out_packets = columns[9],
                              .out_errors = columns[10],
                              .out_drops = columns[11]};
    memcpy(out->name, name.at, name.bytes);
    return true;
}

bool interface_next(struct span *lines, struct interface *out)
{
    while (lines->bytes > 0)
        if (read_line(host_line(lines), out))
            return true;
    return false;
}

/* The file says -1 where there is no link, which is no unsigned number. */
uint64_t interface_speed(const char *root, const char *name)
{
    struct text path = TEXT_EMPTY;
    text_printf(&path, "/sys/class/net/%s/speed", name);
    uint64_t megabits = host_read_number(root, path.at);
    text_fini(&path);
    return host_known(megabits) && megabits > 0 && megabits < UINT32_MAX ? megabits * 1000000
                                                                         : HOST_UNKNOWN;
}
