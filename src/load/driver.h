/* load/driver.h - the contract of protocols. A driver turns a compiled request of the plan into an
 * exchange and reads the events of its reply; it never sees a socket. Drivers do not include each
 * other.
 *
 * Life of a request: the engine draws values into the iteration's slots, asks the driver to
 * `compose` (maybe twice: a request that died on a stale connection is composed again, to the same
 * bytes), and then hands it head, data and end as they come. The engine takes all times, keeps the
 * accounts, runs checks and captures; a driver adds what its protocol alone knows. */
#ifndef LOAD_DRIVER_H
#define LOAD_DRIVER_H

#include "base/clock.h"
#include "base/text.h"
#include "link/exchange.h"
#include "plan/note.h"
#include "plan/plan.h"
#include "plan/vocabulary.h"
#include "record/metric.h"
#include "record/tally.h"

#include <stdbool.h>
#include <stddef.h>

/* What a driver may look at and write while a call is under way. */
struct driver_call {
    const struct plan_request *request;
    const void *compiled; /* what `compile` returned for this request */
    void *state;          /* state_bytes of the driver's own, zeroed before compose */
    void *user;       /* user_bytes that live as long as the virtual user; NULL: it declares none */
    struct span head; /* raw lines of the reply's head, in `end`, for drivers that want it */
    void *connection; /* connection_bytes that live as long as the child process spoken to; NULL:
                         over a network */
    bool farewell;    /* the user leaves: this exchange ends its session, and is no request */
    const struct span *slots; /* of the iteration */
    struct text
        *scratch;        /* the thread's: composed bytes live here until the exchange has started */
    struct text *kept;   /* bytes kept from one call to the next of this request, such as an
                            unfinished line; emptied before compose, its room kept and freed by the
                            engine */
    struct text *answer; /* the request is a turn of a conversation: the answer's text goes here,
                            as the inside of a JSON string; NULL: nobody wants it */
    uint32_t turn;       /* of the conversation, from 0 */
    bool forgot;         /* its oldest turns are left out of what is sent */
    struct tally *tally; /* where the driver's metrics go */
    uint32_t first_counter, first_hist; /* numbers of the driver's first metrics */
    int status;                         /* of the reply, once its head has come */
    nsec_t intended_ns, sent_ns;        /* of this request */
    struct trace_ring *trace; /* chunks and tokens of answers go here as well; NULL: no trace */
    uint32_t trace_slot;
};

/* The outcome that a driver reads from a complete reply. */
struct driver_outcome {
    uint32_t error;    /* 0: succeeded; else a COUNT_ERROR_* */
    struct span words; /* for the example of an error */
    /* This exchange was set-up (opening a session): compose is called again for the same request.
     * Its time, from the first byte sent to the last received, stays out of the request's, which
     * counts as due later by so much; what set-up cost is for the driver to record. error must be
     * 0. */
    bool again;
    /* This exchange was a part of the request (a stream that broke off and can be resumed): compose
     * is called again for the rest. All of the time is the request's; its service time is that of
     * the last exchange, as with retries. error must be 0. */
    bool more;
};

struct driver {
    const char *name;
    const char *sentence;
    const struct request_verb *verbs; /* ends with word NULL */
    const struct metric *metrics;     /* its own; ends with name NULL; or NULL */
    size_t state_bytes;
    size_t user_bytes;       /* per virtual user, zeroed when it joins; for sessions */
    size_t connection_bytes; /* per child process, zeroed when it starts; for sessions */
    bool wants_head;         /* `end` looks at the reply's head */
    bool wants_losses; /* `end` is called with status 0 too when a request fails for good without a
                          whole reply; its state may be of an earlier request, its outcome is not
                          looked at */

    /* Compiles a request of the plan (at load time). Returns it (owner: engine, by `release`), or
     * NULL after adding an error to notes. */
    void *(*compile)(const struct plan *plan, const struct plan_request *request,
                     struct notes *notes);
    void (*release)(void *compiled);
    /* The base URL that the request names itself ("http://other:8080"), or NULL: the plan's target.
     */
    const char *(*origin)(const void *compiled);
    /* The child process that the request speaks to over its input and output, or NULL; NULL as
     * method: never. Requests with equal commands share their children. */
    const struct piped_command *(*command)(const void *compiled);
    /* How many calls at once the plan says that the request's server executes; server: its number
     * among the driver's, from 0. 0: not said. NULL: never said. */
    uint64_t (*concurrency_limit)(const void *compiled, uint32_t *server);
    /* Fills the exchange's request; bytes may lie in call->scratch. No allocation. With
     * call->farewell, for drivers with user_bytes: fills in what ends the user's session, or
     * leaves the method empty when there is none to end; `end` then only looks at the reply. */
    void (*compose)(struct driver_call *call, struct exchange_request *out);
    /* Bytes of the body; NULL when it does not look at them. */
    void (*data)(struct driver_call *call, struct span bytes, nsec_t rx_ns);
    /* The reply is complete; body is what was kept for checks (empty when nothing asks for it). */
    struct driver_outcome (*end)(struct driver_call *call, int status, struct span body,
                                 nsec_t end_ns);
};

#endif
