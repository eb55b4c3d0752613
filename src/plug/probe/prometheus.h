/* plug/probe/prometheus.h - inside of the prometheus probe: presets as tables, what samples were
 * before (so that counters become rates), and how samples fold into values of our metrics. */
#ifndef PLUG_PROBE_PROMETHEUS_H
#define PLUG_PROBE_PROMETHEUS_H

#include "watch/probe.h"
#include "wire/exposition.h"

/* ---- presets ---------------------------------------------------------------------------------
 */

enum preset_kind {
    PRESET_LEVEL,     /* the samples' values */
    PRESET_RATE,      /* the growth of counters a second */
    PRESET_HISTOGRAM, /* a histogram or summary: its mean over the interval as METRIC.mean and, with
                         buckets, METRIC.p95 */
};

enum preset_join {
    PRESET_SUM,
    PRESET_MOST,
    PRESET_FIRST, /* the sum of the first name of the selector that is there: names for one thing */
};

/* From samples to one metric of ours. A selector is "name{label=value|value,label!=value} + name":
 * the samples of these names with these labels. */
struct preset_row {
    const char *metric, *unit, *sentence; /* ours */
    enum preset_kind kind;
    enum preset_join join;
    const char *top;    /* selector */
    const char *bottom; /* selector of what top is divided by; or NULL */
    bool level_bottom;  /* of a rate: bottom is a level, such as a limit */
    bool complement;    /* 1 - top / bottom */
    double factor;      /* the value is multiplied by it; 0: 1 */
    const char *part; /* labels, separated by commas, whose values name the part; NULL: the whole */
};

struct preset {
    const char *name;              /* "vllm" */
    const char *sentence;          /* what exposes such metrics, and where */
    const char *role;              /* what such a thing is, for a plan's `role` */
    const struct preset_row *rows; /* ends with metric NULL */
};

/* All presets; ends with name NULL. */
extern const struct preset presets[];
extern const struct preset_row preset_rows_node[], preset_rows_cadvisor[], preset_rows_kube_state[],
    preset_rows_dcgm[], preset_rows_vllm[], preset_rows_sglang[], preset_rows_tgi[],
    preset_rows_triton[], preset_rows_llamacpp[], preset_rows_qdrant[], preset_rows_postgres[],
    preset_rows_pgbouncer[], preset_rows_redis[], preset_rows_haproxy[], preset_rows_application[],
    preset_rows_pcm[];

/* ---- what samples were -----------------------------------------------------------------------
 */

enum past_found {
    PAST_NEW,   /* not seen before: no growth is known */
    PAST_RATE,  /* rate is the growth a second since the sample before */
    PAST_RESET, /* the counter shrank */
    PAST_STALE, /* the very sample of before, by its own time stamp */
};

struct past;
/* Owner: caller, past_free. */
struct past *past_new(void);
/* Frees it; NULL is fine; returns NULL. */
struct past *past_free(struct past *past);
/* Begins a look at an instant in seconds; what was not seen for long is forgotten. */
void past_begin(struct past *past, double at_s);
/* Compares a sample with what it was, and keeps it. */
enum past_found past_compare(struct past *past, const struct exposition_sample *sample,
                             double *rate);

/* ---- folding ---------------------------------------------------------------------------------
 */

struct fold;
/* Folds by these presets' rows: one preset, or with NULL all. Owner: caller, fold_free. */
struct fold *fold_new(const struct preset *only);
/* Frees it; NULL is fine; returns NULL. */
struct fold *fold_free(struct fold *fold);
/* Begins a look. */
void fold_begin(struct fold *fold);
/* Takes a sample. Returns whether some row wanted it. */
bool fold_sample(struct fold *fold, const struct exposition_sample *sample, struct past *past);
/* Hands out what came together. Returns how many values. */
size_t fold_end(struct fold *fold, struct probe_sink *sink);

/* The value that a share of a histogram's growth does not exceed, by linear interpolation within
 * its bucket as Prometheus' histogram_quantile() does. edges: upper, ascending, the last infinite;
 * counts: cumulative. Returns NAN when nothing grew or there is no infinite edge. */
double fold_quantile(const double *edges, const double *counts, size_t count, double share);

/* ---- a page -----------------------------------------------------------------------------------
 */

/* A page of metrics that was fetched. */
struct prometheus_page {
    const char *content_type;
    struct span body;
    nsec_t begun_ns; /* when its first byte came, on the clock of all pages of this probe */
    nsec_t took_ns;
};
/* What a look does with its page, for those who fetch it otherwise (in simulated time). self: of
 * the probe, opened. Returns 0, or PROBE_GAP with why. */
int prometheus_take(void *self, const struct prometheus_page *page, struct probe_sink *sink,
                    struct text *why);

/* ---- asking a Prometheus server --------------------------------------------------------------
 */

/* Hands out the result of a query, /api/v1/query's reply. Returns 0 or PROBE_GAP with why. */
int query_values(struct span reply, const struct metric *metric, struct probe_sink *sink,
                 struct text *why);

#endif
