/* show/law_part.h - what the answers of show/law.h are made of. Used by its files only. */
#ifndef SHOW_LAW_PART_H
#define SHOW_LAW_PART_H

#include "show/law.h"

#include <jansson.h>

/* An interval as {"low", "high"}; what is not finite is null. */
json_t *law_interval(double low, double high);
/* Adds a number to an object; null when not finite. */
void law_number(json_t *object, const char *key, double number);
/* Appends the document, indented, and frees it. */
void law_dump(json_t *document, struct text *out);
/* Adds a warning to a list: its code and what it means. */
void law_warn(json_t *warnings, const char *code, const char *words);
/* Appends the warnings as lines of text. */
void law_warnings_put(const json_t *warnings, struct text *out);
/* A number of four digits, whole from a thousand on, "–" when not finite. Returns out. */
enum { LAW_ROOM = 32 };
const char *law_digits(char out[LAW_ROOM], double number);

#endif
