/* base/text.h - spans of bytes that are looked at, and texts that grow.
 *
 *   struct span   bytes somebody else owns; not ended by a zero
 *   struct text   bytes this owns; grows as it is written; always ended by a zero
 *
 * Writing to a text does not fail (memory.h). A text on a hot path is sized beforehand and
 * emptied with text_clear, which keeps its room. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct span {
    const char *at;
    size_t bytes;
};

#define SPAN(literal) ((struct span){.at = (literal), .bytes = sizeof(literal) - 1})

/* The span of a zero-ended text; NULL gives an empty span. */
struct span span_of(const char *text);
/* Whether both hold the same bytes. */
bool span_equal(struct span one, struct span other);
/* Whether both hold the same bytes, ASCII letters compared without case. */
bool span_equal_nocase(struct span one, struct span other);
/* Whether the span begins with these bytes. */
bool span_begins(struct span whole, struct span begin);
/* The span without blanks, tabs, CR and LF at either end. */
struct span span_trim(struct span whole);
/* Reads an unsigned decimal that fills the whole span. Returns 0, or -EINVAL (not digits, or
 * above UINT64_MAX); value is written on success only. */
int span_uint(struct span digits, uint64_t *value);

struct text {
    char *at;     /* never NULL after the first write; ended by a zero */
    size_t bytes; /* without the zero */
    size_t room;
};

/* An empty text without memory. */
#define TEXT_EMPTY ((struct text){.at = NULL, .bytes = 0, .room = 0})

/* Frees the memory; the text is empty again and may be used again. */
void text_fini(struct text *text);
/* Empties it and keeps its room. */
void text_clear(struct text *text);
/* Makes room for at least this many bytes in all. */
void text_reserve(struct text *text, size_t bytes);
/* Appends a span. */
void text_put(struct text *text, struct span more);
/* Appends a zero-ended text; NULL appends nothing. */
void text_puts(struct text *text, const char *more);
/* Appends one byte. */
void text_putc(struct text *text, char byte);
/* Appends an unsigned decimal, without printf. */
void text_put_uint(struct text *text, uint64_t number);
/* Appends what printf would print. */
void text_printf(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same with the arguments as a list. */
void text_vprintf(struct text *text, const char *format, va_list list);
/* What was written so far; valid until the next write. */
struct span text_span(const struct text *text);
/* Gives the zero-ended bytes to the caller (never NULL; free()) and empties the text. */
char *text_take(struct text *text);
/* Whether a word is one of those in a list separated by blanks (NULL: none). */
bool text_has_word(const char *list, const char *word);
/* How far two words differ: Damerau-Levenshtein distance, for "did you mean". */
size_t text_distance(const char *one, const char *other);

#endif
