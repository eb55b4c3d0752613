/* plug/driver/llm_request.h - the half of a request that the drivers of language models share: a
 * JSON body over HTTP, what is asked of the answer, and how both are composed. A driver's compiled
 * request begins with it. */
#ifndef PLUG_DRIVER_LLM_REQUEST_H
#define PLUG_DRIVER_LLM_REQUEST_H

#include "load/driver.h"
#include "plug/driver/http_request.h"
#include "plug/driver/llm.h"
#include "plug/driver/llm_body.h"

/* What is asked where a plan gives no prompt: a different one each time, since the same again would
 * be answered from the server's prefix cache. */
#define LLM_PROMPT_WORDS                                                                           \
    "Note {{ random.hex(16) }}. Explain in a few sentences how a ship's load line keeps its crew " \
    "safe."

struct llm_request {
    struct http_request *http;
    struct llm_body *body; /* NULL: none is sent */
    struct llm_goal goal;
    struct llm_asked asked;
    uint64_t prompt_tokens; /* that the plan says the prompt has; 0: it does not say */
};

/* Where a request goes and how it is told. */
struct llm_shape {
    const struct template *url;
    const struct plan_headers *headers;
    const char *accept; /* type of the answer */
};

/* Compiles url and headers of a request whose body (or NULL) is made. Returns whether it is fine,
 * after errors in notes when it is not. */
bool llm_request_compile(struct llm_request *out, const struct plan *plan,
                         const struct plan_request *request, const struct llm_shape *shape,
                         struct notes *notes);

/* Of a driver's compiled request, which begins with a struct llm_request: its `release`, `origin`
 * and `compose`. */
void llm_request_release(void *compiled);
const char *llm_request_origin(const void *compiled);
void llm_request_compose(struct driver_call *call, struct exchange_request *out);

/* Keeps a reply that comes whole in call->kept; of a long one, such as embeddings, only its end,
 * where the counts stand: tail is then set. */
void llm_request_keep_whole(struct driver_call *call, struct span bytes, bool *tail);

#endif
