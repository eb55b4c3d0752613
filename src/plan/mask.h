/* plan/mask.h - URLs as they may be shown and kept: without the name and password in them. */
#ifndef PLAN_MASK_H
#define PLAN_MASK_H

#include "base/text.h"

/* Appends words with what stands before the @ of any URL in them replaced by "***". */
void text_put_masked(struct text *out, const char *words);
/* A copy so masked; NULL of NULL. Owner: caller, free(). */
char *mask_copy(const char *words);

#endif
