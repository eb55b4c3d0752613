/* Retrieval: documents go in, questions bring the nearest. A RAG service and a vector store behind
 * HTTP differ in paths and in the names of members, which the plan maps; what is counted is the
 * same for all. */
#include "plug/driver/rag.h"

#include "base/memory.h"
#include "plug/driver/driver_list.h"
#include "plug/driver/reply_part.h"

#include <stdlib.h>
#include <string.h>

/* ---- the words of the plan --------------------------------------------------------------------
 */

/* Where things stand in requests and replies. */
struct rag_names {
    char *query, *collection, *top_k, *documents;
};

struct rag_places {
    char *results, *id, *error, *indexed;
};

struct rag_config {
    struct template *url;
    char *method;
    struct plan_headers headers;
    struct template *query, *documents, *collection, *extra, *body, *expect;
    uint64_t top_k;
    struct rag_names request;
    struct rag_places reply;
};

#define RAG_SETTINGS(path)                                                                         \
    {.name = "url",                                                                                \
     .type = SETTING_TEMPLATE,                                                                     \
     .offset = offsetof(struct rag_config, url),                                                   \
     .unset = (path),                                                                              \
     .sentence = "path on the target, or a whole URL"},                                            \
        {.name = "method",                                                                         \
         .type = SETTING_TEXT,                                                                     \
         .offset = offsetof(struct rag_config, method),                                            \
         .unset = "POST",                                                                          \
         .sentence = "HTTP method (PUT for the upserts of some stores)"},                          \
        {.name = "headers",                                                                        \
         .type = SETTING_HEADERS,                                                                  \
         .offset = offsetof(struct rag_config, headers),                                           \
         .sentence = "header lines of this request, beside those of http.headers"},                \
        {.name = "collection",                                                                     \
         .type = SETTING_JSON,                                                                     \
         .offset = offsetof(struct rag_config, collection),                                        \
         .sentence = "name of the collection; not sent when it is not given"},                     \
        {.name = "extra",                                                                          \
         .type = SETTING_JSON,                                                                     \
         .offset = offsetof(struct rag_config, extra),                                             \
         .sentence = "further members of the body"},                                               \
    {                                                                                              \
        .name = "body", .type = SETTING_JSON, .offset = offsetof(struct rag_config, body),         \
        .sentence = "the whole body, for services that no mapping of names reaches"                \
    }

#define NAME_ROW(is, begins, what)                                                                 \
    {                                                                                              \
        .name = #is, .type = SETTING_TEXT, .offset = offsetof(struct rag_names, is),               \
        .unset = (begins), .sentence = (what)                                                      \
    }

#define PLACE_ROW(is, begins, what)                                                                \
    {                                                                                              \
        .name = #is, .type = SETTING_TEXT, .offset = offsetof(struct rag_places, is),              \
        .unset = (begins), .sentence = (what)                                                      \
    }

static const struct setting query_names[] = {
    NAME_ROW(query, "query", "member that holds the question or the vector"),
    NAME_ROW(collection, "collection", "member that names the collection"),
    NAME_ROW(top_k, "top_k", "member that says how many results are wanted; \"\" sends none"),
    {.name = NULL},
};

static const struct setting query_places[] = {
    PLACE_ROW(results, "sources", "path of the list of results in the reply"),
    PLACE_ROW(id, "id", "path of the id within a result; \"\": the result itself is the id"),
    PLACE_ROW(error, "error",
              "path whose value, other than null, false, 0 and \"\", means that it failed"),
    {.name = NULL},
};

static const struct setting index_names[] = {
    NAME_ROW(documents, "documents", "member that holds the documents"),
    NAME_ROW(collection, "collection", "member that names the collection"),
    {.name = NULL},
};

static const struct setting index_places[] = {
    PLACE_ROW(indexed, NULL, "path of the number of documents that were indexed, to be counted"),
    PLACE_ROW(error, "error",
              "path whose value, other than null, false, 0 and \"\", means that it failed"),
    {.name = NULL},
};

static const struct setting query_settings[] = {
    RAG_SETTINGS("/query"),
    {.name = "query",
     .type = SETTING_JSON,
     .offset = offsetof(struct rag_config, query),
     .sentence = "the question as text, or a vector as a list of numbers"},
    {.name = "top_k",
     .type = SETTING_UINT,
     .offset = offsetof(struct rag_config, top_k),
     .least = 1,
     .most = 100000,
     .unset = "5",
     .unit = "results",
     .sentence = "how many results are wanted"},
    {.name = "expect",
     .type = SETTING_JSON,
     .offset = offsetof(struct rag_config, expect),
     .sentence = "ids that should be among the results: a list, or a text of ids between blanks or "
                 "commas; makes the recall"},
    {.name = "request",
     .type = SETTING_SECTION,
     .offset = offsetof(struct rag_config, request),
     .section = query_names,
     .sentence = "names of the members of the body"},
    {.name = "reply",
     .type = SETTING_SECTION,
     .offset = offsetof(struct rag_config, reply),
     .section = query_places,
     .sentence = "where things stand in the reply"},
    {.name = NULL},
};

static const struct setting index_settings[] = {
    RAG_SETTINGS("/index"),
    {.name = "documents",
     .type = SETTING_JSON,
     .offset = offsetof(struct rag_config, documents),
     .sentence = "a list of texts, or of whatever the service takes as a document"},
    {.name = "request",
     .type = SETTING_SECTION,
     .offset = offsetof(struct rag_config, request),
     .section = index_names,
     .sentence = "names of the members of the body"},
    {.name = "reply",
     .type = SETTING_SECTION,
     .offset = offsetof(struct rag_config, reply),
     .section = index_places,
     .sentence = "where things stand in the reply"},
    {.name = NULL},
};

static const struct request_verb rag_verbs[] = {
    {.word = "rag.query",
     .sentence = "asks for the documents nearest to a question or a vector",
     .settings = query_settings,
     .config_bytes = sizeof(struct rag_config),
     .shorthand = "query"},
    {.word = "rag.index",
     .sentence = "puts documents in",
     .settings = index_settings,
     .config_bytes = sizeof(struct rag_config)},
    {.word = NULL},
};

/* ---- the metrics ------------------------------------------------------------------------------
 */

#define COUNTER(number, is, of, what)                                                              \
    [number] = METRIC_ROW(METRIC_COUNTER, is, of, what, "driver rag")

static const struct metric rag_metrics[] = {
    COUNTER(RAG_QUERIES, "rag_queries", "requests", "Queries that succeeded."),
    COUNTER(RAG_QUERY_FAILURES, "rag_query_failures", "requests",
            "Queries whose reply is a status of 400 or more, says that they failed (a failure of "
            "kind protocol), or has no list of results. Those that brought no reply are counted "
            "as timed out, reset and so on alone."),
    COUNTER(RAG_INDEXINGS, "rag_indexings", "requests", "Requests to index that succeeded."),
    COUNTER(RAG_INDEX_FAILURES, "rag_index_failures", "requests",
            "Requests to index whose reply is a status of 400 or more, or says that they failed."),
    COUNTER(RAG_SERVER_TIMEOUTS, "rag_server_timeouts", "requests",
            "Failures among them whose status is 408 or 504: the service gave up waiting."),
    COUNTER(RAG_EMPTY, "rag_empty", "requests",
            "Queries that succeeded and brought no result; they are among rag_queries."),
    COUNTER(RAG_RESULTS, "rag_results", "documents", "Results that queries brought."),
    COUNTER(RAG_EXPECTED, "rag_expected", "documents",
            "Ids that the plan expected of queries that succeeded."),
    COUNTER(RAG_FOUND, "rag_found", "documents",
            "Expected ids that were among the results; the recall is rag_found / rag_expected."),
    COUNTER(RAG_MISSED, "rag_missed", "documents", "Expected ids that were not among the results."),
    COUNTER(RAG_INDEXED, "rag_indexed", "documents",
            "Documents that replies say were indexed, where the plan says where that stands."),
    {.name = NULL},
};

/* ---- compiling --------------------------------------------------------------------------------
 */

static bool compile_places(const struct rag_config *config, struct rag_request *compiled,
                           const char *name, struct notes *notes)
{
    const struct rag_places *reply = &config->reply;
    bool fine = reply_part_compile(reply->error ? reply->error : "", &compiled->error, name, notes);
    compiled->has_indexed = reply->indexed && *reply->indexed;
    if (compiled->has_indexed)
        fine = reply_part_compile(reply->indexed, &compiled->indexed, name, notes) && fine;
    if (!compiled->query)
        return fine;
    fine = reply_part_compile(reply->results, &compiled->results, name, notes) && fine;
    compiled->has_id = reply->id && *reply->id;
    if (compiled->has_id)
        fine = reply_part_compile(reply->id, &compiled->id, name, notes) && fine;
    return fine;
}

static void add(struct llm_body *body, const char *name, const struct template *value)
{
    if (name && *name)
        llm_body_template(body, name, value);
}

static bool compile_body(const struct rag_config *config, struct rag_request *compiled,
                         const char *name, struct notes *notes)
{
    const struct template *content = compiled->query ? config->query : config->documents;
    const char *word = compiled->query ? "query" : "documents";
    if (!content == !config->body) {
        notes_error(notes, "%s: give %s, or the whole body", name, word);
        return false;
    }
    if (config->body)
        return true;
    compiled->body = llm_body_new();
    add(compiled->body, compiled->query ? config->request.query : config->request.documents,
        content);
    add(compiled->body, config->request.collection, config->collection);
    if (compiled->query && config->request.top_k && *config->request.top_k) {
        struct text words = TEXT_EMPTY;
        text_put_uint(&words, config->top_k);
        llm_body_words(compiled->body, config->request.top_k, text_span(&words));
        text_fini(&words);
    }
    return llm_body_merge(compiled->body, "extra", config->extra, notes);
}

static void rag_release(void *opaque)
{
    struct rag_request *compiled = opaque;
    if (!compiled)
        return;
    http_request_free(compiled->http);
    llm_body_free(compiled->body);
    json_path_fini(&compiled->results);
    json_path_fini(&compiled->id);
    json_path_fini(&compiled->error);
    json_path_fini(&compiled->indexed);
    free(compiled);
}

static void *rag_compile(const struct plan *plan, const struct plan_request *request,
                         struct notes *notes)
{
    const struct rag_config *config = request->config;
    struct rag_request *compiled = memory_new(1, sizeof *compiled);
    compiled->query = strcmp(request->verb, "rag.query") == 0;
    compiled->expect = config->expect;
    const struct http_shape shape = {
        .method = config->method,
        .url = config->url,
        .headers = &config->headers,
        .body = config->body,
        .json = true,
        .accept = "application/json",
    };
    bool fine = compile_places(config, compiled, request->name, notes);
    fine = compile_body(config, compiled, request->name, notes) && fine;
    compiled->http = http_request_compile(plan, request->name, &shape, notes);
    if (fine && compiled->http)
        return compiled;
    rag_release(compiled);
    return NULL;
}

static const char *rag_origin(const void *compiled)
{
    return http_request_origin(((const struct rag_request *)compiled)->http);
}

static void rag_compose(struct driver_call *call, struct exchange_request *out)
{
    const struct rag_request *request = call->compiled;
    size_t from = call->scratch->bytes;
    if (request->body)
        llm_body_write(request->body, call->slots, call->scratch);
    size_t bytes = call->scratch->bytes - from;
    http_request_compose(request->http, call, out);
    if (request->body)
        out->body = (struct span){.at = call->scratch->at + from, .bytes = bytes};
}

const struct driver driver_rag = {
    .name = "rag",
    .sentence = "RAG services and vector stores behind HTTP: queries, indexing, recall",
    .verbs = rag_verbs,
    .metrics = rag_metrics,
    .state_bytes = sizeof(struct rag_state),
    .compile = rag_compile,
    .release = rag_release,
    .origin = rag_origin,
    .compose = rag_compose,
    .data = rag_data,
    .end = rag_end,
};
