/* plan/reader.h - what all readers of parts of a plan share: the document, where values outside of
 * it come from, the notes, and the rows of origins. Used inside the plan room only. */
#ifndef PLAN_READER_H
#define PLAN_READER_H

#include "plan/environment.h"
#include "plan/node.h"
#include "plan/read.h"
#include "plan/symbol.h"

/* A part of the document that must not be kept as it stands. */
struct secret_range {
    size_t first, past; /* characters */
};

struct reader {
    const struct plan_source *source;
    const struct vocabulary *vocabulary;
    struct plan_reading *reading;
    struct plan *plan;
    struct notes *notes; /* of the reading */
    struct document document;
    struct variables variables;
    struct symbols *symbols; /* that templates read now may name; NULL: none may be read */
    /* By index in source->overrides: whether it found its setting, and the path most like its own
     * of those that there are. */
    struct override_seen {
        bool used;
        size_t distance;
        char *near;
    } * overrides;
    struct secret_range *secrets;
    size_t secret_count;
    char reference[96];          /* ", TARGET from the environment" of the text read last */
    const struct node *relative; /* first request that needs the plan's target */
    bool watch_only;             /* the plan is `watch` and `target` */
    bool quick; /* the document was made of a command line: its lines mean nothing */
};

/* A table, and the struct that it describes. */
struct setting_scope {
    const struct setting *table;
    void *base;
};

/* Room of a setting's path; a longer one is cut. */
enum { PATH_ROOM = 256 };

/* Writes a path ("scenarios.%s") as printf would. */
void path_write(char out[PATH_ROOM], const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Adds an error at a node (NULL: without a place); hint may be NULL. */
void reader_error(struct reader *reader, const struct node *node, const char *hint,
                  const char *format, ...) __attribute__((format(printf, 4, 5)));
/* The same as a warning or advice. */
void reader_say(struct reader *reader, enum note_level level, const struct node *node,
                const char *hint, const char *format, ...) __attribute__((format(printf, 5, 6)));

/* The words of a text node, references replaced. Returns 0 (out appended), or 1 after an error:
 * what the value should be is said by `wanted` ("a duration such as 30s"). */
int reader_text(struct reader *reader, const struct node *node, const char *wanted,
                struct text *out);
/* The same as an owned text; NULL after an error. */
char *reader_words(struct reader *reader, const struct node *node, const char *wanted);

/* A path relative to the plan's directory; an absolute one as it is. Owner: caller. */
char *reader_beside_plan(const struct reader *reader, const char *path);

/* The node to read for a setting at a path: what was written on the command line, else in the
 * environment or .env (row->environment), else in the plan (may be NULL). */
struct node *reader_effective(struct reader *reader, const struct setting *row, const char *path,
                              struct node *written);

/* Keeps where a value came from. */
void reader_keep_origin(struct reader *reader, const char *path, const char *value,
                        const struct node *node);
/* Forgets all but the first `count` of them. */
void reader_drop_origins(struct reader *reader, size_t count);
/* Marks a node's text so that the kept source does not show it. */
void reader_hide(struct reader *reader, const struct node *node);
/* Whether a header or setting of this name holds a secret. */
bool name_is_secret(const char *name);

/* Reads a map by several tables at once. Fields whose key is absent get their default. Keys in no
 * table are errors. map may be NULL (all defaults). path: "scenarios.chat", "" at the top. */
void setting_read_map(struct reader *reader, const struct node *map, const char *path,
                      const struct setting_scope *scopes, size_t count);
/* Reads one value by its row. */
void setting_read_value(struct reader *reader, const struct setting *row, const char *path,
                        const struct node *node, void *field);
/* The entry of a row's key or one of its aliases; two of them are an error. */
struct node_entry *setting_entry(struct reader *reader, const struct node *map,
                                 const struct setting *row);
/* Whether a word is the row's name or one of its aliases. */
bool setting_is_named(const struct setting *row, const char *word);

/* Reads a spread of a quantity. */
void spread_read(struct reader *reader, const struct setting *row, const char *path,
                 const struct node *node, struct distribution *out);
/* Compiles words of a node as a template; NULL after an error. */
struct template *reader_template(struct reader *reader, const struct node *node);
/* Writes any value as JSON with holes; NULL after an error. */
struct template *reader_json(struct reader *reader, const struct node *node);
/* Adds the symbols env.NAME and target that the words name. */
void reader_add_constants(struct reader *reader, struct span words);

/* Reads a custom value: one of the table `plan_customs`. */
void custom_read(struct reader *reader, const struct setting *row, const char *path,
                 const struct node *node, void *field);

/* Checks that a node is of a kind; false after an error ("levels must be a list; it is a text"). */
bool reader_wants(struct reader *reader, const struct node *node, enum node_kind kind,
                  const char *name);

/* Hands each item of a list to `read`, with its path ("PATH[3]"). A node that is no list gets an
 * error that says so, under this name. */
void reader_each(struct reader *reader, const struct node *node, const char *name, const char *path,
                 void (*read)(struct reader *reader, const struct node *item, const char *path));

#endif
