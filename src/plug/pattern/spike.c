/* spike: a steady load with bursts of several times as much, which come again each period; it ends
 * calm, so that the recovery from the last one is seen too. */
#include "plug/pattern/pattern_list.h"
#include "plug/pattern/shape.h"

#include <stdio.h>

enum { SPIKES_MOST = 1000 };

struct spike {
    double multiplier;
    nsec_t length_ns, period_ns;
};

static const struct setting settings[] = {
    {.name = "multiplier",
     .type = SETTING_REAL,
     .offset = offsetof(struct spike, multiplier),
     .least = 1,
     .most = 1000,
     .unset = "3",
     .aliases = "spike_multiplier",
     .sentence = "load in a spike, against the load between them"},
    {.name = "length",
     .type = SETTING_DURATION,
     .offset = offsetof(struct spike, length_ns),
     .least = 0.1,
     .unset = "30s",
     .aliases = "spike_duration spike_duration_seconds",
     .sentence = "how long a spike lasts"},
    {.name = "period",
     .type = SETTING_DURATION,
     .offset = offsetof(struct spike, period_ns),
     .unset = "0",
     .sentence = "from the end of one spike to that of the next; 0 is three times the length"},
    {.name = NULL},
};

static int expand(const void *config, struct plan_scenario *scenario, struct notes *notes)
{
    const struct spike *spike = config;
    double base = scenario_peak(scenario), high = base * spike->multiplier;
    if (shape_needs_peak(scenario, notes) | shape_needs_duration(scenario, notes))
        return 1;
    if (!scenario_is_open(scenario))
        high = (double)(uint64_t)(high + 0.5);
    nsec_t period = spike->period_ns ? spike->period_ns : 3 * spike->length_ns;
    nsec_t calm = period - spike->length_ns;
    if (calm <= 0) {
        notes_error(notes, "period must be longer than the spike's length, which is a part of it");
        return 1;
    }
    nsec_t count = scenario->duration_ns / period;
    if (count < 1 || count > SPIKES_MOST) {
        notes_error(notes, "the duration must hold between 1 and 1,000 spikes; it holds %lld",
                    (long long)count);
        return 1;
    }
    scenario->start_target = base;
    for (nsec_t i = 0; i < count;
         i++) { /* half a calm before the first spike, half after the last */
        char prefix[64];
        snprintf(prefix, sizeof prefix, "calm %lld: ", (long long)i + 1);
        shape_level(scenario, i ? calm : calm / 2, base, prefix);
        shape_level(scenario, spike->length_ns, high,
                    shape_number(prefix, "spike", (size_t)i + 1, (size_t)count));
    }
    shape_level(scenario, calm - calm / 2 + scenario->duration_ns - count * period, base,
                "calm at the end: ");
    return 0;
}

const struct pattern_word pattern_spike = {
    .word = "spike",
    .aliases = "SPIKE_TEST spike_test",
    .sentence = "a steady load with bursts of several times as much",
    .settings = settings,
    .config_bytes = sizeof(struct spike),
    .expand = expand,
};
