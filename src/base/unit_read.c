/* Reads quantities: a decimal, a unit from a table, and nothing after it.
 *
 * Reading may not depend on the program's locale, for the library runs inside other programs and
 * a German one writes 1,5; so the form is checked here byte by byte, and the value comes from
 * strtod under the "C" locale, which newlocale() hands out without taking memory. */
#include "base/unit.h"

#include <errno.h>
#include <float.h>
#include <locale.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define MINUTE (60 * NSEC_PER_SEC)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

struct unit {
    const char *name;
    uint64_t size;
};

static const struct unit durations[] = {
    {"ns", 1},
    {"us", (uint64_t)NSEC_PER_USEC},
    {"\xc2\xb5s", (uint64_t)NSEC_PER_USEC}, /* the micro sign */
    {"\xce\xbcs", (uint64_t)NSEC_PER_USEC}, /* the Greek letter mu */
    {"ms", (uint64_t)NSEC_PER_MSEC},
    {"s", (uint64_t)NSEC_PER_SEC},
    {"sec", (uint64_t)NSEC_PER_SEC},
    {"second", (uint64_t)NSEC_PER_SEC},
    {"seconds", (uint64_t)NSEC_PER_SEC},
    {"m", (uint64_t)MINUTE},
    {"min", (uint64_t)MINUTE},
    {"minute", (uint64_t)MINUTE},
    {"minutes", (uint64_t)MINUTE},
    {"h", (uint64_t)HOUR},
    {"hour", (uint64_t)HOUR},
    {"hours", (uint64_t)HOUR},
    {"d", (uint64_t)DAY},
    {"day", (uint64_t)DAY},
    {"days", (uint64_t)DAY},
    {NULL, 0},
};

#define KIBI UINT64_C(1024)
#define KILO UINT64_C(1000)

static const struct unit sizes[] = {
    {"B", 1},
    {"K", KILO},
    {"KB", KILO},
    {"Ki", KIBI},
    {"KiB", KIBI},
    {"M", KILO *KILO},
    {"MB", KILO *KILO},
    {"Mi", KIBI *KIBI},
    {"MiB", KIBI *KIBI},
    {"G", KILO *KILO *KILO},
    {"GB", KILO *KILO *KILO},
    {"Gi", KIBI *KIBI *KIBI},
    {"GiB", KIBI *KIBI *KIBI},
    {"T", KILO *KILO *KILO *KILO},
    {"TB", KILO *KILO *KILO *KILO},
    {"Ti", KIBI *KIBI *KIBI *KIBI},
    {"TiB", KIBI *KIBI *KIBI *KIBI},
    {NULL, 0},
};

/* Of a rate: the seconds that it is given per, after a slash and without one. */
static const struct unit per[] = {
    {"s", 1},       {"sec", 1},  {"second", 1},  {"m", 60}, {"min", 60},
    {"minute", 60}, {"h", 3600}, {"hour", 3600}, {NULL, 0},
};
static const struct unit rates[] = {
    {"rps", 1}, {"req/s", 1}, {"rpm", 60}, {"req/min", 60}, {NULL, 0},
};

static size_t digits_at(struct span words, size_t from)
{
    size_t count = 0;
    while (from + count < words.bytes && words.at[from + count] >= '0' &&
           words.at[from + count] <= '9')
        count++;
    return count;
}

/* Length of the unsigned decimal at the beginning: 12, 1.5, .5, 3., 1e9; 0 when there is none. */
static size_t decimal_length(struct span words)
{
    size_t whole = digits_at(words, 0), length = whole;
    size_t fraction = 0;
    if (length < words.bytes && words.at[length] == '.') {
        fraction = digits_at(words, length + 1);
        length += 1 + fraction;
    }
    if (whole + fraction == 0)
        return 0;
    if (length < words.bytes && (words.at[length] == 'e' || words.at[length] == 'E')) {
        size_t sign = length + 1 < words.bytes &&
                      (words.at[length + 1] == '+' || words.at[length + 1] == '-');
        size_t exponent = digits_at(words, length + 1 + sign);
        if (exponent)
            length += 1 + sign + exponent;
    }
    return length;
}

static void skip(struct span *words, size_t bytes)
{
    words->at += bytes;
    words->bytes -= bytes;
}

enum { LONGEST_NUMBER = 64 };

/* The bytes as a zero-ended text for strtod and its sisters. Returns 0 or -EINVAL (too long). */
static int copy_number(struct span number, char out[LONGEST_NUMBER])
{
    if (number.bytes == 0 || number.bytes >= LONGEST_NUMBER)
        return -EINVAL;
    memcpy(out, number.at, number.bytes);
    out[number.bytes] = '\0';
    return 0;
}

/* Takes an unsigned decimal off the beginning. Long double: every ns and byte counts up to 2^63. */
static int take_decimal(struct span *words, long double *number)
{
    struct span decimal = {.at = words->at, .bytes = decimal_length(*words)};
    char digits[LONGEST_NUMBER];
    int error = copy_number(decimal, digits);
    if (error)
        return error;
    *number = strtold_l(digits, NULL, newlocale(LC_ALL_MASK, "C", (locale_t)0));
    skip(words, decimal.bytes);
    return 0;
}

/* Takes the word up to the next digit, point or blank off the beginning, blanks around it too. */
static struct span take_word(struct span *words)
{
    *words = span_trim(*words);
    struct span word = {.at = words->at, .bytes = 0};
    while (word.bytes < words->bytes && !strchr("0123456789. \t\r\n", word.at[word.bytes]))
        word.bytes++;
    skip(words, word.bytes);
    *words = span_trim(*words);
    return word;
}

static const struct unit *find_unit(const struct unit *units, struct span word, bool any_case)
{
    for (; units->name; units++) {
        struct span name = span_of(units->name);
        if (any_case ? span_equal_nocase(name, word) : span_equal(name, word))
            return units;
    }
    return NULL;
}

/* number * size as a whole number, rounded to the nearest. Returns 0 or -ERANGE (above most). */
static int whole_of(long double number, uint64_t size, uint64_t most, uint64_t *whole)
{
    long double product = number * (long double)size;
    if (product >= (long double)most + 1.0L)
        return -ERANGE;
    uint64_t below = (uint64_t)product;
    bool up = product - (long double)below >= 0.5L;
    if (up && below == most)
        return -ERANGE;
    *whole = below + up;
    return 0;
}

int unit_read_duration(struct span words, nsec_t bare_ns, nsec_t *duration_ns)
{
    struct span rest = span_trim(words);
    uint64_t sum = 0, before = UINT64_MAX;
    do {
        long double number = 0;
        uint64_t part = 0;
        int error = take_decimal(&rest, &number);
        if (error)
            return error;
        struct span word = take_word(&rest);
        const struct unit *unit = find_unit(durations, word, false);
        struct unit bare = {.name = "", .size = (uint64_t)bare_ns};
        if (word.bytes == 0 && rest.bytes == 0 && before == UINT64_MAX && bare_ns > 0)
            unit = &bare;
        if (!unit || unit->size >= before) /* "30s 1m" and "5s5s" are slips, not durations */
            return -EINVAL;
        error = whole_of(number, unit->size, INT64_MAX - sum, &part);
        if (error)
            return error;
        sum += part;
        before = unit->size;
    } while (rest.bytes);
    *duration_ns = (nsec_t)sum;
    return 0;
}

/* The number that the words begin with, and the rest of them without blanks around it. Returns as
 * take_decimal does. */
static int split_number(struct span words, long double *number, struct span *rest)
{
    *rest = span_trim(words);
    int error = take_decimal(rest, number);
    *rest = span_trim(*rest);
    return error;
}

int unit_read_bytes(struct span words, uint64_t *bytes)
{
    struct span rest;
    long double number = 0;
    int error = split_number(words, &number, &rest);
    if (error)
        return error;
    struct span word = take_word(&rest);
    const struct unit *unit = find_unit(sizes, word.bytes ? word : SPAN("B"), true);
    if (!unit || rest.bytes)
        return -EINVAL;
    uint64_t whole = 0;
    error = whole_of(number, unit->size, UINT64_MAX, &whole);
    if (error)
        return error;
    if (unit->size == 1 && (long double)whole != number) /* half a byte */
        return -EINVAL;
    *bytes = whole;
    return 0;
}

int unit_read_rate(struct span words, double *per_second)
{
    struct span rest;
    long double number = 0;
    int error = split_number(words, &number, &rest);
    if (error)
        return error;
    bool slash = span_begins(rest, SPAN("/"));
    if (slash)
        skip(&rest, 1);
    struct span word = take_word(&rest);
    if (!slash && word.bytes == 0)
        word = SPAN("rps");
    const struct unit *unit = find_unit(slash ? per : rates, word, false);
    if (!unit || rest.bytes)
        return -EINVAL;
    long double rate = number / (long double)unit->size;
    if (rate > (long double)DBL_MAX)
        return -ERANGE;
    *per_second = (double)rate;
    return 0;
}

int unit_read_share(struct span words, double *share)
{
    struct span rest;
    long double number = 0;
    int error = split_number(words, &number, &rest);
    if (error)
        return error;
    bool percent = span_equal(rest, SPAN("%"));
    if (rest.bytes && !percent)
        return -EINVAL;
    if (percent)
        number /= 100;
    if (number > (long double)DBL_MAX)
        return -ERANGE;
    *share = (double)number;
    return 0;
}

int unit_read_real(struct span words, double *number)
{
    struct span all = span_trim(words), rest = all;
    char digits[LONGEST_NUMBER];
    if (rest.bytes && (rest.at[0] == '-' || rest.at[0] == '+'))
        skip(&rest, 1);
    if (rest.bytes == 0 || decimal_length(rest) != rest.bytes || copy_number(all, digits))
        return -EINVAL;
    double value = strtod_l(digits, NULL, newlocale(LC_ALL_MASK, "C", (locale_t)0));
    if (value > DBL_MAX || value < -DBL_MAX)
        return -ERANGE;
    *number = value;
    return 0;
}
