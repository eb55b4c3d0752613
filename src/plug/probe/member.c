/* See member.h. What is remembered is kept as two JSON objects, which are hash tables. */
#include "plug/probe/member.h"

#include "base/memory.h"
#include "base/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

json_t *member_at(const json_t *document, const char *path)
{
    char name[64];
    json_t *at = (json_t *)(uintptr_t)document; /* jansson's getters take what they do not change */
    while (at && *path) {
        size_t bytes = strcspn(path, ".");
        if (bytes >= sizeof name)
            return NULL;
        memcpy(name, path, bytes);
        name[bytes] = '\0';
        at = json_object_get(at, name);
        path += bytes + (path[bytes] == '.');
    }
    return at;
}

double member_number(const json_t *document, const char *path)
{
    const json_t *value = member_at(document, path);
    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

const char *member_text(const json_t *document, const char *path)
{
    const char *words = json_string_value(member_at(document, path));
    return words ? words : "";
}

struct remembered {
    json_t *before, *now;
};

struct remembered *remembered_new(void)
{
    struct remembered *remembered = memory_new(1, sizeof *remembered);
    remembered->before = json_object();
    remembered->now = json_object();
    return remembered;
}

struct remembered *remembered_free(struct remembered *remembered)
{
    if (!remembered)
        return NULL;
    json_decref(remembered->before);
    json_decref(remembered->now);
    free(remembered);
    return NULL;
}

void remembered_begin(struct remembered *remembered)
{
    json_decref(remembered->before);
    remembered->before = remembered->now;
    remembered->now = json_object();
}

double remembered_swap(struct remembered *remembered, const char *thing, const char *what,
                       double now)
{
    struct text key = TEXT_EMPTY;
    text_printf(&key, "%s %s", thing, what);
    const json_t *kept = json_object_get(remembered->before, key.at);
    if (isfinite(now))
        json_object_set_new(remembered->now, key.at, json_real(now));
    text_fini(&key);
    return kept ? json_real_value(kept) : (double)NAN;
}
