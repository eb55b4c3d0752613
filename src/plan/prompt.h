/* plan/prompt.h - prompts that a plan does not write out: made to a number of tokens, taken from a
 * file of conversations, or shaped by a trace.
 *
 * A prompt is a function of the seed and its number (that of the arrival, or of the user and its
 * iteration, or of a row): the same for any number of threads, and written
 * into a text that keeps its room, so that a loop thread allocates nothing once it is large enough.
 *
 *   Tokens   Synthetic text is words of three letters. Each of the 256, with the blank before it,
 *            is one token for the tokenizers o200k, cl100k, p50k and r50k (OpenAI), of Llama 2 and
 *            of Llama 3 (measured: 2,000 random words were 2,000 tokens in all six), and 4 bytes,
 *            which is what servers without a tokenizer take for one. Other tokenizers may differ,
 *            and chat templates add some: the server's usage is what is reported, beside what was
 *            asked for. Text from files is estimated at 4 bytes a token. */
#ifndef PLAN_PROMPT_H
#define PLAN_PROMPT_H

#include "base/clock.h"
#include "base/text.h"
#include "stat/distribution.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    PROMPT_TOKENS_MOST = 1 << 20, /* of one prompt; longer draws are cut to it */
    PROMPT_BYTES_A_TOKEN = 4,     /* of synthetic text, and the estimate for other text */
    PROMPT_TURNS_MOST = 1000      /* of one conversation */
};

enum prompt_source { PROMPT_SYNTHETIC, PROMPT_DATASET, PROMPT_TRACE };

/* What of a prompt a template may name: NAME.next (or .prompt), .tokens, .output, .messages. */
enum prompt_column { PROMPT_TEXT, PROMPT_TOKENS, PROMPT_OUTPUT, PROMPT_MESSAGES };

enum prompt_role { ROLE_SYSTEM, ROLE_USER, ROLE_ASSISTANT };

/* A message of a conversation out of a file. */
struct prompt_message {
    struct span words;
    enum prompt_role role;
};

/* A conversation out of a file: one or several messages, at least one of them the user's. */
struct prompt_dialog {
    uint32_t first, count; /* in plan_prompts.messages */
    uint32_t output;       /* tokens of the answer, as the file says; 0: it does not */
    uint32_t users;        /* messages of the user */
    bool whole;            /* one request sends all up to the user's last message (a list of
                              messages); else up to the first (a conversation to be replayed) */
};

/* A request of a trace. */
struct prompt_arrival {
    nsec_t at_ns; /* after the trace's beginning; never less than that of the one before */
    uint32_t tokens, output;           /* 0: the trace does not say */
    uint32_t first_block, block_count; /* in plan_prompts.blocks: texts that others share */
};

/* What a data entry of prompts says. Owner: the plan. */
struct plan_prompts {
    enum prompt_source source;
    struct distribution tokens; /* of a prompt, without its fixed prefix */
    struct distribution output; /* of an answer, where the data does not say */
    struct distribution turns;  /* of a conversation; SPREAD_NONE: one request, no conversation */
    double shared_prefix;       /* share of a prompt's tokens that begin with a shared text */
    uint64_t prefix_tokens;     /* or so many tokens of it before the prompt's own */
    uint64_t prefixes;          /* how many shared texts there are; each prompt has one of them */
    uint64_t context_tokens;    /* most of a conversation; its oldest turns are left out beyond */
    uint64_t block_tokens;      /* of a block of a trace */
    uint32_t typical_output;    /* mean of those the file gives; 0: it gives none */
    bool has_output;            /* NAME.output is known for every prompt */
    struct prompt_message *messages;
    struct prompt_dialog *dialogs;
    size_t dialog_count, left_out; /* left out by filters */
    struct prompt_arrival *arrivals;
    size_t arrival_count, unsorted; /* unsorted: earlier than the one before it in the file */
    uint64_t *blocks;
    char *bytes; /* that messages point into */
};

/* Frees it; NULL is fine. Returns NULL. */
struct plan_prompts *plan_prompts_free(struct plan_prompts *prompts);

/* Which prompt is meant. */
struct prompt_place {
    uint64_t key;        /* of the run's seed, the data entry and the scenario */
    uint64_t shared_key; /* of the seed and the data entry: what scenarios share */
    uint64_t number;     /* of the prompt; of a file or trace its row, from 0 */
    uint32_t turn;       /* of the conversation, from 0 */
};

/* Appends `count` words of the endless text of a key, beginning with its word `first`, each after a
 * blank unless `out` is empty. */
void prompt_words(uint64_t key, uint64_t first, uint64_t count, struct text *out);

/* Tokens of a text by its bytes, at least 1. */
uint32_t prompt_estimate(struct span words);

/* How many turns the conversation at a place has; 1 where there are no conversations. */
uint32_t prompt_turns(const struct plan_prompts *prompts, const struct prompt_place *place);

/* Tokens of the prompt (of this turn), shared ones included. */
uint32_t prompt_tokens(const struct plan_prompts *prompts, const struct prompt_place *place);
/* Tokens of the answer as the data says; 0: it does not. */
uint32_t prompt_known_output(const struct plan_prompts *prompts, const struct prompt_place *place);
/* Tokens wanted of the answer, at least 1; has_output must hold. */
uint32_t prompt_output(const struct plan_prompts *prompts, const struct prompt_place *place);
/* Appends the prompt's text. */
void prompt_text(const struct plan_prompts *prompts, const struct prompt_place *place,
                 struct text *out);

/* Writes the messages of the first request of a conversation, as a JSON list. */
void prompt_messages(const struct plan_prompts *prompts, const struct prompt_place *place,
                     struct text *out);
/* Adds an answer (the inside of a JSON string) and the user's message of place->turn to the list.
 * Where it grows beyond the limit of the context, the oldest turns are left out, whole and never a
 * system message. Returns whether some were. */
bool prompt_messages_go_on(const struct plan_prompts *prompts, const struct prompt_place *place,
                           struct span answer, struct text *list);

/* Bytes that hold most prompts of this kind, so that a slot may be sized beforehand. */
size_t prompt_room(const struct plan_prompts *prompts, enum prompt_column column);

#endif
