/* One pass over a line; see ollama_reply.h.
 *
 * Facts on the server (docs/api.md of the ollama project): /api/generate gives `response`,
 * /api/chat `message.content`, reasoning stands in `thinking`; the line with `done: true` brings
 * counts (prompt_eval_count, eval_count) and durations in ns. A prompt answered from the cache has
 * no prompt_eval_count. */
#include "plug/driver/ollama_reply.h"

#include "wire/json_pull.h"

#include <string.h>

static bool pull_calls(struct json_pull *pull)
{
    bool found = false;
    if (!json_pull_array(pull))
        return false;
    for (; json_pull_element(pull); found = true)
        json_pull_skip(pull);
    return found;
}

static void pull_message(struct json_pull *pull, struct ollama_reply *reply)
{
    struct span name;
    if (!json_pull_object(pull))
        return;
    while (json_pull_member(pull, &name)) {
        if (json_pull_is(name, "content"))
            reply->content = json_pull_text(pull, &reply->text) || reply->content;
        else if (json_pull_is(name, "thinking"))
            reply->reasoning = json_pull_text(pull, NULL) || reply->reasoning;
        else if (json_pull_is(name, "tool_calls"))
            reply->content = pull_calls(pull) || reply->content;
        else
            json_pull_skip(pull);
    }
}

static nsec_t pull_duration(struct json_pull *pull)
{
    uint64_t number = 0;
    return json_pull_uint(pull, &number) ? (nsec_t)number : 0;
}

static void pull_error(struct json_pull *pull, struct ollama_reply *reply)
{
    struct json_value value = json_pull_value(pull);
    reply->failed = value.kind != JSON_NULL;
    reply->words = value.raw;
}

/* A member of the object; the value ahead is its. */
static void pull_member(struct json_pull *pull, struct span name, struct ollama_reply *reply)
{
    if (json_pull_is(name, "response"))
        reply->content = json_pull_text(pull, &reply->text) || reply->content;
    else if (json_pull_is(name, "thinking"))
        reply->reasoning = json_pull_text(pull, NULL) || reply->reasoning;
    else if (json_pull_is(name, "message"))
        pull_message(pull, reply);
    else if (json_pull_is(name, "done"))
        reply->done = json_pull_value(pull).kind == JSON_TRUE;
    else if (json_pull_is(name, "error"))
        pull_error(pull, reply);
    else if (json_pull_is(name, "eval_count"))
        reply->usage.given =
            json_pull_uint(pull, &reply->usage.output_tokens) || reply->usage.given;
    else if (json_pull_is(name, "prompt_eval_count"))
        reply->usage.given =
            json_pull_uint(pull, &reply->usage.prompt_tokens) || reply->usage.given;
    else if (json_pull_is(name, "load_duration"))
        reply->server.load_ns = pull_duration(pull);
    else if (json_pull_is(name, "prompt_eval_duration"))
        reply->server.prompt_ns = pull_duration(pull);
    else if (json_pull_is(name, "eval_duration"))
        reply->server.decode_ns = pull_duration(pull);
    else
        json_pull_skip(pull);
}

void ollama_reply_read(struct span bytes, struct ollama_reply *reply)
{
    struct json_pull pull = json_pull_of(bytes);
    struct span name;
    *reply = (struct ollama_reply){.words = {.at = "", .bytes = 0}};
    if (json_pull_object(&pull)) {
        while (json_pull_member(&pull, &name))
            pull_member(&pull, name, reply);
    } else {
        pull.broken = true;
    }
    reply->broken = !json_pull_ended(&pull);
}
