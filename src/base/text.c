/* Spans and growing texts; see text.h. */
#include "base/text.h"

#include "base/check.h"
#include "base/memory.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct span span_of(const char *text)
{
    return (struct span){.at = text, .bytes = text ? strlen(text) : 0};
}

bool span_equal(struct span one, struct span other)
{
    return one.bytes == other.bytes && (one.bytes == 0 || memcmp(one.at, other.at, one.bytes) == 0);
}

bool span_equal_nocase(struct span one, struct span other)
{
    if (one.bytes != other.bytes)
        return false;
    for (size_t i = 0; i < one.bytes; i++) {
        if (tolower((unsigned char)one.at[i]) != tolower((unsigned char)other.at[i]))
            return false;
    }
    return true;
}

bool span_begins(struct span whole, struct span begin)
{
    return whole.bytes >= begin.bytes &&
           (begin.bytes == 0 || memcmp(whole.at, begin.at, begin.bytes) == 0);
}

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

struct span span_trim(struct span whole)
{
    while (whole.bytes && is_blank(whole.at[0])) {
        whole.at++;
        whole.bytes--;
    }
    while (whole.bytes && is_blank(whole.at[whole.bytes - 1]))
        whole.bytes--;
    return whole;
}

int span_uint(struct span digits, uint64_t *value)
{
    uint64_t sum = 0;
    if (digits.bytes == 0)
        return -EINVAL;
    for (size_t i = 0; i < digits.bytes; i++) {
        unsigned digit = (unsigned)(unsigned char)digits.at[i] - '0';
        if (digit > 9 || sum > (UINT64_MAX - digit) / 10)
            return -EINVAL;
        sum = sum * 10 + digit;
    }
    *value = sum;
    return 0;
}

void text_fini(struct text *text)
{
    free(text->at);
    *text = TEXT_EMPTY;
}

void text_clear(struct text *text)
{
    text->bytes = 0;
    if (text->at)
        text->at[0] = '\0';
}

void text_reserve(struct text *text, size_t bytes)
{
    if (bytes < text->room)
        return;
    size_t room = text->room ? text->room : 64;
    while (room <= bytes)
        room *= 2;
    text->at = memory_resize(text->at, room, 1);
    text->room = room;
    text->at[text->bytes] = '\0';
}

void text_put(struct text *text, struct span more)
{
    text_reserve(text, text->bytes + more.bytes);
    if (more.bytes)
        memcpy(text->at + text->bytes, more.at, more.bytes);
    text->bytes += more.bytes;
    text->at[text->bytes] = '\0';
}

void text_puts(struct text *text, const char *more)
{
    text_put(text, span_of(more));
}

void text_putc(struct text *text, char byte)
{
    text_put(text, (struct span){.at = &byte, .bytes = 1});
}

void text_put_uint(struct text *text, uint64_t number)
{
    char digits[20];
    size_t first = sizeof digits;
    do {
        digits[--first] = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    text_put(text, (struct span){.at = digits + first, .bytes = sizeof digits - first});
}

void text_vprintf(struct text *text, const char *format, va_list list)
{
    va_list again;
    va_copy(again, list);
    int bytes = vsnprintf(NULL, 0, format, again);
    va_end(again);
    check(bytes >= 0);
    text_reserve(text, text->bytes + (size_t)bytes);
    vsnprintf(text->at + text->bytes, (size_t)bytes + 1, format, list);
    text->bytes += (size_t)bytes;
}

void text_printf(struct text *text, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    text_vprintf(text, format, list);
    va_end(list);
}

struct span text_span(const struct text *text)
{
    return (struct span){.at = text->at ? text->at : "", .bytes = text->bytes};
}

char *text_take(struct text *text)
{
    text_reserve(text, text->bytes);
    char *bytes = text->at;
    *text = TEXT_EMPTY;
    return bytes;
}

static size_t least(size_t one, size_t other)
{
    return one < other ? one : other;
}

bool text_has_word(const char *list, const char *word)
{
    size_t bytes = strlen(word);
    while (list && *list) {
        size_t length = strcspn(list, " ");
        if (length == bytes && strncmp(list, word, bytes) == 0)
            return true;
        list += length + strspn(list + length, " ");
    }
    return false;
}

size_t text_distance(const char *one, const char *other)
{
    enum { LONGEST = 63 };
    size_t rows = least(strlen(one), LONGEST), columns = least(strlen(other), LONGEST);
    size_t cost[LONGEST + 1][LONGEST + 1];
    for (size_t i = 0; i <= rows; i++)
        cost[i][0] = i;
    for (size_t j = 0; j <= columns; j++)
        cost[0][j] = j;
    for (size_t i = 1; i <= rows; i++) {
        for (size_t j = 1; j <= columns; j++) {
            size_t change = one[i - 1] == other[j - 1] ? 0 : 1;
            cost[i][j] =
                least(least(cost[i - 1][j] + 1, cost[i][j - 1] + 1), cost[i - 1][j - 1] + change);
            if (i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1])
                cost[i][j] = least(cost[i][j], cost[i - 2][j - 2] + 1);
        }
    }
    return cost[rows][columns];
}
