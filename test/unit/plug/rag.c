/* The rag driver against replies of a RAG service, Qdrant and Chroma, cut at every byte: what is
 * sent under which names, what counts as failed and as empty, and the recall. */
#include "driver_play.h"

static struct driver_outcome ask(struct driver_play *play, int status, const char *reply,
                                 size_t cut)
{
    play_compose(play, 0, false);
    return play_reply(play, status, "", span_of(reply), cut);
}

static void a_rag_service(void **state)
{
    static const char reply[] = "{\"answer\":\"\",\"sources\":[{\"id\":\"a\",\"score\":0.9},"
                                "{\"score\":0.8,\"id\":\"b\"}],\"error\":null}";
    (void)state;
    for (size_t cut = 0; cut < sizeof reply; cut++) {
        struct driver_play play;
        play_init(&play, "      - rag.query: {query: \"say \\\"hi\\\"\", collection: default,\n"
                         "                    expect: [a, c]}\n");
        assert_int_equal(ask(&play, 200, reply, cut).error, 0);
        assert_string_equal(play.method, "POST");
        assert_string_equal(play.sent_path.at, "/query");
        assert_string_equal(play.sent_body.at, "{\"query\":\"say \\\"hi\\\"\",\"collection\":"
                                               "\"default\",\"top_k\":5}");
        assert_non_null(strstr(play.sent_headers.at, "Content-Type: application/json\r\n"));
        assert_int_equal(play_count(&play, "rag_queries"), 1);
        assert_int_equal(play_count(&play, "rag_results"), 2);
        assert_int_equal(play_count(&play, "rag_empty"), 0);
        assert_int_equal(play_count(&play, "rag_expected"), 2);
        assert_int_equal(play_count(&play, "rag_found"), 1);
        assert_int_equal(play_count(&play, "rag_missed"), 1);
        play_fini(&play);
    }
}

/* Ids of points are numbers; the list of results has another name; an upsert is a PUT. */
static void qdrant_by_configuration(void **state)
{
    struct driver_play play;
    (void)state;
    play_init(&play, "      - rag.query:\n"
                     "          url: /collections/docs/points/search\n"
                     "          query: [0.5, 1]\n"
                     "          top_k: 2\n"
                     "          extra: {with_payload: true}\n"
                     "          expect: \"7, 9;11\"\n"
                     "          request: {query: vector, top_k: limit}\n"
                     "          reply: {results: result, error: status.error}\n"
                     "      - rag.index:\n"
                     "          url: /collections/docs/points\n"
                     "          method: PUT\n"
                     "          documents: [{id: 7, vector: [0.5, 1]}]\n"
                     "          request: {documents: points}\n"
                     "          reply: {error: status.error}\n");
    ask(&play, 200,
        "{\"result\":[{\"id\":7,\"score\":1},{\"id\":9,\"score\":0}],\"status\":\"ok\"}", 9);
    assert_int_equal(play.outcome.error, 0);
    assert_string_equal(play.sent_body.at,
                        "{\"vector\":[0.5,1],\"limit\":2,\"with_payload\":true}");
    assert_int_equal(play_count(&play, "rag_found"), 2);
    assert_int_equal(play_count(&play, "rag_missed"), 1);
    play_compose(&play, 1, false);
    assert_string_equal(play.method, "PUT");
    assert_string_equal(play.sent_body.at, "{\"points\":[{\"id\":7,\"vector\":[0.5,1]}]}");
    play_reply(&play, 200, "", SPAN("{\"result\":{\"operation_id\":0},\"status\":\"ok\"}"), 4);
    assert_int_equal(play.outcome.error, 0);
    assert_int_equal(play_count(&play, "rag_indexings"), 1);
    play_compose(&play, 1, false);
    play_reply(&play, 200, "", SPAN("{\"status\":{\"error\":\"wrong dimension\"}}"), 4);
    assert_int_equal(play.outcome.error, COUNT_ERROR_PROTOCOL);
    assert_memory_equal(play.outcome.words.at, "wrong dimension", play.outcome.words.bytes);
    assert_int_equal(play_count(&play, "rag_index_failures"), 1);
    play_fini(&play);
}

/* Lists within lists, results that are ids themselves, and a body that no mapping reaches. The
 * replies are Chroma's. */
static void chroma_by_configuration(void **state)
{
    struct driver_play play;
    (void)state;
    play_init(&play, "      - rag.query:\n"
                     "          url: /api/v2/collections/1/query\n"
                     "          body: {query_embeddings: [[1, 0, 0, 0]], n_results: 2}\n"
                     "          expect: [a, c]\n"
                     "          reply: {results: \"ids[0]\", id: \"\"}\n");
    ask(&play, 200,
        "{\"ids\":[[\"a\",\"c\"]],\"embeddings\":null,\"documents\":[[\"alpha\",\"gamma\"]]}", 5);
    assert_int_equal(play.outcome.error, 0);
    assert_string_equal(play.sent_body.at, "{\"query_embeddings\":[[1,0,0,0]],\"n_results\":2}");
    assert_int_equal(play_count(&play, "rag_results"), 2);
    assert_int_equal(play_count(&play, "rag_found"), 2);
    ask(&play, 400,
        "{\"error\":\"InvalidArgumentError\",\"message\":\"Collection expecting embedding with "
        "dimension of 4, got 2\"}",
        5);
    assert_int_equal(play.outcome.error, COUNT_ERROR_HTTP_STATUS);
    assert_int_equal(play_count(&play, "rag_query_failures"), 1);
    play_fini(&play);
}

static void failures_time_outs_and_empty_results_are_apart(void **state)
{
    struct driver_play play;
    (void)state;
    play_init(&play, "      - rag.query: {query: why, expect: [a]}\n");
    assert_int_equal(ask(&play, 200, "{\"sources\":[]}", 3).error, 0);
    assert_int_equal(ask(&play, 200, "{\"sources\":null}", 3).error, 0);
    assert_int_equal(play_count(&play, "rag_empty"), 2);
    assert_int_equal(play_count(&play, "rag_queries"), 2);
    assert_int_equal(play_count(&play, "rag_missed"), 2);
    assert_int_equal(ask(&play, 504, "{\"error\":\"timeout\"}", 3).error, COUNT_ERROR_HTTP_STATUS);
    assert_int_equal(play_count(&play, "rag_server_timeouts"), 1);
    assert_int_equal(ask(&play, 200, "{\"error\":\"no pool\",\"sources\":[]}", 3).error,
                     COUNT_ERROR_PROTOCOL);
    assert_int_equal(ask(&play, 200, "{\"answer\":\"x\"}", 3).error, COUNT_ERROR_PROTOCOL);
    assert_int_equal(ask(&play, 200, "<html>", 3).error, COUNT_ERROR_PROTOCOL);
    assert_int_equal(ask(&play, 200, "", 0).error, COUNT_ERROR_PROTOCOL);
    assert_int_equal(play_count(&play, "rag_query_failures"), 5);
    assert_int_equal(play_count(&play, "rag_queries"), 2);
    assert_int_equal(play_count(&play, "rag_expected"), 2);
    play_fini(&play);
}

static void what_was_indexed_is_counted(void **state)
{
    struct driver_play play;
    (void)state;
    play_init(&play, "      - rag.index: {documents: [one, two], collection: default,\n"
                     "                    reply: {indexed: indexed}}\n");
    assert_int_equal(ask(&play, 200, "{\"indexed\":2,\"collection\":\"default\"}", 3).error, 0);
    assert_string_equal(play.sent_path.at, "/index");
    assert_string_equal(play.sent_body.at,
                        "{\"documents\":[\"one\",\"two\"],\"collection\":\"default\"}");
    assert_int_equal(play_count(&play, "rag_indexed"), 2);
    assert_int_equal(ask(&play, 503, "busy", 3).error, COUNT_ERROR_HTTP_STATUS);
    assert_int_equal(play_count(&play, "rag_index_failures"), 1);
    assert_int_equal(play_count(&play, "rag_indexings"), 1);
    play_fini(&play);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rag_service),
        cmocka_unit_test(qdrant_by_configuration),
        cmocka_unit_test(chroma_by_configuration),
        cmocka_unit_test(failures_time_outs_and_empty_results_are_apart),
        cmocka_unit_test(what_was_indexed_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
