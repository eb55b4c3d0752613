/* A report is written to a file beside its place and then moved there, so that a full disk or an
 * interrupt never leaves half a page. */
#include "app/report_files.h"

#include "base/error.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char *report_directory(const char *run_path)
{
    char *directory = memory_copy_text(run_path);
    size_t length = strlen(directory);
    if (length > 5 && strcmp(directory + length - 5, ".plim") == 0)
        directory[length - 5] = '\0';
    else
        directory = (free(directory), memory_copy_text("report"));
    return directory;
}

static int write_all(int fd, struct span bytes)
{
    while (bytes.bytes) {
        ssize_t written = write(fd, bytes.at, bytes.bytes);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return -errno;
        bytes.at += written;
        bytes.bytes -= (size_t)written;
    }
    return 0;
}

int file_write(const char *path, struct span bytes)
{
    struct text draft = TEXT_EMPTY;
    text_printf(&draft, "%s.part", path);
    int error = 0;
    int fd = open(draft.at, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0) {
        error = -errno;
    } else {
        error = write_all(fd, bytes);
        if (close(fd) != 0 && error == 0)
            error = -errno;
        if (error == 0 && rename(draft.at, path) != 0)
            error = -errno;
        if (error)
            unlink(draft.at);
    }
    text_fini(&draft);
    return error;
}

int report_files_write(struct app *app, const struct result *result, const char *run_path,
                       const char *directory)
{
    int first = mkdir(directory, 0777) == 0 || errno == EEXIST ? 0 : -errno;
    struct text page = TEXT_EMPTY;
    text_printf(&page, "%s/report.html", directory);
    struct show_options options = {.columns = 100, .run_path = run_path, .report_path = page.at};
    for (size_t i = 0; first == 0 && i < app->plugs->writer_count; i++) {
        const struct writer *writer = app->plugs->writers[i];
        struct text bytes = TEXT_EMPTY, path = TEXT_EMPTY;
        if (!writer->file)
            continue;
        text_printf(&path, "%s/%s", directory, writer->file);
        first = writer->write(result, &options, &bytes);
        if (first == 0)
            first = file_write(path.at, text_span(&bytes));
        if (first) {
            char sentence[100];
            fprintf(app->err, "plimsoll: %s could not be written: %s\n", path.at,
                    error_sentence(first, sentence, sizeof sentence));
        }
        text_fini(&bytes);
        text_fini(&path);
    }
    text_fini(&page);
    return first;
}
