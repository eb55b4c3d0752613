/* The client: a kubeconfig's facts, and one kept connection. */
#include "control/kubernetes.h"

#include "base/memory.h"
#include "control/answer.h"
#include "control/kubeconfig.h"
#include "host/file.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct kubernetes {
    struct asker asker;
    struct kubeconfig config;
    struct text url, token;
    nsec_t timeout_ns;
    const atomic_bool *cancel;
};

/* The kubeconfig in the home directory of whom this runs as. Owner: caller. */
static char *home_config(const char *root)
{
    struct passwd entry, *found = NULL;
    char room[4096];
    struct text path = TEXT_EMPTY;
    if (getpwuid_r(getuid(), &entry, room, sizeof room, &found) || !found)
        return NULL;
    text_printf(&path, "%s%s/.kube/config", root, found->pw_dir);
    return text_take(&path);
}

static int find_config(const struct kubernetes_options *options, struct kubeconfig *out,
                       struct text *why)
{
    const char *root = options->root ? options->root : "";
    *out = (struct kubeconfig){.server = NULL};
    if (options->server) {
        out->server = memory_copy_text(options->server);
        return 0;
    }
    if (options->kubeconfig)
        return kubeconfig_read(options->kubeconfig, options->context, out, why);
    if (kubeconfig_of_pod(root, out) == 0)
        return 0;
    char *path = home_config(root);
    int rc = path ? kubeconfig_read(path, options->context, out, why) : CONTROL_ABSENT;
    free(path);
    if (rc == CONTROL_ABSENT) {
        text_clear(why);
        text_puts(why, "no Kubernetes API is known here: name a kubeconfig or a server");
    }
    return rc;
}

int kubernetes_new(const struct kubernetes_options *options, struct kubernetes **out,
                   struct text *why)
{
    struct kubeconfig config;
    int rc = find_config(options, &config, why);
    if (rc) {
        kubeconfig_fini(&config);
        return rc;
    }
    size_t bytes = strlen(config.server);
    while (bytes && config.server[bytes - 1] == '/')
        config.server[--bytes] = '\0';
    if (options->space || !config.space) {
        free(config.space);
        config.space = memory_copy_text(options->space ? options->space : "default");
    }
    struct kubernetes *client = memory_new(1, sizeof *client);
    client->config = config;
    client->timeout_ns = options->timeout_ns;
    client->cancel = options->cancel;
    asker_init(&client->asker);
    *out = client;
    return 0;
}

struct kubernetes *kubernetes_free(struct kubernetes *client)
{
    if (!client)
        return NULL;
    asker_fini(&client->asker);
    kubeconfig_fini(&client->config);
    text_fini(&client->url);
    if (client->token.at)
        explicit_bzero(client->token.at, client->token.room);
    text_fini(&client->token);
    free(client);
    return NULL;
}

const char *kubernetes_space(const struct kubernetes *client)
{
    return client->config.space;
}

const char *kubernetes_server(const struct kubernetes *client)
{
    return client->config.server;
}

/* The token as it is now; NULL: none. */
static const char *token_of(struct kubernetes *client)
{
    if (!client->config.token_file || host_read("", client->config.token_file, &client->token))
        return client->config.token;
    struct span token = span_trim(text_span(&client->token));
    if (token.bytes == 0)
        return client->config.token;
    memmove(client->token.at, token.at, token.bytes);
    client->token.at[token.bytes] = '\0';
    client->token.bytes = token.bytes;
    return client->token.at;
}

int kubernetes_ask(struct kubernetes *client, const struct control_request *request,
                   struct json_t **out, struct text *why)
{
    const struct kubeconfig *config = &client->config;
    struct text type = TEXT_EMPTY;
    text_clear(&client->url);
    text_printf(&client->url, "%s%s", config->server, request->path);
    text_printf(&type, "Content-Type: %s",
                request->content_type ? request->content_type : "application/json");
    const char *headers[] = {"Accept: application/json", type.at};
    int rc = asker_ask(&client->asker,
                       &(struct fetch_request){
                           .url = client->url.at,
                           .method = request->method,
                           .body = request->body,
                           .headers = headers,
                           .header_count = request->body.bytes ? 2 : 1,
                           .bearer = token_of(client),
                           .ca_file = config->ca_pem.bytes ? NULL : config->ca_file,
                           .cert_file = config->cert_pem.bytes ? NULL : config->cert_file,
                           .key_file = config->key_pem.bytes ? NULL : config->key_file,
                           .ca_pem = text_span(&config->ca_pem),
                           .cert_pem = text_span(&config->cert_pem),
                           .key_pem = text_span(&config->key_pem),
                           .insecure = config->insecure,
                           .timeout_ns = client->timeout_ns,
                           .cancel = client->cancel,
                       },
                       "the Kubernetes API", out, why);
    text_fini(&type);
    return rc;
}
