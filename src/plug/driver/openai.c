/* The OpenAI API and all servers that speak it: vLLM, SGLang, llama.cpp, TGI, Ollama's /v1,
 * gateways.
 *
 * Prompts are different in every request unless the plan gives its own: the same prompt again would
 * be answered from the server's prefix cache, and look far too good. */
#include "plug/driver/driver_list.h"

#include "base/memory.h"
#include "plug/driver/llm.h"
#include "plug/driver/openai.h"

#include <stdlib.h>
#include <string.h>

/* ---- the words of the plan --------------------------------------------------------------------
 */

struct openai_config {
    struct template *url;
    struct plan_headers headers;
    struct template *model, *messages, *prompt, *system, *input;
    struct template *temperature, *stop, *seed, *tools, *response_format, *extra;
    struct plan_count max_tokens;
    uint64_t prompt_tokens;
    struct llm_goal goal;
    bool stream, include_usage, continuous_usage, ignore_eos;
};

#define OPENAI(member) offsetof(struct openai_config, member)

#define JSON_ROW(key, words)                                                                       \
    {                                                                                              \
        .name = #key, .type = SETTING_JSON, .offset = OPENAI(key), .sentence = (words)             \
    }

#define COMMON_ROWS(path)                                                                          \
    {.name = "url",                                                                                \
     .type = SETTING_TEMPLATE,                                                                     \
     .offset = OPENAI(url),                                                                        \
     .unset = (path),                                                                              \
     .aliases = "path",                                                                            \
     .sentence = "path on the target, or a whole URL"},                                            \
    {                                                                                              \
        .name = "headers", .type = SETTING_HEADERS, .offset = OPENAI(headers),                     \
        .sentence = "header lines of this request, beside those of http.headers"                   \
    }

#define MODEL_ROW                                                                                  \
    {                                                                                              \
        .name = "model", .type = SETTING_JSON, .offset = OPENAI(model), .unset = "default",        \
        .sentence = "name of the model, as GET /v1/models lists it"                                \
    }

#define PROMPT_ROW                                                                                 \
    {                                                                                              \
        .name = "prompt", .type = SETTING_JSON, .offset = OPENAI(prompt),                          \
        .unset = LLM_PROMPT_WORDS,                                                                 \
        .sentence = "what is asked; a different one each time where it is not given"               \
    }

#define PROMPT_TOKENS_ROW                                                                          \
    {                                                                                              \
        .name = "prompt_tokens", .type = SETTING_UINT, .offset = OPENAI(prompt_tokens),            \
        .unit = "tokens",                                                                          \
        .sentence = "tokens that the prompt has at least; an answer whose usage counts fewer was " \
                    "given to a truncated prompt"                                                  \
    }

#define GOODPUT_ROW                                                                                \
    {                                                                                              \
        .name = "goodput", .type = SETTING_SECTION, .offset = OPENAI(goal),                        \
        .section = llm_goal_settings, .sentence = "what an answer must keep to be counted as good" \
    }

#define EXTRA_ROW JSON_ROW(extra, "map of further members of the body, as the server names them")

#define GENERATION_ROWS                                                                            \
    {.name = "max_tokens",                                                                         \
     .type = SETTING_COUNT,                                                                        \
     .offset = OPENAI(max_tokens),                                                                 \
     .unit = "tokens",                                                                             \
     .sentence = "most tokens of the answer; 0: the server's own limit"},                          \
        {.name = "ignore_eos",                                                                     \
         .type = SETTING_BOOL,                                                                     \
         .offset = OPENAI(ignore_eos),                                                             \
         .unset = "false",                                                                         \
         .sentence = "go on to max_tokens whatever the model says (vLLM, SGLang, llama.cpp)"},     \
        JSON_ROW(temperature, "sampling temperature"),                                             \
        JSON_ROW(stop, "text, or list of texts, that ends the answer"),                            \
        JSON_ROW(seed, "seed of the server's sampling"),                                           \
        {.name = "stream",                                                                         \
         .type = SETTING_BOOL,                                                                     \
         .offset = OPENAI(stream),                                                                 \
         .unset = "false",                                                                         \
         .sentence = "ask for the answer as a stream, token by token"},                            \
        {.name = "include_usage",                                                                  \
         .type = SETTING_BOOL,                                                                     \
         .offset = OPENAI(include_usage),                                                          \
         .unset = "true",                                                                          \
         .sentence = "ask for the counts of tokens at the end of a stream"},                       \
    {                                                                                              \
        .name = "continuous_usage_stats", .type = SETTING_BOOL,                                    \
        .offset = OPENAI(continuous_usage), .unset = "false",                                      \
        .sentence = "ask for the counts of tokens in every event (vLLM)"                           \
    }

static const struct setting chat_settings[] = {
    COMMON_ROWS("/v1/chat/completions"),
    MODEL_ROW,
    JSON_ROW(messages, "the conversation, a list of role and content; in place of prompt"),
    PROMPT_ROW,
    JSON_ROW(system, "system message before the prompt"),
    GENERATION_ROWS,
    JSON_ROW(tools, "tools that the model may call"),
    JSON_ROW(response_format, "form of the answer, such as {type: json_object}"),
    PROMPT_TOKENS_ROW,
    GOODPUT_ROW,
    EXTRA_ROW,
    {.name = NULL},
};

static const struct setting completions_settings[] = {
    COMMON_ROWS("/v1/completions"),
    MODEL_ROW,
    PROMPT_ROW,
    GENERATION_ROWS,
    PROMPT_TOKENS_ROW,
    GOODPUT_ROW,
    EXTRA_ROW,
    {.name = NULL},
};

static const struct setting embeddings_settings[] = {
    COMMON_ROWS("/v1/embeddings"),
    MODEL_ROW,
    {.name = "input",
     .type = SETTING_JSON,
     .offset = OPENAI(input),
     .unset = LLM_PROMPT_WORDS,
     .sentence = "text, or list of texts; a different one each time where it is not given"},
    PROMPT_TOKENS_ROW,
    EXTRA_ROW,
    {.name = NULL},
};

static const struct setting models_settings[] = {COMMON_ROWS("/v1/models"), {.name = NULL}};

#define OPENAI_VERB(name, words, rows)                                                             \
    {                                                                                              \
        .word = (name), .sentence = (words), .settings = (rows),                                   \
        .config_bytes = sizeof(struct openai_config), .shorthand = "url"                           \
    }

static const struct request_verb openai_verbs[] = {
    OPENAI_VERB("openai.chat", "a chat completion", chat_settings),
    OPENAI_VERB("openai.completions", "a completion of a text", completions_settings),
    OPENAI_VERB("openai.embeddings", "the embedding of a text", embeddings_settings),
    OPENAI_VERB("openai.models", "the list of models", models_settings),
    {.word = NULL},
};

/* ---- compiling --------------------------------------------------------------------------------
 */

static void add_messages(const struct openai_config *config, struct llm_body *body)
{
    if (config->messages) {
        llm_body_template(body, "messages", config->messages);
    } else if (config->system) {
        struct span system = template_constant(config->system);
        struct text begin = TEXT_EMPTY;
        text_puts(&begin, "[{\"role\":\"system\",\"content\":");
        text_put(&begin, system);
        text_puts(&begin, "},{\"role\":\"user\",\"content\":");
        llm_body_around(body, "messages", begin.at, config->prompt, "}]");
        text_fini(&begin);
    } else {
        llm_body_around(body, "messages", "[{\"role\":\"user\",\"content\":", config->prompt, "}]");
    }
}

static void add_generation(const struct openai_config *config, struct llm_body *body)
{
    llm_body_count(body, "max_tokens", &config->max_tokens);
    llm_body_template(body, "temperature", config->temperature);
    llm_body_template(body, "stop", config->stop);
    llm_body_template(body, "seed", config->seed);
    llm_body_template(body, "tools", config->tools);
    llm_body_template(body, "response_format", config->response_format);
    if (config->ignore_eos)
        llm_body_words(body, "ignore_eos", SPAN("true"));
    llm_body_words(body, "stream", config->stream ? SPAN("true") : SPAN("false"));
    if (config->stream && config->continuous_usage)
        llm_body_words(body, "stream_options",
                       SPAN("{\"include_usage\":true,\"continuous_usage_stats\":true}"));
    else if (config->stream && config->include_usage)
        llm_body_words(body, "stream_options", SPAN("{\"include_usage\":true}"));
}

/* The body of a verb, or NULL for one that sends none; sets fine to false after an error. */
static struct llm_body *make_body(const struct plan_request *request,
                                  const struct openai_config *config, struct notes *notes,
                                  bool *fine)
{
    const char *verb = strchr(request->verb, '.') + 1;
    if (strcmp(verb, "models") == 0)
        return NULL;
    struct llm_body *body = llm_body_new();
    llm_body_template(body, "model", config->model);
    if (strcmp(verb, "chat") == 0)
        add_messages(config, body);
    else if (strcmp(verb, "completions") == 0)
        llm_body_template(body, "prompt", config->prompt);
    else
        llm_body_template(body, "input", config->input);
    if (strcmp(verb, "embeddings") != 0)
        add_generation(config, body);
    *fine = llm_body_merge(body, "extra", config->extra, notes) && *fine;
    if (config->system && !template_constant(config->system).at) {
        notes_error(notes, "%s: system has holes; write it as the first of messages",
                    request->name);
        *fine = false;
    }
    return body;
}

static void *openai_compile(const struct plan *plan, const struct plan_request *request,
                            struct notes *notes)
{
    const struct openai_config *config = request->config;
    struct openai_request *compiled = memory_new(1, sizeof *compiled);
    bool fine = true;
    compiled->common = (struct llm_request){
        .body = make_body(request, config, notes, &fine),
        .goal = config->goal,
        .asked = {.max_tokens = config->max_tokens, .prompt_slot = request->asked_slot},
        .prompt_tokens = config->prompt_tokens,
    };
    compiled->tokens = compiled->common.body != NULL;
    compiled->choices = compiled->tokens && strcmp(request->verb, "openai.embeddings") != 0;
    compiled->stream = config->stream;
    const struct llm_shape shape = {
        .url = config->url,
        .headers = &config->headers,
        .accept = config->stream ? "text/event-stream" : "application/json",
    };
    if (llm_request_compile(&compiled->common, plan, request, &shape, notes) && fine)
        return compiled;
    llm_request_release(compiled);
    return NULL;
}

const struct driver driver_openai = {
    .name = "openai",
    .sentence = "the OpenAI API: chat, completions, embeddings, models; streamed or whole",
    .verbs = openai_verbs,
    .metrics = llm_metrics,
    .state_bytes = sizeof(struct openai_state),
    .wants_losses = true,
    .compile = openai_compile,
    .release = llm_request_release,
    .origin = llm_request_origin,
    .compose = llm_request_compose,
    .data = openai_data,
    .end = openai_end,
};
