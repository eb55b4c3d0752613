/* testbed/journal.h - the log of what was served: one CSV row for each piece of work, in the order
 * of writing, so that a test can compute every departure again from arrivals and seed. */
#ifndef TESTBED_JOURNAL_H
#define TESTBED_JOURNAL_H

#include "testbed/testbed.h"

struct journal;

/* Begins a file anew. Returns 0 or -errno. Owner: caller. */
int journal_open(struct journal **out, const char *path);
/* Writes what is buffered and closes; NULL is fine. Returns 0, or the first -errno of all writes.
 */
int journal_close(struct journal *journal);
/* Adds a row; for testbed_options.served with self the journal. */
void journal_write(void *self, const struct testbed_entry *entry);

#endif
