/* record/picture.h - inside of record: blocks in, a result out.
 *
 * The recorder feeds it with the loop threads' blocks as they come, the reader with those of a run
 * file in the order they were written; so the live result and the one read later are the same sums
 * made by the same code. */
#ifndef RECORD_PICTURE_H
#define RECORD_PICTURE_H

#include "record/result.h"
#include "record/series.h"
#include "record/tally.h"

struct picture;

enum {
    PICTURE_EXAMPLES = 10,  /* different examples kept of each kind of error */
    PICTURE_EVENTS = 10000, /* events kept in memory; the file has them all */
};

/* A picture without blocks. declared: head, metrics, requests, phases, services and labels, the
 * rest empty; owned by the picture from now on. intervals_a_point: how many intervals share a
 * point. */
struct picture *picture_new(struct result *declared, uint32_t intervals_a_point);
/* Frees it; NULL is fine; returns NULL. */
struct picture *picture_free(struct picture *picture);

/* Adds a block, without its examples. Its phase, segment and counts are those of the
 * declaration. */
void picture_block(struct picture *picture, const struct tally_block *block);

/* Folds an example. Returns the row it was folded into, or NULL when there are enough. */
const struct result_example *picture_example(struct picture *picture,
                                             const struct tally_example *example);
/* Texts are copied. */
void picture_event(struct picture *picture, nsec_t at_ns, const char *kind, const char *words);
void picture_fact(struct picture *picture, const char *name, const char *value);
void picture_saturated(struct picture *picture, nsec_t begin_ns, nsec_t end_ns);

/* Things watched and their series are numbered in the order in which they are added. */
void picture_watched(struct picture *picture, const struct result_watched *watched);
void picture_series(struct picture *picture, uint32_t watched, const struct metric *metric,
                    const char *part);
void picture_sample(struct picture *picture, uint32_t series, const struct series_sample *sample);

/* Everything so far as a result of its own; points and samples of the last window_ns only (0: all).
 */
struct result *picture_result(const struct picture *picture, nsec_t window_ns);

/* The declarations it was made with; for the run file's writer. */
const struct result *picture_declared(const struct picture *picture);

#endif
