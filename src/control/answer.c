/* Both Kubernetes and the container engines answer in JSON and say what is wrong in a member
 * "message"; so what follows a request is the same for both. */
#include "control/answer.h"

#include <jansson.h>
#include <string.h>

enum { MOST_MESSAGE = 300 };

void asker_init(struct asker *asker)
{
    *asker = (struct asker){.fetch = fetch_new()};
}

void asker_fini(struct asker *asker)
{
    asker->fetch = fetch_free(asker->fetch);
    text_fini(&asker->reply.body);
}

/* No whole reply came. */
static int outcome_without(struct asker *asker, enum fetch_outcome outcome, const char *who,
                           struct text *why)
{
    text_printf(why, "%s: %s", who, fetch_words(asker->fetch));
    switch (outcome) {
    case FETCH_NAME:
    case FETCH_REFUSED:
        return CONTROL_ABSENT;
    case FETCH_TLS:
        return CONTROL_FORBIDDEN;
    case FETCH_TIMEOUT:
    case FETCH_CANCELLED:
        return CONTROL_TIMEOUT;
    default:
        return CONTROL_FAILED;
    }
}

static int outcome_of_status(int status)
{
    switch (status) {
    case 404:
    case 410:
        return CONTROL_ABSENT;
    case 401:
    case 403:
        return CONTROL_FORBIDDEN;
    case 409:
    case 412:
        return CONTROL_CONFLICT;
    default:
        return CONTROL_FAILED;
    }
}

static void say_status(int status, const json_t *document, const char *path, const char *who,
                       struct text *why)
{
    const char *message = json_string_value(json_object_get(document, "message"));
    text_printf(why, "%s answered %d to %s", who, status, path);
    if (message)
        text_printf(why, ": %.*s", MOST_MESSAGE, message);
    if (status == 401)
        text_puts(why, "; its credentials are wrong or too old");
    else if (status == 403 && !message)
        text_puts(why, "; this account may not do that");
}

/* The path of a URL, without its query, for words. */
static void path_of(const char *url, char *out, size_t room)
{
    const char *host = strstr(url, "://");
    const char *path = strchr(host ? host + 3 : url, '/');
    size_t bytes = path ? strcspn(path, "?") : 0;
    bytes = bytes < room ? bytes : room - 1;
    memcpy(out, path ? path : "", bytes);
    out[bytes] = '\0';
}

int asker_ask(struct asker *asker, const struct fetch_request *request, const char *who,
              struct json_t **out, struct text *why)
{
    char path[200];
    struct fetch_reply *reply = &asker->reply;
    enum fetch_outcome outcome = fetch_ask(asker->fetch, request, reply);
    if (outcome != FETCH_DONE)
        return outcome_without(asker, outcome, who, why);
    struct span body = span_trim(text_span(&reply->body));
    json_t *document = NULL;
    if (body.bytes)
        document = json_loadb(body.at, body.bytes, JSON_REJECT_DUPLICATES, NULL);
    bool fine = (reply->status >= 200 && reply->status < 300) || reply->status == 304;
    path_of(request->url, path, sizeof path);
    if (!fine) {
        say_status(reply->status, document, path, who, why);
        json_decref(document);
        return outcome_of_status(reply->status);
    }
    if (body.bytes && !document && out) {
        text_printf(why, "%s answered something that is not JSON to %s", who, path);
        return CONTROL_FAILED;
    }
    if (out)
        *out = document;
    else
        json_decref(document);
    return CONTROL_DONE;
}
