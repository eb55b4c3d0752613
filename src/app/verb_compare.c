/* plimsoll compare: whether a new version is worse, from several runs of each or from values of
 * them. */
#include "app/run_group.h"
#include "app/terminal.h"
#include "app/tool_file.h"
#include "show/comparison.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_WORSE = 99, EXIT_REFUSED = 98 };

#define COLUMN_VALUE "value values y x result metric measurement p95 p99 throughput latency"

static const struct option options[] = {
    {"base", 0, .kind = OPTION_TEXT, .value = "RUN...", .repeats = true, .many = true,
     .sentence = "runs of the base, up to the next option"},
    {"new", 0, .kind = OPTION_TEXT, .value = "RUN...", .repeats = true, .many = true,
     .sentence = "new runs likewise"},
    {"metric", 0, .kind = OPTION_TEXT, .value = "METRIC",
     .sentence = "that decides: p95 (default), \"ttft p95\", throughput"},
    {"margin", 0, .kind = OPTION_TEXT, .value = "SHARE",
     .sentence = "of the base's median: a smaller change does not matter (0)"},
    {"alpha", 0, .kind = OPTION_TEXT, .value = "SHARE", .sentence = "chance of a false alarm (5%)"},
    {"better", 0, .kind = OPTION_TEXT, .value = "lower|higher",
     .sentence = "which values are better (of a run: as the metric has it)"},
    {"force", 0, .kind = OPTION_FLAG, .sentence = "compare runs of another plan or machine too"},
    {"baselines", 0, .kind = OPTION_TEXT, .value = "DIR",
     .sentence = "of @baseline:NAME (.plimsoll/baselines)"},
    {"runs", 0, .kind = OPTION_TEXT, .value = "DIR", .sentence = "of @last (runs)"},
    {"values", 0, .kind = OPTION_FLAG, .sentence = "two files hold one number a run each"},
    {"column", 0, .kind = OPTION_TEXT, .value = "NAME",
     .sentence = "of such files: name or number"},
    {"json", 0, .kind = OPTION_FLAG, .sentence = "all figures, as JSON (doc/tools.md)"},
    {.name = NULL},
};

static int read_wishes(struct app *app, const struct verb *verb, const struct arguments *arguments,
                       struct groups *groups)
{
    const char *better = argument_words(arguments, "better");
    groups->alpha = tool_real(arguments, "alpha", 0.05);
    groups->margin = tool_real(arguments, "margin", 0);
    groups->higher_better = better && strcmp(better, "higher") == 0;
    if (!(groups->alpha > 0 && groups->alpha < 1))
        return usage_error(app, verb, "--alpha is a share between 0 and 1, as 0.05 or 5%%");
    if (!(groups->margin >= 0) || isinf(groups->margin))
        return usage_error(app, verb, "--margin is a share of at least 0, as 0.05 or 5%%");
    if (groups->margin > 1)
        return usage_error(app, verb, "--margin %s would be %.0f %%: write 0.05 or 5%%",
                           argument_words(arguments, "margin"), groups->margin * 100);
    if (better && !groups->higher_better && strcmp(better, "lower") != 0)
        return usage_error(app, verb, "--better is lower or higher");
    return 0;
}

/* The values of a side: all numbers of a file without names, else one column of it. NULL after
 * saying why. */
static double *read_values(struct app *app, const char *path, const struct arguments *arguments,
                           size_t *count)
{
    struct numbers numbers;
    const char *words = argument_words(arguments, "column");
    struct span said = span_of(words ? words : "");
    double *values = NULL;
    if (tool_numbers(app, path, &numbers) != 0)
        return NULL;
    int column = numbers.names ? numbers_column(&numbers, COLUMN_VALUE, -1) : -1;
    if (column < 0 && numbers.columns == 1)
        column = 0;
    bool all = !numbers.names && !words;
    column = tool_column(app, path, &numbers, words ? &said : NULL, column);
    *count = all ? numbers.rows * numbers.columns : numbers.rows;
    if (!all && column < 0 && !words)
        fprintf(app->err, "plimsoll: %s:1: no column is named value; --column NAME says which\n",
                path);
    else if (*count > RANK_MOST)
        fprintf(app->err, "plimsoll: %s: more than %d values in a file: a value is one run\n", path,
                RANK_MOST);
    else if (all || column >= 0)
        values = tool_take(app, &numbers, all ? -1 : column);
    numbers_fini(&numbers);
    return values;
}

static int compare(struct app *app, const struct arguments *arguments, struct groups *groups,
                   const struct law_style *style)
{
    int code = EXIT_USAGE;
    double *base = read_values(app, arguments->rest[0], arguments, &groups->base_count);
    double *fresh =
        base ? read_values(app, arguments->rest[1], arguments, &groups->new_count) : NULL;
    if (base && fresh) {
        struct groups_found found;
        struct text out = TEXT_EMPTY;
        groups->base = base;
        groups->new_values = fresh;
        groups_compare(groups, &found);
        law_comparison_put(groups, &found, style, &out);
        fputs(out.at, app->out);
        text_fini(&out);
        code = found.verdict == GROUPS_WORSE     ? EXIT_WORSE
               : found.verdict == GROUPS_REFUSED ? EXIT_REFUSED
                                                 : 0;
    }
    free(base);
    free(fresh);
    return code;
}

/* The runs of both sides: of the options, or the two words. */
static int read_runs(struct app *app, const struct verb *verb, const struct arguments *arguments,
                     struct run_group *base, struct run_group *fresh)
{
    struct run_group_places places = {argument_words(arguments, "runs"),
                                      argument_words(arguments, "baselines")};
    size_t taken = 0;
    int code = 0;
    for (size_t i = 0; i < arguments->count && code == 0; i++) {
        const char *name = arguments->items[i].option->name;
        if (strcmp(name, "base") == 0)
            code = run_group_add(app, base, arguments->items[i].words, &places);
        else if (strcmp(name, "new") == 0)
            code = run_group_add(app, fresh, arguments->items[i].words, &places);
    }
    if (code == 0 && base->count == 0 && taken < arguments->rest_count)
        code = run_group_add(app, base, arguments->rest[taken++], &places);
    if (code == 0 && fresh->count == 0 && taken < arguments->rest_count)
        code = run_group_add(app, fresh, arguments->rest[taken++], &places);
    if (code == 0 && (base->count == 0 || fresh->count == 0))
        return usage_error(app, verb, "two sides are wanted: the base and the new runs");
    if (code == 0 && taken < arguments->rest_count)
        return usage_error(app, verb,
                           "\"%s\" is of neither side; several runs a side: --base "
                           "A B C --new D E F",
                           arguments->rest[taken]);
    run_group_sort(base);
    run_group_sort(fresh);
    return code;
}

static int exit_code(const struct comparison *comparison)
{
    if (!comparison->comparable && !comparison->forced)
        return EXIT_REFUSED;
    return comparison->verdict == GROUPS_WORSE     ? EXIT_WORSE
           : comparison->verdict == GROUPS_REFUSED ? EXIT_REFUSED
                                                   : 0;
}

static int compare_runs(struct app *app, const struct verb *verb, const struct arguments *arguments,
                        const struct groups *groups, const struct law_style *style)
{
    struct run_group base = {.paths = NULL}, fresh = {.paths = NULL};
    struct comparison comparison;
    struct text out = TEXT_EMPTY, why = TEXT_EMPTY;
    const char *better = argument_words(arguments, "better");
    int code = read_runs(app, verb, arguments, &base, &fresh);
    struct comparison_runs runs = {.base = (const struct result *const *)base.results,
                                   .new_runs = (const struct result *const *)fresh.results,
                                   .base_count = base.count,
                                   .new_count = fresh.count};
    struct comparison_wish wish = {.metric = argument_words(arguments, "metric"),
                                   .better = better ? (groups->higher_better ? 1 : -1) : 0,
                                   .alpha = groups->alpha,
                                   .margin = groups->margin,
                                   .force = argument_given(arguments, "force")};
    if (code == 0 && comparison_make(&runs, &wish, &comparison, &why) == 0) {
        struct comparison_names names = {(const char *const *)base.paths,
                                         (const char *const *)fresh.paths};
        comparison_put(&comparison, &names, style, &out);
        fputs(out.at, app->out);
        code = exit_code(&comparison);
        comparison_fini(&comparison);
    } else if (code == 0) {
        fprintf(app->err, "plimsoll: %s\n", why.at);
        code = EXIT_USAGE;
    }
    text_fini(&out);
    text_fini(&why);
    run_group_fini(&base);
    run_group_fini(&fresh);
    return code;
}

static int act(struct app *app, const struct verb *verb, const struct arguments *arguments)
{
    struct groups groups = {.alpha = 0.05};
    int code = read_wishes(app, verb, arguments, &groups);
    if (code)
        return code;
    struct law_style style = {.json = argument_given(arguments, "json"),
                              .colour = terminal_of(app->out, app->environment).colour,
                              .confidence = 1 - groups.alpha};
    if (!argument_given(arguments, "values"))
        return compare_runs(app, verb, arguments, &groups, &style);
    if (arguments->rest_count != 2)
        return usage_error(app, verb, "two files are wanted: the base and the new");
    return compare(app, arguments, &groups, &style);
}

const struct verb verb_compare = {
    .name = "compare",
    .sentence = "say whether new runs are worse than those of a base",
    .usage = "BASE NEW | --base RUN... --new RUN... [OPTIONS]",
    .harmless = true,
    .options = options,
    .notes = "A side is run files, a directory of them, a pattern, @last or @baseline:NAME.\n"
             "Runs are what is counted: worse or better when the interval of the shift is\n"
             "wholly beyond the margin, equivalent when wholly inside, else inconclusive. One\n"
             "metric decides. Too few runs, and runs of another plan or machine, are refused.\n"
             "exit codes: 0 better, equivalent or inconclusive, 99 worse, 98 refused or not\n"
             "comparable, 104 usage",
    .examples = {"plimsoll compare @baseline:api-gateway --new runs/*.plim --margin 5%",
                 "plimsoll compare --values base.txt new.txt --better higher"},
    .act = act,
};
