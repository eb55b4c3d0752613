/* host/disk.c - "253 0 vda reads merged sectors ms writes merged sectors ms in-flight ms weighted",
 * and more columns on newer kernels (Documentation/admin-guide/iostats.rst of Linux). */
#include "host/disk.h"

#include <string.h>

enum { COLUMNS = 11 };

static bool read_line(struct span line, struct disk *out)
{
    host_word(&line); /* major */
    host_word(&line); /* minor */
    struct span name = host_word(&line);
    if (name.bytes == 0 || name.bytes >= DISK_NAME)
        return false;
    uint64_t columns[COLUMNS];
    for (size_t i = 0; i < COLUMNS; i++) {
        columns[i] = host_number(host_word(&line));
        if (!host_known(columns[i]))
            return false;
    }
    *out = (struct disk){.reads = columns[0],
                         .read_sectors = columns[2],
                         .read_ms = columns[3],
                         .writes = columns[4],
                         .written_sectors = columns[6],
                         .write_ms = columns[7],
                         .in_flight = columns[8],
                         .busy_ms = columns[9],
                         .weighted_ms = columns[10]};
    memcpy(out->name, name.at, name.bytes);
    return true;
}

bool disk_next(struct span *lines, struct disk *out)
{
    while (lines->bytes > 0)
        if (read_line(host_line(lines), out))
            return true;
    return false;
}
