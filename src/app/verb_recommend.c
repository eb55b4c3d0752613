/* plimsoll recommend: what to change so that a target load is carried, from an analysis. */
#include "app/suite_files.h"
#include "app/terminal.h"
#include "app/tool_file.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/unit.h"
#include "show/advice.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const struct option options[] = {
    {"analysis", 0, .kind = OPTION_TEXT, .value = "FILE",
     .sentence = "a bottleneck_analysis.json, its directory, or @last"},
    {"target-load", 0, .kind = OPTION_TEXT, .value = "N",
     .sentence = "users to be carried; or 50/s: requests a second"},
    {"ceiling", 0, .kind = OPTION_TEXT, .value = "SHARE",
     .sentence = "of the capacity that may be used (70%)"},
    {"spare", 0, .kind = OPTION_COUNT, .value = "N", .sentence = "replicas that may fail (1)"},
    {"zones", 0, .kind = OPTION_COUNT, .value = "N",
     .sentence = "one of so many zones may fail (none)"},
    {"gpu", 0, .kind = OPTION_TEXT, .value = "NAME",
     .sentence = "the GPU there is now: a model, or its memory (24GB)"},
    {"ram", 0, .kind = OPTION_TEXT, .value = "SIZE", .sentence = "memory there is now: 64GB"},
    {"remedies", 0, .kind = OPTION_TEXT, .value = "FILE",
     .sentence = "YAML that changes and extends the table of remedies"},
    {"prices", 0, .kind = OPTION_TEXT, .value = "FILE",
     .sentence = "YAML or JSON with your prices and their date"},
    {"brief", 0, .kind = OPTION_FLAG, .sentence = "the lines alone, without what they rest on"},
    {"json", 0, .kind = OPTION_FLAG, .sentence = "as JSON (doc/recommendations.schema.json)"},
    {"output", 'o', .kind = OPTION_TEXT, .value = "FILE",
     .sentence = "write it there; .json: as JSON"},
    {"runs", 0, .kind = OPTION_TEXT, .value = "DIR",
     .sentence = "where @last looks (default: runs)"},
    {.name = NULL},
};

static int read_gpu(struct app *app, const struct verb *verb, const char *name, double *memory_gb)
{
    uint64_t bytes = 0;
    if (!name)
        return 0;
    const struct remedy_gpu *gpu = remedy_gpu_named(name);
    if (gpu)
        *memory_gb = gpu->memory_gb;
    else if (unit_read_bytes(span_of(name), &bytes) == 0 && bytes >= 1000000000)
        *memory_gb = (double)bytes / 1e9;
    else
        return usage_error(app, verb, "--gpu %s: not in the table; give its memory: --gpu 24GB",
                           name);
    return 0;
}

static int read_target(struct app *app, const struct verb *verb, const char *words,
                       struct advice_wish *wish)
{
    if (!words)
        return usage_error(app, verb, "--target-load is wanted: users, or 50/s");
    wish->target_is_rate = strpbrk(words, "/r") != NULL;
    int error = wish->target_is_rate ? unit_read_rate(span_of(words), &wish->target)
                                     : unit_read_real(span_of(words), &wish->target);
    if (error || !(wish->target > 0) || isinf(wish->target))
        return usage_error(app, verb, "--target-load %s: a number of users, or 50/s", words);
    return 0;
}

static int read_wish(struct app *app, const struct verb *verb, const struct arguments *arguments,
                     struct advice_wish *wish)
{
    uint64_t bytes = 0;
    const char *ram = argument_words(arguments, "ram");
    *wish = (struct advice_wish){.ceiling = tool_real(arguments, "ceiling", CAPACITY_CEILING),
                                 .spare = (uint32_t)argument_count(arguments, "spare", 1),
                                 .zones = (uint32_t)argument_count(arguments, "zones", 0),
                                 .confidence = 0.95,
                                 .gpu_memory_gb = NAN,
                                 .memory_gb = NAN};
    if (!(wish->ceiling > 0 && wish->ceiling <= 1))
        return usage_error(app, verb, "--ceiling is a share above 0 and at most 1, as 70%%");
    if (argument_count(arguments, "spare", 1) > 1000 ||
        argument_count(arguments, "zones", 0) > 1000)
        return usage_error(app, verb, "--spare and --zones are at most 1000");
    if (ram && unit_read_bytes(span_of(ram), &bytes) != 0)
        return usage_error(app, verb, "--ram %s: a size is wanted, as 64GB", ram);
    if (ram)
        wish->memory_gb = (double)bytes / 1e9;
    int code = read_gpu(app, verb, argument_words(arguments, "gpu"), &wish->gpu_memory_gb);
    return code ? code : read_target(app, verb, argument_words(arguments, "target-load"), wish);
}

/* Notes about a user's file. Returns the exit code. */
static int say_notes(struct app *app, struct notes *notes, const char *source)
{
    struct text words = TEXT_EMPTY;
    notes_write(notes, source, &words);
    fputs(words.at ? words.at : "", app->err);
    text_fini(&words);
    notes_fini(notes);
    return EXIT_USAGE;
}

static int read_tables(struct app *app, const struct arguments *arguments,
                       struct remedies *remedies, struct prices *prices)
{
    const char *remedy_path = argument_words(arguments, "remedies");
    const char *price_path = argument_words(arguments, "prices");
    struct text bytes = TEXT_EMPTY;
    struct notes notes = {0};
    int code = remedy_path ? tool_read(app, remedy_path, &bytes) : 0;
    if (code == 0 && remedy_path &&
        remedies_read(remedies, remedy_path, text_span(&bytes), &notes) != 0)
        code = say_notes(app, &notes, bytes.at);
    text_fini(&bytes);
    if (code == 0 && price_path)
        code = tool_read(app, price_path, &bytes);
    if (code == 0 && price_path && prices_read(price_path, text_span(&bytes), prices, &notes) != 0)
        code = say_notes(app, &notes, bytes.at);
    text_fini(&bytes);
    return code;
}

static int put_out(struct app *app, const char *path, const struct text *out)
{
    char sentence[100];
    FILE *file = path ? fopen(path, "w") : app->out;
    bool written = file && fwrite(out->at, 1, out->bytes, file) == out->bytes;
    int error = written ? 0 : errno;
    if (path && file && fclose(file) != 0 && error == 0)
        error = errno;
    if (error == 0)
        return 0;
    fprintf(app->err, "plimsoll: %s could not be written: %s\n", path ? path : "the answer",
            error_sentence(-error, sentence, sizeof sentence));
    return EXIT_USAGE;
}

static int answer(struct app *app, const struct arguments *arguments,
                  const struct advice_case *the_case, const struct advice_wish *wish)
{
    const char *path = argument_words(arguments, "output");
    size_t length = path ? strlen(path) : 0;
    bool json = argument_given(arguments, "json") ||
                (length > 5 && strcmp(path + length - 5, ".json") == 0);
    struct advice *advice = advice_new(the_case, wish);
    const struct advice_view view = {the_case, wish, advice};
    struct text out = TEXT_EMPTY;
    if (json) {
        json_t *document = advice_document(&view);
        char *dumped = json_dumps(document, JSON_INDENT(2));
        text_printf(&out, "%s\n", dumped ? dumped : "null");
        free(dumped);
        json_decref(document);
    } else {
        bool colour = !path && terminal_of(app->out, app->environment).colour;
        advice_put(&view, colour, argument_given(arguments, "brief"), &out);
    }
    int code = put_out(app, path, &out);
    text_fini(&out);
    advice_free(advice);
    return code;
}

/* The file that words mean: one of any name that is there and is no run file, else as files_meant
 * has it. Owner: caller; NULL: none. */
static char *analysis_meant(const char *words, const char *runs)
{
    struct stat status;
    size_t length = strlen(words);
    bool is_run = length > 5 && strcmp(words + length - 5, ".plim") == 0;
    if (!is_run && stat(words, &status) == 0 && S_ISREG(status.st_mode))
        return memory_copy_text(words);
    return files_meant(words, runs ? runs : "runs", "bottleneck_analysis.json");
}

/* The analysis that the words mean. */
static int read_case(struct app *app, const struct verb *verb, const struct arguments *arguments,
                     struct advice_case *out)
{
    const char *words = argument_words(arguments, "analysis");
    const char *runs = argument_words(arguments, "runs");
    struct text bytes = TEXT_EMPTY, why = TEXT_EMPTY;
    if (!words && arguments->rest_count == 1)
        words = arguments->rest[0];
    if (!words)
        return usage_error(app, verb, "--analysis is wanted: a bottleneck_analysis.json");
    char *path = analysis_meant(words, runs);
    int code = tool_read(app, path ? path : words, &bytes);
    if (code == 0 && advice_case_read(text_span(&bytes), out, &why) != 0) {
        fprintf(app->err, "plimsoll: %s: %s\n", path ? path : words, why.at);
        code = EXIT_USAGE;
    }
    text_fini(&bytes);
    text_fini(&why);
    free(path);
    return code;
}

static int act(struct app *app, const struct verb *verb, const struct arguments *arguments)
{
    struct advice_wish wish;
    struct advice_case the_case = {0};
    struct prices prices = {0};
    if (arguments->rest_count > 1)
        return usage_error(app, verb, "one analysis is wanted");
    int code = read_wish(app, verb, arguments, &wish);
    if (code == 0)
        code = read_case(app, verb, arguments, &the_case);
    if (code)
        return code;
    struct remedies *remedies = remedies_default();
    code = read_tables(app, arguments, remedies, &prices);
    if (code == 0) {
        wish.remedies = remedies;
        wish.prices = prices.count ? &prices : NULL;
        code = answer(app, arguments, &the_case, &wish);
    }
    remedies_free(remedies);
    prices_fini(&prices);
    advice_case_fini(&the_case);
    return code;
}

const struct verb verb_recommend = {
    .name = "recommend",
    .sentence = "say what to change so that a target load is carried, from an analysis",
    .usage = "--analysis bottleneck_analysis.json --target-load 1000 [OPTIONS]",
    .options = options,
    .notes = "Each line says what it rests on. Numbers of replicas are a range beyond twice\n"
             "what was tested, a lower bound where two were never measured side by side,\n"
             "and refused beyond the peak. Impacts of remedies are what others measured,\n"
             "with their source; plimsoll experiment says whether yours came.",
    .examples = {"plimsoll recommend --analysis bottleneck_analysis.json --target-load 1000",
                 "plimsoll recommend @last --target-load 80/s --gpu 24GB --json"},
    .act = act,
};
