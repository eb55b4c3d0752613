/* app/remedy_page.h - the reference of remedies and GPUs, made from their tables:
 * doc/remedies.md. */
#ifndef APP_REMEDY_PAGE_H
#define APP_REMEDY_PAGE_H

#include "base/text.h"

#include <stdio.h>

/* Appends the whole page, as Markdown. */
void remedy_page(struct text *out);
/* The same for people at a terminal: remedies by group, GPUs by memory. */
void remedy_list(FILE *out);
void remedy_list_gpus(FILE *out);

#endif
