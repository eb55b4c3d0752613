/* plimsoll scale mixed: several plans at once. */
#include "app/scale.h"

#include "base/error.h"
#include "base/memory.h"
#include "run/mixed.h"

#include <stdlib.h>

static void said(void *self, enum log_level level, const char *words)
{
    struct app *app = self;
    (void)level;
    fprintf(app->err, "plimsoll: %s\n", words);
}

static int run(struct app *app, const struct scale_order *order, struct plan *const *plans,
               size_t count)
{
    char *directory = scale_directory(plans[0], "mixed", false);
    struct log log = {.most = LOG_NOTICE, .say = said, .self = app};
    struct mixed_options options = {
        .run = {.drivers = app->plugs->drivers,
                .driver_count = app->plugs->driver_count,
                .probes = app->plugs->probes,
                .probe_count = app->plugs->probe_count,
                .directory = directory,
                .version = PLIMSOLL_VERSION,
                .log = order->quiet ? NULL : &log,
                .interrupts = app->interrupts},
        .plans = plans,
        .count = count,
        .offset_ns = order->offset_ns,
    };
    struct suite_report report;
    int error = mixed_run(&options, &report);
    int code = error ? RUN_FAILED : scale_conclude(app, order, directory, &report);
    char sentence[100];
    if (error)
        fprintf(app->err, "plimsoll: %s\n", error_sentence(error, sentence, sizeof sentence));
    suite_report_fini(&report);
    free(directory);
    return code;
}

int scale_mixed(struct app *app, const struct scale_order *order, const char *const *files,
                size_t count)
{
    struct plan_reading *readings = memory_new(count, sizeof *readings);
    struct plan **plans = memory_new(count, sizeof(struct plan *));
    struct launch how = order->launch;
    size_t read = 0;
    int code = 0;
    for (; read < count && code == 0; read++) {
        how.file = files[read];
        code = launch_read(app, &how, &readings[read]);
        plans[read] = readings[read].plan;
    }
    for (size_t i = 0; i < count && code == 0 && order->dry_run; i++)
        fprintf(app->out, "%s against %s, %.1f s after the first\n", plans[i]->name,
                plans[i]->target ? plans[i]->target : "its own targets",
                (double)i * (double)order->offset_ns / 1e9);
    if (code == 0 && !order->dry_run)
        code = run(app, order, plans, count);
    for (size_t i = 0; i < read; i++)
        plan_reading_fini(&readings[i]);
    free(plans);
    free(readings);
    return code;
}
