/* show/document.h - a run as one JSON document: what `summary.json` holds, and what the report page
 * is drawn from. Its schema is doc/summary.schema.json.
 *
 * Every key says its unit (_ms, _s, _bytes, _ratio, _rps, _rpm; none: a count). What is not known
 * is null; percentiles that unfinished requests reach carry `"at_least": true`. Series are columns
 * of equal length, as spreadsheets and data frames take them. */
#ifndef SHOW_DOCUMENT_H
#define SHOW_DOCUMENT_H

#include "record/result.h"
#include "show/figure.h"
#include "show/writer.h"

#include <jansson.h>

enum { DOCUMENT_SCHEMA_VERSION = 1 };

/* The whole document. Never NULL. Owner: caller, json_decref. */
json_t *document_new(const struct result *result, const struct show_options *options);

/* Parts of it, used by document.c; each a new reference. */
json_t *document_text(const char *words); /* cleaned; NULL gives null */
json_t *document_number(double number);   /* null when not finite */
json_t *document_count(uint64_t count);   /* exact up to 2^63 - 1 */
json_t *document_seconds(nsec_t duration_ns);
/* Everything that was counted of a sum: rates, times, errors, drivers' counters. */
json_t *document_sums(const struct result_sum *sum, const struct metric_table *metrics);
/* One histogram's figures, in ms; null where too few requests carry a percentile. */
json_t *document_times(const struct figure_times *times);
/* What answers made of tokens were like; null where a sum has none. */
json_t *document_llm(const struct result_sum *sum, const struct metric_table *metrics);
/* Calls at once beside the limits that servers declare (study/concurrency.h). */
json_t *document_concurrency(const struct result *result);
json_t *document_definitions(const struct metric_table *metrics); /* of drivers' metrics */
/* The response times as bars, at most 4.4 % wide. */
json_t *document_distribution(const struct result_sum *sum);
/* Columns over time: of all requests, and of what was watched. */
json_t *document_series(const struct result *result);
json_t *document_resources(const struct result *result);
/* Adds the columns of answers made of tokens to a series, where the run (or the request; SIZE_MAX:
 * all of them) has such. */
void document_llm_series(json_t *series, const struct result *result, size_t request);
/* The columns of one request, by its number. */
json_t *document_request_series(const struct result *result, size_t request);

#endif
