/* Answers made of tokens, streamed or whole; see chat.h. */
#include "testbed/chat.h"

#include "testbed/json.h"
#include "testbed/ollama.h"
#include "testbed/reply.h"
#include "testbed/work.h"

#include <stdio.h>
#include <string.h>

#define MODEL_DEFAULT "plimsoll-testbed"
#define CREATED       "1700000000" /* the same in every run, so that runs compare byte by byte */

/* ---- the request ------------------------------------------------------------------------------
 */

struct wish {
    struct chat *chat;
    uint64_t content_bytes;
    bool has_messages, has_tokens, bad_tokens;
};

static void on_value(void *self, struct span path, enum json_kind kind, struct span value)
{
    struct wish *wish = self;
    struct chat *chat = wish->chat;
    if (span_begins(path, SPAN("messages.[]"))) {
        wish->has_messages = true;
        if (kind == JSON_STRING && (span_equal(path, SPAN("messages.[].content")) ||
                                    span_equal(path, SPAN("messages.[].content.[].text"))))
            wish->content_bytes += value.bytes;
    } else if (span_equal(path, SPAN("prompt")) && kind == JSON_STRING &&
               chat->dialect == CHAT_OLLAMA_GENERATE) {
        wish->has_messages = true;
        wish->content_bytes += value.bytes;
    } else if (span_equal(path, SPAN("model")) && kind == JSON_STRING) {
        size_t bytes = value.bytes < CHAT_MODEL_BYTES ? value.bytes : CHAT_MODEL_BYTES;
        if (memchr(value.at, '\\', bytes)) /* repeated as it stands: no half escapes */
            return;
        memcpy(chat->model, value.at, bytes);
        chat->model[bytes] = '\0';
    } else if (span_equal(path, SPAN("stream"))) {
        chat->stream = kind == JSON_TRUE;
    } else if (span_equal(path, SPAN("stream_options.include_usage"))) {
        chat->include_usage = kind == JSON_TRUE;
    } else if ((span_equal(path, SPAN("max_tokens")) ||
                span_equal(path, SPAN("max_completion_tokens")) ||
                (chat->dialect && span_equal(path, SPAN("options.num_predict")))) &&
               kind != JSON_NULL) {
        wish->has_tokens = true;
        if (span_uint(value, &chat->tokens) || chat->tokens == 0 || chat->tokens > CHAT_TOKENS_MOST)
            wish->bad_tokens = true;
    }
}

/* Fills connection->chat; false when the client was told what is wrong. */
static bool read_wish(struct connection *connection, const struct request *request,
                      enum chat_dialect dialect)
{
    struct chat *chat = &connection->chat;
    struct wish wish = {.chat = chat};
    *chat = (struct chat){.dialect = dialect,
                          .begun_ns = connection->rx_ns,
                          .stream = dialect != CHAT_OPENAI,
                          .tokens = connection->testbed->options.chat.tokens};
    memcpy(chat->model, MODEL_DEFAULT, sizeof MODEL_DEFAULT);
    const char *wrong = NULL;
    if (json_walk(request->body, on_value, &wish))
        wrong = "the body is not valid JSON";
    else if (!wish.has_messages)
        wrong = "messages is missing or empty";
    else if (wish.bad_tokens)
        wrong = "max_tokens must be a whole number from 1 to 131072";
    if (wrong) {
        reply_error(connection, 400, wrong);
        return false;
    }
    chat->prompt_tokens = (wish.content_bytes + 3) / 4;
    if (chat->prompt_tokens == 0)
        chat->prompt_tokens = 1;
    chat->named_tokens = wish.has_tokens;
    return true;
}

/* ---- the answer -------------------------------------------------------------------------------
 */

static struct span word_of(uint64_t token)
{
    static const char words[][8] = {" the",  " ship", " sits", " on",   " its", " line",
                                    " and",  " no",   " load", " more", " may", " come",
                                    " down", " into", " its",  " hold"};
    return span_of(words[token % (sizeof words / sizeof words[0])]);
}

/* How many tokens of an answer are reasoning: an answer follows in any case. */
static uint64_t reasoning_of(const struct connection *connection)
{
    uint64_t asked = connection->testbed->options.chat.reasoning_tokens;
    return asked < connection->chat.tokens ? asked : connection->chat.tokens - 1;
}

static struct span reasoning_member(const struct connection *connection)
{
    return connection->testbed->options.chat.reasoning_content ? SPAN("reasoning_content")
                                                               : SPAN("reasoning");
}

static void put_usage(struct text *out, const struct connection *connection)
{
    const struct chat *chat = &connection->chat;
    uint64_t reasoning = reasoning_of(connection);
    text_put(out, SPAN("{\"prompt_tokens\":"));
    text_put_uint(out, chat->prompt_tokens);
    text_put(out, SPAN(",\"completion_tokens\":"));
    text_put_uint(out, chat->made);
    text_put(out, SPAN(",\"total_tokens\":"));
    text_put_uint(out, chat->prompt_tokens + chat->made);
    if (reasoning) {
        text_put(out, SPAN(",\"completion_tokens_details\":{\"reasoning_tokens\":"));
        text_put_uint(out, reasoning);
        text_putc(out, '}');
    }
    text_putc(out, '}');
}

/* What all objects of an answer begin with. */
static void put_start(struct text *out, struct connection *connection, struct span object)
{
    const struct chat *chat = &connection->chat;
    text_put(out, SPAN("{\"id\":\"chatcmpl-"));
    text_put_uint(out, chat->id);
    text_put(out, SPAN("\",\"object\":\""));
    text_put(out, object);
    text_put(out, SPAN("\",\"created\":" CREATED ",\"model\":"));
    reply_json_string(out, span_of(chat->model));
    if (connection->testbed->options.chat.stamp) {
        text_put(out, SPAN(",\"stamp_ns\":"));
        text_put_uint(out, (uint64_t)loop_now(connection->testbed->loop));
    }
}

static struct span finish_reason(const struct chat *chat)
{
    return chat->named_tokens ? SPAN("\"length\"") : SPAN("\"stop\"");
}

/* One event of the stream, as one piece: role first, then a token each, then the reason. */
static void send_chunk(struct connection *connection, struct span delta, struct span reason)
{
    struct text *event = &connection->testbed->scratch;
    text_clear(event);
    text_put(event, SPAN("data: "));
    put_start(event, connection, SPAN("chat.completion.chunk"));
    text_put(event, SPAN(",\"choices\":[{\"index\":0,\"delta\":{"));
    text_put(event, delta);
    text_put(event, SPAN("},\"finish_reason\":"));
    text_put(event, reason);
    text_put(event, SPAN("}]"));
    if (connection->chat.include_usage)
        text_put(event, SPAN(",\"usage\":null"));
    text_put(event, SPAN("}\n\n"));
    reply_piece(connection, text_span(event));
}

static void send_head(struct connection *connection)
{
    if (connection->chat.dialect) {
        ollama_head(connection);
        return;
    }
    connection->chat.head_sent = true;
    reply_begin(connection, 200, "text/event-stream; charset=utf-8");
    reply_line(connection, "Cache-Control", SPAN("no-cache"));
    reply_stream(connection);
    send_chunk(connection, SPAN("\"role\":\"assistant\",\"content\":\"\""), SPAN("null"));
}

static void send_token(struct connection *connection)
{
    char delta[48];
    struct span word = word_of(connection->chat.made);
    bool reasoning = connection->chat.made < reasoning_of(connection);
    connection->chat.made++;
    if (connection->chat.dialect) {
        ollama_token(connection, word, reasoning);
        return;
    }
    struct span member = reasoning ? reasoning_member(connection) : SPAN("content");
    int bytes = snprintf(delta, sizeof delta, "\"%.*s\":\"%.*s\"", (int)member.bytes, member.at,
                         (int)word.bytes, word.at);
    send_chunk(connection, (struct span){.at = delta, .bytes = (size_t)bytes}, SPAN("null"));
}

/* Halfway through a stream its fault strikes. Returns false when the stream is over by it. */
static bool strike(struct connection *connection)
{
    const struct chat *chat = &connection->chat;
    if (chat->made != (chat->tokens + 1) / 2)
        return true;
    if (connection->fault == FAULT_STALL) {
        connection_flush(connection);
        if (!connection->closed)
            connection_hold(connection, connection->testbed->options.fault.stall_ns);
        return !connection->closed;
    }
    if (connection->fault != FAULT_RESET && connection->fault != FAULT_TRUNCATE)
        return true;
    connection_flush(connection);
    connection_end(connection, connection->fault == FAULT_RESET);
    return false;
}

/* The next token of a stream goes out. Returns false when the connection is gone. */
static bool stream_token(struct connection *connection)
{
    if (!connection->chat.head_sent) {
        send_head(connection);
        if (connection->fault == FAULT_MALFORMED) {
            connection_spoil(connection);
            connection_flush(connection);
            connection_end(connection, false);
            return false;
        }
    }
    send_token(connection);
    return strike(connection);
}

static void finish_stream(struct connection *connection)
{
    const struct chat *chat = &connection->chat;
    if (chat->dialect) {
        ollama_last(connection);
        return;
    }
    send_chunk(connection, SPAN(""), finish_reason(chat));
    if (chat->include_usage) {
        struct text *event = &connection->testbed->scratch;
        text_clear(event);
        text_put(event, SPAN("data: "));
        put_start(event, connection, SPAN("chat.completion.chunk"));
        text_put(event, SPAN(",\"choices\":[],\"usage\":"));
        put_usage(event, connection);
        text_put(event, SPAN("}\n\n"));
        reply_piece(connection, text_span(event));
    }
    reply_piece(connection, SPAN("data: [DONE]\n\n"));
    reply_stream_end(connection);
}

static void finish_whole(struct connection *connection)
{
    struct chat *chat = &connection->chat;
    struct text *body = &connection->testbed->scratch;
    text_clear(body);
    if (chat->dialect) {
        for (chat->made = 0; chat->made < chat->tokens; chat->made++)
            text_put(body, word_of(chat->made));
        ollama_whole(connection, text_span(body));
        return;
    }
    put_start(body, connection, SPAN("chat.completion"));
    text_put(body, SPAN(",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\""));
    if (reasoning_of(connection)) {
        text_put(body, reasoning_member(connection));
        text_put(body, SPAN("\":\""));
        for (chat->made = 0; chat->made < reasoning_of(connection); chat->made++)
            text_put(body, word_of(chat->made));
        text_put(body, SPAN("\",\""));
    }
    text_put(body, SPAN("content\":\""));
    for (chat->made = reasoning_of(connection); chat->made < chat->tokens; chat->made++)
        text_put(body, word_of(chat->made));
    text_put(body, SPAN("\"},\"finish_reason\":"));
    text_put(body, finish_reason(chat));
    text_put(body, SPAN("}],\"usage\":"));
    put_usage(body, connection);
    text_put(body, SPAN("}\n"));
    reply_send(connection, 200, TYPE_JSON, text_span(body));
}

static void finish(struct connection *connection)
{
    const struct chat *chat = &connection->chat;
    metrics_tokens(connection->testbed->metrics, chat->prompt_tokens, chat->tokens);
    if (chat->stream)
        finish_stream(connection);
    else
        finish_whole(connection);
}

/* ---- under a law with one service time --------------------------------------------------------
 */

/* S * k / T, without overflow for the longest of both (3.6e12 ns, 131072 tokens). */
static nsec_t token_due(const struct connection *connection, uint64_t token)
{
    const struct law_work *work = &connection->work;
    return work->begin_ns + work->service_ns * (nsec_t)token / (nsec_t)connection->chat.tokens;
}

static void on_departure(struct connection *connection, nsec_t now_ns)
{
    (void)now_ns;
    work_end(connection);
    finish(connection);
}

static void on_tokens(struct connection *connection, nsec_t now_ns)
{
    const struct chat *chat = &connection->chat;
    while (chat->made < chat->tokens && token_due(connection, chat->made + 1) <= now_ns) {
        if (!stream_token(connection))
            return;
    }
    if (chat->made == chat->tokens) {
        work_end(connection);
        finish(connection);
        return;
    }
    connection_flush(connection);
    if (!connection->closed)
        connection_wait(connection, token_due(connection, chat->made + 1), on_tokens);
}

static void serve_law(struct connection *connection)
{
    if (!work_begin(connection, -1))
        return;
    const struct law_work *work = &connection->work;
    connection->chat.id = work->number;
    if (connection->chat.stream)
        on_tokens(connection, connection->rx_ns);
    else if (work->departure_ns <= connection->rx_ns)
        on_departure(connection, connection->rx_ns);
    else
        connection_wait(connection, work->departure_ns, on_departure);
}

/* ---- under continuous batching ----------------------------------------------------------------
 */

/* The connection may read its next request: in a turn of its own, since this one is inside a step
 * that must not be entered twice. */
static void resume(struct connection *connection, nsec_t now_ns)
{
    (void)connection;
    (void)now_ns;
}

void chat_token(void *self, struct sequence *sequence, nsec_t boundary_ns)
{
    struct connection *connection = list_entry(sequence, struct connection, sequence);
    (void)self;
    bool last = sequence->made == sequence->tokens;
    if (last)
        work_end_sequence(connection, boundary_ns);
    if (connection->chat.stream && !stream_token(connection))
        return;
    if (last)
        finish(connection);
    if (last || connection->chat.stream)
        connection_flush(connection);
    if (last && !connection->closed)
        connection_wait(connection, boundary_ns, resume);
}

static void serve_sequence(struct connection *connection)
{
    connection->sequence.prompt_tokens = connection->chat.prompt_tokens;
    connection->sequence.tokens = connection->chat.tokens;
    if (work_begin_sequence(connection))
        connection->chat.id = connection->sequence.number;
}

static void serve(struct connection *connection, const struct request *request,
                  enum chat_dialect dialect)
{
    if (!read_wish(connection, request, dialect))
        return;
    if (connection->testbed->batching)
        serve_sequence(connection);
    else
        serve_law(connection);
}

void chat_serve(struct connection *connection, const struct request *request)
{
    serve(connection, request, CHAT_OPENAI);
}

void chat_serve_ollama(struct connection *connection, const struct request *request)
{
    bool generate = span_equal(request->path, SPAN("/api/generate"));
    serve(connection, request, generate ? CHAT_OLLAMA_GENERATE : CHAT_OLLAMA_CHAT);
}

void chat_models(struct connection *connection, const struct request *request)
{
    (void)request;
    reply_send(connection, 200, TYPE_JSON,
               SPAN("{\"object\":\"list\",\"data\":[{\"id\":\"" MODEL_DEFAULT
                    "\",\"object\":\"model\",\"created\":" CREATED
                    ",\"owned_by\":\"plimsoll\"}]}\n"));
}
