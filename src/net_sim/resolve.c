/* Names in the simulation: literal addresses and fixed answers; nothing else exists. */
#include "net/resolve.h"

#include "base/memory.h"
#include "net/resolve_known.h"

#include <errno.h>
#include <stdlib.h>

struct resolver {
    struct known_names known;
};

int resolver_new(struct resolver **out, struct loop *loop, char *const *fixed, size_t fixed_count)
{
    (void)loop;
    struct resolver *resolver = memory_new(1, sizeof *resolver);
    int error = known_names_init(&resolver->known, fixed, fixed_count);
    if (error)
        free(resolver);
    else
        *out = resolver;
    return error;
}

struct resolver *resolver_free(struct resolver *resolver)
{
    if (!resolver)
        return NULL;
    known_names_fini(&resolver->known);
    free(resolver);
    return NULL;
}

int resolver_use_servers(struct resolver *resolver, const char *servers)
{
    (void)resolver, (void)servers;
    return -ENOTSUP;
}

void resolver_ask(struct resolver *resolver, struct resolve_query *query, const char *host,
                  uint16_t port)
{
    struct resolve_answer answer;
    query->resolver = resolver;
    list_init(&query->node);
    if (!known_names_find(&resolver->known, host, port, &answer))
        answer = (struct resolve_answer){
            .error = -ENOENT, .words = "the simulation knows literal and fixed addresses only"};
    query->answered(query, &answer);
}

void resolver_cancel(struct resolve_query *query)
{
    list_remove(&query->node);
}
