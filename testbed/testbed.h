/* testbed/testbed.h - the reference AI platform: an HTTP server whose queueing law is known.
 *
 * It is the other half of every test. What Plimsoll measures against it can be compared with a
 * closed form, since each reply leaves at an instant that was computed, not at one that happened:
 * departure = max(arrival, a server free) + S_n, where S_n is a function of the seed and n alone.
 * It has its own HTTP, clock use and samplers, so that a bug cannot hide itself on both sides.
 *
 *   Owner    everything belongs to the thread of the loop.
 *   Virtual  on a simulated loop the server costs nothing but its law. */
#ifndef TESTBED_TESTBED_H
#define TESTBED_TESTBED_H

#include "base/clock.h"
#include "net/loop.h"
#include "net/stream.h"
#include "testbed/nearest.h"

#include <stdbool.h>
#include <stdint.h>

/* Services that a port may have. What a client is tested against (/work, /echo, ...) belongs to the
 * gateway; /, /health and /metrics are on every port. */
enum role {
    ROLE_GATEWAY = 1, /* models, chat, agents, embeddings, database */
    ROLE_RAG = 2,     /* /index and /query */
    ROLE_TOOLS = 4,   /* MCP and /tools/execute */
    ROLE_VECTORS = 8, /* Qdrant's paths */
    ROLE_ALL = 15,
};

enum { DOORS_MORE = 7 };

/* How long a piece of work holds a server, and whether it waits for one. */
enum law_kind {
    LAW_NONE,        /* S = 0: at once */
    LAW_FIXED,       /* S = service_ns; as many servers as there is work, unless limited */
    LAW_EXPONENTIAL, /* S exponential of mean service_ns; likewise */
    LAW_MMC,         /* S exponential; `servers` servers (1 when 0), one queue, first come first */
    LAW_MD1,         /* S = service_ns; one server unless more are asked */
    LAW_USL,         /* S grows with what is in the server: the universal scalability law */
    LAW_BATCHING,    /* continuous batching, as language model servers do: batching.h */
};

/* What one piece of work did, told when its reply has been handed to the kernel. */
struct testbed_entry {
    uint64_t number;     /* n, from 0: the n-th work accepted */
    nsec_t arrival_ns;   /* its request had been read whole */
    nsec_t service_ns;   /* S_n (batching: departure - first step) */
    nsec_t departure_ns; /* computed */
    nsec_t written_ns;   /* the clock right after the last write; 0: the client had gone */
};

/* All of it may be zero but for what testbed_defaults sets. Texts must outlive the testbed. */
struct testbed_options {
    struct testbed_listen {
        const char *address; /* literal */
        uint16_t port;       /* 0: the system chooses */
        const char *unix_path;
        const char *token; /* every request must bear it; demanded off loopback; or NULL */
        uint64_t most_connections;
        uint64_t body_bytes;   /* longest request body */
        nsec_t ready_after_ns; /* until then, from its making on, /health answers 503 */
        unsigned roles;        /* which services this port has; 0: all */
        uint64_t more_count;   /* further ports at the same address */
        struct door_options {
            const char *name;
            uint16_t port;
            unsigned roles;
        } more[DOORS_MORE];
    } listen;

    struct law_options {
        enum law_kind kind;
        nsec_t service_ns;
        uint64_t servers;     /* 0: by the kind */
        uint64_t queue_limit; /* waiting, not in service; UINT64_MAX: none */
        uint64_t full_status; /* 429 or 503 */
        uint64_t seed;
        double usl_alpha, usl_beta; /* contention and coherence of the scalability law */
        double rate_limit;          /* work a second; what is more gets 429; 0: none */
        uint64_t work_bytes;        /* memory of each /work, in a process of its own; 0: none */
    } law;

    struct batching_options {
        uint64_t slots;          /* sequences in one step at most */
        double prefill_rate;     /* prompt tokens a second; 0: prefill takes no time */
        nsec_t step_ns;          /* a of a + c * b */
        nsec_t step_sequence_ns; /* c, for each of b sequences in the step */
        uint64_t kv_tokens;      /* room of the KV cache; 0: no limit */
        enum kv_full { KV_WAIT, KV_PREEMPT } kv_full; /* batching.h */
        nsec_t overhead_ns;  /* from arrival until it may have a slot: what is not on the GPU */
        uint64_t replicas;   /* machines like this one, behind a balancer: balance.h */
        double balance_skew; /* how unevenly it spreads connections; 0: evenly */
        struct gpu_options {
            uint64_t memory_bytes;   /* of each machine's GPU */
            uint64_t weights_bytes;  /* of the model, always there */
            uint64_t kv_token_bytes; /* of the KV cache, a token */
            double idle_watts, busy_watts;
            bool fails; /* what its memory cannot hold is answered 500, out of memory */
        } gpu;
    } batching;

    struct chat_options {
        uint64_t tokens;           /* of an answer whose request names no max_tokens */
        bool stamp;                /* each token carries the nanosecond of its writing */
        uint64_t reasoning_tokens; /* of each answer, its first ones; the last one never is */
        bool reasoning_content;    /* they come as `reasoning_content`, else as `reasoning` */
    } chat;

    struct limit_options {      /* what all requests share; limits.h */
        uint64_t sessions;      /* of /work at once, behind a balancer; 0: no limit */
        uint64_t memory_bytes;  /* of the service; 0: no limit */
        uint64_t base_bytes;    /* of it, without any request */
        uint64_t request_bytes; /* that a request to /work holds */
        uint64_t link_bytes;    /* a second, of its network device; 0: not told */
        double processors;      /* quota of the compute threads; 0: none */
    } limit;

    struct platform_options {
        struct station_options { /* a service with a law of its own: station.h */
            nsec_t service_ns;   /* mean */
            uint64_t servers;    /* 0: no limit */
            bool fixed;          /* S = service_ns; else exponential */
            bool refuses;        /* 503 when all servers are busy, rather than a queue */
        } database, answer, research, synthesis;
        struct station_options upstream;    /* that /work asks when its own work is done */
        uint64_t vectors;                   /* in the collection "default", made from the seed */
        uint64_t dimensions;                /* of embeddings and of that collection */
        const struct nearest_kind *nearest; /* of all collections; NULL: searched exactly */
        bool vectors_at_start;              /* made then, else when first asked for */
        uint64_t compute_threads;           /* for embeddings and searches together */
        double search_rate;        /* bytes a second that a search reads, in virtual time */
        nsec_t embed_token_ns;     /* processor time that a token costs */
        uint64_t memory_bandwidth; /* bytes a second that searches read, one after another; 0: as
                                      this machine does */
        uint64_t tool_limit;       /* tools executed at once */
        uint64_t tool_queue;       /* calls that may wait; UINT64_MAX: any number */
        nsec_t tool_ns;            /* a tool takes at least this long */
        const char *sandbox_in;    /* the directory in which the tools' is made */
        bool mcp_json;             /* replies of one JSON message are not event streams */
        uint64_t mcp_cut_every; /* every n-th streamed tool call is cut, to be resumed; 0: none */
        uint64_t mcp_sessions;  /* open at once, at most */
    } platform;

    struct fault_options {
        double error_rate, reset_rate, stall_rate, truncate_rate, malformed_rate, slow_rate;
        nsec_t stall_ns;
        uint64_t slow_bytes;  /* at a time; 0: no reply is slow */
        nsec_t slow_gap_ns;   /* between times */
        uint64_t close_after; /* requests on a connection; 0: never */
        uint64_t seed;
    } fault;

    void (*served)(void *self, const struct testbed_entry *entry); /* or NULL */
    void *self;
};

/* Port 0 on 127.0.0.1, no law, no faults, and every limit at its default. */
struct testbed_options testbed_defaults(void);
/* The defaults with those of a preset in their place: "fast", "requirements" or "l4-gemma3-4b"
 * (testbed/README.md says what each is). Returns 0 or -EINVAL (no such preset). */
int testbed_preset(const char *name, struct testbed_options *options);

struct testbed;

/* Listens and serves on this loop. Returns 0 or -errno; -EPERM: an address other than loopback
 * without a token. Owner: caller. */
int testbed_new(struct testbed **out, struct loop *loop, const struct testbed_options *options);
/* Closes all connections and frees it; NULL is fine; returns NULL. */
struct testbed *testbed_free(struct testbed *testbed);

/* The address listened on, with the port that was chosen. */
void testbed_address(const struct testbed *testbed, struct net_address *out);
/* The same of the index-th port, from 0, with its name; NULL behind the last. */
const char *testbed_door(const struct testbed *testbed, uint64_t index, struct net_address *out);

/* Its counts so far, and what it holds at this instant. */
struct testbed_counts {
    uint64_t connections; /* accepted */
    uint64_t open;        /* of these, now */
    uint64_t requests;    /* read whole, or refused as bad */
    uint64_t replies;     /* handed to the kernel whole */
    uint64_t arrivals;    /* work accepted by the law */
    uint64_t refused;     /* work turned away by a full queue */
    uint64_t departures;  /* work done, whether or not its client was still there */
    uint64_t abandoned;   /* sequences given up because their client had gone */
    uint64_t busy;        /* servers at work, or sequences in the batch */
    uint64_t queued;      /* work waiting for a server or a slot */
    uint64_t kv_tokens;   /* tokens in the KV cache */
    uint64_t faults;      /* injected */
};
/* Reads them all at once. */
void testbed_counts(struct testbed *testbed, struct testbed_counts *out);

#endif
