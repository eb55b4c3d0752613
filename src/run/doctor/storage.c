/* The run file is written once a second, durably: a disk that is full or slow loses the record of a
 * run, though never the run. */
#include "run/doctor/doctor.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

static const char *const area = "storage";

enum { WRITES = 20, WRITE_BYTES = 4096, SLOW_NS = 100000000 };

static const double space_little = 1e9; /* bytes */

/* The directory or the nearest above it that exists. Owner: caller. */
static char *existing(const char *directory)
{
    char *path = memory_copy_text(directory && *directory ? directory : ".");
    while (access(path, F_OK) != 0) {
        char *slash = strrchr(path, '/');
        if (slash == path || !slash) {
            bool absolute = slash == path;
            free(path);
            return memory_copy_text(absolute ? "/" : ".");
        }
        *slash = '\0';
    }
    return path;
}

static void look_at_space(const char *path, struct findings *findings)
{
    struct statvfs disk;
    char sentence[100];
    if (statvfs(path, &disk) != 0) {
        finding_add(findings, FINDING_UNKNOWN, area, "space", "%s cannot be asked: %s", path,
                    error_sentence(-errno, sentence, sizeof sentence));
        return;
    }
    char words[UNIT_ROOM];
    double bytes = (double)disk.f_bavail * (double)disk.f_frsize;
    finding_add(findings, bytes < space_little ? FINDING_WARNING : FINDING_FINE, area, "space",
                "%s free for run files in %s", unit_write_bytes(words, bytes), path);
    if (bytes < space_little)
        finding_remedy(findings, "an hour of a plan takes some tens of MB: make room, or choose "
                                 "--output-dir elsewhere");
}

static int by_size(const void *one, const void *other)
{
    nsec_t a = *(const nsec_t *)one, b = *(const nsec_t *)other;
    return (a > b) - (a < b);
}

/* Writes and makes durable so often; the times, sorted. Returns 0 or -errno. */
static int try_writing(const char *path, nsec_t took[WRITES])
{
    struct text name = TEXT_EMPTY;
    text_printf(&name, "%s/.plimsoll-doctor-XXXXXX", path);
    int file = mkstemp(name.at);
    int error = file < 0 ? -errno : 0;
    char block[WRITE_BYTES];
    memset(block, 'p', sizeof block);
    for (int i = 0; i < WRITES && error == 0; i++) {
        nsec_t begin = clock_monotonic_ns();
        if (write(file, block, sizeof block) != (ssize_t)sizeof block || fdatasync(file) != 0)
            error = errno ? -errno : -EIO;
        took[i] = clock_monotonic_ns() - begin;
    }
    if (file >= 0) {
        close(file);
        unlink(name.at);
    }
    text_fini(&name);
    qsort(took, WRITES, sizeof *took, by_size);
    return error;
}

static void look_at_writing(const char *path, struct findings *findings)
{
    nsec_t took[WRITES] = {0};
    char sentence[100];
    int error = try_writing(path, took);
    if (error) {
        finding_add(findings, FINDING_PROBLEM, area, "writing", "%s cannot be written: %s", path,
                    error_sentence(error, sentence, sizeof sentence));
        finding_remedy(findings, "choose another directory with --output-dir, or correct its "
                                 "rights");
        return;
    }
    char middle[UNIT_ROOM], most[UNIT_ROOM];
    bool slow = took[WRITES / 2] > SLOW_NS;
    finding_add(findings, slow ? FINDING_WARNING : FINDING_FINE, area, "writing",
                "a durable write of 4 KiB takes %s, %s at most of %d",
                unit_write_duration(middle, took[WRITES / 2]),
                unit_write_duration(most, took[WRITES - 1]), WRITES);
    if (slow)
        finding_remedy(findings,
                       "run files on a local disk or in memory (--output-dir /dev/shm/runs) "
                       "keep the recorder from falling behind");
}

void doctor_storage(const char *directory, struct findings *findings)
{
    char *path = existing(directory);
    look_at_space(path, findings);
    look_at_writing(path, findings);
    free(path);
}
