/* Opening a run file for reading; see source.h for the three ways. */
#include "record/source.h"

#include "base/memory.h"
#include "base/text.h"
#include "record/file.h"
#include "record/result.h"
#include "record/schema.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEAD_BYTES = 100, READ_BUSY_MS = 2000, COPY_BYTES = 1 << 16 };

int source_error(sqlite3 *db, int code)
{
    switch (code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_ERROR: /* a table or column is missing */
    case SQLITE_TOOBIG:
    case SQLITE_MISMATCH:
    case SQLITE_CONSTRAINT:
        return RESULT_DAMAGED;
    case SQLITE_IOERR:
        if (code == SQLITE_IOERR_SHORT_READ)
            return RESULT_DAMAGED;
        break;
    default:
        break;
    }
    return sqlite_errno(db, code);
}

/* ---- the head ---------------------------------------------------------------------------------
 */

static uint32_t big_endian(const unsigned char *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static int read_head(const char *path, unsigned char head[HEAD_BYTES], size_t *bytes)
{
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0)
        return -errno;
    struct stat status;
    int error = fstat(descriptor, &status) < 0 ? -errno : 0;
    if (!error && S_ISDIR(status.st_mode))
        error = -EISDIR;
    *bytes = 0;
    while (!error && S_ISREG(status.st_mode) && *bytes < HEAD_BYTES) {
        ssize_t got = read(descriptor, head + *bytes, HEAD_BYTES - *bytes);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            error = -errno;
        if (got <= 0)
            break;
        *bytes += (size_t)got;
    }
    close(descriptor);
    return error;
}

int source_probe(const char *path)
{
    unsigned char head[HEAD_BYTES];
    size_t bytes = 0;
    int error = read_head(path, head, &bytes);
    if (error)
        return error;
    static const char magic[16] = "SQLite format 3";
    if (bytes < HEAD_BYTES || memcmp(head, magic, sizeof magic) != 0 ||
        big_endian(head + SCHEMA_APPLICATION_AT) != SCHEMA_APPLICATION)
        return RESULT_NOT_A_RUN;
    uint32_t version = big_endian(head + SCHEMA_VERSION_AT);
    if (version > SCHEMA_VERSION)
        return RESULT_NEWER;
    return version == 0 ? RESULT_DAMAGED : 0;
}

/* ---- copying ----------------------------------------------------------------------------------
 */

static int copy_bytes(int from, int to)
{
    char *bytes = memory_new(1, COPY_BYTES);
    int error = 0;
    while (!error) {
        ssize_t got = read(from, bytes, COPY_BYTES);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            error = -errno;
        if (got <= 0)
            break;
        for (ssize_t done = 0; done < got && !error;) {
            ssize_t put = write(to, bytes + done, (size_t)(got - done));
            if (put < 0 && errno != EINTR)
                error = -errno;
            done += put > 0 ? put : 0;
        }
    }
    free(bytes);
    return error;
}

static int copy_file(const char *from, const char *to)
{
    int in = open(from, O_RDONLY | O_CLOEXEC);
    if (in < 0)
        return -errno;
    int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    int error = out < 0 ? -errno : copy_bytes(in, out);
    close(in);
    if (out >= 0)
        close(out);
    return error;
}

static char *joined(const char *one, const char *other)
{
    struct text text = TEXT_EMPTY;
    text_puts(&text, one);
    text_puts(&text, other);
    return text_take(&text);
}

static void copy_remove(char *copy)
{
    static const char *const ends[] = {"", "-wal", "-shm", "-journal"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        char *path = joined(copy, ends[i]);
        unlink(path);
        free(path);
    }
    *strrchr(copy, '/') = '\0';
    rmdir(copy);
    free(copy);
}

/* Copies file and WAL to a new temporary directory; written on success only. */
static int copy_run(const char *path, char **copy)
{
    static const char *const places[] = {"/tmp", "/var/tmp", "/dev/shm"};
    int error = -EACCES;
    for (size_t i = 0; i < sizeof places / sizeof *places && error; i++) {
        char *directory = joined(places[i], "/plimsoll-read-XXXXXX");
        if (!mkdtemp(directory)) {
            error = -errno;
            free(directory);
            continue;
        }
        char *to = joined(directory, "/run.plim");
        char *wal = joined(path, "-wal"), *to_wal = joined(to, "-wal");
        error = copy_file(path, to);
        if (!error)
            error = copy_file(wal, to_wal);
        free(wal);
        free(to_wal);
        free(directory);
        if (error)
            copy_remove(to);
        else
            *copy = to;
    }
    return error;
}

/* ---- opening ----------------------------------------------------------------------------------
 */

static char *uri_of(const char *path, const char *query)
{
    struct text uri = TEXT_EMPTY;
    text_puts(&uri, "file:");
    for (const char *at = path; *at; at++) {
        if (strchr("?#%", *at))
            text_printf(&uri, "%%%02X", (unsigned)(unsigned char)*at);
        else
            text_putc(&uri, *at);
    }
    text_puts(&uri, query);
    return text_take(&uri);
}

static bool has_wal(const char *path)
{
    char *wal = joined(path, "-wal");
    struct stat status;
    bool has = stat(wal, &status) == 0 && status.st_size > 0;
    free(wal);
    return has;
}

/* A damaged file must not make SQLite do anything but say so. */
static void distrust(sqlite3 *db)
{
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_exec(db, "PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY", NULL, NULL, NULL);
}

/* Returns an SQLite code; on success a read transaction is open. */
static int try_open(struct source *source, const char *path, const char *query)
{
    char *uri = uri_of(path, query);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX;
    int code = sqlite3_open_v2(uri, &source->db, flags, NULL);
    if (code == SQLITE_OK) {
        distrust(source->db);
        sqlite3_extended_result_codes(source->db, 1);
        sqlite3_busy_timeout(source->db, READ_BUSY_MS);
        code = sqlite3_exec(source->db, "BEGIN; SELECT id FROM run", NULL, NULL, NULL);
    }
    if (code == SQLITE_OK) {
        source->uri = uri;
        return code;
    }
    free(uri);
    return code;
}

static void drop(struct source *source)
{
    sqlite3_close(source->db);
    source->db = NULL;
}

static int open_copy(struct source *source, const char *path)
{
    int error = copy_run(path, &source->copy);
    if (error)
        return error;
    error = source_error(source->db, try_open(source, source->copy, ""));
    if (error)
        source_close(source);
    return error;
}

int source_open(struct source *source, const char *path)
{
    *source = (struct source){.db = NULL};
    int error = source_probe(path);
    if (error)
        return error;
    int code = try_open(source, path, "?mode=ro");
    if (code == SQLITE_OK)
        return 0;
    error = source_error(source->db, code);
    bool cannot_write = (code & 0xff) == SQLITE_CANTOPEN || (code & 0xff) == SQLITE_READONLY ||
                        (code & 0xff) == SQLITE_PERM;
    drop(source);
    if (!cannot_write)
        return error;
    if (has_wal(path))
        return open_copy(source, path);
    /* Without a WAL all is in the file, and nobody can be writing it where nobody may. */
    code = try_open(source, path, "?mode=ro&immutable=1");
    error = source_error(source->db, code);
    if (error)
        drop(source);
    return error;
}

void source_close(struct source *source)
{
    drop(source);
    free(source->uri);
    source->uri = NULL;
    if (source->copy)
        copy_remove(source->copy);
    source->copy = NULL;
}
