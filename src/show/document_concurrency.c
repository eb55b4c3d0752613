/* Servers' declared limits of calls at once in the document; see study/concurrency.h. */
#include "show/document.h"
#include "study/concurrency.h"

json_t *document_concurrency(const struct result *result)
{
    struct concurrency servers[CONCURRENCY_SERVERS];
    size_t count = concurrency_look(result, servers);
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++) {
        const struct concurrency *one = &servers[i];
        json_t *object = json_object();
        json_object_set_new(object, "server", document_count(one->server));
        json_object_set_new(object, "declared", document_count(one->declared));
        json_object_set_new(object, "asked", document_number(one->asked));
        json_object_set_new(object, "executing_at_least", document_number(one->executing));
        json_object_set_new(object, "verdict", json_string(concurrency_word(one->verdict)));
        json_array_append_new(array, object);
    }
    return array;
}
