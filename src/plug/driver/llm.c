/* The account of an answer; see llm.h.
 *
 * Output tokens are counted as they come, so that a long stream counts in the seconds in which it
 * was received and not in the one in which it ended: one a content event at first. When usage
 * comes, the count is brought to what it says. */
#include "plug/driver/llm.h"

#include "plan/setting.h"

/* A stream is a burst when it waits for nearly all of its time and then comes at once: what an
 * intermediary that collects the stream before passing it on makes of it. */
enum { BURST_EVENTS = 8, BURST_PART = 20 /* of the whole */ };
#define BURST_GAP_NS (1 * NSEC_PER_MSEC)

#define COUNTER(number, is, of, what) [number] = METRIC_ROW(METRIC_COUNTER, is, of, what, "driver")

#define HIST(number, is, what)                                                                     \
    [LLM_COUNTERS + (number)] = METRIC_ROW(METRIC_HISTOGRAM, is, "ns", what, "driver")

enum { LLM_COUNTERS = LLM_ANSWERS_CUT + 1 };

const struct metric llm_metrics[] = {
    COUNTER(LLM_STREAMS, "streams", "requests", "Answers that came as a stream and ended."),
    COUNTER(LLM_CONTENT_EVENTS, "content_events", "events",
            "Events that brought answer text, reasoning or arguments of a tool call."),
    COUNTER(LLM_OUTPUT_TOKENS, "output_tokens", "tokens",
            "Tokens received: by the server's usage, else one a content event; counted when they "
            "come, corrected when usage comes. Reasoning is among them."),
    COUNTER(LLM_PROMPT_TOKENS, "prompt_tokens", "tokens",
            "Tokens of prompts, by the server's usage; nothing where it gives none."),
    COUNTER(LLM_CACHED_TOKENS, "cached_tokens", "tokens",
            "Those of prompt_tokens that the server says it took from its prefix cache."),
    COUNTER(LLM_REASONING_TOKENS, "reasoning_tokens", "tokens",
            "Those of output_tokens that the server says were reasoning."),
    COUNTER(LLM_TOKENS_CONTINUOUS, "tokens_from_continuous_usage", "requests",
            "Answers whose tokens were counted by usage in every event."),
    COUNTER(LLM_TOKENS_USAGE, "tokens_from_usage", "requests",
            "Answers whose tokens were counted by usage at their end."),
    COUNTER(LLM_TOKENS_EVENTS, "tokens_from_events", "requests",
            "Answers without usage, whose content events were counted as tokens."),
    COUNTER(LLM_EMPTY_STREAMS, "empty_streams", "requests",
            "Streams that ended without any content event."),
    COUNTER(LLM_UNSTREAMED, "unstreamed", "requests",
            "Answers that came whole although a stream was asked for."),
    COUNTER(LLM_BURSTS, "burst_streams", "requests",
            "Streams of at least 8 content events that all came in the last twentieth of the time "
            "since the request was sent, less than 1 ms apart on average: something on the way "
            "collects streams."),
    COUNTER(LLM_TRUNCATED_STREAMS, "truncated_streams", "requests",
            "Streams that ended without a finish reason and without [DONE]; they failed."),
    COUNTER(LLM_TRUNCATED_PROMPTS, "truncated_prompts", "requests",
            "Answers whose usage counts fewer prompt tokens than the plan says the prompt has."),
    COUNTER(LLM_REPLY_ERRORS, "reply_errors", "requests",
            "Replies of status 200 that say they failed; they are failures of kind protocol."),
    COUNTER(LLM_BROKEN_EVENTS, "broken_events", "events",
            "Events and answers that were not of the protocol; their requests failed."),
    COUNTER(LLM_GOOD, "good", "requests",
            "Answers that kept every objective of their goodput: time to first token, time per "
            "output token and time to the last content, each from the intended start."),
    COUNTER(LLM_MISSED, "missed", "requests",
            "Requests with such objectives whose answer did not, or that failed."),
    COUNTER(LLM_ASKED_PROMPT, "asked_prompt_tokens", "tokens",
            "Tokens that prompts were made to have, of requests whose answer counts them; without "
            "what the plan's own words and the server's template add."),
    COUNTER(LLM_COUNTED_PROMPT, "counted_prompt_tokens", "tokens",
            "Tokens of the same prompts, by the server's usage."),
    COUNTER(LLM_ASKED_OUTPUT, "asked_output_tokens", "tokens",
            "Most tokens that answers were allowed, of those whose usage came."),
    COUNTER(LLM_COUNTED_OUTPUT, "counted_output_tokens", "tokens",
            "Tokens of the same answers, by the server's usage."),
    COUNTER(LLM_LATER_TURNS, "later_turns", "requests",
            "Requests that were the second or a later turn of a conversation."),
    COUNTER(LLM_FORGOTTEN, "forgetful_turns", "requests",
            "Those of later_turns whose conversation had lost its oldest turns to max_context."),
    COUNTER(LLM_ANSWERS_CUT, "answers_cut", "requests",
            "Answers of which a later turn repeats a part only: they were longer than 1 MiB, or "
            "came whole and longer than 64 KiB."),
    HIST(LLM_TTFT, "ttft",
         "Time to first token: from the intended start to the first content event; of every answer "
         "that brought one, also when it failed later."),
    HIST(LLM_TTFT_SERVICE, "ttft_service", "The same from the instant the request was sent."),
    HIST(LLM_TTFAT, "ttfat",
         "Time to first answer token: from the intended start to the first content event that is "
         "not reasoning."),
    HIST(LLM_ITL, "itl",
         "Inter-token latency: from one content event to the next of the same answer; 0 between "
         "events that came in one read. All events of all answers weigh the same."),
    HIST(LLM_ITL_TOKEN, "itl_token",
         "The same divided by the tokens of the later event, once a token; only where the server "
         "sends usage with every event."),
    HIST(LLM_TPOT, "tpot",
         "Time per output token of an answer: (last content - first content) / (tokens - 1); of "
         "answers that succeeded with at least two content events."),
    HIST(LLM_E2E_CONTENT, "e2e_content",
         "From the intended start to the last content event, of streams that succeeded; to the end "
         "of the stream is the response time."),
    HIST(LLM_SERVER_LOAD, "server_load", "What the server says loading the model took."),
    HIST(LLM_SERVER_PROMPT, "server_prompt", "What the server says reading the prompt took."),
    HIST(LLM_SERVER_DECODE, "server_decode", "What the server says making the tokens took."),
    HIST(LLM_STAMP_LAG, "stamp_lag",
         "From the instant at which the server wrote a content event to its receipt; only where "
         "events bear stamps of this machine's monotonic clock (plimsoll-testbed --stamp)."),
    HIST(LLM_ITL_ERROR, "itl_error",
         "How far a measured gap between content events is from the gap between their stamps; only "
         "where they bear such stamps."),
    HIST(LLM_TTFT_ERROR, "ttft_error",
         "How much later than its stamp the first token of an answer was seen, which is the error "
         "of its time to first token; only where events bear such stamps."),
    {.name = NULL},
};

static void time_it(struct driver_call *call, enum llm_hist hist, nsec_t value_ns)
{
    tally_time(call->tally, call->first_hist + hist, value_ns);
}

/* Brings the count of this answer to a total. What was counted too many is taken back from the
 * present interval, as far as that has so many. */
static void count_to(struct driver_call *call, struct llm_answer *answer, uint64_t total)
{
    uint64_t *counter = &call->tally->counters[call->first_counter + LLM_OUTPUT_TOKENS];
    if (total >= answer->tokens) {
        *counter += total - answer->tokens;
    } else {
        uint64_t excess = answer->tokens - total;
        *counter -= excess < *counter ? excess : *counter;
    }
    answer->tokens = total;
}

static void keep_usage(struct llm_answer *answer, const struct llm_usage *usage)
{
    answer->has_usage = true;
    answer->prompt_tokens = (uint32_t)usage->prompt_tokens;
    answer->cached_tokens = (uint32_t)usage->cached_tokens;
    answer->reasoning_tokens = (uint32_t)usage->reasoning_tokens;
}

/* The tokens that this event brought, when it says so; else 0. */
static uint32_t event_tokens(struct driver_call *call, struct llm_answer *answer,
                             const struct llm_usage *usage)
{
    if (!usage->given) {
        llm_count(call, LLM_OUTPUT_TOKENS, 1);
        answer->tokens++;
        return 0;
    }
    uint64_t before = answer->tokens;
    bool known = answer->events == 0 || answer->continuous;
    keep_usage(answer, usage);
    answer->continuous = known;
    count_to(call, answer, usage->output_tokens);
    return known && usage->output_tokens > before ? (uint32_t)(usage->output_tokens - before) : 0;
}

void llm_content(struct driver_call *call, struct llm_answer *answer, bool reasoning,
                 const struct llm_usage *usage, nsec_t rx_ns)
{
    uint32_t tokens = event_tokens(call, answer, usage);
    llm_count(call, LLM_CONTENT_EVENTS, 1);
    if (call->trace)
        trace_chunk(call->trace, call->trace_slot,
                    reasoning ? TRACE_CHUNK_REASONING : TRACE_CHUNK_CONTENT, tokens, rx_ns);
    if (answer->events++ == 0) {
        answer->first_ns = rx_ns;
        time_it(call, LLM_TTFT, rx_ns - call->intended_ns);
        time_it(call, LLM_TTFT_SERVICE, rx_ns - call->sent_ns);
    } else {
        time_it(call, LLM_ITL, rx_ns - answer->last_ns);
        if (tokens)
            hist_record_many(tally_hist(call->tally, call->first_hist + LLM_ITL_TOKEN),
                             (rx_ns - answer->last_ns) / tokens, tokens);
    }
    if (!reasoning && !answer->answer_ns) {
        answer->answer_ns = rx_ns;
        time_it(call, LLM_TTFAT, rx_ns - call->intended_ns);
    }
    answer->last_ns = rx_ns;
}

void llm_empty(struct driver_call *call, nsec_t rx_ns)
{
    if (call->trace)
        trace_chunk(call->trace, call->trace_slot, TRACE_CHUNK_EMPTY, 0, rx_ns);
}

void llm_stamp(struct driver_call *call, struct llm_answer *answer, nsec_t stamp_ns, nsec_t rx_ns)
{
    time_it(call, LLM_STAMP_LAG, rx_ns - stamp_ns);
    if (answer->stamp_ns) {
        nsec_t error_ns = (rx_ns - answer->stamp_rx_ns) - (stamp_ns - answer->stamp_ns);
        time_it(call, LLM_ITL_ERROR, error_ns < 0 ? -error_ns : error_ns);
    } else {
        time_it(call, LLM_TTFT_ERROR, rx_ns - stamp_ns);
    }
    answer->stamp_ns = stamp_ns;
    answer->stamp_rx_ns = rx_ns;
}

void llm_usage(struct driver_call *call, struct llm_answer *answer, const struct llm_usage *usage)
{
    keep_usage(answer, usage);
    count_to(call, answer, usage->output_tokens);
}

static bool is_burst(const struct driver_call *call, const struct llm_answer *answer)
{
    nsec_t whole_ns = answer->last_ns - call->sent_ns;
    nsec_t content_ns = answer->last_ns - answer->first_ns;
    return answer->events >= BURST_EVENTS && content_ns < whole_ns / BURST_PART &&
           content_ns < (nsec_t)(answer->events - 1) * BURST_GAP_NS;
}

static void trace_answer(struct driver_call *call, const struct llm_answer *answer)
{
    enum trace_source source = answer->events ? TRACE_SOURCE_EVENTS : TRACE_SOURCE_NONE;
    if (answer->has_usage)
        source = answer->continuous ? TRACE_SOURCE_CONTINUOUS : TRACE_SOURCE_USAGE;
    if (call->trace)
        trace_tokens(call->trace, call->trace_slot, source, answer->prompt_tokens,
                     (uint32_t)answer->tokens);
}

static void count_usage(struct driver_call *call, const struct llm_answer *answer)
{
    trace_answer(call, answer);
    llm_count(call, LLM_PROMPT_TOKENS, answer->prompt_tokens);
    llm_count(call, LLM_CACHED_TOKENS, answer->cached_tokens);
    llm_count(call, LLM_REASONING_TOKENS, answer->reasoning_tokens);
    if (answer->server.load_ns)
        time_it(call, LLM_SERVER_LOAD, answer->server.load_ns);
    if (answer->server.prompt_ns)
        time_it(call, LLM_SERVER_PROMPT, answer->server.prompt_ns);
    if (answer->server.decode_ns)
        time_it(call, LLM_SERVER_DECODE, answer->server.decode_ns);
}

void llm_stream_end(struct driver_call *call, struct llm_answer *answer)
{
    llm_count(call, LLM_STREAMS, 1);
    count_usage(call, answer);
    if (answer->events == 0)
        llm_count(call, LLM_EMPTY_STREAMS, 1);
    else if (answer->has_usage)
        llm_count(call, answer->continuous ? LLM_TOKENS_CONTINUOUS : LLM_TOKENS_USAGE, 1);
    else
        llm_count(call, LLM_TOKENS_EVENTS, 1);
    if (is_burst(call, answer))
        llm_count(call, LLM_BURSTS, 1);
    if (answer->events)
        time_it(call, LLM_E2E_CONTENT, answer->last_ns - call->intended_ns);
    if (answer->events > 1 && answer->tokens > 1)
        time_it(call, LLM_TPOT,
                (answer->last_ns - answer->first_ns) / (nsec_t)(answer->tokens - 1));
}

void llm_answer_text(struct driver_call *call, struct llm_answer *answer, struct span text)
{
    if (!call->answer || answer->answer_cut || text.bytes == 0)
        return;
    answer->answer_cut = call->answer->bytes + text.bytes > LLM_ANSWER_BYTES;
    if (!answer->answer_cut)
        text_put(call->answer, text);
}

/* The number that a count is for this request; 0: none. */
static uint64_t number_of(const struct driver_call *call, const struct plan_count *count)
{
    struct text *scratch = call->scratch;
    uint64_t number = 0;
    size_t at = scratch->bytes;
    if (!count->hole)
        return count->value;
    template_render(count->hole, call->slots, scratch);
    if (span_uint((struct span){scratch->at + at, scratch->bytes - at}, &number))
        number = 0;
    scratch->bytes = at;
    return number;
}

void llm_compare(struct driver_call *call, const struct llm_answer *answer,
                 const struct llm_asked *asked)
{
    uint64_t tokens = 0, most = number_of(call, &asked->max_tokens);
    if (call->turn > 0)
        llm_count(call, LLM_LATER_TURNS, 1);
    if (call->forgot)
        llm_count(call, LLM_FORGOTTEN, 1);
    if (answer->answer_cut)
        llm_count(call, LLM_ANSWERS_CUT, 1);
    if (!answer->has_usage)
        return;
    if (asked->prompt_slot && answer->prompt_tokens &&
        span_uint(call->slots[asked->prompt_slot - 1], &tokens) == 0) {
        llm_count(call, LLM_ASKED_PROMPT, tokens);
        llm_count(call, LLM_COUNTED_PROMPT, answer->prompt_tokens);
    }
    if (most) {
        llm_count(call, LLM_ASKED_OUTPUT, most);
        llm_count(call, LLM_COUNTED_OUTPUT, answer->tokens);
    }
}

void llm_reply_end(struct driver_call *call, struct llm_answer *answer)
{
    count_usage(call, answer);
    if (answer->has_usage)
        llm_count(call, LLM_TOKENS_USAGE, 1);
}

/* ---- goodput ----------------------------------------------------------------------------------
 */

#define GOAL(key, member, words)                                                                   \
    {                                                                                              \
        .name = (key), .type = SETTING_DURATION, .offset = offsetof(struct llm_goal, member),      \
        .sentence = (words)                                                                        \
    }

const struct setting llm_goal_settings[] = {
    GOAL("ttft", ttft_ns, "longest time to first token of a good answer"),
    GOAL("tpot", tpot_ns, "longest time per output token of a good answer"),
    GOAL("e2el", e2el_ns, "longest time to the last content of a good answer"),
    {.name = NULL},
};

static bool keeps(const struct driver_call *call, const struct llm_answer *answer,
                  const struct llm_goal *goal, nsec_t end_ns)
{
    nsec_t last_ns = answer->events ? answer->last_ns : end_ns;
    nsec_t gaps = answer->tokens > 1 ? (nsec_t)(answer->tokens - 1) : 1;
    if (goal->ttft_ns && (!answer->events || answer->first_ns - call->intended_ns > goal->ttft_ns))
        return false;
    if (goal->tpot_ns && (last_ns - answer->first_ns) / gaps > goal->tpot_ns && answer->events)
        return false;
    return !goal->e2el_ns || last_ns - call->intended_ns <= goal->e2el_ns;
}

void llm_judge(struct driver_call *call, const struct llm_answer *answer,
               const struct llm_goal *goal, bool failed, nsec_t end_ns)
{
    if (!goal->ttft_ns && !goal->tpot_ns && !goal->e2el_ns)
        return;
    bool good = !failed && keeps(call, answer, goal, end_ns);
    llm_count(call, good ? LLM_GOOD : LLM_MISSED, 1);
}
