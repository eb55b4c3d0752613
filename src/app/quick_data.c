/* Prompts on the command line; see quick_data.h.
 *
 * Meanings and defaults are those of `vllm bench serve`: 1,024 tokens in and 128 out; the range
 * ratio r draws both evenly between 1 - r and 1 + r of them; the prefix comes before the prompt's
 * own length. */
#include "app/quick_data.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { INPUT_UNSET = 1024, OUTPUT_UNSET = 128, CUSTOM_OUTPUT_UNSET = 256 };

enum dataset { DATASET_UNSAID, DATASET_RANDOM, DATASET_RECORDS, DATASET_TRACE };

static const struct {
    const char *name;
    enum dataset dataset;
} datasets[] = {
    {"random", DATASET_RANDOM}, {"sharegpt", DATASET_RECORDS}, {"custom", DATASET_RECORDS},
    {"azure", DATASET_TRACE},   {"mooncake", DATASET_TRACE},   {"burstgpt", DATASET_TRACE},
    {"trace", DATASET_TRACE},
};

static const char *const random_words[] = {"random-input-len", "random-range-ratio",
                                           "random-prefix-len"};

/* The random option that was given; NULL: none. */
static const char *random_given(const struct arguments *arguments)
{
    for (size_t i = 0; i < sizeof random_words / sizeof *random_words; i++)
        if (argument_given(arguments, random_words[i]))
            return random_words[i];
    return NULL;
}

static bool ends_with(const char *words, const char *end)
{
    size_t bytes = strlen(words), length = strlen(end);
    return bytes >= length && strcmp(words + bytes - length, end) == 0;
}

/* Which kind is meant; DATASET_UNSAID: none, or after an error with *code set. */
static enum dataset find_dataset(struct app *app, const struct verb *verb,
                                 const struct arguments *arguments, int *code)
{
    const char *name = argument_words(arguments, "dataset-name");
    const char *path = argument_words(arguments, "dataset-path");
    for (size_t i = 0; name && i < sizeof datasets / sizeof *datasets; i++)
        if (strcmp(datasets[i].name, name) == 0)
            return datasets[i].dataset;
    if (name)
        *code =
            usage_error(app, verb,
                        "there is no dataset \"%s\"; it may be random, sharegpt, custom, azure, "
                        "mooncake or burstgpt",
                        name);
    else if (path)
        return ends_with(path, ".csv") ? DATASET_TRACE : DATASET_RECORDS;
    else if (random_given(arguments))
        return DATASET_RANDOM;
    return DATASET_UNSAID;
}

/* "128", or "64..192" around it. */
static void put_length(const char *key, uint64_t tokens, double ratio, struct text *out)
{
    double low = floor((double)tokens * (1 - ratio)), high = ceil((double)tokens * (1 + ratio));
    if (ratio > 0)
        text_printf(out, "%s: %.0f..%.0f", key, low < 1 ? 1 : low, high);
    else
        text_printf(out, "%s: %llu", key, (unsigned long long)tokens);
}

static int read_random(struct app *app, const struct verb *verb, const struct arguments *arguments,
                       struct text *out)
{
    double ratio = argument_real(arguments, "random-range-ratio", 0);
    uint64_t prefix = argument_count(arguments, "random-prefix-len", 0);
    if (argument_given(arguments, "dataset-path"))
        return usage_error(app, verb, "--dataset-path has no meaning with random prompts");
    if (ratio < 0 || ratio > 1)
        return usage_error(app, verb, "--random-range-ratio must be from 0 to 1; it is %g", ratio);
    text_puts(out, "{synthetic: {");
    put_length("tokens", argument_count(arguments, "random-input-len", INPUT_UNSET), ratio, out);
    text_puts(out, ", ");
    put_length("output_tokens", argument_count(arguments, "max-tokens", OUTPUT_UNSET), ratio, out);
    if (prefix)
        text_printf(out, ", prefix_tokens: %llu", (unsigned long long)prefix);
    text_puts(out, "}}");
    return 0;
}

static void put_path(const char *path, struct text *out)
{
    text_putc(out, '"');
    for (; *path; path++) {
        if (*path == '"' || *path == '\\')
            text_putc(out, '\\');
        if (path[0] == '$' && path[1] == '{')
            text_putc(out, '$');
        text_putc(out, *path);
    }
    text_putc(out, '"');
}

static int read_file(struct app *app, const struct verb *verb, const struct arguments *arguments,
                     enum dataset dataset, struct text *out)
{
    const char *path = argument_words(arguments, "dataset-path");
    if (!path)
        return usage_error(app, verb, "--dataset-name %s needs --dataset-path",
                           argument_words(arguments, "dataset-name"));
    if (random_given(arguments))
        return usage_error(app, verb, "--%s has no meaning with --dataset-path",
                           random_given(arguments));
    text_puts(out, dataset == DATASET_TRACE ? "{trace: {file: " : "{dataset: {file: ");
    put_path(path, out);
    text_printf(out, ", output_tokens: %llu}}",
                (unsigned long long)argument_count(arguments, "max-tokens", CUSTOM_OUTPUT_UNSET));
    return 0;
}

int quick_data_read(struct app *app, const struct verb *verb, const struct arguments *arguments,
                    struct quick_data *out)
{
    int code = 0;
    struct text words = TEXT_EMPTY;
    *out = (struct quick_data){.prompts = NULL};
    enum dataset dataset = find_dataset(app, verb, arguments, &code);
    if (dataset == DATASET_UNSAID)
        return code;
    if (!argument_given(arguments, "driver"))
        return usage_error(app, verb, "made prompts need --driver, such as --driver openai");
    if (argument_given(arguments, "prompt"))
        return usage_error(app, verb, "--prompt and %s both say what is asked",
                           dataset == DATASET_RANDOM ? "random prompts" : "--dataset-path");
    code = dataset == DATASET_RANDOM ? read_random(app, verb, arguments, &words)
                                     : read_file(app, verb, arguments, dataset, &words);
    if (code) {
        text_fini(&words);
        return code;
    }
    bool timed = dataset == DATASET_TRACE && !argument_given(arguments, "rate") &&
                 !argument_given(arguments, "users");
    out->trace = timed ? argument_words(arguments, "dataset-path") : NULL;
    /* An explicit length overrules what records say, but not what a draw or a trace has. */
    out->answers = dataset != DATASET_RECORDS || !argument_given(arguments, "max-tokens");
    out->prompts = text_take(&words);
    return 0;
}

void quick_data_fini(struct quick_data *data)
{
    free(data->prompts);
    *data = (struct quick_data){.prompts = NULL};
}
