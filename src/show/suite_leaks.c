/* Slopes are shown an hour, since one a second is too small to read. */
#include "show/suite_leaks.h"

#include "base/unit.h"
#include "study/leak.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define HOUR_S 3600

static const char *by_hour(char out[UNIT_ROOM + 2], const struct level_resource *resource,
                           double slope)
{
    char number[UNIT_ROOM];
    double size = fabs(slope) * HOUR_S;
    if (strcmp(resource->unit, "bytes") == 0)
        unit_write_bytes(number, size);
    else
        snprintf(number, sizeof number, size < 100 ? "%.3g" : "%.0f", size);
    snprintf(out, UNIT_ROOM + 2, "%s%s", slope < 0 ? "-" : "", number);
    return out;
}

static void put_leak(const struct level_resource *resource, enum leak leak, bool markdown,
                     struct text *out)
{
    char slope[UNIT_ROOM + 2], low[UNIT_ROOM + 2], high[UNIT_ROOM + 2];
    text_printf(out, "%s%s %s%s%s: %s an hour (%s to %s): %s\n", markdown ? "- " : "",
                resource->thing, resource->metric, resource->part[0] ? " " : "", resource->part,
                by_hour(slope, resource, resource->slope),
                by_hour(low, resource, resource->slope_low),
                by_hour(high, resource, resource->slope_high),
                leak == LEAK_GROWS ? "LEAK" : "no leak seen");
}

void suite_leaks(const struct level_series *series, bool markdown, struct text *out)
{
    bool asked = false;
    for (size_t i = 0; i < series->level_count; i++) {
        const struct level *level = &series->levels[i];
        for (size_t k = 0; k < level->resource_count; k++) {
            enum leak leak = leak_of(level, &level->resources[k]);
            if (leak == LEAK_NOT_ASKED)
                continue;
            if (!asked)
                text_printf(out, "\nGrowth at constant load, with its 95 %% interval:\n%s",
                            markdown ? "\n" : "");
            put_leak(&level->resources[k], leak, markdown, out);
            asked = true;
        }
    }
    if (!asked)
        text_puts(out, "\nleaks not observed: neither memory nor descriptors of the target were "
                       "watched\nlong enough; name it in the plan, for example\n"
                       "watch: { probes: [ process: { port: 8000 } ] }\n");
}
