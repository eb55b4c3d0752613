/* Quantities and instants as the Kubernetes API writes them. Source: its documentation of
 * resource.Quantity (decimal and binary suffixes, or a decimal exponent) and RFC 3339. */
#include "base/unit.h"
#include "control/kubernetes.h"

#include <errno.h>
#include <string.h>

int kubernetes_quantity(struct span words, double *value)
{
    static const struct {
        const char *suffix;
        double factor;
    } suffixes[] = {
        {"Ki", 1024.0}, {"Mi", 1048576.0}, {"Gi", 1073741824.0}, {"Ti", 1099511627776.0},
        {"Pi", 0x1p50}, {"Ei", 0x1p60},    {"n", 1e-9},          {"u", 1e-6},
        {"m", 1e-3},    {"k", 1e3},        {"M", 1e6},           {"G", 1e9},
        {"T", 1e12},    {"P", 1e15},       {"E", 1e18},
    };
    double factor = 1, number;
    words = span_trim(words);
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        struct span suffix = span_of(suffixes[i].suffix);
        if (words.bytes <= suffix.bytes ||
            memcmp(words.at + words.bytes - suffix.bytes, suffix.at, suffix.bytes) != 0)
            continue;
        words.bytes -= suffix.bytes;
        factor = suffixes[i].factor;
        break;
    }
    if (unit_read_real(words, &number))
        return -EINVAL;
    *value = number * factor;
    return 0;
}

/* Takes a whole number of exactly this many digits, and the mark after it ('\0': none). */
static bool take(struct span *words, size_t digits, char mark, int64_t *value)
{
    uint64_t number;
    size_t whole = digits + (mark != '\0');
    if (words->bytes < whole || span_uint((struct span){words->at, digits}, &number) ||
        (mark && words->at[digits] != mark))
        return false;
    *value = (int64_t)number;
    *words = (struct span){.at = words->at + whole, .bytes = words->bytes - whole};
    return true;
}

/* Days from 1970-01-01 to a date of the Gregorian calendar: years are counted from March, so that a
 * leap day is a year's last. */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
    int64_t since = year - (month <= 2);
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return since * 365 + since / 4 - since / 100 + since / 400 + of_year - 719468;
}

int kubernetes_instant(struct span words, double *seconds)
{
    int64_t year, month, day, hour, minute, second, zone_hours = 0, zone_minutes = 0;
    double part = 0;
    if (!take(&words, 4, '-', &year) || !take(&words, 2, '-', &month) ||
        !take(&words, 2, 'T', &day) || !take(&words, 2, ':', &hour) ||
        !take(&words, 2, ':', &minute) || !take(&words, 2, '\0', &second) || month < 1 ||
        month > 12 || day < 1 || day > 31)
        return -EINVAL;
    if (words.bytes && words.at[0] == '.') {
        double weight = 0.1;
        for (words.at++, words.bytes--; words.bytes && words.at[0] >= '0' && words.at[0] <= '9';
             words.at++, words.bytes--) {
            part += weight * (words.at[0] - '0');
            weight /= 10;
        }
    }
    if (words.bytes == 0)
        return -EINVAL;
    char zone = words.at[0];
    words = (struct span){.at = words.at + 1, .bytes = words.bytes - 1};
    if (zone == '+' || zone == '-') {
        if (!take(&words, 2, ':', &zone_hours) || !take(&words, 2, '\0', &zone_minutes))
            return -EINVAL;
    } else if (zone != 'Z') {
        return -EINVAL;
    }
    if (words.bytes)
        return -EINVAL;
    int64_t shift = (zone_hours * 60 + zone_minutes) * 60 * (zone == '-' ? -1 : 1);
    int64_t whole = days_of(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - shift;
    *seconds = (double)whole + part;
    return 0;
}
