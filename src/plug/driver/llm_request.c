/* Composing what is asked of language models; see llm_request.h. */
#include "plug/driver/llm_request.h"

#include <stdlib.h>
#include <string.h>

enum { WHOLE_MOST_BYTES = 64 << 10, TAIL_BYTES = 2 << 10 };

bool llm_request_compile(struct llm_request *out, const struct plan *plan,
                         const struct plan_request *request, const struct llm_shape *shape,
                         struct notes *notes)
{
    const struct http_shape http = {
        .method = out->body ? "POST" : "GET",
        .url = shape->url,
        .headers = shape->headers,
        .json = out->body != NULL,
        .accept = shape->accept,
    };
    out->http = http_request_compile(plan, request->name, &http, notes);
    return out->http != NULL;
}

void llm_request_release(void *compiled)
{
    struct llm_request *request = compiled;
    if (!request)
        return;
    http_request_free(request->http);
    llm_body_free(request->body);
    free(compiled);
}

const char *llm_request_origin(const void *compiled)
{
    return http_request_origin(((const struct llm_request *)compiled)->http);
}

void llm_request_compose(struct driver_call *call, struct exchange_request *out)
{
    const struct llm_request *request = call->compiled;
    struct text *scratch = call->scratch;
    size_t from = scratch->bytes;
    if (request->body)
        llm_body_write(request->body, call->slots, scratch);
    size_t bytes = scratch->bytes - from;
    http_request_compose(request->http, call, out);
    out->stamped = true;
    if (request->body)
        out->body = (struct span){.at = scratch->at + from, .bytes = bytes};
}

void llm_request_keep_whole(struct driver_call *call, struct span bytes, bool *tail)
{
    struct text *kept = call->kept;
    text_put(kept, bytes);
    if (kept->bytes <= WHOLE_MOST_BYTES)
        return;
    memmove(kept->at, kept->at + kept->bytes - TAIL_BYTES, TAIL_BYTES);
    kept->bytes = TAIL_BYTES;
    *tail = true;
}
