/* Finding a value: one pass over the bytes, skipping what the path does not name. Skipping looks at
 * strings and brackets only; a stack of one bit a level tells a brace from a bracket. */
#include "wire/json.h"

#include <stdint.h>
#include <string.h>

/* What is left to read. */
struct scan {
    const char *at;
    const char *end;
};

static bool is_space(char byte)
{
    return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t';
}

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

/* Moves past blanks. Returns the byte there, or 0 at the end. */
static char look(struct scan *scan)
{
    while (scan->at < scan->end && is_space(*scan->at))
        scan->at++;
    return scan->at < scan->end ? *scan->at : '\0';
}

/* ---- strings ----------------------------------------------------------------------------------
 */

/* Whether one of the eight bytes is a quote or a backslash. May also say so of a byte behind such a
 * one, never when there is none (the "haszero" trick of S. E. Anderson, Bit Twiddling Hacks). */
static bool has_mark(uint64_t eight)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones << 7;
    uint64_t quote = eight ^ (ones * '"'), slash = eight ^ (ones * '\\');
    return (((quote - ones) & ~quote) | ((slash - ones) & ~slash)) & tops;
}

/* Reads a string from its opening quote. Returns false when it does not end. */
static bool read_string(struct scan *scan, struct span *raw)
{
    const char *start = scan->at + 1, *at = start, *end = scan->end;
    while (at < end) {
        uint64_t eight;
        while (end - at >= (ptrdiff_t)sizeof eight) {
            memcpy(&eight, at, sizeof eight);
            if (has_mark(eight))
                break;
            at += sizeof eight;
        }
        while (at < end && *at != '"' && *at != '\\')
            at++;
        if (end - at < 2 && (at == end || *at != '"'))
            return false;
        if (*at == '"') {
            *raw = (struct span){.at = start, .bytes = (size_t)(at - start)};
            scan->at = at + 1;
            return true;
        }
        at += 2;
    }
    return false;
}

/* Whether a member's name, maybe with escapes, is the key. */
static bool name_is(struct span raw, struct span key)
{
    if (span_equal(raw, key))
        return !raw.bytes || !memchr(raw.at, '\\', raw.bytes);
    if (raw.bytes <= key.bytes || raw.bytes > 6 * key.bytes || !memchr(raw.at, '\\', raw.bytes))
        return false; /* an escape is longer than what it stands for, at most six times */
    struct text decoded = TEXT_EMPTY;
    struct json_value name = {.kind = JSON_STRING, .raw = raw};
    bool same = json_text(name, &decoded) == 0 && span_equal(text_span(&decoded), key);
    text_fini(&decoded);
    return same;
}

/* ---- numbers and words ------------------------------------------------------------------------
 */

static size_t digits_at(const char *at, const char *end)
{
    const char *start = at;
    while (at < end && is_digit(*at))
        at++;
    return (size_t)(at - start);
}

/* The length of the number that begins here (RFC 8259, section 6); 0 when it is none. */
static size_t number_bytes(const char *start, const char *end)
{
    const char *at = start;
    if (at < end && *at == '-')
        at++;
    size_t whole = digits_at(at, end);
    if (whole == 0 || (whole > 1 && *at == '0'))
        return 0;
    at += whole;
    if (at < end && *at == '.') {
        size_t part = digits_at(++at, end);
        if (part == 0)
            return 0;
        at += part;
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        at++;
        if (at < end && (*at == '+' || *at == '-'))
            at++;
        size_t exponent = digits_at(at, end);
        if (exponent == 0)
            return 0;
        at += exponent;
    }
    return (size_t)(at - start);
}

/* Whether a number or word may end here. */
static bool ends_here(const struct scan *scan, const char *at)
{
    return at == scan->end || is_space(*at) || *at == ',' || *at == ']' || *at == '}';
}

static bool read_scalar(struct scan *scan, struct json_value *value)
{
    static const struct {
        struct span word;
        enum json_kind kind;
    } words[] = {{{"true", 4}, JSON_TRUE}, {{"false", 5}, JSON_FALSE}, {{"null", 4}, JSON_NULL}};
    struct span rest = {.at = scan->at, .bytes = (size_t)(scan->end - scan->at)};
    size_t bytes = number_bytes(scan->at, scan->end);
    value->kind = JSON_NUMBER;
    for (size_t i = 0; bytes == 0 && i < sizeof words / sizeof *words; i++) {
        if (span_begins(rest, words[i].word)) {
            bytes = words[i].word.bytes;
            value->kind = words[i].kind;
        }
    }
    if (bytes == 0 || !ends_here(scan, scan->at + bytes))
        return false;
    value->raw = (struct span){.at = scan->at, .bytes = bytes};
    scan->at += bytes;
    return true;
}

/* ---- skipping ---------------------------------------------------------------------------------
 */

/* Skips an object or array from its opening bracket, to behind its closing one. */
static bool skip_nested(struct scan *scan)
{
    uint64_t braces[JSON_DEPTH / 64] = {0}; /* a bit a level: 1 for a brace */
    unsigned depth = 0;
    struct span string;
    while (scan->at < scan->end) {
        char byte = *scan->at;
        if (byte == '"') {
            if (!read_string(scan, &string))
                return false;
            continue;
        }
        scan->at++;
        if (byte == '{' || byte == '[') {
            if (depth == JSON_DEPTH)
                return false;
            uint64_t bit = UINT64_C(1) << depth % 64;
            braces[depth / 64] = (braces[depth / 64] & ~bit) | (byte == '{' ? bit : 0);
            depth++;
        } else if (byte == '}' || byte == ']') {
            depth--;
            if ((braces[depth / 64] >> depth % 64 & 1) != (byte == '}'))
                return false;
            if (depth == 0)
                return true;
        }
    }
    return false;
}

/* Reads the value here, and moves behind it. */
static bool read_value(struct scan *scan, struct json_value *value)
{
    char first = look(scan);
    const char *start = scan->at;
    if (first == '"') {
        value->kind = JSON_STRING;
        return read_string(scan, &value->raw);
    }
    if (first != '{' && first != '[')
        return first && read_scalar(scan, value);
    if (!skip_nested(scan))
        return false;
    value->kind = first == '{' ? JSON_OBJECT : JSON_ARRAY;
    value->raw = (struct span){.at = start, .bytes = (size_t)(scan->at - start)};
    return true;
}

/* ---- finding ----------------------------------------------------------------------------------
 */

/* Moves to the value of this key, from before the object's brace. */
static bool enter_member(struct scan *scan, struct span key)
{
    struct span name;
    struct json_value skipped;
    scan->at++;
    while (look(scan) == '"') {
        if (!read_string(scan, &name) || look(scan) != ':')
            return false;
        scan->at++;
        if (name_is(name, key))
            return true;
        if (!read_value(scan, &skipped) || look(scan) != ',')
            return false;
        scan->at++;
    }
    return false;
}

/* Moves to the element of this index, from before the array's bracket. */
static bool enter_element(struct scan *scan, long index)
{
    struct json_value skipped;
    scan->at++;
    if (look(scan) == ']')
        return false;
    for (; index > 0; index--) {
        if (!read_value(scan, &skipped) || look(scan) != ',')
            return false;
        scan->at++;
    }
    return true;
}

/* The number of elements of the array whose bracket is here; 0 also when it is broken. */
static long count_elements(struct scan scan)
{
    struct json_value skipped;
    scan.at++;
    if (look(&scan) == ']')
        return 0;
    for (long count = 1; read_value(&scan, &skipped); count++) {
        char next = look(&scan);
        scan.at++;
        if (next == ']')
            return count;
        if (next != ',')
            return 0;
    }
    return 0;
}

static bool enter(struct scan *scan, const struct json_step *step)
{
    char first = look(scan);
    if (step->key.at)
        return first == '{' && enter_member(scan, step->key);
    if (first != '[')
        return false;
    long index = step->index;
    if (index < 0)
        index += count_elements(*scan);
    return index >= 0 && enter_element(scan, index);
}

struct json_value json_find(struct span bytes, const struct json_path *path)
{
    const struct json_value absent = {.kind = JSON_ABSENT, .raw = {.at = "", .bytes = 0}};
    if (bytes.bytes == 0)
        return absent;
    struct scan scan = {.at = bytes.at, .end = bytes.at + bytes.bytes};
    for (size_t i = 0; i < path->count; i++) {
        if (!enter(&scan, &path->steps[i]))
            return absent;
    }
    struct json_value value = absent;
    return read_value(&scan, &value) ? value : absent;
}
