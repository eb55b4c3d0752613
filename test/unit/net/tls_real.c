/* TLS against `openssl s_server`, a process of its own, with certificates made here. */
#include "net/loop.h"
#include "net/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
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

enum { PATIENCE_MS = 10000, PATH_ROOM = 128, MOST_ARGUMENTS = 32 };

/* ---- certificates -----------------------------------------------------------------------------
 */

struct identity {
    EVP_PKEY *key;
    X509 *certificate;
    char cert_file[PATH_ROOM], key_file[PATH_ROOM];
};

struct world {
    char directory[PATH_ROOM];
    struct identity authority, other_authority, server, expired, client;
    struct loop *loop;
};

static void add_extension(X509 *certificate, X509 *issuer, int what, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, what, value);
    assert_non_null(extension);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
}

/* A certificate for these names ("DNS:localhost,IP:127.0.0.1"; NULL: an authority), good from and
 * to so many seconds from now. */
static void make_identity(struct world *world, struct identity *out, struct identity *issuer,
                          const char *word, const char *names, long from_s, long to_s)
{
    out->key = EVP_EC_gen("P-256");
    out->certificate = X509_new();
    X509 *certificate = out->certificate;
    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), (long)(uintptr_t)word & 0xffffff);
    X509_gmtime_adj(X509_getm_notBefore(certificate), from_s);
    X509_gmtime_adj(X509_getm_notAfter(certificate), to_s);
    X509_set_pubkey(certificate, out->key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                               (const unsigned char *)word, -1, -1, 0);
    X509 *signer = issuer ? issuer->certificate : certificate;
    X509_set_issuer_name(certificate, X509_get_subject_name(signer));
    add_extension(certificate, signer, NID_basic_constraints,
                  names ? "critical,CA:FALSE" : "critical,CA:TRUE");
    if (names)
        add_extension(certificate, signer, NID_subject_alt_name, names);
    assert_true(X509_sign(certificate, issuer ? issuer->key : out->key, EVP_sha256()) > 0);
    snprintf(out->cert_file, PATH_ROOM, "%.90s/%s.pem", world->directory, word);
    snprintf(out->key_file, PATH_ROOM, "%.90s/%s.key", world->directory, word);
    FILE *file = fopen(out->cert_file, "w");
    PEM_write_X509(file, certificate);
    fclose(file);
    file = fopen(out->key_file, "w");
    PEM_write_PrivateKey(file, out->key, NULL, NULL, 0, NULL, NULL);
    fclose(file);
}

static void drop_identity(struct identity *identity)
{
    unlink(identity->cert_file);
    unlink(identity->key_file);
    EVP_PKEY_free(identity->key);
    X509_free(identity->certificate);
}

static int set_up(void **state)
{
    const long day = 24 * 3600;
    struct world *world = calloc(1, sizeof *world);
    signal(SIGPIPE, SIG_IGN);
    strcpy(world->directory, "/tmp/tls_real.XXXXXX");
    assert_non_null(mkdtemp(world->directory));
    make_identity(world, &world->authority, NULL, "authority", NULL, -day, day);
    make_identity(world, &world->other_authority, NULL, "other", NULL, -day, day);
    make_identity(world, &world->server, &world->authority, "server",
                  "DNS:localhost,DNS:*.example.test,IP:127.0.0.1", -day, day);
    make_identity(world, &world->expired, &world->authority, "expired", "DNS:localhost", -2 * day,
                  -day);
    make_identity(world, &world->client, &world->authority, "client", "DNS:client", -day, day);
    assert_int_equal(loop_new(&world->loop), 0);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    struct identity *all[] = {&world->authority, &world->other_authority, &world->server,
                              &world->expired, &world->client};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        drop_identity(all[i]);
    rmdir(world->directory);
    loop_free(world->loop);
    free(world);
    return 0;
}

/* ---- the server -------------------------------------------------------------------------------
 */

struct server {
    pid_t pid;
    uint16_t port;
};

static uint16_t free_port(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t bytes = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    getsockname(fd, (struct sockaddr *)&at, &bytes);
    close(fd);
    return ntohs(at.sin_port);
}

static bool answers(uint16_t port)
{
    struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    bool good = connect(fd, (struct sockaddr *)&at, sizeof at) == 0;
    close(fd);
    return good;
}

/* Starts one that sends each line back reversed, and ends at a line "CLOSE". */
static struct server start_server(const struct identity *identity, const char *const *more)
{
    struct server server = {.port = free_port()};
    char at[32];
    const char *arguments[MOST_ARGUMENTS] = {
        "openssl",           "s_server", "-quiet",          "-rev", "-accept", at, "-cert",
        identity->cert_file, "-key",     identity->key_file};
    snprintf(at, sizeof at, "127.0.0.1:%u", server.port);
    for (size_t i = 10; more && *more && i < MOST_ARGUMENTS - 1; i++)
        arguments[i] = *more++;
    server.pid = fork();
    assert_true(server.pid >= 0);
    if (server.pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves nobody behind */
        int nothing = open("/dev/null", O_RDWR);
        dup2(nothing, 0);
        dup2(nothing, 1);
        dup2(nothing, 2);
        execvp("openssl", (char *const *)(uintptr_t)arguments);
        _exit(127);
    }
    for (int tries = 0; tries < 500 && !answers(server.port); tries++)
        usleep(10000);
    assert_true(answers(server.port));
    return server;
}

static void stop_server(struct server *server)
{
    kill(server->pid, SIGKILL);
    waitpid(server->pid, NULL, 0);
}

/* ---- the client -------------------------------------------------------------------------------
 */

struct client {
    struct stream stream;
    struct tls *tls;
    struct loop *loop;
    unsigned seen;
};

static void on_ready(struct stream *stream, unsigned what)
{
    list_entry(stream, struct client, stream)->seen |= what;
}

/* Turns the loop once; false when patience has ended. */
static bool wait_for(struct client *client, nsec_t until_ns)
{
    loop_turn(client->loop, until_ns);
    return loop_now(client->loop) < until_ns;
}

static int connect_to(struct client *client, struct world *world, struct tls_context *context,
                      uint16_t port, const char *name)
{
    struct net_address to;
    nsec_t until_ns = loop_now(world->loop) + PATIENCE_MS * NSEC_PER_MSEC;
    *client = (struct client){.loop = world->loop};
    net_address_read("127.0.0.1", port, &to);
    assert_int_equal(stream_connect(&client->stream, world->loop, &to, NULL, on_ready), 0);
    while (!(client->seen & (STREAM_CONNECTED | STREAM_CLOSED)) && wait_for(client, until_ns))
        continue;
    assert_true(client->seen & STREAM_CONNECTED);
    assert_int_equal(tls_new(&client->tls, context, &client->stream, name), 0);
    int error = tls_handshake(client->tls);
    while (error == -EAGAIN && wait_for(client, until_ns))
        error = tls_handshake(client->tls);
    return error;
}

static void leave(struct client *client)
{
    tls_shutdown(client->tls);
    client->tls = tls_free(client->tls);
    stream_close(&client->stream, false);
}

static ssize_t read_some(struct client *client, char *into, size_t room)
{
    nsec_t until_ns = loop_now(client->loop) + PATIENCE_MS * NSEC_PER_MSEC, rx_ns = 0;
    enum rx_source source;
    ssize_t bytes = tls_read(client->tls, into, room, &rx_ns, &source);
    while (bytes == -EAGAIN && wait_for(client, until_ns))
        bytes = tls_read(client->tls, into, room, &rx_ns, &source);
    if (bytes > 0) {
        assert_int_equal(source, RX_READ);
        assert_true(rx_ns > 0 && rx_ns <= loop_now(client->loop));
    }
    return bytes;
}

static void expect_reversed(struct client *client)
{
    char got[64] = "";
    size_t at = 0;
    assert_int_equal(tls_write(client->tls, "plimsoll\n", 9), 9);
    while (at < 9) {
        ssize_t bytes = read_some(client, got + at, sizeof got - 1 - at);
        assert_true(bytes > 0);
        at += (size_t)bytes;
    }
    assert_string_equal(got, "llosmilp\n");
}

static struct tls_context *context_of(const struct tls_options *options)
{
    char words[256] = "";
    struct tls_context *context = NULL;
    if (tls_context_new(&context, options, words, sizeof words))
        print_error("%s\n", words);
    assert_non_null(context);
    return context;
}

/* ---- tests ------------------------------------------------------------------------------------
 */

static void test_names(void **state)
{
    struct world *world = *state;
    struct server server = start_server(&world->server, NULL);
    struct tls_context *context =
        context_of(&(struct tls_options){.ca_file = world->authority.cert_file});
    static const struct {
        const char *name;
        bool good;
    } cases[] = {{"localhost", true},      {"localhost.", true},        {"127.0.0.1", true},
                 {"a.example.test", true}, {"a.b.example.test", false}, {"example.test", false},
                 {"127.0.0.2", false},     {"localhost.evil", false},   {"::1", false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct client client;
        int error = connect_to(&client, world, context, server.port, cases[i].name);
        print_message("%s: %s\n", cases[i].name, tls_error_words(client.tls));
        assert_int_equal(error, cases[i].good ? 0 : -EPROTO);
        if (cases[i].good)
            expect_reversed(&client);
        else
            assert_non_null(strstr(tls_error_words(client.tls), "hostname does not match"));
        if (!cases[i].good)
            assert_non_null(strstr(tls_error_words(client.tls), "localhost"));
        leave(&client);
    }
    struct client client = {.loop = world->loop};
    assert_int_equal(tls_new(&client.tls, context, &client.stream, NULL), -EINVAL);
    tls_context_free(context);
    stop_server(&server);
}

static void expect_refused(struct world *world, const struct tls_options *options, uint16_t port,
                           const char *words)
{
    struct client client;
    struct tls_context *context = context_of(options);
    assert_int_equal(connect_to(&client, world, context, port, "localhost"), -EPROTO);
    print_message("%s\n", tls_error_words(client.tls));
    assert_non_null(strstr(tls_error_words(client.tls), words));
    leave(&client);
    tls_context_free(context);
}

static void expect_accepted(struct world *world, const struct tls_options *options, uint16_t port)
{
    struct client client;
    struct tls_context *context = context_of(options);
    assert_int_equal(connect_to(&client, world, context, port, "localhost"), 0);
    expect_reversed(&client);
    leave(&client);
    tls_context_free(context);
}

static void test_trust(void **state)
{
    struct world *world = *state;
    struct server server = start_server(&world->server, NULL);
    struct server expired = start_server(&world->expired, NULL);
    struct server own = start_server(&world->other_authority, NULL);
    struct tls_options options = {.ca_file = world->authority.cert_file};
    expect_refused(world, &options, expired.port, "certificate has expired");
    expect_refused(world, &options, own.port, "signed by itself");
    expect_refused(world, &(struct tls_options){.ca_file = NULL}, server.port, "not trusted");
    options.ca_file = world->other_authority.cert_file;
    expect_refused(world, &options, server.port, "not trusted");
    expect_accepted(world, &(struct tls_options){.insecure = true}, expired.port);
    stop_server(&server);
    stop_server(&expired);
    stop_server(&own);
}

static void test_client_certificate(void **state)
{
    struct world *world = *state;
    static const char *const versions[] = {"-tls1_2", "-tls1_3"};
    for (size_t i = 0; i < 2; i++) {
        const char *const more[] = {
            "-Verify",   "2", "-verify_return_error", "-CAfile", world->authority.cert_file,
            versions[i], NULL};
        struct server server = start_server(&world->server, more);
        struct tls_options options = {.ca_file = world->authority.cert_file};
        struct client client;
        struct tls_context *context = context_of(&options);
        int error = connect_to(&client, world, context, server.port, "localhost");
        char got[16];
        if (!error) /* in TLS 1.3 the refusal comes after the handshake */
            error = (int)read_some(&client, got, sizeof got);
        print_message("%s\n", tls_error_words(client.tls));
        assert_int_equal(error, -EPROTO);
        assert_non_null(strstr(tls_error_words(client.tls), "client certificate"));
        leave(&client);
        tls_context_free(context);
        options.cert_file = world->client.cert_file;
        options.key_file = world->client.key_file;
        expect_accepted(world, &options, server.port);
        stop_server(&server);
    }
}

static void test_resumption(void **state)
{
    struct world *world = *state;
    static const char *const versions[] = {"-tls1_2", "-tls1_3"};
    for (size_t i = 0; i < 4; i++) {
        const char *const more[] = {versions[i % 2], NULL};
        bool resume = i < 2;
        struct server server = start_server(&world->server, more);
        struct tls_context *context = context_of(
            &(struct tls_options){.ca_file = world->authority.cert_file, .resume = resume});
        for (int round = 0; round < 3; round++) {
            struct client client;
            char described[64];
            assert_int_equal(connect_to(&client, world, context, server.port, "localhost"), 0);
            expect_reversed(&client);
            assert_int_equal(tls_resumed(client.tls), resume && round > 0);
            assert_non_null(strstr(tls_describe(client.tls, described, sizeof described),
                                   i % 2 ? "TLSv1.3" : "TLSv1.2"));
            leave(&client);
        }
        tls_context_free(context);
        stop_server(&server);
    }
}

static void test_old_version(void **state)
{
    struct world *world = *state;
    const char *const more[] = {"-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0", NULL};
    struct server server = start_server(&world->server, more);
    expect_refused(world, &(struct tls_options){.insecure = true}, server.port,
                   "neither TLS 1.2 nor TLS 1.3");
    stop_server(&server);
}

static void test_ends(void **state)
{
    struct world *world = *state;
    struct tls_context *context =
        context_of(&(struct tls_options){.ca_file = world->authority.cert_file});
    for (int cut = 0; cut < 2; cut++) {
        struct server server = start_server(&world->server, NULL);
        struct client client;
        char got[64];
        assert_int_equal(connect_to(&client, world, context, server.port, "localhost"), 0);
        expect_reversed(&client);
        assert_false(tls_is_stale(client.tls));
        if (cut)
            stop_server(&server);
        else
            assert_int_equal(tls_write(client.tls, "CLOSE\n", 6), 6);
        assert_int_equal(read_some(&client, got, sizeof got), 0);
        assert_int_equal(tls_truncated(client.tls), cut);
        assert_true(tls_is_stale(client.tls));
        leave(&client);
        if (!cut)
            stop_server(&server);
    }
    tls_context_free(context);
}

/* A mebibyte there and back, so that records are cut by the socket in both directions. */
static void test_much(void **state)
{
    enum { MUCH = 1 << 20 };
    struct world *world = *state;
    struct server server = start_server(&world->server, NULL);
    struct tls_context *context =
        context_of(&(struct tls_options){.ca_file = world->authority.cert_file});
    struct client client;
    char *sent = malloc(MUCH), *got = malloc(MUCH);
    assert_int_equal(connect_to(&client, world, context, server.port, "localhost"), 0);
    for (size_t i = 0; i < MUCH; i++) /* lines of 64 bytes, all different */
        sent[i] =
            i % 64 == 63 ? '\n' : "0123456789abcdef"[(i / 64 >> (i % 16 / 4) * 4 & 15) ^ i % 16];
    size_t written = 0, read = 0;
    nsec_t until_ns = loop_now(world->loop) + PATIENCE_MS * NSEC_PER_MSEC, rx_ns;
    while (read < MUCH && loop_now(world->loop) < until_ns) {
        enum rx_source source;
        ssize_t put =
            written < MUCH ? tls_write(client.tls, sent + written, MUCH - written) : -EAGAIN;
        ssize_t bytes = tls_read(client.tls, got + read, MUCH - read, &rx_ns, &source);
        assert_true(put > 0 || put == -EAGAIN);
        assert_true(bytes > 0 || bytes == -EAGAIN);
        written += put > 0 ? (size_t)put : 0;
        read += bytes > 0 ? (size_t)bytes : 0;
        if (put < 0 && bytes < 0)
            wait_for(&client, until_ns);
    }
    assert_int_equal(read, MUCH);
    for (size_t i = 0; i < MUCH; i++)
        assert_int_equal(got[i], i % 64 == 63 ? '\n' : sent[i - i % 64 + 62 - i % 64]);
    leave(&client);
    free(sent);
    free(got);
    tls_context_free(context);
    stop_server(&server);
}

struct plain_server {
    struct listener listener;
    struct client other;
};

static void say_plain(struct listener *listener)
{
    static const char reply[] = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
    struct client *other = &list_entry(listener, struct plain_server, listener)->other;
    if (listener_accept(listener, &other->stream, on_ready) == 0)
        stream_write(&other->stream, reply, sizeof reply - 1);
}

static void test_not_tls(void **state)
{
    struct world *world = *state;
    struct plain_server server = {.other.stream.fd = -1};
    struct net_address at;
    net_address_read("127.0.0.1", 0, &at);
    assert_int_equal(listener_open(&server.listener, world->loop, &at, 8, false, say_plain), 0);
    listener_address(&server.listener, &at);
    struct sockaddr_in four;
    memcpy(&four, &at.storage, sizeof four);
    expect_refused(world, &(struct tls_options){.insecure = true}, ntohs(four.sin_port),
                   "is http:// meant?");
    stream_close(&server.other.stream, true);
    listener_close(&server.listener);
}

static void test_options(void **state)
{
    struct world *world = *state;
    char locked[PATH_ROOM];
    snprintf(locked, sizeof locked, "%.90s/locked.key", world->directory);
    FILE *file = fopen(locked, "w");
    PEM_write_PrivateKey(file, world->client.key, EVP_aes_128_cbc(), NULL, 0, NULL,
                         (void *)(uintptr_t) "secret");
    fclose(file);
    const struct {
        struct tls_options options;
        const char *words[2];
    } cases[] = {
        {{.ca_file = "/nowhere/ca.pem"}, {"ca_file /nowhere/ca.pem", "No such file"}},
        {{.ca_file = world->server.key_file}, {"ca_file", "server.key"}},
        {{.cert_file = "/nowhere/c.pem"}, {"cert_file /nowhere/c.pem", "No such file"}},
        {{.cert_file = "/dev/null"}, {"cert_file /dev/null", "no PEM"}},
        {{.cert_file = world->client.cert_file}, {"key_file", "no private key"}},
        {{.key_file = world->client.key_file}, {"cert_file is missing", ""}},
        {{.cert_file = world->client.cert_file, .key_file = locked}, {"passphrase", "locked.key"}},
        {{.cert_file = world->client.cert_file, .key_file = world->server.key_file},
         {"not the key of the certificate", ""}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tls_context *context = NULL;
        char words[256] = "";
        assert_int_equal(tls_context_new(&context, &cases[i].options, words, sizeof words),
                         TLS_BAD_OPTIONS);
        print_message("%s\n", words);
        assert_null(context);
        assert_non_null(strstr(words, cases[i].words[0]));
        assert_non_null(strstr(words, cases[i].words[1]));
    }
    unlink(locked);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_options),    cmocka_unit_test(test_names),
        cmocka_unit_test(test_trust),      cmocka_unit_test(test_client_certificate),
        cmocka_unit_test(test_resumption), cmocka_unit_test(test_old_version),
        cmocka_unit_test(test_ends),       cmocka_unit_test(test_much),
        cmocka_unit_test(test_not_tls),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
