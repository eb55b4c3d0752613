/* A baseline load test of a research agent, from C: ten users for two minutes, an availability of
 * 99 %, 95 of 100 replies within 1.5 s; then a spike, then the standard set if asked for.
 *
 *   cc research_baseline.c -o research_baseline $(pkg-config --cflags --libs plimsoll)
 *   ./research_baseline http://127.0.0.1:8000 [SCALE [standard]]
 *
 * SCALE multiplies all durations: 0.1 is a rehearsal. Ends with 0 when both objectives were met. */
#include <plimsoll/plimsoll.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Ctrl-C ends the run gracefully, and at once when it comes again. */
static volatile sig_atomic_t stop;

static void on_interrupt(int number)
{
    (void)number;
    stop++;
}

static void show_progress(void *self, const struct plimsoll_progress *progress)
{
    (void)self;
    fprintf(stderr, "%4.0f of %.0f s  %3.0f users  %6.1f req/s  %llu requests, %llu failed\n",
            progress->elapsed_seconds, progress->planned_seconds, progress->active_users,
            progress->requests_per_second, (unsigned long long)progress->requests,
            (unsigned long long)progress->failed_requests);
}

static const char *word(enum plimsoll_answer answer)
{
    return answer == PLIMSOLL_YES ? "PASS" : answer == PLIMSOLL_NO ? "FAIL" : "UNKNOWN";
}

static void show(const struct plimsoll_report *report)
{
    struct plimsoll_values values = PLIMSOLL_VALUES_INIT;
    const char *kind;
    uint64_t count;
    if (plimsoll_report_values(report, NULL, 0, &values) != 0)
        return;
    printf("requests %llu, failed %llu, %.1f a second, %.3f MB/s\n",
           (unsigned long long)values.total_requests, (unsigned long long)values.failed_requests,
           values.requests_per_second, values.megabytes_per_second);
    printf("response p50 %.1f, p95 %.1f, p99 %.1f ms of %llu\n", values.response.p50_ms,
           values.response.p95_ms, values.response.p99_ms,
           (unsigned long long)values.response.count);
    for (size_t i = 0; plimsoll_report_error(report, i, &kind, &count) == 0; i++)
        if (count)
            printf("error %s: %llu\n", kind, (unsigned long long)count);
    printf("SLO availability: %s\n", word(plimsoll_report_slo_availability(report)));
    printf("SLO p95 latency: %s\n", word(plimsoll_report_slo_latency_p95(report)));
}

/* Runs the plan, which it frees; says what came of it, and saves it. Returns the outcome. */
static int run(struct plimsoll_plan *plan, const char *scale)
{
    struct plimsoll_options options = PLIMSOLL_OPTIONS_INIT;
    struct plimsoll_report *report = NULL;
    options.directory = "runs";
    options.progress = show_progress;
    options.stop = &stop;
    if (scale)
        plimsoll_plan_set(plan, "time_scale", scale);
    int error = plimsoll_run(plan, &options, &report);
    plimsoll_plan_free(plan);
    if (error) {
        fprintf(stderr, "the run could not begin: %s\n", strerror(-error));
        return PLIMSOLL_FAILED;
    }
    int outcome = (int)plimsoll_report_outcome(report);
    show(report);
    if (outcome != PLIMSOLL_PASSED)
        printf("outcome %d: %s\n", outcome, plimsoll_report_sentence(report));
    if (plimsoll_report_path(report) && plimsoll_report_save(report, "reports") != 0)
        fprintf(stderr, "the reports could not be written\n");
    plimsoll_report_free(report);
    return outcome;
}

static int run_standard_set(const char *target, const char *scale)
{
    int worst = 0;
    const char *name;
    for (size_t i = 0; !stop && (name = plimsoll_standard_scenario(i)) != NULL; i++) {
        struct plimsoll_plan *plan = plimsoll_plan_of_scenario(name);
        plimsoll_plan_set(plan, "target", target);
        printf("-- %s\n", name);
        int outcome = run(plan, scale);
        worst = outcome > worst ? outcome : worst;
    }
    return worst;
}

int main(int argc, char **argv)
{
    const char *target = argc > 1 ? argv[1] : "http://127.0.0.1:8000";
    const char *scale = argc > 2 ? argv[2] : NULL;
    const struct plimsoll_header headers[] = {{"Content-Type", "application/json"}};
    struct plimsoll_config config = PLIMSOLL_CONFIG_INIT;
    char url[1000];

    signal(SIGINT, on_interrupt);
    if (argc > 3 && strcmp(argv[3], "standard") == 0)
        return run_standard_set(target, scale);

    snprintf(url, sizeof url, "%s/api/v1/agents/research/execute", target);
    config.name = "research_agent_baseline";
    config.description = "Baseline load test for research agent";
    config.target_url = url;
    config.method = "POST";
    config.headers = headers;
    config.header_count = 1;
    config.payload = "{\"query\": \"Research latest AI developments\", "
                     "\"research_scope\": \"broad\"}";
    config.concurrent_users = 10;
    config.duration_seconds = 120;
    config.ramp_up_seconds = 30;
    config.think_time_seconds = 2.0;
    config.load_pattern = PLIMSOLL_CONSTANT;
    config.success_rate_threshold = 99.0;
    config.latency_p95_threshold_ms = 1500.0;
    return run(plimsoll_plan_of_config(&config), scale);
}
