/* One pass over a reply; see openai_reply.h.
 *
 * Facts on servers: `reasoning_content` is what DeepSeek, SGLang, llama.cpp and older vLLM send,
 * `reasoning` newer vLLM and OpenRouter; usage stands in the last chunk with a choice (llama.cpp)
 * or in one of its own with `choices: []` (OpenAI, vLLM), and is `null` elsewhere; errors are
 * `{"error": {"message": ...}}`, `{"error": "..."}`, or vLLM's older `{"object": "error",
 * "message": ...}`. */
#include "plug/driver/openai_reply.h"

#include "wire/json_pull.h"

#include <string.h>

/* Content is a text, or a list of parts of which some are texts. */
static bool pull_content(struct json_pull *pull, struct span *text)
{
    bool found = false;
    struct span name;
    if (json_pull_kind(pull) != JSON_ARRAY)
        return json_pull_text(pull, text);
    for (json_pull_array(pull); json_pull_element(pull);) {
        if (!json_pull_object(pull))
            continue;
        while (json_pull_member(pull, &name)) {
            if (json_pull_is(name, "text"))
                found = json_pull_text(pull, text) || found;
            else
                json_pull_skip(pull);
        }
    }
    return found;
}

/* Whether a call of a tool brings a part of its name or arguments. */
static bool pull_call(struct json_pull *pull)
{
    bool found = false;
    struct span name;
    if (!json_pull_object(pull))
        return false;
    while (json_pull_member(pull, &name)) {
        if (json_pull_is(name, "function"))
            found = pull_call(pull) || found;
        else if (json_pull_is(name, "arguments") || json_pull_is(name, "name"))
            found = json_pull_text(pull, NULL) || found;
        else
            json_pull_skip(pull);
    }
    return found;
}

static bool pull_calls(struct json_pull *pull)
{
    bool found = false;
    if (json_pull_array(pull))
        while (json_pull_element(pull))
            found = pull_call(pull) || found;
    return found;
}

/* A delta, or the message of a whole reply. */
static void pull_delta(struct json_pull *pull, struct openai_reply *reply)
{
    struct span name;
    if (!json_pull_object(pull))
        return;
    while (json_pull_member(pull, &name)) {
        if (json_pull_is(name, "content") || json_pull_is(name, "refusal"))
            reply->content = pull_content(pull, &reply->text) || reply->content;
        else if (json_pull_is(name, "reasoning_content") || json_pull_is(name, "reasoning"))
            reply->reasoning = pull_content(pull, NULL) || reply->reasoning;
        else if (json_pull_is(name, "tool_calls"))
            reply->content = pull_calls(pull) || reply->content;
        else if (json_pull_is(name, "function_call"))
            reply->content = pull_call(pull) || reply->content;
        else
            json_pull_skip(pull);
    }
}

static void pull_choices(struct json_pull *pull, struct openai_reply *reply)
{
    struct span name;
    if (!json_pull_array(pull))
        return;
    while (json_pull_element(pull)) {
        reply->choice = true;
        if (!json_pull_object(pull))
            continue;
        while (json_pull_member(pull, &name)) {
            if (json_pull_is(name, "delta") || json_pull_is(name, "message"))
                pull_delta(pull, reply);
            else if (json_pull_is(name, "text")) /* of completions */
                reply->content = json_pull_text(pull, &reply->text) || reply->content;
            else if (json_pull_is(name, "finish_reason"))
                reply->finished = json_pull_text(pull, NULL) || reply->finished;
            else
                json_pull_skip(pull);
        }
    }
}

/* prompt_tokens_details, completion_tokens_details */
static void pull_details(struct json_pull *pull, struct llm_usage *usage)
{
    struct span name;
    if (!json_pull_object(pull))
        return;
    while (json_pull_member(pull, &name)) {
        if (json_pull_is(name, "reasoning_tokens"))
            json_pull_uint(pull, &usage->reasoning_tokens);
        else if (json_pull_is(name, "cached_tokens"))
            json_pull_uint(pull, &usage->cached_tokens);
        else
            json_pull_skip(pull);
    }
}

static void pull_usage(struct json_pull *pull, struct llm_usage *usage)
{
    struct span name;
    if (!json_pull_object(pull))
        return;
    while (json_pull_member(pull, &name)) {
        if (json_pull_is(name, "prompt_tokens"))
            usage->given = json_pull_uint(pull, &usage->prompt_tokens) || usage->given;
        else if (json_pull_is(name, "completion_tokens"))
            usage->given = json_pull_uint(pull, &usage->output_tokens) || usage->given;
        else if (json_pull_is(name, "reasoning_tokens"))
            json_pull_uint(pull, &usage->reasoning_tokens);
        else if (json_pull_is(name, "prompt_tokens_details") ||
                 json_pull_is(name, "completion_tokens_details"))
            pull_details(pull, usage);
        else
            json_pull_skip(pull);
    }
}

static nsec_t pull_milliseconds(struct json_pull *pull)
{
    double number = 0;
    struct json_value value = json_pull_value(pull);
    if (value.kind != JSON_NUMBER || json_number(value, &number) || !(number >= 0) || number > 1e12)
        return 0;
    return (nsec_t)(number * 1e6);
}

static void pull_timings(struct json_pull *pull, struct llm_server_times *server)
{
    struct span name;
    if (!json_pull_object(pull))
        return;
    while (json_pull_member(pull, &name)) {
        if (json_pull_is(name, "prompt_ms"))
            server->prompt_ns = pull_milliseconds(pull);
        else if (json_pull_is(name, "predicted_ms"))
            server->decode_ns = pull_milliseconds(pull);
        else
            json_pull_skip(pull);
    }
}

static void pull_error(struct json_pull *pull, struct openai_reply *reply)
{
    struct span name;
    enum json_kind kind = json_pull_kind(pull);
    if (kind == JSON_NULL || kind == JSON_ABSENT) {
        json_pull_skip(pull);
        return;
    }
    reply->failed = true;
    if (kind != JSON_OBJECT) {
        reply->words = json_pull_value(pull).raw;
        return;
    }
    for (json_pull_object(pull); json_pull_member(pull, &name);) {
        struct json_value value = json_pull_value(pull);
        if (json_pull_is(name, "message") && value.kind == JSON_STRING)
            reply->words = value.raw;
    }
}

void openai_reply_read(struct span bytes, struct openai_reply *reply)
{
    struct json_pull pull = json_pull_of(bytes);
    struct span name, message = {.at = "", .bytes = 0};
    bool object_error = false;
    *reply = (struct openai_reply){.words = {.at = "", .bytes = 0}};
    if (json_pull_object(&pull)) {
        while (json_pull_member(&pull, &name)) {
            if (json_pull_is(name, "choices"))
                pull_choices(&pull, reply);
            else if (json_pull_is(name, "usage"))
                pull_usage(&pull, &reply->usage);
            else if (json_pull_is(name, "error"))
                pull_error(&pull, reply);
            else if (json_pull_is(name, "timings"))
                pull_timings(&pull, &reply->server);
            else if (json_pull_is(name, "stamp_ns"))
                json_pull_uint(&pull, &reply->stamp_ns);
            else if (json_pull_is(name, "object"))
                object_error = span_equal(json_pull_value(&pull).raw, SPAN("error"));
            else if (json_pull_is(name, "message") || json_pull_is(name, "detail"))
                message = json_pull_value(&pull).raw;
            else
                json_pull_skip(&pull);
        }
    } else {
        pull.broken = true;
    }
    reply->broken = !json_pull_ended(&pull);
    if (object_error && !reply->failed)
        reply->failed = true;
    if (!reply->words.bytes)
        reply->words = message;
}

void openai_reply_read_tail(struct span bytes, struct openai_reply *reply)
{
    static const char mark[] = "\"usage\"";
    *reply = (struct openai_reply){.words = {.at = "", .bytes = 0}};
    const char *found = NULL, *at = bytes.at, *end = bytes.at + bytes.bytes;
    while (at < end && (at = memmem(at, (size_t)(end - at), mark, sizeof mark - 1)))
        found = at++;
    if (!found)
        return;
    found += sizeof mark - 1;
    while (found < end && (*found == ':' || *found == ' '))
        found++;
    struct json_pull pull =
        json_pull_of((struct span){.at = found, .bytes = (size_t)(end - found)});
    pull_usage(&pull, &reply->usage);
}
