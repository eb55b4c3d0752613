/* testbed/timer_error.h - how late this machine's timers are: the bound on how punctually a reply
 * can leave. */
#ifndef TESTBED_TIMER_ERROR_H
#define TESTBED_TIMER_ERROR_H

#include "net/loop.h"

struct timer_error {
    nsec_t p50_ns, p99_ns;
    unsigned count;
};

/* Lets a timer fire every millisecond for 200 ms, turning the loop meanwhile. */
void timer_error_measure(struct loop *loop, struct timer_error *out);

#endif
