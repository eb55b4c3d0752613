/* A row a limit says in which tree and file it stands, for each version. Quotas are written for a
 * period of 100 ms, which is the kernel's own default: shorter ones cost more switches, and longer
 * ones stop a server for longer. */
#include "plug/scaler/group.h"

#include "base/memory.h"
#include "host/file.h"
#include "run/scaler.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PERIOD_US = 100000, LEAST_QUOTA_US = 1000, DIRECTORY_MODE = 0755 };

static const struct limit_row {
    const char *controller, *one, *two; /* and its file in version 1 and 2 */
} rows[GROUP_LIMITS] = {
    [GROUP_CORES] = {"cpu", "cpu.cfs_quota_us", "cpu.max"},
    [GROUP_MEMORY] = {"memory", "memory.limit_in_bytes", "memory.max"},
    [GROUP_CPUSET] = {"cpuset", "cpuset.cpus", "cpuset.cpus"},
};

struct group {
    bool two;
    unsigned limits;
    char *directories[GROUP_LIMITS]; /* by limit; of version 2 all alike; NULL: not asked for */
    char *doors[GROUP_LIMITS + 1];
};

/* ---- files -------------------------------------------------------------------------------- */

static int outcome_of(int error)
{
    if (error == ENOENT || error == ENODEV)
        return SCALER_ABSENT;
    if (error == EACCES || error == EPERM || error == EROFS)
        return SCALER_FORBIDDEN;
    return SCALER_FAILED;
}

static int say_error(const char *what, const char *path, int error, struct text *why)
{
    text_printf(why, "%s can not be %s: %s%s", path, what, strerrordesc_np(error),
                outcome_of(error) == SCALER_FORBIDDEN
                    ? "; run as root, or on a group that was handed to you"
                    : "");
    return outcome_of(error);
}

static int write_file(const char *path, const char *words, struct text *why)
{
    int file = open(path, O_WRONLY | O_CLOEXEC | O_TRUNC);
    if (file < 0)
        return say_error("changed", path, errno, why);
    ssize_t got = write(file, words, strlen(words));
    int error = got < 0 ? errno : 0;
    close(file);
    return error ? say_error("changed", path, error, why) : 0;
}

static int read_file(const char *path, struct text *out, struct text *why)
{
    if (host_read("", path, out) != 0)
        return say_error("read", path, errno ? errno : ENOENT, why);
    return 0;
}

static char *join(const char *directory, const char *file)
{
    struct text path = TEXT_EMPTY;
    text_printf(&path, "%s/%s", directory, file);
    return text_take(&path);
}

static bool exists(const char *path)
{
    return access(path, F_OK) == 0;
}

/* ---- where the trees are ------------------------------------------------------------------ */

/* Whether a list of words as in cgroup.controllers has one. */
static bool has_word(struct span list, const char *word)
{
    list = span_trim(list);
    for (struct span next = host_word(&list); next.bytes; next = host_word(&list))
        if (span_equal(next, span_of(word)))
            return true;
    return false;
}

/* The tree of version 2 when it has all controllers of these limits; else NULL. Owner: caller. */
static char *tree_two(const char *root, unsigned limits)
{
    struct text path = TEXT_EMPTY, words = TEXT_EMPTY;
    text_printf(&path, "%s/sys/fs/cgroup/cgroup.controllers", root);
    bool all = host_read("", path.at, &words) == 0 && words.bytes > 0;
    for (int i = 0; i < GROUP_LIMITS && all; i++)
        if (limits & (1u << i))
            all = has_word(text_span(&words), rows[i].controller);
    text_fini(&path);
    text_fini(&words);
    if (!all)
        return NULL;
    struct text tree = TEXT_EMPTY;
    text_printf(&tree, "%s/sys/fs/cgroup", root);
    return text_take(&tree);
}

/* The tree of a controller of version 1, under either of its usual names; else NULL. */
static char *tree_one(const char *root, const char *controller)
{
    static const char *const ends[] = {"", ",cpuacct"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        struct text tree = TEXT_EMPTY;
        struct stat info;
        text_printf(&tree, "%s/sys/fs/cgroup/%s%s", root, controller, ends[i]);
        if (stat(tree.at, &info) == 0 && S_ISDIR(info.st_mode))
            return text_take(&tree);
        text_fini(&tree);
    }
    return NULL;
}

/* The tree of a limit. */
static char *tree_of(const char *root, int limit, unsigned limits, bool *two)
{
    char *tree = tree_two(root, limits);
    *two = tree != NULL;
    return tree ? tree : tree_one(root, rows[limit].controller);
}

/* ---- making ------------------------------------------------------------------------------- */

/* Version 2: a controller must be switched on in every group above the new one. Those that have it
 * are left alone. */
static int enable(const char *tree, const char *path, unsigned limits, struct text *why)
{
    int rc = 0;
    for (size_t at = 0; rc == 0;) {
        struct text control = TEXT_EMPTY, words = TEXT_EMPTY;
        text_printf(&control, "%s%.*s/cgroup.subtree_control", tree, (int)at, path);
        host_read("", control.at, &words);
        for (int i = 0; i < GROUP_LIMITS && rc == 0; i++) {
            char plus[32];
            snprintf(plus, sizeof plus, "+%s", rows[i].controller);
            if ((limits & (1u << i)) && !has_word(text_span(&words), rows[i].controller))
                rc = write_file(control.at, plus, why);
        }
        text_fini(&control);
        text_fini(&words);
        const char *next = strchr(path + at + 1, '/');
        if (!next)
            return rc;
        at = (size_t)(next - path);
    }
    return rc;
}

/* Version 1: a cpuset takes no process before it names processors and memory nodes. */
static void inherit_cpuset(const char *directory)
{
    static const char *const files[] = {"cpuset.cpus", "cpuset.mems"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct text above = TEXT_EMPTY, words = TEXT_EMPTY, ignored = TEXT_EMPTY;
        char *own = join(directory, files[i]);
        text_printf(&above, "%s/../%s", directory, files[i]);
        if (host_read("", own, &words) == 0 && span_trim(text_span(&words)).bytes == 0 &&
            host_read("", above.at, &words) == 0)
            write_file(own, words.at, &ignored);
        free(own);
        text_fini(&above);
        text_fini(&words);
        text_fini(&ignored);
    }
}

/* Makes the directory and those above it below the tree. */
static int make_directory(const char *directory, size_t tree_bytes, bool cpuset, struct text *why)
{
    char *path = memory_copy_text(directory);
    int rc = 0;
    for (char *slash = strchr(path + tree_bytes + 1, '/');; slash = strchr(slash + 1, '/')) {
        if (slash)
            *slash = '\0';
        if (mkdir(path, DIRECTORY_MODE) && errno != EEXIST)
            rc = say_error("made", path, errno, why);
        else if (cpuset)
            inherit_cpuset(path);
        if (!slash || rc)
            break;
        *slash = '/';
    }
    free(path);
    return rc;
}

static int open_limit(struct group *group, const char *root, const char *path, int limit, bool make,
                      struct text *why)
{
    char *tree = tree_of(root, limit, group->limits, &group->two);
    if (!tree) {
        text_printf(why, "this machine has no control group with \"%s\" under /sys/fs/cgroup",
                    rows[limit].controller);
        return SCALER_ABSENT;
    }
    struct text directory = TEXT_EMPTY;
    text_printf(&directory, "%s%s", tree, path);
    int rc = 0;
    if (make && !exists(directory.at)) {
        rc = group->two ? enable(tree, path, group->limits, why) : 0;
        if (rc == 0)
            rc = make_directory(directory.at, strlen(tree), !group->two && limit == GROUP_CPUSET,
                                why);
    } else if (!exists(directory.at)) {
        text_printf(why, "there is no control group %s", directory.at);
        rc = SCALER_ABSENT;
    }
    free(tree);
    group->directories[limit] = text_take(&directory);
    return rc;
}

int group_open(const char *root, const char *path, unsigned limits, bool make, struct group **out,
               struct text *why)
{
    struct group *group = memory_new(1, sizeof *group);
    size_t doors = 0;
    int rc = 0;
    group->limits = limits;
    for (int i = 0; i < GROUP_LIMITS && rc == 0; i++) {
        if (!(limits & (1u << i)))
            continue;
        rc = open_limit(group, root, path, i, make, why);
        if (rc == 0 && (!group->two || doors == 0))
            group->doors[doors++] = join(group->directories[i], "cgroup.procs");
    }
    if (rc) {
        group_free(group);
        return rc;
    }
    *out = group;
    return 0;
}

struct group *group_free(struct group *group)
{
    if (!group)
        return NULL;
    for (int i = 0; i < GROUP_LIMITS; i++) {
        free(group->directories[i]);
        free(group->doors[i]);
    }
    free(group);
    return NULL;
}

/* The path in /proc/PID/cgroup for a controller ("" in version 2). */
static int path_of_process(const char *root, pid_t pid, const char *controller, struct text *out)
{
    char file[64];
    struct text lines = TEXT_EMPTY;
    int rc = SCALER_ABSENT;
    snprintf(file, sizeof file, pid ? "/proc/%ld/cgroup" : "/proc/self/cgroup", (long)pid);
    host_read(root, file, &lines);
    struct span rest = text_span(&lines);
    while (rest.bytes > 0 && rc) {
        struct span line = host_line(&rest);
        const char *first = line.bytes ? memchr(line.at, ':', line.bytes) : NULL;
        const char *end = line.at + line.bytes;
        const char *second = first ? memchr(first + 1, ':', (size_t)(end - first - 1)) : NULL;
        if (!second)
            continue;
        char names[128];
        snprintf(names, sizeof names, "%.*s", (int)(second - first - 1), first + 1);
        for (char *comma = names; *comma; comma++)
            *comma = *comma == ',' ? ' ' : *comma;
        if (*controller ? !has_word(span_of(names), controller) : *names != '\0')
            continue;
        struct span path = {second + 1, (size_t)(end - second - 1)};
        text_clear(out);
        if (!span_equal(path, SPAN("/")))
            text_put(out, path);
        text_reserve(out, out->bytes);
        rc = 0;
    }
    text_fini(&lines);
    return rc;
}

/* The first of the limits asked for: its tree stands for all. */
static int first_limit(unsigned limits)
{
    int i = 0;
    while (i + 1 < GROUP_LIMITS && !(limits & (1u << i)))
        i++;
    return i;
}

int group_of_process(const char *root, pid_t pid, unsigned limits, struct text *out,
                     struct text *why)
{
    char *two = tree_two(root, limits);
    int rc = path_of_process(root, pid, two ? "" : rows[first_limit(limits)].controller, out);
    free(two);
    if (rc)
        text_printf(why, "process %ld is in no control group that can be told", (long)pid);
    return rc;
}

void group_home(const char *root, unsigned limits, struct text *out)
{
    bool two = false;
    char *tree = tree_of(root, first_limit(limits), limits, &two);
    struct text ignored = TEXT_EMPTY;
    text_clear(out);
    text_reserve(out, 0);
    if (tree && access(tree, W_OK) != 0 && group_of_process(root, 0, limits, out, &ignored) == 0) {
        /* One with processes can have no group with limits below it (version 2), so one above. */
        do {
            while (out->bytes > 0 && out->at[--out->bytes] != '/')
                continue;
            out->at[out->bytes] = '\0';
            text_clear(&ignored);
            text_printf(&ignored, "%s%s", tree, out->at);
        } while (out->bytes > 0 && access(ignored.at, W_OK) != 0);
    }
    text_fini(&ignored);
    free(tree);
}

/* ---- limits ------------------------------------------------------------------------------- */

static char *file_of(const struct group *group, enum group_limit limit)
{
    return join(group->directories[limit], group->two ? rows[limit].two : rows[limit].one);
}

/* The number of a file that has one; "max" and -1 are INFINITY. */
static double number_in(struct span words)
{
    words = span_trim(words);
    struct span first = host_word(&words);
    if (span_equal(first, SPAN("max")) || (first.bytes && first.at[0] == '-'))
        return INFINITY;
    uint64_t number = host_number(first);
    return host_known(number) ? (double)number : NAN;
}

/* The period of a quota: the second word in version 2, a file of its own in version 1. */
static double period_of(const struct group *group, struct span words)
{
    double period = PERIOD_US;
    if (group->two) {
        words = span_trim(words);
        host_word(&words);
        period = number_in(words);
    } else {
        char *file = join(group->directories[GROUP_CORES], "cpu.cfs_period_us");
        struct text bytes = TEXT_EMPTY;
        if (host_read("", file, &bytes) == 0)
            period = number_in(text_span(&bytes));
        text_fini(&bytes);
        free(file);
    }
    return period > 0 ? period : PERIOD_US;
}

int group_read(const struct group *group, enum group_limit limit, double *value, struct text *why)
{
    char *file = file_of(group, limit);
    struct text bytes = TEXT_EMPTY;
    int rc = read_file(file, &bytes, why);
    if (rc == 0) {
        double number = number_in(text_span(&bytes));
        if (limit == GROUP_CORES)
            number /= period_of(group, text_span(&bytes));
        /* Version 1 says "none" as the largest multiple of a page. */
        *value = limit == GROUP_MEMORY && number > 9.2e18 ? INFINITY : number;
    }
    text_fini(&bytes);
    free(file);
    return rc;
}

static int write_cores(const struct group *group, const char *file, double cores, struct text *why)
{
    char words[64];
    double quota = cores * PERIOD_US < LEAST_QUOTA_US ? LEAST_QUOTA_US : cores * PERIOD_US;
    if (group->two && isinf(cores))
        return write_file(file, "max", why);
    if (group->two) {
        snprintf(words, sizeof words, "%.0f %d", quota, PERIOD_US);
        return write_file(file, words, why);
    }
    char *period = join(group->directories[GROUP_CORES], "cpu.cfs_period_us");
    snprintf(words, sizeof words, "%d", PERIOD_US);
    int rc = isinf(cores) ? 0 : write_file(period, words, why);
    snprintf(words, sizeof words, "%.0f", isinf(cores) ? -1.0 : quota);
    if (rc == 0)
        rc = write_file(file, words, why);
    free(period);
    return rc;
}

int group_write(const struct group *group, enum group_limit limit, double value, struct text *why)
{
    char *file = file_of(group, limit), words[64];
    int rc = 0;
    if (limit == GROUP_CORES) {
        rc = write_cores(group, file, value, why);
    } else {
        snprintf(words, sizeof words, "%.0f", value);
        rc = write_file(file, isinf(value) ? (group->two ? "max" : "-1") : words, why);
    }
    free(file);
    return rc;
}

static int save_file(const char *directory, const char *file, struct text *out, struct text *why)
{
    char *path = join(directory, file);
    struct text bytes = TEXT_EMPTY;
    int rc = read_file(path, &bytes, why);
    if (rc == 0) {
        text_printf(out, "%s%s=", out->bytes ? ";" : "", file);
        text_put(out, span_trim(text_span(&bytes)));
    }
    text_fini(&bytes);
    free(path);
    return rc;
}

int group_save(const struct group *group, enum group_limit limit, struct text *out,
               struct text *why)
{
    const char *directory = group->directories[limit];
    struct text saved = TEXT_EMPTY;
    int rc = 0;
    if (!group->two && limit == GROUP_CORES) /* first: a quota is checked against its period */
        rc = save_file(directory, "cpu.cfs_period_us", &saved, why);
    if (rc == 0)
        rc = save_file(directory, group->two ? rows[limit].two : rows[limit].one, &saved, why);
    if (rc == 0)
        text_put(out, text_span(&saved));
    text_fini(&saved);
    return rc;
}

int group_restore(const struct group *group, const char *saved, struct text *why)
{
    int rc = 0;
    while (*saved && rc == 0) {
        size_t length = strcspn(saved, ";"), name = strcspn(saved, "=");
        const char *directory = NULL;
        for (int i = 0; i < GROUP_LIMITS && !directory; i++)
            directory = group->directories[i];
        if (name >= length || memchr(saved, '/', name) || !directory) {
            text_puts(why, "the saved state is none of a control group");
            return SCALER_FAILED;
        }
        struct text path = TEXT_EMPTY, words = TEXT_EMPTY;
        text_printf(&path, "%s/%.*s", directory, (int)name, saved);
        text_put(&words, (struct span){saved + name + 1, length - name - 1});
        rc = write_file(path.at, words.bytes ? words.at : "\n", why);
        if (rc)
            text_printf(why, "; by hand: echo '%s' > %s", words.at, path.at);
        text_fini(&path);
        text_fini(&words);
        saved += length + (saved[length] == ';');
    }
    return rc;
}

int group_read_cpuset(const struct group *group, struct text *cpus, struct text *why)
{
    char *file = file_of(group, GROUP_CPUSET);
    struct text bytes = TEXT_EMPTY;
    int rc = read_file(file, &bytes, why);
    if (rc == 0)
        text_put(cpus, span_trim(text_span(&bytes)));
    text_reserve(cpus, cpus->bytes);
    text_fini(&bytes);
    free(file);
    return rc;
}

int group_write_cpuset(const struct group *group, const char *cpus, struct text *why)
{
    char *file = file_of(group, GROUP_CPUSET);
    int rc = write_file(file, *cpus ? cpus : "\n", why);
    free(file);
    return rc;
}

/* ---- who is in it ------------------------------------------------------------------------- */

const char *const *group_doors(const struct group *group)
{
    return (const char *const *)group->doors;
}

int group_enter(const struct group *group, pid_t pid, struct text *why)
{
    char words[32];
    int rc = 0;
    snprintf(words, sizeof words, "%ld", (long)pid);
    for (size_t i = 0; group->doors[i] && rc == 0; i++)
        rc = write_file(group->doors[i], words, why);
    return rc;
}

int group_processes(const struct group *group, void (*found)(void *self, pid_t pid), void *self,
                    struct text *why)
{
    struct text bytes = TEXT_EMPTY;
    int rc = group->doors[0] ? read_file(group->doors[0], &bytes, why) : 0;
    struct span rest = text_span(&bytes);
    while (rest.bytes > 0) {
        uint64_t pid = host_number(host_line(&rest));
        if (host_known(pid))
            found(self, (pid_t)pid);
    }
    text_fini(&bytes);
    return rc;
}

int group_remove(const struct group *group, struct text *why)
{
    int rc = 0;
    for (int i = 0; i < GROUP_LIMITS; i++)
        if (group->directories[i] && rmdir(group->directories[i]) && errno != ENOENT && rc == 0)
            rc = say_error("removed", group->directories[i], errno, why);
    return rc;
}
