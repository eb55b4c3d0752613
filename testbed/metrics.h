/* testbed/metrics.h - what the testbed counts about itself, as Prometheus text (format 0.0.4). */
#ifndef TESTBED_METRICS_H
#define TESTBED_METRICS_H

#include "base/clock.h"
#include "base/text.h"

/* Where a request went; each is a value of the label `path`. */
enum metrics_path {
    PATH_ROOT,
    PATH_HEALTH,
    PATH_MODELS,
    PATH_GENERATE,
    PATH_OLLAMA_CHAT,
    PATH_TAGS,
    PATH_PS,
    PATH_CHAT,
    PATH_METRICS,
    PATH_WORK,
    PATH_ECHO,
    PATH_STATUS,
    PATH_DELAY,
    PATH_BYTES,
    PATH_REDIRECT,
    PATH_SET_COOKIE,
    PATH_COOKIES,
    PATH_HEADERS,
    PATH_GZIP,
    PATH_DATABASE,
    PATH_AGENTS,
    PATH_EMBEDDINGS,
    PATH_EMBED,
    PATH_OLLAMA_EMBED,
    PATH_COLLECTIONS,
    PATH_POINTS,
    PATH_PROBES,
    PATH_INDEX,
    PATH_QUERY,
    PATH_TOOLS,
    PATH_TOOLS_LIST,
    PATH_MCP,
    PATH_OTHER, /* none of these, or a request that could not be read */
    PATH_COUNT,
};

enum { SPREAD_EDGES = 15 };

/* A histogram of times, in seconds when written: edges from 0.5 ms to 30 s. */
struct spread {
    uint64_t counts[SPREAD_EDGES + 1];
    nsec_t sum_ns;
};
/* Counts a time. */
void spread_add(struct spread *spread, nsec_t time_ns);
/* Writes its lines, without HELP and TYPE. labels: "a=\"b\",c=\"d\"", or NULL. */
void spread_write(struct text *out, const char *name, const char *labels,
                  const struct spread *spread);

struct metrics;
struct testbed;

/* All counts at 0. Owner: caller. */
struct metrics *metrics_new(void);
/* Frees it; NULL is fine; returns NULL. */
struct metrics *metrics_free(struct metrics *metrics);

/* Counts a reply with its status (100 .. 599). */
void metrics_reply(struct metrics *metrics, enum metrics_path path, int status);
/* Counts work that departed: its service time and its time from arrival to departure. */
void metrics_departure(struct metrics *metrics, nsec_t service_ns, nsec_t response_ns);
/* Counts tokens written, and tokens of prompts taken in. */
void metrics_tokens(struct metrics *metrics, uint64_t prompt, uint64_t made);
/* Writes all of it. */
void metrics_write(struct testbed *testbed, struct text *out);

#endif
