/* plug/writer/page.h - the page with a document in it: one file that carries its script, its styles
 * and the data as JSON, and loads nothing. */
#ifndef PLUG_WRITER_PAGE_H
#define PLUG_WRITER_PAGE_H

#include "base/text.h"

#include <jansson.h>

/* Appends the page. Returns 0 or -ENOMEM. */
int page_write(const json_t *document, struct text *out);

#endif
