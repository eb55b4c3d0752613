/* Services are asked in turn, each at most every quarter of a second; an answer that does not come
 * within two seconds counts as a failure of that try. No proxy is used, as for the load itself. */
#include "run/health.h"

#include "base/memory.h"
#include "base/unit.h"
#include "wire/url.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TRY_TIMEOUT_MS = 2000, BETWEEN_TRIES_MS = 250 };

/* Everything that stays the same between tries. */
struct asker {
    const struct plan *plan;
    CURL *curl;
    struct curl_slist *resolve;
    char error[CURL_ERROR_SIZE];
};

static size_t swallow(char *bytes, size_t size, size_t count, void *self)
{
    (void)bytes;
    (void)self;
    return size * count;
}

/* The absolute URL of a service; for a Unix socket its path is set on the handle and a stand-in
 * host named. */
static char *url_of(struct asker *asker, const struct plan_service *service)
{
    struct text url = TEXT_EMPTY;
    struct url target;
    const char *why = NULL;
    bool path_only = service->health[0] == '/';
    const char *base = path_only ? asker->plan->target : service->health;
    if (base && url_read(span_of(base), &target, &why) == 0 && target.unix_socket) {
        char *socket = memory_new(target.host.bytes + 1, 1);
        memcpy(socket, target.host.at, target.host.bytes);
        int length = 0;
        char *path = curl_easy_unescape(asker->curl, socket, 0, &length);
        curl_easy_setopt(asker->curl, CURLOPT_UNIX_SOCKET_PATH, path);
        curl_free(path);
        free(socket);
        text_puts(&url, "http://localhost");
        text_put(&url, path_only ? span_of(service->health) : target.path);
    } else if (path_only && base) {
        url_join(span_of(base), span_of(service->health), &url);
    } else {
        text_puts(&url, service->health);
    }
    return text_take(&url);
}

static void asker_init(struct asker *asker, const struct plan *plan)
{
    *asker = (struct asker){.plan = plan};
    curl_global_init(CURL_GLOBAL_DEFAULT);
    asker->curl = curl_easy_init();
    for (size_t i = 0; i < plan->resolve.count; i++)
        asker->resolve = curl_slist_append(asker->resolve, plan->resolve.items[i]);
}

static void asker_fini(struct asker *asker)
{
    curl_easy_cleanup(asker->curl);
    curl_slist_free_all(asker->resolve);
    curl_global_cleanup();
}

static void set_options(struct asker *asker, const char *url)
{
    CURL *curl = asker->curl;
    const struct plan_tls *tls = &asker->plan->tls;
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)TRY_TIMEOUT_MS);
    curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, 1L);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, swallow);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, asker->error);
    curl_easy_setopt(curl, CURLOPT_RESOLVE, asker->resolve);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, tls->insecure ? 0L : 1L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, tls->insecure ? 0L : 2L);
    if (tls->ca_file)
        curl_easy_setopt(curl, CURLOPT_CAINFO, tls->ca_file);
    if (tls->cert_file)
        curl_easy_setopt(curl, CURLOPT_SSLCERT, tls->cert_file);
    if (tls->key_file)
        curl_easy_setopt(curl, CURLOPT_SSLKEY, tls->key_file);
}

/* One try; true when the answer says healthy. */
static bool ask_once(struct asker *asker, const struct plan_service *service, struct health *state)
{
    curl_easy_reset(asker->curl);
    asker->error[0] = '\0';
    char *url = url_of(asker, service);
    set_options(asker, url);
    CURLcode code = curl_easy_perform(asker->curl);
    free(url);
    if (code != CURLE_OK) {
        snprintf(state->why, sizeof state->why, "%.190s",
                 asker->error[0] ? asker->error : curl_easy_strerror(code));
        return false;
    }
    long status = 0;
    curl_easy_getinfo(asker->curl, CURLINFO_RESPONSE_CODE, &status);
    if (status >= 200 && status < 400)
        return true;
    snprintf(state->why, sizeof state->why, "answered %ld", status);
    return false;
}

/* Asks all that are still awaited once. Returns how many go on being awaited. */
static size_t ask_all(struct asker *asker, struct health *states, bool *over, nsec_t began_ns,
                      const struct log *log)
{
    size_t awaited = 0;
    for (size_t i = 0; i < asker->plan->service_count; i++) {
        const struct plan_service *service = &asker->plan->services[i];
        if (!service->health || over[i])
            continue;
        states[i].healthy = ask_once(asker, service, &states[i]);
        states[i].took_ns = clock_monotonic_ns() - began_ns;
        over[i] = states[i].healthy || states[i].took_ns >= service->wait_ns;
        awaited += !over[i];
        if (states[i].healthy)
            log_say(log, LOG_DEBUG, "%s is healthy", service->name);
    }
    return awaited;
}

int health_wait(const struct plan *plan, const volatile sig_atomic_t *interrupts,
                const struct log *log, struct health *states)
{
    size_t checked = 0;
    for (size_t i = 0; i < plan->service_count; i++)
        checked += plan->services[i].health != NULL;
    if (checked == 0)
        return 0;
    struct asker asker;
    asker_init(&asker, plan);
    if (!asker.curl)
        return -ENOMEM;
    bool *over = memory_new(plan->service_count, sizeof *over);
    nsec_t began_ns = clock_monotonic_ns();
    bool said = false;
    while (ask_all(&asker, states, over, began_ns, log) > 0 && !*interrupts) {
        if (!said)
            log_say(log, LOG_NOTICE, "waiting for services to be healthy");
        said = true;
        nanosleep(&(struct timespec){.tv_nsec = BETWEEN_TRIES_MS * NSEC_PER_MSEC}, NULL);
    }
    bool missing = false;
    for (size_t i = 0; i < plan->service_count; i++)
        missing |= plan->services[i].health && !states[i].healthy;
    free(over);
    asker_fini(&asker);
    if (missing && *interrupts)
        return HEALTH_INTERRUPTED;
    return missing ? HEALTH_MISSING : 0;
}

void health_words(const struct plan *plan, const struct health *states, struct text *out)
{
    bool first = true;
    for (size_t i = 0; i < plan->service_count; i++) {
        const struct plan_service *service = &plan->services[i];
        if (!service->health || states[i].healthy)
            continue;
        char waited[UNIT_ROOM];
        text_printf(out, "%sservice %s (%s) was not healthy after %s: %s", first ? "" : "; ",
                    service->name, service->health, unit_write_duration(waited, states[i].took_ns),
                    states[i].why);
        first = false;
    }
    if (!first)
        text_puts(out, "; start it, correct its health URL, or raise its wait");
}
