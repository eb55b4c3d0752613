/* TLS over simulated streams, every write cut into pieces: the server is OpenSSL on two memory
 * buffers, so that it can do at will what servers in the field do now and then. */
#include "net/tls.h"
#include "net_sim/world.h"

#include <errno.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* Last: it needs those above. */
// clang-format off
#include <cmocka.h>
// clang-format on

struct side {
    struct stream stream;
    unsigned seen;
};

struct world {
    struct loop *loop;
    struct listener listener;
    struct side client, server;
    SSL_CTX *shared;
    SSL *ssl; /* the server's */
    struct tls_context *context;
    struct tls *tls;
    char got[4096]; /* by the server */
    size_t got_bytes;
};

static SSL_CTX *make_server(void)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = X509_new();
    X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    X509_sign(certificate, key, EVP_sha256());
    SSL_CTX *shared = SSL_CTX_new(TLS_server_method());
    SSL_CTX_use_certificate(shared, certificate);
    SSL_CTX_use_PrivateKey(shared, key);
    X509_free(certificate);
    EVP_PKEY_free(key);
    return shared;
}

/* Moves bytes between the server's buffers and its stream, and takes in what the client said. */
static void pump(struct world *world)
{
    char bytes[1024];
    nsec_t rx_ns;
    enum rx_source source;
    ssize_t got;
    while ((got = stream_read(&world->server.stream, bytes, sizeof bytes, &rx_ns, &source)) > 0)
        assert_int_equal(BIO_write(SSL_get_rbio(world->ssl), bytes, (int)got), got);
    int said = SSL_read(world->ssl, world->got + world->got_bytes,
                        (int)(sizeof world->got - world->got_bytes));
    world->got_bytes += said > 0 ? (size_t)said : 0;
    int waiting;
    while ((waiting = BIO_read(SSL_get_wbio(world->ssl), bytes, sizeof bytes)) > 0)
        assert_int_equal(stream_write(&world->server.stream, bytes, (size_t)waiting), waiting);
}

static void server_ready(struct stream *stream, unsigned what)
{
    struct side *side = list_entry(stream, struct side, stream);
    side->seen |= what;
    if (stream->fd >= 0)
        pump(list_entry(side, struct world, server));
}

static void client_ready(struct stream *stream, unsigned what)
{
    list_entry(stream, struct side, stream)->seen |= what;
}

static void on_accepted(struct listener *listener)
{
    struct world *world = list_entry(listener, struct world, listener);
    assert_int_equal(listener_accept(listener, &world->server.stream, server_ready), 0);
    world->ssl = SSL_new(world->shared);
    SSL_set_bio(world->ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_accept_state(world->ssl);
}

/* Turns until nothing happens. */
static void rest(struct world *world)
{
    while (loop_turn(world->loop, NSEC_NEVER) >= 0)
        continue;
}

static void open_connection(struct world *world)
{
    struct net_address at;
    net_address_read("127.0.0.1", 443, &at);
    world->client.seen = world->server.seen = 0;
    stream_connect(&world->client.stream, world->loop, &at, NULL, client_ready);
    while (!world->client.seen)
        loop_turn(world->loop, NSEC_NEVER);
    assert_int_equal(tls_new(&world->tls, world->context, &world->client.stream, "a.test"), 0);
    int error = tls_handshake(world->tls);
    int turns = 0;
    for (; error == -EAGAIN && loop_turn(world->loop, NSEC_NEVER) >= 0; turns++)
        error = tls_handshake(world->tls);
    assert_int_equal(error, 0);
    assert_true(turns > 3); /* the pieces came one by one */
}

static void close_connection(struct world *world)
{
    world->tls = tls_free(world->tls);
    stream_close(&world->client.stream, false);
    stream_close(&world->server.stream, false);
    SSL_free(world->ssl);
    rest(world);
}

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    struct net_address at;
    char words[256];
    loop_new(&world->loop);
    sim_configure(
        world->loop,
        &(struct sim_options){.seed = 5, .delay_ns = 1000, .split_share = 1, .split_gap_ns = 100});
    net_address_read("127.0.0.1", 443, &at);
    listener_open(&world->listener, world->loop, &at, 8, false, on_accepted);
    world->shared = make_server();
    assert_int_equal(tls_context_new(&world->context,
                                     &(struct tls_options){.insecure = true, .resume = true}, words,
                                     sizeof words),
                     0);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    listener_close(&world->listener);
    tls_context_free(world->context);
    SSL_CTX_free(world->shared);
    loop_free(world->loop);
    free(world);
    return 0;
}

static ssize_t read_all(struct world *world, char *into, size_t room)
{
    size_t at = 0;
    for (;;) {
        nsec_t rx_ns = 0;
        enum rx_source source;
        ssize_t bytes = tls_read(world->tls, into + at, room - at, &rx_ns, &source);
        if (bytes <= 0)
            return at ? (ssize_t)at : bytes;
        assert_true(rx_ns > 0 && rx_ns <= loop_now(world->loop));
        at += (size_t)bytes;
    }
}

static void expect_talk(struct world *world)
{
    char got[64] = "";
    world->got_bytes = 0;
    assert_int_equal(tls_write(world->tls, "question", 8), 8);
    rest(world);
    assert_int_equal(world->got_bytes, 8);
    assert_memory_equal(world->got, "question", 8);
    assert_int_equal(SSL_write(world->ssl, "answer", 6), 6);
    pump(world);
    rest(world);
    assert_int_equal(read_all(world, got, sizeof got), 6);
    assert_string_equal(got, "answer");
    assert_int_equal(read_all(world, got, sizeof got), -EAGAIN);
}

/* New keys asked for in both directions, in the middle of a talk. */
static void test_key_update(void **state)
{
    struct world *world = *state;
    open_connection(world);
    expect_talk(world);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(SSL_key_update(world->ssl, SSL_KEY_UPDATE_REQUESTED), 1);
        expect_talk(world);
    }
    close_connection(world);
}

/* Tickets that come while the connection is idle do not make it stale; data and an end do. */
static void test_stale(void **state)
{
    struct world *world = *state;
    char got[64];
    open_connection(world);
    rest(world);
    assert_true(stream_is_stale(&world->client.stream)); /* the tickets lie there unread */
    assert_false(tls_is_stale(world->tls));
    assert_int_equal(SSL_new_session_ticket(world->ssl), 1);
    assert_int_equal(SSL_write(world->ssl, "x", 1), 1);
    pump(world);
    rest(world);
    assert_true(tls_is_stale(world->tls));
    assert_int_equal(read_all(world, got, sizeof got), 1);
    assert_false(tls_is_stale(world->tls));
    SSL_shutdown(world->ssl);
    pump(world);
    rest(world);
    assert_true(tls_is_stale(world->tls));
    assert_int_equal(read_all(world, got, sizeof got), 0);
    assert_false(tls_truncated(world->tls));
    close_connection(world);
}

/* A ticket that came after the handshake is offered on the next connection. */
static void test_late_ticket(void **state)
{
    struct world *world = *state;
    open_connection(world);
    expect_talk(world);
    close_connection(world);
    open_connection(world);
    assert_true(tls_resumed(world->tls));
    expect_talk(world);
    close_connection(world);
}

static void test_cut(void **state)
{
    struct world *world = *state;
    char got[64];
    for (int reset = 0; reset < 2; reset++) {
        open_connection(world);
        expect_talk(world);
        SSL_write(world->ssl, "last words", 10);
        pump(world);
        stream_close(&world->server.stream, reset);
        rest(world);
        assert_int_equal(read_all(world, got, sizeof got), 10);
        assert_int_equal(read_all(world, got, sizeof got), reset ? -ECONNRESET : 0);
        assert_int_equal(tls_truncated(world->tls), !reset);
        if (reset)
            assert_true(strlen(tls_error_words(world->tls)) > 5);
        close_connection(world);
    }
}

/* More than the window takes: writes come back short or not at all, and nothing is lost. */
static void test_window(void **state)
{
    enum { MUCH = 300000 };
    struct world *world = *state;
    char *words = malloc(MUCH);
    size_t sent = 0, got = 0;
    for (size_t i = 0; i < MUCH; i++)
        words[i] = (char)(i * 7 + i / 251);
    open_connection(world);
    rest(world);
    while (got < MUCH) {
        ssize_t put = sent < MUCH ? tls_write(world->tls, words + sent, MUCH - sent) : -EAGAIN;
        assert_true(put > 0 || put == -EAGAIN);
        sent += put > 0 ? (size_t)put : 0;
        if (put < 0)
            rest(world);
        assert_memory_equal(world->got, words + got, world->got_bytes);
        got += world->got_bytes;
        world->got_bytes = 0;
        if (put < 0)
            pump(world);
    }
    assert_int_equal(sent, MUCH);
    free(words);
    close_connection(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_key_update, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_stale, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_late_ticket, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_cut, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_window, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
