/* One table of fields for both forms; see trace_row.h. */
#include "show/trace_row.h"

#include "show/document.h"
#include "show/words.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct field {
    const char *name;
    enum { FIELD_WORDS, FIELD_INSTANT, FIELD_COUNT, FIELD_STATUS, FIELD_SMALL, FIELD_YES } kind;
    size_t offset;
};

#define FIELD(name, kind)                                                                          \
    {                                                                                              \
#name, kind, offsetof(struct trace_request, name)                                          \
    }

static const struct field fields[] = {
    FIELD(request, FIELD_WORDS),       FIELD(phase, FIELD_WORDS),
    FIELD(excluded, FIELD_YES),        FIELD(segment, FIELD_SMALL),
    FIELD(outcome, FIELD_WORDS),       FIELD(error, FIELD_WORDS),
    FIELD(status, FIELD_STATUS),       FIELD(attempts, FIELD_SMALL),
    FIELD(intended_ns, FIELD_INSTANT), FIELD(asked_ns, FIELD_INSTANT),
    FIELD(sent_ns, FIELD_INSTANT),     FIELD(first_ns, FIELD_INSTANT),
    FIELD(answer_ns, FIELD_INSTANT),   FIELD(last_ns, FIELD_INSTANT),
    FIELD(end_ns, FIELD_INSTANT),      FIELD(token_source, FIELD_WORDS),
    FIELD(prompt_tokens, FIELD_COUNT), FIELD(output_tokens, FIELD_COUNT),
    FIELD(events, FIELD_SMALL),        FIELD(cut, FIELD_YES),
};

enum { FIELDS = sizeof fields / sizeof *fields };

/* A field as JSON. */
static json_t *value_of(const struct field *field, const struct trace_request *request)
{
    const char *at = (const char *)request + field->offset;
    const char *words = NULL;
    int64_t number = 0;
    uint32_t small = 0;
    int status = 0;
    bool yes = false;
    switch (field->kind) {
    case FIELD_WORDS:
        memcpy(&words, at, sizeof words);
        return document_text(words);
    case FIELD_INSTANT:
        memcpy(&number, at, sizeof number);
        return number == TRACE_NEVER ? json_null() : json_integer(number);
    case FIELD_COUNT:
        memcpy(&number, at, sizeof number);
        return number < 0 ? json_null() : json_integer(number);
    case FIELD_STATUS:
        memcpy(&status, at, sizeof status);
        return status ? json_integer(status) : json_null();
    case FIELD_SMALL:
        memcpy(&small, at, sizeof small);
        return json_integer(small);
    case FIELD_YES:
        memcpy(&yes, at, sizeof yes);
        return json_boolean(yes);
    }
    return json_null();
}

static void put_quoted(const char *words, struct text *out)
{
    text_putc(out, '"');
    if (words[0] && strchr("=+-@", words[0]))
        text_putc(out, '\''); /* else a spreadsheet runs it as a formula */
    for (; *words; words++) {
        if (*words == '"')
            text_putc(out, '"');
        text_putc(out, *words);
    }
    text_putc(out, '"');
}

void trace_row_head(struct text *out)
{
    for (size_t i = 0; i < FIELDS; i++)
        text_printf(out, "%s,", fields[i].name);
    text_puts(out, "gaps_ns\r\n");
}

void trace_row_csv(const struct trace_request *request, struct text *out)
{
    for (size_t i = 0; i < FIELDS; i++) {
        json_t *value = value_of(&fields[i], request);
        if (json_is_string(value))
            put_quoted(json_string_value(value), out);
        else if (json_is_boolean(value))
            text_putc(out, json_is_true(value) ? '1' : '0');
        else if (json_is_integer(value))
            text_printf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        text_putc(out, ',');
        json_decref(value);
    }
    nsec_t before_ns = TRACE_NEVER;
    bool first = true;
    for (size_t i = 0; i < request->piece_count; i++) {
        const struct trace_piece *piece = &request->pieces[i];
        if (piece->kind == TRACE_PIECE_EMPTY)
            continue;
        if (before_ns != TRACE_NEVER) {
            text_printf(out, "%s%" PRId64, first ? "" : " ", piece->at_ns - before_ns);
            first = false;
        }
        before_ns = piece->at_ns;
    }
    text_puts(out, "\r\n");
}

void trace_row_json(const struct trace_request *request, struct text *out)
{
    static const char *const kinds[] = {"empty", "reasoning", "content"};
    json_t *object = json_object(), *chunks = json_array();
    for (size_t i = 0; i < FIELDS; i++)
        json_object_set_new(object, fields[i].name, value_of(&fields[i], request));
    for (size_t i = 0; i < request->piece_count; i++) {
        const struct trace_piece *piece = &request->pieces[i];
        json_t *chunk = json_array();
        json_array_append_new(chunk, json_integer(piece->at_ns));
        json_array_append_new(chunk, json_string(kinds[piece->kind]));
        json_array_append_new(chunk, piece->tokens ? json_integer(piece->tokens) : json_null());
        json_array_append_new(chunks, chunk);
    }
    json_object_set_new(object, "chunks", chunks);
    char *line = json_dumps(object, JSON_COMPACT);
    text_puts(out, line);
    text_putc(out, '\n');
    free(line);
    json_decref(object);
}
