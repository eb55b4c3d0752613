/* systemd: processor time or memory of a unit by its resource control, while it runs, by systemctl.
 * What is set is a property of the running system only (--runtime): a reboot forgets it, and at the
 * end the unit gets back what its files say.
 *
 *   Source   systemd.resource-control(5), systemctl(1): set-property --runtime; an empty value
 *            returns a property to its default. */
#include "base/memory.h"
#include "base/unit.h"
#include "plug/scaler/await.h"
#include "plug/scaler/scaler_list.h"
#include "plug/scaler/script.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum what { WHAT_CPU, WHAT_MEMORY };

struct systemd_config {
    char *unit, *health;
    int what;
    bool restart, user;
    nsec_t wait_ns, timeout_ns;
};

struct systemd {
    const struct systemd_config *config;
    const struct scaler_place *place;
    double first_restarts; /* NRestarts when it was opened */
};

#define CONFIG(member) offsetof(struct systemd_config, member)

static const struct setting_word what_words[] = {
    {"cpu", "CPUQuota, in cores"}, {"memory", "MemoryMax, in bytes"}, {NULL, NULL}};

static const struct setting settings[] = {
    {.name = "unit",
     .type = SETTING_TEXT,
     .offset = CONFIG(unit),
     .required = true,
     .sentence = "the unit, such as gateway.service"},
    {.name = "what",
     .type = SETTING_CHOICE,
     .offset = CONFIG(what),
     .words = what_words,
     .unset = "cpu",
     .sentence = "what the size is"},
    {.name = "restart",
     .type = SETTING_BOOL,
     .offset = CONFIG(restart),
     .unset = "false",
     .sentence = "restart it after each change, for services that look at their limits once"},
    {.name = "user",
     .type = SETTING_BOOL,
     .offset = CONFIG(user),
     .unset = "false",
     .sentence = "a unit of your own service manager"},
    {.name = "health",
     .type = SETTING_TEXT,
     .offset = CONFIG(health),
     .sentence = "URL that answers 2xx when it is healthy"},
    {.name = "wait",
     .type = SETTING_DURATION,
     .offset = CONFIG(wait_ns),
     .unset = "60s",
     .sentence = "how long that may take"},
    {.name = "timeout",
     .type = SETTING_DURATION,
     .offset = CONFIG(timeout_ns),
     .unset = "60s",
     .sentence = "how long systemctl may take"},
    {.name = NULL},
};

/* systemctl VERB UNIT..., with --user where that is meant. */
static int control(const struct systemd *systemd, const char *const *more,
                   const atomic_bool *cancel, struct text *said, struct text *why)
{
    const char *words[12] = {"systemctl", systemd->config->user ? "--user" : "--system",
                             "--no-ask-password"};
    size_t count = 3;
    while (*more && count < 11)
        words[count++] = *more++;
    return script_run(words, systemd->config->timeout_ns, cancel, said, why);
}

static const char *property(const struct systemd *systemd)
{
    return systemd->config->what == WHAT_CPU ? "CPUQuota" : "MemoryMax";
}

/* "500ms" of a second is half a core; "infinity" none. */
static double read_quota(const char *words)
{
    nsec_t duration_ns = 0;
    struct text joined = TEXT_EMPTY;
    for (const char *at = words; *at; at++) /* "1s 500ms" */
        if (*at != ' ')
            text_putc(&joined, *at);
    double cores = INFINITY;
    if (strcmp(words, "infinity") != 0 &&
        unit_read_duration(text_span(&joined), 0, &duration_ns) == 0)
        cores = (double)duration_ns / (double)NSEC_PER_SEC;
    text_fini(&joined);
    return cores;
}

static double read_bytes(const char *words)
{
    uint64_t bytes = 0;
    return span_uint(span_of(words), &bytes) == 0 && bytes < UINT64_MAX / 2 ? (double)bytes
                                                                            : INFINITY;
}

struct unit_view {
    bool loaded, active;
    double size, restarts;
};

static int show(const struct systemd *systemd, struct unit_view *out, struct text *why)
{
    const char *const words[] = {"show", systemd->config->unit, "-p",
                                 "LoadState,ActiveState,NRestarts,CPUQuotaPerSecUSec,MemoryMax",
                                 NULL};
    struct text said = TEXT_EMPTY, value = TEXT_EMPTY;
    int rc = control(systemd, words, systemd->place->cancel, &said, why);
    if (rc == 0) {
        script_value(&said, "LoadState", &value);
        out->loaded = strcmp(value.at, "loaded") == 0;
        script_value(&said, "ActiveState", &value);
        out->active = strcmp(value.at, "active") == 0;
        script_value(&said, "NRestarts", &value);
        out->restarts = isinf(read_bytes(value.at)) ? 0 : read_bytes(value.at);
        bool cpu = systemd->config->what == WHAT_CPU;
        script_value(&said, cpu ? "CPUQuotaPerSecUSec" : "MemoryMax", &value);
        out->size = cpu ? read_quota(value.at) : read_bytes(value.at);
    }
    text_fini(&said);
    text_fini(&value);
    return rc;
}

static int systemd_open(const void *config, const struct scaler_place *place, void **self,
                        struct text *why)
{
    struct systemd *systemd = memory_new(1, sizeof *systemd);
    struct unit_view view;
    *systemd = (struct systemd){.config = config, .place = place};
    int rc = show(systemd, &view, why);
    if (rc == 0 && !view.loaded) {
        text_printf(why, "systemd knows no unit %s", systemd->config->unit);
        rc = SCALER_ABSENT;
    }
    if (rc) {
        free(systemd);
        return rc;
    }
    systemd->first_restarts = view.restarts;
    *self = systemd;
    return 0;
}

static int systemd_look(void *self, struct scaler_view *out, struct text *why)
{
    struct systemd *systemd = self;
    struct unit_view view;
    int rc = show(systemd, &view, why);
    if (rc)
        return rc;
    double more = view.restarts - systemd->first_restarts;
    *out = (struct scaler_view){.instances = NAN,
                                .ready = view.active,
                                .size = view.size,
                                .restarts = more > 0 ? (uint64_t)more : 0,
                                .size_unit = systemd->config->what ? "bytes" : "cores"};
    return 0;
}

static int systemd_save(void *self, struct text *state, struct text *why)
{
    struct systemd *systemd = self;
    struct unit_view view;
    int rc = show(systemd, &view, why);
    if (rc == 0)
        text_printf(state, "%s=%.17g", property(systemd), view.size);
    return rc;
}

/* Sets the property; an infinite size returns it to what the unit's files say. */
static int set(struct systemd *systemd, double size, const atomic_bool *cancel, struct text *why)
{
    char words[96];
    struct text said = TEXT_EMPTY;
    if (isinf(size))
        snprintf(words, sizeof words, "%s=", property(systemd));
    else if (systemd->config->what == WHAT_CPU)
        snprintf(words, sizeof words, "CPUQuota=%.15g%%", size * 100);
    else
        snprintf(words, sizeof words, "MemoryMax=%.0f", size);
    const char *const change[] = {"set-property", "--runtime", systemd->config->unit, words, NULL};
    const char *const restart[] = {"restart", systemd->config->unit, NULL};
    int rc = control(systemd, change, cancel, &said, why);
    if (rc == 0 && systemd->config->restart)
        rc = control(systemd, restart, cancel, &said, why);
    text_fini(&said);
    struct await await = {
        .url = systemd->config->health, .timeout_ns = systemd->config->wait_ns, .cancel = cancel};
    return rc == 0 && systemd->config->health ? await_healthy(&await, why) : rc;
}

static int systemd_apply(void *self, const struct scaler_goal *goal, struct text *why)
{
    struct systemd *systemd = self;
    if (isnan(goal->size))
        return 0;
    return set(systemd, goal->size > 0 ? goal->size : INFINITY, systemd->place->cancel, why);
}

static int systemd_restore(void *self, const char *state, struct text *why)
{
    struct systemd *systemd = self;
    const char *equals = strchr(state, '=');
    if (!equals) {
        text_puts(why, "the saved state is none of this scaler");
        return SCALER_FAILED;
    }
    double size = strtod(equals + 1, NULL);
    int rc = set(systemd, size, NULL, why);
    if (rc)
        text_printf(why, "; by hand: systemctl revert %s", systemd->config->unit);
    return rc;
}

const struct scaler scaler_systemd = {
    .name = "systemd",
    .sentence = "processor time or memory of a unit, while it runs",
    .settings = settings,
    .config_bytes = sizeof(struct systemd_config),
    .axes = SCALER_SIZE,
    .size_unit = "cores",
    .open = systemd_open,
    .look = systemd_look,
    .save = systemd_save,
    .apply = systemd_apply,
    .restore = systemd_restore,
    .close = free,
};
