/* app/run_group.h - several run files as a user names them: files, directories, patterns, "@last",
 * "@baseline:NAME". */
#ifndef APP_RUN_GROUP_H
#define APP_RUN_GROUP_H

#include "app/verb.h"
#include "record/result.h"

struct run_group {
    char **paths;            /* oldest first */
    struct result **results; /* of them */
    size_t count, room;
};

/* Where names are looked up. */
struct run_group_places {
    const char *runs;      /* of @last; NULL: runs */
    const char *baselines; /* of @baseline:NAME; NULL: BASELINE_DIRECTORY */
};

/* Adds the run files that a word names. Returns 0, or an exit code after saying what is wrong.
 * Owner: caller, run_group_fini, also then. */
int run_group_add(struct app *app, struct run_group *group, const char *word,
                  const struct run_group_places *places);
/* Sorts them by when they began. */
void run_group_sort(struct run_group *group);
void run_group_fini(struct run_group *group);

#endif
