/* app/quick_driver.h - a URL and --driver on the command line: which verb of the driver is meant,
 * and which of its settings the options set. */
#ifndef APP_QUICK_DRIVER_H
#define APP_QUICK_DRIVER_H

#include "app/option.h"
#include "app/quick_data.h"
#include "app/verb.h"
#include "plan/read.h"

enum { QUICK_DRIVER_SETTINGS = 12 };

struct quick_driver {
    const char *verb;                 /* NULL: plain HTTP */
    const struct request_verb *words; /* of it */
    size_t count;                     /* of settings */
    struct plan_pair settings[QUICK_DRIVER_SETTINGS];
    char *goodput; /* private: "ttft:500 tpot:15" as a map */
};

/* The name of the driver with a verb whose own path the URL ends with; NULL: none. */
const char *quick_driver_of(const struct plug_list *plugs, const char *url);

/* Reads --driver and the options that go with it. The verb is the one whose own path the URL ends
 * with (of several the first of which the options can say all), else the driver's first. Returns 0,
 * or the exit code after saying what is wrong. */
int quick_driver_read(struct app *app, const struct verb *verb, const struct arguments *arguments,
                      const char *url, struct quick_driver *out);

/* The same where --driver may be left out: the driver is then the one whose own path the URL ends
 * with (/api/generate, /v1/chat/completions), else plain HTTP. */
int quick_driver_guess(struct app *app, const struct verb *verb, const struct arguments *arguments,
                       const char *url, struct quick_driver *out);

/* Lets its requests take their prompts, and the lengths of answers, from data. Returns 0, or the
 * exit code after saying that this verb takes none. */
int quick_driver_take_data(struct app *app, const struct verb *verb, const struct quick_data *data,
                           struct quick_driver *out);

/* Frees what it holds. */
void quick_driver_fini(struct quick_driver *driver);

#endif
