/* run/doctor/finding.h - what a diagnosis found, each with what to do about it. */
#ifndef RUN_DOCTOR_FINDING_H
#define RUN_DOCTOR_FINDING_H

#include <stddef.h>

enum finding_grade {
    FINDING_FINE,    /* looked at, nothing to do */
    FINDING_UNKNOWN, /* this machine does not say */
    FINDING_WARNING, /* may falsify or limit a test */
    FINDING_PROBLEM, /* a test cannot be run, or cannot be trusted */
};

struct finding {
    enum finding_grade grade;
    char *area;   /* "generator", "kernel", "network", "storage", "gpu", "target", "probe" */
    char *name;   /* "descriptors" */
    char *words;  /* one sentence with figures, without full stop */
    char *remedy; /* what to do; NULL: nothing */
};

struct findings {
    struct finding *items;
    size_t count;
    size_t warnings, problems;
};

/* Adds one whose words are printed as printf would. area, name: copied. */
void finding_add(struct findings *findings, enum finding_grade grade, const char *area,
                 const char *name, const char *format, ...) __attribute__((format(printf, 5, 6)));
/* Says what to do about the one added last. */
void finding_remedy(struct findings *findings, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void findings_fini(struct findings *findings);

/* "ok", "unknown", "warning", "problem". */
const char *finding_grade_word(enum finding_grade grade);

#endif
