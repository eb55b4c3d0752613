/* plimsoll analyze: what bends first in a scale test or a run, and why. */
#include "app/report_files.h"
#include "app/suite_files.h"
#include "app/terminal.h"
#include "app/tool_file.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/unit.h"
#include "run/run.h"
#include "show/analysis.h"
#include "show/suite_document.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define RESULTS  "scalability_results.json"
#define ANALYSIS "bottleneck_analysis.json"

static const struct option options[] = {
    {"test-results", 0, .kind = OPTION_TEXT, .value = "FILE",
     .sentence = RESULTS " of a scale test"},
    {"output", 'o', .kind = OPTION_TEXT, .value = "FILE",
     .sentence = "write the document there (default: " ANALYSIS " beside what is analyzed)"},
    {"json", 0, .kind = OPTION_FLAG, .sentence = "print the document, and write no file"},
    {"catalogue", 0, .kind = OPTION_TEXT, .value = "FILE", .aliases = "catalog",
     .sentence = "YAML of bottlenecks to be expected: changes and extends ours"},
    {"critical-response-time", 0, .kind = OPTION_TEXT, .value = "TIME",
     .sentence = "response time that counts as too slow (else the test's; 200ms)"},
    {"critical-error-rate", 0, .kind = OPTION_TEXT, .value = "SHARE",
     .sentence = "share of failures that counts as too many (else the test's; 1%)"},
    {"runs", 0, .kind = OPTION_TEXT, .value = "DIR",
     .sentence = "where @last looks (default: runs)"},
    {.name = NULL},
};

static bool ends_so(const char *name, const char *end)
{
    size_t length = strlen(name), tail = strlen(end);
    return length >= tail && strcmp(name + length - tail, end) == 0;
}

/* The file that is meant: results of a suite, or a run file. Owner: caller, free(). */
static char *find_source(const struct arguments *arguments)
{
    const char *results = argument_words(arguments, "test-results");
    const char *runs = argument_words(arguments, "runs");
    if (results)
        return memory_copy_text(results);
    const char *words = arguments->rest[0];
    bool last = strcmp(words, "@last") == 0;
    char *path = last ? files_newest(runs ? runs : "runs", ".plim") : memory_copy_text(words);
    struct stat info;
    bool directory = path && stat(path, &info) == 0 && S_ISDIR(info.st_mode);
    if (!path || directory || last) {
        char *suite = files_meant(path ? path : words, runs ? runs : "runs", RESULTS);
        if (suite) {
            free(path);
            return suite;
        }
    }
    return path;
}

static int read_run(struct app *app, const char *path, double response_s, struct suite **out)
{
    struct result *result = NULL;
    char sentence[100];
    int error = result_read(path, &result);
    if (error == RESULT_NOT_A_RUN)
        fprintf(app->err, "plimsoll: %s is neither a run file nor " RESULTS "\n", path);
    else if (error == RESULT_NEWER)
        fprintf(app->err, "plimsoll: %s was written by a newer plimsoll\n", path);
    else if (error)
        fprintf(app->err, "plimsoll: %s can not be read: %s\n", path,
                error_sentence(error, sentence, sizeof sentence));
    else
        *out = suite_of_run(result, response_s);
    result_free(result);
    return error ? RUN_FAILED : 0;
}

static int read_suite(struct app *app, const char *path, double response_s, struct suite **out)
{
    struct text why = TEXT_EMPTY;
    char sentence[100];
    if (ends_so(path, ".plim"))
        return read_run(app, path, isnan(response_s) ? 0.2 : response_s, out);
    int error = suite_document_read_file(path, out, &why);
    if (error)
        fprintf(app->err, "plimsoll: %s: %s\n", path,
                why.bytes ? why.at : error_sentence(error, sentence, sizeof sentence));
    text_fini(&why);
    return error ? RUN_FAILED : 0;
}

static int read_catalogue(struct app *app, const char *path, struct catalogue *catalogue)
{
    struct text bytes = TEXT_EMPTY, words = TEXT_EMPTY;
    struct notes notes = {.items = NULL};
    int code = tool_read(app, path, &bytes);
    if (code == 0 && catalogue_read(catalogue, path, text_span(&bytes), &notes) != 0)
        code = EXIT_USAGE;
    if (notes.count) {
        notes_write(&notes, bytes.at, &words);
        fprintf(app->err, "%s", words.at);
    }
    notes_fini(&notes);
    text_fini(&words);
    text_fini(&bytes);
    return code;
}

/* Limits given on the command line; NAN: not given. Returns 0 or EXIT_USAGE. */
static int read_limits(struct app *app, const struct verb *verb, const struct arguments *arguments,
                       double *response_s, double *error_share)
{
    const char *time = argument_words(arguments, "critical-response-time"),
               *rate = argument_words(arguments, "critical-error-rate");
    nsec_t duration_ns = 0;
    *response_s = *error_share = NAN;
    if (time &&
        (unit_read_duration(span_of(time), NSEC_PER_SEC, &duration_ns) != 0 || duration_ns <= 0))
        return usage_error(app, verb, "--critical-response-time is a duration, as 200ms");
    if (time)
        *response_s = (double)duration_ns / (double)NSEC_PER_SEC;
    if (rate && (unit_read_share(span_of(rate), error_share) != 0 || !(*error_share >= 0) ||
                 *error_share > 1))
        return usage_error(app, verb, "--critical-error-rate is a share, as 1%% or 0.01");
    return 0;
}

/* Where the document goes when nothing is said: beside results, or with the reports of a run.
 * Owner: caller, free(). */
static char *default_output(const char *source)
{
    struct text path = TEXT_EMPTY;
    if (ends_so(source, ".plim")) {
        char *directory = report_directory(source);
        mkdir(directory, 0777);
        text_printf(&path, "%s/" ANALYSIS, directory);
        free(directory);
        return text_take(&path);
    }
    const char *slash = strrchr(source, '/');
    text_put(&path, (struct span){source, slash ? (size_t)(slash - source) + 1 : 0});
    text_puts(&path, ANALYSIS);
    return text_take(&path);
}

/* Writes the document. A default place that can not be written is no failure, and is said. */
static int write_document(struct app *app, const char *output, const char *source,
                          const struct text *document)
{
    char *path = output ? memory_copy_text(output) : default_output(source);
    char sentence[100];
    int error = file_write(path, text_span(document));
    if (error)
        fprintf(app->err, "plimsoll: %s could not be written: %s%s\n", path,
                error_sentence(error, sentence, sizeof sentence),
                output ? "" : " (choose a place: --output FILE)");
    else
        fprintf(app->out, "\nwritten to %s\n", path);
    free(path);
    return error && output ? RUN_FAILED : 0;
}

static int put(struct app *app, const struct arguments *arguments, const struct suite *suite,
               const struct analysis *analysis, const char *source)
{
    struct terminal terminal = terminal_of(app->out, app->environment);
    const char *output = argument_words(arguments, "output");
    struct text document = TEXT_EMPTY, words = TEXT_EMPTY;
    bool json = argument_given(arguments, "json") || (output && strcmp(output, "-") == 0);
    int code = 0;
    analysis_document_write(suite, analysis, source, &document);
    analysis_text(analysis, terminal.columns, &words);
    fwrite(json ? document.at : words.at, 1, json ? document.bytes : words.bytes, app->out);
    if (!json)
        code = write_document(app, output, source, &document);
    text_fini(&document);
    text_fini(&words);
    return code;
}

static int analyze(struct app *app, const struct verb *verb, const struct arguments *arguments,
                   const char *source)
{
    struct suite *suite = NULL;
    double response_s, error_share;
    struct catalogue *catalogue = catalogue_default();
    const char *own = argument_words(arguments, "catalogue");
    int code = read_limits(app, verb, arguments, &response_s, &error_share);
    if (code == 0 && own)
        code = read_catalogue(app, own, catalogue);
    if (code == 0)
        code = read_suite(app, source, response_s, &suite);
    if (code == 0) {
        struct curve_wish wish = curve_wish_of(suite);
        if (!isnan(response_s))
            wish.response_s = response_s;
        if (!isnan(error_share))
            wish.error_share = error_share;
        struct analysis *analysis = analysis_new(suite, &wish, catalogue);
        code = put(app, arguments, suite, analysis, source);
        analysis_free(analysis);
    }
    suite_free(suite);
    catalogue_free(catalogue);
    return code;
}

static int act(struct app *app, const struct verb *verb, const struct arguments *arguments)
{
    bool results = argument_given(arguments, "test-results");
    if (arguments->rest_count + results != 1)
        return usage_error(app, verb,
                           "one thing is wanted: --test-results FILE, a run file, a "
                           "directory of a scale test, or @last");
    char *source = find_source(arguments);
    if (!source)
        return usage_error(app, verb, "there is no run or scale test here: %s", arguments->rest[0]);
    int code = analyze(app, verb, arguments, source);
    free(source);
    return code;
}

const struct verb verb_analyze = {
    .name = "analyze",
    .sentence = "say what bends first in a scale test or a run, and why",
    .usage = "--test-results FILE | RUN | DIRECTORY | @last [OPTIONS]",
    .options = options,
    .notes = "Four answers that are never conflated: linear region, onset of degradation,\n"
             "critical threshold, capacity; then what holds the system back, each line with\n"
             "its evidence. \"none observed\" is an answer. doc/methods.md has the methods.\n"
             "exit codes: 0 analyzed, 1 can not be read, 104 bad option",
    .examples = {"plimsoll analyze --test-results " RESULTS, "plimsoll analyze @last --json"},
    .act = act,
};
