/* haproxy: how many servers of a backend take requests. It uses those that the backend has, in
 * their order, and adds more at addresses that count up; those that are too many are drained before
 * they leave. With `start`, Plimsoll writes a minimal configuration and runs HAProxy itself. */
#include "base/memory.h"
#include "host/child.h"
#include "plug/scaler/await.h"
#include "plug/scaler/balancer.h"
#include "plug/scaler/scaler_list.h"
#include "plug/scaler/token.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { POLL_MS = 50, SOCKET_MOST = 100, MOST_SERVERS = 256, STOP_SECONDS = 5 };
enum start { START_NOT, START_HTTP, START_TCP };

struct haproxy_config {
    char *socket, *backend, *address, *bind, *algorithm, *check;
    uint64_t port;
    int start;
    bool rebalance;
    nsec_t drain_ns, wait_ns;
};

struct haproxy_scaler {
    const struct haproxy_config *config;
    const struct scaler_place *place;
    struct text socket, bind;
    struct balancer balancer;
    struct token token; /* of a HAProxy that is ours */
    pid_t pid;          /* of it; 0: not started */
};

#define CONFIG(member) offsetof(struct haproxy_config, member)

static const struct setting_word start_words[] = {
    {"no", "it runs already, and has a runtime socket"},
    {"http", "Plimsoll runs one that balances requests (L7)"},
    {"tcp", "Plimsoll runs one that balances connections (L4)"},
    {NULL, NULL}};

static const struct setting settings[] = {
    {.name = "socket",
     .type = SETTING_TEXT,
     .offset = CONFIG(socket),
     .unset = "/run/haproxy/admin.sock",
     .sentence = "its runtime API, with level admin: a socket's path or host:port"},
    {.name = "backend",
     .type = SETTING_TEXT,
     .offset = CONFIG(backend),
     .unset = "plimsoll",
     .sentence = "the backend whose servers are changed"},
    {.name = "address",
     .type = SETTING_TEXT,
     .offset = CONFIG(address),
     .unset = "127.0.0.1:{port}",
     .sentence = "address of a server that is added, with {port} and {index} replaced"},
    {.name = "port",
     .type = SETTING_UINT,
     .offset = CONFIG(port),
     .most = 65535,
     .unset = "0",
     .sentence = "port of server 0; the others count up"},
    {.name = "check",
     .type = SETTING_TEXT,
     .offset = CONFIG(check),
     .unset = "check inter 500ms",
     .sentence = "settings of a server that is added, in HAProxy's words"},
    {.name = "start",
     .type = SETTING_CHOICE,
     .offset = CONFIG(start),
     .words = start_words,
     .unset = "no",
     .sentence = "whether Plimsoll runs it"},
    {.name = "bind",
     .type = SETTING_TEXT,
     .offset = CONFIG(bind),
     .sentence = "where one that Plimsoll runs listens; else host and port of the target"},
    {.name = "algorithm",
     .type = SETTING_TEXT,
     .offset = CONFIG(algorithm),
     .unset = "roundrobin",
     .sentence = "how one that Plimsoll runs balances: roundrobin, leastconn, ..."},
    {.name = "rebalance",
     .type = SETTING_BOOL,
     .offset = CONFIG(rebalance),
     .unset = "true",
     .sentence = "end the connections to all servers on a change, so that they spread anew"},
    {.name = "drain",
     .type = SETTING_DURATION,
     .offset = CONFIG(drain_ns),
     .unset = "30s",
     .sentence = "how long running requests may take when a server leaves"},
    {.name = "wait",
     .type = SETTING_DURATION,
     .offset = CONFIG(wait_ns),
     .unset = "30s",
     .sentence = "how long a server may take until HAProxy uses it"},
    {.name = NULL},
};

/* ---- opening ------------------------------------------------------------------------------ */

/* Where one of ours has its socket: beside its files, unless that path is too long for one. */
static void choose_socket(struct haproxy_scaler *scaler)
{
    text_printf(&scaler->socket, "%s/haproxy.sock", scaler->place->directory);
    if (scaler->socket.bytes <= SOCKET_MOST)
        return;
    text_clear(&scaler->socket);
    text_printf(&scaler->socket, "/tmp/plimsoll-%s.sock", token_number(&scaler->token));
}

static void haproxy_close(void *self)
{
    struct haproxy_scaler *scaler = self;
    if (scaler->pid)
        child_end_all(&scaler->pid, 1, STOP_SECONDS * NSEC_PER_SEC);
    text_fini(&scaler->socket);
    text_fini(&scaler->bind);
    free(scaler);
}

static int haproxy_open(const void *settings_of, const struct scaler_place *place, void **self,
                        struct text *why)
{
    const struct haproxy_config *config = settings_of;
    struct haproxy_scaler *scaler = memory_new(1, sizeof *scaler);
    struct balancer_servers servers = {.count = 0};
    int rc = 0;
    *scaler = (struct haproxy_scaler){.config = config, .place = place, .token = token_new()};
    if (config->start) {
        choose_socket(scaler);
        if (config->bind)
            text_puts(&scaler->bind, config->bind);
        else
            await_place_of(place->target, &scaler->bind);
    } else {
        text_puts(&scaler->socket, config->socket);
    }
    scaler->balancer = (struct balancer){.place = {.socket = scaler->socket.at, .cancel = NULL},
                                         .backend = config->backend};
    if (config->start && scaler->bind.bytes == 0) {
        text_puts(why, "say where it shall listen; for example bind: 127.0.0.1:8000");
        rc = SCALER_FAILED;
    } else if (!config->start) {
        rc = balancer_list(&scaler->balancer, &servers, why);
        balancer_servers_free(&servers);
    }
    if (rc)
        haproxy_close(scaler);
    else
        *self = scaler;
    return rc;
}

static int haproxy_look(void *self, struct scaler_view *out, struct text *why)
{
    struct haproxy_scaler *scaler = self;
    struct balancer_servers servers = {.count = 0};
    bool runs = !scaler->config->start || scaler->pid;
    int rc = runs ? balancer_list(&scaler->balancer, &servers, why) : 0;
    if (rc)
        return rc;
    *out = (struct scaler_view){.size = NAN};
    for (size_t i = 0; i < servers.count; i++) {
        out->instances += servers.items[i].state == BALANCER_READY;
        out->ready += servers.items[i].state == BALANCER_READY && servers.items[i].up;
    }
    if (scaler->config->start)
        snprintf(out->address, sizeof out->address, "http://%s", scaler->bind.at);
    balancer_servers_free(&servers);
    return 0;
}

/* Of connections (tcp) nobody knows how many requests went over each. */
static int haproxy_served(void *self, struct scaler_served *out, struct text *why)
{
    struct haproxy_scaler *scaler = self;
    struct balancer_servers servers;
    *out = (struct scaler_served){.count = 0};
    int rc = balancer_list(&scaler->balancer, &servers, why);
    if (rc)
        return rc;
    out->counts = memory_new(servers.count + 1, sizeof *out->counts);
    for (size_t i = 0; i < servers.count; i++)
        if (servers.items[i].state == BALANCER_READY && servers.items[i].http)
            out->counts[out->count++] = (uint64_t)servers.items[i].served;
    balancer_servers_free(&servers);
    return 0;
}

/* "PLIMSOLL_INSTANCE_OF=... SOCKET" of one of ours, or "s1=ready s2=maint". */
static int haproxy_save(void *self, struct text *state, struct text *why)
{
    struct haproxy_scaler *scaler = self;
    struct balancer_servers servers;
    if (scaler->config->start) {
        text_printf(state, "%s %s", scaler->token.variable, scaler->socket.at);
        return 0;
    }
    int rc = balancer_list(&scaler->balancer, &servers, why);
    for (size_t i = 0; rc == 0 && i < servers.count; i++)
        text_printf(state, "%s%s=%s", i ? " " : "", servers.items[i].name,
                    balancer_word(servers.items[i].state));
    if (rc == 0)
        balancer_servers_free(&servers);
    return rc;
}

/* ---- one of ours -------------------------------------------------------------------------- */

static int write_configuration(const struct haproxy_scaler *scaler, const char *path,
                               struct text *why)
{
    const struct haproxy_config *config = scaler->config;
    bool http = config->start == START_HTTP;
    FILE *file = fopen(path, "we");
    if (!file) {
        text_printf(why, "%s can not be written", path);
        return SCALER_FAILED;
    }
    fprintf(file,
            "# Written by plimsoll for one test; removed by: plimsoll clean\n"
            "global\n"
            "    stats socket %s mode 600 level admin\n\n"
            "defaults\n"
            "    mode %s\n"
            "    timeout connect 5s\n"
            "    timeout client 1h\n"
            "    timeout server 1h\n"
            "%s\n"
            "frontend %s\n"
            "    bind %s\n"
            "    default_backend %s\n\n"
            "backend %s\n"
            "    balance %s\n",
            scaler->socket.at, http ? "http" : "tcp", http ? "    option http-keep-alive\n" : "",
            config->backend, scaler->bind.at, config->backend, config->backend, config->algorithm);
    if (fclose(file) == 0)
        return 0;
    text_printf(why, "%s can not be written", path);
    return SCALER_FAILED;
}

/* Waits until its socket answers. */
static int await_socket(struct haproxy_scaler *scaler, const char *log, struct text *why)
{
    nsec_t until_ns = clock_monotonic_ns() + scaler->config->wait_ns;
    for (;;) {
        struct balancer_servers servers;
        struct text words = TEXT_EMPTY;
        int rc = balancer_list(&scaler->balancer, &servers, &words);
        text_fini(&words);
        if (rc == 0) {
            balancer_servers_free(&servers);
            return 0;
        }
        if (child_ended(scaler->pid, &words)) {
            text_printf(why, "haproxy %s; see %s", words.at, log);
            text_fini(&words);
            scaler->pid = 0;
            return SCALER_FAILED;
        }
        if (clock_monotonic_ns() > until_ns ||
            !await_pause(POLL_MS * NSEC_PER_MSEC, scaler->place->cancel)) {
            text_printf(why, "haproxy does not answer at its socket; see %s", log);
            return SCALER_TIMEOUT;
        }
    }
}

static int start(struct haproxy_scaler *scaler, struct text *why)
{
    struct text path = TEXT_EMPTY, log = TEXT_EMPTY;
    if (!scaler->config->start || scaler->pid)
        return 0;
    text_printf(&path, "%s/haproxy.cfg", scaler->place->directory);
    text_printf(&log, "%s/haproxy.log", scaler->place->directory);
    const char *const words[] = {"haproxy", "-db", "-f", path.at, NULL};
    const char *const variables[] = {scaler->token.variable, NULL};
    struct child_options child = {.words = words, .variables = variables, .log = log.at};
    int rc = write_configuration(scaler, path.at, why);
    if (rc == 0 && child_start(&child, &scaler->pid)) {
        scaler->pid = 0;
        text_puts(why, "haproxy can not be started; install it (Debian: haproxy)");
        rc = SCALER_ABSENT;
    }
    if (rc == 0)
        rc = await_socket(scaler, log.at, why);
    text_fini(&path);
    text_fini(&log);
    return rc;
}

/* ---- servers ------------------------------------------------------------------------------ */

static void name_of(size_t index, char out[64])
{
    snprintf(out, 64, "plimsoll-%zu", index);
}

static bool is_ours(const char *name)
{
    return strncmp(name, "plimsoll-", 9) == 0;
}

static int add(struct haproxy_scaler *scaler, size_t index, struct text *why)
{
    const struct haproxy_config *config = scaler->config;
    struct await_words values = {.port = config->port ? (double)(config->port + index) : NAN,
                                 .index = (double)index,
                                 .instances = NAN,
                                 .size = NAN};
    struct text address = TEXT_EMPTY;
    char name[64];
    name_of(index, name);
    await_fill(config->address, &values, &address);
    int rc = SCALER_FAILED;
    if (strstr(address.at, "{port}"))
        text_puts(why, "say the port of the first server that is added; for example port: 9000");
    else
        rc = balancer_add(&scaler->balancer, name, address.at, config->check, why);
    if (rc == 0)
        rc = balancer_set(&scaler->balancer, name, BALANCER_READY, why);
    text_fini(&address);
    return rc;
}

/* Takes a server out: its requests may end, then its connections are. */
static int take_out(struct haproxy_scaler *scaler, const char *name, const atomic_bool *cancel,
                    struct text *why)
{
    nsec_t until_ns = clock_monotonic_ns() + scaler->config->drain_ns;
    int rc = balancer_set(&scaler->balancer, name, BALANCER_DRAIN, why);
    while (rc == 0) {
        struct balancer_servers servers;
        rc = balancer_list(&scaler->balancer, &servers, why);
        const struct balancer_server *server = rc ? NULL : balancer_find(&servers, name);
        bool busy = server && server->sessions > 0;
        if (rc == 0)
            balancer_servers_free(&servers);
        if (!busy || clock_monotonic_ns() > until_ns ||
            !await_pause(POLL_MS * NSEC_PER_MSEC, cancel))
            break;
    }
    if (rc == 0)
        rc = balancer_set(&scaler->balancer, name, BALANCER_MAINT, why);
    if (rc == 0)
        rc = balancer_cut(&scaler->balancer, name, why);
    return rc;
}

/* Removes a server that was added: HAProxy refuses while it has connections, idle ones too. */
static int remove_ours(struct haproxy_scaler *scaler, const char *name, struct text *why)
{
    nsec_t until_ns = clock_monotonic_ns() + scaler->config->wait_ns;
    for (;;) {
        struct text words = TEXT_EMPTY;
        int rc = balancer_remove(&scaler->balancer, name, &words);
        if (rc == SCALER_FAILED && clock_monotonic_ns() < until_ns) {
            text_fini(&words);
            balancer_cut(&scaler->balancer, name, &words);
            text_fini(&words);
            await_pause(POLL_MS * NSEC_PER_MSEC, NULL);
            continue;
        }
        text_put(why, text_span(&words));
        text_fini(&words);
        return rc;
    }
}

/* Makes exactly the first `count` of them ready. */
static int arrange(struct haproxy_scaler *scaler, const struct balancer_servers *servers,
                   size_t count, bool *changed, struct text *why)
{
    int rc = 0;
    for (size_t i = servers->count; i < count && rc == 0; i++, *changed = true)
        rc = add(scaler, i, why);
    for (size_t i = 0; i < servers->count && rc == 0; i++) {
        const struct balancer_server *server = &servers->items[i];
        if (i < count && server->state != BALANCER_READY)
            rc = balancer_set(&scaler->balancer, server->name, BALANCER_READY, why);
        else if (i >= count && server->state != BALANCER_MAINT)
            rc = take_out(scaler, server->name, scaler->place->cancel, why);
        else
            continue;
        *changed = true;
    }
    for (size_t i = servers->count; i-- > count && rc == 0;)
        if (is_ours(servers->items[i].name))
            rc = remove_ours(scaler, servers->items[i].name, why);
    return rc;
}

static int await_ready(struct haproxy_scaler *scaler, size_t count, struct text *why)
{
    nsec_t until_ns = clock_monotonic_ns() + scaler->config->wait_ns;
    for (;;) {
        struct scaler_view view;
        int rc = haproxy_look(scaler, &view, why);
        if (rc || view.ready >= (double)count)
            return rc;
        if (clock_monotonic_ns() > until_ns ||
            !await_pause(POLL_MS * NSEC_PER_MSEC, scaler->place->cancel)) {
            text_printf(why,
                        "HAProxy uses %g of %zu servers of backend %s: see whether they "
                        "answer",
                        view.ready, count, scaler->config->backend);
            return SCALER_TIMEOUT;
        }
    }
}

/* Ends the connections to the servers that stay, so that clients open them anew to all. */
static int rebalance(struct haproxy_scaler *scaler, struct text *why)
{
    struct balancer_servers servers;
    int rc = balancer_list(&scaler->balancer, &servers, why);
    if (rc)
        return rc;
    for (size_t i = 0; i < servers.count && rc == 0; i++)
        if (servers.items[i].state == BALANCER_READY && servers.items[i].sessions > 0)
            rc = balancer_cut(&scaler->balancer, servers.items[i].name, why);
    balancer_servers_free(&servers);
    return rc;
}

static int haproxy_apply(void *self, const struct scaler_goal *goal, struct text *why)
{
    struct haproxy_scaler *scaler = self;
    struct balancer_servers servers;
    if (isnan(goal->instances))
        return 0;
    size_t count = (size_t)(goal->instances + 0.5);
    bool changed = false;
    if (count > MOST_SERVERS) {
        text_printf(why, "at most %d servers are balanced", MOST_SERVERS);
        return SCALER_FAILED;
    }
    int rc = start(scaler, why);
    if (rc == 0)
        rc = balancer_list(&scaler->balancer, &servers, why);
    if (rc)
        return rc;
    rc = arrange(scaler, &servers, count, &changed, why);
    balancer_servers_free(&servers);
    if (rc == 0)
        rc = await_ready(scaler, count, why);
    if (rc == 0 && changed && scaler->config->rebalance)
        rc = rebalance(scaler, why);
    return rc;
}

/* ---- undoing ------------------------------------------------------------------------------ */

/* The state that a server had; false: it was not there. */
static bool saved_state(const char *state, const char *name, enum balancer_state *out)
{
    size_t length = strlen(name);
    for (const char *at = state; (at = strstr(at, name)); at += length) {
        if ((at != state && at[-1] != ' ') || at[length] != '=')
            continue;
        for (int i = BALANCER_READY; i <= BALANCER_MAINT; i++) {
            const char *word = balancer_word((enum balancer_state)i);
            if (strncmp(at + length + 1, word, strlen(word)) == 0)
                *out = (enum balancer_state)i;
        }
        return true;
    }
    return false;
}

static int restore_server(struct haproxy_scaler *scaler, const struct balancer_server *server,
                          const char *state, struct text *why)
{
    enum balancer_state saved = BALANCER_READY;
    if (saved_state(state, server->name, &saved)) {
        if (server->state == saved)
            return 0;
        int rc = balancer_set(&scaler->balancer, server->name, saved, why);
        if (rc)
            text_printf(why, "; by hand: set server %s/%s state %s", scaler->config->backend,
                        server->name, balancer_word(saved));
        return rc;
    }
    if (!is_ours(server->name))
        return 0; /* somebody else added it meanwhile */
    int rc = take_out(scaler, server->name, NULL, why);
    if (rc == 0)
        rc = remove_ours(scaler, server->name, why);
    if (rc)
        text_printf(why, "; by hand: del server %s/%s", scaler->config->backend, server->name);
    return rc;
}

static int stop_ours(struct haproxy_scaler *scaler, const struct token *token, const char *state,
                     struct text *why)
{
    const char *socket = strchr(state, ' ');
    if (scaler->pid)
        child_end_all(&scaler->pid, 1, STOP_SECONDS * NSEC_PER_SEC);
    scaler->pid = 0;
    int rc = token_sweep(scaler->place->root, token, STOP_SECONDS * NSEC_PER_SEC, why);
    if (rc == 0 && socket && strcmp(socket + strlen(socket) - 5, ".sock") == 0)
        unlink(socket + 1);
    return rc;
}

static int haproxy_restore(void *self, const char *state, struct text *why)
{
    struct haproxy_scaler *scaler = self;
    struct balancer_servers servers;
    struct token token;
    if (token_read(state, &token) == 0)
        return stop_ours(scaler, &token, state, why);
    int rc = balancer_list(&scaler->balancer, &servers, why);
    if (rc)
        return rc;
    for (size_t i = 0; i < servers.count && rc == 0; i++) /* first those that take requests */
        if (!is_ours(servers.items[i].name))
            rc = restore_server(scaler, &servers.items[i], state, why);
    for (size_t i = servers.count; i-- > 0 && rc == 0;)
        if (is_ours(servers.items[i].name))
            rc = restore_server(scaler, &servers.items[i], state, why);
    balancer_servers_free(&servers);
    return rc;
}

const struct scaler scaler_haproxy = {
    .name = "haproxy",
    .sentence = "servers of an HAProxy backend, added, drained and removed while it runs",
    .settings = settings,
    .config_bytes = sizeof(struct haproxy_config),
    .axes = SCALER_INSTANCES,
    .open = haproxy_open,
    .look = haproxy_look,
    .served = haproxy_served,
    .save = haproxy_save,
    .apply = haproxy_apply,
    .restore = haproxy_restore,
    .close = haproxy_close,
};
