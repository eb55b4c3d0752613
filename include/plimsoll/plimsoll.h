/* plimsoll/plimsoll.h - load tests from a C program: what is to be sent, the run, what came of it.
 *
 *   struct plimsoll_config config = PLIMSOLL_CONFIG_INIT;
 *   config.target_url = "http://127.0.0.1:8000/api/v1/agents/research/execute";
 *   config.payload = "{\"query\": \"Research latest AI developments\"}";
 *   config.concurrent_users = 10;
 *   config.duration_seconds = 120;
 *   struct plimsoll_plan *plan = plimsoll_plan_of_config(&config);
 *   struct plimsoll_report *report = NULL;
 *   if (plimsoll_run(plan, NULL, &report) == 0) {
 *       struct plimsoll_values values = PLIMSOLL_VALUES_INIT;
 *       plimsoll_report_values(report, NULL, 0, &values);
 *       printf("p95 %.1f ms\n", values.response.p95_ms);
 *       plimsoll_report_save(report, "reports");
 *   }
 *   plimsoll_report_free(report);
 *   plimsoll_plan_free(plan);
 *
 * Build     cc program.c $(pkg-config --cflags --libs plimsoll)
 * Process   The library sets no signal handler, changes no limit, reads no environment variable
 *           and writes to no standard stream. A program that opens many connections raises
 *           RLIMIT_NOFILE by itself. Two ends of the world are exceptions: without memory, or at
 *           an error in the library itself, it says one line on the error stream and ends the
 *           process. While services are waited for, libcurl may ignore SIGPIPE for moments.
 * Threads   Several runs may go on at once in one process, each called from a thread of its own.
 *           One plan may be run by several threads at once as long as none changes it. A report
 *           belongs to one thread at a time. A run makes loop threads of its own (setting
 *           "threads"; one a processor by itself).
 * Texts     are UTF-8 ended by a zero. Those handed in are copied, unless said otherwise. Those
 *           handed out belong to the object that they came from and live as long as it does.
 * Errors    0 is fine, a negative number is -errno, a positive one is an enum plimsoll_outcome.
 * Versions  Structs that may grow begin with their own size, set by their _INIT macro; a program
 *           built with an older header runs with a newer library of the same major version. Before
 *           1.0 a minor version may break this; the shared library's name then changes too. */
#ifndef PLIMSOLL_PLIMSOLL_H
#define PLIMSOLL_PLIMSOLL_H

#include <signal.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PLIMSOLL_API __attribute__((visibility("default")))

/* Of this header; plimsoll_version() tells that of the library. */
#define PLIMSOLL_VERSION_MAJOR 0
#define PLIMSOLL_VERSION_MINOR 1
#define PLIMSOLL_VERSION_PATCH 0

/* The version of the library that the program runs with, "0.1.0". */
PLIMSOLL_API const char *plimsoll_version(void);

/* ---- outcomes --------------------------------------------------------------------------------
 */

/* How a run ended; the same numbers as the exit codes of the program `plimsoll`. */
enum plimsoll_outcome {
    PLIMSOLL_PASSED = 0,
    PLIMSOLL_FAILED = 1,      /* could not run: a service not healthy, set-up failed */
    PLIMSOLL_THRESHOLDS = 99, /* a threshold, or too many of the objectives, failed */
    PLIMSOLL_BAD_PLAN = 104,  /* the plan has errors; nothing was sent */
    PLIMSOLL_INTERRUPTED = 105,
    PLIMSOLL_GENERATOR_SATURATED =
        120,                 /* this machine was the bottleneck: no figures of the target */
    PLIMSOLL_DISK_FULL = 121 /* the run file could not be written to its end */
};

/* ---- what is to be sent: a few fields --------------------------------------------------------
 */

enum plimsoll_pattern {
    PLIMSOLL_CONSTANT,      /* steady load throughout */
    PLIMSOLL_LINEAR_RAMP,   /* users rise evenly over ramp_up_seconds (0: over the duration) */
    PLIMSOLL_STEP_FUNCTION, /* five equal steps up to concurrent_users */
    PLIMSOLL_SPIKE_TEST,    /* bursts of spike_multiplier times concurrent_users */
    PLIMSOLL_STRESS_TEST /* ten steps up to concurrent_users; ends early when the target breaks */
};

/* One header line of a request. */
struct plimsoll_header {
    const char *name;
    const char *value;
};

/* One request, one pattern, and what is expected of it. All pointers are borrowed until
 * plimsoll_plan_of_config returns. Texts may hold holes such as {{ uuid }} or {{ random.hex(8) }},
 * filled anew for each request; doc of plans has them all. */
struct plimsoll_config {
    size_t bytes;            /* sizeof this struct; set by PLIMSOLL_CONFIG_INIT */
    const char *name;        /* of the test, in reports and file names; NULL: "load-test" */
    const char *description; /* or NULL */
    const char *target_url;  /* http:// or https://, with its path; required */
    const char *method;      /* "GET", "POST", ...; NULL: POST with a payload, else GET */
    const struct plimsoll_header *headers;
    size_t header_count;
    const char *payload;       /* a JSON text, sent as the body; NULL: none */
    uint64_t concurrent_users; /* 1 .. 10,000,000; the most of them where the pattern moves */
    double duration_seconds;   /* above 0; of the load, without the wait for last replies */
    double ramp_up_seconds;    /* 0 .. duration_seconds, a part of it; not for all patterns */
    double think_time_seconds; /* pause of a user after each reply; 0: none */
    enum plimsoll_pattern load_pattern;
    double spike_multiplier;         /* 1 .. 1000; SPIKE_TEST only */
    double spike_duration_seconds;   /* 0.1 or more; SPIKE_TEST only */
    double success_rate_threshold;   /* percent, 0 .. 100: an objective; below 0: none */
    double latency_p95_threshold_ms; /* an objective; 0 or below: none */
};

/* Ten users for a minute, no expectations. */
#define PLIMSOLL_CONFIG_INIT                                                                       \
    {                                                                                              \
        sizeof(struct plimsoll_config), NULL, NULL, NULL, NULL, NULL, 0, NULL, 10, 60, 0, 0,       \
            PLIMSOLL_CONSTANT, 3, 30, -1, 0                                                        \
    }

/* ---- what is to be sent: plans ---------------------------------------------------------------
 */

/* What to send, as data: from a config, from the words of a plan, or from a file. Mistakes in it
 * are told by plimsoll_plan_check and plimsoll_run, all at once, with line and column. */
struct plimsoll_plan;

/* A plan of a config. Never NULL. Owner: caller, plimsoll_plan_free. */
PLIMSOLL_API struct plimsoll_plan *plimsoll_plan_of_config(const struct plimsoll_config *config);

/* A plan of words in YAML or JSON, as `plimsoll run` reads them from a file. Never NULL. Owner:
 * caller, plimsoll_plan_free. */
PLIMSOLL_API struct plimsoll_plan *plimsoll_plan_of_text(const char *words);

/* A plan of a file, which is read when the plan is checked or run; paths in it are beside it. Never
 * NULL. Owner: caller, plimsoll_plan_free. */
PLIMSOLL_API struct plimsoll_plan *plimsoll_plan_of_file(const char *path);

/* A plan that comes with the library. name: as plimsoll_scenario_name gives it. Returns NULL when
 * there is no such scenario. Owner: caller, plimsoll_plan_free. */
PLIMSOLL_API struct plimsoll_plan *plimsoll_plan_of_scenario(const char *name);

/* The names of all scenarios that come with the library, one by one; NULL behind the last. */
PLIMSOLL_API const char *plimsoll_scenario_name(size_t index);

/* The names of the standard test set (agents under each load pattern), one by one; NULL behind the
 * last. Each is one of plimsoll_scenario_name. */
PLIMSOLL_API const char *plimsoll_standard_scenario(size_t index);

/* The plan's own words in YAML; NULL for a plan of a file. Live as long as the plan. */
PLIMSOLL_API const char *plimsoll_plan_words(const struct plimsoll_plan *plan);

/* Changes a setting, before what the plan says: path "target", "threads", "seed", "time_scale",
 * "scenarios.*.vus", ...; words as a plan would write them. A later change of the same path wins.
 * An unknown path, or words that it does not take, is told by the check. */
PLIMSOLL_API void plimsoll_plan_set(struct plimsoll_plan *plan, const char *path,
                                    const char *words);

/* Gives a value to ${NAME} in the plan, in place of an environment variable (none is read). A later
 * value of the same name wins. name: without '='. */
PLIMSOLL_API void plimsoll_plan_variable(struct plimsoll_plan *plan, const char *name,
                                         const char *value);

/* Reads the plan and sends nothing. notes: NULL, or where to put what is wrong and what is odd,
 * with lines and hints (owner: caller, plimsoll_text_free; NULL when there is nothing to say).
 * Returns 0, PLIMSOLL_BAD_PLAN, or -errno when a file can not be read. */
PLIMSOLL_API int plimsoll_plan_check(const struct plimsoll_plan *plan, char **notes);

/* Frees it; NULL is fine. Returns NULL. */
PLIMSOLL_API struct plimsoll_plan *plimsoll_plan_free(struct plimsoll_plan *plan);

/* Frees a text that was handed out with "owner: caller"; NULL is fine. */
PLIMSOLL_API void plimsoll_text_free(char *text);

/* ---- the run ---------------------------------------------------------------------------------
 */

/* What a callback is told every so often. Rates and times are of the last ten seconds; counts of
 * the whole run so far. */
struct plimsoll_progress {
    double elapsed_seconds, planned_seconds;
    double active_users;
    double requests_per_second;
    double p95_ms; /* NAN: too few requests for it */
    uint64_t requests, failed_requests;
};

/* How to run. Zeroes and NULLs leave things as they are said here. */
struct plimsoll_options {
    size_t bytes;          /* sizeof this struct; set by PLIMSOLL_OPTIONS_INIT */
    const char *directory; /* where the run file goes, made when missing; NULL: no file is kept */

    /* Called on the thread of plimsoll_run, never on one that makes load; a call that takes long
     * delays thresholds and the next call, nothing else. NULL: not called. */
    void (*progress)(void *self, const struct plimsoll_progress *progress);
    void *self;              /* handed to progress */
    double progress_seconds; /* how often; 0: every second; at least 0.1 */

    /* Looked at during the run: 1 ends it gracefully (running requests finish), 2 at once. Set it
     * from a signal handler, from progress, or from another thread. NULL: it runs to its end. */
    volatile sig_atomic_t *stop;
};

#define PLIMSOLL_OPTIONS_INIT                                                                      \
    {                                                                                              \
        sizeof(struct plimsoll_options), NULL, NULL, NULL, 0, NULL                                 \
    }

/* What came of a run. */
struct plimsoll_report;

/* Runs the plan and returns when it is over. options: NULL for none. report: written on 0 only;
 * owner: caller, plimsoll_report_free.
 *
 * Returns 0 when there is a report, whatever its outcome: also of a plan with errors
 * (PLIMSOLL_BAD_PLAN, its sentence says what is wrong) and of services that never answered. Returns
 * -errno when the plan's file can not be read. */
PLIMSOLL_API int plimsoll_run(const struct plimsoll_plan *plan,
                              const struct plimsoll_options *options,
                              struct plimsoll_report **report);

/* ---- the report ------------------------------------------------------------------------------
 */

/* Reads the report of a run file that was kept earlier. report: written on 0 only; owner: caller,
 * plimsoll_report_free. Returns 0, or -errno (-EINVAL: not a run file, or a damaged one). */
PLIMSOLL_API int plimsoll_report_read(const char *path, struct plimsoll_report **report);

/* Frees it; NULL is fine. Returns NULL. */
PLIMSOLL_API struct plimsoll_report *plimsoll_report_free(struct plimsoll_report *report);

/* How the run ended. */
PLIMSOLL_API enum plimsoll_outcome plimsoll_report_outcome(const struct plimsoll_report *report);

/* Why, in one sentence; "" when it passed. */
PLIMSOLL_API const char *plimsoll_report_sentence(const struct plimsoll_report *report);

/* Where the run file is; NULL when none was kept. */
PLIMSOLL_API const char *plimsoll_report_path(const struct plimsoll_report *report);

/* The spread of a duration, in milliseconds. NAN stands for what is not known: nothing observed, or
 * fewer requests than the percentile needs (p50 6, p95 59, p99 299). */
struct plimsoll_times {
    uint64_t count;    /* durations behind it, unfinished requests included */
    uint64_t censored; /* of them unfinished: known to be at least so long, and counted so */
    double min_ms, average_ms, p50_ms, p90_ms, p95_ms, p99_ms, max_ms;
};

/* The figures of a run or of a part of it. */
struct plimsoll_values {
    size_t bytes;            /* sizeof this struct; set by PLIMSOLL_VALUES_INIT */
    uint64_t total_requests; /* that came to an end: successful + failed */
    uint64_t successful_requests;
    uint64_t failed_requests; /* errors, answers of 400 to 599, timeouts */
    uint64_t abandoned;       /* cut off at the end of the run; in none of the above */
    uint64_t failed_assertions, passed_assertions;
    double error_rate;       /* failed / total, 0 .. 1; NAN without requests */
    double duration_seconds; /* measured */
    double requests_per_second, requests_per_minute;
    double megabytes_per_second; /* received, 10^6 bytes */
    uint64_t errors_timeout, errors_connection, errors_validation, errors_server; /* 500 to 599 */
    struct plimsoll_times response; /* from when a request was due to its last byte */
    struct plimsoll_times service;  /* from when it was sent to its last byte */
};

#define PLIMSOLL_VALUES_INIT                                                                       \
    {                                                                                              \
        .bytes = sizeof(struct plimsoll_values)                                                    \
    }

/* The figures: of the whole run (task NULL, level 0), of one task by its name, or of one load level
 * by its users or rate. values->bytes is set before; the rest is written on success only. Returns
 * 0, -ENOENT (no such task or level, or nothing was measured), or -EINVAL (task and level at once,
 * or bytes is not set). */
PLIMSOLL_API int plimsoll_report_values(const struct plimsoll_report *report, const char *task,
                                        double level, struct plimsoll_values *values);

/* The kinds of error that there are, one by one, and how often each came; kind: "refused",
 * "response_timeout", "http_status", ...; lives as long as the program. Returns 0, or -ENOENT
 * behind the last. */
PLIMSOLL_API int plimsoll_report_error(const struct plimsoll_report *report, size_t index,
                                       const char **kind, uint64_t *count);

/* How many replies had this HTTP status, 100 .. 599. */
PLIMSOLL_API uint64_t plimsoll_report_status(const struct plimsoll_report *report, unsigned status);

/* Whether a service level objective was held. */
enum plimsoll_answer {
    PLIMSOLL_UNKNOWN, /* nobody asked for it, or too little was observed */
    PLIMSOLL_NO,
    PLIMSOLL_YES
};

/* Objectives and thresholds on the share of requests that succeed: all held, or accepted? */
PLIMSOLL_API enum plimsoll_answer
plimsoll_report_slo_availability(const struct plimsoll_report *report);

/* Objectives and thresholds on the 95th percentile of time: all held, or accepted? */
PLIMSOLL_API enum plimsoll_answer
plimsoll_report_slo_latency_p95(const struct plimsoll_report *report);

/* The report in a format ("text", "json", "csv", "markdown", "html",
 * "junit", "prometheus"; `plimsoll list writers` has them all). words: written on 0 only; owner:
 * caller, plimsoll_text_free. Returns 0, -ENOENT (no such format), or -errno. */
PLIMSOLL_API int plimsoll_report_words(const struct plimsoll_report *report, const char *format,
                                       char **words);

/* Saves the report in every format that has a file (report.html, summary.json, ...) in a directory,
 * made when missing; files of the same names are replaced, each whole or not at all. Returns 0, or
 * -ENOENT (nothing was measured), or -errno of the first that could not be written. */
PLIMSOLL_API int plimsoll_report_save(const struct plimsoll_report *report, const char *directory);

/* ---- against a baseline ----------------------------------------------------------------------
 */

/* Whether new runs are worse than earlier ones. Runs are what is counted, since they differ by
 * themselves: fewer than 4 of each side can tell nothing at 5 %. */
enum plimsoll_change {
    PLIMSOLL_INCONCLUSIVE,
    PLIMSOLL_EQUIVALENT, /* the interval of the shift lies wholly inside the margin */
    PLIMSOLL_BETTER,
    PLIMSOLL_WORSE,         /* a regression: the interval lies wholly beyond the margin */
    PLIMSOLL_TOO_FEW_RUNS,  /* no data of so few runs could reach alpha */
    PLIMSOLL_NOT_COMPARABLE /* another plan, load, machine or version; or a run cut off */
};

/* What is compared. Reports are borrowed during the call. */
struct plimsoll_sides {
    size_t bytes; /* sizeof this struct; set by PLIMSOLL_SIDES_INIT */
    const struct plimsoll_report *const *base;
    size_t base_count;
    const struct plimsoll_report *const *now;
    size_t now_count;
    const char *metric; /* that decides: "p95" (of response; NULL: that), "throughput", ... */
    double margin;      /* share of the base's median that does not matter, 0.05; 0: none */
    double alpha;       /* chance of a false alarm; 0: 0.05 */
};

#define PLIMSOLL_SIDES_INIT                                                                        \
    {                                                                                              \
        .bytes = sizeof(struct plimsoll_sides)                                                     \
    }

/* What came of it. Times are in milliseconds, rates a second, shares 0 .. 1. */
struct plimsoll_comparison {
    size_t bytes; /* sizeof this struct; set by PLIMSOLL_COMPARISON_INIT */
    enum plimsoll_change change;
    double base_median, now_median;
    double shift, shift_low, shift_high; /* now - base, by Hodges and Lehmann, and its interval;
                                            infinite where so few runs carry none */
    double p;                            /* Mann-Whitney, two-sided */
    double detectable;  /* the least shift found 8 times of 10 with such runs; NAN: not known */
    size_t runs_needed; /* of each side, for alpha to be possible */
};

#define PLIMSOLL_COMPARISON_INIT                                                                   \
    {                                                                                              \
        .bytes = sizeof(struct plimsoll_comparison)                                                \
    }

/* Compares. comparison->bytes is set before; the rest is written on 0 only. words: NULL, or where
 * to put what differs between the runs beside their figures, or why there is no answer (owner:
 * caller, plimsoll_text_free; NULL when there is nothing to say). Returns 0, -ENOENT (the metric is
 * not one, or a run does not have it), or -EINVAL (bytes not set, or a side is empty). */
PLIMSOLL_API int plimsoll_compare(const struct plimsoll_sides *sides,
                                  struct plimsoll_comparison *comparison, char **words);

#ifdef __cplusplus
}
#endif

#endif
