/* host/usage.c - the name in stat stands in parentheses and may itself hold any byte, so that
 * columns are counted from the last closing one (proc(5)). */
#include "host/usage.h"

#include "base/memory.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Columns behind the name, from 0. */
enum {
    STATE = 0,
    PARENT = 1,
    USER = 11,
    SYSTEM = 12,
    CHILD_USER = 13,
    CHILD_SYSTEM = 14,
    THREADS = 17,
    START = 19,
    RSS = 21,
    COLUMNS = 22
};

int usage_parse(struct span text, struct usage_stat *out)
{
    const char *open = text.bytes ? memchr(text.at, '(', text.bytes) : NULL;
    const char *close = text.bytes ? memrchr(text.at, ')', text.bytes) : NULL;
    if (!open || !close || close < open)
        return HOST_NOT_KNOWN;
    struct span rest = {close + 1, text.bytes - (size_t)(close + 1 - text.at)};
    uint64_t columns[COLUMNS];
    *out = (struct usage_stat){.pid = host_number(text)};
    for (int i = 0; i < COLUMNS; i++) {
        struct span word = host_word(&rest);
        columns[i] = host_number(word);
        if (i == STATE && word.bytes == 1)
            out->state = word.at[0];
    }
    if (!host_known(columns[START]) || !host_known(columns[USER]) || !out->state)
        return HOST_NOT_KNOWN;
    size_t bytes = (size_t)(close - open - 1);
    memcpy(out->name, open + 1, bytes < USAGE_NAME ? bytes : USAGE_NAME - 1);
    out->parent = columns[PARENT];
    out->own_ticks = columns[USER] + columns[SYSTEM];
    out->child_ticks = columns[CHILD_USER] + columns[CHILD_SYSTEM];
    out->threads = columns[THREADS];
    out->start_ticks = columns[START];
    out->rss_pages = columns[RSS];
    return 0;
}

uint64_t usage_ticks_now(void)
{
    struct timespec now = {0};
    clock_gettime(CLOCK_BOOTTIME, &now);
    return (uint64_t)now.tv_sec * USAGE_TICKS +
           (uint64_t)now.tv_nsec / (uint64_t)(NSEC_PER_SEC / USAGE_TICKS);
}

static int read_of(const char *root, uint64_t pid, const char *file, struct text *out)
{
    char path[80];
    snprintf(path, sizeof path, "/proc/%llu/%s", (unsigned long long)pid, file);
    return host_read(root, path, out);
}

int usage_read(const char *root, uint64_t pid, struct text *room, struct usage_stat *out)
{
    if (read_of(root, pid, "stat", room) != 0)
        return HOST_NOT_KNOWN;
    return usage_parse(text_span(room), out);
}

/* ---- directories ----------------------------------------------------------------------------- */

static DIR *open_of(const char *root, uint64_t pid, const char *name)
{
    struct text path = TEXT_EMPTY;
    text_printf(&path, "%s/proc/", strcmp(root, "/") == 0 ? "" : root);
    if (pid)
        text_printf(&path, "%llu/%s", (unsigned long long)pid, name);
    DIR *directory = opendir(path.at);
    text_fini(&path);
    return directory;
}

/* The next entry that is a number; HOST_UNKNOWN at the end. */
static uint64_t next_number(DIR *directory)
{
    for (const struct dirent *entry = readdir(directory); entry; entry = readdir(directory)) {
        uint64_t number = host_number(span_of(entry->d_name));
        if (host_known(number))
            return number;
    }
    return HOST_UNKNOWN;
}

static int compare_pids(const void *one, const void *other)
{
    const uint64_t *a = one, *b = other;
    return (*a > *b) - (*a < *b);
}

size_t usage_pids_read(const char *root, struct usage_pids *list)
{
    DIR *directory = open_of(root, 0, "");
    bool sorted = true;
    list->count = 0;
    if (!directory)
        return 0;
    for (uint64_t pid = next_number(directory); host_known(pid); pid = next_number(directory)) {
        if (list->count == list->room) {
            list->room = list->room ? 2 * list->room : 256;
            list->pids = memory_resize(list->pids, list->room, sizeof *list->pids);
        }
        sorted = sorted && (list->count == 0 || list->pids[list->count - 1] < pid);
        list->pids[list->count++] = pid;
    }
    closedir(directory);
    if (!sorted)
        qsort(list->pids, list->count, sizeof *list->pids, compare_pids);
    return list->count;
}

void usage_pids_fini(struct usage_pids *list)
{
    free(list->pids);
    *list = (struct usage_pids){.pids = NULL};
}

/* ---- threads --------------------------------------------------------------------------------- */

static uint64_t plus(uint64_t sum, uint64_t more)
{
    return host_known(sum) && host_known(more) ? sum + more : HOST_UNKNOWN;
}

static void add_thread(const char *root, uint64_t pid, uint64_t thread, struct text *room,
                       struct usage_threads *out)
{
    char file[64];
    snprintf(file, sizeof file, "task/%llu/schedstat", (unsigned long long)thread);
    if (read_of(root, pid, file, room) == 0) {
        struct span words = span_trim(text_span(room));
        host_word(&words); /* time on a processor */
        out->run_delay_ns = plus(out->run_delay_ns, host_number(host_word(&words)));
    }
    snprintf(file, sizeof file, "task/%llu/status", (unsigned long long)thread);
    if (read_of(root, pid, file, room) != 0)
        return;
    out->voluntary = plus(out->voluntary, host_value(text_span(room), "voluntary_ctxt_switches"));
    out->involuntary =
        plus(out->involuntary, host_value(text_span(room), "nonvoluntary_ctxt_switches"));
}

void usage_read_threads(const char *root, uint64_t pid, struct text *room,
                        struct usage_threads *out)
{
    *out = (struct usage_threads){HOST_UNKNOWN, HOST_UNKNOWN, HOST_UNKNOWN};
    DIR *directory = open_of(root, pid, "task");
    if (!directory)
        return;
    *out = (struct usage_threads){0};
    for (uint64_t thread = next_number(directory); host_known(thread);
         thread = next_number(directory))
        add_thread(root, pid, thread, room, out);
    closedir(directory);
}

/* ---- the rest -------------------------------------------------------------------------------- */

void usage_read_io(const char *root, uint64_t pid, struct text *room, struct usage_io *out)
{
    read_of(root, pid, "io", room);
    out->read_bytes = host_value(text_span(room), "read_bytes");
    out->written_bytes = host_value(text_span(room), "write_bytes");
}

uint64_t usage_pss_bytes(const char *root, uint64_t pid, struct text *room)
{
    if (read_of(root, pid, "smaps_rollup", room) != 0)
        return HOST_UNKNOWN;
    uint64_t kib = host_value(text_span(room), "Pss");
    return host_known(kib) ? 1024 * kib : HOST_UNKNOWN;
}

/* Since Linux 6.2 the size of the directory is the number of descriptors; before, it is 0. */
uint64_t usage_descriptors(const char *root, uint64_t pid)
{
    struct text path = TEXT_EMPTY;
    struct stat status;
    text_printf(&path, "%s/proc/%llu/fd", strcmp(root, "/") == 0 ? "" : root,
                (unsigned long long)pid);
    bool sized = stat(path.at, &status) == 0 && *root == '\0' && status.st_size > 0;
    bool may = access(path.at, R_OK) == 0;
    text_fini(&path);
    if (!may)
        return HOST_UNKNOWN;
    if (sized)
        return (uint64_t)status.st_size;
    DIR *directory = open_of(root, pid, "fd");
    uint64_t count = 0;
    if (!directory)
        return HOST_UNKNOWN;
    while (host_known(next_number(directory)))
        count++;
    closedir(directory);
    return count;
}

int usage_command(const char *root, uint64_t pid, struct text *out)
{
    int rc = read_of(root, pid, "cmdline", out);
    for (size_t i = 0; i + 1 < out->bytes; i++)
        if (out->at[i] == '\0')
            out->at[i] = ' ';
    return rc;
}

bool usage_has_socket(const char *root, uint64_t pid, const uint64_t *inodes, int count)
{
    DIR *directory = open_of(root, pid, "fd");
    bool found = false;
    if (!directory)
        return false;
    for (uint64_t fd = next_number(directory); host_known(fd) && !found;
         fd = next_number(directory)) {
        char path[400], target[64];
        snprintf(path, sizeof path, "%s/proc/%llu/fd/%llu", root, (unsigned long long)pid,
                 (unsigned long long)fd);
        ssize_t bytes = readlink(path, target, sizeof target - 1);
        target[bytes > 0 ? bytes : 0] = '\0';
        if (strncmp(target, "socket:[", 8) != 0)
            continue;
        char *end = NULL;
        uint64_t inode = strtoull(target + 8, &end, 10);
        for (int i = 0; i < count && !found; i++)
            found = *end == ']' && inodes[i] == inode;
    }
    closedir(directory);
    return found;
}
