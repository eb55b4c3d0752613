/* net/fetch.h and net/talk.h against servers that behave, and against those that hang, dribble,
 * flood, answer nonsense or send elsewhere: every call comes back in time, with the right outcome,
 * and the token never leaves for another place. */
#include "net/fetch.h"
#include "net/talk.h"

#include "base/memory.h"

#include "../../support/odd_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>

#define MSEC NSEC_PER_MSEC

static const char good[] =
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\n"
    "hello";

/* Asks once; the outcome, and how long it took. */
static enum fetch_outcome ask(struct odd_server *server, struct fetch_request *request,
                              nsec_t *took_ns)
{
    struct fetch *fetch = fetch_new();
    struct fetch_reply reply = {.status = 0};
    if (!request->url)
        request->url = server->url;
    nsec_t began_ns = clock_monotonic_ns();
    enum fetch_outcome outcome = fetch_ask(fetch, request, &reply);
    if (took_ns)
        *took_ns = clock_monotonic_ns() - began_ns;
    if (outcome == FETCH_DONE)
        assert_string_equal(fetch_words(fetch), "");
    else
        assert_true(strlen(fetch_words(fetch)) > 10);
    text_fini(&reply.body);
    fetch_free(fetch);
    return outcome;
}

static void test_connection_is_kept(void **state)
{
    (void)state;
    struct odd_server server;
    odd_start(&server, odd_reply, good);
    struct fetch *fetch = fetch_new();
    struct fetch_reply reply = {.status = 0};
    const char *headers[] = {"X-Mine: 1"};
    struct fetch_request request = {
        .url = server.url, .bearer = "s3cret", .headers = headers, .header_count = 1};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(fetch_ask(fetch, &request, &reply), FETCH_DONE);
        assert_int_equal(reply.status, 200);
        assert_string_equal(reply.body.at, "hello");
        assert_string_equal(reply.content_type, "text/plain");
        assert_true(reply.first_byte_ns > 0 && reply.first_byte_ns <= reply.took_ns);
    }
    assert_int_equal(server.connections, 1);
    assert_non_null(strstr(server.asked, "Authorization: Bearer s3cret\r\n"));
    assert_non_null(strstr(server.asked, "X-Mine: 1\r\n"));
    assert_non_null(strstr(server.asked, "GET /metrics HTTP/1.1\r\n"));
    fetch_free(fetch);
    text_fini(&reply.body);
    odd_stop(&server);
}

static void test_bodies_and_methods(void **state)
{
    (void)state;
    struct odd_server server;
    odd_start(&server, odd_reply, good);
    struct fetch_request post = {.body = SPAN("{}")};
    assert_int_equal(ask(&server, &post, NULL), FETCH_DONE);
    assert_non_null(strstr(server.asked, "POST /metrics"));
    assert_non_null(strstr(server.asked, "Content-Length: 2\r\n"));
    odd_stop(&server);
    odd_start(&server, odd_reply, good);
    struct fetch_request patch = {.body = SPAN("{}"), .method = "PATCH", .fresh = true};
    assert_int_equal(ask(&server, &patch, NULL), FETCH_DONE);
    assert_non_null(strstr(server.asked, "PATCH /metrics"));
    odd_stop(&server);
}

static void test_unix_socket(void **state)
{
    (void)state;
    struct odd_server server;
    char path[64];
    snprintf(path, sizeof path, "/tmp/plimsoll-fetch-%d.sock", (int)getpid());
    odd_start_unix(&server, path, good);
    struct fetch_request request = {.url = "http://localhost/x", .unix_socket = path};
    assert_int_equal(ask(NULL, &request, NULL), FETCH_DONE);
    assert_non_null(strstr(server.asked, "GET /x HTTP/1.1\r\nHost: localhost\r\n"));
    odd_stop(&server);
    unlink(path);
    assert_int_equal(ask(NULL, &request, NULL), FETCH_REFUSED);
}

static void check_odd(void (*behave)(struct odd_server *, int), enum fetch_outcome wanted)
{
    struct odd_server server;
    nsec_t took_ns;
    odd_start(&server, behave, NULL);
    struct fetch_request request = {.timeout_ns = 300 * MSEC, .most_bytes = 1 << 20};
    assert_int_equal(ask(&server, &request, &took_ns), wanted);
    /* The timeout of 0.3 s, and room for a crowded machine; without a limit it would be 60 s. */
    assert_true(took_ns < 5 * NSEC_PER_SEC);
    odd_stop(&server);
}

static void test_odd_servers(void **state)
{
    (void)state;
    check_odd(odd_hang, FETCH_TIMEOUT);
    check_odd(odd_dribble, FETCH_TIMEOUT);
    check_odd(odd_flood, FETCH_TOO_LARGE);
    check_odd(odd_garbage, FETCH_BROKEN);
    check_odd(odd_cut, FETCH_BROKEN);
    check_odd(odd_endless_head, FETCH_BROKEN);
}

static void test_nobody_there(void **state)
{
    (void)state;
    struct odd_server server;
    odd_start(&server, odd_reply, good);
    odd_stop(&server); /* its port is free now */
    struct fetch_request request = {.url = server.url};
    assert_int_equal(ask(NULL, &request, NULL), FETCH_REFUSED);
    struct fetch_request name = {.url = "http://no-such-host.invalid/",
                                 .timeout_ns = 3 * NSEC_PER_SEC};
    enum fetch_outcome outcome = ask(NULL, &name, NULL);
    /* A machine whose resolver waits for a network that is not there may run into the timeout. */
    assert_true(outcome == FETCH_NAME || outcome == FETCH_TIMEOUT);
    struct fetch_request bad = {.url = "http://[::1"};
    assert_int_equal(ask(NULL, &bad, NULL), FETCH_BROKEN);
    struct fetch_request file = {.url = "file:///etc/passwd"};
    assert_int_not_equal(ask(NULL, &file, NULL), FETCH_DONE);
}

static void test_redirects(void **state)
{
    (void)state;
    struct odd_server other, server;
    char elsewhere[256], here[256];
    odd_start(&other, odd_reply, good);
    snprintf(elsewhere, sizeof elsewhere,
             "HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n", other.url);
    odd_start(&server, odd_reply, elsewhere);
    struct fetch *fetch = fetch_new();
    struct fetch_reply reply = {.status = 0};
    struct fetch_request request = {.url = server.url, .bearer = "s3cret", .follow = true};
    assert_int_equal(fetch_ask(fetch, &request, &reply), FETCH_DONE);
    assert_int_equal(reply.status, 302);
    assert_int_equal(other.connections, 0);
    odd_stop(&server);
    odd_stop(&other);
    /* A circle at one place is left after four redirects, and the last reply handed out. */
    snprintf(here, sizeof here,
             "HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n");
    odd_start(&server, odd_reply, here);
    request.url = server.url;
    assert_int_equal(fetch_ask(fetch, &request, &reply), FETCH_DONE);
    assert_int_equal(reply.status, 302);
    assert_non_null(strstr(server.asked, "GET /again HTTP/1.1"));
    odd_stop(&server);
    fetch_free(fetch);
    text_fini(&reply.body);
}

struct cancelling {
    atomic_bool cancel;
    nsec_t at_ns;
};

static void *cancel_soon(void *self)
{
    struct cancelling *it = self;
    poll(NULL, 0, 100);
    it->at_ns = clock_monotonic_ns();
    atomic_store(&it->cancel, true);
    return NULL;
}

static void test_cancel(void **state)
{
    (void)state;
    struct odd_server server;
    nsec_t best_ns = NSEC_NEVER;
    /* Within 100 ms; of three tries, as a crowded machine may let any thread wait. */
    for (int i = 0; i < 3 && best_ns > 100 * MSEC; i++) {
        struct cancelling it = {.at_ns = 0};
        pthread_t thread;
        odd_start(&server, odd_hang, NULL);
        assert_int_equal(pthread_create(&thread, NULL, cancel_soon, &it), 0);
        struct fetch_request request = {.cancel = &it.cancel, .timeout_ns = 30 * NSEC_PER_SEC};
        assert_int_equal(ask(&server, &request, NULL), FETCH_CANCELLED);
        nsec_t after_ns = clock_monotonic_ns() - it.at_ns;
        best_ns = after_ns < best_ns ? after_ns : best_ns;
        pthread_join(thread, NULL);
        odd_stop(&server);
    }
    assert_true(best_ns < 100 * MSEC);
}

static void answer_line(struct odd_server *server, int fd)
{
    ssize_t count = recv(fd, server->asked, sizeof server->asked - 1, 0);
    server->asked[count > 0 ? count : 0] = '\0';
    odd_send(fd, "one\ntwo\n\n", 9);
}

static void hold_line(struct odd_server *server, int fd)
{
    odd_send(fd, "one\n", 4);
    odd_sleep(server, 60000);
}

static void test_talk(void **state)
{
    (void)state;
    struct odd_server server;
    struct text answer = TEXT_EMPTY;
    char place[64];
    odd_start(&server, answer_line, NULL);
    snprintf(place, sizeof place, "127.0.0.1:%u", server.port);
    struct talk talk = {.place = place, .words = SPAN("show stat\n"), .timeout_ns = NSEC_PER_SEC};
    assert_int_equal(talk_once(&talk, &answer), 0);
    assert_string_equal(answer.at, "one\ntwo\n\n");
    assert_string_equal(server.asked, "show stat\n");
    talk.most_bytes = 4;
    assert_int_equal(talk_once(&talk, &answer), -EMSGSIZE);
    odd_stop(&server);
    assert_int_equal(talk_once(&talk, &answer), -ECONNREFUSED);
    odd_start(&server, hold_line, NULL);
    snprintf(place, sizeof place, "127.0.0.1:%u", server.port);
    talk.most_bytes = 0;
    talk.timeout_ns = 100 * MSEC;
    assert_int_equal(talk_once(&talk, &answer), -ETIMEDOUT);
    odd_stop(&server);
    assert_string_equal(answer.at, "one\ntwo\n\n"); /* written on success only */
    talk.place = "/no/such/socket";
    assert_int_equal(talk_once(&talk, &answer), -ENOENT);
    talk.place = "nowhere";
    assert_int_equal(talk_once(&talk, &answer), -EINVAL);
    text_fini(&answer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_connection_is_kept),
        cmocka_unit_test(test_bodies_and_methods),
        cmocka_unit_test(test_unix_socket),
        cmocka_unit_test(test_odd_servers),
        cmocka_unit_test(test_nobody_there),
        cmocka_unit_test(test_redirects),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_talk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
