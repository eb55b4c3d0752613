/* Lines are made whole in memory and written by one call, so that a crash cuts at most the last. */
#include "run/journal.h"

#include "base/memory.h"
#include "plan/mask.h"
#include "wire/json.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILE_MODE = 0600, MOST_BYTES = 16 * 1024 * 1024 };

struct journal {
    int file;
    uint64_t next;
    size_t open; /* entries not undone */
};

static void put_text(struct text *line, const char *key, const char *words)
{
    text_printf(line, "\"%s\":\"", key);
    json_escape(span_of(words ? words : ""), line);
    text_putc(line, '"');
}

/* Writes a line and waits until it is on disk. */
static int put_line(struct journal *journal, struct text *line)
{
    text_putc(line, '\n');
    size_t done = 0;
    while (done < line->bytes) {
        ssize_t got = write(journal->file, line->at + done, line->bytes - done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -errno;
        done += (size_t)got;
    }
    return fsync(journal->file) ? -errno : 0;
}

/* A new file is there after a crash only when its directory was written too. */
static int sync_directory(const char *path)
{
    char *copy = memory_copy_text(path);
    char *slash = strrchr(copy, '/');
    if (slash)
        slash[slash == copy] = '\0';
    int directory = open(slash ? copy : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = directory < 0 || fsync(directory) ? -errno : 0;
    if (directory >= 0)
        close(directory);
    free(copy);
    return rc;
}

static int put_head(struct journal *journal, const char *target, const char *directory)
{
    struct process_mark own = {.pid = getpid()};
    struct text line = TEXT_EMPTY, boot = TEXT_EMPTY;
    process_mark("", getpid(), &own);
    process_boot("", &boot);
    text_printf(&line, "{\"journal\":1,\"pid\":%ld,\"start\":\"%llu\",", (long)own.pid,
                (unsigned long long)own.start_ticks);
    put_text(&line, "boot", boot.at);
    text_putc(&line, ',');
    char *shown = mask_copy(target);
    put_text(&line, "target", shown);
    free(shown);
    text_putc(&line, ',');
    put_text(&line, "directory", directory);
    text_putc(&line, '}');
    int rc = put_line(journal, &line);
    text_fini(&line);
    text_fini(&boot);
    return rc;
}

int journal_new(const char *path, const char *target, const char *directory, struct journal **out)
{
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, FILE_MODE);
    if (file < 0)
        return -errno;
    struct journal *journal = memory_new(1, sizeof *journal);
    *journal = (struct journal){.file = file, .next = 1};
    int rc = put_head(journal, target, directory);
    if (rc == 0)
        rc = sync_directory(path);
    if (rc) {
        close(file);
        unlink(path);
        free(journal);
        return rc;
    }
    *out = journal;
    return 0;
}

int journal_add(struct journal *journal, const char *scaler, const char *config, const char *state,
                uint64_t *number)
{
    struct text line = TEXT_EMPTY;
    text_printf(&line, "{\"entry\":%llu,", (unsigned long long)journal->next);
    put_text(&line, "scaler", scaler);
    text_putc(&line, ',');
    put_text(&line, "config", config);
    text_putc(&line, ',');
    put_text(&line, "state", state);
    text_putc(&line, '}');
    int rc = put_line(journal, &line);
    text_fini(&line);
    if (rc)
        return rc;
    *number = journal->next++;
    journal->open++;
    return 0;
}

int journal_undone(struct journal *journal, uint64_t number)
{
    struct text line = TEXT_EMPTY;
    text_printf(&line, "{\"undone\":%llu}", (unsigned long long)number);
    int rc = put_line(journal, &line);
    text_fini(&line);
    if (rc == 0 && journal->open > 0)
        journal->open--;
    return rc;
}

struct journal *journal_close(struct journal *journal)
{
    if (!journal)
        return NULL;
    if (journal->open == 0) {
        struct text line = TEXT_EMPTY;
        text_puts(&line, "{\"closed\":true}");
        put_line(journal, &line);
        text_fini(&line);
    }
    close(journal->file);
    free(journal);
    return NULL;
}

/* ---- reading ------------------------------------------------------------------------------ */

static struct json_value find(struct span line, const char *key)
{
    struct json_path path;
    size_t at = 0;
    const char *why = NULL;
    struct json_value value = {.kind = JSON_ABSENT};
    if (json_path_compile(span_of(key), &path, &at, &why) == 0) {
        value = json_find(line, &path);
        json_path_fini(&path);
    }
    return value;
}

static char *text_of(struct span line, const char *key)
{
    struct text words = TEXT_EMPTY;
    struct json_value value = find(line, key);
    if (value.kind == JSON_STRING)
        json_text(value, &words);
    return text_take(&words);
}

static uint64_t number_of(struct span line, const char *key)
{
    uint64_t number = 0;
    struct json_value value = find(line, key); /* one that no double holds stands in quotes */
    if (value.kind == JSON_NUMBER || value.kind == JSON_STRING)
        span_uint(value.raw, &number);
    return number;
}

static void read_line(struct journal_record *record, struct span line)
{
    if (find(line, "entry").kind == JSON_NUMBER) {
        record->entries =
            memory_resize(record->entries, record->count + 1, sizeof *record->entries);
        record->entries[record->count++] = (struct journal_entry){
            .number = number_of(line, "entry"),
            .scaler = text_of(line, "scaler"),
            .config = text_of(line, "config"),
            .state = text_of(line, "state"),
        };
    } else if (find(line, "undone").kind == JSON_NUMBER) {
        for (size_t i = 0; i < record->count; i++)
            if (record->entries[i].number == number_of(line, "undone"))
                record->entries[i].undone = true;
    } else if (find(line, "closed").kind == JSON_TRUE) {
        record->closed = true;
    }
}

static int read_head(struct journal_record *record, struct span line)
{
    if (number_of(line, "journal") != 1)
        return JOURNAL_NOT_ONE;
    *record = (struct journal_record){
        .owner = {.pid = (pid_t)number_of(line, "pid"), .start_ticks = number_of(line, "start")},
        .boot = text_of(line, "boot"),
        .target = text_of(line, "target"),
        .directory = text_of(line, "directory"),
    };
    return 0;
}

static int read_file(const char *path, struct text *out)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return -errno;
    char bytes[16384];
    ssize_t got = 0;
    while ((got = read(file, bytes, sizeof bytes)) > 0 && out->bytes < MOST_BYTES)
        text_put(out, (struct span){bytes, (size_t)got});
    int rc = got < 0 ? -errno : 0;
    close(file);
    return rc;
}

int journal_read(const char *path, struct journal_record *out)
{
    struct text bytes = TEXT_EMPTY;
    struct journal_record record = {.boot = NULL};
    int rc = read_file(path, &bytes);
    bool head = true;
    for (size_t at = 0; rc == 0 && at < bytes.bytes;) {
        const char *end = memchr(bytes.at + at, '\n', bytes.bytes - at);
        if (!end)
            break; /* cut off: it was not on disk, so nothing was done for it */
        struct span line = {bytes.at + at, (size_t)(end - (bytes.at + at))};
        if (head)
            rc = read_head(&record, line);
        else
            read_line(&record, line);
        head = false;
        at += line.bytes + 1;
    }
    if (rc == 0 && head)
        rc = JOURNAL_NOT_ONE;
    text_fini(&bytes);
    if (rc)
        journal_record_fini(&record);
    else
        *out = record;
    return rc;
}

void journal_record_fini(struct journal_record *record)
{
    for (size_t i = 0; i < record->count; i++) {
        free(record->entries[i].scaler);
        free(record->entries[i].config);
        free(record->entries[i].state);
    }
    free(record->entries);
    free(record->boot);
    free(record->target);
    free(record->directory);
    *record = (struct journal_record){.boot = NULL};
}

bool journal_unfinished(const struct journal_record *record)
{
    for (size_t i = 0; i < record->count; i++)
        if (!record->entries[i].undone)
            return true;
    return false;
}

bool journal_owner_runs(const struct journal_record *record)
{
    struct text boot = TEXT_EMPTY;
    process_boot("", &boot);
    bool same = strcmp(boot.at, record->boot) == 0;
    text_fini(&boot);
    return same && process_runs("", &record->owner);
}

int journal_reopen(const char *path, const struct journal_record *record, struct journal **out)
{
    int file = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    if (file < 0)
        return -errno;
    struct journal *journal = memory_new(1, sizeof *journal);
    *journal = (struct journal){.file = file, .next = 1};
    for (size_t i = 0; i < record->count; i++) {
        journal->open += !record->entries[i].undone;
        if (record->entries[i].number >= journal->next)
            journal->next = record->entries[i].number + 1;
    }
    *out = journal;
    return 0;
}
