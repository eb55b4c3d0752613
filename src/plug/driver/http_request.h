/* plug/driver/http_request.h - a request over HTTP/1.1 as drivers describe it: compiled once, with
 * the plan's headers and credentials, and composed for each sending without allocating. */
#ifndef PLUG_DRIVER_HTTP_REQUEST_H
#define PLUG_DRIVER_HTTP_REQUEST_H

#include "load/driver.h"

/* What is asked for. All of it is the plan's and must live as long as the compiled request. */
struct http_shape {
    const char *method;                 /* "POST" */
    const struct template *url;         /* a path on the target, or a whole URL */
    const struct plan_headers *headers; /* of this request; those of the plan come to them */
    const struct template *body;        /* NULL: none, or written by the driver */
    bool json;                          /* the body is sent as application/json */
    const char *accept;                 /* NULL: anything */
};

struct http_request;

/* Compiles it. name: the request's, for notes. Returns it (owner: caller, http_request_free), or
 * NULL after adding an error to notes. */
struct http_request *http_request_compile(const struct plan *plan, const char *name,
                                          const struct http_shape *shape, struct notes *notes);
/* Frees it; NULL is fine. Returns NULL. */
struct http_request *http_request_free(struct http_request *request);

/* The base URL that the request names itself, or NULL: the plan's target. */
const char *http_request_origin(const struct http_request *request);

/* Fills what is sent; bytes may lie in call->scratch, behind what is there already. A driver with a
 * body of its own writes it into the scratch first and sets out->body last, from its offset, since
 * the scratch may move. */
void http_request_compose(const struct http_request *request, struct driver_call *call,
                          struct exchange_request *out);

#endif
