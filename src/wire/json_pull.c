/* One pass over JSON; see json_pull.h. */
#include "wire/json_pull.h"

#include <string.h>

struct json_pull json_pull_of(struct span bytes)
{
    return (struct json_pull){.at = bytes.at, .end = bytes.at + bytes.bytes};
}

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t';
}

/* The byte ahead behind blanks; 0 at the end. */
static char look(struct json_pull *pull)
{
    while (pull->at < pull->end && is_blank(*pull->at))
        pull->at++;
    return pull->at < pull->end && !pull->broken ? *pull->at : '\0';
}

static void give_up(struct json_pull *pull)
{
    pull->broken = true;
    pull->at = pull->end;
}

/* Reads a string from its opening quote. A quote ends it unless an odd number of backslashes stands
 * before. Short ones, which names are, are found before a search is worth calling. */
static struct span read_string(struct json_pull *pull)
{
    const char *start = pull->at + 1, *at = start;
    for (;;) {
        for (int i = 0; i < 12 && at < pull->end && *at != '"'; i++)
            at++;
        if (at < pull->end && *at != '"')
            at = memchr(at, '"', (size_t)(pull->end - at));
        if (!at || at >= pull->end)
            break;
        const char *slash = at;
        while (slash > start && slash[-1] == '\\')
            slash--;
        if ((at - slash) % 2 == 0) {
            pull->at = at + 1;
            return (struct span){.at = start, .bytes = (size_t)(at - start)};
        }
        at++;
    }
    give_up(pull);
    return (struct span){.at = "", .bytes = 0};
}

enum json_kind json_pull_kind(struct json_pull *pull)
{
    switch (look(pull)) {
    case '"':
        return JSON_STRING;
    case '{':
        return JSON_OBJECT;
    case '[':
        return JSON_ARRAY;
    case 'n':
        return JSON_NULL;
    case 't':
        return JSON_TRUE;
    case 'f':
        return JSON_FALSE;
    case '-':
    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7':
    case '8':
    case '9':
        return JSON_NUMBER;
    default:
        return JSON_ABSENT;
    }
}

static bool enter(struct json_pull *pull, char bracket)
{
    if (look(pull) != bracket) {
        json_pull_skip(pull);
        return false;
    }
    pull->at++;
    return true;
}

bool json_pull_object(struct json_pull *pull)
{
    return enter(pull, '{');
}

bool json_pull_array(struct json_pull *pull)
{
    return enter(pull, '[');
}

/* Whether something else comes before the closing bracket, which is passed. */
static bool has_more(struct json_pull *pull, char bracket)
{
    char byte = look(pull);
    if (byte == ',') {
        pull->at++;
        byte = look(pull);
    }
    if (byte == bracket) {
        pull->at++;
        return false;
    }
    if (!byte)
        give_up(pull);
    return byte != '\0';
}

bool json_pull_member(struct json_pull *pull, struct span *name)
{
    if (!has_more(pull, '}'))
        return false;
    if (*pull->at != '"') {
        give_up(pull);
        return false;
    }
    *name = read_string(pull);
    if (look(pull) != ':') {
        give_up(pull);
        return false;
    }
    pull->at++;
    return true;
}

bool json_pull_element(struct json_pull *pull)
{
    return has_more(pull, ']');
}

static struct span read_nested(struct json_pull *pull)
{
    const char *start = pull->at;
    char closing[JSON_DEPTH];
    unsigned depth = 0;
    while (pull->at < pull->end) {
        char byte = *pull->at;
        if (byte == '"') {
            read_string(pull);
            continue;
        }
        pull->at++;
        if (byte == '{' || byte == '[') {
            if (depth == JSON_DEPTH)
                break;
            closing[depth++] = byte == '{' ? '}' : ']';
        } else if (byte == '}' || byte == ']') {
            if (depth == 0 || closing[--depth] != byte)
                break;
            if (depth == 0)
                return (struct span){.at = start, .bytes = (size_t)(pull->at - start)};
        }
    }
    give_up(pull);
    return (struct span){.at = "", .bytes = 0};
}

/* Numbers and words end where punctuation or a blank begins. */
static struct span read_scalar(struct json_pull *pull)
{
    const char *start = pull->at;
    while (pull->at < pull->end && !is_blank(*pull->at) && *pull->at != ',' && *pull->at != '}' &&
           *pull->at != ']')
        pull->at++;
    return (struct span){.at = start, .bytes = (size_t)(pull->at - start)};
}

struct json_value json_pull_value(struct json_pull *pull)
{
    struct json_value value = {.kind = json_pull_kind(pull), .raw = {.at = "", .bytes = 0}};
    switch (value.kind) {
    case JSON_STRING:
        value.raw = read_string(pull);
        break;
    case JSON_OBJECT:
    case JSON_ARRAY:
        value.raw = read_nested(pull);
        break;
    case JSON_ABSENT:
        give_up(pull);
        break;
    default:
        value.raw = read_scalar(pull);
        break;
    }
    if (value.kind == JSON_NULL && !span_equal(value.raw, SPAN("null")))
        give_up(pull);
    if (value.kind == JSON_TRUE && !span_equal(value.raw, SPAN("true")))
        give_up(pull);
    if (value.kind == JSON_FALSE && !span_equal(value.raw, SPAN("false")))
        give_up(pull);
    if (pull->broken)
        value.kind = JSON_ABSENT;
    return value;
}

void json_pull_skip(struct json_pull *pull)
{
    json_pull_value(pull);
}

bool json_pull_text(struct json_pull *pull, struct span *text)
{
    struct json_value value = json_pull_value(pull);
    bool found = value.kind == JSON_STRING && value.raw.bytes;
    if (found && text)
        *text = value.raw;
    return found;
}

bool json_pull_uint(struct json_pull *pull, uint64_t *number)
{
    struct json_value value = json_pull_value(pull);
    uint64_t read = 0;
    if (value.kind != JSON_NUMBER || span_uint(value.raw, &read) || read > UINT64_C(1) << 53)
        return false;
    *number = read;
    return true;
}

bool json_pull_ended(struct json_pull *pull)
{
    return look(pull) == '\0' && pull->at == pull->end && !pull->broken;
}
