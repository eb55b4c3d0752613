/* The places in a reply that a check or a capture may name. */
#include "plan/look.h"

#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct span words_next(struct words *words)
{
    struct span rest = span_trim(words->rest);
    size_t bytes = 0;
    char quote = '\0';
    while (bytes < rest.bytes) { /* quotes and brackets may hold blanks: body['odd key'] */
        char byte = rest.at[bytes];
        if (quote)
            quote = byte == quote ? '\0' : quote;
        else if (byte == '"' || byte == '\'')
            quote = byte;
        else if (byte == ' ' || byte == '\t')
            break;
        bytes++;
    }
    words->rest = (struct span){.at = rest.at + bytes, .bytes = rest.bytes - bytes};
    return (struct span){.at = rest.at, .bytes = bytes};
}

static char *copy_span(struct span span)
{
    struct text copy = TEXT_EMPTY;
    text_put(&copy, span);
    return text_take(&copy);
}

static int read_json(struct span path, struct look *out, char why[160])
{
    size_t at = 0;
    const char *words = "";
    if (path.bytes && path.at[0] == '.') {
        path.at++;
        path.bytes--;
    }
    if (json_path_compile(path, &out->path, &at, &words)) {
        snprintf(why, 160, "JSON path \"%.*s\": %s", (int)(path.bytes > 60 ? 60 : path.bytes),
                 path.at, words);
        return 1;
    }
    out->kind = LOOK_JSON;
    return 0;
}

int look_read(struct words *words, struct look *out, char why[160])
{
    static const struct {
        const char *word;
        enum look_kind kind;
    } kinds[] = {{"status", LOOK_STATUS},   {"body", LOOK_BODY},   {"header", LOOK_HEADER},
                 {"latency", LOOK_LATENCY}, {"bytes", LOOK_BYTES}, {"response_time", LOOK_LATENCY}};
    *out = (struct look){0};
    struct span word = words_next(words);
    if (span_begins(word, SPAN("body.")) || span_begins(word, SPAN("body["))) {
        word.at += 4;
        word.bytes -= 4;
        return read_json(word, out, why);
    }
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (!span_equal(word, span_of(kinds[i].word)))
            continue;
        out->kind = kinds[i].kind;
        if (out->kind != LOOK_HEADER)
            return 0;
        struct span name = words_next(words);
        if (name.bytes && name.at[name.bytes - 1] == ':')
            name.bytes--;
        if (name.bytes == 0) {
            snprintf(why, 160, "\"header\" needs a name after it: header content-type");
            return 1;
        }
        out->header = copy_span(name);
        return 0;
    }
    snprintf(why, 160, "\"%.*s\" is nothing to look at in a reply",
             (int)(word.bytes > 60 ? 60 : word.bytes), word.at ? word.at : "");
    return 1;
}

void look_fini(struct look *look)
{
    if (look->kind == LOOK_JSON)
        json_path_fini(&look->path);
    free(look->header);
    *look = (struct look){0};
}

void look_error(struct notes *notes, const struct note *place, const char *hint, const char *format,
                ...)
{
    struct text sentence = TEXT_EMPTY;
    va_list list;
    va_start(list, format);
    text_vprintf(&sentence, format, list);
    va_end(list);
    text_reserve(&sentence, 1);
    struct note note = place ? *place : (struct note){0};
    note.level = NOTE_ERROR;
    note.sentence = sentence.at;
    note.hint = (char *)hint;
    notes_add(notes, note);
    text_fini(&sentence);
}

struct span reply_header(struct span head, const char *name)
{
    struct span wanted = span_of(name);
    while (head.bytes) {
        const char *end = memchr(head.at, '\n', head.bytes);
        size_t bytes = end ? (size_t)(end - head.at) + 1 : head.bytes;
        struct span line = {.at = head.at, .bytes = bytes};
        head.at += bytes;
        head.bytes -= bytes;
        if (line.bytes <= wanted.bytes || line.at[wanted.bytes] != ':' ||
            !span_equal_nocase((struct span){line.at, wanted.bytes}, wanted))
            continue;
        line.at += wanted.bytes + 1;
        line.bytes -= wanted.bytes + 1;
        return span_trim(line);
    }
    return (struct span){0};
}
