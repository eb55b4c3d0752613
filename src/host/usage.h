/* host/usage.h - what a process uses, as the kernel says: /proc/PID/stat, io, schedstat and others.
 */
#ifndef HOST_USAGE_H
#define HOST_USAGE_H

#include "base/clock.h"
#include "host/file.h"

#include <stdbool.h>

enum { USAGE_NAME = 64 };

/* Times are in ticks of USAGE_TICKS a second, which all of Linux' /proc speaks of. */
enum { USAGE_TICKS = 100 };

struct usage_stat {
    uint64_t pid, parent;
    char name[USAGE_NAME]; /* as the kernel has it: 15 characters, the program's by default */
    char state;            /* R, S, D, T (stopped), t (traced), Z (zombie), ... */
    uint64_t own_ticks;    /* processor time, user and system, all threads */
    uint64_t child_ticks;  /* of children that ended and were waited for */
    uint64_t threads;
    uint64_t start_ticks; /* since the machine's start: with the pid, who it is */
    uint64_t rss_pages;
};

/* This instant in the ticks of start_ticks. */
uint64_t usage_ticks_now(void);

/* Reads the text of /proc/PID/stat. Returns 0 or HOST_NOT_KNOWN. */
int usage_parse(struct span text, struct usage_stat *out);
/* Reads it. The text's room is used. */
int usage_read(const char *root, uint64_t pid, struct text *room, struct usage_stat *out);

/* Sums over the threads of a process. Each may be HOST_UNKNOWN. */
struct usage_threads {
    uint64_t run_delay_ns;           /* ready to run, waiting for a processor */
    uint64_t voluntary, involuntary; /* context switches */
};
void usage_read_threads(const char *root, uint64_t pid, struct text *room,
                        struct usage_threads *out);

/* Bytes that really went to and from storage; HOST_UNKNOWN without the right to know. */
struct usage_io {
    uint64_t read_bytes, written_bytes;
};
void usage_read_io(const char *root, uint64_t pid, struct text *room, struct usage_io *out);

/* Memory, what is shared counted in parts (smaps_rollup); HOST_UNKNOWN without the right to. */
uint64_t usage_pss_bytes(const char *root, uint64_t pid, struct text *room);

/* Open descriptors; HOST_UNKNOWN without the right to know. */
uint64_t usage_descriptors(const char *root, uint64_t pid);

/* Replaces out by its command line, arguments between blanks. Returns 0 or HOST_NOT_KNOWN. */
int usage_command(const char *root, uint64_t pid, struct text *out);

/* Whether one of its descriptors is a socket with one of these inodes. */
bool usage_has_socket(const char *root, uint64_t pid, const uint64_t *inodes, int count);

/* The pids there are, ascending; room for more is made. Returns how many. */
struct usage_pids {
    uint64_t *pids;
    size_t count, room;
};
size_t usage_pids_read(const char *root, struct usage_pids *list);
void usage_pids_fini(struct usage_pids *list);

#endif
