/* testbed/connection.h - one client's connection: requests in, one at a time, and replies out.
 *
 * A connection reads while it has no request in hand. Each request is given to its path (paths.h),
 * which either replies before it returns or keeps it and replies when its time has come; what the
 * client sends meanwhile (pipelining) waits in the socket or in `in`. Replies are appended to `out`
 * and written as far as the socket takes them.
 *
 * A client that goes away does not undo what it has asked: work that the law has taken in holds its
 * server until its departure. Only a sequence of the batching law is given up, as model servers do.
 */
#ifndef TESTBED_CONNECTION_H
#define TESTBED_CONNECTION_H

#include "testbed/batching.h"
#include "testbed/faults.h"
#include "testbed/law.h"
#include "testbed/metrics.h"
#include "testbed/reader.h"
#include "testbed/testbed.h"

enum {
    READ_BYTES = 65536,           /* one read */
    OUT_KEPT_BYTES = 4096,        /* room that an idle connection keeps */
    OUT_MOST_BYTES = 256 << 20,   /* a client that does not read is dropped above this */
    CHAT_MODEL_BYTES = 64,        /* longest model name repeated in an answer */
    SPARE_CONNECTIONS_MOST = 1024 /* closed ones kept for the next client */
};

/* An answer of POST /v1/chat/completions in the making. */
enum chat_dialect { CHAT_OPENAI, CHAT_OLLAMA_GENERATE, CHAT_OLLAMA_CHAT };

struct chat {
    enum chat_dialect dialect;
    nsec_t begun_ns, first_ns; /* request read; first token of an Ollama stream written */
    bool stream, include_usage, named_tokens, head_sent;
    uint64_t prompt_tokens, tokens, made;
    uint64_t id;
    char model[CHAT_MODEL_BYTES + 1];
};

enum station_index {
    STATION_DATABASE,
    STATION_ANSWER,
    STATION_RESEARCH,
    STATION_SYNTHESIS,
    STATION_MEMORY,
    STATION_UPSTREAM,
    STATION_COUNT,
};

struct connection {
    struct stream stream;
    struct list node;
    struct testbed *testbed;
    unsigned roles; /* of the port it came to */

    struct reader reader;
    struct text in;  /* of a request that is not yet whole, or waits for its turn */
    struct text out; /* not yet written from `sent` on */
    size_t sent;

    nsec_t rx_ns;    /* when the bytes being looked at were received */
    bool readable;   /* the socket may hold more */
    bool finished;   /* the client's end has been announced; it may still be to be read */
    bool closed;     /* the stream is closed; only work that has not departed keeps this alive */
    bool serving;    /* a request is in hand */
    bool held;       /* a fault holds back the output until `hold` fires */
    bool slow;       /* a fault: little at a time, until all is written */
    bool lingering;  /* refused: what still comes is thrown away until the client has gone */
    bool last;       /* closes when all is written */
    bool reset_last; /* ... with a RST */

    /* of the request in hand */
    enum metrics_path path;
    enum fault fault;
    bool keep_alive, head_only, minor_zero;
    int status;               /* of its reply */
    size_t reply_at, body_at; /* where in `out` its reply and the reply's body begin */
    uint64_t requests;        /* on this connection, with the one in hand */

    struct timer timer; /* its departure, next token or delay */
    void (*due)(struct connection *connection, nsec_t now_ns);
    struct timer hold;
    struct law_work work;
    bool working;          /* `work` is in the law */
    int worker;            /* its process, see worker.h; 0: none */
    struct list gate_node; /* among those who wait for a session (limits.h) */
    nsec_t fixed_ns;       /* asked by the request that waits there */
    bool in_session, holds_memory;
    struct station *station; /* whose law that is; NULL: the testbed's own */
    struct task *task;       /* in a pool, or kept until its reply goes; or NULL */
    struct replica *replica; /* the machine that the balancer gave it; NULL: another law */
    struct sequence sequence;
    bool sequenced; /* `sequence` is in the batching */
    struct chat chat;
    bool listening;            /* a stream of MCP that is open for what may come */
    struct mcp_call *mcp_call; /* whose events that stream brings; or NULL */
    struct list mcp_node;
    bool has_entry; /* `entry` waits for the last byte to be written */
    struct testbed_entry entry;
};

/* A port that is listened on. */
struct door {
    struct listener listener;
    struct testbed *testbed;
    const char *name;
    unsigned roles;
};

struct testbed {
    struct loop *loop;
    nsec_t made_ns;
    struct testbed_options options;
    char *token;
    struct door doors[1 + DOORS_MORE];
    uint64_t door_count;
    struct list connections, dead, spare;
    uint64_t open, spare_count;
    struct law *law;
    struct batching *batching; /* of the first replica; NULL under another law */
    struct replica *replicas;
    uint64_t replica_count;
    struct balance *balance;
    uint64_t sequences;       /* taken in by any replica */
    struct station *stations; /* STATION_COUNT */
    struct pool *compute;
    struct vectors *vectors; /* for any thread */
    struct pool *tools;
    struct toolbox *toolbox; /* for any thread */
    struct sessions *sessions;
    uint64_t streamed_calls; /* of MCP */
    nsec_t rate_next_ns;     /* when work at the limit of its rate would come */
    struct faults faults;
    struct metrics *metrics;
    struct limits {
        struct list waiting; /* for a session */
        uint64_t waiting_count, sessions, sessions_done;
        uint64_t memory_holders, memory_failures;
    } limits;
    uint64_t sent_bytes, received_bytes;
    uint64_t connections_count, requests, replies, departures, refused, abandoned;
    char *read_buffer;
    struct text scratch; /* a body in the making */
};

/* Takes the next connection of the port. Returns 0 or -errno (-EAGAIN: no more now). */
int connection_accept(struct door *door);
/* Goes on with what can be done: writes, and reads the next requests. To be called after a reply
 * was appended outside the reading of requests. */
void connection_advance(struct connection *connection);
/* The same after a reply that something else than this connection's own events has brought: what
 * the client sent meanwhile counts as arriving now. The connection may be freed by it. */
void connection_go_on(struct connection *connection);
/* A whole reply stands in `out` from reply_at on (or its last part, when streamed): counts it,
 * spoils it if a fault is due, and is ready for the next request. */
void connection_replied(struct connection *connection, bool streamed);
/* Spoils the reply in `out` as the fault of the request in hand demands. */
void connection_spoil(struct connection *connection);
/* Writes what there is, as far as it goes; may close the connection. */
void connection_flush(struct connection *connection);
/* Waits until due_ns, then calls due. */
void connection_wait(struct connection *connection, nsec_t due_ns,
                     void (*due)(struct connection *connection, nsec_t now_ns));
/* Holds back all output for this long. */
void connection_hold(struct connection *connection, nsec_t for_ns);
/* Closes it now. It is freed by testbed_bury, later when work has still to depart. */
void connection_end(struct connection *connection, bool reset);
/* Frees the connections that were closed; at the end of each call from the loop. */
void testbed_bury(struct testbed *testbed);

#endif
