/* null: remembers what it was told and changes nothing: for plans in which somebody else scales,
 * and for tests of those who call scalers. With `fail` it refuses the step named. */
#include "base/memory.h"
#include "plug/scaler/await.h"
#include "plug/scaler/scaler_list.h"

#include <math.h>
#include <stdlib.h>

enum fail { FAIL_NEVER, FAIL_OPEN, FAIL_SAVE, FAIL_APPLY, FAIL_RESTORE };

struct null_config {
    double instances, size;
    nsec_t takes_ns;
    int fail;
};

struct null {
    const struct null_config *config;
    const struct scaler_place *place;
    double instances, size;
};

static const struct setting_word fail_words[] = {{"never", "everything goes well"},
                                                 {"open", "it is not there"},
                                                 {"save", "the state can not be told"},
                                                 {"apply", "no goal is reached"},
                                                 {"restore", "the state can not be restored"},
                                                 {NULL, NULL}};

static const struct setting settings[] = {
    {.name = "instances",
     .type = SETTING_REAL,
     .offset = offsetof(struct null_config, instances),
     .unset = "1",
     .unit = "instances",
     .sentence = "how many there are to begin with"},
    {.name = "size",
     .type = SETTING_REAL,
     .offset = offsetof(struct null_config, size),
     .unset = "1",
     .sentence = "how large they are to begin with"},
    {.name = "takes",
     .type = SETTING_DURATION,
     .offset = offsetof(struct null_config, takes_ns),
     .unset = "0",
     .sentence = "how long a change takes"},
    {.name = "fail",
     .type = SETTING_CHOICE,
     .offset = offsetof(struct null_config, fail),
     .words = fail_words,
     .unset = "never",
     .sentence = "which step fails"},
    {.name = NULL},
};

static int refuse(const struct null_config *config, enum fail step, struct text *why)
{
    if (config->fail != (int)step)
        return 0;
    text_printf(why, "this is made to fail at %s", fail_words[step].word);
    return step == FAIL_OPEN ? SCALER_ABSENT : SCALER_FAILED;
}

static int null_open(const void *config, const struct scaler_place *place, void **self,
                     struct text *why)
{
    const struct null_config *own = config;
    if (refuse(own, FAIL_OPEN, why))
        return SCALER_ABSENT;
    struct null *null = memory_new(1, sizeof *null);
    *null = (struct null){
        .config = own, .place = place, .instances = own->instances, .size = own->size};
    *self = null;
    return 0;
}

static int null_look(void *self, struct scaler_view *out, struct text *why)
{
    const struct null *null = self;
    (void)why;
    *out = (struct scaler_view){
        .instances = null->instances, .ready = null->instances, .size = null->size};
    return 0;
}

static int null_save(void *self, struct text *state, struct text *why)
{
    const struct null *null = self;
    text_printf(state, "%.17g %.17g", null->instances, null->size);
    return refuse(null->config, FAIL_SAVE, why);
}

static int null_apply(void *self, const struct scaler_goal *goal, struct text *why)
{
    struct null *null = self;
    int rc = refuse(null->config, FAIL_APPLY, why);
    if (rc)
        return rc;
    if (!await_pause(null->config->takes_ns, null->place->cancel)) {
        text_puts(why, "given up, as was asked");
        return SCALER_TIMEOUT;
    }
    null->instances = isnan(goal->instances) ? null->instances : goal->instances;
    null->size = isnan(goal->size) ? null->size : goal->size;
    return 0;
}

static int null_restore(void *self, const char *state, struct text *why)
{
    struct null *null = self;
    char *rest = NULL;
    int rc = refuse(null->config, FAIL_RESTORE, why);
    if (rc)
        return rc;
    null->instances = strtod(state, &rest);
    null->size = strtod(rest, NULL);
    return 0;
}

const struct scaler scaler_null = {
    .name = "null",
    .sentence = "changes nothing: somebody else scales, or nobody",
    .settings = settings,
    .config_bytes = sizeof(struct null_config),
    .axes = SCALER_INSTANCES | SCALER_SIZE,
    .open = null_open,
    .look = null_look,
    .save = null_save,
    .apply = null_apply,
    .restore = null_restore,
    .close = free,
};
