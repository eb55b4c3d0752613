/* plimsoll compare: whether a new version is worse, from values of several runs of each. */
#include "app/tool_file.h"

#include <math.h>
#include <string.h>

enum { EXIT_WORSE = 99, EXIT_REFUSED = 98 };

static const struct option options[] = {
    {"values", 0, .kind = OPTION_FLAG, .sentence = "the files hold one number a run"},
    {"margin", 0, .kind = OPTION_TEXT, .value = "SHARE",
     .sentence = "of the base's median: a smaller change does not matter (0)"},
    {"alpha", 0, .kind = OPTION_TEXT, .value = "SHARE", .sentence = "chance of a false alarm (5%)"},
    {"better", 0, .kind = OPTION_TEXT, .value = "lower|higher",
     .sentence = "which values are better (lower)"},
    {"json", 0, .kind = OPTION_FLAG, .sentence = "all figures, as JSON (doc/tools.md)"},
    {.name = NULL},
};

static int read_wishes(struct app *app, const struct verb *verb, const struct arguments *arguments,
                       struct law_groups *groups)
{
    const char *better = argument_words(arguments, "better");
    groups->alpha = tool_real(arguments, "alpha", 0.05);
    groups->margin = tool_real(arguments, "margin", 0);
    groups->higher_better = better && strcmp(better, "higher") == 0;
    if (!(groups->alpha > 0 && groups->alpha < 1))
        return usage_error(app, verb, "--alpha is a share between 0 and 1, as 0.05 or 5%%");
    if (!(groups->margin >= 0) || isinf(groups->margin))
        return usage_error(app, verb, "--margin is a share of at least 0, as 0.05 or 5%%");
    if (better && !groups->higher_better && strcmp(better, "lower") != 0)
        return usage_error(app, verb, "--better is lower or higher");
    return 0;
}

static int compare(struct app *app, const struct arguments *arguments, struct law_groups *groups,
                   const struct law_style *style)
{
    struct numbers base, other;
    int code = tool_numbers(app, arguments->rest[0], &base);
    if (code)
        return code;
    code = tool_numbers(app, arguments->rest[1], &other);
    if (code == 0) {
        groups->base = base.cells;
        groups->base_count = base.rows * base.columns;
        groups->new_values = other.cells;
        groups->new_count = other.rows * other.columns;
        if (groups->base_count > RANK_MOST || groups->new_count > RANK_MOST) {
            fprintf(app->err, "plimsoll: more than %d values in a file: a value is one run\n",
                    RANK_MOST);
            code = EXIT_USAGE;
        }
    }
    if (code == 0) {
        struct law_comparison found;
        struct text out = TEXT_EMPTY;
        law_compare(groups, &found);
        law_comparison_put(groups, &found, style, &out);
        fputs(out.at, app->out);
        text_fini(&out);
        code = found.verdict == LAW_WORSE     ? EXIT_WORSE
               : found.verdict == LAW_REFUSED ? EXIT_REFUSED
                                              : 0;
        numbers_fini(&other);
    }
    numbers_fini(&base);
    return code;
}

static int act(struct app *app, const struct verb *verb, const struct arguments *arguments)
{
    struct law_groups groups = {.alpha = 0.05};
    int code = read_wishes(app, verb, arguments, &groups);
    if (code)
        return code;
    struct law_style style = {.json = argument_given(arguments, "json"),
                              .confidence = 1 - groups.alpha};
    if (arguments->rest_count != 2)
        return usage_error(app, verb, "two files are wanted: the base and the new");
    if (!argument_given(arguments, "values"))
        return usage_error(app, verb, "files of values are wanted: compare --values a.txt b.txt");
    return compare(app, arguments, &groups, &style);
}

const struct verb verb_compare = {
    .name = "compare",
    .sentence = "say whether a new version is worse, by values of several runs of each",
    .usage = "--values BASE.txt NEW.txt [OPTIONS]",
    .options = options,
    .notes = "A value is one run: its p95, its capacity. The verdict is worse or better when the\n"
             "interval of the shift is wholly beyond the margin, equivalent when it is wholly\n"
             "inside, else inconclusive. Groups that are too small to reach alpha are refused.\n"
             "exit codes: 0 better, equivalent or inconclusive, 99 worse, 98 refused, 104 usage",
    .examples = {"plimsoll compare --values base.txt new.txt",
                 "plimsoll compare --values base.txt new.txt --margin 5% --better higher"},
    .act = act,
};
