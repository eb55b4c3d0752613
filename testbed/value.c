/* Passing over values by their brackets and quotes; see value.h. */
#include "testbed/value.h"

#include "base/unit.h"
#include "testbed/json.h"

#include <errno.h>
#include <string.h>

/* The bytes of the string at the beginning, with its quotes. */
static size_t string_bytes(struct span at)
{
    size_t i = 1;
    while (i < at.bytes && at.at[i] != '"')
        i += at.at[i] == '\\' ? 2 : 1;
    return i < at.bytes ? i + 1 : at.bytes;
}

/* The bytes of the value at the beginning, up to the comma or bracket that ends it. */
static size_t value_bytes(struct span at)
{
    size_t depth = 0, i = 0;
    while (i < at.bytes) {
        char byte = at.at[i];
        if (byte == '"') {
            i += string_bytes((struct span){.at = at.at + i, .bytes = at.bytes - i});
            continue;
        }
        if (byte == '[' || byte == '{')
            depth++;
        else if (depth == 0 && (byte == ',' || byte == ']' || byte == '}'))
            return i;
        else if (byte == ']' || byte == '}')
            depth--;
        i++;
    }
    return i;
}

static void skip(struct span *rest, size_t bytes)
{
    if (bytes > rest->bytes)
        bytes = rest->bytes;
    rest->at += bytes;
    rest->bytes -= bytes;
}

static struct span take(struct span *rest)
{
    size_t bytes = value_bytes(*rest);
    struct span taken = span_trim((struct span){.at = rest->at, .bytes = bytes});
    skip(rest, bytes + 1); /* with the comma */
    *rest = span_trim(*rest);
    return taken;
}

static bool begins_with(struct span value, char byte)
{
    return value.bytes && value.at[0] == byte;
}

bool value_is_array(struct span value)
{
    return begins_with(value, '[');
}

bool value_is_object(struct span value)
{
    return begins_with(value, '{');
}

bool value_is_text(struct span value)
{
    return begins_with(value, '"');
}

bool value_is_given(struct span value)
{
    return value.bytes && !span_equal(value, SPAN("null"));
}

struct span value_inside(struct span value)
{
    if (value.bytes < 2 || (!value_is_array(value) && !value_is_object(value)))
        return span_of(NULL);
    return span_trim((struct span){.at = value.at + 1, .bytes = value.bytes - 2});
}

bool value_next(struct span *rest, struct span *element)
{
    if (rest->bytes == 0)
        return false;
    *element = take(rest);
    return true;
}

static bool member(struct span object, struct span name, struct span *value)
{
    struct span rest = span_of(NULL);
    *value = rest;
    object = span_trim(object);
    if (value_is_object(object))
        rest = value_inside(object);
    while (rest.bytes) {
        size_t bytes = string_bytes(rest);
        if (bytes < 2)
            return false;
        struct span key = {.at = rest.at + 1, .bytes = bytes - 2};
        skip(&rest, bytes);
        rest = span_trim(rest);
        skip(&rest, 1); /* the colon */
        rest = span_trim(rest);
        struct span found = take(&rest);
        if (span_equal(key, name)) {
            *value = found;
            return true;
        }
    }
    return false;
}

bool value_member(struct span object, const char *name, struct span *value)
{
    return member(object, span_of(name), value);
}

bool value_at(struct span object, const char *path, struct span *value)
{
    *value = object;
    while (path) {
        const char *dot = strchr(path, '.');
        struct span name = {.at = path, .bytes = dot ? (size_t)(dot - path) : strlen(path)};
        if (!member(*value, name, value))
            return false;
        path = dot ? dot + 1 : NULL;
    }
    return true;
}

/* ---- plain values -----------------------------------------------------------------------------
 */

static void put_utf8(struct text *out, uint32_t code)
{
    if (code < 0x80) {
        text_putc(out, (char)code);
        return;
    }
    if (code < 0x800) {
        text_putc(out, (char)(0xC0 | code >> 6));
    } else {
        if (code < 0x10000) {
            text_putc(out, (char)(0xE0 | code >> 12));
        } else {
            text_putc(out, (char)(0xF0 | code >> 18));
            text_putc(out, (char)(0x80 | (code >> 12 & 0x3F)));
        }
        text_putc(out, (char)(0x80 | (code >> 6 & 0x3F)));
    }
    text_putc(out, (char)(0x80 | (code & 0x3F)));
}

static uint32_t hex4(const char *at)
{
    uint32_t code = 0;
    for (int i = 0; i < 4; i++) {
        char digit = at[i];
        code = code << 4 | (uint32_t)(digit <= '9' ? digit - '0' : (digit | 32) - 'a' + 10);
    }
    return code;
}

/* Undoes the escape at the beginning of rest and takes it off. */
static void put_escape(struct text *out, struct span *rest)
{
    static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
    char kind = rest->at[1];
    if (kind != 'u') {
        const char *known = strchr(from, kind);
        text_putc(out, known ? to[known - from] : kind);
        skip(rest, 2);
        return;
    }
    uint32_t code = hex4(rest->at + 2);
    skip(rest, 6);
    if (code >= 0xD800 && code < 0xDC00 && rest->bytes >= 6 && rest->at[0] == '\\' &&
        rest->at[1] == 'u') {
        uint32_t low = hex4(rest->at + 2);
        if (low >= 0xDC00 && low < 0xE000) {
            code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
            skip(rest, 6);
        }
    }
    put_utf8(out, code >= 0xD800 && code < 0xE000 ? 0xFFFD : code);
}

bool value_text(struct span value, struct text *out)
{
    if (value.bytes < 2 || !value_is_text(value))
        return false;
    struct span rest = {.at = value.at + 1, .bytes = value.bytes - 2};
    while (rest.bytes) {
        if (rest.at[0] == '\\') {
            put_escape(out, &rest);
            continue;
        }
        const char *mark = memchr(rest.at, '\\', rest.bytes);
        size_t plain = mark ? (size_t)(mark - rest.at) : rest.bytes;
        text_put(out, (struct span){.at = rest.at, .bytes = plain});
        skip(&rest, plain);
    }
    return true;
}

int value_real(struct span value, double *number)
{
    bool digit = value.bytes && (value.at[0] == '-' || (value.at[0] >= '0' && value.at[0] <= '9'));
    return digit && unit_read_real(value, number) == 0 ? 0 : -EINVAL;
}

int value_uint(struct span value, uint64_t *number)
{
    return span_uint(value, number) ? -EINVAL : 0;
}

static void ignore(void *self, struct span path, enum json_kind kind, struct span value)
{
    (void)self, (void)path, (void)kind, (void)value;
}

bool value_is_valid(struct span text)
{
    return json_walk(text, ignore, NULL) == 0;
}
