/* Ollama's words; see ollama.h. */
#include "testbed/ollama.h"

#include "testbed/reply.h"

#define CREATED_AT "2023-11-14T22:13:20Z" /* the same in every run */

static void put_start(struct text *out, const struct connection *connection)
{
    text_put(out, SPAN("{\"model\":"));
    reply_json_string(out, span_of(connection->chat.model));
    text_put(out, SPAN(",\"created_at\":\"" CREATED_AT "\""));
}

/* The member that bears text, which is the inside of a JSON string. */
static void put_words(struct text *out, const struct connection *connection, struct span words,
                      bool thinking)
{
    bool chat = connection->chat.dialect == CHAT_OLLAMA_CHAT;
    text_put(out, chat ? SPAN(",\"message\":{\"role\":\"assistant\",\"content\":\"")
                       : SPAN(",\"response\":\""));
    if (thinking)
        text_put(out, SPAN("\",\"thinking\":\""));
    text_put(out, words);
    text_put(out, chat ? SPAN("\"}") : SPAN("\""));
}

static void put_number(struct text *out, const char *name, uint64_t number)
{
    text_puts(out, ",\"");
    text_puts(out, name);
    text_puts(out, "\":");
    text_put_uint(out, number);
}

static void put_end(struct text *out, const struct connection *connection)
{
    const struct chat *chat = &connection->chat;
    nsec_t now_ns = loop_now(connection->testbed->loop);
    nsec_t first_ns = chat->first_ns ? chat->first_ns : now_ns;
    text_put(out, SPAN(",\"done\":true,\"done_reason\":"));
    text_put(out, chat->named_tokens ? SPAN("\"length\"") : SPAN("\"stop\""));
    put_number(out, "total_duration", (uint64_t)(now_ns - chat->begun_ns));
    put_number(out, "load_duration", 0);
    put_number(out, "prompt_eval_count", chat->prompt_tokens);
    put_number(out, "prompt_eval_duration", (uint64_t)(first_ns - chat->begun_ns));
    put_number(out, "eval_count", chat->made);
    put_number(out, "eval_duration", (uint64_t)(now_ns - first_ns));
    text_put(out, SPAN("}\n"));
}

void ollama_head(struct connection *connection)
{
    connection->chat.head_sent = true;
    connection->chat.first_ns = loop_now(connection->testbed->loop);
    reply_begin(connection, 200, "application/x-ndjson");
    reply_stream(connection);
}

void ollama_token(struct connection *connection, struct span word, bool thinking)
{
    struct text *line = &connection->testbed->scratch;
    text_clear(line);
    put_start(line, connection);
    put_words(line, connection, word, thinking);
    text_put(line, SPAN(",\"done\":false}\n"));
    reply_piece(connection, text_span(line));
}

void ollama_last(struct connection *connection)
{
    struct text *line = &connection->testbed->scratch;
    text_clear(line);
    put_start(line, connection);
    put_words(line, connection, SPAN(""), false);
    put_end(line, connection);
    reply_piece(connection, text_span(line));
    reply_stream_end(connection);
}

void ollama_whole(struct connection *connection, struct span words)
{
    struct text body = TEXT_EMPTY;
    put_start(&body, connection);
    put_words(&body, connection, words, false);
    put_end(&body, connection);
    reply_send(connection, 200, TYPE_JSON, text_span(&body));
    text_fini(&body);
}

void ollama_models(struct connection *connection, const struct request *request)
{
    (void)request;
    reply_send(connection, 200, TYPE_JSON,
               SPAN("{\"models\":[{\"name\":\"plimsoll-testbed\",\"model\":\"plimsoll-testbed\","
                    "\"size\":0}]}\n"));
}
