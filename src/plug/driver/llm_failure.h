/* plug/driver/llm_failure.h - that a reply failed by what it says, and the words to show for it. */
#ifndef PLUG_DRIVER_LLM_FAILURE_H
#define PLUG_DRIVER_LLM_FAILURE_H

#include "plug/driver/llm.h"

enum { LLM_SHOWN_BYTES = 160, LLM_ERROR_MOST_BYTES = 4 << 10 };

/* Zeroed: it has not failed. */
struct llm_failure {
    bool failed;
    uint8_t bytes;
    char words[LLM_SHOWN_BYTES];
};

/* The reply is not of the protocol: the first failure counts once, and says `what`, then words. */
void llm_failure_say(struct driver_call *call, struct llm_failure *failure,
                     enum llm_counter counter, const char *what, struct span words);

/* The reply says that it failed, in these words (the inside of a JSON string). */
void llm_failure_told(struct driver_call *call, struct llm_failure *failure, struct span raw);

/* Keeps words of a status that is a failure by itself: raw is the inside of a JSON string; where
 * it is empty, the body as it came. */
void llm_failure_of_status(struct driver_call *call, struct llm_failure *failure, struct span raw,
                           struct span body);

/* Keeps the beginning of an error's body in call->kept. */
void llm_failure_keep(struct driver_call *call, struct span bytes);

/* What the engine is told; error: of a reply that has not failed by what it says. */
static inline struct driver_outcome llm_failure_outcome(const struct llm_failure *failure,
                                                        uint32_t error)
{
    if (failure->failed && !error)
        error = COUNT_ERROR_PROTOCOL;
    return (struct driver_outcome){
        .error = error, .words = {.at = failure->words, .bytes = error ? failure->bytes : 0}};
}

#endif
