/* show/diagnosis.h - the findings of a diagnosis, for people and as JSON. */
#ifndef SHOW_DIAGNOSIS_H
#define SHOW_DIAGNOSIS_H

#include "base/text.h"
#include "run/doctor/finding.h"
#include "show/writer.h"

#include <stdbool.h>

/* Appends a heading for each area, a line for each finding with what to do below it, and the count
 * of what is not fine. Without `all`, only what is not fine. */
void diagnosis_put(const struct findings *findings, const struct show_options *options, bool all,
                   struct text *out);

/* Appends {"schema_version", "problems", "warnings", "findings": [{"grade", "area", "name",
 * "words", "remedy"}]}. */
void diagnosis_put_json(const struct findings *findings, struct text *out);

#endif
