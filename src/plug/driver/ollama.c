/* Ollama's own API. Its /v1 paths speak the OpenAI API: use that driver for them.
 *
 * As with all such servers, the same prompt again is answered from a cache; prompts are different
 * in every request unless the plan gives its own. */
#include "plug/driver/ollama.h"

#include "base/memory.h"
#include "plug/driver/driver_list.h"

#include <stdlib.h>
#include <string.h>

/* ---- the words of the plan --------------------------------------------------------------------
 */

struct ollama_config {
    struct template *url;
    struct plan_headers headers;
    struct template *model, *prompt, *system, *messages, *input, *format, *tools, *think;
    struct template *options, *keep_alive, *extra;
    struct plan_count max_tokens;
    uint64_t prompt_tokens;
    struct llm_goal goal;
    bool stream;
};

#define OLLAMA(member) offsetof(struct ollama_config, member)

#define JSON_ROW(key, words)                                                                       \
    {                                                                                              \
        .name = #key, .type = SETTING_JSON, .offset = OLLAMA(key), .sentence = (words)             \
    }

#define COMMON_ROWS(path)                                                                          \
    {.name = "url",                                                                                \
     .type = SETTING_TEMPLATE,                                                                     \
     .offset = OLLAMA(url),                                                                        \
     .unset = (path),                                                                              \
     .aliases = "path",                                                                            \
     .sentence = "path on the target, or a whole URL"},                                            \
    {                                                                                              \
        .name = "headers", .type = SETTING_HEADERS, .offset = OLLAMA(headers),                     \
        .sentence = "header lines of this request, beside those of http.headers"                   \
    }

#define MODEL_ROW                                                                                  \
    {                                                                                              \
        .name = "model", .type = SETTING_JSON, .offset = OLLAMA(model), .unset = "default",        \
        .sentence = "name of the model, as GET /api/tags lists it"                                 \
    }

#define PROMPT_ROW                                                                                 \
    {                                                                                              \
        .name = "prompt", .type = SETTING_JSON, .offset = OLLAMA(prompt),                          \
        .unset = LLM_PROMPT_WORDS,                                                                 \
        .sentence = "what is asked; a different one each time where it is not given"               \
    }

#define SHARED_ROWS                                                                                \
    JSON_ROW(options, "map of the model's options, such as {temperature: 0, num_ctx: 4096}"),      \
        JSON_ROW(keep_alive, "how long the model stays loaded, such as 5m or -1"),                 \
        {.name = "prompt_tokens",                                                                  \
         .type = SETTING_UINT,                                                                     \
         .offset = OLLAMA(prompt_tokens),                                                          \
         .unit = "tokens",                                                                         \
         .sentence = "tokens that the prompt has at least; an answer that counts fewer was given " \
                     "to a truncated prompt, or one from the cache"},                              \
        JSON_ROW(extra, "map of further members of the body, as the server names them")

#define GOODPUT_ROW                                                                                \
    {                                                                                              \
        .name = "goodput", .type = SETTING_SECTION, .offset = OLLAMA(goal),                        \
        .section = llm_goal_settings, .sentence = "what an answer must keep to be counted as good" \
    }

#define GENERATION_ROWS                                                                            \
    {.name = "stream",                                                                             \
     .type = SETTING_BOOL,                                                                         \
     .offset = OLLAMA(stream),                                                                     \
     .unset = "true",                                                                              \
     .sentence = "take the answer as a stream, line by line, as this API does by itself"},         \
        {.name = "max_tokens",                                                                     \
         .type = SETTING_COUNT,                                                                    \
         .offset = OLLAMA(max_tokens),                                                             \
         .unit = "tokens",                                                                         \
         .sentence = "most tokens of the answer (options.num_predict); 0: the model's own limit"}, \
        JSON_ROW(format, "json, or a JSON schema that the answer follows"),                        \
        JSON_ROW(think, "whether a model that can reasons first")

static const struct setting generate_settings[] = {
    COMMON_ROWS("/api/generate"),
    MODEL_ROW,
    PROMPT_ROW,
    JSON_ROW(system, "system message"),
    GENERATION_ROWS,
    GOODPUT_ROW,
    SHARED_ROWS,
    {.name = NULL},
};

static const struct setting chat_settings[] = {
    COMMON_ROWS("/api/chat"),
    MODEL_ROW,
    JSON_ROW(messages, "the conversation, a list of role and content; in place of prompt"),
    PROMPT_ROW,
    JSON_ROW(tools, "tools that the model may call"),
    GENERATION_ROWS,
    GOODPUT_ROW,
    SHARED_ROWS,
    {.name = NULL},
};

static const struct setting embed_settings[] = {
    COMMON_ROWS("/api/embed"),
    MODEL_ROW,
    {.name = "input",
     .type = SETTING_JSON,
     .offset = OLLAMA(input),
     .unset = LLM_PROMPT_WORDS,
     .sentence = "text, or list of texts; a different one each time where it is not given"},
    SHARED_ROWS,
    {.name = NULL},
};

static const struct setting tags_settings[] = {COMMON_ROWS("/api/tags"), {.name = NULL}};
static const struct setting ps_settings[] = {COMMON_ROWS("/api/ps"), {.name = NULL}};

#define OLLAMA_VERB(name, words, rows)                                                             \
    {                                                                                              \
        .word = (name), .sentence = (words), .settings = (rows),                                   \
        .config_bytes = sizeof(struct ollama_config), .shorthand = "url"                           \
    }

static const struct request_verb ollama_verbs[] = {
    OLLAMA_VERB("ollama.generate", "a completion by Ollama", generate_settings),
    OLLAMA_VERB("ollama.chat", "a chat answer by Ollama", chat_settings),
    OLLAMA_VERB("ollama.embed", "an embedding by Ollama", embed_settings),
    OLLAMA_VERB("ollama.tags", "Ollama's list of models", tags_settings),
    OLLAMA_VERB("ollama.ps", "Ollama's list of loaded models", ps_settings),
    {.word = NULL},
};

/* ---- compiling --------------------------------------------------------------------------------
 */

/* options, with num_predict among them. Returns false after an error in notes. */
static bool add_options(const struct plan_request *request, const struct ollama_config *config,
                        struct llm_body *body, struct notes *notes)
{
    bool limited = config->max_tokens.value || config->max_tokens.hole;
    if (limited && config->options) {
        notes_error(notes, "%s: write num_predict among options in place of max_tokens",
                    request->name);
        return false;
    }
    if (config->max_tokens.hole) {
        llm_body_around(body, "options", "{\"num_predict\":", config->max_tokens.hole, "}");
    } else if (limited) {
        struct text words = TEXT_EMPTY;
        text_printf(&words, "{\"num_predict\":%llu}", (unsigned long long)config->max_tokens.value);
        llm_body_words(body, "options", text_span(&words));
        text_fini(&words);
    }
    llm_body_template(body, "options", config->options);
    return true;
}

static struct llm_body *make_body(const struct plan_request *request,
                                  const struct ollama_config *config, struct notes *notes,
                                  bool *fine)
{
    const char *verb = strchr(request->verb, '.') + 1;
    if (strcmp(verb, "tags") == 0 || strcmp(verb, "ps") == 0)
        return NULL;
    struct llm_body *body = llm_body_new();
    llm_body_template(body, "model", config->model);
    if (strcmp(verb, "generate") == 0)
        llm_body_template(body, "prompt", config->prompt);
    else if (strcmp(verb, "embed") == 0)
        llm_body_template(body, "input", config->input);
    else if (config->messages)
        llm_body_template(body, "messages", config->messages);
    else
        llm_body_around(body, "messages", "[{\"role\":\"user\",\"content\":", config->prompt, "}]");
    llm_body_template(body, "system", config->system);
    llm_body_template(body, "tools", config->tools);
    llm_body_template(body, "format", config->format);
    llm_body_template(body, "think", config->think);
    if (strcmp(verb, "embed") != 0)
        llm_body_words(body, "stream", config->stream ? SPAN("true") : SPAN("false"));
    *fine = add_options(request, config, body, notes) && *fine;
    llm_body_template(body, "keep_alive", config->keep_alive);
    *fine = llm_body_merge(body, "extra", config->extra, notes) && *fine;
    return body;
}

static void *ollama_compile(const struct plan *plan, const struct plan_request *request,
                            struct notes *notes)
{
    const struct ollama_config *config = request->config;
    struct ollama_request *compiled = memory_new(1, sizeof *compiled);
    bool fine = true;
    compiled->common = (struct llm_request){
        .body = make_body(request, config, notes, &fine),
        .goal = config->goal,
        .asked = {.max_tokens = config->max_tokens, .prompt_slot = request->asked_slot},
        .prompt_tokens = config->prompt_tokens,
    };
    compiled->form = config->stream          ? OLLAMA_LINES
                     : compiled->common.body ? OLLAMA_WHOLE
                                             : OLLAMA_PLAIN;
    const struct llm_shape shape = {
        .url = config->url,
        .headers = &config->headers,
        .accept = config->stream ? "application/x-ndjson" : "application/json",
    };
    if (llm_request_compile(&compiled->common, plan, request, &shape, notes) && fine)
        return compiled;
    llm_request_release(compiled);
    return NULL;
}

const struct driver driver_ollama = {
    .name = "ollama",
    .sentence = "Ollama's own API: generate, chat, embed, tags, ps; with its durations beside ours",
    .verbs = ollama_verbs,
    .metrics = llm_metrics,
    .state_bytes = sizeof(struct ollama_state),
    .wants_losses = true,
    .compile = ollama_compile,
    .release = llm_request_release,
    .origin = llm_request_origin,
    .compose = llm_request_compose,
    .data = ollama_data,
    .end = ollama_end,
};
