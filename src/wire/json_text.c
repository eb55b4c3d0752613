/* JSON's strings and numbers to bytes and back. */
#include "wire/json.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* ---- decoding ---------------------------------------------------------------------------------
 */

/* The four hexadecimal digits here; -1 when they are not that. */
static long read_hex(struct span digits)
{
    long value = 0;
    if (digits.bytes < 4)
        return -1;
    for (size_t i = 0; i < 4; i++) {
        char byte = digits.at[i];
        char lower = (char)(byte | 32);
        if (byte >= '0' && byte <= '9')
            value = value * 16 + (byte - '0');
        else if (lower >= 'a' && lower <= 'f')
            value = value * 16 + (lower - 'a' + 10);
        else
            return -1;
    }
    return value;
}

/* Appends a character above U+007F or below as UTF-8 (RFC 3629). */
static void put_utf8(unsigned long code, struct text *out)
{
    char bytes[4];
    size_t count = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const unsigned char leads[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = count; i > 1; i--) {
        bytes[i - 1] = (char)(0x80 | (code & 0x3f));
        code >>= 6;
    }
    bytes[0] = (char)(leads[count] | code);
    text_put(out, (struct span){.at = bytes, .bytes = count});
}

static struct span after(struct span whole, size_t bytes)
{
    return (struct span){.at = whole.at + bytes, .bytes = whole.bytes - bytes};
}

/* Decodes \uXXXX, and the pair of it that stands for one character beyond U+FFFF. Returns the bytes
 * read, or 0 when they are wrong. */
static size_t decode_unicode(struct span escape, struct text *out)
{
    long code = read_hex(after(escape, 2));
    if (code < 0 || (code >= 0xdc00 && code <= 0xdfff))
        return 0;
    if (code < 0xd800 || code > 0xdfff) {
        put_utf8((unsigned long)code, out);
        return 6;
    }
    if (escape.bytes < 12 || escape.at[6] != '\\' || escape.at[7] != 'u')
        return 0;
    long low = read_hex(after(escape, 8));
    if (low < 0xdc00 || low > 0xdfff)
        return 0;
    put_utf8(0x10000 + (((unsigned long)code - 0xd800) << 10) + ((unsigned long)low - 0xdc00), out);
    return 12;
}

/* Decodes the escape that begins here. Returns the bytes read, or 0 when it is wrong. */
static size_t decode_escape(struct span escape, struct text *out)
{
    static const char marks[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    if (escape.bytes < 2)
        return 0;
    if (escape.at[1] == 'u')
        return decode_unicode(escape, out);
    const char *mark = escape.at[1] ? strchr(marks, escape.at[1]) : NULL;
    if (!mark)
        return 0;
    text_putc(out, meant[mark - marks]);
    return 2;
}

int json_text(struct json_value value, struct text *out)
{
    struct span rest = value.raw;
    if (value.kind != JSON_STRING) {
        text_put(out, rest);
        return 0;
    }
    size_t before = out->bytes;
    text_reserve(out, before + rest.bytes);
    while (rest.bytes) {
        const char *slash = memchr(rest.at, '\\', rest.bytes);
        size_t plain = slash ? (size_t)(slash - rest.at) : rest.bytes;
        text_put(out, (struct span){.at = rest.at, .bytes = plain});
        rest = after(rest, plain);
        size_t escape = rest.bytes ? decode_escape(rest, out) : 0;
        if (rest.bytes && escape == 0) {
            out->bytes = before;
            out->at[before] = '\0';
            return -EILSEQ;
        }
        rest = after(rest, escape);
    }
    return 0;
}

/* ---- numbers ----------------------------------------------------------------------------------
 */

/* A decimal of few digits, exactly: both the digits and the power of ten are then whole numbers
 * that a double holds, so that one division or multiplication rounds once (W. D. Clinger, "How to
 * read floating point numbers accurately", 1990). Returns false when it has too many. */
static bool read_short(struct span raw, double *number)
{
    static const double tens[] = {1,    1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                  1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                  1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    bool minus = raw.at[0] == '-';
    uint64_t digits = 0;
    size_t count = 0, point = 0;
    for (size_t i = minus; i < raw.bytes; i++) {
        char byte = raw.at[i];
        if (byte == '.') {
            point = i + 1;
            continue;
        }
        if (byte < '0' || byte > '9' || ++count > 15)
            return false;
        digits = digits * 10 + (uint64_t)(byte - '0');
    }
    double value = (double)digits / tens[point ? raw.bytes - point : 0];
    *number = minus ? -value : value;
    return true;
}

/* strtod reads the process's decimal point, which need not be a dot. */
static double read_long(struct span raw)
{
    struct text copy = TEXT_EMPTY;
    const char *dot = memchr(raw.at, '.', raw.bytes);
    size_t whole = dot ? (size_t)(dot - raw.at) : raw.bytes;
    text_put(&copy, (struct span){.at = raw.at, .bytes = whole});
    if (dot) {
        text_puts(&copy, localeconv()->decimal_point);
        text_put(&copy, after(raw, whole + 1));
    }
    double value = strtod(copy.at, NULL);
    text_fini(&copy);
    return value;
}

int json_number(struct json_value value, double *number)
{
    double read = 0;
    if (value.kind != JSON_NUMBER || value.raw.bytes == 0)
        return -EINVAL;
    if (!read_short(value.raw, &read))
        read = read_long(value.raw);
    if (!isfinite(read))
        return -EINVAL;
    *number = read;
    return 0;
}

/* ---- escaping ---------------------------------------------------------------------------------
 */

/* The length of the UTF-8 character that begins here, by the table of RFC 3629, section 4. When it
 * is none, *good is false and the length that of what one U+FFFD stands for: as many bytes as could
 * have begun a character, at least one (Unicode 15, section 3.9, "maximal subpart"). */
static size_t character_bytes(struct span bytes, bool *good)
{
    unsigned char lead = (unsigned char)bytes.at[0], least = 0x80, most = 0xbf;
    size_t count = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    *good = false;
    if (count == 0 || lead > 0xf4)
        return 1;
    if (lead == 0xe0)
        least = 0xa0; /* else overlong */
    if (lead == 0xed)
        most = 0x9f; /* else a surrogate */
    if (lead == 0xf0)
        least = 0x90;
    if (lead == 0xf4)
        most = 0x8f; /* else above U+10FFFF */
    for (size_t i = 1; i < count; i++) {
        unsigned char byte = i < bytes.bytes ? (unsigned char)bytes.at[i] : 0;
        if (byte < least || byte > most)
            return i;
        least = 0x80;
        most = 0xbf;
    }
    *good = true;
    return count;
}

static void put_escape(unsigned char byte, struct text *out)
{
    static const char marks[] = "\"\\bfnrt", meant[] = "\"\\\b\f\n\r\t",
                      digits[] = "0123456789abcdef";
    const char *mark = byte ? strchr(meant, byte) : NULL;
    text_putc(out, '\\');
    if (mark) {
        text_putc(out, marks[mark - meant]);
        return;
    }
    text_puts(out, "u00");
    text_putc(out, digits[byte >> 4]);
    text_putc(out, digits[byte & 15]);
}

void json_escape(struct span bytes, struct text *out)
{
    text_reserve(out, out->bytes + bytes.bytes);
    size_t plain = 0;
    while (plain < bytes.bytes) {
        unsigned char byte = (unsigned char)bytes.at[plain];
        bool good = byte >= ' ' && byte != '"' && byte != '\\';
        bool escaped = !good;
        size_t length = byte < 0x80 ? 1 : character_bytes(after(bytes, plain), &good);
        if (good) {
            plain += length;
            continue;
        }
        text_put(out, (struct span){.at = bytes.at, .bytes = plain});
        if (escaped)
            put_escape(byte, out);
        else
            text_put(out, SPAN("\xef\xbf\xbd"));
        bytes = after(bytes, plain + length);
        plain = 0;
    }
    text_put(out, bytes);
}
