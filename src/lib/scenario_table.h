/* lib/scenario_table.h - what the build makes of example/scenario/. */
#ifndef LIB_SCENARIO_TABLE_H
#define LIB_SCENARIO_TABLE_H

#include "lib/scenario.h"

extern const struct scenario scenario_table[];
extern const size_t scenario_table_count;

#endif
