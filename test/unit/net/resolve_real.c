/* The resolver: literals, fixed answers, localhost, and a DNS server made here, whose answers
 * change with every query, so that keeping and forgetting show. */
#include "net/loop.h"
#include "net/resolve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
/* Last: it needs those above. */
// clang-format off
#include <cmocka.h>
// clang-format on

/* ---- a DNS server (RFC 1035) ----------------------------------------------------------------- */

enum { TYPE_A = 1, TYPE_AAAA = 28, MESSAGE_ROOM = 512 };

struct message {
    unsigned char bytes[MESSAGE_ROOM];
    size_t length;
};

static void put(struct message *message, const void *bytes, size_t count)
{
    memcpy(message->bytes + message->length, bytes, count);
    message->length += count;
}

static void put_record(struct message *message, int type, unsigned ttl, const void *address)
{
    size_t length = type == TYPE_A ? 4 : 16;
    const unsigned char head[] = {0xc0, 12, 0, (unsigned char)type, 0, 1,
                                  0,    0,  0, (unsigned char)ttl,  0, (unsigned char)length};
    put(message, head, sizeof head);
    put(message, address, length);
    message->bytes[7]++; /* ANCOUNT */
}

/* Answers one query; count: how many came before it. Returns whether there is an answer. */
static bool reply(struct message *message, unsigned char count)
{
    char name[256] = "";
    size_t at = 12;
    while (message->bytes[at] && at < message->length) {
        strncat(name, (char *)message->bytes + at + 1, message->bytes[at]);
        strcat(name, ".");
        at += message->bytes[at] + 1U;
    }
    int type = message->bytes[at + 2];
    message->length = at + 5; /* without additional records */
    message->bytes[2] |= 0x80;
    message->bytes[3] = 0x80;
    memset(message->bytes + 6, 0, 6);
    const unsigned char four[][4] = {{10, 0, 0, 1}, {10, 0, 0, 2}, {10, 0, 0, 3}};
    const unsigned char changing[4] = {10, 1, 0, count};
    unsigned char six[16] = {0xfd, [15] = 1};
    if (strcmp(name, "silent.test.") == 0)
        return false;
    if (strcmp(name, "none.test.") == 0)
        message->bytes[3] |= 3; /* NXDOMAIN */
    else if (strcmp(name, "broken.test.") == 0)
        message->bytes[3] |= 2; /* SERVFAIL */
    else if (strcmp(name, "both.test.") == 0 && type == TYPE_AAAA)
        put_record(message, type, 60, six);
    else if (strcmp(name, "both.test.") == 0)
        for (int i = 0; i < 3; i++)
            put_record(message, type, 60, four[i]);
    else if (strcmp(name, "changing.test.") == 0 && type == TYPE_A)
        put_record(message, type, 1, changing);
    else if (strcmp(name, "kept.test.") == 0 && type == TYPE_A)
        put_record(message, type, 60, changing);
    return true;
}

static void serve(int fd)
{
    unsigned char count = 0;
    for (;;) {
        struct message message = {.length = 0};
        struct sockaddr_in from;
        socklen_t bytes = sizeof from;
        ssize_t got =
            recvfrom(fd, message.bytes, sizeof message.bytes, 0, (struct sockaddr *)&from, &bytes);
        if (got < 17)
            _exit(0);
        message.length = (size_t)got;
        if (reply(&message, ++count))
            sendto(fd, message.bytes, message.length, 0, (struct sockaddr *)&from, bytes);
    }
}

struct world {
    pid_t server;
    char servers[32];
    struct loop *loop;
    struct resolver *resolver;
};

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t bytes = sizeof at;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    getsockname(fd, (struct sockaddr *)&at, &bytes);
    snprintf(world->servers, sizeof world->servers, "127.0.0.1:%u", ntohs(at.sin_port));
    world->server = fork();
    if (world->server == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves nobody behind */
        serve(fd);
    }
    close(fd);
    assert_int_equal(loop_new(&world->loop), 0);
    char *fixed[] = {"api.test:443:192.0.2.7", "api.test:80:[::1],192.0.2.8",
                     "localhost:9:10.9.9.9"};
    assert_int_equal(resolver_new(&world->resolver, world->loop, fixed, 3), 0);
    assert_int_equal(resolver_use_servers(world->resolver, world->servers), 0);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    resolver_free(world->resolver);
    loop_free(world->loop);
    kill(world->server, SIGKILL);
    waitpid(world->server, NULL, 0);
    free(world);
    return 0;
}

/* ---- asking ---------------------------------------------------------------------------------- */

struct ask {
    struct resolve_query query;
    struct resolve_answer answer;
    int answered;
    char words[256]; /* the addresses, blanks between them */
};

static void on_answer(struct resolve_query *query, const struct resolve_answer *answer)
{
    struct ask *ask = list_entry(query, struct ask, query);
    ask->answered++;
    ask->answer = *answer;
    ask->words[0] = '\0';
    for (size_t i = 0; i < answer->count; i++) {
        char one[64];
        strcat(ask->words, i ? " " : "");
        strcat(ask->words, net_address_write(&answer->addresses[i], one, sizeof one));
    }
}

static void ask_for(struct world *world, struct ask *ask, const char *host, uint16_t port)
{
    *ask = (struct ask){.query.answered = on_answer};
    resolver_ask(world->resolver, &ask->query, host, port);
}

static void wait_for(struct world *world, const struct ask *ask)
{
    nsec_t until_ns = loop_now(world->loop) + 30 * NSEC_PER_SEC;
    while (!ask->answered && loop_now(world->loop) < until_ns)
        loop_turn(world->loop, until_ns);
    assert_int_equal(ask->answered, 1);
}

static void pass(struct world *world, nsec_t time_ns)
{
    nsec_t until_ns = loop_now(world->loop) + time_ns;
    while (loop_now(world->loop) < until_ns)
        loop_turn(world->loop, until_ns);
}

static void expect(struct world *world, const char *host, uint16_t port, const char *words)
{
    struct ask ask;
    ask_for(world, &ask, host, port);
    wait_for(world, &ask);
    print_message("%s: %s %s\n", host, ask.words, ask.answer.error ? ask.answer.words : "");
    assert_int_equal(ask.answer.error, 0);
    assert_string_equal(ask.words, words);
}

static void test_known(void **state)
{
    struct world *world = *state;
    static const char *const cases[][3] = {
        {"127.0.0.1", "80", "127.0.0.1:80"},           {"::1", "8080", "[::1]:8080"},
        {"unix:/run/x.sock", "1", "unix:/run/x.sock"}, {"api.test", "443", "192.0.2.7:443"},
        {"API.Test", "80", "[::1]:80 192.0.2.8:80"},   {"localhost", "9", "10.9.9.9:9"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ask ask;
        ask_for(world, &ask, cases[i][0], (uint16_t)atoi(cases[i][1]));
        assert_int_equal(ask.answered, 1); /* before the call returned */
        assert_int_equal(ask.answer.took_ns, 0);
        assert_string_equal(ask.words, cases[i][2]);
    }
    char *wrong[] = {"",
                     "x",
                     "x:80",
                     "x:80:",
                     "x:eighty:1.2.3.4",
                     ":80:1.2.3.4",
                     "x:80:name",
                     "x:80:1.2.3.4,y",
                     "x:70000:1.2.3.4"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct resolver *resolver = NULL;
        assert_int_equal(resolver_new(&resolver, world->loop, wrong + i, 1), -EINVAL);
        assert_null(resolver);
    }
}

static void test_localhost(void **state)
{
    struct world *world = *state;
    struct ask ask;
    ask_for(world, &ask, "localhost", 80);
    wait_for(world, &ask);
    assert_int_equal(ask.answer.error, 0);
    assert_non_null(strstr(ask.words, "127.0.0.1:80"));
}

static void test_families(void **state)
{
    struct world *world = *state;
    struct ask ask;
    ask_for(world, &ask, "both.test", 81);
    wait_for(world, &ask);
    print_message("%s\n", ask.words);
    /* Which family is first depends on the routes of this machine; they alternate from there. */
    if (strcmp(ask.words, "10.0.0.1:81 [fd00::1]:81 10.0.0.2:81 10.0.0.3:81") != 0)
        assert_string_equal(ask.words, "[fd00::1]:81 10.0.0.1:81 10.0.0.2:81 10.0.0.3:81");
    assert_true(ask.answer.took_ns > 0);
}

static void test_errors(void **state)
{
    struct world *world = *state;
    static const struct {
        const char *host;
        int error;
        const char *words;
    } cases[] = {{"none.test", -ENOENT, "no such host name"},
                 {"empty.test", -ENOENT, "no address"},
                 {"broken.test", -EAGAIN, "failed"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ask ask;
        ask_for(world, &ask, cases[i].host, 80);
        wait_for(world, &ask);
        print_message("%s: %s\n", cases[i].host, ask.answer.words);
        assert_int_equal(ask.answer.error, cases[i].error);
        assert_int_equal(ask.answer.count, 0);
        assert_non_null(strstr(ask.answer.words, cases[i].words));
    }
}

/* Kept for its time to live, whoever asks and for whatever port; then asked for again. */
static void test_time_to_live(void **state)
{
    struct world *world = *state;
    struct ask first, second;
    ask_for(world, &first, "kept.test", 80);
    wait_for(world, &first);
    ask_for(world, &second, "KEPT.test", 80);
    assert_int_equal(second.answered, 1);
    assert_int_equal(second.answer.took_ns, 0);
    assert_string_equal(first.words, second.words);
    ask_for(world, &second, "kept.test", 8080);
    assert_non_null(strstr(second.words, ":8080"));

    ask_for(world, &first, "changing.test", 80);
    wait_for(world, &first);
    pass(world, 500 * NSEC_PER_MSEC);
    ask_for(world, &second, "changing.test", 80);
    assert_int_equal(second.answered, 1);
    assert_string_equal(first.words, second.words);
    pass(world, 700 * NSEC_PER_MSEC);
    ask_for(world, &second, "changing.test", 80);
    wait_for(world, &second);
    assert_string_not_equal(first.words, second.words);
    assert_true(second.answer.took_ns > 0);
}

/* Many ask at once: one look-up (a second would bring another address) answers them all, but not
 * who has turned away. */
static void test_together(void **state)
{
    enum { MANY = 100 };
    struct world *world = *state;
    struct ask *asks = calloc(MANY, sizeof *asks);
    pass(world, 1100 * NSEC_PER_MSEC);
    for (int i = 0; i < MANY; i++)
        ask_for(world, &asks[i], "changing.test", 80);
    for (int i = 0; i < MANY; i += 2)
        resolver_cancel(&asks[i].query);
    resolver_cancel(&asks[0].query); /* twice does no harm */
    wait_for(world, &asks[1]);
    pass(world, 50 * NSEC_PER_MSEC);
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(asks[i].answered, i % 2);
        if (i % 2)
            assert_string_equal(asks[i].words, asks[1].words);
    }
    free(asks);
}

static void test_many_names(void **state)
{
    struct world *world = *state;
    for (int i = 0; i < RESOLVE_MOST_NAMES + 50; i++) {
        char host[32];
        struct ask ask;
        snprintf(host, sizeof host, "n%d.none.test", i);
        ask_for(world, &ask, host, 80);
        wait_for(world, &ask);
        assert_int_equal(ask.answer.error, -ENOENT);
    }
    expect(world, "127.0.0.1", 1, "127.0.0.1:1");
}

/* One that hangs can be forgotten, and the resolver freed meanwhile, with nobody called back. */
static void test_silent(void **state)
{
    struct world *world = *state;
    struct resolver *resolver;
    struct ask ask = {.query.answered = on_answer};
    assert_int_equal(resolver_new(&resolver, world->loop, NULL, 0), 0);
    assert_int_equal(resolver_use_servers(resolver, "nonsense"), -EINVAL);
    assert_int_equal(resolver_use_servers(resolver, world->servers), 0);
    resolver_ask(resolver, &ask.query, "silent.test", 80);
    pass(world, 50 * NSEC_PER_MSEC);
    resolver_free(resolver);
    pass(world, 20 * NSEC_PER_MSEC);
    assert_int_equal(ask.answered, 0);
    assert_null(resolver_free(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known),        cmocka_unit_test(test_localhost),
        cmocka_unit_test(test_families),     cmocka_unit_test(test_errors),
        cmocka_unit_test(test_time_to_live), cmocka_unit_test(test_together),
        cmocka_unit_test(test_many_names),   cmocka_unit_test(test_silent),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
