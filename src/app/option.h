/* app/option.h - one row an option, many readers: the command line's parser, --help, the man page
 * and shell completion all come from the row. A table ends with a row whose name is NULL. */
#ifndef APP_OPTION_H
#define APP_OPTION_H

#include "base/clock.h"
#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum option_kind {
    OPTION_FLAG,     /* takes no value */
    OPTION_COUNT,    /* whole number */
    OPTION_REAL,     /* number */
    OPTION_RATE,     /* events a second: "10", "600/min" */
    OPTION_ARRIVALS, /* the same, or "inf": as fast as can be */
    OPTION_DURATION, /* "30s", "1m30s"; a bare number is seconds */
    OPTION_PAIR,     /* NAME=VALUE */
    OPTION_TEXT,
};

struct option {
    const char *name; /* without its dashes; NULL: the row after the last */
    char letter;      /* 0: none */
    bool only_letter; /* has no long form: the name is the verb's word for it */
    enum option_kind kind;
    const char *value;    /* what help calls its value: "N" */
    const char *sentence; /* for help */
    const char *aliases;  /* other long names, separated by blanks; or NULL */
    const char *setting;  /* path of the plan's setting that it overrides; NULL: the verb's own */
    bool positive;        /* nought is refused: it would mean something else than it says */
    bool repeats;         /* may be given several times: its setting is a list or a map */
    bool unlisted;        /* in the man page only: help names it in the line of another */
    const char *group;    /* heading in help that begins with this row; or NULL */
    bool many; /* takes all words up to the next option, each as if the option were repeated */
};

/* One option as given. */
struct given {
    const struct option *option;
    const char *words;   /* its value; NULL for a flag */
    const char *written; /* "--users", "-u", as typed; owned by the arguments */
};

struct arguments {
    struct given *items;
    size_t count;
    const char **rest; /* what is not an option, in order */
    size_t rest_count;
    bool help; /* --help or -h was among them */
};

/* Reads a command line (without the program's and the verb's name). Values are checked for their
 * kind. Returns 0, or 1 with a sentence in why. Owner: caller, arguments_fini, also after 1. */
int arguments_read(const struct option *table, int count, char **words, struct arguments *out,
                   struct text *why);
void arguments_fini(struct arguments *arguments);

/* The words of the last option of this name; NULL when it was not given; "" for a flag. */
const char *argument_words(const struct arguments *arguments, const char *name);
/* Whether it was given. */
bool argument_given(const struct arguments *arguments, const char *name);
/* Its value, which was checked when it was read; `unset` when it was not given. */
uint64_t argument_count(const struct arguments *arguments, const char *name, uint64_t unset);
double argument_real(const struct arguments *arguments, const char *name, double unset);
double argument_rate(const struct arguments *arguments, const char *name, double unset);
nsec_t argument_duration(const struct arguments *arguments, const char *name, nsec_t unset);

/* The nearest word of a list ended by NULL; NULL when none is near enough to be meant. */
const char *nearest_word(const char *word, const char *const *list);

#endif
