/* testbed/faults.h - what goes wrong on purpose, seeded: the fault of request n is a function of
 * the seed and n alone, and each request has at most one. */
#ifndef TESTBED_FAULTS_H
#define TESTBED_FAULTS_H

#include "testbed/testbed.h"

enum fault {
    FAULT_NONE,
    FAULT_ERROR,     /* 500 at once, without any service */
    FAULT_RESET,     /* half of the reply, then RST */
    FAULT_STALL,     /* stall_ns of silence before the reply, or in the middle of a stream */
    FAULT_TRUNCATE,  /* a part of the promised body, then the end */
    FAULT_MALFORMED, /* bytes that are not HTTP, then the end */
    FAULT_SLOW,      /* slow_bytes at a time */
};

struct faults {
    struct fault_options options;
    uint64_t key;
    uint64_t drawn;  /* requests asked for */
    uint64_t struck; /* of these, with a fault */
    bool any;
};

/* Begins anew; request 0 is the next. */
void faults_init(struct faults *faults, const struct fault_options *options);
/* The fault of the next request. */
enum fault faults_draw(struct faults *faults);
/* The fault of request number. */
enum fault faults_at(const struct faults *faults, uint64_t number);

#endif
