/* plimsoll report: a run file again as any report, also of a run that was killed, also from a
 * directory that can only be read. */
#include "app/report_files.h"
#include "app/terminal.h"
#include "app/trace_output.h"
#include "app/verb.h"
#include "base/error.h"
#include "base/memory.h"
#include "run/run.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct option options[] = {
    {"format", 'f', .kind = OPTION_TEXT, .value = "NAME",
     .sentence = "text (default) or another of plimsoll list writers"},
    {"output", 'o', .kind = OPTION_TEXT, .value = "FILE",
     .sentence = "write it there instead of printing it"},
    {"all", 'a', .kind = OPTION_TEXT, .value = "DIR",
     .sentence = "write every report as a file into this directory"},
    {"metrics-compat", 0, .kind = OPTION_TEXT, .value = "TOOLS",
     .sentence = "vllm, aiperf or guidellm metrics beside ours, from the trace"},
    {"requests", 0, .kind = OPTION_TEXT, .value = "FILE",
     .sentence = "each request of the trace as a row: .csv or .jsonl; - prints"},
    {"runs", 0, .kind = OPTION_TEXT, .value = "DIR",
     .sentence = "where @last looks (default: runs)"},
    {.name = NULL},
};

/* Whether a run file's name is the later one; of two in the same second the second ends in "-2". */
static bool is_later(const char *name, const char *than)
{
    size_t bytes = strlen(name) - strlen(".plim"), than_bytes = strlen(than) - strlen(".plim");
    int order = strncmp(name, than, bytes < than_bytes ? bytes : than_bytes);
    return order > 0 || (order == 0 && bytes > than_bytes);
}

/* The newest run file of a directory: names begin with their time. NULL: there is none. */
static char *last_run(const char *directory)
{
    char *last = NULL;
    DIR *folder = opendir(directory);
    for (struct dirent *entry = folder ? readdir(folder) : NULL; entry; entry = readdir(folder)) {
        const char *dot = strrchr(entry->d_name, '.');
        if (!dot || strcmp(dot, ".plim") != 0 || (last && !is_later(entry->d_name, last)))
            continue;
        free(last);
        last = memory_copy_text(entry->d_name);
    }
    if (folder)
        closedir(folder);
    if (!last)
        return NULL;
    struct text path = TEXT_EMPTY;
    text_printf(&path, "%s/%s", directory, last);
    free(last);
    return text_take(&path);
}

static int read_run(struct app *app, const char *path, struct result **result)
{
    char sentence[100];
    int error = result_read(path, result);
    if (error == RESULT_NOT_A_RUN)
        fprintf(app->err, "plimsoll: %s is not a run file\n", path);
    else if (error == RESULT_NEWER)
        fprintf(app->err, "plimsoll: %s was written by a newer plimsoll\n", path);
    else if (error)
        fprintf(app->err, "plimsoll: %s can not be read: %s\n", path,
                error_sentence(error, sentence, sizeof sentence));
    return error;
}

/* Prints a report, or writes it to a file. Returns the exit code. */
static int put_report(struct app *app, const struct writer *writer, const struct result *result,
                      const char *path, const char *output)
{
    struct terminal terminal = terminal_of(app->out, app->environment);
    struct show_options how = {
        .colour = terminal.colour && !output, .columns = terminal.columns, .run_path = path};
    struct text bytes = TEXT_EMPTY;
    char sentence[100];
    int error = writer->write(result, &how, &bytes);
    if (error == 0 && output && strcmp(output, "-") != 0)
        error = file_write(output, text_span(&bytes));
    else if (error == 0 && bytes.bytes)
        fwrite(bytes.at, 1, bytes.bytes, app->out);
    text_fini(&bytes);
    if (error == -ENODATA && writer->traced)
        fprintf(app->err,
                "plimsoll: %s has no trace of single requests; record one: plimsoll run ... "
                "--trace requests\n",
                path);
    else if (error)
        fprintf(app->err, "plimsoll: %s could not be written: %s\n", output ? output : writer->name,
                error_sentence(error, sentence, sizeof sentence));
    return error ? RUN_FAILED : 0;
}

/* What is asked for of the run: rows, other tools' metrics, files, or a report. */
static int put_asked(struct app *app, const struct arguments *arguments,
                     const struct writer *writer, const struct result *result, const char *path)
{
    const char *rows = argument_words(arguments, "requests");
    const char *tools = argument_words(arguments, "metrics-compat");
    const char *directory = argument_words(arguments, "all");
    int code = 0;
    if (rows)
        code = trace_export(app, path, rows);
    if (code == 0 && tools)
        code = trace_put_compat(app, result, path, tools, app->out);
    if (code || ((rows || tools) && !argument_given(arguments, "format") && !directory))
        return code;
    if (directory)
        return report_files_write(app, result, path, directory) ? RUN_FAILED : 0;
    return put_report(app, writer, result, path, argument_words(arguments, "output"));
}

static int act(struct app *app, const struct verb *verb, const struct arguments *arguments)
{
    const char *format = argument_words(arguments, "format");
    const char *runs = argument_words(arguments, "runs");
    const struct writer *writer = plug_writer(app->plugs, format ? format : "text");
    if (arguments->rest_count != 1)
        return usage_error(app, verb, "one run file is wanted, or @last");
    if (!writer)
        return usage_error(app, verb, "there is no format \"%s\"; plimsoll list names them",
                           format);
    const char *tools = argument_words(arguments, "metrics-compat");
    if (tools && !trace_tools_fit(app, verb, tools))
        return EXIT_USAGE;
    bool last = strcmp(arguments->rest[0], "@last") == 0;
    char *path = last ? last_run(runs ? runs : "runs") : memory_copy_text(arguments->rest[0]);
    if (!path)
        return usage_error(app, verb, "there is no run file in %s", runs ? runs : "runs");
    struct result *result = NULL;
    int code = read_run(app, path, &result) ? RUN_FAILED : 0;
    if (code == 0)
        code = put_asked(app, arguments, writer, result, path);
    result_free(result);
    free(path);
    return code;
}

const struct verb verb_report = {
    .name = "report",
    .sentence = "show a run again, in any form",
    .usage = "RUN | @last [OPTIONS]",
    .harmless = true,
    .options = options,
    .notes = "exit codes: 0 shown, 1 the run file can not be read, 104 bad option",
    .examples = {"plimsoll report @last --format markdown",
                 "plimsoll report @last --format html --output report.html"},
    .act = act,
};
