/* Reports as files; see save.h. */
#include "lib/save.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

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

int save_file(const char *path, struct span bytes)
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

int save_reports(const struct plug_list *plugs, const struct result *result, const char *run_path,
                 const char *directory, struct text *failed)
{
    int error = mkdir(directory, 0777) == 0 || errno == EEXIST ? 0 : -errno;
    if (error)
        text_puts(failed, directory);
    struct text page = TEXT_EMPTY;
    text_printf(&page, "%s/report.html", directory);
    struct show_options options = {.columns = 100, .run_path = run_path, .report_path = page.at};
    for (size_t i = 0; error == 0 && i < plugs->writer_count; i++) {
        const struct writer *writer = plugs->writers[i];
        struct text bytes = TEXT_EMPTY, path = TEXT_EMPTY;
        if (!writer->file)
            continue;
        text_printf(&path, "%s/%s", directory, writer->file);
        error = writer->write(result, &options, &bytes);
        if (error == 0)
            error = save_file(path.at, text_span(&bytes));
        if (error)
            text_puts(failed, path.at);
        text_fini(&bytes);
        text_fini(&path);
    }
    text_fini(&page);
    return error;
}
