/* The probe that watches nothing: its value is how often it was asked. It tests whoever asks. */
#include "base/memory.h"
#include "plug/probe/probe_list.h"

#include <stdlib.h>

enum { LOOKS };

static const struct metric metrics[] = {
    [LOOKS] = {.name = "null.looks",
               .kind = METRIC_GAUGE,
               .unit = "looks",
               .sentence = "how often the probe was asked",
               .source = "plimsoll"},
    {.name = NULL},
};

static const struct setting settings[] = {{.name = NULL}};

static int null_open(const void *config, const struct probe_place *place, void **self,
                     struct text *why)
{
    (void)config;
    (void)place;
    (void)why;
    *self = memory_new(1, sizeof(double));
    return 0;
}

static int null_look(void *self, nsec_t at_ns, struct probe_sink *sink, struct text *why)
{
    double *looks = self;
    (void)at_ns;
    (void)why;
    probe_value(sink, LOOKS, "", ++*looks);
    return 0;
}

const struct probe probe_null = {
    .name = "null",
    .sentence = "nothing; it counts how often it was asked",
    .settings = settings,
    .metrics = metrics,
    .role = "nothing",
    .open = null_open,
    .look = null_look,
    .close = free,
};
