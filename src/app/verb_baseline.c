/* plimsoll baseline: keeps runs under a name, for others to be compared with. */
#include "app/run_group.h"
#include "app/terminal.h"

#include "base/error.h"
#include "base/memory.h"
#include "record/baseline.h"
#include "run/open.h"
#include "run/run.h"
#include "show/table.h"
#include "show/verdict.h"
#include "study/comparison.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const struct option options[] = {
    {"add", 0, .kind = OPTION_FLAG, .sentence = "set: beside the runs that it has"},
    {"baselines", 0, .kind = OPTION_TEXT, .value = "DIR",
     .sentence = "where they are kept (" BASELINE_DIRECTORY ")"},
    {"runs", 0, .kind = OPTION_TEXT, .value = "DIR", .sentence = "where @last looks (runs)"},
    {.name = NULL},
};

static const char *directory_of(const struct arguments *arguments)
{
    const char *directory = argument_words(arguments, "baselines");
    return directory ? directory : BASELINE_DIRECTORY;
}

static int say_error(struct app *app, const char *what, int error)
{
    char sentence[100];
    fprintf(app->err, "plimsoll: %s: %s\n", what, error_sentence(error, sentence, sizeof sentence));
    return RUN_FAILED;
}

/* A run that did not go to its end says nothing on how things are when all is well. */
static int check_run(struct app *app, const char *path, const struct result *result)
{
    const char *outcome = result_fact(result, "outcome");
    bool cut = outcome && (strcmp(outcome, "interrupted") == 0 || strcmp(outcome, "failed") == 0 ||
                           strcmp(outcome, "disk_full") == 0);
    if (result->finished && !cut)
        return 0;
    fprintf(app->err, "plimsoll: %s was not run to its end: it is no baseline\n", path);
    return EXIT_USAGE;
}

static int set(struct app *app, const struct verb *verb, const struct arguments *arguments)
{
    struct run_group group = {.paths = NULL};
    struct run_group_places places = {argument_words(arguments, "runs"), directory_of(arguments)};
    const char *name = arguments->rest_count > 1 ? arguments->rest[1] : "";
    int code = 0;
    if (arguments->rest_count < 3)
        return usage_error(app, verb, "a name and runs are wanted: baseline set NAME RUN...");
    if (!baseline_name_fits(name))
        return usage_error(app, verb, "\"%s\" is no name: letters, digits, '.', '_' and '-'", name);
    for (size_t i = 2; i < arguments->rest_count && code == 0; i++)
        code = run_group_add(app, &group, arguments->rest[i], &places);
    for (size_t i = 0; i < group.count && code == 0; i++)
        code = check_run(app, group.paths[i], group.results[i]);
    run_group_sort(&group);
    if (code == 0) {
        int error = run_directory_make(places.baselines);
        if (error == 0)
            error = baseline_store(places.baselines, name, (const char *const *)group.paths,
                                   group.count, argument_given(arguments, "add"));
        if (error)
            code = say_error(app, places.baselines, error);
        else
            fprintf(app->out, "baseline %s: %zu run%s %s, in %s/%s\n", name, group.count,
                    group.count == 1 ? "" : "s",
                    argument_given(arguments, "add") ? "added" : "kept", places.baselines, name);
    }
    run_group_fini(&group);
    return code;
}

static void put_date(nsec_t wall_ns, struct table *table)
{
    char words[40] = "";
    time_t seconds = (time_t)(wall_ns / NSEC_PER_SEC);
    struct tm parts;
    if (gmtime_r(&seconds, &parts))
        strftime(words, sizeof words, "%Y-%m-%d %H:%MZ", &parts);
    table_cell(table, words);
}

static void put_measured(const struct result *result, const char *words, struct table *table)
{
    struct comparison_metric metric;
    struct measured measured;
    struct text why = TEXT_EMPTY, cell = TEXT_EMPTY;
    text_puts(&cell, "–");
    if (comparison_metric_read(words, &metric, &why) == 0) {
        struct measure_question question = comparison_question(&metric);
        if (measure(result, &question, &measured, &why) == 0) {
            text_clear(&cell);
            const char *unit = strcmp(measured.unit, "requests") == 0 ? "" : measured.unit;
            show_judged_value(unit, measured.value, measured.at_least, &cell);
        }
        comparison_metric_fini(&metric);
    }
    table_cell(table, cell.at);
    text_fini(&cell);
    text_fini(&why);
}

/* A line a run, with the figures that one asks for first. */
static void put_runs(struct app *app, const struct run_group *group)
{
    static const struct table_column columns[] = {{.title = "run"},
                                                  {.title = "begun"},
                                                  {.title = "requests", .right = true},
                                                  {.title = "p95", .right = true},
                                                  {.title = "rate", .right = true},
                                                  {.title = "errors", .right = true}};
    struct terminal terminal = terminal_of(app->out, app->environment);
    struct table *table = table_new(columns, sizeof columns / sizeof *columns);
    struct text out = TEXT_EMPTY;
    for (size_t i = 0; i < group->count; i++) {
        const char *slash = strrchr(group->paths[i], '/');
        table_cell(table, slash ? slash + 1 : group->paths[i]);
        put_date(group->results[i]->wall_start_ns, table);
        put_measured(group->results[i], "requests count", table);
        put_measured(group->results[i], "response p95", table);
        put_measured(group->results[i], "throughput", table);
        put_measured(group->results[i], "error_rate", table);
    }
    table_put(table, 2, terminal.columns, terminal.colour, &out);
    fputs(out.at ? out.at : "", app->out);
    table_free(table);
    text_fini(&out);
}

/* The runs of a baseline; an unknown one is said. */
static int read_baseline(struct app *app, const char *name, const char *directory,
                         struct run_group *group)
{
    struct run_group_places places = {.baselines = directory};
    struct text word = TEXT_EMPTY;
    text_printf(&word, "@baseline:%s", name);
    int code = run_group_add(app, group, word.at, &places);
    run_group_sort(group);
    text_fini(&word);
    return code;
}

static int show(struct app *app, const struct verb *verb, const struct arguments *arguments)
{
    struct run_group group = {.paths = NULL};
    if (arguments->rest_count != 2)
        return usage_error(app, verb, "one name is wanted: baseline show NAME");
    int code = read_baseline(app, arguments->rest[1], directory_of(arguments), &group);
    if (code == 0) {
        fprintf(app->out, "%s: %zu run%s of %s against %s\n", arguments->rest[1], group.count,
                group.count == 1 ? "" : "s", group.results[0]->name, group.results[0]->target);
        put_runs(app, &group);
    }
    run_group_fini(&group);
    return code;
}

static int list(struct app *app, const struct arguments *arguments)
{
    char **names = NULL;
    const char *directory = directory_of(arguments);
    int error = baseline_names(directory, &names), code = 0;
    if (error && error != -ENOENT)
        return say_error(app, directory, error);
    if (error || !names[0])
        fprintf(app->out, "no baseline in %s; plimsoll baseline set NAME RUN... keeps one\n",
                directory);
    for (size_t i = 0; names && names[i] && code == 0; i++) {
        char **runs = NULL;
        size_t count = 0;
        if (baseline_runs(directory, names[i], &runs) == 0)
            while (runs[count])
                count++;
        fprintf(app->out, "%-24s %3zu run%s\n", names[i], count, count == 1 ? "" : "s");
        baseline_list_free(runs);
    }
    baseline_list_free(names);
    return code;
}

static int take_away(struct app *app, const struct verb *verb, const struct arguments *arguments)
{
    struct run_group group = {.paths = NULL};
    if (arguments->rest_count != 2)
        return usage_error(app, verb, "one name is wanted: baseline remove NAME");
    const char *name = arguments->rest[1], *directory = directory_of(arguments);
    int error = baseline_remove(directory, name);
    if (error == -ENOENT)
        return read_baseline(app, name, directory, &group); /* says which there are */
    if (error)
        return say_error(app, name, error);
    fprintf(app->out, "baseline %s: removed\n", name);
    return 0;
}

static int act(struct app *app, const struct verb *verb, const struct arguments *arguments)
{
    const char *what = arguments->rest_count ? arguments->rest[0] : "list";
    if (strcmp(what, "set") == 0)
        return set(app, verb, arguments);
    if (strcmp(what, "show") == 0)
        return show(app, verb, arguments);
    if (strcmp(what, "remove") == 0)
        return take_away(app, verb, arguments);
    if (strcmp(what, "list") == 0)
        return list(app, arguments);
    return usage_error(app, verb, "\"%s\": there are set, list, show and remove", what);
}

const struct verb verb_baseline = {
    .name = "baseline",
    .sentence = "keep runs under a name, to compare others with",
    .usage = "set NAME RUN... | list | show NAME | remove NAME [OPTIONS]",
    .options = options,
    .notes =
        "RUN is a run file, a directory of them, a pattern or @last. Run files are copied, and\n"
        "set replaces what the name had. Several runs (4 a side at least, better 10) let\n"
        "compare tell a change from noise. A plan with the label \"baseline: NAME\" is kept\n"
        "under that name by each run that passes.\n"
        "exit codes: 0 done, 1 it could not be written, 104 no such run, baseline or option",
    .examples = {"plimsoll baseline set release-1 runs/*.plim",
                 "plimsoll compare @baseline:release-1 --new runs/*.plim"},
    .act = act,
};
