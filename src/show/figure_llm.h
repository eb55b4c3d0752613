/* show/figure_llm.h - the figures of answers made of tokens, from the metrics that drivers of such
 * services declare; found by name, since drivers are above this room. */
#ifndef SHOW_FIGURE_LLM_H
#define SHOW_FIGURE_LLM_H

#include "show/figure.h"

struct figure_llm {
    uint64_t streams, content_events;
    uint64_t output_tokens, prompt_tokens, cached_tokens, reasoning_tokens;
    uint64_t from_continuous, from_usage, from_events; /* answers, by the source of their count */
    uint64_t empty, unstreamed, bursts, truncated_streams, truncated_prompts, reply_errors;
    uint64_t asked_prompt, counted_prompt; /* tokens of prompts whose length the plan knows */
    uint64_t asked_output, counted_output; /* most tokens of answers, and what came */
    uint64_t later_turns, forgetful_turns, answers_cut; /* of conversations */
    uint64_t good, judged;           /* answers that kept their goodput; requests that have one */
    double good_rate, good_share;    /* good a second, and of the requests; NAN: none has one */
    double output_rate, prompt_rate; /* tokens a second of the measured time; NAN: none measured */
    double stream_rate;              /* tokens a second that one stream brings while it flows:
                                        1 / mean of tpot; NAN: not known */
    double burst_share;              /* of streams; NAN: no streams */
    struct figure_times ttft, ttft_service, ttfat, itl, itl_token, tpot, e2e_content;
    struct figure_times server_load, server_prompt, server_decode;
};

/* Fills the figures of a sum. Returns false when the run has no such metrics, or none of them
 * counted anything: out is then all zero. */
bool figure_llm(const struct result_sum *sum, const struct metric_table *metrics,
                struct figure_llm *out);

/* Where the counts of tokens come from: "usage", "continuous usage", "events", or several of them
 * with "and"; "no source" when there is none. Owner: caller, free(). */
char *figure_llm_source(const struct figure_llm *figures);

#endif
