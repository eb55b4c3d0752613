/* Asks each target and service once, as a client would, and sends no load. */
#include "run/doctor/doctor.h"

#include "base/memory.h"
#include "base/unit.h"
#include "net/fetch.h"
#include "plan/mask.h"
#include "run/need.h"
#include "run/port_forward.h"
#include "run/run.h"
#include "wire/url.h"

#include <stdlib.h>
#include <string.h>

static const char *const area = "target";

#define PATIENCE_NS (3 * NSEC_PER_SEC)

/* What is needed to ask. */
struct asking {
    const struct plan *plan;
    struct fetch *fetch;
    struct fetch_reply reply;
    struct text url, socket;
};

/* Asks one URL. Returns true when there was an answer, whatever it said. */
static bool ask(struct asking *asking, struct span base, const char *url, const char **why)
{
    const struct plan_tls *tls = &asking->plan->tls;
    if (url_client(base, span_of(url), &asking->url, &asking->socket, why) != 0)
        return false;
    struct fetch_request request = {
        .url = asking->url.at,
        .unix_socket = asking->socket.bytes ? asking->socket.at : NULL,
        .ca_file = tls->ca_file,
        .cert_file = tls->cert_file,
        .key_file = tls->key_file,
        .insecure = tls->insecure,
        .resolve = (const char *const *)asking->plan->resolve.items,
        .resolve_count = asking->plan->resolve.count,
        .fresh = true,
        .connect_timeout_ns = PATIENCE_NS,
        .timeout_ns = PATIENCE_NS,
    };
    bool answered = fetch_ask(asking->fetch, &request, &asking->reply) == FETCH_DONE;
    *why = answered ? "" : fetch_words(asking->fetch);
    return answered;
}

static void ask_target(struct asking *asking, const char *url, struct findings *findings)
{
    const char *why = "";
    char took[UNIT_ROOM], *shown = mask_copy(url);
    if (ask(asking, SPAN(""), url, &why)) {
        finding_add(findings, FINDING_FINE, area, "reachable", "%s answers (%d) in %s", shown,
                    asking->reply.status, unit_write_duration(took, asking->reply.took_ns));
    } else {
        finding_add(findings, FINDING_PROBLEM, area, "reachable", "%s: %s", shown, why);
        finding_remedy(findings,
                       "start it, or correct the address (target:, --host); curl -v %s "
                       "shows the same",
                       shown);
    }
    free(shown);
}

static void ask_service(struct asking *asking, const struct plan_service *service,
                        struct findings *findings)
{
    const char *why = "";
    char took[UNIT_ROOM];
    bool path_only = service->health[0] == '/';
    struct span base = path_only ? span_of(asking->plan->target) : SPAN("");
    bool answered = ask(asking, base, service->health, &why);
    bool healthy = answered && asking->reply.status >= 200 && asking->reply.status < 400;
    char *shown = mask_copy(service->health);
    if (healthy)
        finding_add(findings, FINDING_FINE, area, service->name, "%s is healthy (%d in %s)", shown,
                    asking->reply.status, unit_write_duration(took, asking->reply.took_ns));
    else if (answered)
        finding_add(findings, FINDING_PROBLEM, area, service->name, "%s answers %d", shown,
                    asking->reply.status);
    else
        finding_add(findings, FINDING_PROBLEM, area, service->name, "%s: %s", shown, why);
    free(shown);
    if (!healthy)
        finding_remedy(findings, "a run would wait for it and then refuse to begin: see its log");
}

/* Whether this URL was asked before, among the first `count` requests and the plan's own. */
static bool asked_before(const struct plan *plan, const char *url, size_t count)
{
    bool before = plan->target && strcmp(plan->target, url) == 0;
    for (size_t i = 0; i < plan->targets.count; i++)
        before |= strcmp(plan->targets.items[i], url) == 0;
    for (size_t i = 0; i < count; i++)
        before |= plan->requests[i].target && strcmp(plan->requests[i].target, url) == 0;
    return before;
}

static void ask_all(const struct plan *plan, struct findings *findings)
{
    struct asking asking = {.plan = plan, .fetch = fetch_new()};
    if (plan->target && plan->targets.count == 0)
        ask_target(&asking, plan->target, findings);
    for (size_t i = 0; i < plan->targets.count; i++)
        ask_target(&asking, plan->targets.items[i], findings);
    for (size_t i = 0; i < plan->request_count; i++)
        if (plan->requests[i].target && !asked_before(plan, plan->requests[i].target, i))
            ask_target(&asking, plan->requests[i].target, findings);
    for (size_t i = 0; i < plan->service_count; i++)
        if (plan->services[i].health)
            ask_service(&asking, &plan->services[i], findings);
    fetch_free(asking.fetch);
    text_fini(&asking.url);
    text_fini(&asking.socket);
    text_fini(&asking.reply.body);
}

static void look_at_need(const char *root, const struct plan *plan, struct findings *findings)
{
    struct need_limits limits;
    struct notes notes = {0};
    need_limits_read(&limits);
    struct need need = need_of(plan, run_threads(plan));
    need_check(&need, plan, &limits, &notes);
    for (size_t i = 0; i < notes.count; i++) {
        finding_add(findings, FINDING_PROBLEM, area, "need", "%s", notes.items[i].sentence);
        if (notes.items[i].hint)
            finding_remedy(findings, "%s", notes.items[i].hint);
    }
    char users[UNIT_ROOM], connections[UNIT_ROOM];
    if (notes.count == 0)
        finding_add(findings, FINDING_FINE, area, "need",
                    "%s users at once over %s connections: this machine has enough",
                    unit_write_count(users, need.users),
                    unit_write_count(connections, need.connections));
    notes_fini(&notes);
    const char *tunnel = port_forward_target(root, plan);
    bool crowd = need.users > PORT_FORWARD_USERS || !need.bounded;
    if (!tunnel)
        return;
    finding_add(findings, crowd ? FINDING_WARNING : FINDING_FINE, area, "tunnel",
                "%s is a kubectl port-forward", tunnel);
    if (crowd)
        finding_remedy(findings,
                       "beyond %d users the tunnel is what is measured: use the "
                       "service's external address (kubectl get svc)",
                       PORT_FORWARD_USERS);
}

void doctor_target(const char *root, const struct plan *plan, struct findings *findings)
{
    look_at_need(root, plan, findings);
    ask_all(plan, findings);
}
