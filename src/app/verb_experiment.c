/* plimsoll experiment: whether a change had the effect that was expected of it. */
#include "app/run_group.h"
#include "app/tool_file.h"
#include "base/unit.h"
#include "show/document.h"
#include "show/words.h"
#include "study/comparison.h"
#include "study/experiment.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_NOT_COME = 99, EXIT_NOT_DECIDED = 98 };

static const struct option options[] = {
    {"change", 0, .kind = OPTION_TEXT, .value = "WORDS",
     .sentence = "what was changed: \"slots 4 to 8\""},
    {"expect", 0, .kind = OPTION_TEXT, .value = "EFFECT",
     .sentence = "\"+30 % throughput\", \"-20 % p95\""},
    {"before", 0, .kind = OPTION_TEXT, .value = "RUN...", .repeats = true, .many = true,
     .sentence = "runs before the change, up to the next option"},
    {"after", 0, .kind = OPTION_TEXT, .value = "RUN...", .repeats = true, .many = true,
     .sentence = "runs after it likewise"},
    {"alpha", 0, .kind = OPTION_TEXT, .value = "SHARE",
     .sentence = "that the interval may miss the truth (5%)"},
    {"force", 0, .kind = OPTION_FLAG, .sentence = "judge runs of another plan or machine too"},
    {"runs", 0, .kind = OPTION_TEXT, .value = "DIR", .sentence = "of @last (runs)"},
    {"json", 0, .kind = OPTION_FLAG, .sentence = "all figures, as JSON"},
    {.name = NULL},
};

/* All of one experiment. */
struct trial {
    const char *change;
    struct expectation expected;
    double alpha;
    struct run_group before, after;
    struct comparison comparison;
    struct experiment_found found;
};

static const char *signed_share(char out[UNIT_ROOM], double share)
{
    if (isnan(share))
        snprintf(out, UNIT_ROOM, "not known");
    else
        snprintf(out, UNIT_ROOM, "%+.3g %%", share * 100);
    return out;
}

static void put_text(const struct trial *trial, struct text *out)
{
    const struct comparison_row *row = &trial->comparison.rows[0];
    const struct experiment_found *found = &trial->found;
    char one[UNIT_ROOM], two[UNIT_ROOM], three[UNIT_ROOM];
    text_puts(out, "Experiment: ");
    words_put(out, trial->change ? trial->change : "a change", false);
    text_printf(out, "\n  the expected effect %s%s\n\n",
                found->verdict == EXPERIMENT_INCONCLUSIVE || found->verdict == EXPERIMENT_TOO_FEW
                    ? "is not decided: "
                : found->verdict == EXPERIMENT_EXCEEDED ? "came, and was "
                : found->verdict == EXPERIMENT_OPPOSITE ? "did not come: the effect is the "
                                                        : "",
                experiment_words(found->verdict));
    text_printf(out, "  expected   %s %s\n", signed_share(one, trial->expected.share), row->words);
    text_printf(out, "  observed   %s", signed_share(one, found->effect));
    if (isfinite(found->low))
        text_printf(out, "   (%s to %s, %.0f %% interval)", signed_share(two, found->low),
                    signed_share(three, found->high), found->coverage * 100);
    text_printf(out, "\n  before     %s %s, median of %zu %s\n",
                unit_write_number(one, row->found.base_median), row->unit,
                trial->comparison.base_count, trial->comparison.base_count == 1 ? "run" : "runs");
    text_printf(out, "  after      %s %s, median of %zu %s\n",
                unit_write_number(one, row->found.new_median), row->unit,
                trial->comparison.new_count, trial->comparison.new_count == 1 ? "run" : "runs");
    if (found->verdict == EXPERIMENT_TOO_FEW)
        text_printf(out, "\n  a run is one value: an interval needs at least %zu runs a side\n",
                    found->runs_needed);
    if (found->verdict == EXPERIMENT_INCONCLUSIVE)
        text_puts(out, "\n  both no effect and the expected one are possible: more runs a side\n");
    for (size_t i = 0; i < trial->comparison.difference_count; i++) {
        text_puts(out, i ? "  differs    " : "\n  differs    ");
        words_put_wrapped(out, trial->comparison.differences[i].words, 13, 80);
    }
}

static void put_json(const struct trial *trial, struct text *out)
{
    const struct comparison_row *row = &trial->comparison.rows[0];
    const struct experiment_found *found = &trial->found;
    json_t *root = json_object();
    json_object_set_new(root, "experiment", json_integer(1));
    json_object_set_new(root, "change", document_text(trial->change));
    json_object_set_new(root, "metric", document_text(row->words));
    json_object_set_new(root, "unit", document_text(row->unit));
    json_object_set_new(root, "expected_share", document_number(trial->expected.share));
    json_object_set_new(root, "effect_share", document_number(found->effect));
    json_object_set_new(root, "low_share", document_number(found->low));
    json_object_set_new(root, "high_share", document_number(found->high));
    json_object_set_new(root, "coverage", document_number(found->coverage));
    json_object_set_new(root, "before_runs", document_count(trial->comparison.base_count));
    json_object_set_new(root, "after_runs", document_count(trial->comparison.new_count));
    json_object_set_new(root, "before_median", document_number(row->found.base_median));
    json_object_set_new(root, "after_median", document_number(row->found.new_median));
    json_object_set_new(root, "runs_needed", document_count(found->runs_needed));
    json_object_set_new(root, "verdict", json_string(experiment_words(found->verdict)));
    char *dumped = json_dumps(root, JSON_INDENT(2));
    text_printf(out, "%s\n", dumped ? dumped : "null");
    free(dumped);
    json_decref(root);
}

static int exit_code(const struct experiment_found *found)
{
    switch (found->verdict) {
    case EXPERIMENT_CAME:
    case EXPERIMENT_EXCEEDED:
        return 0;
    case EXPERIMENT_INCONCLUSIVE:
    case EXPERIMENT_TOO_FEW:
        return EXIT_NOT_DECIDED;
    default:
        return EXIT_NOT_COME;
    }
}

static int read_runs(struct app *app, const struct verb *verb, const struct arguments *arguments,
                     struct trial *trial)
{
    struct run_group_places places = {argument_words(arguments, "runs"), NULL};
    size_t taken = 0;
    int code = 0;
    for (size_t i = 0; i < arguments->count && code == 0; i++) {
        const char *name = arguments->items[i].option->name;
        if (strcmp(name, "before") == 0)
            code = run_group_add(app, &trial->before, arguments->items[i].words, &places);
        else if (strcmp(name, "after") == 0)
            code = run_group_add(app, &trial->after, arguments->items[i].words, &places);
    }
    if (code == 0 && trial->before.count == 0 && taken < arguments->rest_count)
        code = run_group_add(app, &trial->before, arguments->rest[taken++], &places);
    if (code == 0 && trial->after.count == 0 && taken < arguments->rest_count)
        code = run_group_add(app, &trial->after, arguments->rest[taken++], &places);
    if (code == 0 && (!trial->before.count || !trial->after.count || taken < arguments->rest_count))
        return usage_error(app, verb, "two sides are wanted: the runs before and those after");
    return code;
}

/* Judges the runs that were read. Returns the exit code. */
static int judge(struct app *app, const struct arguments *arguments, struct trial *trial)
{
    struct text out = TEXT_EMPTY, why = TEXT_EMPTY;
    struct comparison_runs runs = {.base = (const struct result *const *)trial->before.results,
                                   .new_runs = (const struct result *const *)trial->after.results,
                                   .base_count = trial->before.count,
                                   .new_count = trial->after.count};
    struct comparison_wish wish = {.metric = trial->expected.metric,
                                   .alpha = trial->alpha,
                                   .force = argument_given(arguments, "force")};
    int code = EXIT_USAGE;
    if (comparison_make(&runs, &wish, &trial->comparison, &why) == 0) {
        const struct comparison *made = &trial->comparison;
        const struct experiment_runs values = {made->rows[0].base, made->rows[0].new_values,
                                               made->base_count, made->new_count};
        if (!made->comparable && !made->forced) {
            text_puts(&why, "the runs can not be compared (--force does it nevertheless)");
            for (size_t i = 0; i < made->difference_count; i++)
                if (made->differences[i].blocks)
                    text_printf(&why, "\n  %s", made->differences[i].words);
            code = EXIT_NOT_DECIDED;
        } else if (experiment_judge(&values, &trial->expected, trial->alpha, &trial->found, &why) ==
                   0) {
            (argument_given(arguments, "json") ? put_json : put_text)(trial, &out);
            fputs(out.at, app->out);
            code = exit_code(&trial->found);
        }
        comparison_fini(&trial->comparison);
    }
    if (why.at)
        fprintf(app->err, "plimsoll: %s\n", why.at);
    text_fini(&out);
    text_fini(&why);
    return code;
}

static int act(struct app *app, const struct verb *verb, const struct arguments *arguments)
{
    struct trial trial = {.change = argument_words(arguments, "change"),
                          .alpha = tool_real(arguments, "alpha", 0.05)};
    struct text why = TEXT_EMPTY;
    const char *expect = argument_words(arguments, "expect");
    int code = 0;
    if (!(trial.alpha > 0 && trial.alpha < 1))
        return usage_error(app, verb, "--alpha is a share between 0 and 1, as 0.05 or 5%%");
    if (!expect)
        return usage_error(app, verb, "--expect is wanted: \"+30 %% throughput\"");
    if (expectation_read(expect, &trial.expected, &why) != 0) {
        code = usage_error(app, verb, "%s", why.at);
        text_fini(&why);
        return code;
    }
    code = read_runs(app, verb, arguments, &trial);
    if (code == 0)
        code = judge(app, arguments, &trial);
    run_group_fini(&trial.before);
    run_group_fini(&trial.after);
    expectation_fini(&trial.expected);
    return code;
}

const struct verb verb_experiment = {
    .name = "experiment",
    .sentence = "say whether a change had the effect expected of it",
    .usage = "--expect EFFECT BEFORE AFTER [OPTIONS]",
    .options = options,
    .notes = "A run is one value. The effect is the ratio after / before with its exact\n"
             "interval (Hodges-Lehmann, of logarithms), which needs 4 runs a side at 5 %.\n"
             "It came when the interval excludes no effect and holds the expected one.\n"
             "exit codes: 0 came, 99 fell short, none or opposite, 98 not decided, 104 usage",
    .examples = {"plimsoll experiment --change \"slots 8\" --expect \"+30 % throughput\" old/ new/",
                 "plimsoll experiment --expect \"-20 % p95\" --before old/ --after new/ --json"},
    .act = act,
};
