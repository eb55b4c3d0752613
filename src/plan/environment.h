/* plan/environment.h - named values from outside of a plan: the environment handed in, and .env.
 * Used inside the plan room only. */
#ifndef PLAN_ENVIRONMENT_H
#define PLAN_ENVIRONMENT_H

#include "base/text.h"
#include "plan/note.h"

#include <stdbool.h>
#include <stddef.h>

struct variable {
    char *name, *value;
    unsigned line; /* in .env; 0: from the environment */
    bool from_dotenv;
    bool used; /* by a setting that names it */
};

/* All variables: those of the environment first, so that they win. */
struct variables {
    struct variable *items;
    size_t count;
    char *dotenv; /* path that was read, or NULL */
};

/* Adds "NAME=value" texts, ended by NULL; NULL adds none. */
void variables_add_environment(struct variables *variables, char *const *environment);
/* Adds the lines of a .env file: NAME=value, quotes and "export" allowed, # begins a comment. Lines
 * that are none of that earn a warning. Returns 0, or -errno when it cannot be read (-ENOENT too).
 */
int variables_add_file(struct variables *variables, const char *path, struct notes *notes);
/* The variable, or NULL. */
struct variable *variables_find(const struct variables *variables, struct span name);
/* Frees them. */
void variables_fini(struct variables *variables);

/* What expanding met. */
struct reference {
    const struct variable *variable; /* the last one used, or NULL */
    char missing[64];                /* name of the first that is not set and has no default */
    size_t missing_at;               /* its offset in the words */
    bool found;                      /* there was at least one reference */
};

/* Appends the words with ${NAME} and ${NAME:-default} replaced; "$${" is a literal "${"; an empty
 * variable counts as not set where a default stands, as in the shell. */
void variables_expand(const struct variables *variables, struct span words, struct text *out,
                      struct reference *reference);

/* All bytes of a file, up to a limit. Returns 0 (out owned by caller), -errno, or -EFBIG. */
int file_read(const char *path, size_t most, struct text *out);

#endif
