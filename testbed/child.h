/* testbed/child.h - runs a program to its end, on a thread that may wait for it.
 *
 * The child has no input, an environment of its own (PATH, and what keeps git from reading anyone's
 * settings), and CHILD_SECONDS to live. */
#ifndef TESTBED_CHILD_H
#define TESTBED_CHILD_H

#include "base/text.h"

enum { CHILD_SECONDS = 10 };

/* Runs a program found in PATH; arguments end with NULL, the first is its name. What it says on
 * both outputs is appended, at most so many bytes. Returns its exit status (0 .. 255), 256 when a
 * signal or its time ended it, or -errno (-ENOENT: there is no such program). */
int child_run(const char *const *arguments, size_t most_bytes, struct text *said);

#endif
