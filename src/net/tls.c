/* TLS by OpenSSL over a BIO of our own, which moves bytes by stream_read and stream_write.
 *
 * OpenSSL reads ahead, so that a record costs one read of the stream instead of two; the time of
 * receipt is that of the read that brought the bytes. Sessions come by callback, since those of
 * TLS 1.3 arrive after the handshake; the newest of each server is kept. */
#include "net/tls.h"

#include "base/error.h"
#include "base/memory.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS_ROOM = 320, NAME_ROOM = 256 };

struct session {
    char name[NAME_ROOM];
    SSL_SESSION *session;
};

struct tls_context {
    SSL_CTX *shared;
    BIO_METHOD *method;
    bool insecure, resume;
    struct session sessions[TLS_MOST_SESSIONS];
    unsigned next_session; /* the place that a new server takes */
};

struct tls {
    SSL *ssl;
    struct tls_context *context;
    struct stream *stream;
    nsec_t rx_ns; /* of the last read of the stream */
    enum rx_source source;
    int io_error; /* -errno of the stream, or 0 */
    bool stream_ended, truncated, failed;
    char name[NAME_ROOM];
    char words[WORDS_ROOM];
};

/* ---- the BIO: a stream under OpenSSL ----------------------------------------------------------
 */

static int bio_read(BIO *bio, char *into, size_t room, size_t *bytes)
{
    struct tls *tls = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    ssize_t got = stream_read(tls->stream, into, room, &tls->rx_ns, &tls->source);
    if (got > 0) {
        *bytes = (size_t)got;
        return 1;
    }
    if (got == -EAGAIN)
        BIO_set_retry_read(bio);
    else if (got == 0)
        tls->stream_ended = true;
    else
        tls->io_error = (int)got;
    return 0;
}

static int bio_write(BIO *bio, const char *from, size_t bytes, size_t *written)
{
    struct tls *tls = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    ssize_t put = stream_write(tls->stream, from, bytes);
    if (put >= 0) {
        *written = (size_t)put;
        return 1;
    }
    if (put == -EAGAIN)
        BIO_set_retry_write(bio);
    else
        tls->io_error = (int)put;
    return 0;
}

static long bio_control(BIO *bio, int command, long number, void *pointer)
{
    const struct tls *tls = BIO_get_data(bio);
    (void)number, (void)pointer;
    if (command == BIO_CTRL_EOF)
        return tls && tls->stream_ended;
    return command == BIO_CTRL_FLUSH; /* nothing is held back */
}

/* The number of its type is not drawn from OpenSSL's counter, which is ambient and ends at 127; it
 * only serves BIO_find_type, which nobody asks here. */
static BIO_METHOD *make_method(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK | BIO_TYPE_START, "stream");
    if (!method)
        return NULL;
    BIO_meth_set_read_ex(method, bio_read);
    BIO_meth_set_write_ex(method, bio_write);
    BIO_meth_set_ctrl(method, bio_control);
    return method;
}

/* ---- what went wrong, in words ----------------------------------------------------------------
 */

/* Appends the names and addresses that a certificate is for, the first few. */
static void put_names(const X509 *certificate, char *out, size_t room)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    size_t at = 0;
    for (int i = 0; names && i < sk_GENERAL_NAME_num(names) && i < 4; i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        char literal[NAME_ROOM] = "";
        if (name->type == GEN_DNS) {
            const unsigned char *bytes = ASN1_STRING_get0_data(name->d.dNSName);
            int length = ASN1_STRING_length(name->d.dNSName);
            for (int k = 0; k < length && k < NAME_ROOM - 1; k++) /* whoever made it: not trusted */
                literal[k] = bytes[k] > ' ' && bytes[k] < 0x7f ? (char)bytes[k] : '?';
        } else if (name->type == GEN_IPADD) {
            bool four = ASN1_STRING_length(name->d.iPAddress) == 4;
            if (four || ASN1_STRING_length(name->d.iPAddress) == 16)
                inet_ntop(four ? AF_INET : AF_INET6, ASN1_STRING_get0_data(name->d.iPAddress),
                          literal, sizeof literal);
        }
        if (literal[0] && at < room) {
            int put = snprintf(out + at, room - at, "%s%s", at ? ", " : "", literal);
            at += put > 0 ? (size_t)put : 0;
        }
    }
    GENERAL_NAMES_free(names);
}

static void put_instant(const ASN1_TIME *instant, char *out, size_t room)
{
    struct tm utc;
    if (!ASN1_TIME_to_tm(instant, &utc) || !strftime(out, room, "%Y-%m-%d %H:%M UTC", &utc))
        snprintf(out, room, "an unreadable date");
}

/* Says why a certificate is refused. OpenSSL calls this for each objection; the first counts. */
static int on_verify(int good, X509_STORE_CTX *store)
{
    const SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct tls *tls = SSL_get_app_data(ssl);
    const X509 *certificate = X509_STORE_CTX_get_current_cert(store);
    int error = X509_STORE_CTX_get_error(store);
    char detail[NAME_ROOM] = "";
    if (good || tls->words[0])
        return good;
    switch (error) {
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        put_names(certificate, detail, 128);
        snprintf(tls->words, sizeof tls->words,
                 "hostname does not match: the certificate is for %.128s, not %.128s",
                 detail[0] ? detail : "no name at all", tls->name);
        break;
    case X509_V_ERR_CERT_HAS_EXPIRED:
        put_instant(X509_get0_notAfter(certificate), detail, sizeof detail);
        snprintf(tls->words, sizeof tls->words, "certificate has expired (on %s)", detail);
        break;
    case X509_V_ERR_CERT_NOT_YET_VALID:
        put_instant(X509_get0_notBefore(certificate), detail, sizeof detail);
        snprintf(tls->words, sizeof tls->words, "certificate is not valid before %s", detail);
        break;
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        snprintf(tls->words, sizeof tls->words,
                 "certificate is signed by itself and is not among those trusted here");
        break;
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        snprintf(tls->words, sizeof tls->words,
                 "certificate is signed by an authority that is not trusted here, or the server "
                 "does not send the whole chain");
        break;
    default:
        snprintf(tls->words, sizeof tls->words, "certificate is refused: %s",
                 X509_verify_cert_error_string(error));
    }
    return good;
}

static const char *sentence_of(unsigned long error)
{
    if (ERR_GET_LIB(error) != ERR_LIB_SSL)
        return NULL;
    switch (ERR_GET_REASON(error)) {
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_HTTP_REQUEST:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
        return "the server does not speak TLS on this port: is http:// meant?";
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
        return "the server speaks neither TLS 1.2 nor TLS 1.3";
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
        return "the server asks for a client certificate";
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
        return "the server does not trust the authority of the client certificate";
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
        return "the server refuses the client certificate";
    case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
        return "the server refused the handshake: no cipher in common, or it wants a client "
               "certificate";
    case SSL_R_TLSV1_UNRECOGNIZED_NAME:
        return "the server does not know this name";
    default:
        return NULL;
    }
}

/* Keeps why the last operation failed, and gives its -errno. */
static int fail(struct tls *tls)
{
    unsigned long error = ERR_peek_error();
    const char *sentence = sentence_of(error), *reason = ERR_reason_error_string(error);
    tls->failed = true;
    if (tls->io_error) {
        error_sentence(tls->io_error, tls->words, sizeof tls->words);
        return tls->io_error;
    }
    if (!tls->words[0])
        snprintf(tls->words, sizeof tls->words, "%s",
                 sentence ? sentence : (reason ? reason : "TLS failed for no reason given"));
    return -EPROTO;
}

/* ---- sessions ---------------------------------------------------------------------------------
 */

static struct session *find_session(struct tls_context *context, const char *name)
{
    for (unsigned i = 0; i < TLS_MOST_SESSIONS; i++) {
        if (context->sessions[i].session && strcmp(context->sessions[i].name, name) == 0)
            return &context->sessions[i];
    }
    return NULL;
}

/* OpenSSL has a session that can be resumed. Returns 1: it is ours now. */
static int on_session(SSL *ssl, SSL_SESSION *session)
{
    const struct tls *tls = SSL_get_app_data(ssl);
    struct tls_context *context = tls->context;
    struct session *place = find_session(context, tls->name);
    if (!place) {
        place = &context->sessions[context->next_session];
        context->next_session = (context->next_session + 1) % TLS_MOST_SESSIONS;
        memcpy(place->name, tls->name, sizeof place->name);
    }
    SSL_SESSION_free(place->session);
    place->session = session;
    return 1;
}

/* ---- the context ------------------------------------------------------------------------------
 */

/* Never asks on the terminal for the passphrase of a key. */
static int no_passphrase(char *into, int room, int writing, void *self)
{
    (void)into, (void)room, (void)writing, (void)self;
    return -1;
}

static const char *file_trouble(void)
{
    const char *trouble = "it cannot be read";
    bool first = true;
    for (unsigned long error; (error = ERR_get_error()) != 0; first = false) {
        int reason = ERR_GET_REASON(error);
        bool pem = ERR_GET_LIB(error) == ERR_LIB_PEM;
        if (ERR_SYSTEM_ERROR(error))
            return strerror(reason); /* breach: of a known number, so a constant text */
        if (pem && reason == PEM_R_NO_START_LINE)
            return "no PEM in it";
        if (pem && (reason == PEM_R_BAD_PASSWORD_READ || reason == PEM_R_PROBLEMS_GETTING_PASSWORD))
            return "the key has a passphrase, which is not supported: store it without";
        if (ERR_GET_LIB(error) == ERR_LIB_OSSL_DECODER)
            trouble = "no private key in it";
        else if (first && ERR_reason_error_string(error))
            trouble = ERR_reason_error_string(error);
    }
    return trouble;
}

static int bad_file(const char *what, const char *file, char *words, size_t room)
{
    snprintf(words, room, "%s %s: %s", what, file, file_trouble());
    return TLS_BAD_OPTIONS;
}

static int load_client(SSL_CTX *shared, const struct tls_options *options, char *words, size_t room)
{
    const char *key = options->key_file ? options->key_file : options->cert_file;
    if (!options->cert_file && !options->key_file)
        return 0;
    if (!options->cert_file) {
        snprintf(words, room, "key_file %s: a key without a certificate: cert_file is missing",
                 options->key_file);
        return TLS_BAD_OPTIONS;
    }
    if (SSL_CTX_use_certificate_chain_file(shared, options->cert_file) != 1)
        return bad_file("cert_file", options->cert_file, words, room);
    if (SSL_CTX_use_PrivateKey_file(shared, key, SSL_FILETYPE_PEM) == 1)
        return 0;
    if (ERR_GET_REASON(ERR_peek_error()) == X509_R_KEY_VALUES_MISMATCH) {
        snprintf(words, room, "key_file %s: not the key of the certificate in %s", key,
                 options->cert_file);
        return TLS_BAD_OPTIONS;
    }
    return bad_file("key_file", key, words, room);
}

static int load_trust(SSL_CTX *shared, const struct tls_options *options, char *words, size_t room)
{
    if (options->insecure)
        return 0;
    SSL_CTX_set_verify(shared, SSL_VERIFY_PEER, on_verify);
    if (options->ca_file) {
        if (SSL_CTX_load_verify_file(shared, options->ca_file) != 1)
            return bad_file("ca_file", options->ca_file, words, room);
    } else {
        SSL_CTX_set_default_verify_paths(shared); /* where nothing is, nothing is trusted */
    }
    return 0;
}

static int offer_protocol(SSL_CTX *shared, const char *protocol, char *words, size_t room)
{
    unsigned char list[256];
    size_t bytes = protocol ? strlen(protocol) : 0;
    if (bytes == 0)
        return 0;
    if (bytes < sizeof list) {
        list[0] = (unsigned char)bytes;
        memcpy(list + 1, protocol, bytes);
        if (SSL_CTX_set_alpn_protos(shared, list, (unsigned)bytes + 1) == 0)
            return 0;
    }
    snprintf(words, room, "protocol %s: too long for ALPN", protocol);
    return TLS_BAD_OPTIONS;
}

static void set_modes(SSL_CTX *shared, bool resume)
{
    SSL_CTX_set_min_proto_version(shared, TLS1_2_VERSION);
    SSL_CTX_set_options(shared, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_mode(shared, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                 SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_read_ahead(shared, 1);
    SSL_CTX_set_default_passwd_cb(shared, no_passphrase);
    SSL_CTX_set_session_cache_mode(
        shared, resume ? SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL : SSL_SESS_CACHE_OFF);
    if (resume)
        SSL_CTX_sess_set_new_cb(shared, on_session);
}

int tls_context_new(struct tls_context **out, const struct tls_options *options, char *error_words,
                    size_t room)
{
    ERR_clear_error();
    struct tls_context *context = memory_new(1, sizeof *context);
    context->shared = SSL_CTX_new(TLS_client_method());
    context->method = make_method();
    context->insecure = options->insecure;
    context->resume = options->resume;
    int error = TLS_BAD_OPTIONS;
    if (!context->shared || !context->method) {
        snprintf(error_words, room, "OpenSSL does not start: %s", file_trouble());
    } else {
        set_modes(context->shared, options->resume);
        error = load_trust(context->shared, options, error_words, room);
        if (!error)
            error = load_client(context->shared, options, error_words, room);
        if (!error)
            error = offer_protocol(context->shared, options->protocol, error_words, room);
    }
    ERR_clear_error();
    if (error)
        tls_context_free(context);
    else
        *out = context;
    return error;
}

struct tls_context *tls_context_free(struct tls_context *context)
{
    if (!context)
        return NULL;
    for (unsigned i = 0; i < TLS_MOST_SESSIONS; i++)
        SSL_SESSION_free(context->sessions[i].session);
    SSL_CTX_free(context->shared);
    BIO_meth_free(context->method);
    free(context);
    return NULL;
}

/* ---- a connection -----------------------------------------------------------------------------
 */

/* The name without what has no place in SNI or a certificate: the dot at the end of a full name,
 * the zone of an address. */
static void keep_name(struct tls *tls, const char *name)
{
    snprintf(tls->name, sizeof tls->name, "%s", name ? name : "");
    size_t bytes = strlen(tls->name);
    if (bytes && tls->name[bytes - 1] == '.')
        tls->name[bytes - 1] = '\0';
    if (strchr(tls->name, ':'))
        tls->name[strcspn(tls->name, "%")] = '\0';
}

static int expect_name(struct tls *tls)
{
    unsigned char address[16];
    bool literal =
        inet_pton(AF_INET, tls->name, address) == 1 || inet_pton(AF_INET6, tls->name, address) == 1;
    if (!tls->name[0])
        return tls->context->insecure ? 0 : -EINVAL;
    if (!literal && SSL_set_tlsext_host_name(tls->ssl, tls->name) != 1)
        return -EINVAL;
    if (tls->context->insecure)
        return 0;
    if (literal)
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls->ssl), tls->name) == 1 ? 0
                                                                                       : -EINVAL;
    SSL_set_hostflags(tls->ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return SSL_set1_host(tls->ssl, tls->name) == 1 ? 0 : -EINVAL;
}

static int set_up(struct tls *tls)
{
    struct tls_context *context = tls->context;
    tls->ssl = SSL_new(context->shared);
    BIO *bio = tls->ssl ? BIO_new(context->method) : NULL;
    if (!bio)
        return -ENOMEM;
    BIO_set_data(bio, tls);
    BIO_set_init(bio, 1);
    SSL_set_bio(tls->ssl, bio, bio);
    SSL_set_app_data(tls->ssl, tls);
    SSL_set_connect_state(tls->ssl);
    int error = expect_name(tls);
    struct session *session = context->resume ? find_session(context, tls->name) : NULL;
    if (!error && session)
        SSL_set_session(tls->ssl, session->session);
    return error;
}

int tls_new(struct tls **out, struct tls_context *context, struct stream *stream,
            const char *server_name)
{
    ERR_clear_error();
    struct tls *tls = memory_new(1, sizeof *tls);
    tls->context = context;
    tls->stream = stream;
    keep_name(tls, server_name);
    int error = set_up(tls);
    if (error)
        tls_free(tls);
    else
        *out = tls;
    return error;
}

struct tls *tls_free(struct tls *tls)
{
    if (!tls)
        return NULL;
    if (tls->ssl && !tls->failed)
        SSL_set_shutdown(tls->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN); /* else OpenSSL takes
                                                      the session for a broken one */
    SSL_free(tls->ssl);
    free(tls);
    return NULL;
}

int tls_handshake(struct tls *tls)
{
    if (tls->failed)
        return tls->io_error ? tls->io_error : -EPROTO;
    ERR_clear_error();
    int result = SSL_do_handshake(tls->ssl);
    int error = SSL_get_error(tls->ssl, result);
    if (error == SSL_ERROR_NONE)
        return 0;
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
        return -EAGAIN;
    if (tls->stream_ended && !tls->io_error) {
        tls->io_error = -ECONNRESET;
        fail(tls);
        snprintf(tls->words, sizeof tls->words,
                 "the server closed the connection during the TLS handshake");
        return -ECONNRESET;
    }
    return fail(tls);
}

ssize_t tls_read(struct tls *tls, void *into, size_t room, nsec_t *rx_ns, enum rx_source *source)
{
    size_t bytes = 0;
    if (tls->failed)
        return tls->io_error ? tls->io_error : -EPROTO;
    ERR_clear_error();
    int result = SSL_read_ex(tls->ssl, into, room, &bytes);
    int error = SSL_get_error(tls->ssl, result);
    if (error == SSL_ERROR_NONE) {
        *rx_ns = tls->rx_ns;
        *source = tls->source;
        return (ssize_t)bytes;
    }
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
        return -EAGAIN;
    if (error == SSL_ERROR_ZERO_RETURN)
        return 0;
    if (tls->stream_ended && !tls->io_error) {
        tls->truncated = true;
        return 0;
    }
    return fail(tls);
}

ssize_t tls_write(struct tls *tls, const void *from, size_t bytes)
{
    size_t written = 0;
    if (tls->failed)
        return tls->io_error ? tls->io_error : -EPROTO;
    if (bytes == 0)
        return 0;
    ERR_clear_error();
    int result = SSL_write_ex(tls->ssl, from, bytes, &written);
    int error = SSL_get_error(tls->ssl, result);
    if (error == SSL_ERROR_NONE)
        return (ssize_t)written;
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
        return -EAGAIN;
    return fail(tls);
}

const char *tls_error_words(const struct tls *tls)
{
    return tls->words;
}

bool tls_resumed(const struct tls *tls)
{
    return SSL_session_reused(tls->ssl);
}

bool tls_truncated(const struct tls *tls)
{
    return tls->truncated;
}

bool tls_is_stale(struct tls *tls)
{
    char byte;
    size_t bytes = 0;
    if (tls->failed || tls->stream_ended || SSL_get_shutdown(tls->ssl))
        return true;
    if (SSL_pending(tls->ssl) == 0 && !stream_is_stale(tls->stream))
        return false;
    ERR_clear_error();
    int result = SSL_peek_ex(tls->ssl, &byte, 1, &bytes);
    int error = SSL_get_error(tls->ssl, result);
    return error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE;
}

const char *tls_describe(const struct tls *tls, char *out, size_t room)
{
    snprintf(out, room, "%s %s", SSL_get_version(tls->ssl), SSL_get_cipher_name(tls->ssl));
    return out;
}

void tls_shutdown(struct tls *tls)
{
    if (tls->failed || !SSL_is_init_finished(tls->ssl))
        return;
    ERR_clear_error();
    SSL_shutdown(tls->ssl);
    ERR_clear_error();
}
