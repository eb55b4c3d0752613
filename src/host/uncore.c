/* host/uncore.c - reads the coding of events, opens one counter for each device and event, sums. */
#include "host/uncore.h"

#include "base/memory.h"
#include "base/unit.h"

#include <dirent.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define DEVICES "/sys/bus/event_source/devices"

enum { BITS = 64 };

struct uncore {
    struct counter {
        int fd;
        double bytes;
    } * counters;
    size_t count;
};

/* ---- how an event is coded ------------------------------------------------------------------- */

/* A file of a device as trimmed words in `out`. */
static struct span device_file(const char *root, const char *device, const char *name,
                               struct text *out)
{
    struct text path = TEXT_EMPTY;
    text_printf(&path, DEVICES "/%s/%s", device, name);
    host_read(root, path.at, out);
    text_fini(&path);
    return span_trim(text_span(out));
}

/* "0x1f" or "31". Returns 0 or HOST_NOT_KNOWN. */
static int read_value(struct span word, uint64_t *value)
{
    uint64_t number = 0;
    if (!span_begins(word, SPAN("0x")))
        return span_uint(word, value) == 0 ? 0 : HOST_NOT_KNOWN;
    for (size_t i = 2; i < word.bytes; i++) {
        char digit = word.at[i];
        unsigned nibble = digit >= '0' && digit <= '9'   ? (unsigned)(digit - '0')
                          : digit >= 'a' && digit <= 'f' ? (unsigned)(digit - 'a' + 10)
                          : digit >= 'A' && digit <= 'F' ? (unsigned)(digit - 'A' + 10)
                                                         : 16;
        if (nibble > 15 || number >> 60)
            return HOST_NOT_KNOWN;
        number = number << 4 | nibble;
    }
    *value = number;
    return word.bytes > 2 ? 0 : HOST_NOT_KNOWN;
}

/* Cuts a span in two at the first `mark`; the rest is empty when there is none. */
static struct span take_until(struct span *rest, char mark)
{
    const char *at = rest->bytes ? memchr(rest->at, mark, rest->bytes) : NULL;
    size_t bytes = at ? (size_t)(at - rest->at) : rest->bytes;
    struct span taken = {rest->at, bytes};
    size_t skip = at ? bytes + 1 : bytes;
    *rest = (struct span){rest->at + skip, rest->bytes - skip};
    return taken;
}

/* Lays a value into the bits that a term takes, "config:8-15" or "config:0-7,21"; other words of
 * the structure (config1) are not used by these events. */
static int place(struct span bits, uint64_t value, uint64_t *config)
{
    if (!span_equal(take_until(&bits, ':'), SPAN("config")) || bits.bytes == 0)
        return HOST_NOT_KNOWN;
    while (bits.bytes > 0) {
        struct span range = take_until(&bits, ',');
        uint64_t first = host_number(take_until(&range, '-'));
        uint64_t last = range.bytes ? host_number(range) : first;
        if (!host_known(first) || !host_known(last) || last < first || last >= BITS)
            return HOST_NOT_KNOWN;
        for (uint64_t bit = first; bit <= last; bit++, value >>= 1)
            *config |= (value & 1) << bit;
    }
    return value == 0 ? 0 : HOST_NOT_KNOWN;
}

static int read_term(const char *root, const char *device, struct span term, uint64_t *config)
{
    struct text name = TEXT_EMPTY, bits = TEXT_EMPTY;
    uint64_t value = 1; /* a term without a value is a flag */
    struct span key = take_until(&term, '=');
    int known = term.bytes ? read_value(term, &value) : 0;
    text_printf(&name, "format/%.*s", (int)key.bytes, key.at);
    if (known == 0)
        known = place(device_file(root, device, name.at, &bits), value, config);
    text_fini(&name);
    text_fini(&bits);
    return known;
}

/* What one count stands for: the scale in its unit; plain CAS counts are lines of 64 bytes. */
static int read_scale(const char *root, const char *device, const char *event, double *bytes)
{
    struct text name = TEXT_EMPTY, words = TEXT_EMPTY;
    text_printf(&name, "events/%s.scale", event);
    double scale = 0;
    int known =
        unit_read_real(device_file(root, device, name.at, &words), &scale) ? HOST_NOT_KNOWN : 0;
    text_clear(&name);
    text_printf(&name, "events/%s.unit", event);
    struct span unit = device_file(root, device, name.at, &words);
    if (span_equal(unit, SPAN("MiB")))
        scale *= 1024 * 1024;
    else if (!span_equal(unit, SPAN("Bytes")))
        known = HOST_NOT_KNOWN;
    text_fini(&name);
    text_fini(&words);
    if (known == 0)
        *bytes = scale;
    return known;
}

int uncore_event_read(const char *root, const char *device, const char *event,
                      struct uncore_event *out)
{
    struct text name = TEXT_EMPTY, words = TEXT_EMPTY;
    struct uncore_event read = {.type = 0};
    text_printf(&name, "events/%s", event);
    struct span terms = device_file(root, device, name.at, &words);
    int known = terms.bytes ? 0 : HOST_NOT_KNOWN;
    while (known == 0 && terms.bytes > 0)
        known = read_term(root, device, take_until(&terms, ','), &read.config);
    if (known == 0)
        known = read_scale(root, device, event, &read.bytes);
    uint64_t type = host_number(device_file(root, device, "type", &words));
    struct span mask = device_file(root, device, "cpumask", &words);
    struct span first = take_until(&mask, ','); /* of "0,18" or "0-3" */
    uint64_t cpu = host_number(take_until(&first, '-'));
    text_fini(&name);
    text_fini(&words);
    if (known || !host_known(type) || type > UINT32_MAX || !host_known(cpu) || cpu > UINT32_MAX)
        return HOST_NOT_KNOWN;
    read.type = (uint32_t)type;
    read.cpu = (uint32_t)cpu;
    *out = read;
    return 0;
}

/* ---- counting -------------------------------------------------------------------------------- */

static void count_event(struct uncore *uncore, const struct uncore_event *event)
{
    struct perf_event_attr wanted = {
        .type = event->type, .size = sizeof wanted, .config = event->config};
    long fd = syscall(SYS_perf_event_open, &wanted, -1, (int)event->cpu, -1, PERF_FLAG_FD_CLOEXEC);
    if (fd < 0)
        return;
    uncore->counters = memory_resize(uncore->counters, uncore->count + 1, sizeof *uncore->counters);
    uncore->counters[uncore->count++] = (struct counter){.fd = (int)fd, .bytes = event->bytes};
}

/* Servers count lines read and written (cas_count), desktops name the bytes (data_reads); counters
 * that run freely tell the same once more (data_read). */
static void count_device(struct uncore *uncore, const char *root, const char *device)
{
    static const char *const events[] = {"cas_count_read", "cas_count_write", "data_reads",
                                         "data_writes",    "data_read",       "data_write"};
    struct uncore_event event;
    for (size_t i = 0; i < sizeof events / sizeof *events; i++)
        if (uncore_event_read(root, device, events[i], &event) == 0)
            count_event(uncore, &event);
}

/* Counts on all memory controllers of the one kind: those that run freely, or those that do not. */
static void count_all(struct uncore *uncore, const char *root, bool free_running)
{
    struct text path = TEXT_EMPTY;
    text_printf(&path, "%s" DEVICES, strcmp(root, "/") == 0 ? "" : root);
    DIR *devices = opendir(path.at);
    text_fini(&path);
    if (!devices)
        return;
    for (const struct dirent *entry = readdir(devices); entry; entry = readdir(devices))
        if (strncmp(entry->d_name, "uncore_imc", 10) == 0 &&
            (strstr(entry->d_name, "free_running") != NULL) == free_running)
            count_device(uncore, root, entry->d_name);
    closedir(devices);
}

struct uncore *uncore_open(const char *root)
{
    struct uncore *uncore = memory_new(1, sizeof *uncore);
    count_all(uncore, root, false);
    if (uncore->count == 0)
        count_all(uncore, root, true);
    if (uncore->count > 0)
        return uncore;
    uncore_close(uncore);
    return NULL;
}

void uncore_close(struct uncore *uncore)
{
    if (!uncore)
        return;
    for (size_t i = 0; i < uncore->count; i++)
        close(uncore->counters[i].fd);
    free(uncore->counters);
    free(uncore);
}

uint64_t uncore_read(struct uncore *uncore)
{
    double bytes = 0;
    for (size_t i = 0; i < uncore->count; i++) {
        uint64_t count = 0;
        if (read(uncore->counters[i].fd, &count, sizeof count) != (ssize_t)sizeof count)
            return HOST_UNKNOWN;
        bytes += (double)count * uncore->counters[i].bytes;
    }
    return (uint64_t)bytes;
}
