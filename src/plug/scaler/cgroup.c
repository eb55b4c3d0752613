/* cgroup: a limit of processors, memory or a set of processors, changed while the service runs:
 * that of a group that is there, or of a group made for one process, which is put back into its own
 * group afterwards. Where systemd or a container engine manages the group, theirs is the better
 * way, since it knows of the change: scalers systemd, docker, kubernetes. */
#include "base/memory.h"
#include "host/process.h"
#include "plug/scaler/group.h"
#include "plug/scaler/scaler_list.h"
#include "plug/scaler/token.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

struct cgroup_config {
    char *group, *pidfile;
    uint64_t pid;
    int limit; /* enum group_limit */
};

struct cgroup_scaler {
    const struct cgroup_config *config;
    const struct scaler_place *place;
    struct group *group;
    struct text path;            /* of the group */
    struct text from;            /* where the process is now, when it is to be moved; or empty */
    struct process_mark process; /* pid 0: none is moved */
    bool moved;
};

#define CONFIG(member) offsetof(struct cgroup_config, member)

static const struct setting_word limit_words[] = {
    {"cpu", "processor time, in cores"},
    {"memory", "memory, in bytes"},
    {"cpuset", "how many processors, the first ones of those allowed"},
    {NULL, NULL}};

static const struct setting settings[] = {
    {.name = "group",
     .type = SETTING_TEXT,
     .offset = CONFIG(group),
     .sentence = "path of the group below /sys/fs/cgroup (version 1: below a controller)"},
    {.name = "pid",
     .type = SETTING_UINT,
     .offset = CONFIG(pid),
     .most = 4194304,
     .unset = "0",
     .sentence = "in place of a group: this process, in a group made for it"},
    {.name = "pidfile",
     .type = SETTING_PATH,
     .offset = CONFIG(pidfile),
     .sentence = "the same, with its number in a file"},
    {.name = "limit",
     .type = SETTING_CHOICE,
     .offset = CONFIG(limit),
     .words = limit_words,
     .unset = "cpu",
     .sentence = "what the size is"},
    {.name = NULL},
};

static const char *unit_of(int limit)
{
    static const char *const units[GROUP_LIMITS] = {"cores", "bytes", "processors"};
    return units[limit];
}

/* ---- opening ------------------------------------------------------------------------------ */

static int find_process(struct cgroup_scaler *scaler, struct text *why)
{
    uint64_t pid = scaler->config->pid;
    if (scaler->config->pidfile)
        pid = host_read_number("", scaler->config->pidfile);
    if (!host_known(pid) || pid == 0) {
        text_printf(why, "%s holds no process number", scaler->config->pidfile);
        return SCALER_ABSENT;
    }
    if (process_mark(scaler->place->root, (pid_t)pid, &scaler->process)) {
        text_printf(why, "there is no process %llu", (unsigned long long)pid);
        return SCALER_ABSENT;
    }
    unsigned limits = 1u << scaler->config->limit;
    struct token token = token_new();
    int rc = group_of_process(scaler->place->root, (pid_t)pid, limits, &scaler->from, why);
    group_home(scaler->place->root, limits, &scaler->path);
    text_printf(&scaler->path, "/plimsoll-%s", token_number(&token));
    return rc;
}

static void cgroup_close(void *self)
{
    struct cgroup_scaler *scaler = self;
    group_free(scaler->group);
    text_fini(&scaler->path);
    text_fini(&scaler->from);
    free(scaler);
}

static int cgroup_open(const void *settings_of, const struct scaler_place *place, void **self,
                       struct text *why)
{
    const struct cgroup_config *config = settings_of;
    if ((config->group != NULL) + (config->pid != 0) + (config->pidfile != NULL) != 1) {
        text_puts(why, "say one of group, pid and pidfile");
        return SCALER_FAILED;
    }
    struct cgroup_scaler *scaler = memory_new(1, sizeof *scaler);
    *scaler = (struct cgroup_scaler){.config = config, .place = place};
    int rc = 0;
    if (config->group) {
        const char *path = config->group + strspn(config->group, "/");
        text_printf(&scaler->path, "%s%s", *path ? "/" : "", path);
        rc = group_open(place->root, scaler->path.at, 1u << config->limit, false, &scaler->group,
                        why);
    } else {
        rc = find_process(scaler, why);
    }
    if (rc) {
        cgroup_close(scaler);
        return rc;
    }
    *self = scaler;
    return 0;
}

/* ---- sizes -------------------------------------------------------------------------------- */

/* How many processors a list such as "0-3,8" names. */
static double count_of(const char *cpus)
{
    uint64_t count = host_list_count(span_of(cpus));
    return host_known(count) ? (double)count : NAN;
}

/* The first so many of a list, as a list. Returns how many there were. */
static size_t first_of(const char *cpus, size_t count, struct text *out)
{
    size_t taken = 0;
    while (*cpus && taken < count) {
        char *end = NULL;
        unsigned long first = strtoul(cpus, &end, 10), last = first;
        if (end == cpus)
            break;
        if (*end == '-')
            last = strtoul(end + 1, &end, 10);
        for (; first <= last && taken < count; first++)
            text_printf(out, "%s%lu", taken++ ? "," : "", first);
        cpus = end + (*end == ',');
    }
    text_reserve(out, out->bytes);
    return taken;
}

static int read_size(const struct cgroup_scaler *scaler, double *size, struct text *why)
{
    struct text cpus = TEXT_EMPTY;
    if (scaler->config->limit != GROUP_CPUSET)
        return group_read(scaler->group, (enum group_limit)scaler->config->limit, size, why);
    int rc = group_read_cpuset(scaler->group, &cpus, why);
    if (rc == 0)
        *size = cpus.bytes ? count_of(cpus.at) : INFINITY;
    text_fini(&cpus);
    return rc;
}

static int write_cpuset(const struct cgroup_scaler *scaler, double size, struct text *why)
{
    struct text online = TEXT_EMPTY, cpus = TEXT_EMPTY;
    size_t count = size < 1 ? 1 : (size_t)(size + 0.5);
    host_read(scaler->place->root, "/sys/devices/system/cpu/online", &online);
    text_reserve(&online, online.bytes);
    size_t there = first_of(online.at, count, &cpus);
    int rc = SCALER_FAILED;
    if (there < count)
        text_printf(why, "%zu processors are wanted, and this machine has %zu", count, there);
    else
        rc = group_write_cpuset(scaler->group, cpus.at, why);
    text_fini(&online);
    text_fini(&cpus);
    return rc;
}

/* ---- the contract ------------------------------------------------------------------------- */

static int cgroup_look(void *self, struct scaler_view *out, struct text *why)
{
    struct cgroup_scaler *scaler = self;
    double size = INFINITY; /* of a group that is not made yet */
    int rc = scaler->group ? read_size(scaler, &size, why) : 0;
    if (rc == 0)
        *out = (struct scaler_view){.instances = NAN,
                                    .ready = NAN,
                                    .size = size,
                                    .size_unit = unit_of(scaler->config->limit)};
    return rc;
}

/* "set GROUP FILES" of a group that is there; "move GROUP FROM" of one that is made. Tabs between,
 * which no path of a control group has. */
static int cgroup_save(void *self, struct text *state, struct text *why)
{
    struct cgroup_scaler *scaler = self;
    if (scaler->process.pid) {
        text_printf(state, "move\t%s\t%s", scaler->path.at, scaler->from.at);
        return 0;
    }
    text_printf(state, "set\t%s\t", scaler->path.at);
    return group_save(scaler->group, (enum group_limit)scaler->config->limit, state, why);
}

static int move_there(struct cgroup_scaler *scaler, struct text *why)
{
    if (!scaler->process.pid || scaler->moved)
        return 0;
    if (!process_runs(scaler->place->root, &scaler->process)) {
        text_printf(why, "process %ld has ended", (long)scaler->process.pid);
        return SCALER_ABSENT;
    }
    int rc = group_open(scaler->place->root, scaler->path.at, 1u << scaler->config->limit, true,
                        &scaler->group, why);
    if (rc == 0)
        rc = group_enter(scaler->group, scaler->process.pid, why);
    scaler->moved = rc == 0;
    return rc;
}

static int cgroup_apply(void *self, const struct scaler_goal *goal, struct text *why)
{
    struct cgroup_scaler *scaler = self;
    if (isnan(goal->size))
        return 0;
    int rc = move_there(scaler, why);
    if (rc)
        return rc;
    if (scaler->config->limit == GROUP_CPUSET)
        return write_cpuset(scaler, goal->size, why);
    return group_write(scaler->group, (enum group_limit)scaler->config->limit,
                       goal->size > 0 ? goal->size : INFINITY, why);
}

struct way_back {
    struct group *group;
    struct text *why;
    int rc;
};

static void move_back(void *self, pid_t pid)
{
    struct way_back *way = self;
    struct text ignored = TEXT_EMPTY; /* one that ended meanwhile is no failure */
    group_enter(way->group, pid, &ignored);
    text_fini(&ignored);
}

/* Moves what is in a group of ours to where it was, and removes the group. */
static int undo_move(struct cgroup_scaler *scaler, const char *path, const char *from,
                     struct text *why)
{
    unsigned limits = 1u << scaler->config->limit;
    struct group *own = NULL, *back = NULL;
    struct text ignored = TEXT_EMPTY;
    int rc = 0;
    if (group_open(scaler->place->root, path, limits, false, &own, &ignored) == 0) {
        rc = group_open(scaler->place->root, from, limits, false, &back, why);
        struct way_back way = {.group = back};
        if (rc == 0)
            rc = group_processes(own, move_back, &way, why);
        if (rc == 0)
            rc = group_remove(own, why);
        if (rc)
            text_printf(why, "; by hand: move what is in %s to %s and rmdir it", path, from);
    }
    text_fini(&ignored);
    group_free(own);
    group_free(back);
    scaler->group = group_free(scaler->group);
    scaler->moved = false;
    return rc;
}

static int undo_set(const struct cgroup_scaler *scaler, const char *path, const char *saved,
                    struct text *why)
{
    struct group *group = NULL;
    int rc = group_open(scaler->place->root, path, 1u << scaler->config->limit, false, &group, why);
    if (rc == 0)
        rc = group_restore(group, saved, why);
    group_free(group);
    return rc;
}

static int cgroup_restore(void *self, const char *state, struct text *why)
{
    struct cgroup_scaler *scaler = self;
    char *copy = memory_copy_text(state);
    char *path = strchr(copy, '\t'), *rest = path ? strchr(path + 1, '\t') : NULL;
    int rc = SCALER_FAILED;
    if (!rest) {
        text_puts(why, "the saved state is none of this scaler");
    } else {
        *path++ = '\0';
        *rest++ = '\0';
        bool moved = strcmp(copy, "move") == 0 && strstr(path, "/plimsoll-");
        rc = moved ? undo_move(scaler, path, rest, why) : undo_set(scaler, path, rest, why);
    }
    free(copy);
    return rc;
}

const struct scaler scaler_cgroup = {
    .name = "cgroup",
    .sentence = "processor time, memory or processors of a control group, while it runs",
    .settings = settings,
    .config_bytes = sizeof(struct cgroup_config),
    .axes = SCALER_SIZE,
    .size_unit = "cores",
    .open = cgroup_open,
    .look = cgroup_look,
    .save = cgroup_save,
    .apply = cgroup_apply,
    .restore = cgroup_restore,
    .close = cgroup_close,
};
