/* load/pattern.h - the contract of named load patterns (plug/pattern/): each expands its few
 * settings into an executor and stages. It is the row type of plan/vocabulary.h, named here for
 * those who write one. */
#ifndef LOAD_PATTERN_H
#define LOAD_PATTERN_H

#include "plan/vocabulary.h"

/* A pattern plug-in is a `const struct pattern_word`. */

#endif
