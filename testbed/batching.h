/* testbed/batching.h - continuous batching, as servers of language models do, by arithmetic alone.
 *
 * Work goes in steps. At each boundary, waiting sequences are admitted in order while there is a
 * slot and room in the KV cache for the prompt and the whole answer (so that none is put out
 * again). A step with b sequences, of which the newly admitted bring p prompt tokens, lasts
 *
 *     p / prefill_rate + a + c * b
 *
 * and at its end each of the b has one token more. A sequence that has all of its tokens leaves at
 * that boundary. The next step begins where this one ended, by computation: a late timer delays
 * the tokens of one step and never the next step. An idle server begins a step at the arrival.
 *
 * That is what KV_WAIT does with a full cache. Under KV_PREEMPT room is taken as it is needed: a
 * sequence is admitted when its prompt and the next tokens of all fit, and when a step's tokens do
 * not fit any more, the sequence that came last is put back to the front of the queue; its cache is
 * given up, to be read again with what it had made (as vLLM does).
 *
 * With overhead_ns, a sequence may be admitted that much after its arrival and not before: what it
 * spends on the way through a balancer, a template and a tokeniser, holding no slot.
 *
 *   Checked  test/unit/testbed/batching.c, against steps worked out by hand. */
#ifndef TESTBED_BATCHING_H
#define TESTBED_BATCHING_H

#include "base/list.h"
#include "testbed/testbed.h"

struct batching;

/* One sequence; lives inside what waits for it. */
struct sequence {
    struct list node;
    uint64_t number;
    nsec_t arrival_ns, ready_ns, begin_ns; /* ready: may have a slot; begin: of its first step */
    nsec_t first_ns, last_ns; /* kept by who is told: of its first and its latest token */
    uint64_t prompt_tokens, tokens, made;
    bool running;
};

/* Told at the boundary of a step, once for each sequence in it, in order of admission. */
typedef void batching_token_fn(void *self, struct sequence *sequence, nsec_t boundary_ns);

/* A step that is over. */
struct batching_step {
    nsec_t begin_ns, end_ns;
    uint64_t sequences, prompt_tokens;
};
typedef void batching_step_fn(void *self, const struct batching_step *step);

/* Makes one. Owner: caller. */
struct batching *batching_new(const struct batching_options *options, uint64_t queue_limit,
                              batching_token_fn *token, void *self);
/* Frees it; all sequences must have left; NULL is fine; returns NULL. */
struct batching *batching_free(struct batching *batching);

/* From now on told of each step before its tokens are, with the same self. */
void batching_on_step(struct batching *batching, batching_step_fn *stepped);

enum { BATCHING_FULL = 1, BATCHING_TOO_LONG = 2, BATCHING_OUT_OF_MEMORY = 3 };

/* Takes in a sequence with prompt_tokens and tokens (at least 1) set. Returns 0, BATCHING_FULL
 * (queue_limit wait already), BATCHING_TOO_LONG (it could never fit the KV cache) or
 * BATCHING_OUT_OF_MEMORY (of a GPU that fails: it does not fit beside all that are inside). */
int batching_arrive(struct batching *batching, struct sequence *sequence, nsec_t arrival_ns);
/* Takes out a sequence whose client has gone, waiting or running. */
void batching_abandon(struct batching *batching, struct sequence *sequence);

/* When the present step began, or will (all that arrived is not ready yet). */
nsec_t batching_begin(const struct batching *batching);
/* When the present step ends; NSEC_NEVER when idle. */
nsec_t batching_boundary(const struct batching *batching);
/* Ends all steps whose boundary is at most now. A sequence whose last token is told has left. */
void batching_advance(struct batching *batching, nsec_t now_ns);

/* Prompt tokens of those admitted in the present step. */
uint64_t batching_prefill(const struct batching *batching);
/* Sequences in the present step. */
uint64_t batching_running(const struct batching *batching);
/* Sequences that wait for a slot, or for the present step to end. */
uint64_t batching_waiting(const struct batching *batching);
/* Prompts and answers so far of the running sequences. */
uint64_t batching_kv_tokens(const struct batching *batching);
/* How often a sequence was put back so far. */
uint64_t batching_preemptions(const struct batching *batching);
/* Sequences accepted so far. */
uint64_t batching_arrivals(const struct batching *batching);

#endif
