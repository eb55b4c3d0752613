/* plug/driver/ollama.h - the halves of the ollama driver: what is asked (ollama.c) and what comes
 * back (ollama_answer.c). */
#ifndef PLUG_DRIVER_OLLAMA_H
#define PLUG_DRIVER_OLLAMA_H

#include "load/driver.h"
#include "plug/driver/llm_failure.h"
#include "plug/driver/llm_request.h"

/* What a reply is read as. */
enum ollama_form {
    OLLAMA_LINES, /* a stream, a line each */
    OLLAMA_WHOLE, /* one object */
    OLLAMA_PLAIN, /* not looked at: lists */
};

/* A request, ready to be sent. */
struct ollama_request {
    struct llm_request common; /* first, as llm_request.h asks */
    enum ollama_form form;
};

/* The state of a request under way; what is unfinished lies in call->kept. */
struct ollama_state {
    struct llm_answer answer;
    bool done; /* the last line came */
    bool tail; /* of a long reply only the end was kept */
    struct llm_failure failure;
};

/* The driver's `data`: bytes of the reply. */
void ollama_data(struct driver_call *call, struct span bytes, nsec_t rx_ns);
/* The driver's `end`: the reply is complete. */
struct driver_outcome ollama_end(struct driver_call *call, int status, struct span body,
                                 nsec_t end_ns);

#endif
