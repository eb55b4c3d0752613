/* Targets and the pools to them. One origin for each scheme, host and port that the plan (or a
 * followed redirect) names; limits that the plan states for all threads are shared out here. */
#include "load/inside.h"

#include "base/memory.h"
#include "plan/mask.h"
#include "wire/url.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static double rate_share(const struct engine *engine, double whole)
{
    return whole / engine->options.segments;
}

static uint32_t count_share(const struct engine *engine, uint64_t whole)
{
    uint64_t share =
        (whole + engine->options.segments - 1 - engine->options.segment) / engine->options.segments;
    return whole == 0 ? 0 : share == 0 ? 1 : (uint32_t)share;
}

static char *copy_span(struct span span)
{
    char *copy = memory_new(span.bytes + 1, 1);
    if (span.bytes)
        memcpy(copy, span.at, span.bytes);
    return copy;
}

static int hexadecimal(char digit)
{
    return digit >= '0' && digit <= '9'                 ? digit - '0'
           : (digit | 32) >= 'a' && (digit | 32) <= 'f' ? (digit | 32) - 'a' + 10
                                                        : -1;
}

/* The path of a Unix socket as it stands in a URL: percent-encoded. */
static void decode(char *text)
{
    char *to = text;
    for (const char *from = text; *from; from++) {
        int high = from[0] == '%' ? hexadecimal(from[1]) : -1;
        int low = high >= 0 ? hexadecimal(from[2]) : -1;
        *to++ = low >= 0 ? (char)(high * 16 + low) : *from;
        from += low >= 0 ? 2 : 0;
    }
    *to = '\0';
}

static char *host_line(const struct url *url)
{
    struct text line = TEXT_EMPTY;
    if (url->unix_socket) {
        text_puts(&line, "localhost");
        return text_take(&line);
    }
    text_puts(&line, url->ipv6 ? "[" : "");
    text_put(&line, url->host);
    text_puts(&line, url->ipv6 ? "]" : "");
    if (url->port != (url->tls ? 443 : 80))
        text_printf(&line, ":%u", (unsigned)url->port);
    return text_take(&line);
}

static struct pool_options pool_options(const struct engine *engine, const struct url *url,
                                        const struct origin *origin)
{
    const struct plan_connections *connections = &engine->plan->connections;
    const struct plan_http *http = &engine->plan->http;
    static const enum pool_kind kinds[] = {[POOL_PER_USER] = POOL_KIND_PER_USER,
                                           [POOL_SHARED] = POOL_KIND_SHARED,
                                           [POOL_NEW] = POOL_KIND_NEW};
    return (struct pool_options){
        .kind = kinds[connections->mode],
        .host = origin->host,
        .port = url->port,
        .unix_socket = url->unix_socket,
        .tls = url->tls,
        .host_line = origin->host_line,
        .server_name = engine->plan->tls.server_name,
        .most = count_share(engine, connections->most),
        .max_age_ns = connections->max_age_ns,
        .max_requests = connections->max_requests,
        .sources = engine->sources,
        .source_count = engine->source_count,
        .handshake_rate = rate_share(engine, connections->handshake_rate),
        .max_handshakes = count_share(engine, connections->max_handshakes),
        .connect_timeout_ns = http->connect_timeout_ns,
        .first_byte_timeout_ns = http->first_byte_timeout_ns,
        .max_response_bytes = http->max_response_bytes,
    };
}

static int need_tls(struct engine *engine, char *words, size_t room)
{
    const struct plan_tls *tls = &engine->plan->tls;
    struct tls_options options = {.insecure = tls->insecure,
                                  .ca_file = tls->ca_file,
                                  .cert_file = tls->cert_file,
                                  .key_file = tls->key_file,
                                  .resume = engine->plan->connections.tls_resume,
                                  .protocol = "http/1.1"};
    int error = engine->tls ? 0 : tls_context_new(&engine->tls, &options, words, room);
    engine->link->tls = engine->tls;
    return error ? -EINVAL : 0;
}

static bool same_origin(const struct origin *origin, const struct url *url, const char *line,
                        const char *host)
{
    const struct pool_options *options = &origin->pool->options;
    return options->tls == url->tls && options->unix_socket == url->unix_socket &&
           options->port == url->port && strcmp(origin->host_line, line) == 0 &&
           strcmp(origin->host, host) == 0;
}

enum { ORIGINS_BY_REDIRECT = 16 };

static int make(struct engine *engine, const struct url *url, struct origin *origin, char *words,
                size_t room)
{
    int error = url->tls ? need_tls(engine, words, room) : 0;
    struct pool_options options = pool_options(engine, url, origin);
    if (engine->origin_most && engine->origin_count == engine->origin_most) {
        snprintf(words, room, "redirects lead to more than %d other hosts", ORIGINS_BY_REDIRECT);
        return -EINVAL;
    }
    if (!error)
        error = pool_new(&origin->pool, engine->link, &options);
    if (error)
        return error;
    origin->number = (uint32_t)engine->origin_count;
    engine->origins =
        memory_resize(engine->origins, engine->origin_count + 1, sizeof(struct origin *));
    engine->origins[engine->origin_count++] = origin;
    return 0;
}

int origin_find(struct engine *engine, const char *words_of_url, struct origin **out, char *words,
                size_t room)
{
    struct url url;
    const char *why = "";
    if (url_read(span_of(words_of_url), &url, &why)) {
        char *shown = mask_copy(words_of_url);
        snprintf(words, room, "%s: %s", shown, why);
        free(shown);
        return -EINVAL;
    }
    struct origin *origin = memory_new(1, sizeof *origin);
    origin->host = copy_span(url.host);
    if (url.unix_socket)
        decode(origin->host);
    origin->host_line = host_line(&url);
    int error = 0;
    for (size_t i = 0; i < engine->origin_count; i++) {
        if (same_origin(engine->origins[i], &url, origin->host_line, origin->host)) {
            *out = engine->origins[i];
            goto known;
        }
    }
    struct text base = TEXT_EMPTY;
    text_printf(&base, "%s://%s", url.tls ? "https" : "http", origin->host_line);
    origin->base = text_take(&base);
    error = make(engine, &url, origin, words, room);
    if (!error) {
        *out = origin;
        return 0;
    }
known:
    free(origin->base);
    free(origin->host);
    free(origin->host_line);
    free(origin);
    return error;
}

/* The origin of a child process; its host is the program, for people. */
static int find_child(struct engine *engine, const struct piped_command *command,
                      size_t state_bytes, struct origin **out)
{
    for (size_t i = 0; i < engine->origin_count; i++) {
        const struct piped_command *known = engine->origins[i]->pool->options.command;
        if (known && piped_command_same(known, command)) {
            *out = engine->origins[i];
            return 0;
        }
    }
    struct origin *origin = memory_new(1, sizeof *origin);
    struct url nowhere = {.tls = false};
    origin->host = memory_copy_text(command->arguments[0]);
    origin->host_line = memory_copy_text("");
    origin->base = memory_copy_text("stdio:");
    struct pool_options options = pool_options(engine, &nowhere, origin);
    options.command = command;
    options.state_bytes = state_bytes;
    int error = pool_new(&origin->pool, engine->link, &options);
    origin->number = (uint32_t)engine->origin_count;
    engine->origins =
        memory_resize(engine->origins, engine->origin_count + 1, sizeof(struct origin *));
    engine->origins[engine->origin_count++] = origin;
    *out = origin;
    return error;
}

static int read_sources(struct engine *engine, char *words, size_t room)
{
    const struct plan_texts *sources = &engine->plan->connections.source;
    engine->sources = memory_new(sources->count, sizeof *engine->sources);
    engine->source_count = sources->count;
    for (size_t i = 0; i < sources->count; i++) {
        if (net_address_read(sources->items[i], 0, &engine->sources[i]) == 0)
            continue;
        snprintf(words, room, "the source address %s is not an IP address", sources->items[i]);
        return -EINVAL;
    }
    return 0;
}

static int find_targets(struct engine *engine, char *words, size_t room)
{
    const struct plan *plan = engine->plan;
    size_t count = plan->targets.count ? plan->targets.count : plan->target ? 1 : 0;
    engine->targets = memory_new(count + 1, sizeof(struct origin *));
    for (size_t i = 0; i < count; i++) {
        const char *url = plan->targets.count ? plan->targets.items[i] : plan->target;
        int error = origin_find(engine, url, &engine->targets[i], words, room);
        if (error)
            return error;
    }
    engine->target_count = count;
    return 0;
}

int origins_init(struct engine *engine, char *words, size_t room)
{
    int error = read_sources(engine, words, room);
    if (!error)
        error = find_targets(engine, words, room);
    for (size_t i = 0; !error && i < engine->plan->request_count; i++) {
        struct work *work = &engine->works[i];
        const char *own = work->request->target;
        if (work->driver->origin && work->driver->origin(work->compiled))
            own = work->driver->origin(work->compiled);
        const struct piped_command *command =
            work->driver->command ? work->driver->command(work->compiled) : NULL;
        if (command) {
            error = find_child(engine, command, work->driver->connection_bytes, &work->origin);
        } else if (own) {
            error = origin_find(engine, own, &work->origin, words, room);
        } else if (engine->target_count == 0) {
            snprintf(words, room,
                     "request %s has no target: give the plan a target, or the request a whole URL",
                     work->request->name);
            error = -EINVAL;
        }
    }
    engine->origin_most =
        engine->origin_count + (engine->plan->http.follow_redirects ? ORIGINS_BY_REDIRECT : 0);
    return error;
}

void origins_fini(struct engine *engine)
{
    for (size_t i = 0; i < engine->origin_count; i++) {
        struct origin *origin = engine->origins[i];
        pool_free(origin->pool);
        free(origin->base);
        free(origin->host);
        free(origin->host_line);
        free(origin);
    }
    free(engine->origins);
    free(engine->targets);
    free(engine->sources);
}
