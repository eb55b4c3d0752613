/* Reports that read the trace; see trace_output.h. */
#include "app/trace_output.h"

#include "app/report_files.h"
#include "app/terminal.h"
#include "base/error.h"
#include "run/open.h"
#include "run/run.h"
#include "show/compat_table.h"
#include "show/trace_row.h"

#include <errno.h>
#include <string.h>
#include <time.h>

enum { TOOL_ROOM = 32 };

/* The next word of a list with commas; false at its end. */
static bool next_tool(const char **list, char out[TOOL_ROOM])
{
    size_t bytes = strcspn(*list, ",");
    if (**list == '\0')
        return false;
    snprintf(out, TOOL_ROOM, "%.*s", (int)bytes, *list);
    *list += bytes + ((*list)[bytes] == ',');
    return true;
}

bool trace_tools_fit(struct app *app, const struct verb *verb, const char *words)
{
    char word[TOOL_ROOM];
    enum compat_tool tool;
    const char *list = words;
    bool any = false;
    while (next_tool(&list, word)) {
        any = true;
        if (!compat_tool_of(word, &tool)) {
            usage_error(app, verb, "--metrics-compat knows vllm, aiperf and guidellm, not \"%s\"",
                        word);
            return false;
        }
    }
    if (!any)
        usage_error(app, verb, "--metrics-compat wants a tool: vllm, aiperf or guidellm");
    return any;
}

static int complain(struct app *app, const char *run_path, int error)
{
    char sentence[100];
    if (error == TRACE_NONE || error == -ENODATA)
        fprintf(app->err,
                "plimsoll: %s has no trace of single requests; record one: plimsoll run ... "
                "--trace requests\n",
                run_path);
    else
        fprintf(app->err, "plimsoll: the trace of %s can not be read: %s\n", run_path,
                error > 0 ? "the file is damaged"
                          : error_sentence(error, sentence, sizeof sentence));
    return RUN_FAILED;
}

int trace_put_compat(struct app *app, const struct result *result, const char *run_path,
                     const char *tools, FILE *out)
{
    struct terminal terminal = terminal_of(out, app->environment);
    struct show_options how = {.colour = terminal.colour, .columns = terminal.columns};
    char word[TOOL_ROOM];
    while (next_tool(&tools, word)) {
        enum compat_tool tool = COMPAT_VLLM;
        struct compat compat;
        compat_tool_of(word, &tool);
        int error = compat_of_run(run_path, tool, &compat);
        if (error)
            return complain(app, run_path, error);
        struct text words = TEXT_EMPTY;
        compat_table_put(&compat, result, &how, &words);
        fwrite(words.at, 1, words.bytes, out);
        text_fini(&words);
        compat_fini(&compat);
    }
    fflush(out);
    return 0;
}

/* "openai-chat-infqps-concurrency8-model-20261120-140203.json" */
static void put_vllm_name(const struct result *result, struct text *out)
{
    const char *verb = result_fact(result, "load.verb");
    const char *model = result_fact(result, "load.model");
    const char *rate = result_fact(result, "load.rate_rps");
    const char *users = result_fact(result, "load.concurrency");
    const char *slash = model ? strrchr(model, '/') : NULL;
    char date[40];
    time_t begun = (time_t)(result->wall_start_ns / NSEC_PER_SEC);
    struct tm local;
    localtime_r(&begun, &local);
    strftime(date, sizeof date, "%Y%m%d-%H%M%S", &local);
    for (const char *at = verb ? verb : "plimsoll"; *at; at++)
        text_putc(out, *at == '.' || *at == '/' ? '-' : *at);
    text_printf(out, "-%sqps", rate ? rate : "inf");
    if (users)
        text_printf(out, "-concurrency%s", users);
    text_printf(out, "-%s-%s.json", slash ? slash + 1 : model ? model : "model", date);
}

int trace_save_vllm(struct app *app, const struct result *result, const char *run_path,
                    struct trace_vllm_file where, bool quiet)
{
    struct text path = TEXT_EMPTY, bytes = TEXT_EMPTY;
    struct show_options how = {.columns = 80, .run_path = run_path};
    char sentence[100];
    if (where.directory)
        text_printf(&path, "%s/", where.directory);
    if (where.name)
        text_puts(&path, where.name);
    else
        put_vllm_name(result, &path);
    const struct writer *writer = plug_writer(app->plugs, "vllm");
    int error = writer->write(result, &how, &bytes), code = 0;
    if (error) {
        code = complain(app, run_path, error);
    } else {
        error = where.directory ? run_directory_make(where.directory) : 0;
        if (error == 0)
            error = file_write(path.at, text_span(&bytes));
        if (error) {
            fprintf(app->err, "plimsoll: %s could not be written: %s\n", path.at,
                    error_sentence(error, sentence, sizeof sentence));
            code = error == -ENOSPC ? RUN_DISK_FULL : RUN_FAILED;
        } else if (!quiet) {
            fprintf(app->err, "plimsoll: vLLM's result file: %s\n", path.at);
        }
    }
    text_fini(&path);
    text_fini(&bytes);
    return code;
}

/* Row by row, since a trace can be larger than memory. Returns 0 or -errno. */
static int write_rows(struct trace *trace, bool json, FILE *out)
{
    struct trace_request request;
    struct text row = TEXT_EMPTY;
    if (!json)
        trace_row_head(&row);
    do {
        if (row.bytes && fwrite(row.at, 1, row.bytes, out) != row.bytes)
            break;
        text_clear(&row);
        if (!trace_next(trace, &request))
            break;
        if (json)
            trace_row_json(&request, &row);
        else
            trace_row_csv(&request, &row);
    } while (true);
    text_fini(&row);
    return ferror(out) || fflush(out) != 0 ? -errno : 0;
}

int trace_export(struct app *app, const char *run_path, const char *file)
{
    struct trace *trace = NULL;
    size_t length = strlen(file);
    bool print = strcmp(file, "-") == 0;
    bool json = length > 6 && strcmp(file + length - 6, ".jsonl") == 0;
    int error = trace_open(&trace, run_path);
    if (error)
        return complain(app, run_path, error);
    FILE *out = print ? app->out : fopen(file, "we");
    error = out ? write_rows(trace, json, out) : -errno;
    if (out && !print && fclose(out) != 0 && error == 0)
        error = -errno;
    if (error == -EPIPE && print) { /* whoever read it has enough */
        trace_close(trace);
        return 0;
    }
    if (error) {
        char sentence[100];
        fprintf(app->err, "plimsoll: %s could not be written: %s\n", file,
                error_sentence(error, sentence, sizeof sentence));
        trace_close(trace);
        return error == -ENOSPC ? RUN_DISK_FULL : RUN_FAILED;
    }
    error = trace_close(trace);
    return error ? complain(app, run_path, error) : 0;
}
