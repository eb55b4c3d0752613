/* plimsoll detect: where a series of results changed its level. */
#include "app/tool_file.h"

#include <math.h>
#include <stdlib.h>

static const struct option options[] = {
    {"json", 0, .kind = OPTION_FLAG, .sentence = "all figures, as JSON (doc/tools.md)"},
    {"alpha", 0, .kind = OPTION_TEXT, .value = "SHARE", .sentence = "most p of a change (5%)"},
    {"least", 0, .kind = OPTION_COUNT, .value = "N", .sentence = "values between changes (2)"},
    {"orders", 0, .kind = OPTION_COUNT, .value = "N", .sentence = "random orders a step (199)"},
    {"seed", 0, .kind = OPTION_COUNT, .value = "N", .sentence = "of the random orders (1)"},
    {"confidence", 0, .kind = OPTION_TEXT, .value = "SHARE", .sentence = "of intervals (95%)"},
    {.name = NULL},
};

#define COLUMN_VALUE "value values y x result metric measurement p95 p99 throughput latency"

static int act(struct app *app, const struct verb *verb, const struct arguments *arguments)
{
    struct law_style style;
    struct numbers numbers;
    if (arguments->rest_count != 1)
        return usage_error(app, verb, "one file is wanted");
    struct change_rules rules = {.p_most = tool_real(arguments, "alpha", 0.05),
                                 .least = argument_count(arguments, "least", CHANGE_LEAST),
                                 .orders =
                                     (uint32_t)argument_count(arguments, "orders", CHANGE_ORDERS),
                                 .seed = argument_count(arguments, "seed", 1)};
    if (!(rules.p_most > 0 && rules.p_most < 1))
        return usage_error(app, verb, "--alpha is a share between 0 and 1, as 0.05 or 5%%");
    if (1.0 / (rules.orders + 1.0) > rules.p_most || rules.orders > 1000000)
        return usage_error(app, verb, "--orders is at least %.0f for this alpha, at most 1000000",
                           ceil(1 / rules.p_most) - 1);
    if (rules.least < CHANGE_LEAST)
        return usage_error(app, verb, "--least is at least %d", CHANGE_LEAST);
    int code = tool_style(app, verb, arguments, &style);
    if (code == 0)
        code = tool_numbers(app, arguments->rest[0], &numbers);
    if (code)
        return code;
    int column = numbers_column(&numbers, COLUMN_VALUE, (int)numbers.columns - 1);
    if (column < 0)
        column = (int)numbers.columns - 1;
    if (numbers.rows > CHANGE_VALUES_MOST) {
        numbers_fini(&numbers);
        return usage_error(app, verb, "more than %d values", CHANGE_VALUES_MOST);
    }
    struct text out = TEXT_EMPTY, why = TEXT_EMPTY;
    double *values = numbers_take(&numbers, column);
    law_changes_put(values, numbers.rows, &rules, &style, &out);
    free(values);
    numbers_fini(&numbers);
    return tool_answer(app, arguments->rest[0], 0, &out, &why);
}

const struct verb verb_detect = {
    .name = "detect",
    .sentence = "find where a series of results changed its level",
    .usage = "FILE.csv [OPTIONS]",
    .harmless = true,
    .options = options,
    .notes = "FILE has a value a line, oldest first; of several columns the one named value,\n"
             "else the last. E-divisive means with random orders, seeded: twice the same.",
    .examples = {"plimsoll detect nightly.csv", "plimsoll detect nightly.csv --json --alpha 1%"},
    .act = act,
};
