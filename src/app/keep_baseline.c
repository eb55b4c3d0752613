/* See keep_baseline.h. What the run itself was compared with is never replaced by it: a series of
 * small steps downhill would then always pass. */
#include "app/keep_baseline.h"

#include "base/error.h"
#include "record/baseline.h"
#include "run/open.h"

#include <string.h>

static const char *name_of(const struct plan *plan)
{
    const char *name = NULL;
    for (size_t i = 0; i < plan->label_count; i++)
        if (strcmp(plan->labels[i].name, "baseline") == 0)
            name = plan->labels[i].value;
    return name;
}

static size_t count_runs(const char *directory, const char *name)
{
    char **runs = NULL;
    size_t count = 0;
    if (baseline_runs(directory, name, &runs) == 0)
        while (runs[count])
            count++;
    baseline_list_free(runs);
    return count;
}

int keep_baseline(struct app *app, const struct plan *plan, const struct run_report *report,
                  FILE *say)
{
    const char *name = name_of(plan), *directory = plan->baselines;
    if (!name || !report->run_path || report->outcome != RUN_PASSED)
        return 0;
    if (!baseline_name_fits(name)) {
        fprintf(app->err,
                "plimsoll: the label \"baseline: %s\" is no name of a baseline: letters, digits, "
                "'.', '_' and '-'; the run is not kept as one\n",
                name);
        return RUN_FAILED;
    }
    if (plan->baseline && strcmp(plan->baseline, name) == 0) {
        if (say)
            fprintf(say, "baseline      %s stays as it is: this run was compared with it\n", name);
        return 0;
    }
    size_t before = count_runs(directory, name);
    int error = run_directory_make(directory);
    if (error == 0)
        error = baseline_store(directory, name, (const char *const *)&report->run_path, 1, false);
    if (error) {
        char sentence[100];
        fprintf(app->err, "plimsoll: the baseline %s can not be kept in %s: %s\n", name, directory,
                error_sentence(error, sentence, sizeof sentence));
        return RUN_FAILED;
    }
    if (say && before)
        fprintf(say, "baseline      this run is now %s, in place of %zu run%s (%s/%s)\n", name,
                before, before == 1 ? "" : "s", directory, name);
    else if (say)
        fprintf(say, "baseline      this run is now %s (%s/%s)\n", name, directory, name);
    return 0;
}
