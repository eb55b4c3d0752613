/* testbed/embed.h - vectors from text: the same for the same text, near for texts that share words.
 *
 * Each word (a run of letters, digits and bytes above 127, small letters for capitals) has a
 * direction of its own, drawn under the hash of the word; a text's vector is the sum of those of
 * its words, of length 1. A text has one token for each word, at least 1.
 *
 *   Cost     each token takes a known time of its thread's processor, by default 10 us, however
 *            fast the machine is: what is left after the vector is made is spent computing.
 *   Source   random indexing: Kanerva, Kristofersson, Holst (2000). */
#ifndef TESTBED_EMBED_H
#define TESTBED_EMBED_H

#include "testbed/connection.h"

enum { EMBED_DIMENSIONS_MOST = 4096, EMBED_INPUTS_MOST = 2048 };

/* Tokens of a text. */
uint64_t embed_tokens(struct span text);
/* Writes the vector of a text. Returns its tokens. From any thread. */
uint64_t embed_text(struct span text, uint64_t dimensions, float *vector);
/* Computes until this thread has used as much of its processor since begun_ns (embed_clock). */
void embed_spend(nsec_t begun_ns, nsec_t for_ns);
/* Processor time of this thread. */
nsec_t embed_clock(void);

/* POST /v1/embeddings (OpenAI), /api/embed (Ollama) and /embed (text-embeddings-inference). */
void embed_serve(struct connection *connection, const struct request *request);

#endif
