/* The steps of a run as the user sees them: notes on the plan, the live view, the summary, where
 * everything is. What is printed goes to the output stream, what went wrong to the error stream. */
#include "app/launch.h"

#include "app/keep_baseline.h"
#include "app/live.h"
#include "app/report_files.h"
#include "app/self_test.h"
#include "app/terminal.h"
#include "app/trace_output.h"
#include "base/error.h"
#include "base/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PROGRESS_TERMINAL_NS (500 * NSEC_PER_MSEC)
#define PROGRESS_PIPE_NS     (5 * NSEC_PER_SEC)

#define SCENARIO_PREFIX "scenario:"

const struct scenario *launch_scenario(struct app *app, const struct verb *verb, const char *words,
                                       int *code)
{
    *code = 0;
    if (strncmp(words, SCENARIO_PREFIX, sizeof SCENARIO_PREFIX - 1) != 0)
        return NULL;
    const char *name = words + sizeof SCENARIO_PREFIX - 1;
    const struct scenario *scenario = scenario_find(name);
    if (!scenario) {
        size_t count = 0;
        const struct scenario *all = scenario_list(&count);
        struct text names = TEXT_EMPTY;
        for (size_t i = 0; i < count; i++)
            text_printf(&names, "%s%s", i ? ", " : "", all[i].name);
        *code = usage_error(app, verb, "there is no scenario \"%s\"; there are %s", name, names.at);
        text_fini(&names);
    }
    return scenario;
}

bool launch_may_be_url(const char *words)
{
    size_t host = strcspn(words, "/?#");
    struct span name = {.at = words, .bytes = host};
    return strstr(words, "://") || memchr(words, '.', host) || memchr(words, ':', host) ||
           span_equal_nocase(name, SPAN("localhost"));
}

int launch_read(struct app *app, const struct launch *launch, struct plan_reading *reading)
{
    bool shipped =
        launch->file && strncmp(launch->file, SCENARIO_PREFIX, sizeof SCENARIO_PREFIX - 1) == 0;
    const struct scenario *scenario =
        shipped ? scenario_find(launch->file + sizeof SCENARIO_PREFIX - 1) : NULL;
    struct plan_source source = {
        .file = launch->file,
        .text = scenario ? scenario->text : NULL,
        .overrides = launch->overrides,
        .override_count = launch->override_count,
        .environment = app->environment,
    };
    const struct vocabulary *vocabulary = &app->plugs->vocabulary;
    *reading = (struct plan_reading){.plan = NULL};
    int error = launch->quick ? plan_read_quick(launch->quick, &source, vocabulary, reading)
                              : plan_read(&source, vocabulary, reading);
    if (error) {
        char sentence[100];
        fprintf(app->err, "plimsoll: %s can not be read: %s\n",
                launch->file ? launch->file : "the command line",
                error_sentence(error, sentence, sizeof sentence));
        return RUN_BAD_PLAN;
    }
    struct text words = TEXT_EMPTY;
    notes_write(&reading->notes, reading->text, &words);
    if (words.bytes)
        fputs(words.at, app->err);
    text_fini(&words);
    if (reading->plan)
        return 0;
    fprintf(app->err, "%zu error%s in %s; nothing was sent.\n", reading->notes.errors,
            reading->notes.errors == 1 ? "" : "s",
            launch->file ? launch->file : "the command line");
    return RUN_BAD_PLAN;
}

/* The log of a run: what the conductor says goes to the error stream, below the live view. */
struct voice {
    struct app *app;
    struct live *live;
};

static void say(void *self, enum log_level level, const char *line)
{
    struct voice *voice = self;
    (void)level;
    live_clear(voice->live);
    fprintf(voice->app->err, "plimsoll: %s\n", line);
    fflush(voice->app->err);
}

static void show_progress(void *self, const struct run_progress *progress)
{
    struct voice *voice = self;
    live_show(voice->live, progress);
}

/* Prints the summary in the wanted format. */
static void print_summary(struct app *app, const struct launch *launch,
                          const struct run_report *report, const char *page)
{
    const struct writer *writer = plug_writer(app->plugs, launch->format ? launch->format : "text");
    struct terminal terminal = terminal_of(app->out, app->environment);
    struct show_options options = {
        .colour = terminal.colour,
        .columns = terminal.columns,
        .run_path = report->run_path,
        .report_path = page,
    };
    struct text out = TEXT_EMPTY;
    if (report->result && writer->write(report->result, &options, &out) == 0 && out.bytes)
        fwrite(out.at, 1, out.bytes, app->out);
    fflush(app->out);
    text_fini(&out);
}

/* With --quiet: one line, and only when there is something to say. */
static void print_quiet(struct app *app, const struct run_report *report)
{
    if (report->outcome != RUN_PASSED)
        fprintf(app->err, "plimsoll: %s (run: %s)\n", report->why ? report->why : "failed",
                report->run_path ? report->run_path : "none");
}

/* What is made of the trace. A run that passed and whose trace can not be shown did not pass. */
static int show_trace(struct app *app, const struct launch *launch, const struct run_report *report)
{
    struct trace_vllm_file where = {launch->result_directory, launch->result_file};
    bool text = !launch->format || strcmp(launch->format, "text") == 0;
    int code = 0;
    if (launch->compat && !launch->quiet)
        code = trace_put_compat(app, report->result, report->run_path, launch->compat,
                                text ? app->out : app->err);
    if (code == 0 && launch->save_vllm)
        code = trace_save_vllm(app, report->result, report->run_path, where, launch->quiet);
    return code;
}

/* Reports as files, then the summary. Returns the exit code. */
static int show(struct app *app, const struct launch *launch, const struct run_report *report)
{
    int code = (int)report->outcome;
    if (!report->result) {
        fprintf(app->err, "plimsoll: %s\n", report->why ? report->why : "the run failed");
        return code;
    }
    char *directory = report_directory(report->run_path);
    struct text page = TEXT_EMPTY;
    text_printf(&page, "%s/report.html", directory);
    int error = 0;
    if (!launch->no_report)
        error = report_files_write(app, report->result, report->run_path, directory);
    if (error == -ENOSPC)
        code = RUN_DISK_FULL;
    if (launch->quiet) {
        print_quiet(app, report);
    } else {
        bool written = !launch->no_report && error == 0;
        print_summary(app, launch, report, written ? page.at : NULL);
        bool told = !launch->format && terminal_of(app->out, app->environment).is_terminal;
        if (report->why && report->outcome != RUN_PASSED && !told)
            fprintf(app->err, "plimsoll: %s\n", report->why);
    }
    int traced = show_trace(app, launch, report);
    text_fini(&page);
    free(directory);
    return code == RUN_PASSED ? traced : code;
}

static int run(struct app *app, const struct launch *launch, const struct plan *plan)
{
    struct terminal terminal = terminal_of(app->err, app->environment);
    bool shown = !launch->quiet && !plan->quiet;
    struct launch how = *launch;
    how.quiet = !shown;
    struct voice voice = {.app = app, .live = shown ? live_new(app->err, &terminal) : NULL};
    struct log log = {.most = LOG_NOTICE, .say = say, .self = &voice};
    struct self_test_facts known;
    self_test_facts_read(app, &known);
    struct run_options options = {
        .plan = plan,
        .drivers = app->plugs->drivers,
        .driver_count = app->plugs->driver_count,
        .probes = app->plugs->probes,
        .probe_count = app->plugs->probe_count,
        .directory = plan->output_dir,
        .version = PLIMSOLL_VERSION,
        .log = shown ? &log : NULL,
        .interrupts = app->interrupts,
        .progress = shown ? show_progress : NULL,
        .self = &voice,
        .progress_ns = terminal.moves ? PROGRESS_TERMINAL_NS : PROGRESS_PIPE_NS,
        .facts = known.items,
        .fact_count = known.count,
    };
    struct run_report report;
    int error = run_plan(&options, &report);
    live_free(voice.live);
    self_test_facts_fini(&known);
    if (error) {
        char sentence[100];
        fprintf(app->err, "plimsoll: %s\n", error_sentence(error, sentence, sizeof sentence));
        return RUN_FAILED;
    }
    int code = show(app, &how, &report);
    bool text = !launch->format || strcmp(launch->format, "text") == 0;
    int kept = keep_baseline(app, plan, &report, !shown ? NULL : text ? app->out : app->err);
    code = code == RUN_PASSED ? kept : code;
    run_report_fini(&report);
    return code;
}

int launch(struct app *app, const struct launch *launch)
{
    struct plan_reading reading;
    int code = launch_read(app, launch, &reading);
    if (code == 0 && reading.plan->tls.insecure && !launch->quiet)
        fputs("plimsoll: TLS certificates are not verified (--insecure)\n", app->err);
    if (code == 0)
        code = run(app, launch, reading.plan);
    plan_reading_fini(&reading);
    return code;
}
