/* plimsoll detect: where a series of results changed its level: of numbers, or of a metric of runs.
 */
#include "app/run_group.h"
#include "app/tool_file.h"

#include "base/memory.h"
#include "study/comparison.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct option options[] = {
    {"runs", 0, .kind = OPTION_TEXT, .value = "RUN...", .repeats = true, .many = true,
     .sentence = "runs in place of a file: directories, patterns, files"},
    {"metric", 0, .kind = OPTION_TEXT, .value = "METRIC",
     .sentence = "of them: p95 (default), \"ttft p95\", throughput"},
    {"column", 0, .kind = OPTION_TEXT, .value = "NAME",
     .sentence = "of the file: name or number (value, else the last)"},
    {"json", 0, .kind = OPTION_FLAG, .sentence = "all figures, as JSON (doc/tools.md)"},
    {"alpha", 0, .kind = OPTION_TEXT, .value = "SHARE", .sentence = "most p of a change (5%)"},
    {"least", 0, .kind = OPTION_COUNT, .value = "N", .sentence = "values between changes (2)"},
    {"orders", 0, .kind = OPTION_COUNT, .value = "N", .sentence = "random orders a step (199)"},
    {"seed", 0, .kind = OPTION_COUNT, .value = "N", .sentence = "of the random orders (1)"},
    {"confidence", 0, .kind = OPTION_TEXT, .value = "SHARE", .sentence = "of intervals (95%)"},
    {.name = NULL},
};

#define COLUMN_VALUE "value values y x result metric measurement p95 p99 throughput latency"

static int read_rules(struct app *app, const struct verb *verb, const struct arguments *arguments,
                      struct change_rules *out)
{
    *out = (struct change_rules){.p_most = tool_real(arguments, "alpha", 0.05),
                                 .least = argument_count(arguments, "least", CHANGE_LEAST),
                                 .orders =
                                     (uint32_t)argument_count(arguments, "orders", CHANGE_ORDERS),
                                 .seed = argument_count(arguments, "seed", 1)};
    if (!(out->p_most > 0 && out->p_most < 1))
        return usage_error(app, verb, "--alpha is a share between 0 and 1, as 0.05 or 5%%");
    if (1.0 / (out->orders + 1.0) > out->p_most || out->orders > 1000000)
        return usage_error(app, verb, "--orders is at least %.0f for this alpha, at most 1000000",
                           ceil(1 / out->p_most) - 1);
    if (out->least < CHANGE_LEAST)
        return usage_error(app, verb, "--least is at least %d", CHANGE_LEAST);
    return 0;
}

/* The series of a file: a column, or one line of values. NULL after saying why. */
static double *read_series(struct app *app, const char *path, const struct arguments *arguments,
                           size_t *count)
{
    struct numbers numbers;
    const char *words = argument_words(arguments, "column");
    struct span said = span_of(words ? words : "");
    double *values = NULL;
    if (tool_numbers(app, path, &numbers) != 0)
        return NULL;
    int last = (int)numbers.columns - 1, column = numbers_column(&numbers, COLUMN_VALUE, last);
    bool line = numbers.rows == 1 && !numbers.names && !words;
    column = tool_column(app, path, &numbers, words ? &said : NULL, column < 0 ? last : column);
    *count = line ? numbers.columns : numbers.rows;
    if (*count > CHANGE_VALUES_MOST)
        fprintf(app->err, "plimsoll: %s: more than %d values\n", path, CHANGE_VALUES_MOST);
    else if (column >= 0)
        values = tool_take(app, &numbers, line ? -1 : column);
    numbers_fini(&numbers);
    return values;
}

static int detect_file(struct app *app, const struct arguments *arguments,
                       const struct change_rules *rules, const struct law_style *style)
{
    struct text out = TEXT_EMPTY, why = TEXT_EMPTY;
    struct law_series series = {.values = NULL};
    const char *path = arguments->rest[0];
    double *values = read_series(app, path, arguments, &series.count);
    if (!values)
        return EXIT_USAGE;
    series.values = values;
    law_changes_put(&series, rules, style, &out);
    free(values);
    return tool_answer(app, path, 0, &out, &why);
}

/* The values of the runs that have one; the others are said and left out. unit: of them. */
static size_t take_values(struct app *app, struct run_group *group,
                          const struct comparison_metric *metric, double *values, const char **unit)
{
    struct measure_question question = comparison_question(metric);
    const char *plan = group->count ? group->results[group->count - 1]->name : "";
    size_t kept = 0;
    for (size_t i = 0; i < group->count; i++) {
        struct measured measured;
        struct text why = TEXT_EMPTY;
        if (strcmp(group->results[i]->name, plan) != 0) {
            fprintf(app->err, "plimsoll: %s is left out: its plan is %s, not %s\n", group->paths[i],
                    group->results[i]->name, plan);
        } else if (measure(group->results[i], &question, &measured, &why) == 0) {
            struct result *result = group->results[kept];
            char *path = group->paths[kept];
            values[kept] = measured.value;
            *unit = measured.unit;
            group->results[kept] = group->results[i];
            group->paths[kept++] = group->paths[i];
            if (kept != i + 1) {
                group->results[i] = result;
                group->paths[i] = path;
            }
        } else {
            fprintf(app->err, "plimsoll: %s is left out: %s\n", group->paths[i], why.at);
        }
        text_fini(&why);
    }
    return kept;
}

static int detect_runs(struct app *app, const struct arguments *arguments,
                       const struct change_rules *rules, const struct law_style *style)
{
    struct run_group group = {.paths = NULL};
    struct run_group_places places = {.runs = NULL};
    struct comparison_metric metric;
    struct text out = TEXT_EMPTY, why = TEXT_EMPTY;
    const char *words = argument_words(arguments, "metric");
    int code = 0;
    for (size_t i = 0; i < arguments->count && code == 0; i++)
        if (strcmp(arguments->items[i].option->name, "runs") == 0)
            code = run_group_add(app, &group, arguments->items[i].words, &places);
    run_group_sort(&group);
    if (code == 0 && comparison_metric_read(words ? words : "response p95", &metric, &why) != 0) {
        fprintf(app->err, "plimsoll: %s\n", why.at);
        code = EXIT_USAGE;
    } else if (code == 0) {
        double *values = memory_new(group.count, sizeof *values);
        struct law_series series = {.values = values,
                                    .names = (const char *const *)group.paths,
                                    .metric = metric.words,
                                    .unit = ""};
        series.count = take_values(app, &group, &metric, values, &series.unit);
        if (series.count) {
            law_changes_put(&series, rules, style, &out);
            fputs(out.at, app->out);
        } else {
            fprintf(app->err, "plimsoll: no run has %s\n", metric.words);
            code = EXIT_USAGE;
        }
        free(values);
        comparison_metric_fini(&metric);
    }
    text_fini(&out);
    text_fini(&why);
    run_group_fini(&group);
    return code;
}

static int act(struct app *app, const struct verb *verb, const struct arguments *arguments)
{
    struct law_style style;
    struct change_rules rules;
    bool runs = argument_given(arguments, "runs");
    if (arguments->rest_count != (runs ? 0 : 1))
        return usage_error(app, verb, runs ? "a file, or --runs: not both" : "one file is wanted");
    int code = read_rules(app, verb, arguments, &rules);
    if (code == 0)
        code = tool_style(app, verb, arguments, &style);
    if (code)
        return code;
    return runs ? detect_runs(app, arguments, &rules, &style)
                : detect_file(app, arguments, &rules, &style);
}

const struct verb verb_detect = {
    .name = "detect",
    .sentence = "find where a series of results changed its level",
    .usage = "FILE.csv | --runs DIR [OPTIONS]",
    .harmless = true,
    .options = options,
    .notes = "FILE has a value a line, oldest first (or all in one line); of several columns\n"
             "the one named value, else the last. Of --runs each run is a value, in the order\n"
             "they began; runs of other plans than the newest's are left out. E-divisive means\n"
             "with random orders, seeded: twice the same.",
    .examples = {"plimsoll detect nightly.csv", "plimsoll detect --runs runs --metric p95 --json"},
    .act = act,
};
