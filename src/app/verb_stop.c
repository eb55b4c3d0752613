/* plimsoll stop: asks a run or a scale test in another terminal to end, as Ctrl-C there would. */
#include "app/suite_files.h"
#include "app/verb.h"
#include "base/clock.h"
#include "base/memory.h"
#include "run/journal.h"
#include "run/run.h"
#include "run/stop_file.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LOOK_MS = 50, BETWEEN_MS = 200 };
#define WAIT_NS (30 * NSEC_PER_SEC)

static const struct option options[] = {
    {"runs", 0, .kind = OPTION_TEXT, .value = "DIR",
     .sentence = "where @last looks (default: runs)"},
    {"now", 0, .kind = OPTION_FLAG,
     .sentence = "at once: requests in flight are abandoned, instead of awaited"},
    {"no-wait", 0, .kind = OPTION_FLAG, .sentence = "do not wait until it has ended"},
    {.name = NULL},
};

/* The newest of those that run. */
struct search {
    struct process_mark mark;
    char *path;
};

static void look_at(void *self, const char *path)
{
    struct search *search = self;
    struct process_mark mark;
    if (stop_file_read(path, &mark) != 0 || !process_runs("", &mark))
        return;
    if (search->path && mark.start_ticks < search->mark.start_ticks)
        return;
    free(search->path);
    search->path = memory_copy_text(path);
    search->mark = mark;
}

/* What words mean: a run file, a directory of some, or with @last any below `runs`. A suite that
 * pauses between two runs is known by its journal. */
static void find(const char *words, const char *runs, struct search *search)
{
    struct text path = TEXT_EMPTY;
    struct journal_record record;
    text_printf(&path, "%s" STOP_FILE_END, words);
    look_at(search, path.at);
    files_find(strcmp(words, "@last") == 0 ? runs : words, STOP_FILE_END, look_at, search);
    char *journal = search->path ? NULL : files_meant(words, runs, JOURNAL_FILE);
    if (journal && journal_read(journal, &record) == 0) {
        if (journal_owner_runs(&record)) {
            search->mark = record.owner;
            search->path = memory_copy_text(journal);
        }
        journal_record_fini(&record);
    }
    free(journal);
    text_fini(&path);
}

static void nap(long ms)
{
    nanosleep(&(struct timespec){.tv_nsec = ms * NSEC_PER_MSEC}, NULL);
}

static int stop(struct app *app, const struct search *search, const struct arguments *arguments)
{
    bool now = argument_given(arguments, "now");
    if (kill(search->mark.pid, SIGINT) != 0) {
        fprintf(app->err, "plimsoll: process %ld can not be told to stop%s\n",
                (long)search->mark.pid, errno == EPERM ? ": it is another user's" : "");
        return RUN_FAILED;
    }
    if (now) {
        nap(BETWEEN_MS); /* two at one instant would be one */
        kill(search->mark.pid, SIGINT);
    }
    fprintf(app->out, "told process %ld to stop (%s)\n", (long)search->mark.pid, search->path);
    nsec_t until_ns = clock_monotonic_ns() + WAIT_NS;
    while (!argument_given(arguments, "no-wait") && process_runs("", &search->mark)) {
        if (clock_monotonic_ns() > until_ns) {
            fprintf(app->err, "plimsoll: it has not ended yet; --now abandons what is in flight\n");
            return RUN_FAILED;
        }
        nap(LOOK_MS);
    }
    return 0;
}

static int act(struct app *app, const struct verb *verb, const struct arguments *arguments)
{
    const char *runs = argument_words(arguments, "runs");
    if (arguments->rest_count > 1)
        return usage_error(app, verb, "one run, suite directory or @last is wanted");
    const char *words = arguments->rest_count ? arguments->rest[0] : "@last";
    struct search search = {.path = NULL};
    find(words, runs ? runs : "runs", &search);
    if (!search.path) {
        bool last = strcmp(words, "@last") == 0;
        fprintf(app->err, "plimsoll: nothing runs %s %s%s\n", last ? "in" : "at",
                !last  ? words
                : runs ? runs
                       : "runs",
                last ? "; name its directory, or --runs DIR" : "");
        return RUN_FAILED;
    }
    int code = stop(app, &search, arguments);
    free(search.path);
    return code;
}

const struct verb verb_stop = {
    .name = "stop",
    .sentence = "end a run or a scale test that another terminal makes",
    .usage = "[RUN | DIR | @last] [OPTIONS]",
    .harmless = true,
    .options = options,
    .notes = "It ends as with Ctrl-C: what was measured is kept, and changes are undone.\n"
             "exit codes: 0 ended, 1 nothing runs there or it does not end, 104 bad option",
    .examples = {"plimsoll stop", "plimsoll stop runs/2026-11-20T14-02-07-chat.plim --now"},
    .act = act,
};
