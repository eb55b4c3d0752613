/* show/suite_tables.h - the tables of a scale test, in the headings and the order that operators'
 * documents have them ("Vertical Scaling Test Results:"), on a terminal and in Markdown. */
#ifndef SHOW_SUITE_TABLES_H
#define SHOW_SUITE_TABLES_H

#include "base/text.h"
#include "study/level.h"

/* Appends all tables of a suite as text, each with its heading, then what the tables leave open:
 * levels that were not steady, speed-up and efficiency, what was not observed. */
void suite_tables(const struct suite *suite, struct text *out);

/* One row for a level that was just measured, for the log of a suite under way. */
void suite_level_line(const struct level *level, struct text *out);

/* Appends `Scalability_Testing_Results.md`: verdict, tables, verified results, how far to trust
 * them. */
void suite_markdown(const struct suite *suite, struct text *out);

#endif
