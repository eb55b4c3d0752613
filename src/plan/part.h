/* plan/part.h - the readers of the parts of a plan that are more than rows of a table, and the
 * tables themselves. Used inside the plan room only. */
#ifndef PLAN_PART_H
#define PLAN_PART_H

#include "plan/reader.h"

/* Tables: of struct plan and what it holds. */
extern const struct setting plan_rows[];
extern const struct setting connections_rows[];
extern const struct setting http_rows[];
extern const struct setting tls_rows[];
extern const struct setting scenario_rows[]; /* of struct scenario_form */
extern const struct setting stage_rows[];
extern const struct setting task_rows[]; /* of struct task_form */
extern const struct setting step_rows[]; /* of struct task_form */
extern const struct setting service_rows[];
extern const struct setting feeder_rows[];
extern const struct setting synthetic_rows[];
extern const struct setting dataset_rows[];
extern const struct setting trace_rows[];
extern const struct setting rule_rows[];
extern const struct setting objective_rows[];
extern const struct setting threshold_rows[];
extern const struct setting watch_rows[];
extern const struct setting watched_rows[]; /* of struct plan_watched */
extern const struct setting watch_stop_rows[];
extern const struct setting scale_rows[];
extern const struct setting trigger_rows[];
extern const struct setting scaler_rows[]; /* of struct plan_scaler */

/* A custom value: how it is read, and the JSON schema of it. */
struct custom {
    const char *name;
    void (*read)(struct reader *reader, const struct setting *row, const char *path,
                 const struct node *node, void *field);
    const char *schema; /* JSON; or NULL: made of the tables below */
    const char *shape;  /* "map": name to row; "list": of rows; "row": one; else one or a list */
    const struct setting *table; /* of its rows */
    const char *also;            /* "text": a text may stand for a row */
};

/* All of them; ends with name NULL. */
extern const struct custom customs[];

/* What a stage says; negative target: not given. */
struct stage_list {
    struct plan_stage *items;
    size_t count;
};

/* What the map of a scenario says, before it becomes a struct plan_scenario. */
struct scenario_form {
    int executor; /* index in its words: 0 is "told by the other keys" */
    char *pattern;
    uint64_t vus;
    double rate;
    nsec_t time_unit_ns, duration_ns, max_duration_ns, warm_up_ns;
    uint64_t start_vus, iterations, pre_allocated_vus, max_vus, max_backlog;
    double start_rate;
    struct gaps_form {
        enum gaps gaps;
        double burstiness;
    } gaps;
    char *trace;
    double trace_scale;
    nsec_t start_time_ns, graceful_stop_ns, graceful_ramp_down_ns, pacing_ns;
    double spawn_rate;
    struct distribution think;
    struct stage_list stages;
    struct plan_texts until;
    const struct node *tasks;
};

/* What the map of a task or of a step says. */
struct task_form {
    uint64_t weight;
    char *name, *target;
    struct distribution think;
    struct plan_texts tags;
    const struct node *checks, *capture, *steps;
    const struct node *request; /* value of the verb's key */
    const struct request_verb *verb;
    const struct node *verb_key;
};

typedef void custom_reader(struct reader *reader, const struct setting *row, const char *path,
                           const struct node *node, void *field);

custom_reader schema_version_read, services_read, scenarios_read, feeders_read, variables_read,
    rules_read, objectives_read, thresholds_read, labels_read, setup_read, teardown_read,
    stages_read, gaps_read, node_keep, secret_read, request_keep, watched_read, watch_stops_read,
    scalers_read, safety_read, percent_read, turns_read;

/* The words of a kind of plug-in. */
struct plug_words {
    const struct plug_word *items;
    size_t count;
    const char *kind; /* "probe": for notes */
};

/* Reads an entry that asks for one plug-in: a bare word, or a map of one word with its settings and
 * of the rows of `scope` (whose table may be empty). Returns 0 with *out (plugged_fini), or 1 after
 * an error. */
int plugged_read(struct reader *reader, const char *path, const struct node *entry,
                 const struct plug_words *words, const struct setting_scope *scope,
                 struct plan_plugged *out);
/* Makes one that nobody wrote: its settings are defaults, but for the bare text ("" or NULL: none).
 * place: where errors of it are said to be; may be NULL. */
void plugged_default(struct reader *reader, const struct plug_word *word, const char *bare,
                     const struct node *place, struct plan_plugged *out);
void plugged_fini(struct plan_plugged *plugged);

/* Adds what every run watches to the plan, after everything written was read. */
void watch_complete(struct reader *reader);
void watch_fini(struct plan_watch *watch);

/* Reads "synthetic", "dataset" or "trace" of a data entry; whichever is not NULL. */
struct prompt_nodes {
    const struct node *synthetic, *dataset, *trace;
};
void prompts_read(struct reader *reader, const char *path, const struct prompt_nodes *nodes,
                  struct plan_feeder *feeder);
/* Adds what templates may name of a feeder of prompts. */
void prompts_add_symbols(struct reader *reader, const struct plan_feeder *feeder, uint32_t index);
/* Fills in which data a request's templates name. */
void request_data_find(struct reader *reader, const struct node *node,
                       struct plan_request *request);
/* Reads the trace of a scenario. */
void instants_read(struct reader *reader, const struct node *map, double scale,
                   struct plan_scenario *out);

/* Makes executor, stages and limits of a scenario of its form; errors go to the reader. */
void scenario_build(struct reader *reader, const struct scenario_form *form,
                    const struct pattern_word *pattern, const void *pattern_config,
                    const struct node *map, struct plan_scenario *out);
/* Appends a stage with a copy of its name. */
void stage_append(struct stage_list *stages, struct plan_stage stage);

/* Reads tasks of a scenario, of set-up or of teardown into the plan; templates know
 * reader->symbols. */
void tasks_read(struct reader *reader, const char *path, const struct node *list, bool weighted,
                uint32_t *first, uint32_t *count);
/* Compiles a list of checks (or one). */
void checks_read(struct reader *reader, const struct node *node, struct reply_check ***checks,
                 size_t *count);

/* Compiles "p(95)<200" of a metric. Returns 0, or 1 after an error. */
int threshold_compile(struct reader *reader, const struct node *node, const char *words,
                      struct plan_threshold *out);
/* Compiles "METRIC p(95)>200" into a threshold. Returns 0, or 1 after an error. */
int threshold_compile_limit(struct reader *reader, const struct node *node, const char *words,
                            struct plan_threshold *out);
/* Adds the thresholds that come with the words of the plan (vocabulary.h, guard). */
void thresholds_guard(struct reader *reader);
/* Frees what a threshold owns. */
void threshold_fini(struct plan_threshold *threshold);

/* Says that a metric's name is unknown, where the vocabulary lists them; false then. */
bool metric_is_known(struct reader *reader, const struct node *node, const char *name);

/* A copy of a JSON text with surrogate pairs of escapes as the characters that they are. */
char *json_join_surrogates(const char *words);
/* Reads out->text, which is there; quick: it was made of a command line. Returns 0. */
int plan_read_text(const struct plan_source *source, const struct vocabulary *vocabulary,
                   struct plan_reading *out, bool quick);
/* The rows of a plan that is only watched. Owner: caller, free(). */
struct setting *watch_only_rows(void);

/* Completes the scale section, once all of the plan was read. */
void scale_complete(struct reader *reader);
/* Completes the safety section, once all of the plan was read. */
void safety_complete(struct reader *reader);
/* Frees what the section owns beyond its rows. */
void scale_fini(struct plan_scale *scale);

/* Adds errors for what tables cannot say: URLs, reasons of retries, what excludes each other. */
void plan_verify(struct reader *reader);

/* Rewrites a plan in the flat form (target_url, concurrent_users, ...) into the usual one. */
void flat_rewrite(struct reader *reader);
/* The text of the plan with secrets replaced. Owner: caller. */
char *reader_masked_source(const struct reader *reader, const char *text);
/* Whether a document is in the flat form. */
bool flat_is(const struct node *root);

#endif
