/* run/journal.h - the undo journal: how everything was before a suite changed it.
 *
 * A file of one JSON object a line. An entry is on disk (fsync, also of the directory) before the
 * change it can undo is made, so that whatever ends the suite, another process can put things back:
 *
 *   {"journal":1,"pid":..,"start":..,"boot":"..","target":"..","directory":".."}
 *   {"entry":1,"scaler":"cgroup","config":{..},"state":".."}
 *   {"undone":1}
 *   {"closed":true}
 *
 * Entries are undone in reverse order. A last line that was cut off by a crash is left out: the
 * change that it would have been for was not made yet. */
#ifndef RUN_JOURNAL_H
#define RUN_JOURNAL_H

#include "base/text.h"
#include "host/process.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JOURNAL_FILE "undo.journal" /* its name in the directory of a suite */

struct journal;

/* Makes the file; an existing one is an error (-EEXIST). directory: of the suite, absolute. Returns
 * 0 or -errno. Owner: caller, journal_close. */
int journal_new(const char *path, const char *target, const char *directory, struct journal **out);

/* Writes an entry: config is a JSON object, state one line. Returns 0 when it is on disk, number
 * then naming it; or -errno, and the change must not be made. */
int journal_add(struct journal *journal, const char *scaler, const char *config, const char *state,
                uint64_t *number);
/* Notes that an entry was undone. Returns 0 or -errno. */
int journal_undone(struct journal *journal, uint64_t number);

/* Closes the file and frees the journal; when everything was undone, says so in it. NULL is fine;
 * returns NULL. */
struct journal *journal_close(struct journal *journal);

/* A journal as read. */
struct journal_entry {
    uint64_t number;
    char *scaler, *config, *state;
    bool undone;
};

struct journal_record {
    struct process_mark owner;
    char *boot, *target, *directory;
    struct journal_entry *entries; /* in the order written */
    size_t count;
    bool closed;
};

/* Reads it. Returns 0, -errno, or JOURNAL_NOT_ONE. Owner: caller, journal_record_fini. */
enum { JOURNAL_NOT_ONE = 1 };
int journal_read(const char *path, struct journal_record *out);
void journal_record_fini(struct journal_record *record);

/* Whether anything is left to be undone. */
bool journal_unfinished(const struct journal_record *record);
/* Whether the suite that wrote it still runs. */
bool journal_owner_runs(const struct journal_record *record);

/* Opens one that was read, to note what is undone. Returns 0 or -errno. Owner: as journal_new. */
int journal_reopen(const char *path, const struct journal_record *record, struct journal **out);

#endif
