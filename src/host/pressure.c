/* host/pressure.c - "some avg10=0.00 avg60=0.00 avg300=0.00 total=1234", the same for "full". The
 * averages are of the kernel's own windows; only the totals say what happened between two looks. */
#include "host/pressure.h"

static uint64_t total_of(struct span line)
{
    while (line.bytes > 0) {
        struct span word = host_word(&line);
        if (span_begins(word, SPAN("total=")))
            return host_number((struct span){word.at + 6, word.bytes - 6});
        if (word.bytes == 0)
            break;
    }
    return HOST_UNKNOWN;
}

void pressure_parse(struct span text, struct pressure *out)
{
    *out = (struct pressure){.some_us = HOST_UNKNOWN, .full_us = HOST_UNKNOWN};
    while (text.bytes > 0) {
        struct span line = host_line(&text), name = host_word(&line);
        if (span_equal(name, SPAN("some")))
            out->some_us = total_of(line);
        else if (span_equal(name, SPAN("full")))
            out->full_us = total_of(line);
    }
}
