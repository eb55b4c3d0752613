/* A control group - a container, a service of the system -: what it uses of what it may use. */
#include "base/memory.h"
#include "host/control_group.h"
#include "plug/probe/local.h"
#include "plug/probe/probe_list.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    CPU,
    CPU_QUOTA,
    CPU_OF_QUOTA,
    THROTTLED,
    THROTTLED_TIME,
    MEMORY,
    MEMORY_CACHE,
    MEMORY_LIMIT,
    MEMORY_OF_LIMIT,
    LIMIT_HITS,
    OOM_KILLS,
    TASKS,
    CPU_PRESSURE,
    MEMORY_PRESSURE,
    IO_PRESSURE,
};

static const struct metric metrics[] = {
    [CPU] = LOCAL_METRIC("cgroup.cpu", "processors", "processor time used a second", "cgroup"),
    [CPU_QUOTA] =
        LOCAL_METRIC("cgroup.cpu_quota", "processors", "processor time allowed a second", "cgroup"),
    [CPU_OF_QUOTA] = LOCAL_METRIC("cgroup.cpu_of_quota", "1", "use of that quota", "cgroup"),
    [THROTTLED] =
        LOCAL_METRIC("cgroup.throttled", "1",
                     "share of the quota's periods in which the group was stopped", "cgroup"),
    [THROTTLED_TIME] =
        LOCAL_METRIC("cgroup.throttled_time", "s/s",
                     "time for which it was; summed over processors in version 1", "cgroup"),
    [MEMORY] = LOCAL_METRIC("cgroup.memory", "bytes",
                            "memory used without files that can be dropped", "cgroup"),
    [MEMORY_CACHE] =
        LOCAL_METRIC("cgroup.memory_cache", "bytes", "files that can be dropped", "cgroup"),
    [MEMORY_LIMIT] = LOCAL_METRIC("cgroup.memory_limit", "bytes", "memory allowed", "cgroup"),
    [MEMORY_OF_LIMIT] = LOCAL_METRIC("cgroup.memory_of_limit", "1", "use of that limit", "cgroup"),
    [LIMIT_HITS] = LOCAL_METRIC("cgroup.memory_limit_hits", "1/s",
                                "how often the limit was met and memory had to be found", "cgroup"),
    [OOM_KILLS] =
        LOCAL_METRIC("cgroup.oom_kills", "processes",
                     "processes ended for want of memory since the look before", "cgroup"),
    [TASKS] = LOCAL_METRIC("cgroup.tasks", "tasks", "processes and threads", "cgroup"),
    [CPU_PRESSURE] =
        LOCAL_METRIC("cgroup.cpu_pressure", "1",
                     "share of the time in which some task waited for a processor", "cgroup"),
    [MEMORY_PRESSURE] =
        LOCAL_METRIC("cgroup.memory_pressure", "1", "the same for memory", "cgroup"),
    [IO_PRESSURE] = LOCAL_METRIC("cgroup.io_pressure", "1", "the same for disks", "cgroup"),
    {.name = NULL},
};

struct cgroup_config {
    char *path;
    uint64_t pid;
};

static const struct setting settings[] = {
    {.name = "path",
     .type = SETTING_TEXT,
     .offset = offsetof(struct cgroup_config, path),
     .sentence = "the group, such as /system.slice/nginx.service; self is that of this program"},
    {.name = "pid",
     .type = SETTING_UINT,
     .offset = offsetof(struct cgroup_config, pid),
     .most = 1 << 30,
     .sentence = "a process of the group, in place of its path"},
    {.name = NULL},
};

struct cgroup_probe {
    struct local local;
    struct control_group_place place;
    struct control_group before;
};

static int cgroup_open(const void *config, const struct probe_place *place, void **self,
                       struct text *why)
{
    const struct cgroup_config *wanted = config;
    bool by_path = wanted->path && strcmp(wanted->path, "self") != 0;
    struct control_group_place found;
    int rc = by_path ? control_group_place_at(place->root, wanted->path, &found)
                     : control_group_place_of(place->root, wanted->pid, &found);
    if (rc && by_path)
        text_printf(why, "there is no control group %s", wanted->path);
    else if (rc)
        text_puts(why, "no control group is mounted that counts this process");
    if (rc)
        return PROBE_ABSENT;
    struct cgroup_probe *probe = memory_new(1, sizeof *probe);
    probe->local.place = place;
    probe->place = found;
    *self = probe;
    return 0;
}

static void put_cpu(const struct cgroup_probe *probe, const struct control_group *now,
                    struct probe_sink *sink)
{
    const struct control_group *before = &probe->before;
    double used = local_rate(&probe->local, before->cpu_us, now->cpu_us) / 1e6;
    bool limited = host_known(now->quota_us) && now->quota_us != CONTROL_GROUP_NO_LIMIT &&
                   host_known(now->period_us) && now->period_us > 0;
    double quota = limited ? (double)now->quota_us / (double)now->period_us : NAN;
    double periods = local_known(host_growth(before->periods, now->periods));
    probe_value(sink, CPU_QUOTA, "", quota);
    if (probe->local.elapsed_ns == 0)
        return;
    probe_value(sink, CPU, "", used);
    probe_value(sink, CPU_OF_QUOTA, "", used / quota);
    if (periods > 0)
        probe_value(sink, THROTTLED, "",
                    local_known(host_growth(before->throttled, now->throttled)) / periods);
    probe_value(sink, THROTTLED_TIME, "",
                local_rate(&probe->local, before->throttled_us, now->throttled_us) / 1e6);
}

static void put_memory(const struct cgroup_probe *probe, const struct control_group *now,
                       struct probe_sink *sink)
{
    const struct control_group *before = &probe->before;
    double used = local_known(now->memory_bytes), cache = local_known(now->cache_bytes);
    bool limited = host_known(now->limit_bytes) && now->limit_bytes != CONTROL_GROUP_NO_LIMIT;
    double limit = limited ? (double)now->limit_bytes : NAN;
    if (!isnan(cache))
        used = fmax(0, used - cache);
    probe_value(sink, MEMORY, "", used);
    probe_value(sink, MEMORY_CACHE, "", cache);
    probe_value(sink, MEMORY_LIMIT, "", limit);
    probe_value(sink, MEMORY_OF_LIMIT, "", used / limit);
    if (probe->local.elapsed_ns == 0)
        return;
    uint64_t kills = host_growth(before->oom_kills, now->oom_kills);
    probe_value(sink, LIMIT_HITS, "",
                local_rate(&probe->local, before->limit_hits, now->limit_hits));
    probe_value(sink, OOM_KILLS, "", local_known(kills));
    if (host_known(kills) && kills > 0)
        probe_event(sink, "oom",
                    "the kernel ended %" PRIu64 " process%s of the group for want of "
                    "memory",
                    kills, kills == 1 ? "" : "es");
}

static int cgroup_look(void *self, nsec_t at_ns, struct probe_sink *sink, struct text *why)
{
    struct cgroup_probe *probe = self;
    const struct local *local = &probe->local;
    struct control_group now;
    local_begin(&probe->local, at_ns);
    if (control_group_read(local->place->root, &probe->place, &probe->local.text, &now) != 0) {
        probe->local.last_ns = 0;
        text_puts(why, "the control group is gone");
        return PROBE_GAP;
    }
    put_cpu(probe, &now, sink);
    put_memory(probe, &now, sink);
    probe_value(sink, TASKS, "", local_known(now.tasks));
    if (local->elapsed_ns > 0) {
        const struct control_group *before = &probe->before;
        probe_value(sink, CPU_PRESSURE, "",
                    local_share_us(local, before->cpu.some_us, now.cpu.some_us));
        probe_value(sink, MEMORY_PRESSURE, "",
                    local_share_us(local, before->memory.some_us, now.memory.some_us));
        probe_value(sink, IO_PRESSURE, "",
                    local_share_us(local, before->io.some_us, now.io.some_us));
    }
    probe->before = now;
    return 0;
}

static void cgroup_close(void *self)
{
    struct cgroup_probe *probe = self;
    control_group_place_fini(&probe->place);
    local_fini(&probe->local);
    free(probe);
}

const struct probe probe_cgroup = {
    .name = "cgroup",
    .sentence = "a control group: what it uses of its quota and limit",
    .settings = settings,
    .config_bytes = sizeof(struct cgroup_config),
    .shorthand = "path",
    .metrics = metrics,
    .role = "container",
    .open = cgroup_open,
    .look = cgroup_look,
    .close = cgroup_close,
};
