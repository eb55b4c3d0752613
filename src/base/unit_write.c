/* Writes quantities with three significant digits.
 *
 * Zeros after the point are dropped only when nothing was rounded away: "2 s" is two seconds and
 * "2.00 s" about two seconds. Digits come from whole numbers, never from printf's %f, so that the
 * program's locale cannot turn a point into a comma. */
#include "base/unit.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define MINUTE (60 * (uint64_t)NSEC_PER_SEC)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

/* What is to be written: parts / 10^places. */
struct figure {
    uint64_t parts;
    unsigned places;
    bool exact; /* nothing was rounded away */
};

static const double ten_to[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6};
enum { MOST_PLACES = sizeof ten_to / sizeof *ten_to - 1 };

static void put_text(char out[UNIT_ROOM], const char *more)
{
    size_t at = strlen(out);
    snprintf(out + at, UNIT_ROOM - at, "%s", more);
}

/* Appends a whole number with a comma between each three digits. */
static void put_grouped(char out[UNIT_ROOM], uint64_t number)
{
    char digits[UNIT_ROOM];
    size_t first = sizeof digits - 1;
    digits[first] = '\0';
    for (unsigned count = 0; count == 0 || number; count++, number /= 10) {
        if (count && count % 3 == 0)
            digits[--first] = ',';
        digits[--first] = (char)('0' + number % 10);
    }
    put_text(out, digits + first);
}

static void put_figure(char out[UNIT_ROOM], struct figure figure)
{
    for (; figure.exact && figure.places && figure.parts % 10 == 0; figure.places--)
        figure.parts /= 10;
    uint64_t one = (uint64_t)ten_to[figure.places];
    put_grouped(out, figure.parts / one);
    if (figure.places) {
        char fraction[UNIT_ROOM];
        snprintf(fraction, sizeof fraction, ".%0*llu", (int)figure.places,
                 (unsigned long long)(figure.parts % one));
        put_text(out, fraction);
    }
}

static struct figure figure_at(double number, unsigned places)
{
    uint64_t parts = (uint64_t)(number * ten_to[places] + 0.5);
    return (struct figure){
        .parts = parts, .places = places, .exact = (double)parts / ten_to[places] == number};
}

/* The number with as many places as keep its parts below this: 1000 for three digits. */
static struct figure figure_of(double number, uint64_t parts_below)
{
    for (unsigned places = MOST_PLACES; places > 0 && number < (double)parts_below; places--) {
        struct figure figure = figure_at(number, places);
        if (figure.parts < parts_below)
            return figure;
    }
    return figure_at(number, 0);
}

/* Appends a number that is not negative. */
static void put_number(char out[UNIT_ROOM], double number, uint64_t parts_below)
{
    char power[UNIT_ROOM];
    snprintf(power, sizeof power, "%.0e", number); /* no point, so no locale in it */
    if (number >= 1e18 || (number > 0 && number < 1e-4))
        put_text(out, power);
    else
        put_figure(out, figure_of(number, parts_below));
}

/* Starts out with the sign, and with the whole answer for what is not a finite number. Returns
 * whether digits should follow. */
static bool begin(char out[UNIT_ROOM], double *number)
{
    bool negative = *number < 0;
    snprintf(out, UNIT_ROOM, "%s", negative ? "-" : "");
    if (negative)
        *number = -*number;
    if (*number != *number)
        put_text(out, "unknown");
    else if (*number > 1.7976931348623157e308)
        put_text(out, "infinite");
    else
        return true;
    return false;
}

/* Below a minute. Each row: the size of the last digit written, and the parts that still fit. */
static bool put_short_duration(char out[UNIT_ROOM], uint64_t ns)
{
    static const struct {
        uint64_t part_ns, parts_below;
        unsigned places;
        const char *unit;
    } rows[] = {
        {1, 1000, 0, " ns"},          {10, 1000, 2, " \xc2\xb5s"}, /* the micro sign in UTF-8 */
        {100, 1000, 1, " \xc2\xb5s"}, {1000, 1000, 0, " \xc2\xb5s"}, {10000, 1000, 2, " ms"},
        {100000, 1000, 1, " ms"},     {1000000, 1000, 0, " ms"},     {10000000, 1000, 2, " s"},
        {100000000, 600, 1, " s"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint64_t parts = (ns + rows[i].part_ns / 2) / rows[i].part_ns;
        if (parts >= rows[i].parts_below)
            continue;
        bool exact = parts * rows[i].part_ns == ns;
        put_figure(out, (struct figure){parts, rows[i].places, exact});
        put_text(out, rows[i].unit);
        return true;
    }
    return false;
}

/* From a minute on: two neighbouring units, the second left out when the duration is exact. */
static void put_long_duration(char out[UNIT_ROOM], uint64_t ns)
{
    static const struct {
        uint64_t whole_ns, part_ns, below_ns;
        char whole, part;
    } rows[] = {
        {MINUTE, (uint64_t)NSEC_PER_SEC, HOUR, 'm', 's'},
        {HOUR, MINUTE, 2 * DAY, 'h', 'm'},
        {DAY, HOUR, UINT64_MAX, 'd', 'h'},
    };
    size_t i = 0;
    uint64_t rounded = 0;
    for (;; i++) {
        uint64_t half = rows[i].part_ns / 2;
        rounded = (ns + half) / rows[i].part_ns * rows[i].part_ns;
        if (rounded < rows[i].below_ns)
            break;
    }
    unsigned whole = (unsigned)(rounded / rows[i].whole_ns);
    unsigned part = (unsigned)(rounded % rows[i].whole_ns / rows[i].part_ns);
    char words[UNIT_ROOM];
    if (part == 0 && rounded == ns)
        snprintf(words, sizeof words, "%u%c", whole, rows[i].whole);
    else
        snprintf(words, sizeof words, "%u%c %02u%c", whole, rows[i].whole, part, rows[i].part);
    put_text(out, words);
}

const char *unit_write_duration(char out[UNIT_ROOM], nsec_t duration_ns)
{
    bool negative = duration_ns < 0;
    uint64_t ns = negative ? 0 - (uint64_t)duration_ns : (uint64_t)duration_ns;
    snprintf(out, UNIT_ROOM, "%s", negative ? "-" : "");
    if (duration_ns == NSEC_NEVER)
        put_text(out, "never");
    else if (ns == 0)
        put_text(out, "0 s");
    else if (!put_short_duration(out, ns))
        put_long_duration(out, ns);
    return out;
}

const char *unit_write_bytes(char out[UNIT_ROOM], double bytes)
{
    static const char *const units[] = {" B", " KiB", " MiB", " GiB", " TiB", " PiB", " EiB"};
    size_t unit = 0;
    if (!begin(out, &bytes))
        return out;
    for (; bytes >= 1023.5 && unit + 1 < sizeof units / sizeof *units; unit++)
        bytes /= 1024;
    put_number(out, bytes, 1000);
    put_text(out, units[unit]);
    return out;
}

const char *unit_write_number(char out[UNIT_ROOM], double number)
{
    if (begin(out, &number))
        put_number(out, number, 1000);
    return out;
}

const char *unit_write_count(char out[UNIT_ROOM], uint64_t count)
{
    out[0] = '\0';
    put_grouped(out, count);
    return out;
}

/* Two digits below ten percent and three above; but near all, every nine counts, and what is not
 * all never reads 100 %. */
const char *unit_write_share(char out[UNIT_ROOM], double share)
{
    double percent = share * 100;
    if (!begin(out, &percent))
        return out;
    if (percent > 99 && share < 1) {
        struct figure nines = figure_at(percent, 2);
        if (nines.parts == 10000)
            nines = figure_at(percent, 3);
        if (nines.parts == 100000)
            nines = (struct figure){.parts = 99999, .places = 3, .exact = false};
        put_figure(out, nines);
    } else {
        put_number(out, percent, percent < 9.95 ? 100 : 1000);
    }
    put_text(out, " %");
    return out;
}
