/* host/cgroup.c - one walk from the own group to the root for each controller and version. */
#include "host/cgroup.h"

#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where a controller's files are: directory = mount + path, tried from the longest path up. */
struct place {
    const char *root, *mount;
    struct text path; /* "" at the root; no slash at its end */
};

static int read_in(const struct place *place, const char *file, struct text *out)
{
    struct text path = TEXT_EMPTY;
    text_printf(&path, "%s%.*s/%s", place->mount, (int)place->path.bytes,
                place->path.at ? place->path.at : "", file);
    int rc = host_read(place->root, path.at, out);
    text_fini(&path);
    return rc;
}

/* Goes to the group above; false at the root. */
static bool go_up(struct place *place)
{
    if (place->path.bytes == 0)
        return false;
    while (place->path.bytes > 0 && place->path.at[--place->path.bytes] != '/')
        continue;
    return true;
}

static void set_path(struct place *place, struct span path)
{
    text_clear(&place->path);
    text_put(&place->path, path);
    while (place->path.bytes > 0 && place->path.at[place->path.bytes - 1] == '/')
        place->path.bytes--;
}

/* Whether a list "cpu,cpuacct" names a controller. */
static bool names_it(struct span names, const char *controller)
{
    while (names.bytes > 0) {
        const char *comma = memchr(names.at, ',', names.bytes);
        size_t length = comma ? (size_t)(comma - names.at) : names.bytes;
        if (span_equal((struct span){names.at, length}, span_of(controller)))
            return true;
        names.at += length + (comma != NULL);
        names.bytes -= length + (comma != NULL);
    }
    return false;
}

struct span cgroup_path(struct span lines, const char *controller)
{
    while (lines.bytes > 0) {
        struct span line = host_line(&lines);
        const char *first = line.bytes ? memchr(line.at, ':', line.bytes) : NULL;
        if (first == NULL)
            continue;
        struct span names = {.at = first + 1, .bytes = line.bytes - (size_t)(first + 1 - line.at)};
        const char *second = names.bytes ? memchr(names.at, ':', names.bytes) : NULL;
        if (second == NULL)
            continue;
        struct span path = {.at = second + 1,
                            .bytes = names.bytes - (size_t)(second + 1 - names.at)};
        names.bytes = (size_t)(second - names.at);
        if (controller == NULL ? names.bytes == 0 : names_it(names, controller))
            return path;
    }
    return (struct span){NULL, 0};
}

/* The path of the own group for a version 1 controller, or of version 2 for NULL. */
static bool own_path(const char *root, const char *controller, struct place *place)
{
    struct text lines = TEXT_EMPTY;
    host_read(root, "/proc/self/cgroup", &lines);
    struct span path = cgroup_path(text_span(&lines), controller);
    bool found = path.bytes > 0;
    if (found)
        set_path(place, path);
    text_fini(&lines);
    return found;
}

/* ---- processors --------------------------------------------------------------------------- */

/* "max 100000" or "150000 100000". */
static double quota_of_two(struct span words)
{
    words = span_trim(words);
    struct span quota = host_word(&words), period = host_word(&words);
    uint64_t number = host_number(quota), length = host_number(period);
    if (!host_known(length) || length == 0)
        return NAN;
    if (span_equal(quota, SPAN("max")))
        return INFINITY;
    return host_known(number) ? (double)number / (double)length : NAN;
}

static double quota_here(const struct place *place, bool two)
{
    struct text bytes = TEXT_EMPTY, period = TEXT_EMPTY;
    double quota = NAN;
    if (two && read_in(place, "cpu.max", &bytes) == 0)
        quota = quota_of_two(text_span(&bytes));
    if (!two && read_in(place, "cpu.cfs_quota_us", &bytes) == 0 &&
        read_in(place, "cpu.cfs_period_us", &period) == 0) {
        uint64_t number = host_number(span_trim(text_span(&bytes)));
        uint64_t length = host_number(span_trim(text_span(&period)));
        if (span_equal(span_trim(text_span(&bytes)), SPAN("-1")))
            quota = INFINITY;
        else if (host_known(number) && host_known(length) && length > 0)
            quota = (double)number / (double)length;
    }
    text_fini(&bytes);
    text_fini(&period);
    return quota;
}

/* Reads the throttling here; false when this group says nothing of it. */
static bool throttling_here(const struct place *place, bool two, struct cgroup *out)
{
    struct text bytes = TEXT_EMPTY;
    uint64_t throttled = HOST_UNKNOWN;
    if (read_in(place, "cpu.stat", &bytes) == 0) {
        struct span lines = text_span(&bytes);
        throttled = host_value(lines, "nr_throttled");
        if (host_known(throttled)) {
            uint64_t time = host_value(lines, two ? "throttled_usec" : "throttled_time");
            out->throttled = throttled;
            out->periods = host_value(lines, "nr_periods");
            out->throttled_ns = two && host_known(time) ? time * 1000 : time;
        }
    }
    text_fini(&bytes);
    return host_known(throttled);
}

/* Walks up; whether anything was found. */
static bool read_processors(struct place *place, bool two, struct cgroup *out)
{
    bool found = false, counted = false;
    do {
        double quota = quota_here(place, two);
        bool tighter = !isnan(quota) && (isnan(out->quota_cores) || quota < out->quota_cores);
        if (tighter)
            out->quota_cores = quota;
        if ((tighter && isfinite(quota)) || !counted)
            counted = throttling_here(place, two, out) || counted;
        found = found || !isnan(quota) || counted;
    } while (go_up(place));
    /* The root of version 2 has no cpu.max: no quota at all, as long as its cpu.stat is there. */
    if (found && isnan(out->quota_cores))
        out->quota_cores = INFINITY;
    return found;
}

/* ---- memory ------------------------------------------------------------------------------- */

static uint64_t memory_here(const struct place *place, const char *file)
{
    struct text bytes = TEXT_EMPTY;
    uint64_t number = HOST_UNKNOWN;
    if (read_in(place, file, &bytes) == 0) {
        struct span word = span_trim(text_span(&bytes));
        number = span_equal(word, SPAN("max")) ? CGROUP_NO_LIMIT : host_number(word);
        /* Version 1 says "none" as the largest multiple of a page. */
        if (host_known(number) && number > (uint64_t)INT64_MAX - (1 << 20))
            number = CGROUP_NO_LIMIT;
    }
    text_fini(&bytes);
    return number;
}

static bool read_memory(struct place *place, bool two, struct cgroup *out)
{
    bool found = false;
    do {
        uint64_t limit = memory_here(place, two ? "memory.max" : "memory.limit_in_bytes");
        uint64_t used = memory_here(place, two ? "memory.current" : "memory.usage_in_bytes");
        if (!host_known(out->memory_used))
            out->memory_used = used;
        if (host_known(limit) && (!host_known(out->memory_limit) || limit < out->memory_limit))
            out->memory_limit = limit;
        found = found || host_known(limit) || host_known(used);
    } while (go_up(place));
    return found;
}

/* ---- both --------------------------------------------------------------------------------- */

struct home {
    const char *controller; /* NULL: version 2 */
    const char *mount;
};

/* Where distributions mount each; the first that says anything is taken. */
static bool read_first(const char *root, const struct home *homes, size_t count,
                       bool (*reader)(struct place *, bool, struct cgroup *), struct cgroup *out)
{
    bool found = false;
    for (size_t i = 0; i < count && !found; i++) {
        struct place place = {.root = root, .mount = homes[i].mount, .path = TEXT_EMPTY};
        if (own_path(root, homes[i].controller, &place))
            found = reader(&place, homes[i].controller == NULL, out);
        text_fini(&place.path);
    }
    return found;
}

void cgroup_read(const char *root, struct cgroup *out)
{
    static const struct home processors[] = {
        {NULL, "/sys/fs/cgroup"},
        {"cpu", "/sys/fs/cgroup/cpu,cpuacct"},
        {"cpu", "/sys/fs/cgroup/cpu"},
        {NULL, "/sys/fs/cgroup/unified"},
    };
    static const struct home memory[] = {
        {NULL, "/sys/fs/cgroup"},
        {"memory", "/sys/fs/cgroup/memory"},
        {NULL, "/sys/fs/cgroup/unified"},
    };
    *out = (struct cgroup){.quota_cores = NAN,
                           .periods = HOST_UNKNOWN,
                           .throttled = HOST_UNKNOWN,
                           .throttled_ns = HOST_UNKNOWN,
                           .memory_limit = HOST_UNKNOWN,
                           .memory_used = HOST_UNKNOWN};
    read_first(root, processors, sizeof(processors) / sizeof(*processors), read_processors, out);
    read_first(root, memory, sizeof(memory) / sizeof(*memory), read_memory, out);
}
