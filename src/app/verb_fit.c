/* plimsoll fit: a law or a knee out of measured points. */
#include "app/tool_file.h"

#include "base/memory.h"
#include "base/unit.h"

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
     .sentence = "usl: the N at which the mean response is S s"},
    {"think", 0, .kind = OPTION_TEXT, .value = "TIME",
     .sentence = "usl: of users between requests: 1s, 500ms (0)"},
    {"columns", 0, .kind = OPTION_TEXT, .value = "N,X",
     .sentence = "names or numbers of the two columns to take"},
    {"sensitivity", 0, .kind = OPTION_REAL, .value = "S", .sentence = "knee: of Kneedle (1)"},
    {"efficiency", 0, .kind = OPTION_TEXT, .value = "SHARE",
     .sentence = "knee: least, to call it linear (90%)"},
    {"shape", 0, .kind = OPTION_TEXT, .value = "concave|convex",
     .sentence = "knee: of Kneedle (concave for throughput)"},
    {"direction", 0, .kind = OPTION_TEXT, .value = "rising|falling",
     .sentence = "knee: of Kneedle (by first and last level)"},
    {.name = NULL},
};

#define COLUMN_N                                                                                   \
    "n users concurrency load vus instances servers processors threads clients p replicas level"
#define COLUMN_X        "x throughput rps req_s rate tps goodput xn"
#define COLUMN_RESPONSE "r response response_s response_time latency p50 p95 p99 mean_s latency_ms"

/* What is taken of a file. */
struct taken {
    int n, y;
    bool response; /* y is a time */
};

/* The two columns that the option names: "n,x". */
static int say_columns(struct app *app, const char *path, const struct numbers *numbers,
                       const char *words, struct taken *out)
{
    const char *comma = strchr(words, ',');
    if (!comma) {
        fprintf(app->err, "plimsoll: --columns names two: the load and what was measured: n,x\n");
        return EXIT_USAGE;
    }
    struct span n = {words, (size_t)(comma - words)}, y = span_of(comma + 1);
    out->n = tool_column(app, path, numbers, &n, -1);
    out->y = out->n < 0 ? -1 : tool_column(app, path, numbers, &y, -1);
    if (out->n < 0 || out->y < 0)
        return EXIT_USAGE;
    out->response = numbers->names && numbers_column(numbers, COLUMN_RESPONSE, -1) == out->y;
    return 0;
}

/* The two columns of a file, by their names; of two columns one name, or none, leaves no doubt. */
static int find_columns(struct app *app, const char *path, const struct numbers *numbers,
                        struct taken *out)
{
    *out = (struct taken){numbers_column(numbers, COLUMN_N, 0),
                          numbers_column(numbers, COLUMN_X, 1), false};
    if (out->n < 0 && numbers_column(numbers, "y", -1) >= 0 &&
        numbers_column(numbers, "x", -1) >= 0) /* y over x, as in a chart */
        *out = (struct taken){numbers_column(numbers, "x", -1), numbers_column(numbers, "y", -1),
                              false};
    if (out->y < 0) {
        out->y = numbers_column(numbers, COLUMN_RESPONSE, 1);
        out->response = out->y >= 0;
    }
    if (numbers->columns == 2 && (out->n < 0 || out->y < 0)) {
        out->n = out->n >= 0 ? out->n : out->y >= 0 ? 1 - out->y : 0;
        out->y = 1 - out->n;
    }
    if (out->n >= 0 && out->y >= 0 && out->n != out->y)
        return 0;
    fprintf(app->err,
            "plimsoll: %s:1: two columns are wanted: n,x (or n,latency for a knee); of others,\n"
            "  --columns NAME,NAME says which\n",
            path);
    return EXIT_USAGE;
}

/* Users who think are not at work: n becomes n - x think. Returns 0, or 1 with why. */
static int take_thinking_off(double *n, const double *x, size_t count, double think_s,
                             struct text *why)
{
    for (size_t i = 0; i < count; i++) {
        n[i] -= x[i] * think_s;
        if (!(n[i] > 0)) {
            text_printf(why, "point %zu: of %g users none is left at work, thinking %g s", i + 1,
                        n[i] + x[i] * think_s, think_s);
            return 1;
        }
    }
    return 0;
}

static int fit_usl(const struct arguments *arguments, const struct law_style *style,
                   const struct usl_points *points, struct text *out, struct text *why)
{
    nsec_t think_ns = 0;
    const char *think = argument_words(arguments, "think");
    if (think && unit_read_duration(span_of(think), NSEC_PER_SEC, &think_ns) != 0) {
        text_printf(why, "--think %s: a time is wanted: 1s, 500ms", think);
        return 1;
    }
    struct law_wish wish = {.at = tool_real(arguments, "at", NAN),
                            .throughput = tool_real(arguments, "throughput", NAN),
                            .response_s = tool_real(arguments, "response", NAN),
                            .think_s = (double)think_ns / 1e9};
    double *n = memory_new(points->count, sizeof *n);
    memcpy(n, points->n, points->count * sizeof *n);
    const struct usl_points busy = {n, points->x, points->count};
    int error =
        wish.think_s > 0 ? take_thinking_off(n, points->x, points->count, wish.think_s, why) : 0;
    if (error == 0)
        error = law_usl(&busy, &wish, style, out, why);
    free(n);
    return error;
}

/* The word of an option that has two; -1: not given, -2: another word. */
static int which(const struct arguments *arguments, const char *name, const char *zero,
                 const char *one)
{
    const char *words = argument_words(arguments, name);
    return !words ? -1 : strcmp(words, zero) == 0 ? 0 : strcmp(words, one) == 0 ? 1 : -2;
}

static int read_curve(struct app *app, const struct verb *verb, const struct arguments *arguments,
                      struct law_curve *curve)
{
    *curve = (struct law_curve){.sensitivity = tool_real(arguments, "sensitivity", 1),
                                .efficiency = tool_real(arguments, "efficiency", 0.9),
                                .shape = which(arguments, "shape", "concave", "convex"),
                                .rising = which(arguments, "direction", "falling", "rising")};
    if (curve->shape == -2)
        return usage_error(app, verb, "--shape is concave or convex");
    if (curve->rising == -2)
        return usage_error(app, verb, "--direction is rising or falling");
    if (!(curve->sensitivity >= 0))
        return usage_error(app, verb, "--sensitivity is a number of at least 0");
    if (!(curve->efficiency > 0))
        return usage_error(app, verb, "--efficiency is a share above 0, as 0.9 or 90%%");
    return 0;
}

static int fit(struct app *app, const char *path, const struct arguments *arguments,
               const struct law_style *style, struct law_curve *curve)
{
    bool usl = strcmp(arguments->rest[0], "usl") == 0;
    const char *words = argument_words(arguments, "columns");
    struct numbers numbers;
    struct taken taken;
    struct text out = TEXT_EMPTY, why = TEXT_EMPTY;
    int code = tool_numbers(app, path, &numbers);
    if (code)
        return code;
    code = words ? say_columns(app, path, &numbers, words, &taken)
                 : find_columns(app, path, &numbers, &taken);
    if (code == 0 && usl && taken.response) {
        fprintf(app->err, "plimsoll: %s:1: a law needs throughput: columns n,x\n", path);
        code = EXIT_USAGE;
    }
    double *n = code ? NULL : tool_take(app, &numbers, taken.n);
    double *y = n ? tool_take(app, &numbers, taken.y) : NULL;
    if (code == 0 && y) {
        const struct usl_points points = {n, y, numbers.rows};
        curve->n = n;
        curve->y = y;
        curve->count = numbers.rows;
        curve->response = taken.response;
        int error = usl ? fit_usl(arguments, style, &points, &out, &why)
                        : law_knee(curve, style, &out, &why);
        code = tool_answer(app, path, error, &out, &why);
    } else {
        code = EXIT_USAGE;
    }
    free(n);
    free(y);
    numbers_fini(&numbers);
    return code;
}

static int act(struct app *app, const struct verb *verb, const struct arguments *arguments)
{
    struct law_style style;
    struct law_curve curve;
    const char *what = arguments->rest_count ? arguments->rest[0] : "";
    if (strcmp(what, "usl") != 0 && strcmp(what, "knee") != 0)
        return usage_error(app, verb, "say what to fit: usl or knee");
    if (arguments->rest_count != 2)
        return usage_error(app, verb, "one file is wanted: plimsoll fit %s FILE.csv", what);
    int code = tool_style(app, verb, arguments, &style);
    if (code == 0)
        code = read_curve(app, verb, arguments, &curve);
    return code ? code : fit(app, arguments->rest[1], arguments, &style, &curve);
}

const struct verb verb_fit = {
    .name = "fit",
    .sentence = "fit a scalability law or find the knee of measured points",
    .usage = "usl|knee FILE.csv [OPTIONS]",
    .harmless = true,
    .options = options,
    .notes = "FILE has columns n,x (throughput at n users, cores or instances); a head line\n"
             "may name them, and the same n may come several times. With think time, n is\n"
             "the mean concurrency, not the users: --think makes it so. knee also takes\n"
             "n,latency. --columns takes others, by name or number. \"-\": standard input.",
    .examples = {"plimsoll fit usl points.csv --at 64", "plimsoll fit knee points.csv --json"},
    .act = act,
};
