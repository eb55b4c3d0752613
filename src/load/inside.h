/* load/inside.h - the engine's own structures; nobody outside this room includes it.
 *
 *   engine   one thread: its loop, its pools, its tallies
 *   crew     one scenario on this thread: its users, its arrivals, its decks
 *   user     one virtual user: a timer and a place; no thread, no stack (about 150 bytes)
 *   job      one iteration under way: an exchange and the values it works with; from the crew's
 *            stock, so that only as many exist as iterations were ever under way at once
 *   work     one request of the plan, made ready
 *
 * Who calls whom: the loop wakes crews (arrivals, course) and users (think times); they begin jobs;
 * jobs start exchanges; exchanges end in jobs; jobs end in users; everything counts in the
 * ledger. */
#ifndef LOAD_INSIDE_H
#define LOAD_INSIDE_H

#include "base/list.h"
#include "base/random.h"
#include "link/connection.h"
#include "load/arrival.h"
#include "load/course.h"
#include "load/deck.h"
#include "load/engine.h"
#include "wire/inflate.h"

/* A target: scheme, host and port, and the pool of connections to it. */
struct origin {
    char *base; /* "http://127.0.0.1:8000" */
    char *host, *host_line;
    struct span prefix; /* path before all paths, from the base URL; often empty */
    struct pool *pool;
    uint32_t number; /* index in engine.origins, and of a user's own connection */
};

struct work {
    const struct plan_request *request;
    const struct driver *driver;
    void *compiled;
    struct origin *origin; /* NULL: the user's (plan.targets in turn) */
    uint32_t number;       /* index in plan.requests */
    uint32_t first_counter, first_hist;
    bool keeps_head, keeps_body; /* something looks at them */
};

struct user {
    struct timer timer; /* think time, pacing, back-off, pause between steps */
    struct list node;   /* open model: in crew.idle; closed: in crew.leaving */
    nsec_t leave_by_ns; /* while leaving: its iteration is cut off then */
    struct crew *crew;
    struct job *job;           /* while an iteration is under way */
    struct connection *home;   /* own connection to the first origin it uses */
    struct connection **homes; /* to all of them, when there are several origins */
    char *states;    /* user_bytes of every driver, at engine.user_offsets; NULL: none yet */
    char *cookies;   /* "a=1; b=2"; NULL: none */
    uint64_t number; /* over all threads */
    uint64_t iterations;
    nsec_t next_ns;  /* intended instant of what the timer waits for */
    nsec_t begun_ns; /* intended instant of the present iteration */
    bool refused;    /* its last request found no connection */
    bool alive;      /* takes part; else it leaves when its iteration is over */
};

/* A conversation under way. */
struct talk {
    uint32_t feeder; /* its prompts: index in plan.feeders, and one more; 0: none */
    uint32_t turns;  /* in all */
    struct prompt_place place;
    bool forgot; /* its oldest turns were left out */
};

struct job {
    struct exchange exchange;
    struct job *below; /* in the crew's stock */
    struct user *user;
    struct crew *crew; /* of the stock it belongs to */
    struct work *work;
    uint32_t task, step;
    nsec_t intended_ns;
    bool started; /* counted as started */
    bool resting; /* waits for its back-off to be over */
    uint8_t attempt, redirects;
    int status;
    struct text head, body;    /* kept for checks, captures and rules */
    struct inflater *inflater; /* for encoded replies; NULL: none came yet */
    bool encoded, spoiled;     /* the reply's body is compressed; and damaged */
    bool body_cut;
    struct origin *redirect; /* where a followed redirect leads, or NULL */
    struct text redirect_path;
    bool redirect_get;
    bool farewell;       /* ends a session: counted nowhere */
    uint32_t number;     /* among all jobs of the engine: its slot in the trace */
    struct text *values; /* by slot */
    struct span *slots;  /* views of the values */
    struct talk talk;
    struct text answer; /* what the server said, where a later turn repeats it */
    void *driver_state;
    struct text driver_kept;
};

/* One symbol to be filled when an iteration begins. */
struct filler {
    const struct symbol *symbol;
    uint16_t slot;
};

/* An iteration that is due. */
struct start {
    nsec_t intended_ns;
    uint32_t task;
    uint64_t arrival; /* its number among the arrivals, from 1; 0: a user began it */
    bool waited;      /* it was counted as offered and waiting, in the backlog */
    bool timed; /* a clock made it due (arrival, think time), so that lateness is the generator's */
};

struct crew {
    struct engine *engine;
    const struct plan_scenario *plan;
    uint32_t index;
    struct course course;
    struct deck deck;
    struct timer timer;     /* closed: next change of the course */
    struct timer end_timer; /* end of the course, then of the graceful stop */
    struct user **users;    /* closed: by local number; open: all that were made */
    size_t user_count, user_room;
    nsec_t changed_ns;   /* closed: when the course was last followed */
    size_t active;       /* closed: users 0 .. active - 1 take part */
    struct list idle;    /* open: users without an iteration */
    struct list leaving; /* closed: users ramped away that finish an iteration, in order of time */
    struct timer leave_timer;
    uint64_t running;  /* jobs under way */
    struct job *stock; /* jobs for use again */
    struct arrivals *arrivals;
    uint64_t next_arrival;  /* its number */
    nsec_t next_arrival_ns; /* its instant on the loop's clock; NSEC_NEVER */
    struct start *backlog;  /* a ring of backlog_room */
    size_t backlog_first, backlog_count, backlog_room;
    struct filler *fillers;
    size_t filler_count;
    uint64_t *row_next;                /* by feeder: rows this thread has taken */
    uint64_t iterations;               /* begun on this thread */
    uint64_t alive;                    /* users alive */
    uint64_t waiting;                  /* requests and arrivals due but not started */
    uint64_t in_flight;                /* requests started but not finished */
    uint64_t most_users, most_backlog; /* this thread's shares; 0: no limit */
    struct random think;
    uint64_t value_key;
    uint64_t *prompt_keys;           /* by feeder: of this scenario's prompts */
    uint64_t *shared_keys;           /* by feeder: of what prompts of all scenarios share */
    bool parting;                    /* its users are just being sent away */
    bool silent;                     /* its users leave without a farewell */
    bool begun, ended, over;         /* ended: no new iterations; over: nothing left to do */
    uint32_t once_first, once_count; /* engine_run_once: tasks in order instead of the deck */
};

/* Where and how things are counted. */
struct ledger {
    struct tally_block *block;
    struct timer timer; /* end of the interval or phase */
    uint32_t interval, phase;
    nsec_t begun_ns;
    nsec_t cpu_ns, run_delay_ns; /* at the beginning of the interval */
};

struct engine {
    struct engine_options options;
    const struct plan *plan;
    struct loop *loop;
    struct resolver *resolver;
    struct tls_context *tls;
    struct link *link;
    struct origin **origins;
    size_t origin_count, origin_most; /* followed redirects may add some */
    struct origin **targets;          /* plan.targets, or the one plan.target */
    size_t target_count;
    struct net_address *sources;
    size_t source_count;
    struct work *works;
    size_t *user_offsets; /* by driver */
    size_t user_bytes;    /* of all drivers that the plan uses */
    uint32_t job_count;   /* made so far, of all crews */
    size_t state_bytes;   /* the most that one of them wants for a request */
    struct crew **crews;
    size_t crew_count;
    struct ledger ledger;
    struct text scratch; /* composed bytes */
    struct text lines;   /* composed header lines with the user's cookies */
    nsec_t start_ns;     /* the run's start on the loop's clock */
    nsec_t drained_ns;
    int stop;                /* what was acted on of control.stop */
    uint32_t cut_millionths; /* and of control.cut_millionths */
    bool recording;          /* between start and end: tallies count */
    bool once_failed;
    char once_words[256];
    struct engine_live live;
};

/* ---- ledger.c: accounts -----------------------------------------------------------------------
 */

/* Takes the first block, into which the requests of set-up are counted. Returns 0. */
int ledger_init(struct engine *engine);
/* The load begins: what was counted before is forgotten, and blocks are handed over from now on. */
void ledger_begin(struct engine *engine);
/* Hands over the last block. */
void ledger_end(struct engine *engine);
/* After ledger_end, or after ledger_init alone. */
void ledger_fini(struct engine *engine);

/* The tally of a request. */
static inline struct tally *ledger_tally(struct engine *engine, uint32_t request)
{
    return &engine->ledger.block->requests[request];
}

/* Since the run's start. */
static inline nsec_t engine_since(const struct engine *engine, nsec_t at_ns)
{
    return at_ns - engine->start_ns;
}

/* Where the trace of single requests goes; NULL: there is none, or nothing is being recorded. */
static inline struct trace_ring *ledger_trace(const struct engine *engine)
{
    return engine->recording ? engine->options.tallies->trace : NULL;
}

/* A request is over: its line of the trace. outcome: the counter that counted it; error: 0 or a
 * COUNT_ERROR_*. */
void ledger_trace_over(struct engine *engine, const struct job *job, uint32_t outcome,
                       uint32_t error, nsec_t end_ns);

/* Records how late the generator itself began something that was due. */
void ledger_late(struct engine *engine, struct tally *tally, nsec_t late_ns);
/* Keeps an example of a failure, while the block has room for one: error is a COUNT_ERROR_*, status
 * that of the reply (0: none), words what was said. */
void ledger_example(struct engine *engine, const struct work *work, uint32_t error, int status,
                    struct span words, nsec_t at_ns);

/* ---- origin.c: targets ------------------------------------------------------------------------
 */

/* The origin of a base URL, made when it is new. Returns 0 or -EINVAL with words. */
int origin_find(struct engine *engine, const char *url, struct origin **out, char *words,
                size_t room);
/* Makes the origins of the plan's targets and of every request. Returns 0, or -errno with words. */
int origins_init(struct engine *engine, char *words, size_t room);
/* Closes their connections; no exchange may be under way. */
void origins_fini(struct engine *engine);

/* ---- crew.c: scenarios ------------------------------------------------------------------------
 */

/* The scenario's part on this thread. Owner: engine. */
struct crew *crew_new(struct engine *engine, const struct plan_scenario *plan, uint32_t index);
/* Frees it with its users and jobs, none of which may be under way; NULL is fine; returns NULL. */
struct crew *crew_free(struct crew *crew);
/* Begins at the run's start. */
void crew_begin(struct crew *crew);
/* Brings users to what is left of a load that was reduced just now. */
void crew_follow(struct crew *crew, nsec_t now_ns);
/* Starts what is due of an open scenario. Returns the instant of the next arrival. */
nsec_t crew_arrive(struct crew *crew, nsec_t now_ns);
/* Lets one user take these tasks in order, and begins at once. */
void crew_begin_once(struct crew *crew, uint32_t first, uint32_t count);
/* No new iterations from now on; what runs may finish for grace_ns. */
void crew_wind_up(struct crew *crew, nsec_t grace_ns);
/* Cancels what runs and lets all users go; the ends of their sessions still go out. */
void crew_cut_off(struct crew *crew);
/* The same without farewells: nothing runs any more when it returns. */
void crew_silence(struct crew *crew);
/* A user of an open scenario has no iteration any more: it takes the next waiting arrival or rests.
 */
void crew_user_free(struct crew *crew, struct user *user, nsec_t now_ns);
/* Cuts off a leaving user's iteration at an instant, unless it is over by then. */
void crew_let_finish(struct crew *crew, struct user *user, nsec_t by_ns);
/* The task that is next. */
uint32_t crew_next_task(struct crew *crew);
/* A waiting start is given up: counted as dropped. */
void crew_drop(struct crew *crew, struct start start, nsec_t now_ns);
/* Notices when nothing is left. */
void crew_check_over(struct crew *crew);

/* ---- user.c: virtual users --------------------------------------------------------------------
 */

/* A user that does nothing yet; number is its own in the whole run. Owner: crew. */
struct user *user_new(struct crew *crew, uint64_t number);
/* Closes its own connections; it has no iteration. NULL is fine; returns NULL. */
struct user *user_free(struct user *user);
/* A closed user begins to take part, with its first iteration due at intended_ns. */
void user_join(struct user *user, nsec_t intended_ns);
/* It takes part no longer; its iteration may finish for grace_ns. */
void user_leave(struct user *user, nsec_t grace_ns);
/* It has left, with nothing under way: it ends its sessions and lets its connections go. */
void user_part(struct user *user);
/* Begins an iteration. */
void user_begin(struct user *user, struct start start, nsec_t now_ns);
/* Its farewell to one driver's server is over. */
void user_farewell_over(struct user *user);
/* Its iteration is over. */
void user_done(struct user *user, nsec_t end_ns);
/* The place of its own connection to an origin. */
struct connection **user_home(struct user *user, const struct origin *origin);

/* ---- job.c: iterations ------------------------------------------------------------------------
 */

/* A job out of the crew's stock, or a new one where that is empty. */
struct job *job_take(struct crew *crew);
/* Puts a job that was taken back into the stock. */
void job_return(struct job *job);
/* Begins an iteration of a user with its first step. */
void job_begin(struct job *job, struct user *user, struct start start, nsec_t now_ns);
/* Goes on after a pause or a back-off. */
void job_go_on(struct job *job, nsec_t now_ns);
/* Ends it without an answer: what was started is abandoned, what was not is dropped. */
void job_abandon(struct job *job, nsec_t now_ns);
/* Frees one of the stock, whose exchange is over. */
void job_free(struct job *job);
/* Ends the iteration. */
void job_over(struct job *job, nsec_t end_ns);
/* Sends what ends the session of a work's driver; false when there is nothing to send. */
bool job_say_farewell(struct job *job, struct user *user, struct work *work, nsec_t now_ns);
/* Starts (or starts again) the exchange of the present step. */
void job_send(struct job *job, nsec_t now_ns);

/* ---- reply.c: what a reply means --------------------------------------------------------------
 */

extern const struct exchange_handler job_handler;
/* What a driver is handed about a job. */
struct driver_call job_call(struct job *job);

/* ---- value.c: slots and cookies ---------------------------------------------------------------
 */

/* Lists the slots that each iteration fills; the crew frees them. */
void values_init(struct crew *crew);
/* Fills the slots of an iteration; false when a feeder has run out of rows. */
bool values_draw(struct crew *crew, struct job *job, const struct user *user,
                 const struct start *start);
/* Makes room for what is usual, so that a job seldom grows in the middle of the load. */
void values_reserve(const struct crew *crew, struct job *job);

/* ---- talk.c: prompts and conversations --------------------------------------------------------
 */

/* Makes the keys from which the scenario's prompts are drawn; the crew frees them. */
void prompts_init(struct crew *crew);
/* Fills one slot from a prompt. */
void prompts_fill(const struct plan_feeder *feeder, const struct symbol *symbol,
                  const struct prompt_place *place, struct text *out);
/* A conversation that this job may go through begins at a prompt. */
void talk_begin(struct job *job, const struct symbol *symbol, const struct prompt_place *place);
/* Goes on to the next turn of the present request's conversation: the answer and what the user says
 * then are in the slots. False when it has none, or it is over. */
bool talk_go_on(struct job *job);
/* Puts the cookies that a reply sets into the user's jar. */
void cookies_take(struct user *user, struct span head);

#endif
