/* plug/driver/llm.h - what is measured of an answer that is made of tokens, whatever protocol
 * brings it: the declared metrics, and the account of one answer that writes them.
 *
 * Definitions (each is also the metric's sentence, and doc/metrics-llm.md explains them):
 *   content event    an event that brings answer text, reasoning or arguments of a tool call; an
 *                    event with a role only, or with empty text, is none
 *   time to first token from the intended start of the request to its first content event
 *   inter-token latency between one content event and the next; events that came in one read share
 *                    its instant, so that the gap between them is 0
 *   tokens           as the server's usage counts them; where it gives none, one a content event */
#ifndef PLUG_DRIVER_LLM_H
#define PLUG_DRIVER_LLM_H

#include "load/driver.h"

enum llm_counter {
    LLM_STREAMS,
    LLM_CONTENT_EVENTS,
    LLM_OUTPUT_TOKENS,
    LLM_PROMPT_TOKENS,
    LLM_CACHED_TOKENS,
    LLM_REASONING_TOKENS,
    LLM_TOKENS_CONTINUOUS,
    LLM_TOKENS_USAGE,
    LLM_TOKENS_EVENTS,
    LLM_EMPTY_STREAMS,
    LLM_UNSTREAMED,
    LLM_BURSTS,
    LLM_TRUNCATED_STREAMS,
    LLM_TRUNCATED_PROMPTS,
    LLM_REPLY_ERRORS,
    LLM_BROKEN_EVENTS,
    LLM_GOOD,
    LLM_MISSED,
    LLM_ASKED_PROMPT,
    LLM_COUNTED_PROMPT,
    LLM_ASKED_OUTPUT,
    LLM_COUNTED_OUTPUT,
    LLM_LATER_TURNS,
    LLM_FORGOTTEN,
    LLM_ANSWERS_CUT,
};

enum llm_hist {
    LLM_TTFT,
    LLM_TTFT_SERVICE,
    LLM_TTFAT,
    LLM_ITL,
    LLM_ITL_TOKEN,
    LLM_TPOT,
    LLM_E2E_CONTENT,
    LLM_SERVER_LOAD,
    LLM_SERVER_PROMPT,
    LLM_SERVER_DECODE,
    LLM_STAMP_LAG,
    LLM_ITL_ERROR,
    LLM_TTFT_ERROR,
};

/* The declarations, in the order of the enums; ends with name NULL. All drivers of this kind share
 * this very table, so that a plan with several counts in the same columns. */
extern const struct metric llm_metrics[];

/* What an event or a whole reply says of numbers. */
struct llm_usage {
    bool given; /* the counts of tokens below were in it */
    uint64_t prompt_tokens, output_tokens, cached_tokens, reasoning_tokens;
};

/* How long the server says that it took; 0: it does not say. */
struct llm_server_times {
    nsec_t load_ns, prompt_ns, decode_ns;
};

/* What an answer must keep to be good, all of it; 0: not asked. */
struct llm_goal {
    nsec_t ttft_ns; /* time to first token */
    nsec_t tpot_ns; /* time per output token; an answer of one token keeps it */
    nsec_t e2el_ns; /* to the last content, of a whole answer to its end */
};

/* The settings of a goal, as a section of a verb's table. */
extern const struct setting llm_goal_settings[];

/* The account of one answer. Zeroed is the beginning. */
struct llm_answer {
    nsec_t first_ns;              /* first content event; 0: none yet */
    nsec_t answer_ns;             /* first one that is not reasoning */
    nsec_t last_ns;               /* latest */
    nsec_t stamp_ns, stamp_rx_ns; /* of the latest event that bore a stamp: written, received */
    uint64_t tokens;              /* counted in output_tokens so far */
    uint32_t events;
    uint32_t prompt_tokens, cached_tokens, reasoning_tokens; /* as usage said last */
    bool answer_cut;                                         /* of its text a part was left out */
    bool has_usage, continuous; /* continuous: in events of content too */
    struct llm_server_times server;
};

/* A content event. reasoning: it brings no part of the answer itself. usage: of this very event. */
void llm_content(struct driver_call *call, struct llm_answer *answer, bool reasoning,
                 const struct llm_usage *usage, nsec_t rx_ns);

/* An event that brought a choice but no content: a role, an empty text, a finish reason. Other
 * tools count it, so a trace has it; nothing else does. */
void llm_empty(struct driver_call *call, nsec_t rx_ns);

/* The event just counted was written by the server at this instant of this machine's monotonic
 * clock (plimsoll-testbed --stamp says so): what lies between is how late it was seen, and how far
 * the gap measured is from the true one. */
void llm_stamp(struct driver_call *call, struct llm_answer *answer, nsec_t stamp_ns, nsec_t rx_ns);

/* Text of the answer, as the inside of a JSON string: kept where a later turn of the conversation
 * repeats it, up to LLM_ANSWER_BYTES; what does not fit any more is left out and counted. */
enum { LLM_ANSWER_BYTES = 1 << 20 };
void llm_answer_text(struct driver_call *call, struct llm_answer *answer, struct span text);

/* What a request asks for, as far as the plan knows it. */
struct llm_asked {
    struct plan_count max_tokens; /* most tokens of the answer; 0: not said. Not owned */
    uint16_t prompt_slot;         /* one more than the slot of its prompt's tokens; 0: not known */
};

/* Counts it beside what the server's usage says of the answer; and which turn this was. */
void llm_compare(struct driver_call *call, const struct llm_answer *answer,
                 const struct llm_asked *asked);

/* Counts of tokens that came without content, or with a whole reply. */
void llm_usage(struct driver_call *call, struct llm_answer *answer, const struct llm_usage *usage);

/* The stream was read to its end, successfully or not: what is known only now is counted. */
void llm_stream_end(struct driver_call *call, struct llm_answer *answer);

/* The same for a reply that came whole. */
void llm_reply_end(struct driver_call *call, struct llm_answer *answer);

/* Judges an answer that ended: good, or missed. Nothing where nothing is asked.
 *
 *   answer   not looked at when it failed
 *   failed   it failed, by its status or by what it says, or never came whole
 *   end_ns   its last byte */
void llm_judge(struct driver_call *call, const struct llm_answer *answer,
               const struct llm_goal *goal, bool failed, nsec_t end_ns);

/* Adds to one of the counters. */
static inline void llm_count(struct driver_call *call, enum llm_counter counter, uint64_t more)
{
    tally_count(call->tally, call->first_counter + counter, more);
}

#endif
