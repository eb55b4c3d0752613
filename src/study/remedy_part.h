/* study/remedy_part.h - the tables behind study/remedy.h. Used by remedy*.c only. */
#ifndef STUDY_REMEDY_PART_H
#define STUDY_REMEDY_PART_H

#include "study/remedy.h"

/* When the sources of the tables were last looked at. */
#define REMEDY_TABLE_DATE "2026-11"

struct remedy_row {
    const char *id;
    enum remedy_group group;
    const char *kinds, *action, *impact, *tradeoff, *source, *address;
};
extern const struct remedy_row remedy_table[];
extern const size_t remedy_table_count;

extern const struct remedy_gpu remedy_gpu_table[];
extern const size_t remedy_gpu_count;

#endif
