/* The file may be removed by one that gives the lock back while another waits to open it: who got
 * the lock of a file that is no longer the one of that name tries again. */
#include "run/lock.h"

#include "base/memory.h"
#include "base/random.h"
#include "plan/mask.h"
#include "run/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MODE = 0644, MOST_TRIES = 20, WORDS_ROOM = 8192 };

struct lock {
    int file;
    char *path;
};

/* Locks are named after the target by a number, as its letters may not stand in a file's name. */
static char *path_of(const char *directory, const char *target)
{
    struct text path = TEXT_EMPTY;
    struct stat info;
    if (!directory)
        directory =
            stat("/run/lock", &info) == 0 && access("/run/lock", W_OK) == 0 ? "/run/lock" : "/tmp";
    text_printf(&path, "%s/plimsoll-%016llx.lock", directory,
                (unsigned long long)random_key(0, target, 0));
    return text_take(&path);
}

static int open_file(const char *path)
{
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
    if (file < 0 && errno == EACCES) /* another user's */
        file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    return file < 0 ? -errno : file;
}

static bool is_still(int file, const char *path)
{
    struct stat held, named;
    return fstat(file, &held) == 0 && stat(path, &named) == 0 && held.st_ino == named.st_ino &&
           held.st_dev == named.st_dev;
}

/* "PID START\nTARGET\nJOURNAL\n" */
static void read_words(int file, char words[WORDS_ROOM])
{
    ssize_t got = pread(file, words, WORDS_ROOM - 1, 0);
    words[got > 0 ? got : 0] = '\0';
}

static const char *journal_in(char *words)
{
    char *line = strchr(words, '\n');
    line = line ? strchr(line + 1, '\n') : NULL;
    if (!line)
        return NULL;
    char *end = strchr(line + 1, '\n');
    if (!end)
        return NULL;
    *end = '\0';
    return line + 1;
}

static void say_taken(char *words, const char *target, struct text *why)
{
    long pid = strtol(words, NULL, 10);
    const char *journal = journal_in(words);
    text_puts(why, "another suite is at ");
    text_put_masked(why, target);
    text_printf(why, ": process %ld", pid);
    if (journal)
        text_printf(why, ", with %s", journal);
    text_puts(why, "; wait for it, or end it with plimsoll stop");
}

/* Whether the last holder left changes behind. */
static bool left_changes(char *words, struct text *why)
{
    struct journal_record record;
    const char *journal = journal_in(words);
    if (!journal || journal_read(journal, &record) != 0)
        return false;
    bool left = journal_unfinished(&record);
    if (left)
        text_printf(why,
                    "an earlier suite ended before it could undo its changes; undo them first: "
                    "plimsoll rollback %s",
                    journal);
    journal_record_fini(&record);
    return left;
}

static int write_words(struct lock *lock, const char *target, const char *journal)
{
    struct process_mark own = {.pid = getpid()};
    struct text words = TEXT_EMPTY;
    process_mark("", getpid(), &own);
    text_printf(&words, "%ld %llu\n", (long)own.pid, (unsigned long long)own.start_ticks);
    text_put_masked(&words, target);
    text_printf(&words, "\n%s\n", journal);
    int rc =
        ftruncate(lock->file, 0) || pwrite(lock->file, words.at, words.bytes, 0) < 0 ? -errno : 0;
    text_fini(&words);
    return rc == -EINVAL || rc == -EBADF ? 0 : rc; /* another user's file: its lock is enough */
}

/* Opens and locks the file of this name. Returns a descriptor, LOCK_TAKEN as -EWOULDBLOCK with its
 * words, or -errno. */
static int take_file(const char *path, char words[WORDS_ROOM])
{
    for (int i = 0; i < MOST_TRIES; i++) {
        int file = open_file(path);
        if (file < 0)
            return file;
        int rc = flock(file, LOCK_EX | LOCK_NB) ? -errno : 0;
        read_words(file, words);
        if (rc == 0 && is_still(file, path))
            return file;
        close(file);
        if (rc)
            return rc;
    }
    return -EBUSY;
}

int lock_take(const char *directory, const char *target, const char *journal, struct lock **out,
              struct text *why)
{
    char words[WORDS_ROOM];
    char *path = path_of(directory, target);
    int file = take_file(path, words);
    if (file == -EWOULDBLOCK)
        say_taken(words, target, why);
    struct lock lock = {.file = file, .path = path};
    int rc = file == -EWOULDBLOCK ? LOCK_TAKEN : file < 0 ? file : 0;
    if (rc == 0 && left_changes(words, why))
        rc = LOCK_UNFINISHED;
    if (rc == 0)
        rc = write_words(&lock, target, journal);
    if (rc) {
        if (file >= 0)
            close(file);
        free(path);
        return rc;
    }
    *out = memory_new(1, sizeof lock);
    **out = lock;
    return 0;
}

struct lock *lock_free(struct lock *lock, bool unfinished)
{
    if (!lock)
        return NULL;
    if (!unfinished)
        unlink(lock->path);
    close(lock->file);
    free(lock->path);
    free(lock);
    return NULL;
}
