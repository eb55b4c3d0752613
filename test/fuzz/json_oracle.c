/* jansson's answers; see json_oracle.h. */
#include "json_oracle.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static json_t *load(const char *document, size_t bytes)
{
    return json_loadb(document, bytes, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL,
                      NULL);
}

static const json_t *step_into(const json_t *value, const struct oracle_step *step)
{
    if (step->key)
        return json_is_object(value) ? json_object_getn(value, step->key, step->key_bytes) : NULL;
    if (!json_is_array(value))
        return NULL;
    long size = (long)json_array_size(value);
    long index = step->index < 0 ? step->index + size : step->index;
    return index >= 0 && index < size ? json_array_get(value, (size_t)index) : NULL;
}

static void describe(const json_t *value, struct oracle_answer *out)
{
    static const char kinds[] = {
        [JSON_OBJECT] = '{', [JSON_ARRAY] = '[', [JSON_STRING] = 's', [JSON_INTEGER] = '0',
        [JSON_REAL] = '0',   [JSON_TRUE] = 't',  [JSON_FALSE] = 'f',  [JSON_NULL] = 'n'};
    *out = (struct oracle_answer){.kind = value ? kinds[json_typeof(value)] : '-'};
    if (json_is_number(value))
        out->number = json_number_value(value);
    if (!json_is_string(value))
        return;
    out->bytes = json_string_length(value);
    out->text = malloc(out->bytes + 1);
    memcpy(out->text, json_string_value(value), out->bytes + 1);
}

bool oracle_find(const char *document, size_t bytes, const struct oracle_step *steps, size_t count,
                 struct oracle_answer *out)
{
    json_t *root = load(document, bytes);
    const json_t *value = root;
    for (size_t i = 0; value && i < count; i++)
        value = step_into(value, &steps[i]);
    if (root)
        describe(value, out);
    json_decref(root);
    return root != NULL;
}

bool oracle_reads(const char *document, size_t bytes)
{
    json_t *root = load(document, bytes);
    json_decref(root);
    return root != NULL;
}
