/* One request by libcurl's multi interface, driven here in steps of at most 20 ms: so a request is
 * given up within that time of being cancelled, which the easy interface does once a second.
 * Redirects are followed here too and never by the library, so that no credential can go to
 * another host. curl_global_init counts its calls and may be called by several threads at once
 * since 7.84, so each fetch holds one such call and nothing is kept at file scope. */
#include "net/fetch.h"

#include "base/check.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/unit.h"

#include <curl/curl.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { STEP_MS = 20, MOST_REDIRECTS = 4, MOST_HEAD_BYTES = 256 * 1024 };

struct fetch {
    CURLM *multi; /* keeps the connections */
    CURL *easy;
    char error[CURL_ERROR_SIZE];
    struct text words;
    char where[256]; /* host and port, or the socket's path: what may be said */
    struct text body;
    size_t most_bytes, head_bytes;
    bool too_large;
};

struct fetch *fetch_new(void)
{
    struct fetch *fetch = memory_new(1, sizeof *fetch);
    check(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
    fetch->multi = curl_multi_init();
    fetch->easy = curl_easy_init();
    check(fetch->multi && fetch->easy); /* as memory_new: without memory there is no going on */
    return fetch;
}

struct fetch *fetch_free(struct fetch *fetch)
{
    if (!fetch)
        return NULL;
    curl_easy_cleanup(fetch->easy);
    curl_multi_cleanup(fetch->multi);
    curl_global_cleanup();
    text_fini(&fetch->body);
    text_fini(&fetch->words);
    free(fetch);
    return NULL;
}

const char *fetch_words(const struct fetch *fetch)
{
    return fetch->words.at ? fetch->words.at : "";
}

/* ---- what is received ------------------------------------------------------------------------ */

/* NOLINTNEXTLINE(readability-non-const-parameter): the library's type of a callback */
static size_t take_body(char *bytes, size_t size, size_t count, void *self)
{
    struct fetch *fetch = self;
    size_t more = size * count;
    if (more > fetch->most_bytes - fetch->body.bytes) {
        fetch->too_large = true;
        return 0;
    }
    text_put(&fetch->body, (struct span){.at = bytes, .bytes = more});
    return more;
}

/* Heads are the library's to read; here they are only weighed, as a head without end must not
 * fill the memory. */
/* NOLINTNEXTLINE(readability-non-const-parameter): the same */
static size_t weigh_head(char *bytes, size_t size, size_t count, void *self)
{
    (void)bytes;
    struct fetch *fetch = self;
    fetch->head_bytes += size * count;
    return fetch->head_bytes > MOST_HEAD_BYTES ? 0 : size * count;
}

/* ---- where it goes --------------------------------------------------------------------------- */

/* One part of a URL; "" when it has none. Owner: caller, curl_free of what is not NULL. */
static char *part_of(CURLU *url, CURLUPart part)
{
    char *words = NULL;
    return curl_url_get(url, part, &words, CURLU_DEFAULT_PORT) == CURLUE_OK ? words : NULL;
}

/* Whether both URLs have the same scheme, host and port. */
static bool same_place(const char *one, const char *other)
{
    static const CURLUPart parts[] = {CURLUPART_SCHEME, CURLUPART_HOST, CURLUPART_PORT};
    CURLU *a = curl_url(), *b = curl_url();
    bool same = a && b && curl_url_set(a, CURLUPART_URL, one, 0) == CURLUE_OK &&
                curl_url_set(b, CURLUPART_URL, other, 0) == CURLUE_OK;
    for (size_t i = 0; same && i < sizeof parts / sizeof *parts; i++) {
        char *x = part_of(a, parts[i]), *y = part_of(b, parts[i]);
        same = x && y && span_equal_nocase(span_of(x), span_of(y));
        curl_free(x);
        curl_free(y);
    }
    curl_url_cleanup(a);
    curl_url_cleanup(b);
    return same;
}

/* Keeps "host:port" for sentences. Returns false when the URL cannot be read. */
static bool name_place(struct fetch *fetch, const struct fetch_request *request)
{
    CURLU *url = curl_url();
    bool fine = url && curl_url_set(url, CURLUPART_URL, request->url, 0) == CURLUE_OK;
    char *host = fine ? part_of(url, CURLUPART_HOST) : NULL;
    char *port = fine ? part_of(url, CURLUPART_PORT) : NULL;
    fine = host && port;
    if (request->unix_socket)
        snprintf(fetch->where, sizeof fetch->where, "%s", request->unix_socket);
    else if (fine)
        snprintf(fetch->where, sizeof fetch->where, "%s:%s", host, port);
    curl_free(host);
    curl_free(port);
    curl_url_cleanup(url);
    return fine;
}

/* ---- asking ---------------------------------------------------------------------------------- */

static void set_pem(CURL *easy, CURLoption option, struct span pem)
{
    struct curl_blob blob = {.data = (void *)pem.at, .len = pem.bytes, .flags = CURL_BLOB_NOCOPY};
    if (pem.bytes)
        curl_easy_setopt(easy, option, &blob);
}

static void set_tls(CURL *easy, const struct fetch_request *request)
{
    set_pem(easy, CURLOPT_CAINFO_BLOB, request->ca_pem);
    set_pem(easy, CURLOPT_SSLCERT_BLOB, request->cert_pem);
    set_pem(easy, CURLOPT_SSLKEY_BLOB, request->key_pem);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, request->insecure ? 0L : 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, request->insecure ? 0L : 2L);
    if (request->ca_file)
        curl_easy_setopt(easy, CURLOPT_CAINFO, request->ca_file);
    if (request->cert_file)
        curl_easy_setopt(easy, CURLOPT_SSLCERT, request->cert_file);
    if (request->key_file)
        curl_easy_setopt(easy, CURLOPT_SSLKEY, request->key_file);
}

static void set_limits(struct fetch *fetch, const struct fetch_request *request, nsec_t left_ns)
{
    CURL *easy = fetch->easy;
    nsec_t connect_ns =
        request->connect_timeout_ns ? request->connect_timeout_ns : 2 * NSEC_PER_SEC;
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)(left_ns / NSEC_PER_MSEC) + 1);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)(connect_ns / NSEC_PER_MSEC) + 1);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); /* a look-up that hangs is left behind */
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_PROXY, ""); /* as for the load itself */
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, request->fresh ? 1L : 0L);
    curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, request->fresh ? 1L : 0L);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, fetch->error);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, fetch);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, weigh_head);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, fetch);
}

static void set_method(CURL *easy, const struct fetch_request *request)
{
    if (request->body.bytes) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.bytes);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body.at);
    } else if (request->method && strcmp(request->method, "HEAD") == 0) {
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    } else if (request->method && strcmp(request->method, "POST") == 0) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, 0L);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, "");
    }
    if (request->method)
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
}

/* The request's own headers, its bearer, and none of those that the library would add to a body
 * without being asked. Owner: caller. */
static struct curl_slist *headers_of(const struct fetch_request *request)
{
    struct curl_slist *list = curl_slist_append(NULL, "Expect:");
    for (size_t i = 0; i < request->header_count; i++)
        list = curl_slist_append(list, request->headers[i]);
    if (request->bearer) {
        struct text header = TEXT_EMPTY;
        text_printf(&header, "Authorization: Bearer %s", request->bearer);
        list = curl_slist_append(list, header.at);
        explicit_bzero(header.at, header.bytes);
        text_fini(&header);
    }
    return list;
}

static void free_headers(struct curl_slist *list)
{
    for (struct curl_slist *one = list; one; one = one->next)
        explicit_bzero(one->data, strlen(one->data));
    curl_slist_free_all(list);
}

/* How the library says that it is done with the one request under way. */
static bool ended(struct fetch *fetch, CURLcode *code)
{
    int left = 0;
    for (CURLMsg *message; (message = curl_multi_info_read(fetch->multi, &left)) != NULL;)
        if (message->msg == CURLMSG_DONE && message->easy_handle == fetch->easy) {
            *code = message->data.result;
            return true;
        }
    return false;
}

/* Runs the request that the handle holds. Returns whether it was not cancelled. */
static bool drive(struct fetch *fetch, const struct fetch_request *request, CURLcode *code)
{
    bool cancelled = false, over = false;
    int running = 0;
    if (curl_multi_add_handle(fetch->multi, fetch->easy) != CURLM_OK) {
        *code = CURLE_FAILED_INIT;
        return true;
    }
    while (!over) {
        cancelled = request->cancel && atomic_load(request->cancel);
        if (cancelled)
            break;
        CURLMcode wrong = curl_multi_perform(fetch->multi, &running);
        over = ended(fetch, code);
        if (!over && (wrong != CURLM_OK || running == 0)) {
            *code = CURLE_FAILED_INIT;
            break;
        }
        if (!over)
            curl_multi_poll(fetch->multi, NULL, 0, STEP_MS, NULL);
    }
    curl_multi_remove_handle(fetch->multi, fetch->easy);
    return !cancelled;
}

/* ---- outcomes -------------------------------------------------------------------------------- */

__attribute__((format(printf, 3, 4))) static enum fetch_outcome
say(struct fetch *fetch, enum fetch_outcome outcome, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    text_clear(&fetch->words);
    text_vprintf(&fetch->words, format, list);
    va_end(list);
    return outcome;
}

static enum fetch_outcome say_refused(struct fetch *fetch)
{
    long error = 0;
    char sentence[128];
    curl_easy_getinfo(fetch->easy, CURLINFO_OS_ERRNO, &error);
    if (error == 0 || error == ECONNREFUSED || error == EINPROGRESS)
        return say(fetch, FETCH_REFUSED, "%s refused the connection", fetch->where);
    return say(fetch, FETCH_REFUSED, "%s cannot be reached: %s", fetch->where,
               error_sentence((int)-error, sentence, sizeof sentence));
}

static enum fetch_outcome say_timeout(struct fetch *fetch, const struct fetch_request *request)
{
    char after[UNIT_ROOM];
    nsec_t timeout_ns = request->timeout_ns ? request->timeout_ns : 5 * NSEC_PER_SEC;
    curl_off_t connected_us = 0;
    curl_easy_getinfo(fetch->easy, CURLINFO_CONNECT_TIME_T, &connected_us);
    if (connected_us == 0)
        return say(fetch, FETCH_TIMEOUT, "%s did not accept a connection in time", fetch->where);
    return say(fetch, FETCH_TIMEOUT, "%s did not answer whole within %s", fetch->where,
               unit_write_duration(after, timeout_ns));
}

static enum fetch_outcome outcome_of(struct fetch *fetch, const struct fetch_request *request,
                                     CURLcode code)
{
    char size[UNIT_ROOM];
    switch (code) {
    case CURLE_OK:
        text_clear(&fetch->words);
        return FETCH_DONE;
    case CURLE_COULDNT_RESOLVE_HOST:
        return say(fetch, FETCH_NAME, "the name of %s is not known", fetch->where);
    case CURLE_COULDNT_CONNECT:
        return say_refused(fetch);
    case CURLE_OPERATION_TIMEDOUT:
        return say_timeout(fetch, request);
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_ENGINE_NOTFOUND:
    case CURLE_USE_SSL_FAILED:
        return say(fetch, FETCH_TLS, "TLS with %s failed: %.200s", fetch->where,
                   fetch->error[0] ? fetch->error : curl_easy_strerror(code));
    case CURLE_WRITE_ERROR:
        if (fetch->too_large)
            return say(fetch, FETCH_TOO_LARGE, "%s sent more than %s", fetch->where,
                       unit_write_bytes(size, (double)fetch->most_bytes));
        return say(fetch, FETCH_BROKEN, "%s sent a head without end", fetch->where);
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
        return say(fetch, FETCH_BROKEN, "%s does not answer in HTTP", fetch->where);
    case CURLE_GOT_NOTHING:
        return say(fetch, FETCH_BROKEN, "%s closed without an answer", fetch->where);
    case CURLE_PARTIAL_FILE:
        return say(fetch, FETCH_BROKEN, "%s cut its answer off", fetch->where);
    default:
        return say(fetch, FETCH_BROKEN, "%s broke off: %s", fetch->where, curl_easy_strerror(code));
    }
}

static void fill_reply(struct fetch *fetch, struct fetch_reply *out, nsec_t before_ns)
{
    long status = 0;
    curl_off_t first_us = 0;
    const char *type = NULL;
    curl_easy_getinfo(fetch->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(fetch->easy, CURLINFO_STARTTRANSFER_TIME_T, &first_us);
    curl_easy_getinfo(fetch->easy, CURLINFO_CONTENT_TYPE, &type);
    out->status = (int)status;
    snprintf(out->content_type, sizeof out->content_type, "%s", type ? type : "");
    out->first_byte_ns = before_ns + (nsec_t)first_us * NSEC_PER_USEC;
    text_clear(&out->body);
    text_put(&out->body, text_span(&fetch->body));
}

/* One exchange on the wire, without redirects. */
static enum fetch_outcome ask_once(struct fetch *fetch, const struct fetch_request *request,
                                   const char *url, nsec_t left_ns)
{
    CURLcode code = CURLE_OK;
    struct curl_slist *known = NULL, *headers = headers_of(request);
    curl_easy_reset(fetch->easy);
    set_limits(fetch, request, left_ns);
    set_tls(fetch->easy, request);
    set_method(fetch->easy, request);
    curl_easy_setopt(fetch->easy, CURLOPT_URL, url);
    curl_easy_setopt(fetch->easy, CURLOPT_HTTPHEADER, headers);
    if (request->unix_socket)
        curl_easy_setopt(fetch->easy, CURLOPT_UNIX_SOCKET_PATH, request->unix_socket);
    for (size_t i = 0; i < request->resolve_count; i++)
        known = curl_slist_append(known, request->resolve[i]);
    curl_easy_setopt(fetch->easy, CURLOPT_RESOLVE, known);
    fetch->error[0] = '\0';
    fetch->too_large = false;
    fetch->head_bytes = 0;
    text_clear(&fetch->body);
    bool asked = drive(fetch, request, &code);
    curl_easy_setopt(fetch->easy, CURLOPT_HTTPHEADER, NULL);
    curl_easy_setopt(fetch->easy, CURLOPT_RESOLVE, NULL);
    free_headers(headers);
    curl_slist_free_all(known);
    if (!asked)
        return say(fetch, FETCH_CANCELLED, "asking %s was given up", fetch->where);
    return outcome_of(fetch, request, code);
}

/* Where a reply sends us, when we may go there; NULL otherwise. Owner: caller. */
static char *redirect_of(struct fetch *fetch, const struct fetch_request *request)
{
    const char *next = NULL;
    bool reads = !request->body.bytes && (!request->method || strcmp(request->method, "GET") == 0);
    curl_easy_getinfo(fetch->easy, CURLINFO_REDIRECT_URL, &next);
    if (!request->follow || !reads || !next || !same_place(next, request->url))
        return NULL;
    return memory_copy_text(next);
}

static enum fetch_outcome ask_all(struct fetch *fetch, const struct fetch_request *request,
                                  struct fetch_reply *out)
{
    nsec_t began_ns = clock_monotonic_ns(), step_ns = began_ns;
    nsec_t timeout_ns = request->timeout_ns ? request->timeout_ns : 5 * NSEC_PER_SEC;
    enum fetch_outcome outcome = ask_once(fetch, request, request->url, timeout_ns);
    for (int i = 0; i < MOST_REDIRECTS && outcome == FETCH_DONE; i++) {
        char *next = redirect_of(fetch, request);
        if (!next)
            break;
        step_ns = clock_monotonic_ns();
        nsec_t left_ns = began_ns + timeout_ns - step_ns;
        if (left_ns > 0)
            outcome = ask_once(fetch, request, next, left_ns);
        else
            outcome = say_timeout(fetch, request);
        free(next);
    }
    if (outcome == FETCH_DONE) {
        fill_reply(fetch, out, step_ns - began_ns);
        out->took_ns = clock_monotonic_ns() - began_ns;
    }
    return outcome;
}

enum fetch_outcome fetch_ask(struct fetch *fetch, const struct fetch_request *request,
                             struct fetch_reply *out)
{
    fetch->most_bytes = request->most_bytes ? request->most_bytes : (size_t)16 << 20;
    if (!name_place(fetch, request))
        return say(fetch, FETCH_BROKEN, "the URL to ask cannot be read");
    /* A peer that closes while TLS writes to it raises SIGPIPE: kept from the process here, where
     * nobody else is to care. */
    sigset_t pipe, before, waiting;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    sigpending(&waiting);
    pthread_sigmask(SIG_BLOCK, &pipe, &before);
    enum fetch_outcome outcome = ask_all(fetch, request, out);
    if (!sigismember(&waiting, SIGPIPE))
        sigtimedwait(&pipe, NULL, &(struct timespec){.tv_nsec = 0});
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return outcome;
}
