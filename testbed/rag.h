/* testbed/rag.h - a RAG service: documents go in, questions bring the nearest and an answer.
 *
 * POST /index {"documents": [...], "collection": "default"}: a document is a text, or an object
 * with "text" or "content", maybe "id" and "metadata". Each is made a vector (embed.h) and put into
 * the collection (vectors.h), which is made if it is not there; one row of the database is written.
 * Also "text", "content" or "document" in place of the list, for one.
 *
 * POST /query {"query": "...", "collection": "default", "top_k": 5}: the question becomes a vector,
 * the whole collection is searched for the documents nearest to it, the database is asked once, and
 * the model of the answer once: four stages, of which two are real work on the compute threads and
 * two have laws of their own (station.h). The times of all four are in the reply. Rows made from
 * the seed have no text and are never sources, but cost their part of the search. */
#ifndef TESTBED_RAG_H
#define TESTBED_RAG_H

#include "testbed/connection.h"

enum { RAG_TOP_MOST = 100, RAG_DOCUMENTS_MOST = 1000 };

/* POST /index. */
void rag_index(struct connection *connection, const struct request *request);
/* POST /query. */
void rag_query(struct connection *connection, const struct request *request);

#endif
