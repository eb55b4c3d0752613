/* plimsoll rollback: undoes what a killed scale test left changed, from its journal. */
#include "app/suite_files.h"
#include "app/verb.h"
#include "base/error.h"
#include "base/memory.h"
#include "net/fetch.h"
#include "run/journal.h"
#include "run/run.h"
#include "run/scaling.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct option options[] = {
    {"runs", 0, .kind = OPTION_TEXT, .value = "DIR",
     .sentence = "where @last looks (default: runs)"},
    {"dry-run", 0, .kind = OPTION_FLAG, .sentence = "say what would be undone, and change nothing"},
    {.name = NULL},
};

static void say(void *self, const char *words)
{
    struct app *app = self;
    fprintf(app->out, "  %s\n", words);
}

/* Says what there is to undo, last change first. Returns 0 or an outcome of journal_read. */
static int show(struct app *app, const char *path, char **target)
{
    struct journal_record record;
    int error = journal_read(path, &record);
    if (error)
        return error;
    if (!journal_unfinished(&record))
        fprintf(app->out, "%s: nothing is left to undo\n", path);
    for (size_t i = record.count; i-- > 0;)
        if (!record.entries[i].undone)
            fprintf(app->out, "%s: back to %s\n", record.entries[i].scaler,
                    record.entries[i].state);
    *target = memory_copy_text(record.target);
    journal_record_fini(&record);
    return 0;
}

/* Whether the target answers, afterwards. */
static void show_health(struct app *app, const char *target)
{
    struct fetch *fetch = fetch_new();
    struct fetch_reply reply = {.body = TEXT_EMPTY};
    struct fetch_request request = {.url = target};
    if (!target || strncmp(target, "http", 4) != 0) {
        fetch_free(fetch);
        return;
    }
    if (fetch_ask(fetch, &request, &reply) == FETCH_DONE)
        fprintf(app->out, "%s answers %d\n", target, reply.status);
    else
        fprintf(app->out, "%s does not answer: %s\n", target, fetch_words(fetch));
    text_fini(&reply.body);
    fetch_free(fetch);
}

static int undo(struct app *app, const char *path)
{
    struct text why = TEXT_EMPTY;
    size_t done = 0;
    struct rollback_options how = {.journal = path,
                                   .scalers = app->plugs->scalers,
                                   .scaler_count = app->plugs->scaler_count,
                                   .root = "",
                                   .say = say,
                                   .self = app};
    char sentence[100];
    int rc = scaling_rollback(&how, &done, &why);
    if (rc < 0)
        fprintf(app->err, "plimsoll: %s: %s\n", path,
                error_sentence(rc, sentence, sizeof sentence));
    else if (rc)
        fprintf(app->err, "plimsoll: %s\n", why.bytes ? why.at : path);
    if (done)
        fprintf(app->out, "%zu %s undone\n", done, done == 1 ? "change was" : "changes were");
    text_fini(&why);
    return rc ? RUN_FAILED : 0;
}

/* No journal: no test changed anything there, unless the place itself is a slip. */
static int without_journal(struct app *app, const struct verb *verb, const char *words,
                           const char *runs)
{
    bool last = strcmp(words, "@last") == 0;
    const char *place = last ? runs : words;
    if (place && access(place, F_OK) != 0)
        return usage_error(app, verb, "there is no \"%s\"", place);
    fprintf(app->out, "nothing to undo: no test %s %s has changed anything (no " JOURNAL_FILE ")\n",
            last ? "in" : "of", place ? place : "runs");
    return 0;
}

static int act(struct app *app, const struct verb *verb, const struct arguments *arguments)
{
    const char *runs = argument_words(arguments, "runs");
    if (arguments->rest_count != 1)
        return usage_error(app, verb, "one run, suite directory or @last is wanted");
    char *path = files_meant(arguments->rest[0], runs ? runs : "runs", JOURNAL_FILE);
    if (!path)
        return without_journal(app, verb, arguments->rest[0], runs);
    char *target = NULL, sentence[100];
    int error = show(app, path, &target), code = error ? RUN_FAILED : 0;
    if (error)
        fprintf(app->err, "plimsoll: %s %s\n", path,
                error > 0 ? "is no undo journal"
                          : error_sentence(error, sentence, sizeof sentence));
    if (code == 0 && !argument_given(arguments, "dry-run")) {
        code = undo(app, path);
        if (code == 0)
            show_health(app, target);
    }
    free(target);
    free(path);
    return code;
}

const struct verb verb_rollback = {
    .name = "rollback",
    .sentence = "undo what a killed scale test left changed",
    .usage = "RUN | DIR | @last [OPTIONS]",
    .options = options,
    .notes = "A scale test undoes its changes by itself, also when it fails or is interrupted;\n"
             "this is for the one that was killed. Repeating it is harmless.\n"
             "exit codes: 0 nothing is left to undo, 1 something is (said, with what to do),\n"
             "104 bad option",
    .examples = {"plimsoll rollback @last",
                 "plimsoll rollback runs/2026-11-20T14-02-07-scale-chat"},
    .act = act,
};
