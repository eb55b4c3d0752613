/* host/control_group.c - the files of one control group: cgroup-v1 and cgroup-v2 of Linux'
 * Documentation, admin-guide. */
#include "host/control_group.h"

#include "host/cgroup.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MOUNT "/sys/fs/cgroup"

/* A controller of version 1, and where distributions mount it. */
static const char *const cpu_mounts[] = {MOUNT "/cpu,cpuacct", MOUNT "/cpu", NULL};
static const char *const usage_mounts[] = {MOUNT "/cpu,cpuacct", MOUNT "/cpuacct", NULL};
static const char *const memory_mounts[] = {MOUNT "/memory", NULL};
static const char *const unified_mounts[] = {MOUNT, MOUNT "/unified", NULL};

/* ---- where ----------------------------------------------------------------------------------- */

static bool is_there(const char *root, const char *directory, const char *file)
{
    struct text path = TEXT_EMPTY;
    text_printf(&path, "%s%s/%s", strcmp(root, "/") == 0 ? "" : root, directory, file);
    bool there = access(path.at, R_OK) == 0;
    text_fini(&path);
    return there;
}

/* The first mount under which the path has the file. In a container the own group may be mounted as
 * the root: then the path is not there, and the root is meant. */
static bool find_under(const char *root, const char *const *mounts, struct span path,
                       const char *file, struct text *out)
{
    for (int i = 0; mounts[i]; i++) {
        struct span trimmed = path;
        while (trimmed.bytes > 0 && trimmed.at[trimmed.bytes - 1] == '/')
            trimmed.bytes--;
        for (int whole = 1; whole >= 0; whole--) {
            text_clear(out);
            text_printf(out, "%s%.*s", mounts[i], whole ? (int)trimmed.bytes : 0, trimmed.at);
            if (is_there(root, out->at, file))
                return true;
        }
    }
    text_clear(out);
    return false;
}

int control_group_place_of(const char *root, uint64_t pid, struct control_group_place *out)
{
    char name[48];
    struct text lines = TEXT_EMPTY;
    *out = (struct control_group_place){.two = false};
    if (pid)
        snprintf(name, sizeof name, "/proc/%llu/cgroup", (unsigned long long)pid);
    else
        snprintf(name, sizeof name, "/proc/self/cgroup");
    host_read(root, name, &lines);
    struct span all = text_span(&lines), two = cgroup_path(all, NULL);
    struct span cpu = cgroup_path(all, "cpu"), usage = cgroup_path(all, "cpuacct"),
                memory = cgroup_path(all, "memory");
    if (cpu.bytes)
        find_under(root, cpu_mounts, cpu, "cpu.stat", &out->cpu);
    if (usage.bytes)
        find_under(root, usage_mounts, usage, "cpuacct.usage", &out->usage);
    if (memory.bytes)
        find_under(root, memory_mounts, memory, "memory.usage_in_bytes", &out->memory);
    out->two = !out->cpu.bytes && !out->usage.bytes && !out->memory.bytes && two.bytes &&
               find_under(root, unified_mounts, two, "cgroup.procs", &out->cpu);
    text_fini(&lines);
    if (out->cpu.bytes || out->usage.bytes || out->memory.bytes)
        return 0;
    control_group_place_fini(out);
    return HOST_NOT_KNOWN;
}

/* "/sys/fs/cgroup/cpu/web", "/cpu/web" and "/web" mean the same group. */
static struct span below_mounts(const char *path)
{
    static const char *const firsts[] = {MOUNT,      "/unified", "/cpu,cpuacct",
                                         "/cpuacct", "/cpu",     "/memory"};
    struct span rest = span_of(path);
    for (size_t i = 0; i < sizeof firsts / sizeof *firsts; i++) {
        size_t bytes = strlen(firsts[i]);
        bool whole = rest.bytes == bytes || (rest.bytes > bytes && rest.at[bytes] == '/');
        if (!span_begins(rest, span_of(firsts[i])) || !whole)
            continue;
        rest.at += bytes;
        rest.bytes -= bytes;
    }
    return rest;
}

static bool find_at(const char *root, const char *const *mounts, struct span path, const char *file,
                    struct text *out)
{
    for (int i = 0; mounts[i]; i++) {
        text_clear(out);
        text_printf(out, "%s%s%.*s", mounts[i], path.bytes && *path.at != '/' ? "/" : "",
                    (int)path.bytes, path.at);
        if (is_there(root, out->at, file))
            return true;
    }
    text_clear(out);
    return false;
}

int control_group_place_at(const char *root, const char *path, struct control_group_place *out)
{
    struct span below = below_mounts(path);
    *out = (struct control_group_place){.two = false};
    bool one = find_at(root, cpu_mounts, below, "cpu.stat", &out->cpu);
    one |= find_at(root, usage_mounts, below, "cpuacct.usage", &out->usage);
    one |= find_at(root, memory_mounts, below, "memory.usage_in_bytes", &out->memory);
    out->two = !one && find_at(root, unified_mounts, below, "cgroup.procs", &out->cpu);
    if (one || out->two)
        return 0;
    control_group_place_fini(out);
    return HOST_NOT_KNOWN;
}

void control_group_place_fini(struct control_group_place *place)
{
    text_fini(&place->cpu);
    text_fini(&place->usage);
    text_fini(&place->memory);
}

/* ---- reading --------------------------------------------------------------------------------- */

static struct span read_in(const char *root, const struct text *directory, const char *file,
                           struct text *room)
{
    struct text path = TEXT_EMPTY;
    text_clear(room);
    if (directory->bytes) {
        text_printf(&path, "%s/%s", directory->at, file);
        host_read(root, path.at, room);
    }
    text_fini(&path);
    return span_trim(text_span(room));
}

/* A number, "max" or -1 for none. Version 1 says "none" of memory as the largest multiple of a
 * page. */
static uint64_t limit_of(struct span word)
{
    if (span_equal(word, SPAN("max")) || span_equal(word, SPAN("-1")))
        return CONTROL_GROUP_NO_LIMIT;
    uint64_t number = host_number(word);
    return host_known(number) && number > (uint64_t)INT64_MAX - (1 << 20) ? CONTROL_GROUP_NO_LIMIT
                                                                          : number;
}

static uint64_t in_us(uint64_t ns)
{
    return host_known(ns) ? ns / 1000 : ns;
}

static void read_one(const char *root, const struct control_group_place *place, struct text *room,
                     struct control_group *out)
{
    out->cpu_us = in_us(host_number(read_in(root, &place->usage, "cpuacct.usage", room)));
    out->quota_us = limit_of(read_in(root, &place->cpu, "cpu.cfs_quota_us", room));
    out->period_us = host_number(read_in(root, &place->cpu, "cpu.cfs_period_us", room));
    struct span stat = read_in(root, &place->cpu, "cpu.stat", room);
    out->periods = host_value(stat, "nr_periods");
    out->throttled = host_value(stat, "nr_throttled");
    out->throttled_us = in_us(host_value(stat, "throttled_time"));
    out->memory_bytes = host_number(read_in(root, &place->memory, "memory.usage_in_bytes", room));
    out->limit_bytes = limit_of(read_in(root, &place->memory, "memory.limit_in_bytes", room));
    out->limit_hits = host_number(read_in(root, &place->memory, "memory.failcnt", room));
    out->cache_bytes =
        host_value(read_in(root, &place->memory, "memory.stat", room), "total_inactive_file");
    out->oom_kills =
        host_value(read_in(root, &place->memory, "memory.oom_control", room), "oom_kill");
}

static void read_two(const char *root, const struct text *directory, struct text *room,
                     struct control_group *out)
{
    struct span words = read_in(root, directory, "cpu.max", room);
    out->quota_us = limit_of(host_word(&words));
    out->period_us = host_number(host_word(&words));
    struct span stat = read_in(root, directory, "cpu.stat", room);
    out->cpu_us = host_value(stat, "usage_usec");
    out->periods = host_value(stat, "nr_periods");
    out->throttled = host_value(stat, "nr_throttled");
    out->throttled_us = host_value(stat, "throttled_usec");
    out->memory_bytes = host_number(read_in(root, directory, "memory.current", room));
    out->limit_bytes = limit_of(read_in(root, directory, "memory.max", room));
    out->cache_bytes = host_value(read_in(root, directory, "memory.stat", room), "inactive_file");
    struct span events = read_in(root, directory, "memory.events", room);
    out->limit_hits = host_value(events, "max");
    out->oom_kills = host_value(events, "oom_kill");
    out->tasks = host_number(read_in(root, directory, "pids.current", room));
    pressure_parse(read_in(root, directory, "cpu.pressure", room), &out->cpu);
    pressure_parse(read_in(root, directory, "memory.pressure", room), &out->memory);
    pressure_parse(read_in(root, directory, "io.pressure", room), &out->io);
}

int control_group_read(const char *root, const struct control_group_place *place, struct text *room,
                       struct control_group *out)
{
    const struct pressure silent = {HOST_UNKNOWN, HOST_UNKNOWN};
    *out = (struct control_group){
        .tasks = HOST_UNKNOWN, .cpu = silent, .memory = silent, .io = silent};
    if (place->two)
        read_two(root, &place->cpu, room, out);
    else
        read_one(root, place, room, out);
    bool any = host_known(out->cpu_us) || host_known(out->memory_bytes);
    return any ? 0 : HOST_NOT_KNOWN;
}
