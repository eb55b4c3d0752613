/* plimsoll clean: removes what scale tests leave beside their results: configurations, logs and
 * sockets of what they started, finished journals, marks of runs that were killed. Only files that
 * it knows by name as its own, and never a result unless --results asks for it. */
#include "app/suite_files.h"
#include "app/verb.h"
#include "base/memory.h"
#include "host/process.h"
#include "run/journal.h"
#include "run/run.h"
#include "run/stop_file.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct option options[] = {
    {"yes", 'y', .kind = OPTION_FLAG, .sentence = "do not ask"},
    {"dry-run", 0, .kind = OPTION_FLAG,
     .sentence = "say what would be removed, and remove nothing"},
    {"results", 0, .kind = OPTION_FLAG,
     .sentence = "run files and reports too: everything that was measured"},
    {.name = NULL},
};

/* What may go, by the file's name. */
static const struct artefact {
    const char *pattern;
    bool result;
} artefacts[] = {
    {"haproxy.cfg", false},
    {"haproxy.log", false},
    {"haproxy.sock", false},
    {"instance-*.log", false},
    {JOURNAL_FILE, false},
    {"*.plim" STOP_FILE_END, false},
    {"*.plim", true},
    {"*.plim-wal", true},
    {"*.plim-shm", true},
    {"scalability_results.json", true},
    {"Scalability_Testing_Results.md", true},
    {"report.html", true},
    {"results_viewer.html", true},
    {"PHASE_*_RESULTS.md", true},
};

struct removal {
    char **paths;
    size_t count, kept;
    bool results;
    FILE *err;
};

static bool is_ours(const char *path, bool results)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    for (size_t i = 0; i < sizeof artefacts / sizeof *artefacts; i++)
        if ((results || !artefacts[i].result) && fnmatch(artefacts[i].pattern, name, 0) == 0)
            return true;
    return false;
}

/* Why a file must stay; NULL: it may go. */
static const char *reason_to_keep(const char *path)
{
    struct journal_record record;
    struct process_mark mark;
    const char *slash = strrchr(path, '/');
    if (strcmp(slash ? slash + 1 : path, JOURNAL_FILE) == 0 && journal_read(path, &record) == 0) {
        bool unfinished = journal_unfinished(&record);
        journal_record_fini(&record);
        return unfinished ? "tells of changes that are not undone: plimsoll rollback" : NULL;
    }
    if (fnmatch("*" STOP_FILE_END, path, 0) == 0 && stop_file_read(path, &mark) == 0 &&
        process_runs("", &mark))
        return "is of a run that goes on";
    return NULL;
}

static void consider(void *self, const char *path)
{
    struct removal *list = self;
    if (!is_ours(path, list->results))
        return;
    const char *reason = reason_to_keep(path);
    if (reason) {
        fprintf(list->err, "plimsoll: %s stays: it %s\n", path, reason);
        list->kept++;
        return;
    }
    list->paths = memory_resize(list->paths, list->count + 1, sizeof *list->paths);
    list->paths[list->count++] = memory_copy_text(path);
}

static bool agrees(const struct app *app, size_t count)
{
    char answer[16] = "";
    fprintf(app->out, "remove these %zu files? [y/N] ", count);
    fflush(app->out);
    return fgets(answer, sizeof answer, stdin) && (answer[0] == 'y' || answer[0] == 'Y');
}

/* Removes them, and directories that are then empty. */
static size_t remove_all(const struct removal *list)
{
    size_t failed = 0;
    for (size_t i = 0; i < list->count; i++) {
        if (unlink(list->paths[i]) != 0) {
            fprintf(list->err, "plimsoll: %s can not be removed\n", list->paths[i]);
            failed++;
        }
    }
    for (size_t i = 0; i < list->count; i++) {
        char *slash = strrchr(list->paths[i], '/');
        if (slash)
            *slash = '\0';
        rmdir(list->paths[i]); /* only an empty one goes */
    }
    return failed;
}

static int clean(struct app *app, const struct removal *list, const struct arguments *arguments)
{
    for (size_t i = 0; i < list->count; i++)
        fprintf(app->out, "%s\n", list->paths[i]);
    if (list->count == 0)
        fprintf(app->out, "nothing of plimsoll's is to be removed there\n");
    if (list->count == 0 || argument_given(arguments, "dry-run"))
        return 0;
    if (!argument_given(arguments, "yes") && !agrees(app, list->count)) {
        fprintf(app->err, "plimsoll: nothing was removed; --yes does not ask\n");
        return RUN_FAILED;
    }
    size_t failed = remove_all(list);
    fprintf(app->out, "%zu files removed\n", list->count - failed);
    return failed ? RUN_FAILED : 0;
}

static int act(struct app *app, const struct verb *verb, const struct arguments *arguments)
{
    if (arguments->rest_count > 1)
        return usage_error(app, verb, "one directory is wanted");
    const char *directory = arguments->rest_count ? arguments->rest[0] : "runs";
    struct removal list = {.results = argument_given(arguments, "results"), .err = app->err};
    if (access(directory, F_OK) != 0)
        return usage_error(app, verb, "there is no directory %s", directory);
    files_find(directory, "", consider, &list);
    int code = clean(app, &list, arguments);
    for (size_t i = 0; i < list.count; i++)
        free(list.paths[i]);
    free(list.paths);
    return code == 0 && list.kept ? RUN_FAILED : code;
}

const struct verb verb_clean = {
    .name = "clean",
    .sentence = "remove what scale tests leave beside their results",
    .usage = "[DIR] [OPTIONS]",
    .options = options,
    .notes = "DIR is runs where it is not named; it and the directories straight below are\n"
             "looked at. Configurations, logs and sockets of what was started, and finished\n"
             "journals go; results stay, but for --results. Files with other names are never\n"
             "touched.\n"
             "exit codes: 0 clean, 1 something stays (said), 104 bad option",
    .examples = {"plimsoll clean --dry-run", "plimsoll clean runs --yes"},
    .act = act,
};
