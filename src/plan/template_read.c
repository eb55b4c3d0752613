/* Templates out of a document: texts with holes, and whole YAML values that become JSON. */
#include "plan/reader.h"
#include "plan/template_build.h"
#include "wire/json.h"

#include <ctype.h>
#include <string.h>

/* What the plan says of itself, by the name of a hole; NULL: nothing. A slash at the end of the
 * target is left out, so that "{{ target }}/health" is right for both ways to write it. */
static char *known_constant(const struct reader *reader, struct span name)
{
    struct text value = TEXT_EMPTY;
    const struct variable *variable = NULL;
    const struct plan *plan = reader->plan;
    const char *target = plan->target          ? plan->target
                         : plan->targets.count ? plan->targets.items[0]
                                               : NULL;
    if (span_begins(name, SPAN("env.")))
        variable = variables_find(&reader->variables, (struct span){name.at + 4, name.bytes - 4});
    if (variable)
        text_puts(&value, variable->value);
    else if (target && span_equal(name, SPAN("target")))
        text_put(&value, (struct span){target, strlen(target) -
                                                   (*target && target[strlen(target) - 1] == '/')});
    else
        return NULL;
    return text_take(&value);
}

void reader_add_constants(struct reader *reader, struct span words)
{
    struct hole hole;
    for (size_t at = 0; hole_find(words, at, &hole) == 0; at = hole.past) {
        char *value =
            symbols_find(reader->symbols, hole.name) ? NULL : known_constant(reader, hole.name);
        if (value)
            symbols_add(reader->symbols, hole.name, SYMBOL_CONSTANT)->constant = value;
    }
}

/* Adds the words of one text node to a template. */
static int add_node(struct reader *reader, struct template *template, const struct node *node,
                    enum escape escape)
{
    struct text words = TEXT_EMPTY;
    if (reader_text(reader, node, "a text", &words)) {
        text_fini(&words);
        return 1;
    }
    reader_add_constants(reader, text_span(&words));
    struct note place = node_place(node);
    if (reader->quick)
        place.line = 0;
    int rc = template_add_words(template, text_span(&words), escape, reader->symbols, &place,
                                reader->notes);
    text_fini(&words);
    return rc;
}

struct template *reader_template(struct reader *reader, const struct node *node)
{
    struct template *template = template_new();
    if (add_node(reader, template, node, ESCAPE_NONE))
        return template_free(template);
    return template;
}

/* Whether a plain text is a number as JSON writes it. */
static bool is_json_number(const char *at)
{
    at += *at == '-';
    if (!isdigit((unsigned char)*at) || (at[0] == '0' && isdigit((unsigned char)at[1])))
        return false;
    at += strspn(at, "0123456789");
    if (*at == '.') {
        size_t digits = strspn(at + 1, "0123456789");
        if (digits == 0)
            return false;
        at += 1 + digits;
    }
    if (*at == 'e' || *at == 'E') {
        at++;
        at += *at == '+' || *at == '-';
        size_t digits = strspn(at, "0123456789");
        if (digits == 0)
            return false;
        at += digits;
    }
    return *at == '\0';
}

/* Whether the text is one hole with "| number", or of a name that is JSON: then it stands without
 * quotes, and as it is. */
static bool is_bare_hole(const struct reader *reader, const struct node *node)
{
    struct hole hole;
    struct span words = span_trim((struct span){node->text, node->bytes});
    if (hole_find(words, 0, &hole) || hole.begin != 0 || hole.past != words.bytes)
        return false;
    const struct symbol *symbol = symbols_find(reader->symbols, hole.name);
    return span_equal(hole.filter, SPAN("number")) || span_equal(hole.filter, SPAN("raw")) ||
           (symbol && symbol->json && hole.filter.bytes == 0);
}

static int write_text(struct reader *reader, struct template *template, const struct node *node)
{
    struct text words = TEXT_EMPTY;
    if (node->plain) { /* references may stand for numbers, so they are replaced first */
        if (reader_text(reader, node, "a text", &words)) {
            text_fini(&words);
            return 1;
        }
        text_reserve(&words, 1);
        bool bare = text_has_word("true false null", words.at) || is_json_number(words.at);
        if (node_is_null(node) || bare) {
            template_add_bytes(template, bare ? text_span(&words) : SPAN("null"));
            text_fini(&words);
            return 0;
        }
        text_fini(&words);
    }
    if (is_bare_hole(reader, node))
        return add_node(reader, template, node, ESCAPE_NONE);
    template_add_bytes(template, SPAN("\""));
    int rc = add_node(reader, template, node, ESCAPE_JSON);
    template_add_bytes(template, SPAN("\""));
    return rc;
}

static int write_node(struct reader *reader, struct template *template, const struct node *node)
{
    if (node->kind == NODE_TEXT)
        return write_text(reader, template, node);
    bool map = node->kind == NODE_MAP;
    int rc = 0;
    template_add_bytes(template, map ? SPAN("{") : SPAN("["));
    for (size_t i = 0; i < node->count; i++) {
        if (i)
            template_add_bytes(template, SPAN(","));
        if (map) {
            template_add_bytes(template, SPAN("\""));
            rc |= add_node(reader, template, node->rows[i].key, ESCAPE_JSON);
            template_add_bytes(template, SPAN("\":"));
            if (name_is_secret(node->rows[i].key->text))
                reader_hide(reader, node->rows[i].value);
        }
        rc |= write_node(reader, template, node->rows[i].value);
    }
    template_add_bytes(template, map ? SPAN("}") : SPAN("]"));
    return rc;
}

struct template *reader_json(struct reader *reader, const struct node *node)
{
    struct template *template = template_new();
    if (write_node(reader, template, node))
        return template_free(template);
    return template;
}
