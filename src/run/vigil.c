/* See vigil.h. A busy target may be slow to say that it is well, so that it gets two seconds. */
#include "run/vigil.h"

#include "base/memory.h"
#include "net/fetch.h"
#include "wire/url.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

enum { PAUSE_MS = 250, ASK_SECONDS = 2 };

struct vigil {
    const struct plan *plan;
    pthread_t thread;
    atomic_bool over;      /* written by vigil_free */
    atomic_bool unhealthy; /* written by the thread */
};

static bool is_healthy(struct vigil *vigil, struct fetch *fetch, const char *health)
{
    struct text url = TEXT_EMPTY;
    if (health[0] == '/')
        url_join(span_of(vigil->plan->target), span_of(health), &url);
    else
        text_puts(&url, health);
    struct fetch_request request = {.url = url.at,
                                    .insecure = vigil->plan->tls.insecure,
                                    .ca_file = vigil->plan->tls.ca_file,
                                    .connect_timeout_ns = ASK_SECONDS * NSEC_PER_SEC,
                                    .timeout_ns = ASK_SECONDS * NSEC_PER_SEC,
                                    .cancel = &vigil->over};
    struct fetch_reply reply = {.body = TEXT_EMPTY};
    enum fetch_outcome outcome = fetch_ask(fetch, &request, &reply);
    bool healthy = outcome == FETCH_CANCELLED ||
                   (outcome == FETCH_DONE && reply.status >= 200 && reply.status < 400);
    text_fini(&reply.body);
    text_fini(&url);
    return healthy;
}

static void *keep(void *self)
{
    struct vigil *vigil = self;
    struct fetch *fetch = fetch_new();
    while (!atomic_load(&vigil->over)) {
        bool healthy = true;
        for (size_t i = 0; i < vigil->plan->service_count; i++)
            if (vigil->plan->services[i].health)
                healthy = is_healthy(vigil, fetch, vigil->plan->services[i].health) && healthy;
        atomic_store(&vigil->unhealthy, !healthy);
        nanosleep(&(struct timespec){.tv_nsec = PAUSE_MS * NSEC_PER_MSEC}, NULL);
    }
    fetch_free(fetch);
    return NULL;
}

struct vigil *vigil_new(const struct plan *plan)
{
    bool asked = false;
    for (size_t i = 0; i < plan->trigger_count; i++)
        asked = asked || plan->triggers[i].metric == SAFETY_UNHEALTHY;
    if (!asked)
        return NULL;
    struct vigil *vigil = memory_new(1, sizeof *vigil);
    vigil->plan = plan;
    if (pthread_create(&vigil->thread, NULL, keep, vigil) == 0)
        return vigil;
    free(vigil);
    return NULL;
}

struct vigil *vigil_free(struct vigil *vigil)
{
    if (!vigil)
        return NULL;
    atomic_store(&vigil->over, true);
    pthread_join(vigil->thread, NULL);
    free(vigil);
    return NULL;
}

bool vigil_unhealthy(const struct vigil *vigil)
{
    return vigil && atomic_load(&vigil->unhealthy);
}
