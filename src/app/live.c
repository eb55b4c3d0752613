/* One line each time: where the run is, and the last ten seconds. */
#include "app/live.h"

#include "base/memory.h"
#include "base/unit.h"

#include <stdlib.h>

struct live {
    FILE *out;
    const struct plan *plan;
};

struct live *live_new(FILE *out, const struct terminal *terminal, const struct plan *plan)
{
    (void)terminal;
    struct live *live = memory_new(1, sizeof *live);
    *live = (struct live){.out = out, .plan = plan};
    return live;
}

struct live *live_free(struct live *live)
{
    free(live);
    return NULL;
}

void live_clear(struct live *live)
{
    (void)live;
}

void live_show(struct live *live, const struct run_progress *progress)
{
    if (!live)
        return;
    char elapsed[UNIT_ROOM], planned[UNIT_ROOM], p95[UNIT_ROOM] = "-";
    const struct result *recent = progress->recent;
    struct result_sum *sum = result_window(recent, 0, recent->end_ns, UINT32_MAX);
    nsec_t value = 0;
    if (hist_quantile(result_hist(sum, HIST_RESPONSE), 0.95, &value) == 0)
        unit_write_duration(p95, value);
    fprintf(live->out, "%s of %s  %.1f req/s  p95 %s  generator %s\n",
            unit_write_duration(elapsed, progress->elapsed_ns),
            unit_write_duration(planned, progress->planned_ns),
            (double)sum->counters[COUNT_SUCCEEDED] / ((double)(sum->end_ns - sum->begin_ns) / 1e9),
            p95, progress->generator);
    fflush(live->out);
    result_sum_free(sum, &recent->metrics);
}
