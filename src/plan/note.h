/* plan/note.h - what is wrong, or worth saying, about something a user wrote: where, what, and what
 * to do. Notes are collected, so that all errors of a plan are said at once.
 *
 *   gateway.yaml:13:5: unknown key "level_durations" in scenarios.chat
 *      13 |     level_durations: 5m
 *         |     ^^^^^^^^^^^^^^^  did you mean "level_duration"? */
#ifndef PLAN_NOTE_H
#define PLAN_NOTE_H

#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>

enum note_level { NOTE_ERROR, NOTE_WARNING, NOTE_ADVICE };

struct note {
    enum note_level level;
    char *file;      /* a path, or "command line", "environment", ".env"; NULL: no place */
    unsigned line;   /* from 1; 0: no place in the file */
    unsigned column; /* from 1, in characters */
    unsigned width;  /* characters to underline; 0: none */
    char *sentence;  /* without a full stop or line feed */
    char *hint;      /* what to do, or NULL */
};

struct notes {
    struct note *items;
    size_t count;
    size_t errors; /* how many of the count are errors */
};

/* Adds a note; the words are copied. hint may be NULL. */
void notes_add(struct notes *notes, struct note note);

/* Adds an error without a place, formatted as by printf. */
void notes_error(struct notes *notes, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Appends all notes as shown above, each with its source line taken from `source` (the text of the
 * file named in the notes; NULL: no source lines are shown). */
void notes_write(const struct notes *notes, const char *source, struct text *out);

/* Frees all notes; the collection is empty again. */
void notes_fini(struct notes *notes);

#endif
