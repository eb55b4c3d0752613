/* plimsoll monitor: watches machines and services without any load, as every run does beside it.
 *
 * The options are written as the `watch` of a plan and read by the same reader, so that both know
 * the same probes and say the same of mistakes. Whatever ends it, what was measured is kept. */
#include "app/report_files.h"
#include "app/terminal.h"
#include "app/verb.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/unit.h"
#include "plan/read.h"
#include "run/monitor.h"
#include "run/run.h"
#include "show/resources.h"
#include "show/words.h"
#include "wire/json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PIPE_NS (NSEC_PER_SEC) /* a line a look, and at most one a second */

static const struct option options[] = {
    {"duration", 'd', .kind = OPTION_DURATION, .positive = true, .value = "TIME",
     .sentence = "how long; else until Ctrl-C", .aliases = "run-time"},
    {"interval", 'i', .kind = OPTION_DURATION, .value = "TIME",
     .sentence = "time between two looks, 0.1s at least (1s)", .setting = "watch.interval"},
    {"output", 'o', .kind = OPTION_TEXT, .value = "FILE",
     .sentence = "all of it as JSON, or as CSV if named so"},
    {"json", 0, .kind = OPTION_FLAG, .sentence = "print the JSON at the end, and nothing else"},
    {"csv", 0, .kind = OPTION_FLAG, .sentence = "the same as CSV; also the form of --output"},
    {"probe", 'p', .kind = OPTION_TEXT, .value = "PROBE", .repeats = true,
     .sentence = "these only: cpu, 'process: {port: 80}'"},
    {"process", 0, .kind = OPTION_TEXT, .value = "NAME", .repeats = true,
     .sentence = "a service's processes too, by name or pid"},
    {"port", 0, .kind = OPTION_COUNT, .value = "N", .repeats = true,
     .sentence = "the processes that listen on it too"},
    {"cgroup", 0, .kind = OPTION_TEXT, .value = "PATH", .repeats = true,
     .sentence = "a control group too"},
    {"gpu", 0, .kind = OPTION_FLAG, .sentence = "say it when there is no GPU to watch"},
    {"prometheus", 0, .kind = OPTION_TEXT, .value = "URL", .repeats = true,
     .sentence = "an endpoint's or a Prometheus server's too"},
    {"target", 0, .kind = OPTION_TEXT, .value = "URL",
     .sentence = "what probes' paths are "
                 "relative to",
     .setting = "target"},
    {"set", 0, .kind = OPTION_PAIR, .value = "PATH=VALUE", .repeats = true,
     .sentence = "a setting, as watch.thresholds.cpu=90"},
    {"quiet", 'q', .kind = OPTION_FLAG, .sentence = "print nothing but errors"},
    {.name = NULL},
};

/* ---- options as a plan ----------------------------------------------------------------------- */

static bool has_probe(const struct app *app, const char *name)
{
    for (size_t i = 0; i < app->plugs->probe_count; i++)
        if (strcmp(app->plugs->probes[i]->name, name) == 0)
            return true;
    return false;
}

/* An entry `{probe: "words"}`, or `{probe: {setting: words}}`. */
static void put_entry(struct text *out, const char *probe, const char *setting, const char *words)
{
    text_printf(out, "    - {%s: %s%s%s\"", probe, setting ? "{" : "", setting ? setting : "",
                setting ? ": " : "");
    json_escape(span_of(words), out); /* a text of JSON is one of YAML */
    text_printf(out, "\"%s}\n", setting ? "}" : "");
}

static void put_default(const struct app *app, struct text *out)
{
    if (has_probe(app, "host"))
        text_puts(out, "    - {host: local, name: host, role: host}\n");
    if (has_probe(app, "gpu"))
        text_puts(out, "    - {gpu: {}, name: gpu, role: gpu}\n");
}

/* A probe as it would stand in a plan's list: a word, a map, or what stands inside one. */
static void put_probe(struct text *out, const char *words)
{
    bool inside = strchr(words, ':') && words[0] != '{';
    text_printf(out, "    - %s%s%s\n", inside ? "{" : "", words, inside ? "}" : "");
}

static char *plan_text(const struct app *app, const struct arguments *arguments)
{
    struct text out = TEXT_EMPTY;
    text_puts(&out, "watch:\n  local: false\n  probes:\n");
    if (!argument_given(arguments, "probe"))
        put_default(app, &out);
    for (size_t i = 0; i < arguments->count; i++) {
        const char *name = arguments->items[i].option->name, *words = arguments->items[i].words;
        if (strcmp(name, "probe") == 0)
            put_probe(&out, words);
        else if (strcmp(name, "process") == 0)
            put_entry(&out, "process", NULL, words);
        else if (strcmp(name, "port") == 0)
            put_entry(&out, "process", "port", words);
        else if (strcmp(name, "cgroup") == 0)
            put_entry(&out, "cgroup", NULL, words);
        else if (strcmp(name, "prometheus") == 0)
            put_entry(&out, "prometheus", NULL, words);
    }
    return text_take(&out);
}

/* Settings of the plan that options stand for. Owner: caller, free(); texts are the arguments'. */
static struct plan_override *overrides(const struct arguments *arguments, size_t *count,
                                       char ***owned)
{
    struct plan_override *list = memory_new(arguments->count + 1, sizeof *list);
    *owned = memory_new(arguments->count + 1, sizeof **owned);
    *count = 0;
    for (size_t i = 0; i < arguments->count; i++) {
        const struct given *given = &arguments->items[i];
        struct plan_override override = {
            .path = given->option->setting, .words = given->words, .flag = given->written};
        if (strcmp(given->option->name, "set") == 0) {
            char *path = memory_copy_text(given->words);
            char *equals = strchr(path, '=');
            *equals = '\0'; /* its kind was checked */
            override.path = (*owned)[*count] = path;
            override.words = equals + 1;
        }
        if (override.path)
            list[(*count)++] = override;
    }
    return list;
}

/* Returns the plan, or NULL after saying what is wrong. */
static struct plan *read_plan(struct app *app, const struct arguments *arguments)
{
    char **owned = NULL;
    struct plan_source source = {.file = "command line", .environment = app->environment};
    char *text = plan_text(app, arguments);
    source.text = text;
    struct plan_override *list = overrides(arguments, &source.override_count, &owned);
    source.overrides = list;
    struct plan_reading reading;
    int error = plan_read_watch(&source, &app->plugs->vocabulary, &reading);
    struct text words = TEXT_EMPTY;
    if (!error)
        notes_write(&reading.notes, reading.text, &words);
    if (words.bytes)
        fputs(words.at, app->err);
    struct plan *plan = reading.plan;
    reading.plan = NULL;
    plan_reading_fini(&reading);
    for (size_t i = 0; i < source.override_count; i++)
        free(owned[i]);
    free(owned);
    free(list);
    free(text);
    text_fini(&words);
    return plan;
}

/* ---- showing --------------------------------------------------------------------------------- */

struct screen {
    struct app *app;
    struct terminal terminal;
    size_t lines;  /* of the table that stands on the terminal */
    size_t events; /* told so far */
    bool asked_gpu;
};

/* Takes the table off the terminal. */
static void clear(struct screen *screen, struct text *out)
{
    if (screen->lines)
        text_printf(out, "\033[%zuA\033[J", screen->lines);
    screen->lines = 0;
}

/* What happened since the last drawing, but for what is only of interest in the documents. */
static void put_events(struct screen *screen, const struct result *result, struct text *out)
{
    for (; screen->events < result->event_count; screen->events++) {
        const struct result_event *event = &result->events[screen->events];
        bool gpu = strcmp(event->kind, "absent") == 0 && strncmp(event->words, "gpu", 3) == 0;
        if (strcmp(event->kind, "unobserved") == 0 || (gpu && !screen->asked_gpu))
            continue;
        char at[UNIT_ROOM];
        text_printf(out, "! %s  ",
                    unit_write_duration(at, event->at_ns / NSEC_PER_SEC * NSEC_PER_SEC));
        words_put(out, event->words, false);
        text_putc(out, '\n');
    }
}

static size_t count_lines(const char *words)
{
    size_t lines = 0;
    for (; *words; words++)
        lines += *words == '\n';
    return lines;
}

enum { TABLE_ROWS = 40 };

static void show(void *self, const struct result *recent)
{
    struct screen *screen = self;
    struct text out = TEXT_EMPTY;
    if (screen->terminal.moves)
        clear(screen, &out);
    put_events(screen, recent, &out);
    size_t before = out.bytes;
    struct show_options how = {.colour = screen->terminal.colour,
                               .columns = screen->terminal.columns};
    if (screen->terminal.moves) {
        resources_table(recent, &how, TABLE_ROWS, &out);
        screen->lines = out.bytes > before ? count_lines(out.at + before) : 0;
    } else {
        resources_line(recent, &out);
    }
    if (out.bytes)
        fwrite(out.at, 1, out.bytes, screen->app->out);
    fflush(screen->app->out);
    text_fini(&out);
}

/* ---- the end --------------------------------------------------------------------------------- */

static bool ends_in(const char *path, const char *end)
{
    size_t length = strlen(path), bytes = strlen(end);
    return length > bytes && strcmp(path + length - bytes, end) == 0;
}

static int save(struct app *app, const struct arguments *arguments, const struct result *result)
{
    const char *path = argument_words(arguments, "output");
    struct text out = TEXT_EMPTY;
    if (!path)
        return 0;
    if (argument_given(arguments, "csv") || ends_in(path, ".csv"))
        resources_csv(result, &out);
    else
        resources_json(result, &out);
    int error = file_write(path, text_span(&out));
    text_fini(&out);
    if (error) {
        char sentence[100];
        fprintf(app->err, "plimsoll: %s could not be written: %s\n", path,
                error_sentence(error, sentence, sizeof sentence));
    }
    return error == -ENOSPC ? RUN_DISK_FULL : error ? RUN_FAILED : 0;
}

/* What stands on the output stream in the end: a document, or the table of the whole. */
static void conclude(struct screen *screen, const struct arguments *arguments,
                     const struct result *result)
{
    struct text out = TEXT_EMPTY;
    struct show_options how = {.colour = screen->terminal.colour,
                               .columns = screen->terminal.columns};
    bool quiet = argument_given(arguments, "quiet");
    bool saved = argument_given(arguments, "output");
    if (argument_given(arguments, "json")) {
        resources_json(result, &out);
    } else if (argument_given(arguments, "csv") && !saved) {
        resources_csv(result, &out);
    } else if (!quiet) {
        clear(screen, &out);
        put_events(screen, result, &out);
        resources_table(result, &how, 0, &out);
        if (saved)
            text_printf(&out, "\nsaved         %s\n", argument_words(arguments, "output"));
    }
    if (out.bytes)
        fwrite(out.at, 1, out.bytes, screen->app->out);
    text_fini(&out);
}

static int act(struct app *app, const struct verb *verb, const struct arguments *arguments)
{
    if (arguments->rest_count)
        return usage_error(app, verb, "\"%s\" is not an option; probes are named by --probe",
                           arguments->rest[0]);
    struct plan *plan = read_plan(app, arguments);
    if (!plan)
        return EXIT_USAGE;
    struct screen screen = {.app = app,
                            .terminal = terminal_of(app->out, app->environment),
                            .asked_gpu = argument_given(arguments, "gpu")};
    bool document = argument_given(arguments, "json") ||
                    (argument_given(arguments, "csv") && !argument_given(arguments, "output"));
    bool shown = !document && !argument_given(arguments, "quiet");
    nsec_t interval_ns = plan->watch.interval_ns;
    struct monitor_options how = {.plan = plan,
                                  .probes = app->plugs->probes,
                                  .probe_count = app->plugs->probe_count,
                                  .version = PLIMSOLL_VERSION,
                                  .duration_ns = argument_duration(arguments, "duration", 0),
                                  .interrupts = app->interrupts,
                                  .progress_ns = interval_ns > PIPE_NS ? interval_ns : PIPE_NS,
                                  .progress = shown ? show : NULL,
                                  .self = &screen};
    struct result *result = NULL;
    int code = run_monitor(&how, &result);
    if (code < 0) {
        char sentence[100];
        fprintf(app->err, "plimsoll: nothing could be watched: %s\n",
                error_sentence(code, sentence, sizeof sentence));
        code = RUN_FAILED;
    } else {
        int saved = save(app, arguments, result);
        conclude(&screen, arguments, result);
        code = saved ? saved : code == MONITOR_LIMIT ? RUN_THRESHOLDS : 0;
    }
    result_free(result);
    plan_free(plan);
    return code;
}

const struct verb verb_monitor = {
    .name = "monitor",
    .sentence = "watch processors, memory, disks, network, services and GPUs",
    .usage = "[OPTIONS]",
    .options = options,
    .notes = "Watches this machine and its GPUs unless --probe says what. Ctrl-C ends it and\n"
             "keeps what was measured.\n"
             "exit codes: 0 fine, 99 a limit of watch.stop was held, 104 bad option",
    .examples = {"plimsoll monitor --duration 600 --interval 10 --output resource_usage.json",
                 "plimsoll monitor -d 1m --port 8000 --probe cpu --csv"},
    .act = act,
};
