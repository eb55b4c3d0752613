/* Names of run files; see path.h. */
#include "record/path.h"

#include "base/memory.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { NAME_MOST = 80, STAMP_BYTES = 19 }; /* "2026-11-20T14-02-03" */

static bool is_plain(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '_';
}

/* The name with every run of other bytes made one '-', none at its ends. */
static void put_name(struct text *out, const char *name)
{
    size_t begin = out->bytes;
    bool gap = false;
    for (const char *at = name ? name : ""; *at && out->bytes - begin < NAME_MOST; at++) {
        bool plain = is_plain(*at) || (*at == '.' && out->bytes > begin);
        if (plain && gap && out->bytes > begin)
            text_putc(out, '-');
        if (plain)
            text_putc(out, *at);
        gap = !plain;
    }
    if (out->bytes == begin)
        text_puts(out, "run");
}

char *run_path_new(const char *directory, const char *name, nsec_t wall_start_ns)
{
    time_t seconds = (time_t)(wall_start_ns / NSEC_PER_SEC);
    struct tm parts;
    char stamp[64] = "";
    if (gmtime_r(&seconds, &parts))
        strftime(stamp, sizeof stamp, "%Y-%m-%dT%H-%M-%S-", &parts);
    struct text base = TEXT_EMPTY;
    text_puts(&base, directory);
    if (base.bytes > 0 && base.at[base.bytes - 1] != '/')
        text_putc(&base, '/');
    text_puts(&base, stamp);
    put_name(&base, name);
    struct text path = TEXT_EMPTY;
    for (unsigned number = 1;; number++) {
        text_clear(&path);
        text_put(&path, text_span(&base));
        if (number > 1)
            text_printf(&path, "-%u", number);
        text_puts(&path, RUN_FILE_ENDING);
        if (access(path.at, F_OK) != 0)
            break;
    }
    text_fini(&base);
    return text_take(&path);
}

/* ---- @last ----------------------------------------------------------------------------------- */

struct candidate {
    char *path;
    char stamp[STAMP_BYTES + 1]; /* when it began, by its name or by its time of change */
    nsec_t changed_ns;
};

static bool ends_with(const char *text, const char *end)
{
    size_t bytes = strlen(text), end_bytes = strlen(end);
    return bytes > end_bytes && strcmp(text + bytes - end_bytes, end) == 0;
}

/* Whether a file's name begins with a time as run_path_new writes it. */
static bool has_stamp(const char *name)
{
    static const char form[] = "0000-00-00T00-00-00";
    for (size_t i = 0; i < STAMP_BYTES; i++) {
        bool digit = name[i] >= '0' && name[i] <= '9';
        if (form[i] == '0' ? !digit : name[i] != form[i])
            return false;
    }
    return true;
}

static bool is_newer(const struct candidate *one, const struct candidate *other)
{
    int order = strcmp(one->stamp, other->stamp);
    return order > 0 || (order == 0 && one->changed_ns > other->changed_ns);
}

static bool candidate_of(const char *directory, const char *name, struct candidate *out)
{
    struct text path = TEXT_EMPTY;
    text_printf(&path, "%s/%s", directory, name);
    struct stat status;
    if (stat(path.at, &status) != 0 || !S_ISREG(status.st_mode)) {
        text_fini(&path);
        return false;
    }
    *out = (struct candidate){.changed_ns = (nsec_t)status.st_mtim.tv_sec * NSEC_PER_SEC +
                                            status.st_mtim.tv_nsec};
    struct tm parts;
    if (has_stamp(name))
        memcpy(out->stamp, name, STAMP_BYTES);
    else if (gmtime_r(&status.st_mtim.tv_sec, &parts))
        strftime(out->stamp, sizeof out->stamp, "%Y-%m-%dT%H-%M-%S", &parts);
    out->path = text_take(&path);
    return true;
}

int run_path_resolve(const char *words, const char *directory, char **out)
{
    if (strcmp(words, "@last") != 0) {
        *out = memory_copy_text(words);
        return 0;
    }
    DIR *handle = opendir(directory);
    if (!handle)
        return -errno;
    struct candidate newest = {.path = NULL}, candidate;
    for (struct dirent *entry = readdir(handle); entry; entry = readdir(handle)) {
        if (!ends_with(entry->d_name, RUN_FILE_ENDING) ||
            !candidate_of(directory, entry->d_name, &candidate))
            continue;
        if (!newest.path || is_newer(&candidate, &newest)) {
            free(newest.path);
            newest = candidate;
        } else {
            free(candidate.path);
        }
    }
    closedir(handle);
    if (!newest.path)
        return -ENOENT;
    *out = newest.path;
    return 0;
}
