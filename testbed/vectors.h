/* testbed/vectors.h - collections of vectors, searched exactly: every row is looked at, so that a
 * search costs the memory bandwidth that the rows take and nothing hides it. Or, where an
 * approximate index is given, through that: a search costs little, and may miss a row.
 *
 * Rows stand one behind the other, 4 bytes a number; 100,000 rows of 128 are 51.2 MB. The
 * collection "default" is made from the seed when it is first asked for: row i has
 * vector_row(seed, i), and id i.
 *
 *   Owner    any thread; one lock for all collections (many readers or one writer).
 *   Source   exact nearest neighbours; the checks against brute force are in
 *            test/unit/testbed/vectors.c. */
#ifndef TESTBED_VECTORS_H
#define TESTBED_VECTORS_H

#include "base/text.h"
#include "testbed/nearest.h"

#include <stdbool.h>
#include <stdint.h>

enum vectors_distance { DISTANCE_COSINE, DISTANCE_DOT, DISTANCE_EUCLID };

enum {
    VECTORS_NAME_BYTES = 255,
    VECTORS_COLLECTIONS_MOST = 64,
    VECTORS_TOP_MOST = 10000,
    VECTORS_ROWS_MOST = 10000000,
};

struct vectors;

/* No collections yet but "default", not made yet. nearest: the index that each collection gets;
 * NULL: searches are exact. Searches for filled rows only are exact in any case. Owner: caller. */
struct vectors *vectors_new(uint64_t seed, uint64_t rows, uint64_t dimensions,
                            const struct nearest_kind *nearest);
/* Frees it; NULL is fine; returns NULL. */
struct vectors *vectors_free(struct vectors *vectors);
/* Makes "default" now. */
void vectors_prepare(struct vectors *vectors);

/* The numbers of row `row` of "default": evenly from -1 to 1, drawn under the seed, then made
 * length 1. */
void vectors_row(uint64_t seed, uint64_t row, uint64_t dimensions, float *out);

enum { VECTORS_NONE = 1, VECTORS_THERE = 2, VECTORS_FULL = 3, VECTORS_SIZE = 4 };

/* Makes an empty collection. Returns 0, VECTORS_THERE or VECTORS_FULL. */
int vectors_create(struct vectors *vectors, struct span name, uint64_t dimensions,
                   enum vectors_distance distance);
/* Removes one. Returns 0 or VECTORS_NONE. */
int vectors_delete(struct vectors *vectors, struct span name);
/* Its shape and rows. Returns 0 or VECTORS_NONE. */
int vectors_shape(struct vectors *vectors, struct span name, uint64_t *dimensions,
                  enum vectors_distance *distance, uint64_t *rows);
/* Appends the names as a list of {"name":...}. */
void vectors_names(struct vectors *vectors, struct text *out);

/* A row to put in: id and payload are raw JSON (a number or a string; an object or nothing). */
struct vectors_point {
    struct span id, payload;
    const float *numbers;
    uint64_t count; /* of numbers */
};
/* Puts one in, in place of one of the same id. Returns 0, VECTORS_NONE, VECTORS_SIZE or
 * VECTORS_FULL. */
int vectors_put(struct vectors *vectors, struct span name, const struct vectors_point *point);

struct vectors_query {
    const float *numbers;
    uint64_t count; /* of numbers; 0: those of the row with this id */
    struct span id;
    uint64_t top; /* at most VECTORS_TOP_MOST */
    uint64_t skip;
    bool has_threshold;
    double threshold; /* scores below (Euclid: above) are left out */
    bool with_payload, with_vector;
    bool filled_only; /* rows without a payload are passed over */
};
/* Appends the nearest rows, best first, ties by order of their coming, as a list of
 * {"id":...,"version":0,"score":...}. Returns 0, VECTORS_NONE, VECTORS_SIZE (of the numbers, or no
 * such id). found: rows in the list; may be NULL. */
int vectors_search(struct vectors *vectors, struct span name, const struct vectors_query *query,
                   struct text *out, uint64_t *found);

#endif
