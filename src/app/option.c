/* Reads long options (--users 50, --users=50) and letters (-u 50, -u50, -qk); "--" ends them. */
#include "app/option.h"

#include "base/memory.h"
#include "base/unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FARTHEST_SLIP = 3, MOST_NAMES = 256 };

static bool word_among(const char *words, struct span word)
{
    while (words && *words) {
        size_t length = strcspn(words, " ");
        if (span_equal((struct span){.at = words, .bytes = length}, word))
            return true;
        words += length + strspn(words + length, " ");
    }
    return false;
}

static const struct option *find_long(const struct option *table, struct span name)
{
    for (const struct option *row = table; row->name; row++) {
        if (row->only_letter)
            continue;
        if (span_equal(span_of(row->name), name) || word_among(row->aliases, name))
            return row;
    }
    return NULL;
}

static const struct option *find_letter(const struct option *table, char letter)
{
    for (const struct option *row = table; row->name; row++)
        if (row->letter == letter && letter)
            return row;
    return NULL;
}

const char *nearest_word(const char *word, const char *const *list)
{
    const char *nearest = NULL;
    size_t least = FARTHEST_SLIP + 1;
    for (; *list; list++) {
        size_t distance = text_distance(word, *list);
        bool begins = strlen(word) >= 3 && strncmp(word, *list, strlen(word)) == 0;
        if (begins && least > 1)
            distance = 1; /* cut short: as near as one slip */
        if (distance < least && distance < strlen(*list)) {
            least = distance;
            nearest = *list;
        }
    }
    return nearest;
}

static void say_unknown(const struct option *table, const char *written, struct text *why)
{
    const char *names[MOST_NAMES];
    size_t count = 0;
    struct span name = span_of(written + strspn(written, "-"));
    name.bytes = strcspn(name.at, "=");
    char *word = memory_new(name.bytes + 1, 1);
    memcpy(word, name.at, name.bytes);
    for (const struct option *row = table; row->name && count + 1 < MOST_NAMES; row++)
        if (!row->only_letter)
            names[count++] = row->name;
    names[count] = NULL;
    const char *near = written[1] == '-' ? nearest_word(word, names) : NULL;
    text_printf(why, "unknown option \"%.*s\"", (int)strcspn(written, "="), written);
    if (near)
        text_printf(why, "; did you mean \"--%s\"?", near);
    free(word);
}

/* Whether the words are of the option's kind; else says what is wanted. */
static bool value_fits(const struct option *row, const char *words, struct text *why)
{
    struct span span = span_of(words);
    uint64_t number = 0;
    double real = 0;
    nsec_t duration = 0;
    const char *wanted = NULL;
    if (row->kind == OPTION_ARRIVALS && strcmp(words, "inf") == 0)
        return true;
    if (row->kind == OPTION_COUNT && span_uint(span, &number) != 0)
        wanted = "a whole number";
    else if (row->kind == OPTION_REAL && unit_read_real(span, &real) != 0)
        wanted = "a number";
    else if ((row->kind == OPTION_RATE || row->kind == OPTION_ARRIVALS) &&
             (unit_read_rate(span, &real) != 0 || real < 0))
        wanted = "a rate such as 50, 10/s or 600/min";
    else if (row->kind == OPTION_DURATION && unit_read_duration(span, NSEC_PER_SEC, &duration) != 0)
        wanted = "a duration such as 30s or 1m30s";
    else if (row->positive && row->kind == OPTION_COUNT && number == 0)
        wanted = "at least 1";
    else if (row->positive && row->kind == OPTION_DURATION && duration <= 0)
        wanted = "a time above 0";
    else if (row->kind == OPTION_PAIR && (words[0] == '=' || !strchr(words, '=')))
        wanted = "NAME=VALUE";
    if (!wanted)
        return true;
    if (row->only_letter)
        text_printf(why, "-%c wants %s; it is \"%s\"", row->letter, wanted, words);
    else
        text_printf(why, "--%s wants %s; it is \"%s\"", row->name, wanted, words);
    return false;
}

static void keep(struct arguments *out, const struct option *row, const char *words,
                 struct span written)
{
    char *copy = memory_new(written.bytes + 1, 1);
    memcpy(copy, written.at, written.bytes);
    out->items[out->count++] = (struct given){.option = row, .words = words, .written = copy};
}

/* Where the reader is in the command line. */
struct reading {
    const struct option *table;
    int count, at;
    char **words;
    struct arguments *out;
    struct text *why;
};

/* The value of an option: what is attached to it, or the next word. NULL after an error. */
static const char *take_value(struct reading *reading, const struct option *row,
                              const char *attached, const char *written)
{
    if (!attached && reading->at + 1 >= reading->count) {
        text_printf(reading->why, "%s needs a value (%s)", written,
                    row->value ? row->value : "VALUE");
        return NULL;
    }
    const char *words = attached ? attached : reading->words[++reading->at];
    return value_fits(row, words, reading->why) ? words : NULL;
}

static int read_long(struct reading *reading, const char *word)
{
    const char *equals = strchr(word, '=');
    size_t length = equals ? (size_t)(equals - word) : strlen(word);
    struct span written = {.at = word, .bytes = length};
    struct span name = {.at = word + 2, .bytes = length - 2};
    const struct option *row = find_long(reading->table, name);
    if (!row) {
        if (span_equal(name, SPAN("help"))) {
            reading->out->help = true;
            return 0;
        }
        say_unknown(reading->table, word, reading->why);
        return 1;
    }
    if (row->kind == OPTION_FLAG) {
        if (equals) {
            text_printf(reading->why, "--%s takes no value", row->name);
            return 1;
        }
        keep(reading->out, row, NULL, written);
        return 0;
    }
    char flag[80];
    snprintf(flag, sizeof flag, "%.*s", (int)(length < sizeof flag ? length : sizeof flag - 1),
             word);
    const char *value = take_value(reading, row, equals ? equals + 1 : NULL, flag);
    if (!value)
        return 1;
    keep(reading->out, row, value, written);
    while (row->many && reading->at + 1 < reading->count &&
           reading->words[reading->at + 1][0] != '-')
        keep(reading->out, row, reading->words[++reading->at], written);
    return 0;
}

static int read_letters(struct reading *reading, const char *word)
{
    for (const char *letter = word + 1; *letter; letter++) {
        const struct option *row = find_letter(reading->table, *letter);
        char written[3] = {'-', *letter, '\0'};
        if (!row && *letter == 'h') {
            reading->out->help = true;
            continue;
        }
        if (!row) {
            say_unknown(reading->table, written, reading->why);
            return 1;
        }
        if (row->kind == OPTION_FLAG) {
            keep(reading->out, row, NULL, span_of(written));
            continue;
        }
        const char *value = take_value(reading, row, letter[1] ? letter + 1 : NULL, written);
        if (!value)
            return 1;
        keep(reading->out, row, value, span_of(written));
        return 0;
    }
    return 0;
}

int arguments_read(const struct option *table, int count, char **words, struct arguments *out,
                   struct text *why)
{
    size_t room = 0;
    for (int i = 0; i < count; i++)
        room += strlen(words[i]) + 1; /* a word may hold as many letters */
    *out = (struct arguments){.items = memory_new(room, sizeof *out->items),
                              .rest = memory_new((size_t)count + 1, sizeof *out->rest)};
    struct reading reading = {
        .table = table, .count = count, .words = words, .out = out, .why = why};
    bool options = true;
    for (; reading.at < count; reading.at++) {
        const char *word = words[reading.at];
        int outcome = 0;
        if (options && strcmp(word, "--") == 0)
            options = false;
        else if (options && word[0] == '-' && word[1] == '-')
            outcome = read_long(&reading, word);
        else if (options && word[0] == '-' && word[1])
            outcome = read_letters(&reading, word);
        else
            out->rest[out->rest_count++] = word;
        if (outcome)
            return outcome;
    }
    return 0;
}

void arguments_fini(struct arguments *arguments)
{
    for (size_t i = 0; i < arguments->count; i++)
        free((char *)(uintptr_t)arguments->items[i].written);
    free(arguments->items);
    free(arguments->rest);
    *arguments = (struct arguments){.items = NULL};
}

static const struct given *find_given(const struct arguments *arguments, const char *name)
{
    for (size_t i = arguments->count; i-- > 0;)
        if (strcmp(arguments->items[i].option->name, name) == 0)
            return &arguments->items[i];
    return NULL;
}

const char *argument_words(const struct arguments *arguments, const char *name)
{
    const struct given *given = find_given(arguments, name);
    if (!given)
        return NULL;
    return given->words ? given->words : "";
}

bool argument_given(const struct arguments *arguments, const char *name)
{
    return find_given(arguments, name) != NULL;
}

uint64_t argument_count(const struct arguments *arguments, const char *name, uint64_t unset)
{
    const char *words = argument_words(arguments, name);
    uint64_t number = unset;
    if (words)
        span_uint(span_of(words), &number);
    return number;
}

double argument_real(const struct arguments *arguments, const char *name, double unset)
{
    const char *words = argument_words(arguments, name);
    double number = unset;
    if (words)
        unit_read_real(span_of(words), &number);
    return number;
}

double argument_rate(const struct arguments *arguments, const char *name, double unset)
{
    const char *words = argument_words(arguments, name);
    double rate = unset;
    if (words && strcmp(words, "inf") == 0)
        rate = INFINITY;
    else if (words)
        unit_read_rate(span_of(words), &rate);
    return rate;
}

nsec_t argument_duration(const struct arguments *arguments, const char *name, nsec_t unset)
{
    const char *words = argument_words(arguments, name);
    nsec_t duration = unset;
    if (words)
        unit_read_duration(span_of(words), NSEC_PER_SEC, &duration);
    return duration;
}
