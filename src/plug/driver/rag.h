/* plug/driver/rag.h - the halves of the rag driver: what is asked (rag.c) and what the reply says
 * (rag_reply.c). */
#ifndef PLUG_DRIVER_RAG_H
#define PLUG_DRIVER_RAG_H

#include "load/driver.h"
#include "plug/driver/http_request.h"
#include "plug/driver/llm_body.h"
#include "wire/json.h"

enum rag_counter {
    RAG_QUERIES,
    RAG_QUERY_FAILURES,
    RAG_INDEXINGS,
    RAG_INDEX_FAILURES,
    RAG_SERVER_TIMEOUTS,
    RAG_EMPTY,
    RAG_RESULTS,
    RAG_EXPECTED,
    RAG_FOUND,
    RAG_MISSED,
    RAG_INDEXED,
    RAG_COUNTERS,
};

enum { RAG_SHOWN_BYTES = 160 };

/* A request of the plan, ready to be sent. */
struct rag_request {
    struct http_request *http;
    struct llm_body *body;         /* NULL: the plan writes the body itself */
    bool query;                    /* else it indexes */
    const struct template *expect; /* list of ids, or text of ids between blanks; NULL: none */
    struct json_path results, id, error, indexed;
    bool has_id, has_indexed;
};

struct rag_state {
    bool cut; /* the reply is longer than what is read */
    uint8_t shown_bytes;
    char shown[RAG_SHOWN_BYTES];
};

/* The driver's methods of these names; see load/driver.h. */
void rag_data(struct driver_call *call, struct span bytes, nsec_t rx_ns);
/* Says what became of a query or an indexing, and counts what it brought. */
struct driver_outcome rag_end(struct driver_call *call, int status, struct span body,
                              nsec_t end_ns);

#endif
