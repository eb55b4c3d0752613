/* See suite_files.h. */
#include "app/suite_files.h"

#include "base/memory.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool ends_so(const char *name, const char *end)
{
    size_t length = strlen(name), tail = strlen(end);
    return length >= tail && strcmp(name + length - tail, end) == 0;
}

static bool is_directory(const char *path)
{
    struct stat info;
    return lstat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

static void find_in(const char *directory, const char *end, int depth,
                    void (*found)(void *self, const char *path), void *self)
{
    DIR *folder = opendir(directory);
    for (struct dirent *entry = folder ? readdir(folder) : NULL; entry; entry = readdir(folder)) {
        struct text path = TEXT_EMPTY;
        text_printf(&path, "%s/%s", directory, entry->d_name);
        if (depth > 0 && entry->d_name[0] != '.' && is_directory(path.at))
            find_in(path.at, end, depth - 1, found, self);
        else if (ends_so(entry->d_name, end) && !is_directory(path.at))
            found(self, path.at);
        text_fini(&path);
    }
    if (folder)
        closedir(folder);
}

void files_find(const char *directory, const char *end, void (*found)(void *self, const char *path),
                void *self)
{
    find_in(directory, end, 1, found, self);
}

struct newest {
    char *path;
    struct timespec time;
};

static void keep_newest(void *self, const char *path)
{
    struct newest *newest = self;
    struct stat info;
    if (stat(path, &info) != 0)
        return;
    bool later =
        info.st_mtim.tv_sec > newest->time.tv_sec ||
        (info.st_mtim.tv_sec == newest->time.tv_sec && info.st_mtim.tv_nsec > newest->time.tv_nsec);
    if (newest->path && !later)
        return;
    free(newest->path);
    newest->path = memory_copy_text(path);
    newest->time = info.st_mtim;
}

char *files_newest(const char *directory, const char *end)
{
    struct newest newest = {.path = NULL};
    files_find(directory, end, keep_newest, &newest);
    return newest.path;
}

char *files_meant(const char *words, const char *runs, const char *name)
{
    struct text path = TEXT_EMPTY;
    if (strcmp(words, "@last") == 0)
        return files_newest(runs, name);
    if (is_directory(words)) {
        text_printf(&path, "%s/%s", words, name);
    } else if (ends_so(words, name)) {
        text_puts(&path, words);
    } else {
        const char *slash = strrchr(words, '/');
        text_put(&path, (struct span){words, slash ? (size_t)(slash - words) + 1 : 0});
        text_puts(&path, name);
    }
    if (access(path.at, F_OK) == 0)
        return text_take(&path);
    text_fini(&path);
    return NULL;
}
