/* The engine's address is a socket's path or a host; everything else is net/fetch.h. */
#include "control/docker.h"

#include "base/memory.h"
#include "control/answer.h"

#include <stdlib.h>
#include <string.h>

#define ENGINE_SOCKET "/var/run/docker.sock"

struct docker {
    struct asker asker;
    char *socket; /* or NULL */
    char *base;   /* "http://127.0.0.1:2375" */
    struct text url;
    nsec_t timeout_ns;
    const atomic_bool *cancel;
};

/* What follows a prefix; NULL when words do not begin with it. */
static const char *after(const char *words, const char *prefix)
{
    size_t bytes = strlen(prefix);
    return strncmp(words, prefix, bytes) == 0 ? words + bytes : NULL;
}

int docker_new(const struct docker_options *options, struct docker **out, struct text *why)
{
    const char *engine = options->engine && options->engine[0] ? options->engine : ENGINE_SOCKET;
    const char *path = engine[0] == '/' ? engine : after(engine, "unix://");
    const char *host = after(engine, "tcp://");
    struct text base = TEXT_EMPTY;
    if (path && path[0] == '/')
        text_puts(&base, "http://localhost");
    else if (host && host[0])
        text_printf(&base, "http://%s", host);
    else if (after(engine, "http://") || after(engine, "https://"))
        text_puts(&base, engine);
    if (base.bytes == 0) {
        text_printf(why, "\"%s\" is no container engine: name a socket, unix://, tcp:// or http://",
                    engine);
        return CONTROL_FAILED;
    }
    while (base.at[base.bytes - 1] == '/')
        base.at[--base.bytes] = '\0';
    struct docker *client = memory_new(1, sizeof *client);
    client->socket = memory_copy_text(path);
    client->base = text_take(&base);
    client->timeout_ns = options->timeout_ns;
    client->cancel = options->cancel;
    asker_init(&client->asker);
    *out = client;
    return 0;
}

struct docker *docker_free(struct docker *client)
{
    if (!client)
        return NULL;
    asker_fini(&client->asker);
    free(client->socket);
    free(client->base);
    text_fini(&client->url);
    free(client);
    return NULL;
}

int docker_ask(struct docker *client, const struct control_request *request, struct json_t **out,
               struct text *why)
{
    struct text type = TEXT_EMPTY;
    text_clear(&client->url);
    text_printf(&client->url, "%s%s", client->base, request->path);
    text_printf(&type, "Content-Type: %s",
                request->content_type ? request->content_type : "application/json");
    const char *headers[] = {type.at};
    int rc = asker_ask(&client->asker,
                       &(struct fetch_request){
                           .url = client->url.at,
                           .unix_socket = client->socket,
                           .method = request->method,
                           .body = request->body,
                           .headers = headers,
                           .header_count = request->body.bytes ? 1 : 0,
                           .timeout_ns = client->timeout_ns,
                           .cancel = client->cancel,
                       },
                       "the container engine", out, why);
    text_fini(&type);
    return rc;
}
