/* Words that stand for run files; see run_group.h. */
#include "app/run_group.h"

#include "base/error.h"
#include "base/memory.h"
#include "record/baseline.h"
#include "record/path.h"

#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define BASELINE_PREFIX "@baseline:"

static int add_file(struct app *app, struct run_group *group, const char *path)
{
    struct result *result = NULL;
    char sentence[100];
    int error = result_read(path, &result);
    if (error) {
        const char *why = error == RESULT_NOT_A_RUN ? "it is not a run file"
                          : error == RESULT_NEWER   ? "it was written by a newer plimsoll"
                          : error == RESULT_DAMAGED ? "it is damaged"
                                                    : error_sentence(error, sentence, 100);
        fprintf(app->err, "plimsoll: %s can not be read: %s\n", path, why);
        return EXIT_USAGE;
    }
    if (group->count == group->room) {
        group->room = group->room ? group->room * 2 : 8;
        group->paths = memory_resize(group->paths, group->room, sizeof *group->paths);
        group->results = memory_resize(group->results, group->room, sizeof *group->results);
    }
    group->paths[group->count] = memory_copy_text(path);
    group->results[group->count++] = result;
    return 0;
}

static int add_list(struct app *app, struct run_group *group, char *const *paths, size_t count)
{
    int code = 0;
    for (size_t i = 0; i < count && code == 0; i++)
        code = add_file(app, group, paths[i]);
    return code;
}

static int add_baseline(struct app *app, struct run_group *group, const char *name,
                        const struct run_group_places *places)
{
    const char *directory = places->baselines ? places->baselines : BASELINE_DIRECTORY;
    char **runs = NULL, **names = NULL;
    int error = baseline_runs(directory, name, &runs), code = 0;
    size_t count = 0;
    while (runs && runs[count])
        count++;
    if (error == 0 && count) {
        code = add_list(app, group, runs, count);
    } else {
        fprintf(app->err, "plimsoll: there is no baseline \"%s\" in %s", name, directory);
        if (baseline_names(directory, &names) == 0)
            for (size_t i = 0; names[i]; i++)
                fprintf(app->err, "%s%s", i ? ", " : "; there are ", names[i]);
        fprintf(app->err, "\n  plimsoll baseline set %s RUN... makes it\n", name);
        code = EXIT_USAGE;
    }
    baseline_list_free(names);
    baseline_list_free(runs);
    return code;
}

/* A pattern, or the run files of a directory as one. */
static int add_pattern(struct app *app, struct run_group *group, const char *pattern)
{
    glob_t found = {.gl_pathc = 0};
    int code = 0;
    if (glob(pattern, 0, NULL, &found) == 0) {
        code = add_list(app, group, found.gl_pathv, found.gl_pathc);
    } else {
        fprintf(app->err, "plimsoll: there is no run file %s\n", pattern);
        code = EXIT_USAGE;
    }
    globfree(&found);
    return code;
}

int run_group_add(struct app *app, struct run_group *group, const char *word,
                  const struct run_group_places *places)
{
    struct stat status;
    char *path = NULL;
    int code = 0;
    if (strncmp(word, BASELINE_PREFIX, strlen(BASELINE_PREFIX)) == 0)
        return add_baseline(app, group, word + strlen(BASELINE_PREFIX), places);
    const char *runs = places->runs ? places->runs : "runs";
    if (run_path_resolve(word, runs, &path) != 0) {
        fprintf(app->err, "plimsoll: there is no run file in %s\n", runs);
        return EXIT_USAGE;
    }
    if (stat(path, &status) == 0 && S_ISDIR(status.st_mode)) {
        struct text pattern = TEXT_EMPTY;
        text_printf(&pattern, "%s/*" RUN_FILE_ENDING, path);
        code = add_pattern(app, group, pattern.at);
        text_fini(&pattern);
    } else if (stat(path, &status) != 0 && strpbrk(path, "*?[")) {
        code = add_pattern(app, group, path);
    } else {
        code = add_file(app, group, path);
    }
    free(path);
    return code;
}

void run_group_sort(struct run_group *group)
{
    for (size_t i = 1; i < group->count; i++) {
        struct result *result = group->results[i];
        char *path = group->paths[i];
        size_t at = i;
        for (; at > 0 && group->results[at - 1]->wall_start_ns > result->wall_start_ns; at--) {
            group->results[at] = group->results[at - 1];
            group->paths[at] = group->paths[at - 1];
        }
        group->results[at] = result;
        group->paths[at] = path;
    }
}

void run_group_fini(struct run_group *group)
{
    for (size_t i = 0; i < group->count; i++) {
        free(group->paths[i]);
        result_free(group->results[i]);
    }
    free(group->paths);
    free(group->results);
    *group = (struct run_group){.paths = NULL};
}
