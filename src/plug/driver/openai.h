/* plug/driver/openai.h - the halves of the openai driver: what is asked (openai.c) and what comes
 * back (openai_answer.c). */
#ifndef PLUG_DRIVER_OPENAI_H
#define PLUG_DRIVER_OPENAI_H

#include "load/driver.h"
#include "plug/driver/llm_failure.h"
#include "plug/driver/llm_request.h"
#include "wire/sse.h"

/* A request, ready to be sent. */
struct openai_request {
    struct llm_request common; /* first, as llm_request.h asks */
    bool stream;               /* a stream is asked for */
    bool tokens;               /* tokens are counted in the answer */
    bool choices;              /* the answer is a list of choices: not of embeddings */
};

/* What an answer is, by its first byte: servers answer JSON where a stream was asked for, and the
 * reverse. */
enum openai_form { OPENAI_UNKNOWN, OPENAI_EVENTS, OPENAI_WHOLE };

/* The state of a request under way; what is unfinished lies in call->kept. */
struct openai_state {
    struct llm_answer answer;
    struct sse_reader events;
    uint8_t form;  /* enum openai_form */
    bool finished; /* a finish reason came, or [DONE] */
    bool done;     /* [DONE] came: what follows is not looked at */
    bool tail;     /* of a long reply only the end was kept */
    struct llm_failure failure;
};

/* The driver's `data`: bytes of the reply. */
void openai_data(struct driver_call *call, struct span bytes, nsec_t rx_ns);
/* The driver's `end`: the reply is complete. */
struct driver_outcome openai_end(struct driver_call *call, int status, struct span body,
                                 nsec_t end_ns);

#endif
