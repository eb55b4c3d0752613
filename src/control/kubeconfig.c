/* A kubeconfig has three lists (clusters, users, contexts) of entries with names; a context names
 * one of each of the others. Source: Kubernetes' documentation of client config v1. */
#include "control/kubeconfig.h"

#include "base/memory.h"
#include "host/file.h"
#include "plan/node.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define ACCOUNT "/var/run/secrets/kubernetes.io/serviceaccount/"

static void wipe(char *words)
{
    if (words)
        explicit_bzero(words, strlen(words));
    free(words);
}

static void wipe_text(struct text *text)
{
    if (text->at)
        explicit_bzero(text->at, text->room);
    text_fini(text);
}

void kubeconfig_fini(struct kubeconfig *config)
{
    free(config->server);
    free(config->space);
    free(config->ca_file);
    free(config->cert_file);
    free(config->key_file);
    free(config->token_file);
    wipe(config->token);
    text_fini(&config->ca_pem);
    text_fini(&config->cert_pem);
    wipe_text(&config->key_pem);
    *config = (struct kubeconfig){.server = NULL};
}

/* ---- members ----------------------------------------------------------------------------------
 */

struct reading {
    const char *file;
    struct text *why;
};

__attribute__((format(printf, 2, 3))) static int refuse(const struct reading *reading,
                                                        const char *format, ...)
{
    va_list list;
    text_printf(reading->why, "kubeconfig %s: ", reading->file);
    va_start(list, format);
    text_vprintf(reading->why, format, list);
    va_end(list);
    return CONTROL_FAILED;
}

/* The text of a member; NULL when it is not there, null or no text. */
static const char *text_of(const struct node *map, const char *key)
{
    const struct node *node = node_find(map, key);
    if (!node || node->kind != NODE_TEXT || node_is_null(node) || node->bytes == 0)
        return NULL;
    return node->text;
}

/* The entry of a list ("clusters") with this name; its part ("cluster"). */
static const struct node *entry_of(const struct node *root, const char *list, const char *name,
                                   const char *part)
{
    const struct node *entries = node_find(root, list);
    if (!entries || entries->kind != NODE_LIST)
        return NULL;
    for (size_t i = 0; i < entries->count; i++) {
        const char *own = text_of(entries->rows[i].value, "name");
        if (own && strcmp(own, name) == 0)
            return node_find(entries->rows[i].value, part);
    }
    return NULL;
}

/* A path in a kubeconfig is beside the kubeconfig. */
static char *path_of(const struct reading *reading, const char *path)
{
    const char *slash = strrchr(reading->file, '/');
    struct text whole = TEXT_EMPTY;
    if (!path)
        return NULL;
    if (path[0] != '/' && slash)
        text_put(&whole, (struct span){reading->file, (size_t)(slash - reading->file) + 1});
    text_puts(&whole, path);
    return text_take(&whole);
}

static int digit_of(char byte)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = byte ? strchr(digits, byte) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* Decodes base64 (RFC 4648); blanks and line feeds are passed over. Returns whether it was that. */
static bool decode(const char *words, struct text *out)
{
    unsigned bits = 0, count = 0;
    for (; *words && *words != '='; words++) {
        if (strchr(" \t\r\n", *words))
            continue;
        int digit = digit_of(*words);
        if (digit < 0)
            return false;
        bits = bits << 6 | (unsigned)digit;
        if (++count % 4 != 1) /* from the second digit on, each completes a byte */
            text_putc(out, (char)(bits >> (6 - 2 * ((count - 1) % 4)) & 0xff));
    }
    return count % 4 != 1;
}

static int read_data(const struct reading *reading, const struct node *map, const char *key,
                     struct text *out)
{
    const char *words = text_of(map, key);
    if (words && !decode(words, out))
        return refuse(reading, "%s is not base64", key);
    return 0;
}

/* ---- its three parts --------------------------------------------------------------------------
 */

static int read_cluster(const struct reading *reading, const struct node *cluster,
                        struct kubeconfig *out)
{
    const char *insecure = text_of(cluster, "insecure-skip-tls-verify");
    out->server = memory_copy_text(text_of(cluster, "server"));
    if (!out->server)
        return refuse(reading, "its cluster has no server");
    if (text_of(cluster, "tls-server-name") || text_of(cluster, "proxy-url"))
        return refuse(reading, "tls-server-name and proxy-url are not supported; run kubectl proxy "
                               "and name its address as server");
    out->insecure = insecure && strcmp(insecure, "true") == 0;
    out->ca_file = path_of(reading, text_of(cluster, "certificate-authority"));
    return read_data(reading, cluster, "certificate-authority-data", &out->ca_pem);
}

static int read_user(const struct reading *reading, const struct node *user, const char *name,
                     struct kubeconfig *out)
{
    static const char *const refused[] = {"exec", "auth-provider", "username", "password"};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (node_find(user, refused[i]))
            return refuse(reading,
                          "user \"%s\" proves itself by %s, which is not supported; use a token "
                          "(kubectl create token NAME), or run kubectl proxy and name its address "
                          "as server",
                          name, refused[i]);
    out->token = memory_copy_text(text_of(user, "token"));
    out->token_file = path_of(reading, text_of(user, "tokenFile"));
    out->cert_file = path_of(reading, text_of(user, "client-certificate"));
    out->key_file = path_of(reading, text_of(user, "client-key"));
    int rc = read_data(reading, user, "client-certificate-data", &out->cert_pem);
    return rc ? rc : read_data(reading, user, "client-key-data", &out->key_pem);
}

static int read_root(const struct reading *reading, const struct node *root, const char *name,
                     struct kubeconfig *out)
{
    name = name ? name : text_of(root, "current-context");
    if (!name)
        return refuse(reading, "it names no current-context; name one as context");
    const struct node *context = entry_of(root, "contexts", name, "context");
    const char *cluster = context ? text_of(context, "cluster") : NULL;
    const char *user = context ? text_of(context, "user") : NULL;
    if (!cluster)
        return refuse(reading, "it has no context \"%s\" with a cluster", name);
    out->space = memory_copy_text(text_of(context, "namespace"));
    const struct node *its = entry_of(root, "clusters", cluster, "cluster");
    if (!its)
        return refuse(reading, "it has no cluster \"%s\"", cluster);
    int rc = read_cluster(reading, its, out);
    const struct node *who = user ? entry_of(root, "users", user, "user") : NULL;
    if (rc || !who)
        return rc;
    return read_user(reading, who, user, out);
}

int kubeconfig_read(const char *file, const char *context, struct kubeconfig *out, struct text *why)
{
    struct text bytes = TEXT_EMPTY;
    struct reading reading = {.file = file, .why = why};
    *out = (struct kubeconfig){.server = NULL};
    if (host_read("", file, &bytes)) {
        text_printf(why, "kubeconfig %s cannot be read", file);
        text_fini(&bytes);
        return CONTROL_ABSENT;
    }
    struct document document = {.root = NULL};
    struct notes notes = {.items = NULL};
    int rc = document_read(&document, file, text_span(&bytes), &notes);
    if (rc)
        rc = refuse(&reading, "line %u: %s", notes.count ? notes.items[0].line : 0,
                    notes.count ? notes.items[0].sentence : "it is not YAML");
    else
        rc = read_root(&reading, document.root, context, out);
    document_fini(&document);
    notes_fini(&notes);
    wipe_text(&bytes);
    return rc;
}

int kubeconfig_of_pod(const char *root, struct kubeconfig *out)
{
    struct text words = TEXT_EMPTY;
    *out = (struct kubeconfig){.server = NULL};
    int rc = host_read(root, ACCOUNT "token", &words);
    wipe_text(&words);
    if (rc)
        return CONTROL_ABSENT;
    text_printf(&words, "%s" ACCOUNT "token", root);
    out->token_file = text_take(&words);
    text_printf(&words, "%s" ACCOUNT "ca.crt", root);
    out->ca_file = text_take(&words);
    out->server = memory_copy_text("https://kubernetes.default.svc");
    if (host_read(root, ACCOUNT "namespace", &words) == 0) {
        struct span space = span_trim(text_span(&words));
        struct text copy = TEXT_EMPTY;
        text_put(&copy, space);
        out->space = text_take(&copy);
    }
    text_fini(&words);
    return 0;
}
