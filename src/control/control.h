/* control/control.h - what clients of control planes have in common: a request, its outcomes, and a
 * JSON document as the answer.
 *
 * A client is used by one thread at a time. It blocks at most its timeout for each request, ends at
 * once when *cancel becomes true, and keeps its connection between requests. Sentences that it
 * gives never hold a token, a key or a password. */
#ifndef CONTROL_CONTROL_H
#define CONTROL_CONTROL_H

#include "base/clock.h"
#include "base/text.h"

#include <stdatomic.h>

struct json_t; /* of jansson: json_t */

/* In the order of a scaler's outcomes, so that a scaler may pass them on. */
enum control_outcome {
    CONTROL_DONE = 0,
    CONTROL_ABSENT = 1, /* no such thing (404, 410), or nobody there to ask */
    CONTROL_FORBIDDEN,  /* 401, 403, or the server's identity is not to be trusted */
    CONTROL_CONFLICT,   /* 409, 412: somebody else changed it meanwhile */
    CONTROL_TIMEOUT,    /* no whole answer in time, or cancelled */
    CONTROL_FAILED,     /* anything else, e.g. 400, 422, 500, an answer that is not JSON */
};

struct control_request {
    const char *method;       /* NULL: GET */
    const char *path;         /* from the slash, with its query, percent-encoded by the caller */
    struct span body;         /* empty: none */
    const char *content_type; /* of the body; NULL: application/json */
};

#endif
