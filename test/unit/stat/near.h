/* What the numeric tests share: cmocka behind what it needs, and a comparison that shows digits. */
#ifndef TEST_NEAR_H
#define TEST_NEAR_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
/* cmocka needs what stands above it. */
/* clang-format off */
#include <cmocka.h>
/* clang-format on */

/* Relative difference at most this; of a wanted 0, absolute. */
#define assert_near(value, wanted, relative)                                                       \
    do {                                                                                           \
        double is_ = (value), wanted_ = (wanted);                                                  \
        double scale_ = wanted_ != 0 ? fabs(wanted_) : 1;                                          \
        if (!(fabs(is_ - wanted_) <= (relative)*scale_))                                           \
            fail_msg(#value ": %.12g, not %.12g", is_, wanted_);                                   \
    } while (0)

#endif
