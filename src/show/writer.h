/* show/writer.h - the contract of reports: a result in, bytes out. Writers are plug-ins
 * (plug/writer/). */
#ifndef SHOW_WRITER_H
#define SHOW_WRITER_H

#include "base/text.h"
#include "record/result.h"

#include <stdbool.h>

struct show_options {
    bool colour;             /* ANSI colours are wanted (a terminal, NO_COLOR unset) */
    unsigned columns;        /* width of the terminal; 80 through a pipe */
    const char *run_path;    /* of the run file, for "run:" lines; or NULL */
    const char *report_path; /* of report.html, or NULL */
};

struct writer {
    const char
        *name; /* "text", "json", "csv", "markdown", "html", "junit", "prometheus", "null" ... */
    const char *file; /* what it is called in the output directory: "report.html"; NULL: none */
    const char *sentence;
    bool
        traced; /* reads the trace of single requests from run_path: plan setting trace: requests */
    /* Appends the report. Returns 0 or -errno (-ENODATA: the run has no trace). */
    int (*write)(const struct result *result, const struct show_options *options, struct text *out);
};

#endif
