/* fuzz/target.h - what every fuzz target provides, in libFuzzer's words, so that the same file is
 * linked with libFuzzer (preset fuzz) or with driver.c (everywhere else, as a test). */
#ifndef FUZZ_TARGET_H
#define FUZZ_TARGET_H

#include "base/check.h"

#include <stddef.h>
#include <stdint.h>

/* Tries one input. What the input gets wrong is fine; what we get wrong ends the process. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

#endif
