/* What the tables cannot say of a plan: texts of a form of their own, and what only the whole
 * shows. */
#include "plan/mask.h"
#include "plan/part.h"
#include "wire/url.h"

#include <ctype.h>
#include <string.h>

/* Where the value of a setting of the plan's top was written: in the file, or outside of it. */
static const struct node *top_node(struct reader *reader, const char *key)
{
    const struct setting *row = plan_rows;
    while (row->name && strcmp(row->name, key) != 0)
        row++;
    return reader_effective(reader, row, key, node_find(reader->document.root, key));
}

static void verify_url(struct reader *reader, const char *key, const char *words)
{
    struct url url;
    const char *why = NULL;
    struct text shown = TEXT_EMPTY;
    if (!words || url_read(span_of(words), &url, &why) == 0)
        return;
    text_put_masked(&shown, words);
    text_reserve(&shown, 1);
    reader_error(reader, top_node(reader, key), "for example http://127.0.0.1:8000",
                 "%s \"%s\": %s", key, shown.at, why);
    text_fini(&shown);
}

static void verify_targets(struct reader *reader)
{
    struct plan *plan = reader->plan;
    verify_url(reader, "target", plan->target);
    for (size_t i = 0; i < plan->targets.count; i++)
        verify_url(reader, "targets", plan->targets.items[i]);
    if (!plan->target && plan->targets.count == 0 && reader->relative)
        reader_error(reader, reader->relative, "write target: http://host:port at the top",
                     "this request needs a target, and the plan has none");
    for (size_t i = 0; i < plan->request_count; i++) {
        const char *why = NULL;
        struct url url;
        const struct plan_request *request = &plan->requests[i];
        if (request->target && url_read(span_of(request->target), &url, &why))
            notes_error(reader->notes, "target of \"%s\": %s", request->name, why);
    }
}

/* "503", "5xx", "connect", "reset", "timeout" */
static bool is_retry_reason(const char *words)
{
    if (text_has_word("connect reset timeout", words))
        return true;
    if (strlen(words) != 3 || words[0] < '1' || words[0] > '5')
        return false;
    bool status = isdigit((unsigned char)words[1]) && isdigit((unsigned char)words[2]);
    return status || strcmp(words + 1, "xx") == 0;
}

static void verify_retries(struct reader *reader)
{
    const struct plan_texts *reasons = &reader->plan->http.retry_on;
    const struct node *node = node_find(node_find(reader->document.root, "http"), "retry_on");
    for (size_t i = 0; i < reasons->count; i++) {
        if (!is_retry_reason(reasons->items[i]))
            reader_error(reader, node, "it may be connect, reset, timeout, a status, or 5xx",
                         "retry_on \"%s\" is unknown", reasons->items[i]);
    }
}

/* "host:port:address", as curl has it; an IPv6 address may stand in brackets. */
static bool is_resolve(const char *words)
{
    size_t host = strcspn(words, ":"), digits = 0;
    const char *port = words + host + (words[host] == ':');
    digits = strspn(port, "0123456789");
    return host > 0 && digits > 0 && digits <= 5 && port[digits] == ':' && port[digits + 1];
}

static void verify_resolve(struct reader *reader)
{
    const struct plan_texts *resolve = &reader->plan->resolve;
    const struct node *node = node_find(reader->document.root, "resolve");
    for (size_t i = 0; i < resolve->count; i++) {
        if (!is_resolve(resolve->items[i]))
            reader_error(reader, node, "for example example.com:443:127.0.0.1",
                         "resolve \"%s\" is not of the form host:port:address", resolve->items[i]);
    }
}

static void verify_basic(struct reader *reader)
{
    const struct plan_http *http = &reader->plan->http;
    const struct node *node = node_find(reader->document.root, "http");
    if (http->basic && !strchr(http->basic, ':'))
        reader_error(reader, node_find(node, "basic"), NULL,
                     "basic must be of the form user:password");
    if (http->basic && http->bearer)
        reader_error(reader, node_find(node, "bearer"), "take one of them away",
                     "basic and bearer both write the header Authorization");
}

static void verify_tls(struct reader *reader)
{
    const struct plan_tls *tls = &reader->plan->tls;
    const struct node *node = node_find(reader->document.root, "tls");
    if (!tls->cert_file != !tls->key_file)
        reader_error(reader, node, NULL, "cert_file and key_file belong together");
    if (tls->insecure)
        reader_say(reader, NOTE_WARNING, node_find(node, "insecure"), NULL,
                   "certificates are not verified: anybody in between could answer");
}

void plan_verify(struct reader *reader)
{
    thresholds_guard(reader);
    verify_targets(reader);
    verify_retries(reader);
    verify_resolve(reader);
    verify_basic(reader);
    verify_tls(reader);
}
