/* plimsoll fit: a law or a knee out of measured points. */
#include "app/tool_file.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct option options[] = {
    {"json", 0, .kind = OPTION_FLAG, .sentence = "all figures, as JSON (doc/tools.md)"},
    {"confidence", 0, .kind = OPTION_TEXT, .value = "SHARE", .sentence = "of intervals (95%)"},
    {"at", 0, .kind = OPTION_REAL, .value = "N", .aliases = "predict",
     .sentence = "usl: predict the throughput at N, with a range"},
    {"throughput", 0, .kind = OPTION_REAL, .value = "X", .sentence = "usl: the N that carries X"},
    {"response", 0, .kind = OPTION_REAL, .value = "S",
     .sentence = "usl: the N at which the mean response is S seconds"},
    {"sensitivity", 0, .kind = OPTION_REAL, .value = "S", .sentence = "knee: of Kneedle (1)"},
    {"efficiency", 0, .kind = OPTION_TEXT, .value = "SHARE",
     .sentence = "knee: least, to call it linear (90%)"},
    {.name = NULL},
};

#define COLUMN_N                                                                                   \
    "n users concurrency load vus instances servers processors threads clients p replicas level"
#define COLUMN_X        "x throughput rps req_s rate tps goodput xn"
#define COLUMN_RESPONSE "r response response_s response_time latency p50 p95 p99 mean_s latency_ms"

/* The two columns of a file; y by its name. Returns 0 or an exit code. */
static int find_columns(struct app *app, const char *path, const struct numbers *numbers,
                        int columns[2], bool *response)
{
    columns[0] = numbers_column(numbers, COLUMN_N, 0);
    columns[1] = numbers_column(numbers, COLUMN_X, 1);
    *response = false;
    if (columns[1] < 0) {
        columns[1] = numbers_column(numbers, COLUMN_RESPONSE, 1);
        *response = columns[1] >= 0;
    }
    if (columns[1] < 0) /* names of the user's own: two columns leave no doubt */
        columns[1] = numbers->columns == 2 ? 1 : -1;
    if (columns[0] < 0 && numbers->columns == 2 && columns[1] == 1)
        columns[0] = 0;
    if (columns[0] >= 0 && columns[1] >= 0 && columns[0] != columns[1])
        return 0;
    fprintf(app->err, "plimsoll: %s:1: two columns are wanted: n,x (or n,latency for a knee)\n",
            path);
    return EXIT_USAGE;
}

static int fit_usl(const struct arguments *arguments, const struct law_style *style,
                   const struct usl_points *points, struct text *out, struct text *why)
{
    struct law_wish wish = {.at = tool_real(arguments, "at", NAN),
                            .throughput = tool_real(arguments, "throughput", NAN),
                            .response_s = tool_real(arguments, "response", NAN)};
    return law_usl(points, &wish, style, out, why);
}

static int fit_knee(const struct arguments *arguments, const struct law_style *style,
                    struct law_curve *curve, struct text *out, struct text *why)
{
    curve->sensitivity = tool_real(arguments, "sensitivity", 1);
    curve->efficiency = tool_real(arguments, "efficiency", 0.9);
    return law_knee(curve, style, out, why);
}

static int act(struct app *app, const struct verb *verb, const struct arguments *arguments)
{
    struct law_style style;
    struct numbers numbers;
    int columns[2];
    bool response = false;
    struct text out = TEXT_EMPTY, why = TEXT_EMPTY;
    const char *what = arguments->rest_count ? arguments->rest[0] : "";
    bool usl = strcmp(what, "usl") == 0;
    if (!usl && strcmp(what, "knee") != 0)
        return usage_error(app, verb, "say what to fit: usl or knee");
    if (arguments->rest_count != 2)
        return usage_error(app, verb, "one file is wanted: plimsoll fit %s FILE.csv", what);
    const char *path = arguments->rest[1];
    int code = tool_style(app, verb, arguments, &style);
    if (code == 0)
        code = tool_numbers(app, path, &numbers);
    if (code)
        return code;
    code = find_columns(app, path, &numbers, columns, &response);
    if (code == 0 && usl && response) {
        fprintf(app->err, "plimsoll: %s:1: a law needs throughput: columns n,x\n", path);
        code = EXIT_USAGE;
    }
    if (code == 0) {
        double *n = numbers_take(&numbers, columns[0]), *y = numbers_take(&numbers, columns[1]);
        const struct usl_points points = {n, y, numbers.rows};
        struct law_curve curve = {.n = n, .y = y, .count = numbers.rows, .response = response};
        int error = usl ? fit_usl(arguments, &style, &points, &out, &why)
                        : fit_knee(arguments, &style, &curve, &out, &why);
        code = tool_answer(app, path, error, &out, &why);
        free(n);
        free(y);
    }
    numbers_fini(&numbers);
    return code;
}

const struct verb verb_fit = {
    .name = "fit",
    .sentence = "fit a scalability law or find the knee of measured points",
    .usage = "usl|knee FILE.csv [OPTIONS]",
    .harmless = true,
    .options = options,
    .notes = "FILE has columns n,x (throughput at n users, cores or instances); a head line\n"
             "may name them, and the same n may come several times. With think time, n is\n"
             "the mean concurrency, not the users. knee also takes n,latency. \"-\": standard\n"
             "input.",
    .examples = {"plimsoll fit usl points.csv --at 64", "plimsoll fit knee points.csv --json"},
    .act = act,
};
