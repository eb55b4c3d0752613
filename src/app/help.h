/* app/help.h - help, man page and shell completion, all made from the tables of options. */
#ifndef APP_HELP_H
#define APP_HELP_H

#include "app/verb.h"
#include "base/text.h"

/* What the program can do, in a screen. */
void help_program(struct text *out);
/* One verb: usage, options, notes, two examples. */
void help_verb(const struct verb *verb, struct text *out);
/* The man page of the program, or of one verb, in roff. */
void help_man(const struct verb *verb, struct text *out);
/* A completion script for bash. */
void help_completion(struct text *out);

#endif
