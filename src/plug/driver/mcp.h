/* plug/driver/mcp.h - the halves of the mcp driver: the words of the plan (mcp.c), what is sent and
 * what state a session is in (mcp_send.c), and what comes back (mcp_reply.c). */
#ifndef PLUG_DRIVER_MCP_H
#define PLUG_DRIVER_MCP_H

#include "load/driver.h"
#include "net/piped.h"
#include "plug/driver/http_request.h"
#include "wire/json.h"
#include "wire/sse.h"

enum mcp_counter {
    MCP_CALLS,
    MCP_HTTP_ERRORS,
    MCP_RPC_ERRORS,
    MCP_TOOL_ERRORS,
    MCP_BROKEN_REPLIES,
    MCP_REFUSED,
    MCP_VIOLATIONS,
    MCP_PROGRESS,
    MCP_NOTIFICATIONS,
    MCP_SERVER_REQUESTS,
    MCP_SESSIONS,
    MCP_SESSIONS_ENDED,
    MCP_SESSIONS_LOST,
    MCP_SETUP_FAILURES,
    MCP_RESUMED,
    MCP_TOOLS_LISTED,
    MCP_PAGES,
    MCP_UNLISTED,
    MCP_NOISE,
    MCP_COUNTERS,
};

enum mcp_hist { MCP_SESSION_SETUP, MCP_REPLY };

enum mcp_dialect { MCP_HTTP, MCP_REST, MCP_STDIO };

/* What may be asked of a server. */
enum mcp_verb { MCP_CALL, MCP_LIST };

enum {
    MCP_SERVERS = 4,            /* that one plan may speak to, each with sessions of its own */
    MCP_SESSION_ID_BYTES = 512, /* longest session id that is taken */
    MCP_EVENT_ID_BYTES = 128,   /* longest id of an event that a stream can be resumed at */
    MCP_VERSION_BYTES = 16,
    MCP_SHOWN_BYTES = 160,  /* of a failure, for its example */
    MCP_CURSOR_BYTES = 512, /* longest cursor of a page */
    MCP_TOOLS = 64,         /* of the plan that are looked for in the server's list */
    MCP_MOST_PAGES = 64,    /* of one list */
    MCP_RESUMPTIONS = 3,    /* of one call, one after the other */
};

/* A request of the plan, ready to be sent. */
struct mcp_request {
    struct http_request *post; /* of the verb; a GET for the list of the rest dialect */
    struct http_request *get;  /* resumes a stream; http dialect */
    struct http_request *bye;  /* ends the session; http dialect */
    enum mcp_dialect dialect;
    enum mcp_verb verb;
    const struct template *tool, *arguments; /* written as JSON; arguments may be NULL */
    bool outside;                            /* the server's sandbox must refuse it */
    bool progress;                           /* asks for progress notifications */
    uint32_t server;                         /* which of the user's sessions */
    uint64_t calls_per_session;              /* 0: any number */
    struct span tools[MCP_TOOLS]; /* of a list: those that the plan calls on this server */
    uint32_t tool_count;
    uint64_t concurrency_limit;               /* declared for the server; 0: not */
    const char *protocol;                     /* version that is offered */
    const char *tool_field, *arguments_field; /* rest */
    struct piped_command command;             /* stdio */
    char **words;                             /* of the command: the array is owned */
    struct json_path error_path, success_path;
    bool has_success_path;
};

enum mcp_stage {
    MCP_CLOSED,      /* next: initialize */
    MCP_INITIALIZED, /* next: notifications/initialized */
    MCP_OPEN,
};

/* A user's session with one server. */
struct mcp_session {
    uint8_t stage; /* enum mcp_stage */
    uint8_t byes;  /* attempts to end it, because it has served its calls */
    uint8_t version_bytes;
    uint16_t id_bytes;   /* 0: the server gives none */
    uint8_t event_bytes; /* 0: no stream is to be resumed */
    uint8_t resumptions; /* of the present call */
    uint64_t calls;
    uint64_t last_id;  /* of a JSON-RPC request */
    nsec_t begun_ns;   /* initialize was sent */
    nsec_t resumed_ns; /* intended instant of the call whose stream is to be resumed */
    char version[MCP_VERSION_BYTES];
    char event_id[MCP_EVENT_ID_BYTES];
    char id[MCP_SESSION_ID_BYTES];
};

/* Over stdio the session lives with the child process, not here: only `stage` is used, MCP_OPEN for
 * the user who opened the session of the child that it knows. */
struct mcp_user {
    struct mcp_session sessions[MCP_SERVERS];
    nsec_t paged_ns;               /* intended instant of the request whose list goes on */
    uint16_t cursor_bytes;         /* 0: no list goes on */
    uint16_t pages;                /* of it so far */
    uint64_t seen;                 /* bit i: the list has named tools[i] */
    char cursor[MCP_CURSOR_BYTES]; /* of the next page, escaped as it came */
};

/* What the exchange under way is. */
enum mcp_sent { MCP_SENT_REQUEST, MCP_SENT_INITIALIZE, MCP_SENT_INITIALIZED, MCP_SENT_BYE };

enum mcp_form { MCP_FORM_UNKNOWN, MCP_FORM_EVENTS, MCP_FORM_WHOLE };

/* What the reply to our message says. */
enum mcp_answer { MCP_NO_ANSWER, MCP_RESULT, MCP_RPC_ERROR, MCP_TOOL_ERROR };

/* The state of an exchange; what is unfinished lies in call->kept. */
struct mcp_state {
    struct sse_reader events;
    uint64_t id; /* of our message */
    nsec_t reply_ns;
    uint8_t sent, form, answer; /* enums above */
    bool broken;                /* the reply is not of the protocol */
    uint8_t version_bytes, event_bytes, shown_bytes;
    int32_t code; /* of a JSON-RPC error */
    uint32_t tools;
    uint16_t cursor_bytes; /* of the next page, in call->kept's place: user->cursor */
    bool cursor_too_long;
    char version[MCP_VERSION_BYTES];
    char event_id[MCP_EVENT_ID_BYTES];
    char shown[MCP_SHOWN_BYTES];
};

/* The driver's methods of these names; see load/driver.h. */
void mcp_compose(struct driver_call *call, struct exchange_request *out);
/* Reads messages as they come. */
void mcp_data(struct driver_call *call, struct span bytes, nsec_t rx_ns);
/* Says what became of the exchange, and moves the session on. */
struct driver_outcome mcp_end(struct driver_call *call, int status, struct span body,
                              nsec_t end_ns);

/* The session that a call belongs to; never NULL in the http dialect, and over stdio only in a
 * farewell. */
static inline struct mcp_session *mcp_session_of(const struct driver_call *call)
{
    const struct mcp_request *request = call->compiled;
    if (request->dialect == MCP_STDIO)
        return call->connection;
    return &((struct mcp_user *)call->user)->sessions[request->server];
}

/* Adds to one of the counters. */
static inline void mcp_count(struct driver_call *call, enum mcp_counter counter, uint64_t more)
{
    tally_count(call->tally, call->first_counter + counter, more);
}

#endif
