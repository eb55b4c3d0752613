/* plug/suite_page.h - the page of a scale test: response time and throughput against load, what
 * each batch brought, failures, resources, events. One file, no network. */
#ifndef PLUG_SUITE_PAGE_H
#define PLUG_SUITE_PAGE_H

#include "base/text.h"
#include "study/level.h"

/* Appends the page. Returns 0 or -ENOMEM. */
int suite_page(const struct suite *suite, struct text *out);

#endif
