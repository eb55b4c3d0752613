/* Small things that verbs which take a file and print an answer have in common. */
#include "app/tool_file.h"

#include "app/terminal.h"
#include "base/error.h"
#include "base/unit.h"
#include "plan/environment.h"

#include <errno.h>
#include <math.h>
#include <string.h>

enum { FILE_MOST = 64 * 1024 * 1024 };

static int read_input(struct text *out)
{
    char piece[4096];
    size_t bytes = 0;
    while ((bytes = fread(piece, 1, sizeof piece, stdin)) > 0) {
        text_put(out, (struct span){piece, bytes});
        if (out->bytes > FILE_MOST)
            return -EFBIG;
    }
    return 0;
}

int tool_read(struct app *app, const char *path, struct text *out)
{
    char sentence[100];
    *out = TEXT_EMPTY;
    int error = strcmp(path, "-") == 0 ? read_input(out) : file_read(path, FILE_MOST, out);
    if (error == 0)
        return 0;
    fprintf(app->err, "plimsoll: %s could not be read: %s\n", path,
            error_sentence(error, sentence, sizeof sentence));
    text_fini(out);
    return EXIT_USAGE;
}

int tool_numbers(struct app *app, const char *path, struct numbers *out)
{
    struct text bytes, why = TEXT_EMPTY;
    int code = tool_read(app, path, &bytes);
    if (code)
        return code;
    if (numbers_read(path, text_span(&bytes), out, &why) != 0) {
        fprintf(app->err, "plimsoll: %s\n", why.at);
        code = EXIT_USAGE;
    }
    text_fini(&bytes);
    text_fini(&why);
    return code;
}

int tool_column(struct app *app, const char *path, const struct numbers *numbers,
                const struct span *said, int fallback)
{
    if (!said)
        return fallback;
    int column = numbers_column_said(numbers, *said);
    if (column >= 0)
        return column;
    fprintf(app->err, "plimsoll: %s has no column \"%.*s\"; it has", path, (int)said->bytes,
            said->at);
    for (size_t i = 0; numbers->names && i < numbers->columns && i < 20; i++)
        fprintf(app->err, "%s %s", i ? "," : ":", numbers->names[i]);
    if (!numbers->names)
        fprintf(app->err, " %zu, without names", numbers->columns);
    fputs("\n", app->err);
    return -1;
}

double *tool_take(struct app *app, const struct numbers *numbers, int column)
{
    struct text why = TEXT_EMPTY;
    double *out =
        column < 0 ? numbers_take_all(numbers, &why) : numbers_take(numbers, column, &why);
    if (!out)
        fprintf(app->err, "plimsoll: %s\n", why.at);
    text_fini(&why);
    return out;
}

double tool_real(const struct arguments *arguments, const char *name, double unset)
{
    const char *words = argument_words(arguments, name);
    double value = NAN;
    if (!words)
        return unset;
    return unit_read_share(span_of(words), &value) == 0 ||
                   unit_read_real(span_of(words), &value) == 0
               ? value
               : (double)NAN;
}

int tool_style(struct app *app, const struct verb *verb, const struct arguments *arguments,
               struct law_style *out)
{
    *out = (struct law_style){.json = argument_given(arguments, "json"),
                              .colour = terminal_of(app->out, app->environment).colour,
                              .confidence = tool_real(arguments, "confidence", 0.95)};
    if (!(out->confidence > 0 && out->confidence < 1))
        return usage_error(app, verb, "--confidence is a share between 0 and 1, as 0.95 or 95%%");
    return 0;
}

int tool_answer(struct app *app, const char *path, int error, struct text *out, struct text *why)
{
    if (error)
        fprintf(app->err, "plimsoll: %s: %s\n", path, why->at ? why->at : "no answer");
    else
        fputs(out->at ? out->at : "", app->out);
    text_fini(out);
    text_fini(why);
    return error ? EXIT_USAGE : 0;
}
