/* app/probe_page.h - the reference of probes, made from their tables: doc/probes.md. */
#ifndef APP_PROBE_PAGE_H
#define APP_PROBE_PAGE_H

#include "plug/list.h"

/* Appends the whole page, as Markdown. */
void probe_page(const struct plug_list *plugs, struct text *out);

#endif
