/* The steps of a scale test as the user sees them: what will be done, each level as it ends, the
 * tables, and where everything is. The files are written anew after every level, so that whatever
 * ends the test, what was measured is there. */
#include "app/scale.h"

#include "app/live.h"
#include "app/report_files.h"
#include "app/self_test.h"
#include "app/terminal.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/unit.h"
#include "plan/mask.h"
#include "plug/suite_page.h"
#include "record/path.h"
#include "run/open.h"
#include "show/suite_document.h"
#include "show/suite_figures.h"
#include "show/suite_tables.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PROGRESS_TERMINAL_NS (500 * NSEC_PER_MSEC)
#define PROGRESS_PIPE_NS     (5 * NSEC_PER_SEC)

/* A scale test as it is shown. */
struct stand {
    struct app *app;
    const struct scale_order *order;
    struct live *live;
    const char *directory, *absolute; /* of the suite, as shown and for scalers */
    bool failed;                      /* a file could not be written; said once */
};

/* ---- what will be done ------------------------------------------------------------------------
 */

static void put_rung(const struct rung *rung, size_t number, struct text *out)
{
    char measure[UNIT_ROOM], most[UNIT_ROOM];
    text_printf(out, "  %2zu. %-16s", number, rung->name);
    if (!isnan(rung->size))
        text_printf(out, " size %g", rung->size);
    if (!isnan(rung->instances))
        text_printf(out, " %g instance%s", rung->instances, rung->instances > 1 ? "s" : "");
    if (rung->replicate)
        text_printf(out, " replicate %u", (unsigned)rung->replicate + 1);
    text_printf(out, "  %s, at most %s\n", unit_write_duration(measure, rung->measure_ns),
                unit_write_duration(most, rung->most_ns));
}

static void put_ladder(const struct plan *plan, const struct ladder *ladder, struct text *out)
{
    char planned[UNIT_ROOM], limit[UNIT_ROOM];
    size_t series = SIZE_MAX;
    for (size_t i = 0; i < ladder->rung_count; i++) {
        if (ladder->rungs[i].series != series) {
            series = ladder->rungs[i].series;
            text_printf(out, "%s against ", ladder->series[series].name);
            text_put_masked(out, plan->target ? plan->target : "the plan's targets");
            text_putc(out, '\n');
        }
        put_rung(&ladder->rungs[i], i + 1, out);
    }
    text_printf(out, "planned %s, never longer than %s\n",
                unit_write_duration(planned, ladder->planned_ns),
                unit_write_duration(limit, ladder->limit_ns));
    if (plan->scale.find_capacity)
        text_puts(out, "then the capacity is looked for with up to 12 levels more\n");
}

/* ---- files ------------------------------------------------------------------------------------
 */

/* Writes a file where the user wished it; NULL: nowhere. The first failure is said. */
static void write_to(struct stand *stand, const char *path, const struct text *bytes)
{
    int error = path ? file_write(path, text_span(bytes)) : 0;
    if (error && !stand->failed) {
        char sentence[100];
        fprintf(stand->app->err, "plimsoll: %s can not be written: %s\n", path,
                error_sentence(error, sentence, sizeof sentence));
        stand->failed = true;
    }
}

static void write_file(struct stand *stand, const char *name, const struct text *bytes)
{
    struct text path = TEXT_EMPTY;
    text_printf(&path, "%s/%s", stand->directory, name);
    write_to(stand, path.at, bytes);
    text_fini(&path);
}

static void write_files(struct stand *stand, const struct suite *suite)
{
    struct text json = TEXT_EMPTY, words = TEXT_EMPTY, page = TEXT_EMPTY;
    suite_document_write(suite, &json);
    write_file(stand, "scalability_results.json", &json);
    write_to(stand, stand->order->results, &json);
    suite_markdown(suite, &words);
    write_file(stand, "Scalability_Testing_Results.md", &words);
    if (suite_page(suite, &page) == 0) {
        write_file(stand, "report.html", &page);
        write_file(stand, "results_viewer.html", &page);
        write_to(stand, stand->order->viewer, &page);
    }
    text_fini(&page);
    text_fini(&json);
    text_fini(&words);
}

/* ---- while it runs ----------------------------------------------------------------------------
 */

static void line(struct stand *stand, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void line(struct stand *stand, const char *format, ...)
{
    va_list list;
    if (stand->order->quiet)
        return;
    live_clear(stand->live);
    va_start(list, format);
    vfprintf(stand->app->err, format, list);
    va_end(list);
    fputc('\n', stand->app->err);
    fflush(stand->app->err);
}

static void news(void *self, const struct suite_news *news)
{
    struct stand *stand = self;
    char left[UNIT_ROOM];
    if (news->words) {
        if (stand->order->debug)
            line(stand, "plimsoll:   %s", news->words);
    } else if (!news->level) {
        struct text where = TEXT_EMPTY;
        if (!isnan(news->rung->size))
            text_printf(&where, ", size %g", news->rung->size);
        if (!isnan(news->rung->instances))
            text_printf(&where, ", %g instance%s", news->rung->instances,
                        news->rung->instances > 1 ? "s" : "");
        line(stand, "plimsoll: level %zu of %zu: %s%s    ETA %s", news->number, news->count,
             news->rung->name, where.bytes ? where.at : "",
             unit_write_duration(left, news->left_ns));
        text_fini(&where);
    } else {
        struct text row = TEXT_EMPTY;
        suite_level_line(news->level, &row);
        line(stand, "plimsoll:   %s", row.at);
        text_fini(&row);
        write_files(stand, news->suite);
    }
}

static void say(void *self, enum log_level level, const char *words)
{
    (void)level;
    line(self, "plimsoll: %s", words);
}

static void show_progress(void *self, const struct run_progress *progress)
{
    struct stand *stand = self;
    if (stand->live)
        live_show(stand->live, progress);
}

/* ---- the end ----------------------------------------------------------------------------------
 */

static void print(struct stand *stand, const struct suite_report *report)
{
    struct text out = TEXT_EMPTY;
    suite_tables(report->suite, &out);
    fputs(out.at ? out.at : "", stand->app->out);
    fprintf(stand->app->out, "results       %s/scalability_results.json\n", stand->directory);
    fprintf(stand->app->out, "report        %s/report.html\n", stand->directory);
    fprintf(stand->app->out, "document      %s/Scalability_Testing_Results.md\n", stand->directory);
    if (stand->order->viewer && !stand->failed)
        fprintf(stand->app->out, "viewer        %s\n", stand->order->viewer);
    if (verb_find("analyze"))
        fprintf(stand->app->out,
                "next          plimsoll analyze --test-results %s/scalability_results.json\n",
                stand->directory);
    fflush(stand->app->out);
    text_fini(&out);
}

static int conclude(struct stand *stand, const struct suite_report *report)
{
    size_t levels = 0;
    for (size_t i = 0; i < report->suite->series_count; i++)
        levels += report->suite->series[i].level_count;
    if (levels) {
        write_files(stand, report->suite);
        if (!stand->order->quiet)
            print(stand, report);
    }
    if (levels == 0)
        rmdir(stand->directory); /* stays where something is in it */
    if (report->why)
        fprintf(stand->app->err, "plimsoll: %s%s\n", report->why,
                levels ? "; what was measured is kept" : "");
    return stand->failed && report->outcome == RUN_PASSED ? RUN_FAILED : (int)report->outcome;
}

/* ---- the whole --------------------------------------------------------------------------------
 */

int scale_conclude(struct app *app, const struct scale_order *order, const char *directory,
                   const struct suite_report *report)
{
    struct stand stand = {.app = app, .order = order, .directory = directory};
    return conclude(&stand, report);
}

char *scale_directory(const struct plan *plan, const char *suite, bool dry)
{
    struct text name = TEXT_EMPTY, path = TEXT_EMPTY;
    text_printf(&name, "scale-%s", suite);
    char *file = run_path_new(plan->output_dir, name.at, clock_wall_ns());
    size_t bytes = strlen(file) - (sizeof RUN_FILE_ENDING - 1);
    bool made = dry || run_directory_make(plan->output_dir) != 0;
    text_put(&path, (struct span){.at = file, .bytes = bytes});
    /* Two tests that begin in the same second must not write over each other. */
    for (int number = 2; !made && mkdir(path.at, 0777) != 0 && errno == EEXIST; number++) {
        text_clear(&path);
        text_printf(&path, "%.*s-%d", (int)bytes, file, number);
    }
    free(file);
    text_fini(&name);
    return text_take(&path);
}

/* What scalers would change, for --dry-run. */
static int show_changes(struct stand *stand, const struct suite_options *options)
{
    struct text out = TEXT_EMPTY, why = TEXT_EMPTY;
    int outcome = suite_dry(options, &out, &why);
    if (out.bytes)
        fprintf(stand->app->out, "would change:\n%s", out.at);
    if (outcome)
        fprintf(stand->app->err, "plimsoll: %s\n", why.bytes ? why.at : "scalers failed");
    text_fini(&out);
    text_fini(&why);
    return outcome ? RUN_FAILED : 0;
}

/* The scalers that the plan names. Owner: caller, free(). */
static struct suite_scaler *scalers_of(const struct app *app, const struct plan *plan)
{
    static const unsigned axes[] = {0, SCALER_INSTANCES, SCALER_SIZE};
    const struct plan_scale *scale = &plan->scale;
    struct suite_scaler *scalers = memory_new(scale->scaler_count, sizeof *scalers);
    for (size_t i = 0; i < scale->scaler_count; i++)
        scalers[i] =
            (struct suite_scaler){.scaler = app->plugs->scalers[scale->scalers[i].plugged.number],
                                  .config = scale->scalers[i].plugged.config,
                                  .axes = axes[scale->scalers[i].axes]};
    return scalers;
}

static void said(void *self, const char *words)
{
    struct stand *stand = self;
    if (stand->order->debug)
        line(stand, "plimsoll:   %s", words);
}

static int run(struct stand *stand, struct plan *plan, const struct ladder *ladder)
{
    struct app *app = stand->app;
    struct terminal terminal = terminal_of(app->err, app->environment);
    struct self_test_facts known;
    self_test_facts_read(app, &known);
    if (!stand->order->quiet && terminal.moves)
        stand->live = live_new(app->err, &terminal);
    struct log log = {.most = LOG_NOTICE, .say = say, .self = stand};
    struct suite_scaler *scalers = scalers_of(app, plan);
    struct suite_options options = {
        .run = {.plan = plan,
                .drivers = app->plugs->drivers,
                .driver_count = app->plugs->driver_count,
                .directory = stand->absolute,
                .version = PLIMSOLL_VERSION,
                .log = &log,
                .interrupts = app->interrupts,
                .progress = stand->live ? show_progress : NULL,
                .self = stand,
                .progress_ns = PROGRESS_TERMINAL_NS,
                .probes = app->plugs->probes,
                .probe_count = app->plugs->probe_count,
                .facts = known.items,
                .fact_count = known.count},
        .plan = plan,
        .ladder = ladder,
        .scalers = scalers,
        .scaler_count = plan->scale.scaler_count,
        .said = said,
        .news = news,
        .self = stand,
    };
    if (stand->order->dry_run) {
        int code = show_changes(stand, &options);
        free(scalers);
        self_test_facts_fini(&known);
        return code;
    }
    struct suite_report report;
    suite_run(&options, &report);
    stand->live = live_free(stand->live);
    self_test_facts_fini(&known);
    free(scalers);
    int code = conclude(stand, &report);
    suite_report_fini(&report);
    return code;
}

/* Nothing is sent before the plan compiles and the directory is there. */
static int begin(struct stand *stand, struct plan *plan, const struct ladder *ladder)
{
    char *directory = scale_directory(plan, plan->name, stand->order->dry_run), sentence[100];
    bool dry = stand->order->dry_run;
    int code, error = dry ? 0 : run_directory_make(directory);
    char *absolute = dry || error ? NULL : realpath(directory, NULL);
    stand->directory = directory;
    stand->absolute = absolute ? absolute : directory;
    if (error) {
        fprintf(stand->app->err, "plimsoll: the directory %s can not be used: %s\n", directory,
                error_sentence(error, sentence, sizeof sentence));
        code = RUN_FAILED;
    } else {
        code = run(stand, plan, ladder);
    }
    free(absolute);
    free(directory);
    return code;
}

/* The time in which users arrive is a duration too. */
static void scale_arrivals(struct plan *plan)
{
    for (size_t i = 0; i < plan->scenario_count; i++)
        plan->scenarios[i].spawn_rate /= plan->time_scale;
}

int scale(struct app *app, const struct verb *verb, const struct scale_order *order)
{
    struct plan_reading reading;
    struct ladder ladder = {.rungs = NULL};
    struct text why = TEXT_EMPTY, words = TEXT_EMPTY;
    int code = launch_read(app, &order->launch, &reading);
    if (code == 0)
        scale_arrivals(reading.plan);
    for (size_t i = 0; i < order->kind_count && code == 0; i++)
        if (ladder_add(&ladder, reading.plan, order->kinds[i], &why) != 0)
            code = usage_error(app, verb, "%s", why.at);
    if (code == 0 && (order->dry_run || order->debug)) {
        put_ladder(reading.plan, &ladder, &words);
        fputs(words.at, order->dry_run ? app->out : app->err);
    }
    struct stand stand = {.app = app, .order = order};
    if (code == 0)
        code = begin(&stand, reading.plan, &ladder);
    ladder_fini(&ladder);
    plan_reading_fini(&reading);
    text_fini(&why);
    text_fini(&words);
    return code;
}
