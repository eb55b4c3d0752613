/* The start is field 22 of /proc/PID/stat; the name before it may hold blanks and brackets, so that
 * fields are counted from its last closing bracket. */
#include "host/process.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STATE_FIELD = 3, START_FIELD = 22 };

/* The state ('R', 'Z', ...) and the start; false when there is no such process. */
static bool read_stat(const char *root, pid_t pid, char *state, uint64_t *start_ticks)
{
    char path[64];
    struct text bytes = TEXT_EMPTY;
    snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
    bool known = host_read(root, path, &bytes) == 0 && bytes.bytes > 0;
    const char *bracket = known ? strrchr(bytes.at, ')') : NULL;
    known = false;
    if (bracket) {
        struct span rest = span_of(bracket + 1);
        for (int field = STATE_FIELD; field <= START_FIELD; field++) {
            struct span word = host_word(&rest);
            if (field == STATE_FIELD && word.bytes)
                *state = word.at[0];
            if (field == START_FIELD)
                *start_ticks = host_number(word);
        }
        known = host_known(*start_ticks);
    }
    text_fini(&bytes);
    return known;
}

int process_mark(const char *root, pid_t pid, struct process_mark *out)
{
    char state = 0;
    uint64_t start_ticks = HOST_UNKNOWN;
    if (!read_stat(root, pid, &state, &start_ticks))
        return HOST_NOT_KNOWN;
    *out = (struct process_mark){.pid = pid, .start_ticks = start_ticks};
    return 0;
}

bool process_runs(const char *root, const struct process_mark *mark)
{
    char state = 0;
    uint64_t start_ticks = HOST_UNKNOWN;
    return read_stat(root, mark->pid, &state, &start_ticks) && start_ticks == mark->start_ticks &&
           state != 'Z' && state != 'X';
}

static bool has_variable(const char *root, pid_t pid, const char *variable)
{
    char path[64];
    struct text bytes = TEXT_EMPTY;
    bool found = false;
    snprintf(path, sizeof path, "/proc/%ld/environ", (long)pid);
    if (host_read(root, path, &bytes) == 0) {
        for (size_t at = 0; at < bytes.bytes && !found; at += strlen(bytes.at + at) + 1)
            found = strcmp(bytes.at + at, variable) == 0;
    }
    text_fini(&bytes);
    return found;
}

void process_find(const char *root, const char *variable,
                  void (*found)(void *self, const struct process_mark *mark), void *self)
{
    struct text path = TEXT_EMPTY;
    text_printf(&path, "%s/proc", root);
    DIR *folder = opendir(path.at);
    text_fini(&path);
    for (struct dirent *entry = folder ? readdir(folder) : NULL; entry; entry = readdir(folder)) {
        uint64_t number = 0;
        struct process_mark mark;
        if (span_uint(span_of(entry->d_name), &number) || number > INT32_MAX ||
            (pid_t)number == getpid())
            continue;
        if (has_variable(root, (pid_t)number, variable) &&
            process_mark(root, (pid_t)number, &mark) == 0 && process_runs(root, &mark))
            found(self, &mark);
    }
    if (folder)
        closedir(folder);
}

void process_boot(const char *root, struct text *out)
{
    struct text bytes = TEXT_EMPTY;
    if (host_read(root, "/proc/sys/kernel/random/boot_id", &bytes) == 0)
        text_put(out, span_trim(text_span(&bytes)));
    text_fini(&bytes);
    text_reserve(out, out->bytes);
}
