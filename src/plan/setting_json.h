/* plan/setting_json.h - a struct that a table describes, as JSON and back: so that another process
 * can go on with the same settings (the undo journal). Secrets are left out. */
#ifndef PLAN_SETTING_JSON_H
#define PLAN_SETTING_JSON_H

#include "plan/setting.h"

/* Appends a JSON object of the struct's settings. Tables with templates, headers, spreads, sections
 * or custom rows are not for this. */
void setting_write_json(const struct setting *table, const void *base, struct text *out);

/* Fills a zeroed struct from such an object; what is absent gets its default. Returns 0, or
 * SETTING_JSON_BAD with a sentence in why. Owner: caller, setting_free, also after an error. */
enum { SETTING_JSON_BAD = 1 };
int setting_read_json(const struct setting *table, struct span json, void *base, struct text *why);

#endif
