/* Four stages, one after the other; see rag.h. */
#include "testbed/rag.h"

#include "base/memory.h"
#include "testbed/embed.h"
#include "testbed/qdrant.h"
#include "testbed/reply.h"
#include "testbed/station.h"
#include "testbed/task.h"
#include "testbed/value.h"
#include "testbed/vectors.h"

#include <stdlib.h>

/* ---- both --------------------------------------------------------------------------------------
 */

/* The collection that a body names, as text; "default" when it names none. */
static void read_collection(struct span body, struct text *name)
{
    struct span value;
    if (!value_member(body, "collection", &value) || !value_text(value, name) || name->bytes == 0)
        text_puts(name, "default");
}

/* The request goes on to the database. */
static void ask_database(struct task *task,
                         void (*due)(struct connection *connection, nsec_t now_ns))
{
    struct connection *connection = task->connection;
    if (task->status != 200)
        task_reply(task);
    else if (!station_begin(connection, STATION_DATABASE, task->job.ended_ns, due))
        task_drop(connection);
}

/* ---- index -------------------------------------------------------------------------------------
 */

/* The words of a document: it, or its text or content. */
static bool document_words(struct span document, struct text *words)
{
    struct span value = document;
    if (value_is_object(document) && !value_member(document, "text", &value))
        value_member(document, "content", &value);
    return value_text(value, words) && words->bytes;
}

/* The id that the document brings, or the hash of its words, so that the same text is kept once. */
static void document_id(struct span document, struct span words, struct text *id)
{
    struct span value;
    uint64_t number;
    if (value_member(document, "id", &value) &&
        ((value_is_text(value) && value.bytes > 2) || value_uint(value, &number) == 0)) {
        text_put(id, value);
        return;
    }
    uint64_t hash = UINT64_C(0xCBF29CE484222325);
    for (size_t i = 0; i < words.bytes; i++)
        hash = (hash ^ (unsigned char)words.at[i]) * UINT64_C(0x100000001B3);
    text_printf(id, "\"doc-%016llx\"", (unsigned long long)hash);
}

/* Puts one document in. Returns 0, or the outcome of vectors_put. tokens: its tokens are added. */
static int index_document(struct task *task, struct span name, struct span document,
                          struct span words, uint64_t *tokens)
{
    uint64_t dimensions = task->testbed->options.platform.dimensions;
    float *vector = memory_new(dimensions, sizeof *vector);
    struct text id = TEXT_EMPTY, payload = TEXT_EMPTY;
    struct span metadata;
    *tokens += embed_text(words, dimensions, vector);
    document_id(document, words, &id);
    text_puts(&payload, "{\"text\":");
    reply_json_string(&payload, words);
    if (value_member(document, "metadata", &metadata) && value_is_object(metadata)) {
        text_puts(&payload, ",\"metadata\":");
        text_put(&payload, metadata);
    }
    text_putc(&payload, '}');
    struct vectors_point point = {.id = text_span(&id),
                                  .payload = text_span(&payload),
                                  .numbers = vector,
                                  .count = dimensions};
    int outcome = vectors_put(task->testbed->vectors, name, &point);
    if (outcome == VECTORS_NONE) {
        vectors_create(task->testbed->vectors, name, dimensions, DISTANCE_COSINE);
        outcome = vectors_put(task->testbed->vectors, name, &point);
    }
    if (outcome == 0) {
        text_puts(&task->more, task->number++ ? "," : "");
        text_put(&task->more, text_span(&id));
    }
    text_fini(&id);
    text_fini(&payload);
    free(vector);
    return outcome;
}

static void index_all(struct task *task, struct span list, struct span name)
{
    nsec_t begun_ns = embed_clock();
    uint64_t tokens = 0;
    struct span document;
    while (task->status == 200 && value_next(&list, &document)) {
        struct text words = TEXT_EMPTY;
        int outcome = 0;
        if (task->number == RAG_DOCUMENTS_MOST)
            task_error(task, 413, "at most 1000 documents at a time");
        else if (!document_words(document, &words))
            task_error(task, 422, "a document must be a text, or have one as text or content");
        else
            outcome = index_document(task, name, document, text_span(&words), &tokens);
        if (outcome)
            task_error(task, outcome == VECTORS_SIZE ? 409 : 507,
                       outcome == VECTORS_SIZE
                           ? "the collection has vectors of another length than the embeddings"
                           : "there is no room for more");
        text_fini(&words);
    }
    task->job.cost_ns = (nsec_t)tokens * task->testbed->options.platform.embed_token_ns;
    if (!task->job.virtual_time)
        embed_spend(begun_ns, task->job.cost_ns);
}

static void index_work(struct task *task)
{
    struct span body = span_trim(text_span(&task->body)), list;
    struct text name = TEXT_EMPTY;
    if (!value_is_valid(body) || !value_is_object(body)) {
        task_error(task, 400, "the body is not a JSON object");
        return;
    }
    if (value_member(body, "documents", &list) && value_is_array(list))
        list = value_inside(list);
    else if (!value_member(body, "document", &list) && !value_member(body, "text", &list) &&
             !value_member(body, "content", &list))
        task_error(task, 422, "documents is missing: a list of texts, or of objects with text");
    read_collection(body, &name);
    if (task->status == 200)
        index_all(task, list, text_span(&name));
    if (task->status == 200 && task->number == 0)
        task_error(task, 422, "documents is empty");
    if (task->status == 200) {
        text_printf(&task->reply,
                    "{\"indexed\":%llu,\"collection\":", (unsigned long long)task->number);
        reply_json_string(&task->reply, text_span(&name));
        text_puts(&task->reply, ",\"ids\":[");
        text_put(&task->reply, text_span(&task->more));
        text_puts(&task->reply, "]}\n");
    }
    text_fini(&name);
}

static void index_written(struct connection *connection, nsec_t now_ns)
{
    (void)now_ns;
    station_end(connection);
    task_reply(connection->task);
}

static void index_then(struct task *task)
{
    ask_database(task, index_written);
}

void rag_index(struct connection *connection, const struct request *request)
{
    struct task *task = task_new(connection, request, index_work);
    task->then = index_then;
    task_submit(task, connection->testbed->compute, 0);
}

/* ---- query -------------------------------------------------------------------------------------
 */

/* Times of the stages so far, in task->words, as members of "timings_ms". */
static void put_time(struct task *task, const char *stage, nsec_t spent_ns)
{
    text_printf(&task->words, "%s\"%s\":%.3f", task->words.bytes ? "," : "", stage,
                (double)spent_ns / 1e6);
}

static void query_search(struct task *task, struct span words, struct span name, uint64_t top)
{
    const struct platform_options *platform = &task->testbed->options.platform;
    struct vectors_query query = {.top = top, .with_payload = true, .filled_only = true};
    float *vector = memory_new(platform->dimensions, sizeof *vector);
    nsec_t begun_ns = embed_clock(), clock_ns = clock_monotonic_ns();
    uint64_t tokens = embed_text(words, platform->dimensions, vector);
    query.numbers = vector;
    query.count = platform->dimensions;
    nsec_t embed_ns = (nsec_t)tokens * platform->embed_token_ns;
    task->job.cost_ns = embed_ns + qdrant_cost(task->testbed);
    if (!task->job.virtual_time) {
        embed_spend(begun_ns, embed_ns);
        embed_ns = clock_monotonic_ns() - clock_ns;
    }
    put_time(task, "embed", embed_ns);
    clock_ns = clock_monotonic_ns();
    int outcome = vectors_search(task->testbed->vectors, name, &query, &task->more, &task->number);
    put_time(task, "search",
             task->job.virtual_time ? qdrant_cost(task->testbed) : clock_monotonic_ns() - clock_ns);
    free(vector);
    if (outcome == VECTORS_NONE)
        task_error(task, 404, "there is no collection of this name; index something first");
    else if (outcome)
        task_error(task, 409, "the collection has vectors of another length than the embeddings");
}

static void query_work(struct task *task)
{
    struct span body = span_trim(text_span(&task->body)), value;
    struct text words = TEXT_EMPTY, name = TEXT_EMPTY;
    uint64_t top = 5;
    if (!value_is_valid(body) || !value_is_object(body))
        task_error(task, 400, "the body is not a JSON object");
    else if (!value_member(body, "query", &value) || !value_text(value, &words) || words.bytes == 0)
        task_error(task, 422, "query is missing: a text");
    else if (value_member(body, "top_k", &value) && value_is_given(value) &&
             (value_uint(value, &top) || top == 0 || top > RAG_TOP_MOST))
        task_error(task, 422, "top_k must be a whole number from 1 to 100");
    else {
        read_collection(body, &name);
        query_search(task, text_span(&words), text_span(&name), top);
    }
    text_fini(&words);
    text_fini(&name);
}

/* The answer says what was found; a service that found nothing says so, and is no error. */
static void query_reply(struct task *task)
{
    struct text *reply = &task->reply;
    text_puts(reply, "{\"answer\":");
    if (task->number)
        text_printf(reply, "\"%llu of the documents bear on this; the nearest comes first.\"",
                    (unsigned long long)task->number);
    else
        text_puts(reply, "\"Nothing was indexed that bears on this.\"");
    text_puts(reply, ",\"sources\":");
    text_put(reply, text_span(&task->more));
    text_puts(reply, ",\"timings_ms\":{");
    text_put(reply, text_span(&task->words));
    text_puts(reply, "}}\n");
    task_reply(task);
}

static void put_station_time(struct connection *connection, const char *stage)
{
    const struct law_work *work = &connection->work;
    put_time(connection->task, stage, work->departure_ns - work->arrival_ns);
}

static void answer_over(struct connection *connection, nsec_t now_ns)
{
    (void)now_ns;
    station_end(connection);
    put_station_time(connection, "answer");
    query_reply(connection->task);
}

static void database_over(struct connection *connection, nsec_t now_ns)
{
    nsec_t departure_ns = connection->work.departure_ns;
    (void)now_ns;
    station_end(connection);
    put_station_time(connection, "database");
    if (!station_begin(connection, STATION_ANSWER, departure_ns, answer_over))
        task_drop(connection);
}

static void query_then(struct task *task)
{
    ask_database(task, database_over);
}

void rag_query(struct connection *connection, const struct request *request)
{
    struct task *task = task_new(connection, request, query_work);
    task->then = query_then;
    task_submit(task, connection->testbed->compute, 0);
}
