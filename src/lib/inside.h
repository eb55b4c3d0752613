/* lib/inside.h - what the files of this room share: plans as they are kept, reports as they are
 * made, and how structs of another version of the header are read. */
#ifndef LIB_INSIDE_H
#define LIB_INSIDE_H

#include "plan/read.h"
#include "plug/list.h"
#include "run/run.h"

#include <plimsoll/plimsoll.h>

struct plimsoll_plan {
    char *words; /* YAML; or NULL: of a file */
    char *file;  /* path, or what the plan is called in notes; or NULL */
    struct plan_override *overrides;
    size_t override_count;
    char **variables; /* "NAME=value"; ended by NULL */
    size_t variable_count;
};

struct plimsoll_report {
    struct plug_list plugs;
    struct run_report run;
};

/* A plan of these words, taken over; called this in notes (copied), or NULL. */
struct plimsoll_plan *inside_plan(char *words, const char *file);

/* Reads the plan. Returns 0 with reading->plan or notes, or -errno. Owner: caller,
 * plan_reading_fini, before the lists end. */
int inside_read(const struct plimsoll_plan *plan, const struct plug_list *plugs,
                struct plan_reading *reading);

/* A report without a result. Owner: caller, plimsoll_report_free. */
struct plimsoll_report *inside_report(void);

#endif
