/* app/quick_data.h - prompts on the command line, in the words that vLLM's benchmark uses:
 * --random-input-len and its like, --dataset-name, --dataset-path. */
#ifndef APP_QUICK_DATA_H
#define APP_QUICK_DATA_H

#include "app/option.h"
#include "app/verb.h"

struct quick_data {
    char *prompts;     /* the data entry in YAML's flow form; NULL: none was asked for */
    const char *trace; /* file whose times are replayed; NULL: none */
    bool answers;      /* {{ prompts.output }} says how long answers are */
};

/* Reads them. Returns 0, or the exit code after saying what is wrong. Owner: caller,
 * quick_data_fini. */
int quick_data_read(struct app *app, const struct verb *verb, const struct arguments *arguments,
                    struct quick_data *out);
void quick_data_fini(struct quick_data *data);

#endif
