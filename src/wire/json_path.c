/* Paths into JSON: words to steps, once, when a plan is read. */
#include "base/memory.h"
#include "wire/json.h"

#include <stdlib.h>
#include <string.h>

/* Where the reader of a path stands. Keys are written, without their escapes, over the copy that
 * they came from: they never grow. */
struct reading {
    char *words;
    size_t bytes, at;
    struct json_path *path;
    const char *why;
};

static bool refuse(struct reading *reading, size_t at, const char *why)
{
    reading->at = at;
    reading->why = why;
    return false;
}

static char peek(const struct reading *reading)
{
    return reading->at < reading->bytes ? reading->words[reading->at] : '\0';
}

static bool add_step(struct reading *reading, struct json_step step)
{
    struct json_path *path = reading->path;
    if (path->count == JSON_PATH_STEPS)
        return refuse(reading, reading->at, "the path has more than 16 steps");
    path->steps[path->count++] = step;
    return true;
}

static bool read_name(struct reading *reading)
{
    size_t start = reading->at;
    while (reading->at < reading->bytes && !strchr(".[]", reading->words[reading->at]))
        reading->at++;
    size_t bytes = reading->at - start;
    if (bytes == 0)
        return refuse(reading, start, "a key is missing here");
    if (bytes == 1 && reading->words[start] == '*')
        return refuse(reading, start, "a path names one value: * is not understood");
    struct span key = {.at = reading->words + start, .bytes = bytes};
    return add_step(reading, (struct json_step){.key = key});
}

/* ['odd key'] or ["odd key"], from the quote; a backslash stands before a quote or backslash. */
static bool read_quoted(struct reading *reading)
{
    size_t start = reading->at;
    char quote = peek(reading);
    char *key = reading->words + start, *end = key;
    for (reading->at++; reading->at < reading->bytes && peek(reading) != quote; reading->at++) {
        if (peek(reading) == '\\')
            reading->at++;
        if (reading->at < reading->bytes)
            *end++ = peek(reading);
    }
    if (reading->at >= reading->bytes)
        return refuse(reading, start, "this quote is not closed");
    reading->at++;
    return add_step(reading, (struct json_step){.key = {.at = key, .bytes = (size_t)(end - key)}});
}

static bool read_index(struct reading *reading)
{
    enum { MOST = 1000000000 };
    size_t start = reading->at;
    bool minus = peek(reading) == '-';
    reading->at += minus;
    size_t first = reading->at;
    long index = 0;
    for (; peek(reading) >= '0' && peek(reading) <= '9'; reading->at++) {
        index = index * 10 + (peek(reading) - '0');
        if (index > MOST)
            return refuse(reading, start, "an index is at most 1000000000");
    }
    if (peek(reading) == '*' && reading->at == start)
        return refuse(reading, start, "a path names one value: [*] is not understood");
    if (reading->at == first)
        return refuse(reading, start, "an index or a quoted key is missing here");
    return add_step(reading, (struct json_step){.key = {.at = NULL, .bytes = 0},
                                                .index = minus ? -index : index});
}

static bool read_bracket(struct reading *reading)
{
    size_t start = reading->at++;
    char first = peek(reading);
    bool good = first == '\'' || first == '"' ? read_quoted(reading) : read_index(reading);
    if (!good)
        return false;
    if (peek(reading) != ']')
        return refuse(reading, start, "this bracket is not closed");
    reading->at++;
    return true;
}

static bool read_steps(struct reading *reading)
{
    if (reading->bytes && reading->words[0] == '$' &&
        (reading->bytes == 1 || strchr(".[", reading->words[1])))
        reading->at = 1;
    else if (reading->bytes && reading->words[0] != '[' && !read_name(reading))
        return false;
    while (reading->at < reading->bytes) {
        char mark = peek(reading);
        if (mark == '.') {
            reading->at++;
            if (!read_name(reading))
                return false;
        } else if (mark != '[') {
            return refuse(reading, reading->at, "a dot or a bracket is missing here");
        } else if (!read_bracket(reading)) {
            return false;
        }
    }
    return true;
}

int json_path_compile(struct span words, struct json_path *out, size_t *at, const char **why)
{
    struct json_path path = {.count = 0, .words = memory_new(words.bytes + 1, 1)};
    if (words.bytes)
        memcpy(path.words, words.at, words.bytes);
    struct reading reading = {.words = path.words, .bytes = words.bytes, .path = &path};
    bool good = !memchr(path.words, '\0', words.bytes) ||
                refuse(&reading, strlen(path.words), "a path cannot hold a zero byte");
    if (good && read_steps(&reading)) {
        *out = path;
        return 0;
    }
    free(path.words);
    *at = reading.at < words.bytes ? reading.at : words.bytes;
    *why = reading.why;
    return JSON_PATH_BAD;
}

void json_path_fini(struct json_path *path)
{
    free(path->words);
    *path = (struct json_path){.count = 0, .words = NULL};
}
