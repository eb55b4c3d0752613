/* One line: process number and start. */
#include "run/stop_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { FILE_MODE = 0600 };

static void put_path(const char *run_path, struct text *out)
{
    text_printf(out, "%s" STOP_FILE_END, run_path);
}

void stop_file_write(const char *run_path)
{
    struct text path = TEXT_EMPTY, words = TEXT_EMPTY;
    struct process_mark own = {.pid = getpid()};
    put_path(run_path, &path);
    process_mark("", getpid(), &own);
    text_printf(&words, "%ld %llu\n", (long)own.pid, (unsigned long long)own.start_ticks);
    int file = open(path.at, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
    if (file >= 0) {
        if (write(file, words.at, words.bytes) != (ssize_t)words.bytes)
            unlink(path.at);
        close(file);
    }
    text_fini(&path);
    text_fini(&words);
}

void stop_file_remove(const char *run_path)
{
    struct text path = TEXT_EMPTY;
    put_path(run_path, &path);
    unlink(path.at);
    text_fini(&path);
}

int stop_file_read(const char *path, struct process_mark *out)
{
    struct text words = TEXT_EMPTY;
    int rc = STOP_FILE_NONE;
    if (host_read("", path, &words) == 0) {
        struct span rest = span_trim(text_span(&words));
        uint64_t pid = host_number(host_word(&rest)), start = host_number(host_word(&rest));
        if (host_known(pid) && host_known(start) && pid > 1 && pid < INT32_MAX) {
            *out = (struct process_mark){.pid = (pid_t)pid, .start_ticks = start};
            rc = 0;
        }
    }
    text_fini(&words);
    return rc;
}
