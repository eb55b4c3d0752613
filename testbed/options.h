/* testbed/options.h - the command line of plimsoll-testbed. */
#ifndef TESTBED_OPTIONS_H
#define TESTBED_OPTIONS_H

#include "testbed/testbed.h"

#include <stddef.h>

/* What the program itself needs beside the testbed's options. */
struct command_line {
    struct testbed_options testbed;
    const char *log_path; /* or NULL */
    const char *preset;   /* or NULL; read before all others, wherever it stands */
    uint64_t port_offset; /* added to every port that is not 0 */
    bool approximate;     /* collections of vectors have an approximate index */
    bool help_platform, help_limits;
    bool help, version;
};

/* Reads arguments (without the program's name). Returns 0, or -EINVAL with what is wrong and what
 * to do about it in words (always ended by a zero). */
int options_read(struct command_line *out, int count, char **arguments, char *words, size_t room);

/* What --help prints: fits a screen. */
const char *options_help(void);
/* What --help-platform prints: the options of the services around the model; fits a screen too. */
const char *options_help_platform(void);
/* What --help-limits prints: what holds it back on purpose, so that a bottleneck can be planted. */
const char *options_help_limits(void);

/* The name of the index-th option, without dashes; NULL behind the last. For tests. */
const char *options_name(size_t index);

#endif
