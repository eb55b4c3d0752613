/* app/terminal.h - what kind of place the program prints to. */
#ifndef APP_TERMINAL_H
#define APP_TERMINAL_H

#include <stdbool.h>
#include <stdio.h>

struct terminal {
    bool is_terminal;
    bool moves;       /* a terminal that can move its cursor: TERM is set, and not dumb */
    bool colour;      /* one that moves, and NO_COLOR is unset or empty */
    unsigned columns; /* 80 where it is not known */
};

/* Looks at a stream and the environment. */
struct terminal terminal_of(FILE *stream, char *const *environment);

/* The value of a variable; NULL: unset. */
const char *environment_value(char *const *environment, const char *name);

#endif
