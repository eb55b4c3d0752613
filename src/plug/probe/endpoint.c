/* See endpoint.h. */
#include "plug/probe/endpoint.h"

#include "wire/url.h"

#include <errno.h>
#include <string.h>

int endpoint_init(struct endpoint *endpoint, const struct endpoint_config *config,
                  const struct probe_place *place, const char *tail, struct text *why)
{
    const char *wrong = NULL;
    *endpoint = (struct endpoint){.config = config, .place = place, .fetch = fetch_new()};
    const char *words = config->url ? config->url : "";
    bool path = words[0] == '/';
    if (path && !place->target) {
        text_printf(why, "%s is a path, and the plan has no target to which it belongs", words);
        return -EINVAL;
    }
    struct span base = path ? span_of(place->target) : SPAN("");
    if (url_client(base, span_of(words), &endpoint->url, &endpoint->socket, &wrong)) {
        text_printf(why, "the URL \"%s\" cannot be asked: %s", words, wrong);
        return -EINVAL;
    }
    if (tail) {
        while (endpoint->url.bytes && endpoint->url.at[endpoint->url.bytes - 1] == '/')
            endpoint->url.at[--endpoint->url.bytes] = '\0';
        text_puts(&endpoint->url, tail);
    }
    return 0;
}

void endpoint_fini(struct endpoint *endpoint)
{
    endpoint->fetch = fetch_free(endpoint->fetch);
    text_fini(&endpoint->reply.body);
    text_fini(&endpoint->url);
    text_fini(&endpoint->socket);
}

enum fetch_outcome endpoint_ask(struct endpoint *endpoint, const char *const *headers, size_t count,
                                struct text *why)
{
    const struct endpoint_config *config = endpoint->config;
    nsec_t timeout_ns = endpoint->place->timeout_ns;
    if (config->timeout_ns && (config->timeout_ns < timeout_ns || !timeout_ns))
        timeout_ns = config->timeout_ns;
    endpoint->asked_ns = clock_monotonic_ns();
    enum fetch_outcome outcome =
        fetch_ask(endpoint->fetch,
                  &(struct fetch_request){
                      .url = endpoint->url.at,
                      .unix_socket = endpoint->socket.bytes ? endpoint->socket.at : NULL,
                      .headers = headers,
                      .header_count = count,
                      .bearer = config->token,
                      .ca_file = config->ca,
                      .cert_file = config->certificate,
                      .key_file = config->key,
                      .insecure = config->insecure,
                      .follow = true,
                      .fresh = endpoint->fresh,
                      .connect_timeout_ns = timeout_ns,
                      .timeout_ns = timeout_ns,
                      .most_bytes = config->largest,
                      .cancel = endpoint->place->cancel,
                  },
                  &endpoint->reply);
    if (outcome != FETCH_DONE)
        text_puts(why, fetch_words(endpoint->fetch));
    return outcome;
}
