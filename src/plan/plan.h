/* plan/plan.h - what the user asked for, read, checked and compiled: the contract between those who
 * write plans and those who run them.
 *
 * Everything here is plain data, made by plan_read (plan/read.h) or plan_quick and never changed
 * after, so that all threads may read it. Texts are owned by the plan. Index types name rows in its
 * arrays. */
#ifndef PLAN_PLAN_H
#define PLAN_PLAN_H

#include "base/clock.h"
#include "plan/check.h"
#include "plan/prompt.h"
#include "plan/setting.h"
#include "plan/template.h"
#include "stat/distribution.h"

#include <stdbool.h>
#include <stdint.h>

/* ---- requests ------------------------------------------------------------------------------- */

/* One request of a task: which driver makes it, from which settings. */
struct plan_request {
    char *name;       /* "chat", or "task/step" where a task has several; unique in the plan */
    uint32_t task;    /* index in plan.tasks */
    const char *verb; /* "get", "post", "openai.chat": a row of the driver's verbs */
    int driver;       /* index in the vocabulary's drivers */
    void *config;     /* the driver's own struct, filled by its table */
    const struct setting *settings; /* that table */
    char *target;                   /* base URL, when it differs from plan.target; or NULL */
    struct reply_check **checks;
    size_t check_count;
    struct reply_capture **captures;
    size_t capture_count;
    struct distribution think; /* after this request, before the next of the same task; seconds */
    unsigned line;             /* in the plan */
    /* Of the data that its templates name, each 0 or one more than the index: */
    uint32_t conversation; /* in plan.feeders: it is sent once a turn, until the turns are over */
    uint16_t asked_slot;   /* slot of the tokens that its prompt was made to have */
};

/* A weighted unit of work: one request, or several in order. */
struct plan_task {
    char *name;
    uint32_t weight;                       /* tickets in the scenario's deck, at least 1 */
    uint32_t first_request, request_count; /* in plan.requests */
    struct plan_texts tags;
};

/* ---- scenarios ------------------------------------------------------------------------------ */

enum executor {
    EXECUTOR_CONSTANT_VUS,
    EXECUTOR_RAMPING_VUS,
    EXECUTOR_SHARED_ITERATIONS,
    EXECUTOR_PER_VU_ITERATIONS,
    EXECUTOR_CONSTANT_ARRIVAL_RATE,
    EXECUTOR_RAMPING_ARRIVAL_RATE,
    EXECUTOR_REPLAY, /* arrivals at the timestamps of a file */
};

enum gaps { GAPS_CONSTANT, GAPS_POISSON, GAPS_GAMMA };

/* The target moves from that of the stage before to this one over the stage. Executors without
 * stages in the plan get theirs by expansion, so that the engine sees stages only (shared and
 * per-VU iterations: one stage of max_duration). */
struct plan_stage {
    nsec_t duration_ns;
    double target; /* users, or arrivals a second, at the end of the stage */
    bool jump;     /* be at the target from the stage's first instant (a step) */
    bool excluded; /* warm-up: measured, but kept out of the results */
    bool level;    /* a load level whose results are shown apart, `target` naming it */
    char *name;    /* "warm-up", "level 2 of 3: 50 users", "ramp to 50 users"; never NULL */
};

struct plan_threshold;

struct plan_scenario {
    char *name;
    enum executor executor;
    char *pattern; /* named pattern it was expanded from, or NULL */
    struct plan_stage *stages;
    size_t stage_count;
    double start_target;  /* before the first stage */
    uint64_t iterations;  /* shared and arrival rates: in all; per-VU: each; 0: no limit */
    uint64_t vus;         /* closed executors without stages; else the most over the stages */
    uint64_t max_vus;     /* open: most virtual users at once (0: as many as arrivals need, up to
                             plan.limits.vus) */
    uint64_t max_backlog; /* open: arrivals that may wait; more are dropped; 0: no limit */
    enum gaps gaps;
    double burstiness; /* shape of gamma gaps; 1: Poisson */
    char *trace;       /* replay: file of timestamps */
    nsec_t *instants;  /* replay: of each arrival after the scenario's start, in order */
    size_t instant_count;
    nsec_t start_time_ns;         /* after the run's start */
    nsec_t graceful_stop_ns;      /* how long running iterations may finish at the end */
    nsec_t graceful_ramp_down_ns; /* how long a user that is ramped away may finish its iteration */
    double spawn_rate;            /* users a second when the target jumps; 0: at once */
    struct distribution think;    /* after each task, seconds */
    nsec_t pacing_ns; /* an iteration starts this long after the one before did; 0: none */
    uint32_t first_task, task_count; /* in plan.tasks */
    struct symbols symbols;          /* slots of its templates */
    char **until; /* stress: "METRIC EXPRESSION" texts; the scenario ends when one comes true */
    size_t until_count;
    struct plan_threshold *limits; /* the same compiled; until_count of them */
    double rate;                   /* as written, a second; read before a pattern expands; else 0 */
    nsec_t duration_ns;            /* as written; 0: not given */
    double share;                  /* of its peak in those of all scenarios: for plan_hold */
};

/* ---- data ------------------------------------------------------------------------------------ */

enum feed { FEED_SEQUENTIAL, FEED_RANDOM, FEED_SHUFFLE, FEED_UNIQUE, FEED_CIRCULAR };

struct plan_feeder {
    char *name;
    char *file;      /* CSV with a head line, or JSONL of objects or texts */
    enum feed order; /* sequential and unique end the scenario when the rows run out */
    char **columns;
    size_t column_count;
    struct span *cells; /* row-major, row_count * column_count; point into `bytes` */
    size_t row_count;
    char *bytes;
    struct plan_prompts *prompts; /* in place of rows; NULL: rows */
};

/* ---- what counts as what ----------------------------------------------------------------------
 */

/* Classifies a reply into a named service; the first rule that fits wins. */
struct plan_rule {
    char *service;             /* "qdrant", "database" */
    char *name;                /* of the outcome: "timeout", "pool" */
    struct reply_check **when; /* all must pass */
    size_t when_count;
    bool failure; /* the outcome counts against the service */
};

struct plan_objective {
    char *metric;  /* "response_time", "error_rate", "throughput", or a declared metric */
    char *stat;    /* "p95", "avg", "rate"; NULL: the metric's own */
    char *task;    /* or NULL: all */
    char *service; /* of the reply rules, for shares of what they count; or NULL */
    double at;     /* the level's target that it is judged at; 0: the whole run */
    bool least;    /* the value must be at least the target (throughput), else at most */
    double target; /* in base units: seconds, share, per second */
    double accept; /* what is still accepted; equal to target when not given */
    char *words;   /* as written */
};

/* A threshold in k6's words. */
struct plan_threshold {
    char *metric;     /* "http_req_failed", "response", "checks", ... */
    char *filter_key; /* "task", "tag", "error", "level", "service"; NULL: everything */
    char *filter_value;
    char *aggregate;   /* "p", "rate", "count", "avg", "med", "min", "max", "rps", "value" */
    double percentile; /* for "p": 0 .. 100 */
    enum {
        COMPARE_LESS,
        COMPARE_AT_MOST,
        COMPARE_MORE,
        COMPARE_AT_LEAST,
        COMPARE_EQUAL,
        COMPARE_NOT
    } compare;
    double limit;     /* milliseconds for times, as k6 has it; shares and counts plain */
    double baseline;  /* the limit is so many times the baseline's own value; 0: it is `limit` */
    nsec_t window_ns; /* sliding window; 0: from the start of the measured part */
    uint64_t min_samples;
    nsec_t after_ns; /* not judged before (k6: delayAbortEval) */
    bool abort;      /* end the run when it fails */
    char *words;     /* "p(95)<200" */
};

/* ---- the target -------------------------------------------------------------------------------
 */

enum pool_mode { POOL_PER_USER, POOL_SHARED, POOL_NEW };

struct plan_connections {
    int mode;                 /* enum pool_mode */
    uint64_t most;            /* shared: open connections in all, over all threads; 0: no limit */
    nsec_t max_age_ns;        /* reopened after; 0: never */
    uint64_t max_requests;    /* reopened after; 0: never */
    struct plan_texts source; /* source addresses, used in turn */
    double handshake_rate;    /* new connections a second over all threads; 0: no limit */
    uint64_t max_handshakes;  /* pending at once over all threads */
    bool tls_resume;
};

struct plan_http {
    bool follow_redirects;
    uint64_t max_redirects;
    bool cookies;  /* kept per user */
    bool compress; /* ask for gzip and decode it */
    nsec_t connect_timeout_ns;
    nsec_t first_byte_timeout_ns; /* 0: only the total */
    nsec_t timeout_ns;            /* from the intended start of sending to the last byte */
    uint64_t max_response_bytes;
    uint64_t max_kept_body_bytes; /* how much of a body checks and captures see */
    uint64_t retries;             /* 0: off */
    nsec_t retry_base_ns;         /* first back-off; doubles, with full jitter */
    struct plan_texts retry_on;   /* "connect", "reset", "timeout", "503", "5xx" */
    struct plan_headers headers;  /* for every request */
    char *basic;                  /* "user:password", read from env or file; secret */
    char *bearer;                 /* secret */
};

struct plan_tls {
    bool insecure; /* do not verify; said loudly */
    char *ca_file, *cert_file, *key_file, *server_name;
};

/* Must be healthy before anything is sent. */
struct plan_service {
    char *name;
    char *health; /* URL, absolute or a path on the target; NULL: not checked */
    nsec_t wait_ns;
    char *role;
};

struct plan_label {
    char *name, *value;
};

/* What is recorded of single requests, beside the counts and histograms. */
enum plan_trace { PLAN_TRACE_NONE, PLAN_TRACE_REQUESTS };

/* ---- plug-ins that a section names ----------------------------------------------------------- */

/* One plug-in with its settings. */
struct plan_plugged {
    const char *word;               /* of the vocabulary */
    int number;                     /* its plug_word.number */
    void *config;                   /* the plug-in's own struct, filled by its table */
    const struct setting *settings; /* that table */
    char *bare;                     /* the text that stood for its settings; or NULL */
    unsigned line;                  /* in the plan; 0: it is not written there */
};

/* ---- what is watched beside the load --------------------------------------------------------- */

struct plan_watched {
    char *name, *role; /* several probes of one thing share them */
    struct plan_plugged probe;
    nsec_t interval_ns; /* 0: the watch's */
};

/* Ends the run when a figure stays beyond a limit. */
struct plan_watch_stop {
    char *metric;        /* "cpu.busy" */
    char *thing, *part;  /* name or role of what is watched, and which part; NULL: any */
    double above, below; /* NAN: not given */
    nsec_t hold_ns;      /* how long */
    int action;          /* enum safety_action */
    double to;           /* see struct plan_trigger */
};

enum safety_metric { SAFETY_ERRORS, SAFETY_RESPONSE, SAFETY_UNHEALTHY, SAFETY_WATCHED };
enum safety_statistic { SAFETY_MEAN, SAFETY_P50, SAFETY_P95, SAFETY_P99 };

/* An emergency by what requests do; those by what is watched are in plan_watch.stops. */
struct plan_trigger {
    enum safety_metric metric;
    int statistic; /* enum safety_statistic; of response times */
    double limit;  /* share, or seconds; exceeded above it */
    nsec_t hold_ns;
    int action;              /* enum safety_action */
    double to;               /* users or rate to reduce to; 0: the last good level, or half */
    uint64_t least_requests; /* of the last second, for an error share */
};

/* What a trigger does when it is held. Those of watch.stop end the load gracefully; those of safety
 * do what they say, at once. */
enum safety_action { SAFETY_STOP_GRACEFULLY, SAFETY_WARN, SAFETY_REDUCE, SAFETY_STOP };

struct plan_watch {
    nsec_t interval_ns;
    bool local;              /* watch this machine and the generator in any case */
    double cpu, memory, gpu; /* shares that are worth a warning when exceeded */
    struct plan_watched *things;
    size_t thing_count;
    struct plan_watch_stop *stops;
    size_t stop_count;
};

/* ---- scale tests ------------------------------------------------------------------------------
 */

enum scale_hold { SCALE_HOLD_EACH, SCALE_HOLD_TOTAL };
enum scale_axes { SCALE_AXES_OWN, SCALE_AXES_INSTANCES, SCALE_AXES_SIZE };
enum scale_statistic { SCALE_MEAN, SCALE_P50, SCALE_P95, SCALE_P99 };

/* How `plimsoll scale` raises load, size and instances. Times are as measured, scaled by
 * plan.time_scale already. */
struct plan_scale {
    /* the load axis */
    struct plan_numbers levels; /* users (or rates) in order; else made of what follows */
    uint64_t start_users, max_users, step_size;
    double geometric; /* each level so many times the one before; 0: by steps */
    double rate;      /* the most arrivals a second: open levels in place of users; 0: closed */
    nsec_t step_duration_ns; /* measured time of a level; 0: an equal part of the duration */
    nsec_t duration_ns;      /* measured time of a scenario; 0: not given */
    nsec_t cool_down_ns;     /* between levels */
    double prolong;          /* a level that is not steady lasts at most so many times its time */
    uint64_t repeat;         /* replicates, in random order when more than one */
    uint64_t min_samples;    /* requests of a level; 0: what a 95th percentile needs */

    /* the other axes */
    uint64_t instances;        /* the most of them */
    struct plan_texts targets; /* base URLs of the instances, where no scaler makes them */
    struct plan_numbers sizes; /* of the size axis, in order */
    char *size_unit;           /* what they are called; NULL: as the scaler has it */
    int hold;                  /* enum scale_hold: users of a horizontal test */
    struct plan_scaler {
        struct plan_plugged plugged;
        int axes; /* enum scale_axes */
    } * scalers;  /* what makes the target larger or many, in the order of growing */
    size_t scaler_count;

    /* what counts as too much */
    nsec_t critical_response_ns; /* response time; its statistic is the next */
    int critical_statistic;      /* enum scale_statistic */
    double critical_error_share;
    bool find_capacity;
    double resolution; /* of the capacity, as a share of it */
};

/* ---- the whole --------------------------------------------------------------------------------
 */

struct plan {
    char *name;
    char *description;         /* or NULL */
    char *file;                /* as given; NULL: from the command line */
    char *source;              /* its text, secrets masked, for the run file */
    char *target;              /* base URL: http://, https://, or http+unix:///path/to.sock */
    struct plan_texts targets; /* several base URLs, used in turn by users; or none */
    struct plan_texts resolve; /* "host:port:address" */
    struct plan_scenario *scenarios;
    size_t scenario_count;
    struct plan_task *tasks;
    size_t task_count;
    struct plan_request *requests;
    size_t request_count;
    struct plan_feeder *feeders;
    size_t feeder_count;
    struct plan_rule *rules;
    size_t rule_count;
    struct plan_objective *objectives;
    size_t objective_count;
    double objectives_needed; /* share that must be met, e.g. 0.8 */
    struct plan_threshold *thresholds;
    size_t threshold_count;
    struct plan_service *services;
    size_t service_count;
    struct plan_label *labels;
    size_t label_count;
    uint32_t setup_task, setup_count;       /* tasks run once, in order, before the load ... */
    uint32_t teardown_task, teardown_count; /* ... and after it */
    struct plan_connections connections;
    struct plan_http http;
    struct plan_tls tls;
    struct plan_watch watch;
    struct plan_scale scale;
    struct plan_trigger *triggers;
    size_t trigger_count;
    struct symbols symbols; /* known to all scenarios: what global headers and set-up use; those of
                               a scenario begin with the same ones under the same slots */
    uint64_t seed;
    uint64_t threads;      /* 0: one a core */
    nsec_t interval_ns;    /* of the record; 1 s */
    int trace;             /* enum plan_trace */
    uint64_t trace_most;   /* requests in it */
    nsec_t hard_limit_ns;  /* the run is ended after this, whatever happens; 0: plan + grace */
    double time_scale;     /* durations were multiplied by this; 1: not */
    bool time_scale_think; /* think times and pacing too */
    char *output_dir;
    char *baseline;  /* the name of what the run is compared with; or NULL */
    char *baselines; /* the directory in which it is */
    bool quiet;
};

/* Frees everything in it and the plan; NULL is fine. Returns NULL. */
struct plan *plan_free(struct plan *plan);

/* One load held by the whole plan, in place of what its scenarios say. */
struct plan_load {
    double users;       /* NAN: open */
    double rate;        /* arrivals a second; NAN: closed */
    nsec_t duration_ns; /* of the only stage, which is a level */
    nsec_t interval_ns; /* of the record; 0: as the plan has it */
    const char *name;   /* of the level: "level 2 of 5: 60 users" */
};

/* Makes every scenario hold its part of the load from the first instant: parts are as the peaks of
 * the scenarios, users whole and at least one where there are enough. Called between runs only; may
 * be called again and again. */
void plan_hold(struct plan *plan, const struct plan_load *load);

/* When the last stage of the last scenario ends, after the run's start. */
nsec_t plan_duration(const struct plan *plan);

/* The users (closed) or arrivals a second (open) that a scenario asks for at an instant after the
 * run's start; 0 before its start and after its end. */
double scenario_target_at(const struct plan_scenario *scenario, nsec_t at_ns);

/* Whether the scenario's arrivals come whatever the target does. */
bool scenario_is_open(const struct plan_scenario *scenario);
/* The executor's word in a plan, such as "constant-vus". */
const char *executor_name(enum executor executor);

#endif
