/* show/analysis.h - what holds a system back, as text of 80 columns and as the document
 * `bottleneck_analysis.json`, whose schema is doc/bottleneck-analysis.schema.json.
 *
 * Every key says its unit (_s, _rps, _share, _ratio). What is not known is null; what was not
 * observed says so. */
#ifndef SHOW_ANALYSIS_H
#define SHOW_ANALYSIS_H

#include "base/text.h"
#include "study/bottleneck.h"

#include <jansson.h>

enum { ANALYSIS_SCHEMA_VERSION = 1 };

/* The whole document; source: the file that was analyzed. Never NULL. Owner: caller,
 * json_decref. */
json_t *analysis_document(const struct suite *suite, const struct analysis *analysis,
                          const char *source);

/* Appends it as text, indented, ended by a line feed. */
void analysis_document_write(const struct suite *suite, const struct analysis *analysis,
                             const char *source, struct text *out);

/* Appends "Load Progression Analysis:" in its five lines, "Bottleneck Analysis:" with what each
 * line rests on, and what would settle what is open. */
void analysis_text(const struct analysis *analysis, unsigned columns, struct text *out);

#endif
