/* Descends into a JSON text; see json.h. */
#include "testbed/json.h"

#include <errno.h>
#include <string.h>

struct walk {
    struct span rest;
    char path[JSON_PATH];
    size_t path_bytes;
    int depth;
    json_value_fn *told;
    void *self;
};

static void skip_blanks(struct walk *walk)
{
    while (walk->rest.bytes && strchr(" \t\r\n", walk->rest.at[0]) && walk->rest.at[0]) {
        walk->rest.at++;
        walk->rest.bytes--;
    }
}

static bool next_is(struct walk *walk, char byte)
{
    skip_blanks(walk);
    return walk->rest.bytes && walk->rest.at[0] == byte;
}

static bool take(struct walk *walk, char byte)
{
    if (!next_is(walk, byte))
        return false;
    walk->rest.at++;
    walk->rest.bytes--;
    return true;
}

static struct span take_bytes(struct walk *walk, size_t bytes)
{
    struct span taken = {.at = walk->rest.at, .bytes = bytes};
    walk->rest.at += bytes;
    walk->rest.bytes -= bytes;
    return taken;
}

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

static bool is_hex(char byte)
{
    return is_digit(byte) || ((byte | 32) >= 'a' && (byte | 32) <= 'f');
}

/* The bytes that an escape takes with its backslash, or 0 when it is none. */
static size_t escape_bytes(struct span at)
{
    if (at.bytes < 2)
        return 0;
    if (at.at[1] == 'u') {
        if (at.bytes < 6)
            return 0;
        for (size_t i = 2; i < 6; i++) {
            if (!is_hex(at.at[i]))
                return 0;
        }
        return 6;
    }
    return at.at[1] && strchr("\"\\/bfnrt", at.at[1]) ? 2 : 0;
}

static int walk_string(struct walk *walk, struct span *string)
{
    if (!take(walk, '"'))
        return -EINVAL;
    size_t at = 0;
    while (at < walk->rest.bytes) {
        char byte = walk->rest.at[at];
        if (byte == '"') {
            *string = take_bytes(walk, at);
            take_bytes(walk, 1);
            return 0;
        }
        size_t step = 1;
        if (byte == '\\')
            step = escape_bytes(
                (struct span){.at = walk->rest.at + at, .bytes = walk->rest.bytes - at});
        if (step == 0 || (unsigned char)byte < ' ')
            return -EINVAL;
        at += step;
    }
    return -EINVAL;
}

static size_t digits_at(struct span span, size_t at)
{
    size_t count = 0;
    while (at + count < span.bytes && is_digit(span.at[at + count]))
        count++;
    return count;
}

static bool byte_at(struct span span, size_t at, const char *set)
{
    return at < span.bytes && span.at[at] && strchr(set, span.at[at]);
}

static int walk_number(struct walk *walk, struct span *number)
{
    struct span rest = walk->rest;
    size_t at = byte_at(rest, 0, "-") ? 1 : 0;
    size_t whole = digits_at(rest, at);
    if (whole == 0 || (whole > 1 && rest.at[at] == '0'))
        return -EINVAL;
    at += whole;
    if (byte_at(rest, at, ".")) {
        size_t part = digits_at(rest, at + 1);
        if (part == 0)
            return -EINVAL;
        at += 1 + part;
    }
    if (byte_at(rest, at, "eE")) {
        at += byte_at(rest, at + 1, "+-") ? 2 : 1;
        size_t power = digits_at(rest, at);
        if (power == 0)
            return -EINVAL;
        at += power;
    }
    *number = take_bytes(walk, at);
    return 0;
}

/* Adds a step to the path; returns its length before, to go back to. */
static size_t path_push(struct walk *walk, struct span name)
{
    size_t before = walk->path_bytes;
    if (before && walk->path_bytes < JSON_PATH)
        walk->path[walk->path_bytes++] = '.';
    size_t room = JSON_PATH - walk->path_bytes;
    size_t bytes = name.bytes < room ? name.bytes : room;
    memcpy(walk->path + walk->path_bytes, name.at, bytes);
    walk->path_bytes += bytes;
    return before;
}

static int walk_value(struct walk *walk); /* at most JSON_DEPTH levels down */

static int walk_object(struct walk *walk)
{
    if (take(walk, '}'))
        return 0;
    do {
        struct span name;
        skip_blanks(walk);
        if (walk_string(walk, &name) || !take(walk, ':'))
            return -EINVAL;
        size_t before = path_push(walk, name);
        if (walk_value(walk))
            return -EINVAL;
        walk->path_bytes = before;
    } while (take(walk, ','));
    return take(walk, '}') ? 0 : -EINVAL;
}

static int walk_array(struct walk *walk)
{
    if (take(walk, ']'))
        return 0;
    size_t before = path_push(walk, SPAN("[]"));
    do {
        if (walk_value(walk))
            return -EINVAL;
    } while (take(walk, ','));
    walk->path_bytes = before;
    return take(walk, ']') ? 0 : -EINVAL;
}

static int walk_plain(struct walk *walk)
{
    static const struct {
        struct span word;
        enum json_kind kind;
    } words[] = {{{"true", 4}, JSON_TRUE}, {{"false", 5}, JSON_FALSE}, {{"null", 4}, JSON_NULL}};
    struct span path = {.at = walk->path, .bytes = walk->path_bytes}, value;
    if (next_is(walk, '"')) {
        if (walk_string(walk, &value))
            return -EINVAL;
        walk->told(walk->self, path, JSON_STRING, value);
        return 0;
    }
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (span_begins(walk->rest, words[i].word)) {
            walk->told(walk->self, path, words[i].kind, take_bytes(walk, words[i].word.bytes));
            return 0;
        }
    }
    if (walk_number(walk, &value))
        return -EINVAL;
    walk->told(walk->self, path, JSON_NUMBER, value);
    return 0;
}

static int walk_value(struct walk *walk)
{
    int (*inner)(struct walk *) = NULL;
    if (take(walk, '{'))
        inner = walk_object;
    else if (take(walk, '['))
        inner = walk_array;
    else
        return walk_plain(walk);
    if (++walk->depth > JSON_DEPTH)
        return -EINVAL;
    int error = inner(walk);
    walk->depth--;
    return error;
}

int json_walk(struct span text, json_value_fn *told, void *self)
{
    struct walk walk = {.rest = text, .told = told, .self = self};
    if (walk_value(&walk))
        return -EINVAL;
    skip_blanks(&walk);
    return walk.rest.bytes ? -EINVAL : 0;
}
