/* study/warning.h - what a reader of findings must know about them: a code for programs, a sentence
 * for people. */
#ifndef STUDY_WARNING_H
#define STUDY_WARNING_H

#include <stdbool.h>
#include <stddef.h>

struct study_warning {
    char *code;  /* "FEW_LEVELS" */
    char *words; /* one sentence */
};

/* Zeroed is none. */
struct study_warnings {
    struct study_warning *rows;
    size_t count;
};

/* Adds a warning. A code is there once: other words of it are appended to the first ones. */
void study_warn(struct study_warnings *warnings, const char *code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Whether a code is there. */
bool study_warned(const struct study_warnings *warnings, const char *code);
/* Frees the rows; none are left. */
void study_warnings_fini(struct study_warnings *warnings);

#endif
