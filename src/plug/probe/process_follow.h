/* plug/probe/process_follow.h - which processes a `process` entry means, from look to look.
 *
 * Roots are the processes that fit what was asked for (pid, name, port, command); with them go the
 * processes that they, or those, start. A process is who it is by pid and start: a pid that comes
 * again is another. When all roots are gone they are searched anew, and who is found then took
 * their place: the restart is told. A member stays one whatever it is renamed to, and when its
 * parent ends. */
#ifndef PLUG_PROBE_PROCESS_FOLLOW_H
#define PLUG_PROBE_PROCESS_FOLLOW_H

#include "host/usage.h"
#include "watch/probe.h"

#include <stdbool.h>

/* What is asked for; of several, all must fit. */
struct process_wanted {
    char *name;    /* the kernel's name of it, or the last part of its program's path; or NULL */
    char *command; /* a part of its command line; or NULL */
    uint64_t pid;  /* 0: any */
    uint64_t port; /* that it listens on; 0: any */
    bool children;
};

struct member {
    struct usage_stat now, before;
    bool root;
    bool alive;   /* in this look */
    bool counted; /* `before` is of the look before this one */
    bool fresh;   /* it began since the look before, so that all of its time is of now */
    bool stopped;
    struct usage_threads threads; /* as last read; zeros for a new one */
    struct usage_io io;
};

struct follow; /* opaque */

/* Owner: caller, follow_free. wanted and place live longer than it. */
struct follow *follow_new(const struct process_wanted *wanted, const struct probe_place *place);
/* Frees it; NULL is fine; returns NULL. */
struct follow *follow_free(struct follow *follow);

/* Brings the members up to date, and tells what happened to them. Returns how many are alive; *out
 * are all of them, the dead of this look too. Valid until the next call. */
size_t follow_look(struct follow *follow, nsec_t at_ns, struct probe_sink *sink,
                   struct member **out, size_t *count);

/* Whether the processes of this look took the place of others, so that nothing is to be told of the
 * time since the look before. */
bool follow_is_broken(const struct follow *follow);

/* Processor time that the members used since the look before, in ticks; negative when it cannot be
 * told: a child ended whose time nobody took over. */
int64_t follow_ticks(const struct follow *follow);

/* What was asked for, in words ("port 8000"). */
void follow_words(const struct process_wanted *wanted, struct text *out);

#endif
