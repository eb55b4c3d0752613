/* testbed/chat.h - POST /v1/chat/completions and GET /v1/models in OpenAI's format, and the same in
 * Ollama's (POST /api/generate, /api/chat).
 *
 * An answer has exactly max_tokens tokens (max_completion_tokens), or --tokens when none are named;
 * a prompt has one token for every four bytes of its messages, rounded up, as they stand in the
 * JSON. Under a law with one service time S, token k of T is due at begin + S * k / T, so that the
 * last one leaves at the departure; under the batching law each token is due at its step's end. */
#ifndef TESTBED_CHAT_H
#define TESTBED_CHAT_H

#include "testbed/connection.h"

enum { CHAT_TOKENS_MOST = 131072 };

/* POST /v1/chat/completions. */
void chat_serve(struct connection *connection, const struct request *request);
/* POST /api/generate and /api/chat: the same in Ollama's words (ollama.h). */
void chat_serve_ollama(struct connection *connection, const struct request *request);
/* GET /v1/models. */
void chat_models(struct connection *connection, const struct request *request);
/* A token of a sequence at a boundary: a batching_token_fn; self: the testbed. */
void chat_token(void *self, struct sequence *sequence, nsec_t boundary_ns);

#endif
