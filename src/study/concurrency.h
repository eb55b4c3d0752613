/* study/concurrency.h - how many calls a server executed at once, seen from outside, against the
 * number that it is said to keep to.
 *
 * From outside one sees when a call was sent and when its answer came; not when in between it was
 * executed and when it waited. What follows from that:
 *
 *   asked      calls sent and unanswered, their mean over the busiest stretch (Little's law: their
 *              times' sum / the stretch). The server cannot execute more than it was asked.
 *   executing  at least so many at some instant: a call is executed for at least as long as the
 *              fastest of its kind took in all, so n answers of kinds with fastest times f within a
 *              stretch T kept sum(f) of work inside T + max(f), and the most at once is at least
 *              the mean, sum(f) / (T + max(f)).
 *
 * That is a true lower bound where a tool's time varies little, and a weak one where it varies
 * much: an answer that is quick by luck makes f small, and `executing` with it. It never shows more
 * than there was, unless every execution as quick as the quickest had to wait.
 *   Source   J. D. C. Little, "A proof for the queuing formula L = lambda W" (1961)
 *   Test     test/unit/study/concurrency.c, test/integration/test_mcp_stdio.py */
#ifndef STUDY_CONCURRENCY_H
#define STUDY_CONCURRENCY_H

#include "record/result.h"

enum concurrency_verdict {
    CONCURRENCY_NOT_REACHED, /* it was never asked for more than the limit */
    CONCURRENCY_RESPECTED,   /* asked for more, it executed about the limit */
    CONCURRENCY_EXCEEDED,    /* it executed more */
    CONCURRENCY_UNKNOWN,     /* asked for more, it is only known that it executed some */
};

struct concurrency {
    uint64_t server;   /* number among those of the plan that declare a limit */
    uint64_t declared; /* calls at once */
    double asked, executing;
    enum concurrency_verdict verdict;
};

enum { CONCURRENCY_SERVERS = 8 };

/* Looks at every server for which the run has a declared limit (a fact "concurrency_limit REQUEST"
 * of value "LIMIT SERVER" for each of its requests). Fills up to CONCURRENCY_SERVERS; returns how
 * many. */
size_t concurrency_look(const struct result *result, struct concurrency out[CONCURRENCY_SERVERS]);

/* "respected", "exceeded", "not reached", "unknown". */
const char *concurrency_word(enum concurrency_verdict verdict);

#endif
