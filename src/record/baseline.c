/* Baselines as directories of copies; see baseline.h. The new one is filled under a hidden name of
 * this process, brought to the disk, and exchanged for the old one in one system call. */
#include "record/baseline.h"

#include "base/memory.h"
#include "record/path.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAME_MOST = 100, PIECE_BYTES = 65536 };

bool baseline_name_fits(const char *name)
{
    size_t bytes = strlen(name);
    static const char fitting[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789._-";
    return bytes > 0 && bytes <= NAME_MOST && name[0] != '.' && strspn(name, fitting) == bytes;
}

static char *join(const char *directory, const char *name)
{
    struct text path = TEXT_EMPTY;
    text_printf(&path, "%s/%s", directory, name);
    return text_take(&path);
}

char *baseline_path(const char *directory, const char *name)
{
    return join(directory, name);
}

/* ---- lists ----------------------------------------------------------------------------------- */

static int by_words(const void *one, const void *other)
{
    return strcmp(*(char *const *)one, *(char *const *)other);
}

static bool is_run(const char *name)
{
    size_t bytes = strlen(name), ending = strlen(RUN_FILE_ENDING);
    return name[0] != '.' && bytes > ending && strcmp(name + bytes - ending, RUN_FILE_ENDING) == 0;
}

/* The run files of a directory by path, or its directories by name. */
static int list_directory(const char *directory, bool runs, char ***out)
{
    size_t count = 0;
    DIR *folder = opendir(directory);
    if (!folder)
        return -errno;
    char **list = memory_new(1, sizeof *list);
    for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
        char *path = join(directory, entry->d_name);
        struct stat status;
        bool there = stat(path, &status) == 0;
        bool fits = runs ? is_run(entry->d_name) && there && S_ISREG(status.st_mode)
                         : baseline_name_fits(entry->d_name) && there && S_ISDIR(status.st_mode);
        if (fits) {
            list = memory_resize(list, count + 2, sizeof *list);
            list[count++] = runs ? path : memory_copy_text(entry->d_name);
            list[count] = NULL;
        }
        if (!fits || !runs)
            free(path);
    }
    closedir(folder);
    qsort(list, count, sizeof *list, by_words);
    *out = list;
    return 0;
}

int baseline_names(const char *directory, char ***out)
{
    return list_directory(directory, false, out);
}

int baseline_runs(const char *directory, const char *name, char ***out)
{
    if (!baseline_name_fits(name))
        return -ENOENT;
    char *path = join(directory, name);
    int error = list_directory(path, true, out);
    free(path);
    return error;
}

void baseline_list_free(char **list)
{
    for (char **at = list; at && *at; at++)
        free(*at);
    free(list);
}

/* ---- copies ---------------------------------------------------------------------------------- */

static int write_all(int fd, const char *bytes, size_t count)
{
    while (count) {
        ssize_t written = write(fd, bytes, count);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return -errno;
        bytes += written;
        count -= (size_t)written;
    }
    return 0;
}

static int copy_bytes(int from, int to)
{
    char *piece = memory_new(PIECE_BYTES, 1);
    int error = 0;
    for (ssize_t got = 1; got > 0 && error == 0;) {
        got = read(from, piece, PIECE_BYTES);
        if (got > 0)
            error = write_all(to, piece, (size_t)got);
        else if (got < 0 && errno == EINTR)
            got = 1;
        else if (got < 0)
            error = -errno;
    }
    free(piece);
    if (error == 0 && fsync(to) != 0)
        error = -errno;
    return error;
}

/* Copies a file into a directory, under its own name or, where that is taken, with a number. */
static int copy_file(const char *path, const char *directory)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    size_t stem = strlen(name) - (is_run(name) ? strlen(RUN_FILE_ENDING) : 0);
    int from = open(path, O_RDONLY | O_CLOEXEC), to = -1;
    if (from < 0)
        return -errno;
    for (unsigned number = 1; to < 0; number++) {
        struct text copy = TEXT_EMPTY;
        text_printf(&copy, "%s/%.*s", directory, (int)stem, name);
        if (number > 1)
            text_printf(&copy, "-%u", number);
        text_puts(&copy, RUN_FILE_ENDING);
        to = open(copy.at, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        text_fini(&copy);
        if (to < 0 && errno != EEXIST)
            break;
    }
    int error = to < 0 ? -errno : copy_bytes(from, to);
    if (to >= 0 && close(to) != 0 && error == 0)
        error = -errno;
    close(from);
    return error;
}

static int remove_directory(const char *path)
{
    char **runs = NULL;
    int error = list_directory(path, true, &runs);
    for (char **run = runs; run && *run && error == 0; run++)
        if (unlink(*run) != 0)
            error = -errno;
    baseline_list_free(runs);
    if (error == 0 && rmdir(path) != 0)
        error = -errno;
    return error;
}

/* Puts the draft in the place of what is there, if anything. */
static int put_in_place(const char *draft, const char *place)
{
    if (renameat2(AT_FDCWD, draft, AT_FDCWD, place, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno == EEXIST && renameat2(AT_FDCWD, draft, AT_FDCWD, place, RENAME_EXCHANGE) == 0)
        return remove_directory(draft);
    if (errno != EINVAL && errno != ENOSYS)
        return -errno;
    /* A file system that can not exchange: the old one goes first. */
    int error = remove_directory(place);
    if (error == 0 || error == -ENOENT)
        error = rename(draft, place) == 0 ? 0 : -errno;
    return error;
}

static char *draft_path(const char *directory, const char *name)
{
    struct text path = TEXT_EMPTY;
    text_printf(&path, "%s/.%s.%ld", directory, name, (long)getpid());
    return text_take(&path);
}

int baseline_store(const char *directory, const char *name, const char *const *paths, size_t count,
                   bool more)
{
    if (!baseline_name_fits(name) || count == 0)
        return -EINVAL;
    char *place = join(directory, name), *draft = draft_path(directory, name), **old = NULL;
    int error = mkdir(draft, 0777) == 0 ? 0 : -errno;
    bool made = error == 0;
    if (more && made && baseline_runs(directory, name, &old) == 0)
        for (char **run = old; *run && error == 0; run++)
            error = copy_file(*run, draft);
    for (size_t i = 0; i < count && error == 0; i++)
        error = copy_file(paths[i], draft);
    if (error == 0)
        error = put_in_place(draft, place);
    if (error && made)
        remove_directory(draft);
    baseline_list_free(old);
    free(draft);
    free(place);
    return error;
}

int baseline_remove(const char *directory, const char *name)
{
    if (!baseline_name_fits(name))
        return -ENOENT;
    char *place = join(directory, name), *draft = draft_path(directory, name);
    int error = rename(place, draft) == 0 ? remove_directory(draft) : -errno;
    free(draft);
    free(place);
    return error;
}
