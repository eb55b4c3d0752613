/* net/tls.h - TLS over a stream, by OpenSSL: verification on by default, SNI, client certificates
 * (mTLS), session resumption. The same over real and simulated streams, since it moves bytes by
 * stream_read and stream_write only. A loop thread has a tls_context of its own.
 *
 *   Limits   TLS 1.2 and 1.3; sessions of the last TLS_MOST_SESSIONS servers are kept
 *   Readiness   one TLS operation may need the other direction (a key update, a renegotiated key):
 *            after -EAGAIN try again at any readiness of the stream */
#ifndef NET_TLS_H
#define NET_TLS_H

#include "net/stream.h"

#include <stdbool.h>

enum { TLS_MOST_SESSIONS = 64 };

struct tls_options {
    bool insecure;         /* neither the chain nor the name is verified */
    const char *ca_file;   /* PEM; NULL: the system's */
    const char *cert_file; /* PEM chain of the client; or NULL */
    const char *key_file;  /* PEM; NULL: in cert_file, if that is given */
    bool resume;           /* offer the last session of the same server */
    const char *protocol;  /* offered by ALPN: "http/1.1"; NULL: none */
};

struct tls_context;

/* Reads the files and readies what connections share. Returns 0 or TLS_BAD_OPTIONS; error_words
 * then says which file and why. Owner: caller, tls_context_free after its last connection. */
enum { TLS_BAD_OPTIONS = 1 };
int tls_context_new(struct tls_context **out, const struct tls_options *options, char *error_words,
                    size_t room);
/* Frees it; NULL is fine; returns NULL. */
struct tls_context *tls_context_free(struct tls_context *context);

struct tls; /* one connection's state; about 20 KiB from OpenSSL while it is open */

/* Begins on a connected stream. server_name: for SNI and verification; a literal address is
 * verified as one and sends no SNI. Returns 0 or -errno (-EINVAL: there is no name, and
 * verification is on). Owner: caller, tls_free before the stream goes away. */
int tls_new(struct tls **out, struct tls_context *context, struct stream *stream,
            const char *server_name);
/* Frees it, sending nothing; NULL is fine; returns NULL. */
struct tls *tls_free(struct tls *tls);

/* Goes on with the handshake. Returns 0 when it is done, -EAGAIN (wait for the stream's next
 * readiness), -EPROTO or -errno when it failed (tls_error_words says why: "certificate has
 * expired"). */
int tls_handshake(struct tls *tls);
/* As stream_read, on clear bytes, but a short read does not mean that nothing more is there: read
 * until -EAGAIN. rx_ns is that of the read that brought the end of these bytes' record. The end of
 * the stream is 0 also without the close_notify that should come before it (tls_truncated). */
ssize_t tls_read(struct tls *tls, void *into, size_t room, nsec_t *rx_ns, enum rx_source *source);
/* As stream_write, on clear bytes; after -EAGAIN the same bytes must be given again. */
ssize_t tls_write(struct tls *tls, const void *from, size_t bytes);
/* Why the handshake, read or write failed, in words; valid until tls_free. */
const char *tls_error_words(const struct tls *tls);
/* Whether the session was resumed. */
bool tls_resumed(const struct tls *tls);
/* Whether the stream ended without close_notify: somebody may have cut it. It matters to a body
 * that runs to the end of the stream (RFC 9112, 9.8). */
bool tls_truncated(const struct tls *tls);
/* As stream_is_stale, after taking in what is no data: session tickets and key updates. */
bool tls_is_stale(struct tls *tls);
/* The version and cipher agreed on: "TLSv1.3 TLS_AES_256_GCM_SHA384". Returns out, always ended by
 * a zero. */
const char *tls_describe(const struct tls *tls, char *out, size_t room);
/* Sends close_notify if that goes without waiting. */
void tls_shutdown(struct tls *tls);

#endif
