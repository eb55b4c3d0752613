/* Bodies as pieces: bytes, and templates with holes between them; see llm_body.h. */
#include "plug/driver/llm_body.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

struct piece {
    char *words;                     /* before the template */
    const struct template *template; /* NULL: none */
    bool members;                    /* the template is an object whose members are wanted */
};

struct llm_body {
    struct piece *pieces;
    size_t count;
    struct text words; /* since the last piece */
    bool begun;        /* a member was added */
};

struct llm_body *llm_body_new(void)
{
    struct llm_body *body = memory_new(1, sizeof *body);
    text_putc(&body->words, '{');
    return body;
}

struct llm_body *llm_body_free(struct llm_body *body)
{
    if (!body)
        return NULL;
    for (size_t i = 0; i < body->count; i++)
        free(body->pieces[i].words);
    free(body->pieces);
    text_fini(&body->words);
    free(body);
    return NULL;
}

static void put_name(struct llm_body *body, const char *name)
{
    if (body->begun)
        text_putc(&body->words, ',');
    body->begun = true;
    text_printf(&body->words, "\"%s\":", name);
}

static void put_value(struct llm_body *body, const struct template *value, bool members)
{
    struct span constant = template_constant(value);
    if (constant.at && !members) {
        text_put(&body->words, constant);
        return;
    }
    body->pieces = memory_resize(body->pieces, body->count + 1, sizeof *body->pieces);
    body->pieces[body->count++] =
        (struct piece){.words = text_take(&body->words), .template = value, .members = members};
}

void llm_body_words(struct llm_body *body, const char *name, struct span value)
{
    put_name(body, name);
    text_put(&body->words, value);
}

void llm_body_template(struct llm_body *body, const char *name, const struct template *value)
{
    if (!value)
        return;
    put_name(body, name);
    put_value(body, value, false);
}

void llm_body_count(struct llm_body *body, const char *name, const struct plan_count *count)
{
    if (!count->hole && !count->value)
        return;
    put_name(body, name);
    if (count->hole)
        put_value(body, count->hole, false);
    else
        text_put_uint(&body->words, count->value);
}

void llm_body_around(struct llm_body *body, const char *name, const char *begin,
                     const struct template *value, const char *end)
{
    put_name(body, name);
    text_puts(&body->words, begin);
    put_value(body, value, false);
    text_puts(&body->words, end);
}

/* The inside of an object's bytes; at NULL: it is none. */
static struct span inside(struct span object)
{
    object = span_trim(object);
    if (object.bytes < 2 || object.at[0] != '{' || object.at[object.bytes - 1] != '}')
        return (struct span){0};
    return span_trim((struct span){.at = object.at + 1, .bytes = object.bytes - 2});
}

bool llm_body_merge(struct llm_body *body, const char *setting, const struct template *object,
                    struct notes *notes)
{
    if (!object)
        return true;
    struct span constant = template_constant(object), blanks[256] = {{0}};
    struct text sketch = TEXT_EMPTY;
    if (!constant.at)
        template_render(object, blanks, &sketch);
    struct span members = inside(constant.at ? constant : text_span(&sketch));
    bool is_object = members.at != NULL;
    if (!is_object)
        notes_error(notes, "%s must be a map of members", setting);
    if (members.bytes && constant.at) {
        text_puts(&body->words, body->begun ? "," : "");
        text_put(&body->words, members);
        body->begun = true;
    } else if (members.bytes) {
        text_puts(&body->words, body->begun ? "," : "");
        put_value(body, object, true);
        body->begun = true;
    }
    text_fini(&sketch);
    return is_object;
}

void llm_body_write(const struct llm_body *body, const struct span *slots, struct text *out)
{
    for (size_t i = 0; i < body->count; i++) {
        const struct piece *piece = &body->pieces[i];
        text_puts(out, piece->words);
        size_t at = out->bytes;
        template_render(piece->template, slots, out);
        if (!piece->members)
            continue;
        struct span members = inside((struct span){.at = out->at + at, .bytes = out->bytes - at});
        if (members.bytes)
            memmove(out->at + at, members.at, members.bytes);
        out->bytes = at + members.bytes;
    }
    text_put(out, text_span(&body->words));
    text_putc(out, '}');
}
