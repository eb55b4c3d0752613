/* Opens what a run would watch and looks twice, since rates want two readings. */
#include "run/doctor/doctor.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "watch/watch.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *const area = "probes";

enum { BETWEEN_LOOKS_MS = 200, LEAST_INTERVAL_MS = 100, METRICS_SHOWN = 3 };

/* What came of one thing: how many values, and the first word against it. */
struct seen {
    size_t values;
    char *kind, *words;
};

struct looking {
    struct seen *seen; /* by thing */
};

static void take_sample(void *self, const struct watch_sample *sample)
{
    ((struct looking *)self)->seen[sample->watched].values++;
}

static void take_event(void *self, size_t watched, nsec_t at_ns, const char *kind,
                       const char *words)
{
    struct seen *seen = &((struct looking *)self)->seen[watched];
    (void)at_ns;
    if (seen->words || (strcmp(kind, "absent") != 0 && strcmp(kind, "gap") != 0))
        return;
    seen->kind = memory_copy_text(kind);
    seen->words = memory_copy_text(words);
}

static void judge(const struct plan_watched *thing, const struct probe *probe,
                  const struct seen *seen, struct findings *findings)
{
    bool absent = seen->kind && strcmp(seen->kind, "absent") == 0;
    if (seen->values > 0 && !absent)
        finding_add(findings, FINDING_FINE, area, probe->name, "%s: %zu figures%s%s", thing->name,
                    seen->values, seen->words ? "; " : "", seen->words ? seen->words : "");
    else if (thing->probe.line == 0) /* nobody asked for it by name */
        finding_add(findings, FINDING_UNKNOWN, area, probe->name, "%s",
                    seen->words ? seen->words : "nothing can be read here");
    else {
        finding_add(findings, FINDING_PROBLEM, area, probe->name, "%s: %s", thing->name,
                    seen->words ? seen->words : "nothing can be read");
        finding_remedy(findings,
                       "the plan asks for it (line %u): correct what it names, or give "
                       "this process the right to read it",
                       thing->probe.line);
    }
}

void doctor_probes(const struct plan *plan, const struct probe *const *probes, size_t probe_count,
                   struct findings *findings)
{
    size_t count = plan->watch.thing_count;
    struct watched *things = memory_new(count + 1, sizeof *things);
    struct looking looking = {.seen = memory_new(count + 1, sizeof *looking.seen)};
    for (size_t i = 0; i < count; i++) {
        const struct plan_watched *thing = &plan->watch.things[i];
        check(thing->probe.number >= 0 && (size_t)thing->probe.number < probe_count);
        things[i] = (struct watched){.name = thing->name,
                                     .role = thing->role,
                                     .probe = probes[thing->probe.number],
                                     .config = thing->probe.config};
    }
    struct watch_options options = {.things = things,
                                    .thing_count = count,
                                    .interval_ns = LEAST_INTERVAL_MS * NSEC_PER_MSEC,
                                    .target = plan->target,
                                    .sample = take_sample,
                                    .event = take_event,
                                    .self = &looking};
    struct watch *watch = NULL;
    if (watch_new(&options, &watch) == 0) {
        watch_look(watch, clock_monotonic_ns());
        nanosleep(&(struct timespec){.tv_nsec = BETWEEN_LOOKS_MS * NSEC_PER_MSEC}, NULL);
        watch_look(watch, clock_monotonic_ns());
        watch_free(watch);
    }
    for (size_t i = 0; i < count; i++) {
        judge(&plan->watch.things[i], things[i].probe, &looking.seen[i], findings);
        free(looking.seen[i].kind);
        free(looking.seen[i].words);
    }
    free(looking.seen);
    free(things);
}
