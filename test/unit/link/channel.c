/* Messages of a child process through a pool, with real processes: this program starts itself as
 * the server, which writes what a test says, cut where the test says. */
#include "link/pool.h"

#include "base/memory.h"
#include "link/connection.h"
#include "wire/json_rpc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- the server ------------------------------------------------------------------------------ */

/* Answers each line by its last argument, in two writes with a pause between, the first of `cut`
 * bytes. "@" stands for the number of the message, "#" for that of the last one cancelled. */
static int serve(size_t cut, const char *reply)
{
    char line[65536];
    uint64_t cancelled = 0;
    while (fgets(line, sizeof line, stdin)) {
        const char *id = strstr(line, "\"id\":");
        const char *given_up = strstr(line, "\"requestId\":");
        struct text out = TEXT_EMPTY;
        if (given_up && strstr(line, "\"method\":\"notifications/cancelled\""))
            cancelled = strtoul(given_up + 12, NULL, 10);
        if (!id)
            continue;
        for (const char *at = reply; *at; at++) {
            if (*at == '@')
                text_put_uint(&out, strtoul(id + 5, NULL, 10));
            else if (*at == '#')
                text_put_uint(&out, cancelled);
            else
                text_putc(&out, *at);
        }
        size_t first = cut < out.bytes ? cut : out.bytes;
        ssize_t written = write(1, out.at, first);
        if (first < out.bytes) {
            nanosleep(&(struct timespec){.tv_nsec = 300000}, NULL);
            written = write(1, out.at + first, out.bytes - first);
        }
        text_fini(&out);
        if (written < 0)
            return 1;
    }
    return 0;
}

/* ---- the client ------------------------------------------------------------------------------ */

struct stage {
    struct loop *loop;
    struct resolver *resolver;
    struct link *link;
    struct pool *pool;
    struct piped_command command;
    char *arguments[5];
};

struct call {
    struct exchange exchange;
    uint64_t id;
    bool alone, over;
    unsigned messages;
    struct text last;
    enum exchange_error error;
    char words[600];
    char body[100];
};

static struct call *call_of(struct exchange *exchange)
{
    return (struct call *)((char *)exchange - offsetof(struct call, exchange));
}

static void on_started(struct exchange *exchange)
{
    (void)exchange;
}

static void on_compose(struct exchange *exchange, struct exchange_request *out)
{
    struct call *call = call_of(exchange);
    snprintf(call->body, sizeof call->body, "{\"jsonrpc\":\"2.0\",\"id\":%u}", (unsigned)call->id);
    out->body = span_of(call->body);
    out->message_id = call->id;
    out->alone = call->alone;
    assert_non_null(exchange->state);
}

static void on_head(struct exchange *exchange, int status, struct span head)
{
    (void)exchange;
    assert_int_equal(status, 0);
    assert_int_equal(head.bytes, 0);
}

static void on_data(struct exchange *exchange, struct span bytes, nsec_t rx_ns)
{
    struct call *call = call_of(exchange);
    assert_true(rx_ns > 0);
    call->messages++;
    text_clear(&call->last);
    text_put(&call->last, bytes);
}

static void on_end(struct exchange *exchange, nsec_t rx_ns)
{
    const struct exchange_times *times = &exchange->times;
    call_of(exchange)->over = true;
    assert_true(times->asked_ns <= times->sent_ns && times->sent_ns <= times->sent_all_ns);
    assert_true(times->sent_all_ns <= times->first_ns && times->first_ns <= rx_ns);
}

static void on_error(struct exchange *exchange, enum exchange_error error, const char *words,
                     nsec_t at_ns)
{
    struct call *call = call_of(exchange);
    (void)at_ns;
    call->over = true;
    call->error = error;
    snprintf(call->words, sizeof call->words, "%s", words);
}

static const struct exchange_handler handler = {.started = on_started,
                                                .compose = on_compose,
                                                .head = on_head,
                                                .data = on_data,
                                                .end = on_end,
                                                .error = on_error};

static void stage_init(struct stage *stage, enum pool_kind kind, size_t cut, const char *reply)
{
    char number[24];
    snprintf(number, sizeof number, "%zu", cut);
    *stage = (struct stage){.arguments = {(char *)(uintptr_t) "/proc/self/exe",
                                          (char *)(uintptr_t) "serve", memory_copy_text(number),
                                          memory_copy_text(reply), NULL}};
    stage->command = (struct piped_command){.arguments = stage->arguments};
    struct pool_options options = {.kind = kind, .command = &stage->command, .state_bytes = 8};
    assert_int_equal(loop_new(&stage->loop), 0);
    assert_int_equal(resolver_new(&stage->resolver, stage->loop, NULL, 0), 0);
    assert_int_equal(link_new(&stage->link, stage->loop, stage->resolver, NULL), 0);
    assert_int_equal(pool_new(&stage->pool, stage->link, &options), 0);
}

static void stage_fini(struct stage *stage)
{
    struct pool_state state;
    link_settle(stage->link);
    pool_state(stage->pool, &state);
    assert_int_equal(state.open, 0);
    pool_free(stage->pool);
    link_free(stage->link);
    resolver_free(stage->resolver);
    loop_free(stage->loop);
    free(stage->arguments[2]);
    free(stage->arguments[3]);
}

static void start(struct stage *stage, struct call *call, uint64_t id, struct connection **home,
                  nsec_t timeout_ns)
{
    *call = (struct call){.id = id};
    exchange_start(&call->exchange, stage->pool, &handler, home, loop_now(stage->loop), timeout_ns);
}

static void await(struct stage *stage, const struct call *call)
{
    nsec_t limit_ns = loop_now(stage->loop) + 20 * NSEC_PER_SEC;
    while (!call->over && loop_now(stage->loop) < limit_ns)
        assert_true(loop_turn(stage->loop, limit_ns) >= 0);
    assert_true(call->over);
}

/* ---- the tests ------------------------------------------------------------------------------- */

static const char *const replies =
    "{\"method\":\"notifications/progress\",\"params\":{\"progressToken\":@,\"progress\":1}}\n"
    "\r\n"
    "no message at all\n"
    "{\"id\":77,\"result\":\"of somebody else\"}\n"
    "{\"jsonrpc\":\"2.0\",\"id\":@,\"result\":{\"said\":\"\xc3\xa4\xc3\xb6\"}}\r\n";

static void messages_split_at_any_byte(void **unused)
{
    (void)unused;
    for (size_t cut = 1; cut <= strlen(replies) + 2; cut += 3) {
        struct stage stage;
        struct call call;
        struct connection *home = NULL;
        stage_init(&stage, POOL_KIND_PER_USER, cut, replies);
        for (uint64_t id = 8; id < 11; id++) { /* one digit becomes two on the way */
            start(&stage, &call, id, &home, 0);
            await(&stage, &call);
            assert_int_equal(call.error, EXCHANGE_OK);
            assert_int_equal(call.messages, 3); /* progress, what is no message, the answer */
            char wanted[100];
            snprintf(wanted, sizeof wanted,
                     "{\"jsonrpc\":\"2.0\",\"id\":%u,\"result\":{\"said\":\"\xc3\xa4\xc3\xb6\"}}",
                     (unsigned)id);
            assert_int_equal(call.last.bytes, strlen(wanted));
            assert_memory_equal(call.last.at, wanted, call.last.bytes);
            assert_int_equal(call.exchange.fresh, id == 8);
            text_fini(&call.last);
        }
        pool_release_home(&home);
        stage_fini(&stage);
    }
}

static void many_calls_share_a_child(void **unused)
{
    (void)unused;
    enum { CALLS = 200 };
    static struct call calls[CALLS];
    struct stage stage;
    struct pool_state state;
    stage_init(&stage, POOL_KIND_SHARED, 1000000, replies);
    for (uint64_t i = 0; i < CALLS; i++)
        start(&stage, &calls[i], i + 1000, NULL, 0);
    pool_state(stage.pool, &state);
    assert_int_equal(state.open, 1);
    for (size_t i = 0; i < CALLS; i++) {
        await(&stage, &calls[i]);
        assert_int_equal(calls[i].error, EXCHANGE_OK);
        assert_true(calls[i].messages >= 2); /* what is no message is the oldest call's */
        text_fini(&calls[i].last);
    }
    stage_fini(&stage);
}

static void a_call_that_is_given_up_is_cancelled_and_leaves_the_child(void **unused)
{
    (void)unused;
    struct stage stage;
    struct call call;
    struct connection *home = NULL;
    stage_init(&stage, POOL_KIND_PER_USER, 1000, "{\"id\":8,\"result\":#}\n");
    start(&stage, &call, 7, &home, 50 * NSEC_PER_MSEC);
    await(&stage, &call);
    assert_int_equal(call.error, EXCHANGE_TIMEOUT);
    text_fini(&call.last);
    start(&stage, &call, 8, &home, 0);
    await(&stage, &call);
    assert_int_equal(call.error, EXCHANGE_OK);
    assert_false(call.exchange.fresh);
    assert_memory_equal(call.last.at, "{\"id\":8,\"result\":7}", call.last.bytes);
    text_fini(&call.last);
    start(&stage, &call, 9, &home, 0); /* given up by its user */
    exchange_cancel(&call.exchange);
    text_fini(&call.last);
    for (uint64_t told = 7; told <= 9; told += 2) { /* it has answered before it was cancelled */
        start(&stage, &call, 8, &home, 0);
        await(&stage, &call);
        assert_int_equal(call.last.at[17], '0' + told);
        text_fini(&call.last);
    }
    pool_release_home(&home);
    assert_null(home);
    stage_fini(&stage);
}

static void one_that_sets_up_is_alone(void **unused)
{
    (void)unused;
    struct stage stage;
    struct call first, second;
    stage_init(&stage, POOL_KIND_SHARED, 1000, "{\"id\":@,\"result\":1}\n");
    first = (struct call){.id = 1, .alone = true};
    exchange_start(&first.exchange, stage.pool, &handler, NULL, loop_now(stage.loop), 0);
    start(&stage, &second, 2, NULL, 0);
    assert_true(exchange_waits(&second.exchange));
    await(&stage, &second);
    assert_true(first.over);
    assert_true(second.exchange.times.set_up_ns > 0);
    assert_true(second.exchange.times.sent_ns >= first.exchange.times.first_ns);
    text_fini(&first.last);
    text_fini(&second.last);
    stage_fini(&stage);
}

static void a_line_without_end_is_too_long(void **unused)
{
    (void)unused;
    struct stage stage;
    struct call call;
    struct connection *home = NULL;
    char *reply = memory_new(100001, 1); /* an argument's limit is 128 KiB */
    memset(reply, 'x', 100000);
    stage_init(&stage, POOL_KIND_PER_USER, 1000, reply);
    for (int i = 0; i < 60; i++) { /* no call is answered, and no line ever ends */
        start(&stage, &call, (uint64_t)i + 1, &home, 2 * NSEC_PER_SEC);
        exchange_cancel(&call.exchange);
    }
    start(&stage, &call, 99, &home, 0);
    await(&stage, &call);
    assert_int_equal(call.error, EXCHANGE_TOO_LARGE);
    assert_non_null(strstr(call.words, "4194304"));
    assert_null(home);
    stage_fini(&stage);
    free(reply);
}

static void a_program_that_cannot_be_started_says_why(void **unused)
{
    (void)unused;
    struct stage stage;
    struct call call;
    stage_init(&stage, POOL_KIND_SHARED, 1, "");
    stage.arguments[0] = (char *)(uintptr_t) "/none/such";
    start(&stage, &call, 1, NULL, 0);
    await(&stage, &call);
    assert_int_equal(call.error, EXCHANGE_REFUSED);
    assert_non_null(strstr(call.words, "/none/such: No such file"));
    stage.arguments[0] = (char *)(uintptr_t) "/proc/self/exe";
    stage.command.directory = "/none/there";
    start(&stage, &call, 1, NULL, 0);
    await(&stage, &call);
    assert_non_null(strstr(call.words, "directory /none/there"));
    stage_fini(&stage);
}

int main(int count, char **words)
{
    if (count == 4 && strcmp(words[1], "serve") == 0)
        return serve(strtoul(words[2], NULL, 10), words[3]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_split_at_any_byte),
        cmocka_unit_test(many_calls_share_a_child),
        cmocka_unit_test(a_call_that_is_given_up_is_cancelled_and_leaves_the_child),
        cmocka_unit_test(one_that_sets_up_is_alone),
        cmocka_unit_test(a_line_without_end_is_too_long),
        cmocka_unit_test(a_program_that_cannot_be_started_says_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
