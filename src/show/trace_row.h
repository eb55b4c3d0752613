/* show/trace_row.h - requests of a trace as rows: CSV for spreadsheets, JSON lines for programs.
 * Both carry every instant in nanoseconds since the run's start, exactly as recorded. */
#ifndef SHOW_TRACE_ROW_H
#define SHOW_TRACE_ROW_H

#include "base/text.h"
#include "record/trace.h"

/* Appends the names of the columns. */
void trace_row_head(struct text *out);
/* Appends a request; what is not known is an empty field. The last field holds the gaps between
 * chunks with content, separated by blanks. */
void trace_row_csv(const struct trace_request *request, struct text *out);
/* Appends a request as an object and a line feed; what is not known is null. `chunks` holds
 * [instant, kind, tokens] of each chunk, those without content included. */
void trace_row_json(const struct trace_request *request, struct text *out);

#endif
