/* plug/pattern/pattern_list.h - the named load patterns, for plug/list.c. */
#ifndef PLUG_PATTERN_LIST_H
#define PLUG_PATTERN_LIST_H

#include "load/pattern.h"

extern const struct pattern_word pattern_constant;
extern const struct pattern_word pattern_ramp;
extern const struct pattern_word pattern_step;
extern const struct pattern_word pattern_spike;
extern const struct pattern_word pattern_stress;
extern const struct pattern_word pattern_soak;

#endif
