/* JSON writes characters beyond U+FFFF as two escapes (a surrogate pair), which YAML does not know:
 * a plan in JSON has them replaced by the character before it is read. */
#include "plan/part.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* The value of "\uXXXX" at a place, or 0. */
static unsigned escape_at(const char *at)
{
    char digits[5] = {0};
    if (at[0] != '\\' || at[1] != 'u')
        return 0;
    for (int i = 0; i < 4; i++) {
        if (!isxdigit((unsigned char)at[2 + i]))
            return 0;
        digits[i] = at[2 + i];
    }
    return (unsigned)strtoul(digits, NULL, 16);
}

static void put_utf8(struct text *out, unsigned code)
{
    text_putc(out, (char)(0xF0 | (code >> 18)));
    text_putc(out, (char)(0x80 | ((code >> 12) & 0x3F)));
    text_putc(out, (char)(0x80 | ((code >> 6) & 0x3F)));
    text_putc(out, (char)(0x80 | (code & 0x3F)));
}

char *json_join_surrogates(const char *words)
{
    struct text out = TEXT_EMPTY;
    while (*words) {
        unsigned high = escape_at(words);
        unsigned low = high >= 0xD800 && high < 0xDC00 ? escape_at(words + 6) : 0;
        if (low >= 0xDC00 && low < 0xE000) {
            put_utf8(&out, 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00));
            words += 12;
        } else if (words[0] == '\\' && words[1]) { /* "\\u" is no escape of a character */
            text_put(&out, (struct span){words, 2});
            words += 2;
        } else {
            text_putc(&out, *words++);
        }
    }
    return text_take(&out);
}
