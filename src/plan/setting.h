/* plan/setting.h - one row a setting, many readers: the plan's parser and range check, --help, the
 * man page, shell completion, the JSON schema and the web form all come from the row.
 *
 * A table ends with a row whose name is NULL. Every plug-in brings a table of its own. */
#ifndef PLAN_SETTING_H
#define PLAN_SETTING_H

#include "base/clock.h"
#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum setting_type {
    SETTING_BOOL,     /* bool */
    SETTING_UINT,     /* uint64_t; least .. most */
    SETTING_REAL,     /* double; least .. most */
    SETTING_DURATION, /* nsec_t; a bare number is seconds; least .. most in seconds */
    SETTING_RATE,     /* double, events a second */
    SETTING_SHARE,    /* double; "1%" or 0.01 */
    SETTING_BYTES,    /* uint64_t */
    SETTING_TEXT,     /* char *, owned; environment references ${NAME:-default} are replaced */
    SETTING_CHOICE,   /* int; `words` lists the allowed words in the order of the enum */
    SETTING_TEMPLATE, /* struct template *, owned */
    SETTING_JSON, /* struct template *: any YAML value, written as JSON, holes allowed in its texts
                   */
    SETTING_HEADERS, /* struct plan_headers: a map of names to templates */
    SETTING_TEXTS,   /* struct plan_texts: a list of texts (one text is a list of one) */
    SETTING_SPREAD,  /* struct distribution (stat/distribution.h): number, range "2s..5s", {dist:
                        ...} */
    SETTING_SECTION, /* a nested struct in place; `section` is its table */
    SETTING_NUMBERS, /* struct plan_numbers: a list of numbers or rates, each least .. most */
    SETTING_PATH,    /* char *, owned; a relative one in a plan is beside the plan, one from outside
                        begins at the working directory */
    SETTING_COUNT,   /* struct plan_count: a whole number (least .. most), or a text with a hole
                        that renders as one */
    SETTING_CUSTOM, /* read by a function of the plan room named in `custom` (stages, tasks, ...) */
};

struct setting_word {
    const char *word;     /* as written in a plan */
    const char *sentence; /* its own help */
};

struct setting {
    const char *name; /* key in the plan; --name-with-dashes on the command line */
    enum setting_type type;
    size_t offset;        /* of the field in the struct that the table describes */
    double least, most;   /* in the unit's base (seconds, bytes, 1); most 0: no limit */
    const char *unset;    /* the default, as it would be written; NULL: none, field stays zero */
    const char *unit;     /* "users", "tokens"; NULL: plain */
    const char *sentence; /* one sentence of help, without its full stop */
    const struct setting_word *words; /* SETTING_CHOICE; ends with NULL */
    const struct setting *section;    /* SETTING_SECTION */
    const char *custom;      /* SETTING_CUSTOM: the reader's name, and the JSON schema's $def */
    const char *environment; /* variable that sets it ("SCALABILITY_MAX_USERS"); or NULL */
    const char *aliases;     /* other names accepted, separated by blanks; or NULL */
    bool required;
    bool secret; /* its value is never printed nor kept */
};

struct plan_headers {
    struct plan_header {
        char *name;
        struct template *value;
    } * items;
    size_t count;
};

struct plan_texts {
    char **items;
    size_t count;
};

struct plan_count {
    uint64_t value;
    struct template *hole; /* NULL: the value */
};

struct plan_numbers {
    double *items;
    size_t count;
};

/* Appends one line of help a setting: name, unit or choices, sentence, default and range; sections
 * are indented below their name. From the same rows come the reference and the man page. */
void setting_help(const struct setting *table, struct text *out);

/* The same as a table of a Markdown document or as troff rows of a man page. */
enum setting_page { SETTING_MARKDOWN, SETTING_MAN };
void setting_page(const struct setting *table, enum setting_page page, struct text *out);

/* Frees what the fields of a struct own that was read by this table; the struct itself stays. NULL
 * is fine for either. */
void setting_free(const struct setting *table, void *base);

/* Appends a bound of the row's range as a user would write it: a duration, size or share with its
 * unit, anything else as a bare number. */
void setting_put_bound(const struct setting *row, double bound, struct text *out);

#endif
