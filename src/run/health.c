/* Services are asked in turn, each at most every quarter of a second; an answer that does not come
 * within two seconds counts as a failure of that try. No proxy is used, as for the load itself. */
#include "run/health.h"

#include "base/memory.h"
#include "base/unit.h"
#include "net/fetch.h"
#include "plan/mask.h"
#include "wire/url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TRY_TIMEOUT_NS (2 * NSEC_PER_SEC)

enum { BETWEEN_TRIES_MS = 250 };

/* Everything that stays the same between tries. */
struct asker {
    const struct plan *plan;
    struct fetch *fetch;
    struct fetch_reply reply;
    struct text url, socket;
};

static void asker_init(struct asker *asker, const struct plan *plan)
{
    *asker = (struct asker){.plan = plan, .fetch = fetch_new()};
}

static void asker_fini(struct asker *asker)
{
    fetch_free(asker->fetch);
    text_fini(&asker->url);
    text_fini(&asker->socket);
    text_fini(&asker->reply.body);
}

/* A health URL that begins with a slash is a path of the target. */
static int url_of(struct asker *asker, const struct plan_service *service, const char **why)
{
    bool path_only = service->health[0] == '/';
    struct span base = path_only ? span_of(asker->plan->target) : SPAN("");
    return url_client(base, span_of(service->health), &asker->url, &asker->socket, why);
}

/* One try; true when the answer says healthy. */
static bool ask_once(struct asker *asker, const struct plan_service *service, struct health *state)
{
    const struct plan_tls *tls = &asker->plan->tls;
    const char *why = NULL;
    if (url_of(asker, service, &why)) {
        snprintf(state->why, sizeof state->why, "%s", why);
        return false;
    }
    struct fetch_request request = {
        .url = asker->url.at,
        .unix_socket = asker->socket.bytes ? asker->socket.at : NULL,
        .ca_file = tls->ca_file,
        .cert_file = tls->cert_file,
        .key_file = tls->key_file,
        .insecure = tls->insecure,
        .resolve = (const char *const *)asker->plan->resolve.items,
        .resolve_count = asker->plan->resolve.count,
        .fresh = true,
        .connect_timeout_ns = TRY_TIMEOUT_NS,
        .timeout_ns = TRY_TIMEOUT_NS,
    };
    if (fetch_ask(asker->fetch, &request, &asker->reply) != FETCH_DONE) {
        snprintf(state->why, sizeof state->why, "%.190s", fetch_words(asker->fetch));
        return false;
    }
    int status = asker->reply.status;
    if (status >= 200 && status < 400)
        return true;
    snprintf(state->why, sizeof state->why, "answered %d", status);
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
        text_printf(out, "%sservice %s (", first ? "" : "; ", service->name);
        text_put_masked(out, service->health);
        text_printf(out, ") was not healthy after %s: %s",
                    unit_write_duration(waited, states[i].took_ns), states[i].why);
        first = false;
    }
    if (!first)
        text_puts(out, "; start it, correct its health URL, or raise its wait");
}
