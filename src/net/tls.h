/* net/tls.h - TLS over a stream, by OpenSSL: verification on by default, SNI, client certificates
 * (mTLS), session resumption. The same over real and simulated streams, since it moves bytes by
 * stream_read and stream_write only. A loop thread has a tls_context of its own. */
#ifndef NET_TLS_H
#define NET_TLS_H

#include "net/stream.h"

#include <stdbool.h>

struct tls_options {
    bool insecure;         /* neither the chain nor the name is verified */
    const char *ca_file;   /* PEM; NULL: the system's */
    const char *cert_file; /* PEM chain of the client; or NULL */
    const char *key_file;  /* PEM; or NULL */
    bool resume;           /* offer the last session of the same server */
};

struct tls_context;

/* Returns 0 or TLS_BAD_OPTIONS; error_words then says which file and why. */
enum { TLS_BAD_OPTIONS = 1 };
int tls_context_new(struct tls_context **out, const struct tls_options *options, char *error_words,
                    size_t room);
struct tls_context *tls_context_free(struct tls_context *context);

struct tls; /* one connection's state; about 20 KiB from OpenSSL while it is open */

/* Begins on a connected stream. server_name: for SNI and verification. Returns 0 or -errno. */
int tls_new(struct tls **out, struct tls_context *context, struct stream *stream,
            const char *server_name);
struct tls *tls_free(struct tls *tls);

/* Goes on with the handshake. Returns 0 when it is done, -EAGAIN (wait for the stream's next
 * readiness), -EPROTO or -errno when it failed (tls_error_words says why: "certificate has
 * expired"). */
int tls_handshake(struct tls *tls);
/* As stream_read and stream_write, on clear bytes. -EAGAIN may be for either direction. */
ssize_t tls_read(struct tls *tls, void *into, size_t room, nsec_t *rx_ns, enum rx_source *source);
ssize_t tls_write(struct tls *tls, const void *from, size_t bytes);
/* Why the handshake, read or write failed, in words; valid until tls_free. */
const char *tls_error_words(const struct tls *tls);
/* Whether the session was resumed. */
bool tls_resumed(const struct tls *tls);
/* Sends close_notify if that goes without waiting. */
void tls_shutdown(struct tls *tls);

#endif
