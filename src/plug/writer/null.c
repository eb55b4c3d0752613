/* The report that says nothing: for benchmarks, and to test those who call writers. */
#include "plug/writer/writer_list.h"

static int write_null(const struct result *result, const struct show_options *options,
                      struct text *out)
{
    (void)result;
    (void)options;
    (void)out;
    return 0;
}

const struct writer writer_null = {
    .name = "null",
    .file = NULL,
    .sentence = "writes nothing",
    .write = write_null,
};
