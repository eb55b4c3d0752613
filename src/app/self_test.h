/* app/self_test.h - what this host's generator can do at best: kept in a file, and put beside every
 * run as facts named self_test.*. */
#ifndef APP_SELF_TEST_H
#define APP_SELF_TEST_H

#include "app/verb.h"
#include "record/result.h"

struct self_test_facts {
    struct result_fact *items;
    size_t count;
};

/* Reads what the last self-test of this host found; nothing when there was none. Owner: caller,
 * self_test_facts_fini. */
void self_test_facts_read(struct app *app, struct self_test_facts *out);
void self_test_facts_fini(struct self_test_facts *facts);

/* Adds a fact; format as for printf. */
void self_test_facts_add(struct self_test_facts *facts, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Writes them where self_test_facts_read finds them. path: owner is the caller. Returns 0 or
 * -errno. */
int self_test_facts_write(struct app *app, const struct self_test_facts *facts, char **path);

#endif
