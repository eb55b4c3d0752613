/* The reports of a run as files; how they are written is in lib/save.h. */
#include "app/report_files.h"

#include "base/error.h"
#include "base/memory.h"
#include "lib/save.h"

#include <stdlib.h>
#include <string.h>

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

int file_write(const char *path, struct span bytes)
{
    return save_file(path, bytes);
}

int report_files_write(struct app *app, const struct result *result, const char *run_path,
                       const char *directory)
{
    struct text failed = TEXT_EMPTY;
    int error = save_reports(app->plugs, result, run_path, directory, &failed);
    if (error) {
        char sentence[100];
        fprintf(app->err, "plimsoll: %s could not be written: %s\n", failed.at,
                error_sentence(error, sentence, sizeof sentence));
    }
    text_fini(&failed);
    return error;
}
