/* record/series.h - inside of record: the things watched beside the load and their samples, as
 * parts of a result; and the directory that numbers them while they are recorded. */
#ifndef RECORD_SERIES_H
#define RECORD_SERIES_H

#include "record/result.h"

struct series_sample {
    nsec_t at_ns, took_ns;
    double value;
};

/* A series of more than so many samples keeps them for its newer half; of the older ones neighbours
 * become their mean. The file has them all. */
enum { SERIES_SAMPLES = 7200 };

/* ---- in a result ----------------------------------------------------------------------------- */

/* Room of each series of a growing result. Zeroed: none. */
struct series_keep {
    size_t *rooms;
    size_t count;
};
void series_keep_fini(struct series_keep *keep);

/* Adds a thing; texts are copied. */
void series_add_watched(struct result *result, const struct result_watched *watched);
/* Adds a series of a thing that was added before; texts are copied. */
void series_declare(struct series_keep *keep, struct result *result, uint32_t watched,
                    const struct metric *metric, const char *part);
void series_add_sample(struct series_keep *keep, struct result *result, uint32_t series,
                       const struct series_sample *sample);
/* Copies things and series, samples from an instant on, into a result that has none. */
void series_copy(const struct result *from, struct result *to, nsec_t since_ns);
/* Frees the things and series of a result. */
void series_free(struct result *result);

/* ---- while recording ------------------------------------------------------------------------- */

/* Which number a series has. */
struct series_book;
struct series_book *series_book_new(void);
/* Frees it; NULL is fine; returns NULL. */
struct series_book *series_book_free(struct series_book *book);

struct series_entry {
    uint32_t series;
    bool fresh;        /* its first sample */
    bool fresh_metric; /* the first of its metric: metric_number is the new one's */
    uint32_t metric_number;
};
/* Finds a series or adds it; quick where series come in the same order again and again. */
struct series_entry series_book_at(struct series_book *book, uint32_t watched, const char *metric,
                                   const char *part);

#endif
