/* testbed/nearest.h - the contract of an approximate index: finds rows that are near, most of the
 * time the nearest ones, and looks at few of them.
 *
 * vectors.c keeps the rows, ids and payloads, and takes the exact distance of what an index
 * proposes; so an index only ever loses a row, and never shows a wrong score. */
#ifndef TESTBED_NEAREST_H
#define TESTBED_NEAREST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct nearest_kind {
    const char *name;
    /* An empty index of at most `most` rows of so many numbers; euclid: by distance, else by inner
     * product. NULL: no memory. Owner: caller, by `end`. */
    void *(*begin)(uint64_t dimensions, uint64_t most, bool euclid, uint64_t seed);
    /* Puts a row in, or in place of the one of that number. False: full. One thread at a time. */
    bool (*put)(void *index, uint64_t row, const float *numbers);
    /* Writes the numbers of at most `count` rows that are near, in any order, and returns how many
     * they are. Any number of threads, while nothing is put in. */
    uint64_t (*find)(void *index, const float *numbers, uint64_t count, uint64_t *rows);
    void (*end)(void *index);
};

/* Hierarchical navigable small worlds, by hnswlib; NULL where the program was built without it.
 *
 *   Source   Malkov and Yashunin, 2018; M 16, 100 neighbours looked at while building, and
 *            max(64, count) while searching. */
const struct nearest_kind *nearest_hnsw(void);

#ifdef __cplusplus
}
#endif

#endif
