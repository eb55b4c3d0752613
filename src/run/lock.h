/* run/lock.h - one suite at a time on one target.
 *
 * A file whose lock the kernel gives back when its holder dies, so that no lock can be stale; it
 * says who holds it (process number and start), and where that one's undo journal is, so that the
 * next one sees when its holder was killed before it could undo its changes. */
#ifndef RUN_LOCK_H
#define RUN_LOCK_H

#include "base/text.h"

#include <stdbool.h>

struct lock;

/* Takes the lock of a target; journal: absolute path of the undo journal to be. directory: where
 * locks are kept; NULL: /run/lock, or /tmp where that is not there. Returns 0; LOCK_TAKEN; or
 * LOCK_UNFINISHED (its last holder is dead, and its changes stand); why then holds one sentence; or
 * -errno. Owner: caller, lock_free. */
enum { LOCK_TAKEN = 1, LOCK_UNFINISHED };
int lock_take(const char *directory, const char *target, const char *journal, struct lock **out,
              struct text *why);

/* Gives it back; unfinished: what was changed could not all be undone, which the next one shall
 * see. NULL is fine; returns NULL. */
struct lock *lock_free(struct lock *lock, bool unfinished);

#endif
