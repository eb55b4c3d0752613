/* host/file.h - reads the small files in which Linux says what the machine does.
 *
 * Every reader of this room takes a root: "" or "/" for the machine, or a directory in which a test
 * planted files. What a file does not say is HOST_UNKNOWN, never 0: missing files, other kernels
 * and nonsense all end there, and none is an error. */
#ifndef HOST_FILE_H
#define HOST_FILE_H

#include "base/clock.h"
#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

enum { HOST_NOT_KNOWN = 1 }; /* outcome of readers in this room */

#define HOST_UNKNOWN UINT64_MAX /* a number that the machine did not say */

/* Whether the number was said. */
static inline bool host_known(uint64_t number)
{
    return number != HOST_UNKNOWN;
}

/* The growth of a counter between two readings; HOST_UNKNOWN when either is, or when it shrank. */
uint64_t host_growth(uint64_t before, uint64_t after);

/* That growth a second, over so much time; NAN when it is not known. */
double host_rate(uint64_t before, uint64_t after, nsec_t elapsed_ns);

/* Replaces out by the whole file (at most 4 MiB of it). Returns 0, or HOST_NOT_KNOWN when it cannot
 * be read, out then being empty. */
int host_read(const char *root, const char *path, struct text *out);

/* The unsigned decimal that is the file's first word; HOST_UNKNOWN when it is not one. */
uint64_t host_read_number(const char *root, const char *path);

/* Takes the next line, or the next word between blanks and tabs, from the front of a span; an empty
 * span when there is none (host_line: also for an empty line; ask rest->bytes for the end). */
struct span host_line(struct span *rest);
struct span host_word(struct span *rest);

/* The decimal at the front of a span, or HOST_UNKNOWN. */
uint64_t host_number(struct span word);

/* The number after `key` and blanks (and a colon) at the start of a line; HOST_UNKNOWN if none. */
uint64_t host_value(struct span text, const char *key);

/* How many numbers a list as "0-3,8" names; HOST_UNKNOWN when it is not such a list. */
uint64_t host_list_count(struct span list);

#endif
