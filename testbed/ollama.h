/* testbed/ollama.h - the same answers in Ollama's own words: POST /api/generate and /api/chat, GET
 * /api/tags and /api/ps.
 *
 * A line of JSON a token, then one with `done: true` and the durations: prompt_eval_duration from
 * the request's arrival to its first token, eval_duration from there to the last, load_duration
 * 0. */
#ifndef TESTBED_OLLAMA_H
#define TESTBED_OLLAMA_H

#include "testbed/connection.h"

/* The head of a stream. */
void ollama_head(struct connection *connection);
/* A token as a line of the stream; thinking: it is reasoning. */
void ollama_token(struct connection *connection, struct span word, bool thinking);
/* The stream's last line. */
void ollama_last(struct connection *connection);
/* A whole answer: its text, as the inside of a JSON string. */
void ollama_whole(struct connection *connection, struct span words);

/* GET /api/tags and /api/ps: the one model that there is. */
void ollama_models(struct connection *connection, const struct request *request);

#endif
