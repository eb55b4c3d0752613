/* The JSON scanner, against jansson: of every document that jansson takes, both find the same value
 * at a path; and what is escaped is taken by both. The input is a path, a zero byte, a document. */
#include "wire/json.h"
#include "base/text.h"
#include "json_oracle.h"
#include "target.h"

#include <stdlib.h>
#include <string.h>

static bool within(struct span inner, struct span outer)
{
    return inner.bytes == 0 ||
           (inner.at >= outer.at && inner.at + inner.bytes <= outer.at + outer.bytes);
}

/* Nesting is limited here and not in jansson; who counts all brackets cannot be wrong. */
static bool is_shallow(struct span document)
{
    size_t brackets = 0;
    for (size_t i = 0; i < document.bytes; i++)
        brackets += document.at[i] == '[' || document.at[i] == '{';
    return brackets <= JSON_DEPTH;
}

static void compare(struct json_value value, const struct oracle_answer *expected)
{
    static const char kinds[] = {
        [JSON_ABSENT] = '-', [JSON_NULL] = 'n',   [JSON_TRUE] = 't',  [JSON_FALSE] = 'f',
        [JSON_NUMBER] = '0', [JSON_STRING] = 's', [JSON_ARRAY] = '[', [JSON_OBJECT] = '{'};
    check(kinds[value.kind] == expected->kind);
    double number = 0;
    struct text text = TEXT_EMPTY;
    if (value.kind == JSON_NUMBER)
        check(json_number(value, &number) == 0 && number == expected->number);
    if (value.kind == JSON_STRING) {
        check(json_text(value, &text) == 0 && text.bytes == expected->bytes);
        check(memcmp(text.at, expected->text, text.bytes) == 0);
    }
    text_fini(&text);
}

static void find(const struct json_path *path, struct span document)
{
    struct json_value value = json_find(document, path);
    struct oracle_step steps[JSON_PATH_STEPS];
    struct oracle_answer expected;
    struct text text = TEXT_EMPTY;
    double number;
    check(within(value.raw, document));
    json_text(value, &text);
    json_number(value, &number);
    text_fini(&text);
    for (size_t i = 0; i < path->count; i++)
        steps[i] = (struct oracle_step){.key = path->steps[i].key.at,
                                        .key_bytes = path->steps[i].key.bytes,
                                        .index = path->steps[i].index};
    if (memchr(document.at, '\0', document.bytes))
        return; /* jansson passes over a zero byte between tokens, which JSON does not allow */
    if (!is_shallow(document) ||
        !oracle_find(document.at, document.bytes, steps, path->count, &expected))
        return;
    compare(value, &expected);
    free(expected.text);
}

/* Whatever bytes are escaped, a strict reader takes them as a string. */
static void escape(struct span bytes)
{
    struct text quoted = TEXT_EMPTY, back = TEXT_EMPTY;
    text_putc(&quoted, '"');
    json_escape(bytes, &quoted);
    text_putc(&quoted, '"');
    check(oracle_reads(quoted.at, quoted.bytes));
    struct json_value value = {.kind = JSON_STRING,
                               .raw = {.at = quoted.at + 1, .bytes = quoted.bytes - 2}};
    check(json_text(value, &back) == 0);
    text_fini(&quoted);
    text_fini(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    const char *at = (const char *)bytes;
    const char *zero = count ? memchr(at, '\0', count) : NULL;
    struct span words = {.at = at, .bytes = zero ? (size_t)(zero - at) : 0};
    size_t skip = words.bytes + (zero != NULL);
    struct span document = {.at = at + skip, .bytes = count - skip};
    struct json_path path;
    size_t place = SIZE_MAX;
    const char *why = NULL;
    if (json_path_compile(words, &path, &place, &why)) {
        check(place <= words.bytes && why && why[0]);
    } else {
        find(&path, document);
        json_path_fini(&path);
    }
    escape(document);
    return 0;
}
