/* Cleans, measures and cuts UTF-8; see words.h. One decoder serves all three. */
#include "show/words.h"

#include <stdlib.h>
#include <string.h>

#include <stdint.h>

enum { REPLACEMENT = 0xfffd };

/* Decodes the character at the beginning of the bytes (at least one). Returns how many bytes it
 * took; bytes that are no character of UTF-8 are taken one by one as U+FFFD. */
static size_t decode(struct span bytes, uint32_t *letter)
{
    static const uint32_t least_of[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char first = (unsigned char)bytes.at[0];
    size_t length = first < 0x80                     ? 1
                    : first >= 0xc2 && first <= 0xdf ? 2
                    : (first & 0xf0) == 0xe0         ? 3
                    : first >= 0xf0 && first <= 0xf4 ? 4
                                                     : 0;
    *letter = REPLACEMENT;
    if (length == 0 || length > bytes.bytes)
        return 1;
    if (length == 1) {
        *letter = first;
        return 1;
    }
    uint32_t value = first & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        unsigned char next = (unsigned char)bytes.at[i];
        if ((next & 0xc0) != 0x80)
            return 1;
        value = value << 6 | (next & 0x3f);
    }
    if (value < least_of[length] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
        return 1;
    *letter = value;
    return length;
}

/* Marks that turn the writing direction around, and the two that are no characters (and not
 * allowed in XML). */
static bool misleads(uint32_t letter)
{
    return letter == 0xfffe || letter == 0xffff || (letter >= 0x202a && letter <= 0x202e) ||
           (letter >= 0x2066 && letter <= 0x2069) || letter == 0x200e || letter == 0x200f;
}

static bool is_control(uint32_t letter)
{
    return letter < 0x20 || (letter >= 0x7f && letter < 0xa0);
}

void words_put(struct text *out, const char *words, bool lines)
{
    struct span rest = span_of(words);
    while (rest.bytes) {
        uint32_t letter = 0;
        size_t length = decode(rest, &letter);
        if (letter == '\n' || letter == '\t')
            text_putc(out, lines ? (char)letter : ' ');
        else if (letter == '\r')
            text_puts(out, ""); /* of a CR LF pair the line feed says enough */
        else if (is_control(letter))
            text_printf(out, "\\x%02x", letter);
        else if (misleads(letter))
            text_printf(out, "\\u%04x", letter);
        else if (letter == REPLACEMENT)
            text_puts(out, "\xef\xbf\xbd");
        else
            text_put(out, (struct span){.at = rest.at, .bytes = length});
        rest.at += length;
        rest.bytes -= length;
    }
}

char *words_clean(const char *words, bool lines)
{
    struct text clean = TEXT_EMPTY;
    words_put(&clean, words, lines);
    return text_take(&clean);
}

struct letter_range {
    uint32_t first, last;
};

static bool in_ranges(uint32_t letter, const struct letter_range *ranges, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (letter >= ranges[i].first && letter <= ranges[i].last)
            return true;
    }
    return false;
}

static unsigned letter_width(uint32_t letter)
{
    static const struct letter_range none[] = {
        {0x0300, 0x036f}, {0x0483, 0x0489}, {0x0591, 0x05bd}, {0x0610, 0x061a},
        {0x064b, 0x065f}, {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff}, {0x200b, 0x200d},
        {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}, {0xfeff, 0xfeff},
    };
    static const struct letter_range two[] = {
        {0x1100, 0x115f},   {0x2e80, 0x303e},   {0x3041, 0xa4cf},   {0xac00, 0xd7a3},
        {0xf900, 0xfaff},   {0xfe30, 0xfe6f},   {0xff00, 0xff60},   {0xffe0, 0xffe6},
        {0x1f300, 0x1f64f}, {0x1f680, 0x1f6ff}, {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd},
    };
    if (in_ranges(letter, none, sizeof none / sizeof *none))
        return 0;
    return in_ranges(letter, two, sizeof two / sizeof *two) ? 2 : 1;
}

unsigned words_width(const char *words)
{
    unsigned width = 0;
    for (struct span rest = span_of(words); rest.bytes;) {
        uint32_t letter = 0;
        size_t length = decode(rest, &letter);
        width += letter_width(letter);
        rest.at += length;
        rest.bytes -= length;
    }
    return width;
}

void words_put_cut(struct text *out, const char *words, unsigned columns)
{
    if (words_width(words) <= columns) {
        text_puts(out, words);
        return;
    }
    if (columns == 0)
        return;
    unsigned width = 0;
    for (struct span rest = span_of(words); rest.bytes;) {
        uint32_t letter = 0;
        size_t length = decode(rest, &letter);
        width += letter_width(letter);
        if (width > columns - 1)
            break;
        text_put(out, (struct span){.at = rest.at, .bytes = length});
        rest.at += length;
        rest.bytes -= length;
    }
    text_puts(out, "…");
}

void words_put_tone(struct text *out, bool colour, enum words_tone tone, const char *words)
{
    static const char *const begin[] = {
        [TONE_PLAIN] = "",        [TONE_STRONG] = "\x1b[1m",    [TONE_FAINT] = "\x1b[2m",
        [TONE_GOOD] = "\x1b[32m", [TONE_DOUBTFUL] = "\x1b[33m", [TONE_BAD] = "\x1b[1;31m",
    };
    bool painted = colour && tone != TONE_PLAIN;
    if (painted)
        text_puts(out, begin[tone]);
    text_puts(out, words);
    if (painted)
        text_puts(out, "\x1b[0m");
}

void words_put_wrapped(struct text *out, const char *words, unsigned indent, unsigned columns)
{
    char *clean = words_clean(words, false), *place = NULL;
    unsigned width = indent;
    for (char *word = strtok_r(clean, " ", &place); word; word = strtok_r(NULL, " ", &place)) {
        unsigned more = words_width(word);
        if (width > indent && width + 1 + more > columns) {
            text_putc(out, '\n');
            for (unsigned i = 0; i < indent; i++)
                text_putc(out, ' ');
            width = indent;
        } else if (width > indent) {
            text_putc(out, ' ');
            width++;
        }
        text_puts(out, word);
        width += more;
    }
    text_putc(out, '\n');
    free(clean);
}
