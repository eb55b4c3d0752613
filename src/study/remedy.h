/* study/remedy.h - what can be done about a bottleneck: a dated table of remedies, each with what
 * it relieves, what it costs and what it brought elsewhere. Users change and extend it in YAML:
 *
 *   remedies:
 *     - id: answer-cache                 # the id of a row of the table: changes it
 *       group: horizontal                # configuration, vertical, horizontal, architecture
 *       kinds: vector-search database    # of bottlenecks; "any"
 *       role: rag                        # things of this name or role only; not given: all
 *       action: Add an answer cache      # {thing} {replicas} {factor} {gpu} {ram} are filled in
 *       impact: half of our questions repeat
 *       tradeoff: answers up to an hour old
 *       source: our own logs
 *       address: https://wiki/logs     # where that stands
 *       date: 2026-11
 *     - {id: vllm, drop: true}           # takes a row out
 *
 * and tell prices, which are theirs and have a date:
 *
 *   date: 2026-11-01
 *   currency: EUR
 *   hour: {embedding: 0.42, "*": 1.10}   # of one replica, by its name or role; "*": of any other
 *
 *   Tests   test/unit/study/remedy */
#ifndef STUDY_REMEDY_H
#define STUDY_REMEDY_H

#include "base/text.h"
#include "plan/note.h"

#include <stdbool.h>
#include <stddef.h>

/* Where it is printed, in the order in which it is tried. */
enum remedy_group { REMEDY_CONFIGURATION, REMEDY_VERTICAL, REMEDY_HORIZONTAL, REMEDY_ARCHITECTURE };
enum { REMEDY_GROUPS = 4 };
/* "configuration", "vertical", ... */
const char *remedy_group_words(enum remedy_group group);

struct remedy {
    char *id;
    enum remedy_group group;
    char *kinds;  /* of bottlenecks, by blanks; "any" */
    char *role;   /* "": any thing */
    char *action; /* with {places} */
    char *impact, *tradeoff, *source;
    char *address; /* where the source stands; or "" */
    char *date;
};

struct remedies {
    struct remedy *rows;
    size_t count;
};

/* The table of this version. Never NULL. Owner: caller, remedies_free. */
struct remedies *remedies_default(void);
/* Frees it; NULL is fine; returns NULL. */
struct remedies *remedies_free(struct remedies *remedies);
/* Adds and changes rows. Returns 0, or REMEDY_BAD with errors in notes (some rows may have been
 * taken). */
enum { REMEDY_BAD = 1 };
int remedies_read(struct remedies *remedies, const char *file, struct span bytes,
                  struct notes *notes);
/* Whether it relieves a bottleneck of this kind at this thing or role. */
bool remedy_fits(const struct remedy *remedy, const char *kind, const char *thing,
                 const char *role);

/* A GPU with what its data sheet has. */
struct remedy_gpu {
    const char *name;
    double memory_gb;      /* 10^9 bytes, as on the sheet */
    double bandwidth_gb_s; /* of its memory */
    const char *since;     /* announced */
    const char *address;   /* where these figures were read */
};
/* The table, by memory. */
const struct remedy_gpu *remedy_gpus(size_t *count);
/* The one with the least memory of at least this much, and of equals the one with the least
 * bandwidth of at least that; NULL: none. */
const struct remedy_gpu *remedy_gpu_with(double memory_gb, double bandwidth_gb_s);
/* The one of this name, letters compared without case, "NVIDIA " and blanks left out; NULL. */
const struct remedy_gpu *remedy_gpu_named(const char *name);

struct prices {
    char *date, *currency;
    struct price {
        char *name;
        double hour;
    } * rows;
    size_t count;
};
/* Reads a price file. Returns 0, or REMEDY_BAD with errors in notes; an undated file is an error.
 * Owner: caller, prices_fini, in both cases. */
int prices_read(const char *file, struct span bytes, struct prices *out, struct notes *notes);
void prices_fini(struct prices *prices);
/* The price of an hour of one; NAN: not told. */
double prices_of(const struct prices *prices, const char *thing, const char *role);

#endif
