/* app/trace_output.h - what is made of a run's trace of single requests: other tools' metrics,
 * vLLM's result file, the requests themselves. */
#ifndef APP_TRACE_OUTPUT_H
#define APP_TRACE_OUTPUT_H

#include "app/verb.h"
#include "record/result.h"

#include <stdbool.h>

/* Whether the words name tools ("vllm", or several with commas); else says so as an error of usage.
 */
bool trace_tools_fit(struct app *app, const struct verb *verb, const char *words);

/* Prints the tools' metrics beside ours. Returns 0 or an exit code after saying what is wrong. */
int trace_put_compat(struct app *app, const struct result *result, const char *run_path,
                     const char *tools, FILE *out);

/* Where vLLM's result file goes. */
struct trace_vllm_file {
    const char *directory, *name; /* NULL: the working directory, the name that vLLM would give */
};

/* Writes vLLM's result file and says where it is, unless quiet. Returns as above. */
int trace_save_vllm(struct app *app, const struct result *result, const char *run_path,
                    struct trace_vllm_file where, bool quiet);

/* Writes each request as a row: CSV, or JSON lines where the name ends in .jsonl; "-" prints them.
 * Returns as above. */
int trace_export(struct app *app, const char *run_path, const char *file);

#endif
