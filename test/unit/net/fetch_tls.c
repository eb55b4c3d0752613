/* net/fetch.h over TLS, with certificates made here: an authority that is trusted and one that is
 * not, a client certificate from files and from bytes, and a server that demands one. */
#include "net/fetch.h"

#include "../../support/odd_server.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct identity {
    EVP_PKEY *key;
    X509 *certificate;
    char cert_file[64], key_file[64];
    struct text cert_pem, key_pem;
};

static void put_bio(BIO *bio, struct text *out)
{
    char *at = NULL;
    long bytes = BIO_get_mem_data(bio, &at);
    text_put(out, (struct span){.at = at, .bytes = (size_t)bytes});
    BIO_free(bio);
}

static void write_file(const char *path, const struct text *words)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fwrite(words->at, 1, words->bytes, file);
    fclose(file);
}

/* A key and a certificate for 127.0.0.1, signed by itself. */
static void identity_init(struct identity *identity, const char *name)
{
    memset(identity, 0, sizeof *identity);
    identity->key = EVP_EC_gen("P-256");
    X509 *certificate = identity->certificate = X509_new();
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, identity->key);
    X509_NAME *subject = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(certificate, subject);
    X509_EXTENSION *names = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "IP:127.0.0.1");
    X509_add_ext(certificate, names, -1);
    X509_EXTENSION_free(names);
    assert_true(X509_sign(certificate, identity->key, EVP_sha256()) > 0);
    BIO *cert = BIO_new(BIO_s_mem()), *key = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(cert, certificate);
    PEM_write_bio_PrivateKey(key, identity->key, NULL, NULL, 0, NULL, NULL);
    put_bio(cert, &identity->cert_pem);
    put_bio(key, &identity->key_pem);
    snprintf(identity->cert_file, 64, "/tmp/plimsoll-tls-%d-%s.crt", (int)getpid(), name);
    snprintf(identity->key_file, 64, "/tmp/plimsoll-tls-%d-%s.key", (int)getpid(), name);
    write_file(identity->cert_file, &identity->cert_pem);
    write_file(identity->key_file, &identity->key_pem);
}

static void identity_fini(struct identity *identity)
{
    unlink(identity->cert_file);
    unlink(identity->key_file);
    EVP_PKEY_free(identity->key);
    X509_free(identity->certificate);
    text_fini(&identity->cert_pem);
    text_fini(&identity->key_pem);
}

struct tls_server {
    struct odd_server odd;
    SSL_CTX *context;
    char client[64]; /* common name of the client's certificate; "" none */
};

static void serve_tls(struct odd_server *server, int fd)
{
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n"
                                 "ok";
    struct tls_server *mine = (struct tls_server *)(void *)server;
    char head[4096];
    SSL *ssl = SSL_new(mine->context);
    SSL_set_fd(ssl, fd);
    if (SSL_accept(ssl) == 1 && SSL_read(ssl, head, sizeof head) > 0) {
        X509 *shown = SSL_get1_peer_certificate(ssl);
        if (shown)
            X509_NAME_get_text_by_NID(X509_get_subject_name(shown), NID_commonName, mine->client,
                                      sizeof mine->client);
        X509_free(shown);
        SSL_write(ssl, answer, sizeof answer - 1);
        SSL_shutdown(ssl);
    }
    SSL_free(ssl);
}

static void serve(struct tls_server *server, const struct identity *own,
                  const struct identity *client)
{
    server->context = SSL_CTX_new(TLS_server_method());
    SSL_CTX_use_certificate(server->context, own->certificate);
    SSL_CTX_use_PrivateKey(server->context, own->key);
    if (client) {
        X509_STORE_add_cert(SSL_CTX_get_cert_store(server->context), client->certificate);
        SSL_CTX_set_verify(server->context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                           NULL);
    }
    server->client[0] = '\0';
    odd_start(&server->odd, serve_tls, NULL);
    snprintf(server->odd.url, sizeof server->odd.url, "https://127.0.0.1:%u/x", server->odd.port);
}

static void stop(struct tls_server *server)
{
    odd_stop(&server->odd);
    SSL_CTX_free(server->context);
}

static enum fetch_outcome ask(struct fetch_request *request, struct text *words)
{
    struct fetch *fetch = fetch_new();
    struct fetch_reply reply = {.status = 0};
    enum fetch_outcome outcome = fetch_ask(fetch, request, &reply);
    if (outcome == FETCH_DONE)
        assert_string_equal(reply.body.at, "ok");
    text_clear(words);
    text_puts(words, fetch_words(fetch));
    text_fini(&reply.body);
    fetch_free(fetch);
    return outcome;
}

static void test_trust(void **state)
{
    (void)state;
    struct identity own, other;
    struct tls_server server;
    struct text words = TEXT_EMPTY;
    identity_init(&own, "server");
    identity_init(&other, "other");
    serve(&server, &own, NULL);
    struct fetch_request request = {.url = server.odd.url, .timeout_ns = 10 * NSEC_PER_SEC};
    assert_int_equal(ask(&request, &words), FETCH_TLS); /* the system does not know it */
    assert_non_null(strstr(words.at, "certificate"));
    request.ca_file = other.cert_file;
    assert_int_equal(ask(&request, &words), FETCH_TLS);
    request.ca_file = own.cert_file;
    assert_int_equal(ask(&request, &words), FETCH_DONE);
    request.ca_file = NULL;
    request.ca_pem = text_span(&own.cert_pem);
    assert_int_equal(ask(&request, &words), FETCH_DONE);
    request.ca_pem = text_span(&other.cert_pem);
    assert_int_equal(ask(&request, &words), FETCH_TLS);
    request.ca_pem = SPAN("");
    request.insecure = true;
    assert_int_equal(ask(&request, &words), FETCH_DONE);
    stop(&server);
    text_fini(&words);
    identity_fini(&own);
    identity_fini(&other);
}

static void test_client_certificates(void **state)
{
    (void)state;
    struct identity own, client;
    struct tls_server server;
    struct text words = TEXT_EMPTY;
    identity_init(&own, "server");
    identity_init(&client, "client");
    serve(&server, &own, &client);
    struct fetch_request request = {.url = server.odd.url,
                                    .ca_file = own.cert_file,
                                    .bearer = "s3cret",
                                    .timeout_ns = 10 * NSEC_PER_SEC};
    assert_int_not_equal(ask(&request, &words), FETCH_DONE); /* it is demanded */
    assert_null(strstr(words.at, "s3cret"));
    request.cert_file = client.cert_file;
    request.key_file = client.key_file;
    assert_int_equal(ask(&request, &words), FETCH_DONE);
    assert_string_equal(server.client, "client");
    server.client[0] = '\0';
    request.cert_file = request.key_file = NULL;
    request.cert_pem = text_span(&client.cert_pem);
    request.key_pem = text_span(&client.key_pem);
    assert_int_equal(ask(&request, &words), FETCH_DONE);
    assert_string_equal(server.client, "client");
    request.key_pem = SPAN("nonsense");
    assert_int_equal(ask(&request, &words), FETCH_TLS);
    stop(&server);
    text_fini(&words);
    identity_fini(&own);
    identity_fini(&client);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN); /* of the server here, whose clients leave in the handshake */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trust),
        cmocka_unit_test(test_client_certificates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
