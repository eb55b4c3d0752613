/* The MCP driver against replies as servers give them, event streams cut at every byte: what is
 * sent in which order, and each failure in the one counter that it belongs to. */
#include "driver_play.h"

static const char head[] = "Content-Type: text/event-stream\r\nMCP-Session-Id: s-1\r\n";

static const char call_task[] = "      - mcp.call: {tool: echo, args: {message: hi}}\n";
static const char progress_task[] =
    "      - mcp.call: {tool: echo, args: {message: hi}, progress: true}\n";
static const char outside_task[] =
    "      - mcp.call: {tool: read, args: {path: /etc/passwd}, outside: true}\n";

#define INITIALIZE                                                                                 \
    "{\"result\":{\"protocolVersion\":\"2025-06-18\",\"capabilities\":{}},\"jsonrpc\":\"2.0\","    \
    "\"id\":1}"

static void open_session(struct driver_play *play)
{
    play_compose(play, 0, false);
    assert_non_null(strstr(play->sent_body.at, "\"method\":\"initialize\""));
    assert_non_null(strstr(play->sent_body.at, "\"protocolVersion\":\"2025-11-25\""));
    assert_non_null(strstr(play->sent_body.at, "\"capabilities\":{}"));
    assert_null(strstr(play->sent_headers.at, "Mcp-Session-Id"));
    assert_non_null(
        strstr(play->sent_headers.at, "Accept: application/json, text/event-stream\r\n"));
    assert_true(play_reply(play, 200, head, SPAN(INITIALIZE), SIZE_MAX).again);
    play_compose(play, 0, false);
    assert_string_equal(play->sent_body.at,
                        "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}");
    assert_non_null(strstr(play->sent_headers.at, "Mcp-Session-Id: s-1\r\n"));
    assert_non_null(strstr(play->sent_headers.at, "MCP-Protocol-Version: 2025-06-18\r\n"));
    assert_true(play_reply(play, 202, "", SPAN(""), SIZE_MAX).again);
}

static void a_session_from_initialize_to_delete(void **state)
{
    struct driver_play play;
    (void)state;
    play_init(&play, call_task);
    open_session(&play);
    assert_int_equal(play_count(&play, "mcp_sessions"), 1);
    const struct hist *setup = play.block->requests[0].hists[play.call.first_hist];
    assert_int_equal(setup->count, 1);
    assert_int_equal(setup->most, 10 * NSEC_PER_MSEC); /* two exchanges of 5 ms */
    play_compose(&play, 0, false);
    assert_string_equal(play.sent_body.at,
                        "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tools/call\",\"params\":{"
                        "\"name\":\"echo\",\"arguments\":{\"message\":\"hi\"}}}");
    assert_string_equal(play.sent_path.at, "/mcp");
    struct driver_outcome outcome = play_reply(
        &play, 200, "", SPAN("{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{\"content\":[]}}"), 7);
    assert_int_equal(outcome.error, 0);
    assert_false(outcome.again);
    assert_int_equal(play_count(&play, "mcp_calls"), 1);
    play_compose(&play, 0, true);
    assert_string_equal(play.method, "DELETE");
    assert_non_null(strstr(play.sent_headers.at, "Mcp-Session-Id: s-1\r\n"));
    play_reply(&play, 405, "", SPAN(""), SIZE_MAX);
    assert_int_equal(play_count(&play, "mcp_sessions_ended"), 1);
    play_compose(&play, 0, true); /* nothing is left to end */
    assert_string_equal(play.method, "");
    play_fini(&play);
}

static void a_session_without_an_id_is_not_ended(void **state)
{
    struct driver_play play;
    (void)state;
    play_init(&play, call_task);
    play_compose(&play, 0, false);
    assert_true(play_reply(&play, 200, "", SPAN(INITIALIZE), SIZE_MAX).again);
    play_compose(&play, 0, false);
    assert_null(strstr(play.sent_headers.at, "Mcp-Session-Id"));
    assert_true(play_reply(&play, 202, "", SPAN(""), SIZE_MAX).again);
    play_compose(&play, 0, true);
    assert_string_equal(play.method, "");
    play_fini(&play);
}

/* Plays one reply to a call, cut at every byte, and says what came of it. */
static void each_cut(const char *task, struct span body, uint32_t error, const char *words,
                     const char *counter)
{
    for (size_t cut = 0; cut <= body.bytes; cut++) {
        struct driver_play play;
        play_init(&play, task);
        open_session(&play);
        play_compose(&play, 0, false);
        struct driver_outcome outcome = play_reply(&play, 200, "", body, cut);
        assert_int_equal(outcome.error, error);
        assert_false(outcome.again || outcome.more);
        if (words) {
            assert_int_equal(outcome.words.bytes, strlen(words));
            assert_memory_equal(outcome.words.at, words, strlen(words));
        }
        static const char *const kinds[] = {
            "mcp_calls",   "mcp_http_errors",        "mcp_rpc_errors",    "mcp_tool_errors",
            "mcp_refused", "mcp_sandbox_violations", "mcp_broken_replies"};
        for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
            assert_int_equal(play_count(&play, kinds[i]), strcmp(kinds[i], counter) == 0);
        if (task == progress_task)
            assert_int_equal(play_count(&play, "mcp_progress"), 2);
        play_fini(&play);
    }
}

#define EVENT(id, data) "event: message\nid: " id "\ndata: " data "\n\n"
#define PROGRESS                                                                                   \
    "{\"method\":\"notifications/progress\",\"params\":{\"progress\":1,\"progressToken\":2},"      \
    "\"jsonrpc\":\"2.0\"}"
#define DONE "{\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"ok\"}]},\"id\":2}"

/* A place to resume at, progress, a number of another's, then ours; progress after it is late. */
static void progress_comes_before_the_answer(void **state)
{
    (void)state;
    each_cut(progress_task,
             SPAN("id: 0\ndata: \n\n" EVENT("1", PROGRESS) ": ping\n\n" EVENT("2", PROGRESS)
                      EVENT("3", "{\"id\":7,\"result\":{}}") EVENT("4", DONE) EVENT("5", PROGRESS)),
             0, NULL, "mcp_calls");
    each_cut(call_task, SPAN("event: message\r\ndata: " DONE "\r\n\r\n"), 0, NULL, "mcp_calls");
}

static void three_kinds_of_failure(void **state)
{
    (void)state;
    each_cut(call_task,
             SPAN(EVENT("1", "{\"jsonrpc\":\"2.0\",\"id\":2,\"error\":{\"code\":-32601,"
                             "\"message\":\"Method not found\"}}")),
             COUNT_ERROR_PROTOCOL, "Method not found", "mcp_rpc_errors");
    each_cut(call_task,
             SPAN("{\"id\":2,\"result\":{\"isError\":true,\"content\":[{\"type\":\"text\","
                  "\"text\":\"no such tool\"}]}}"),
             COUNT_ERROR_PROTOCOL, "no such tool", "mcp_tool_errors");
    struct driver_play play;
    play_init(&play, call_task);
    open_session(&play);
    play_compose(&play, 0, false);
    struct driver_outcome outcome = play_reply(&play, 500, "", SPAN("out of memory"), 3);
    assert_int_equal(outcome.error, COUNT_ERROR_HTTP_STATUS);
    assert_memory_equal(outcome.words.at, "out of memory", outcome.words.bytes);
    assert_int_equal(play_count(&play, "mcp_http_errors"), 1);
    assert_int_equal(play_count(&play, "mcp_setup_failures"), 0);
    play_fini(&play);
}

static void replies_that_do_not_answer(void **state)
{
    (void)state;
    each_cut(call_task, SPAN("{\"jsonrpc\":\"2.0\",\"id\":3,\"result\":{}}"), COUNT_ERROR_PROTOCOL,
             "the reply ended without the message that answers ours", "mcp_broken_replies");
    each_cut(call_task, SPAN("<html>hello</html>"), COUNT_ERROR_PROTOCOL, NULL,
             "mcp_broken_replies");
    each_cut(call_task, SPAN("{\"id\":2,\"resu"), COUNT_ERROR_PROTOCOL, NULL, "mcp_broken_replies");
}

static void the_sandbox_refuses_or_fails(void **state)
{
    (void)state;
    each_cut(outside_task, SPAN("{\"id\":2,\"result\":{\"isError\":true,\"content\":[]}}"), 0, NULL,
             "mcp_refused");
    each_cut(outside_task, SPAN("{\"id\":2,\"error\":{\"code\":-32602,\"message\":\"no\"}}"), 0,
             NULL, "mcp_refused");
    each_cut(outside_task, SPAN(EVENT("1", "{\"id\":2,\"result\":{\"content\":[]}}")),
             COUNT_ERROR_PROTOCOL, NULL, "mcp_sandbox_violations");
}

/* A server that has forgotten the session: the call fails, the next one opens a new session. */
static void a_lost_session_is_opened_again(void **state)
{
    static const char sdk[] = "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32000,\"message\":\"Bad "
                              "Request: No valid session ID provided\"}}";
    (void)state;
    for (int status = 400; status <= 404; status += 4) {
        struct driver_play play;
        play_init(&play, call_task);
        open_session(&play);
        play_compose(&play, 0, false);
        struct driver_outcome outcome = play_reply(&play, status, "", SPAN(sdk), 20);
        assert_int_equal(outcome.error, COUNT_ERROR_HTTP_STATUS);
        assert_int_equal(play_count(&play, "mcp_sessions_lost"), 1);
        assert_int_equal(play_count(&play, "mcp_http_errors"), 1);
        assert_int_equal(play_count(&play, "mcp_rpc_errors"), 0);
        play_compose(&play, 0, false);
        assert_non_null(strstr(play.sent_body.at, "\"method\":\"initialize\""));
        play_fini(&play);
    }
}

/* A stream that breaks off after an event with an id is taken up behind it, as part of the call. */
static void a_broken_stream_is_resumed(void **state)
{
    struct driver_play play;
    (void)state;
    play_init(&play, progress_task);
    open_session(&play);
    play_compose(&play, 0, false);
    assert_true(
        play_reply(&play, 200, "", SPAN(EVENT("41", PROGRESS) "id: 42\ndata: {\"id"), 9).more);
    nsec_t intended_ns = play.call.intended_ns;
    play.now_ns = intended_ns; /* the engine keeps the intended instant */
    play_compose(&play, 0, false);
    assert_string_equal(play.method, "GET");
    assert_non_null(strstr(play.sent_headers.at, "Last-Event-ID: 41\r\n"));
    assert_non_null(strstr(play.sent_headers.at, "Accept: text/event-stream\r\n"));
    assert_int_equal(play.sent_body.bytes, 0);
    struct driver_outcome outcome = play_reply(&play, 200, "", SPAN(EVENT("42", DONE)), 3);
    assert_int_equal(outcome.error, 0);
    assert_false(outcome.more);
    assert_int_equal(play_count(&play, "mcp_resumed"), 1);
    assert_int_equal(play_count(&play, "mcp_calls"), 1);
    assert_int_equal(play_count(&play, "mcp_progress"), 1);
    play_compose(&play, 0, false);
    assert_string_equal(play.method, "POST");
    assert_non_null(strstr(play.sent_body.at, "\"id\":3"));
    play_fini(&play);
}

static void set_up_that_fails(void **state)
{
    struct driver_play play;
    (void)state;
    play_init(&play, call_task);
    play_compose(&play, 0, false);
    assert_int_equal(play_reply(&play, 503, "", SPAN("busy"), 0).error, COUNT_ERROR_HTTP_STATUS);
    play_compose(&play, 0, false);
    struct driver_outcome outcome = play_reply(
        &play, 200, "", SPAN("{\"id\":2,\"result\":{\"protocolVersion\":\"1999-01-01\"}}"), 9);
    assert_int_equal(outcome.error, COUNT_ERROR_PROTOCOL);
    assert_int_equal(play_count(&play, "mcp_setup_failures"), 2);
    assert_int_equal(play_count(&play, "mcp_sessions"), 0);
    play_compose(&play, 0, false);
    assert_non_null(strstr(play.sent_body.at, "\"method\":\"initialize\""));
    play_fini(&play);
}

static void sessions_of_so_many_calls(void **state)
{
    struct driver_play play;
    (void)state;
    play_init(&play, "      - mcp.call: {tool: echo, calls_per_session: 1}\n");
    open_session(&play);
    play_compose(&play, 0, false);
    play_reply(&play, 200, "", SPAN("{\"id\":2,\"result\":{}}"), 1);
    play_compose(&play, 0, false);
    assert_string_equal(play.method, "DELETE");
    assert_true(play_reply(&play, 200, "", SPAN(""), 0).again);
    open_session(&play);
    assert_int_equal(play_count(&play, "mcp_sessions"), 2);
    play_fini(&play);
}

/* The same metrics where tools are plain HTTP, with the names that the plan gives. */
static void the_rest_dialect(void **state)
{
    struct driver_play play;
    (void)state;
    play_init(&play, "      - mcp.call:\n"
                     "          {dialect: rest, url: /run, tool: read, args: {path: a},\n"
                     "           rest: {tool: name, args: input, error: failure.text,\n"
                     "                  success: ok}}\n"
                     "      - name: out\n"
                     "        mcp.call: {dialect: rest, url: /run, tool: read, outside: true}\n");
    play_compose(&play, 0, false);
    assert_string_equal(play.method, "POST");
    assert_string_equal(play.sent_path.at, "/run");
    assert_string_equal(play.sent_body.at, "{\"name\":\"read\",\"input\":{\"path\":\"a\"}}");
    assert_int_equal(play_reply(&play, 200, "", SPAN("{\"ok\":true,\"failure\":null}"), 3).error,
                     0);
    assert_int_equal(play_count(&play, "mcp_calls"), 1);
    play_compose(&play, 0, false);
    struct driver_outcome outcome =
        play_reply(&play, 200, "", SPAN("{\"ok\":true,\"failure\":{\"text\":\"gone\"}}"), 3);
    assert_int_equal(outcome.error, COUNT_ERROR_PROTOCOL);
    assert_memory_equal(outcome.words.at, "gone", 4);
    play_compose(&play, 0, false);
    assert_int_equal(play_reply(&play, 200, "", SPAN("{\"ok\":false}"), 3).error,
                     COUNT_ERROR_PROTOCOL);
    assert_int_equal(play_count(&play, "mcp_tool_errors"), 2);
    play_compose(&play, 1, false);
    assert_int_equal(play_reply(&play, 403, "", SPAN("no"), 1).error, 0);
    assert_int_equal(play_count(&play, "mcp_refused"), 1);
    play_compose(&play, 1, false);
    assert_int_equal(play_reply(&play, 200, "", SPAN("{\"result\":\"root:x:0\"}"), 1).error,
                     COUNT_ERROR_PROTOCOL);
    assert_int_equal(play_count(&play, "mcp_sandbox_violations"), 1);
    play_compose(&play, 1, false);
    assert_int_equal(play_reply(&play, 500, "", SPAN("no"), 1).error, COUNT_ERROR_HTTP_STATUS);
    play_compose(&play, 0, true);
    assert_string_equal(play.method, "");
    play_fini(&play);
}

/* The engine keeps a request's intended instant over its parts; here the clock is set back for it.
 */
static void a_list_goes_on_where_its_cursor_says(void **state)
{
    struct driver_play play;
    (void)state;
    play_init(&play, "      - mcp.tools_list: /mcp\n"
                     "      - mcp.call: {tool: echo}\n      - mcp.call: {tool: none}\n");
    open_session(&play);
    play_compose(&play, 0, false);
    assert_string_equal(play.sent_body.at,
                        "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tools/list\"}");
    struct driver_outcome outcome = play_reply(
        &play, 200, "",
        SPAN("{\"id\":2,\"result\":{\"tools\":[{\"name\":\"a\"}],\"nextCursor\":\"b\\\"2\"}}"), 9);
    assert_true(outcome.more && !outcome.error);
    play.now_ns -= 5 * NSEC_PER_MSEC;
    play_compose(&play, 0, false);
    assert_string_equal(play.sent_body.at,
                        "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"tools/list\","
                        "\"params\":{\"cursor\":\"b\\\"2\"}}");
    outcome = play_reply(&play, 200, "",
                         SPAN("{\"id\":3,\"result\":{\"tools\":[{\"name\":\"echo\"}]}}"), 9);
    assert_true(!outcome.more && !outcome.error);
    assert_int_equal(play_count(&play, "mcp_calls"), 1);
    assert_int_equal(play_count(&play, "mcp_pages"), 1);
    assert_int_equal(play_count(&play, "mcp_tools_listed"), 2);
    assert_int_equal(play_count(&play, "mcp_unlisted_tools"), 1); /* "none" */
    play.now_ns += NSEC_PER_SEC;
    play_compose(&play, 0, false); /* the next list begins at its beginning */
    assert_null(strstr(play.sent_body.at, "cursor"));
    play_fini(&play);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session_from_initialize_to_delete),
        cmocka_unit_test(a_session_without_an_id_is_not_ended),
        cmocka_unit_test(progress_comes_before_the_answer),
        cmocka_unit_test(three_kinds_of_failure),
        cmocka_unit_test(replies_that_do_not_answer),
        cmocka_unit_test(the_sandbox_refuses_or_fails),
        cmocka_unit_test(a_lost_session_is_opened_again),
        cmocka_unit_test(a_broken_stream_is_resumed),
        cmocka_unit_test(set_up_that_fails),
        cmocka_unit_test(sessions_of_so_many_calls),
        cmocka_unit_test(the_rest_dialect),
        cmocka_unit_test(a_list_goes_on_where_its_cursor_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
