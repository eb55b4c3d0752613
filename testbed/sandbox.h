/* testbed/sandbox.h - a temporary directory that tools may work in, and nothing outside it.
 *
 * It is made with the first tool call, holds a few files and, where git is installed, a repository
 * of three commits; it is removed with the testbed. That a path stays inside is the kernel's
 * business: openat2 with RESOLVE_BENEATH, which no "..", no link and no race gets around. Nothing
 * may be written to a directory .git, since git runs what it finds configured there.
 *
 *   Owner    any thread; making it is guarded by a lock, files are the kernel's. */
#ifndef TESTBED_SANDBOX_H
#define TESTBED_SANDBOX_H

#include "base/text.h"

#include <stdbool.h>

struct sandbox;

/* To be made in this directory, whose name must outlive it. Nothing is made yet. Owner: caller. */
struct sandbox *sandbox_new(const char *in);
/* Removes the directory; NULL is fine; returns NULL. */
struct sandbox *sandbox_free(struct sandbox *sandbox);

/* The directory, made if need be; NULL when it could not be made. */
const char *sandbox_root(struct sandbox *sandbox);
/* Whether there is a git repository in it; to be asked after sandbox_root. */
bool sandbox_has_git(const struct sandbox *sandbox);

enum { SANDBOX_OUTSIDE = 1 };

/* Opens a path in it: relative, or absolute beginning with its root. flags and mode: as for open.
 * Returns 0, SANDBOX_OUTSIDE, or -errno. */
int sandbox_open(struct sandbox *sandbox, struct span path, int flags, int *fd);
/* Makes the directories that a path in it leads through; what fails is found out by opening. */
void sandbox_make_parents(struct sandbox *sandbox, struct span path);

#endif
