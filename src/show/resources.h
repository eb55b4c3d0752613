/* show/resources.h - what was watched, as data and as words: the JSON document of `plimsoll
 * monitor` (doc/resource-usage.schema.json), CSV, a table for a terminal and a line for a pipe. */
#ifndef SHOW_RESOURCES_H
#define SHOW_RESOURCES_H

#include "record/result.h"
#include "show/writer.h"

/* Appends the whole document, ended by a line feed. */
void resources_json(const struct result *result, struct text *out);
/* Appends a row for each sample, in order of time: time, at_s, watched, role, metric, part, value,
 * unit, took_s. */
void resources_csv(const struct result *result, struct text *out);

/* Appends a table of the figures that matter most: now, mean, 95th percentile and most of the
 * result's stretch. Not more than `rows` of them; 0: no limit. */
void resources_table(const struct result *result, const struct show_options *options, size_t rows,
                     struct text *out);
/* Appends one line of the latest figures, ended by a line feed. */
void resources_line(const struct result *result, struct text *out);

/* A value in its metric's unit, for people: "38 %", "1.2 GiB/s". */
enum { RESOURCES_ROOM = 48 };
const char *resources_value(char room[RESOURCES_ROOM], const char *unit, double value);

#endif
