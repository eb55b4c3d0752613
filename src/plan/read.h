/* plan/read.h - from a file, the command line, the environment and .env to a struct plan.
 *
 * Precedence, highest first: command line, environment, .env, plan, default. Where each value came
 * from is kept for `plimsoll validate`. */
#ifndef PLAN_READ_H
#define PLAN_READ_H

#include "plan/note.h"
#include "plan/plan.h"
#include "plan/vocabulary.h"

/* A value given on the command line: setting path ("scenarios.chat.vus", "target", "threads") and
 * words. */
struct plan_override {
    const char *path;
    const char *words;
    const char *flag; /* "--users": for notes and validate */
};

struct plan_source {
    const char *file; /* YAML or JSON; NULL: none (plan_quick) */
    const char *text; /* its bytes, when already read; NULL: read the file */
    const struct plan_override *overrides;
    size_t override_count;
    char *const *environment; /* "NAME=value", NULL-ended; never ambient */
    const char *dotenv;       /* path of .env; NULL: "<directory of file>/.env" when it exists */
};

/* What `plimsoll run URL -u 50 -t 1m -r 5 --method --header --body --json` says. 0 and NULL: not
 * given. */
struct plan_quick {
    const char *url;
    uint64_t users;
    double rate; /* arrivals a second: open model; else closed */
    double spawn_rate;
    nsec_t duration_ns;
    uint64_t iterations;
    const char *method;
    const char *const *headers; /* "Name: value" */
    size_t header_count;
    const char *body;
    const char *json;
    const char *driver_verb; /* "openai.chat"; NULL: plain HTTP */
    const struct plan_pair { /* settings of that verb, in words; ends with name NULL; or NULL */
        const char *name, *words;
        bool map; /* the words are a map in YAML's flow form, else a text */
    } * settings;
    struct distribution think;
    const char *gaps;  /* of arrivals, as a plan says them: "poisson", "{gamma: 0.5}"; or NULL */
    const char *data;  /* the data entry "prompts" in YAML's flow form; or NULL */
    const char *trace; /* file whose times are replayed, in place of a rate; or NULL */
};

/* One value and where it came from, for `plimsoll validate`. */
struct plan_origin {
    char *path, *value, *origin; /* "scenarios.chat.vus", "50", "command line --users" */
};

struct plan_reading {
    struct plan *plan; /* NULL when there were errors */
    struct notes notes;
    char *text; /* the file's text, for notes_write */
    struct plan_origin *origins;
    size_t origin_count;
};

/* Reads and compiles a plan. All errors are collected in out->notes; out->plan is NULL when there
 * was one. Returns 0 also then, or -errno when the file could not be read. Owner: caller,
 * plan_reading_fini. */
int plan_read(const struct plan_source *source, const struct vocabulary *vocabulary,
              struct plan_reading *out);

/* The same for a plan that is only a command line. */
int plan_read_quick(const struct plan_quick *quick, const struct plan_source *source,
                    const struct vocabulary *vocabulary, struct plan_reading *out);

/* Reads source->text, which holds nothing but `watch` and `target`: for who watches without any
 * load. Nothing is watched that it does not name. */
int plan_read_watch(const struct plan_source *source, const struct vocabulary *vocabulary,
                    struct plan_reading *out);

/* Frees the reading, the plan in it too (take the plan out and set it to NULL to keep it). */
void plan_reading_fini(struct plan_reading *reading);

/* Appends the JSON schema (draft 2020-12) of plans with this vocabulary. */
void plan_schema(const struct vocabulary *vocabulary, struct text *out);

/* Appends what will happen, in words: users over time, requests expected, memory, descriptors, how
 * long; then each value that was given, with its origin; with `all` those by default too. */
void plan_explain(const struct plan_reading *reading, bool all, struct text *out);

#endif
