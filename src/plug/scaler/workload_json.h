/* plug/scaler/workload_json.h - what the documents of a Deployment or StatefulSet, its pods and its
 * autoscaler say. Pure: tested with documents of a cluster. */
#ifndef PLUG_SCALER_WORKLOAD_JSON_H
#define PLUG_SCALER_WORKLOAD_JSON_H

#include "base/text.h"

#include <jansson.h>
#include <stdbool.h>

/* A whole number of decimal digits; 0 for other words. */
long long atoll_of(const char *words);

/* Whether a member is this text. */
bool json_is(const json_t *object, const char *key, const char *words);
/* The number at document.part.key; unset where it is not there. */
double json_count(const json_t *document, const char *part, const char *key, double unset);
/* The container of a name (NULL: the first) in a workload's template; NULL: none. Borrowed. */
json_t *json_container(const json_t *workload, const char *name);
/* Its limit of "cpu" (cores) or "memory" (bytes), or its request; INFINITY: neither. */
double json_size(const json_t *container, const char *resource);
/* Appends the label selector of a workload, percent-encoded as a query value. */
void json_selector(const json_t *workload, struct text *out);
/* Restarts of all containers of a list of pods. */
uint64_t json_restarts(const json_t *pods);

/* Whether a workload is as wanted; words: what is missing, or why it never will be. */
enum json_progress { JSON_WAITS, JSON_READY, JSON_STUCK };
enum json_progress json_progress_of(const json_t *workload, struct text *words);
/* Whether no pod of a list waits for a resize in place. */
bool json_pods_resized(const json_t *pods);

/* What workload_restore goes back to. Owner: caller, json_decref. */
json_t *json_saved(const json_t *workload, const char *container, const json_t *autoscaler);

#endif
