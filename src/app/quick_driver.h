/* app/quick_driver.h - a URL and --driver on the command line: which verb of the driver is meant,
 * and which of its settings the options set. */
#ifndef APP_QUICK_DRIVER_H
#define APP_QUICK_DRIVER_H

#include "app/option.h"
#include "app/verb.h"
#include "plan/read.h"

enum { QUICK_DRIVER_SETTINGS = 8 };

struct quick_driver {
    const char *verb; /* NULL: plain HTTP */
    struct plan_pair settings[QUICK_DRIVER_SETTINGS];
    char *goodput; /* private: "ttft:500 tpot:15" as a map */
};

/* Reads --driver and the options that go with it. The verb is the one whose own path the URL ends
 * with, else the driver's first. Returns 0, or the exit code after saying what is wrong. */
int quick_driver_read(struct app *app, const struct verb *verb, const struct arguments *arguments,
                      const char *url, struct quick_driver *out);

/* Frees what it holds. */
void quick_driver_fini(struct quick_driver *driver);

#endif
