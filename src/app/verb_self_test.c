/* plimsoll self-test: the engine against a server that does nothing, both on this host. What it
 * finds is the floor under every other measurement made here. */
#include "app/null_server.h"
#include "app/self_test.h"
#include "app/verb.h"
#include "base/error.h"
#include "base/unit.h"
#include "plan/read.h"
#include "run/run.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <time.h>

#define TIMER_WAIT_NS (NSEC_PER_MSEC)

enum { TIMER_WAITS = 500, CLOSED_USERS = 64, OPEN_RATE_MOST = 5000 };

static const struct option options[] = {
    {"duration", 't', .kind = OPTION_DURATION, .positive = true, .value = "TIME",
     .sentence = "of each of its two loads (3s)"},
    {"dry", 0, .kind = OPTION_FLAG, .sentence = "do not keep the result"},
    {.name = NULL},
};

/* One load against the null server. */
struct load {
    uint64_t users;
    double rate;
    nsec_t duration_ns;
    uint16_t port;
};

/* Makes it; report's owner is the caller. Returns 0 or 1 after saying why. */
static int make_load(struct app *app, const struct load *load, struct run_report *report)
{
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%u/", load->port);
    struct plan_quick quick = {
        .url = url, .users = load->users, .rate = load->rate, .duration_ns = load->duration_ns};
    struct plan_override one_thread = {.path = "threads", .words = "1", .flag = "self-test"};
    char *nothing[] = {NULL};
    struct plan_source source = {
        .overrides = &one_thread, .override_count = 1, .environment = nothing};
    struct plan_reading reading = {.plan = NULL};
    int error = plan_read_quick(&quick, &source, &app->plugs->vocabulary, &reading);
    *report = (struct run_report){.outcome = RUN_FAILED};
    if (error == 0 && reading.plan) {
        struct run_options how = {
            .plan = reading.plan,
            .drivers = app->plugs->drivers,
            .driver_count = app->plugs->driver_count,
            .version = PLIMSOLL_VERSION,
            .interrupts = app->interrupts,
        };
        error = run_plan(&how, report);
    }
    plan_reading_fini(&reading);
    if (error == 0 && report->result && report->outcome != RUN_INTERRUPTED)
        return 0;
    fprintf(app->err, "plimsoll: the self-test could not be run: %s\n",
            report->why ? report->why : "its plan could not be made");
    run_report_fini(report);
    return 1;
}

static int compare_times(const void *one, const void *other)
{
    nsec_t a = *(const nsec_t *)one, b = *(const nsec_t *)other;
    return (a > b) - (a < b);
}

/* How late a sleep of a millisecond ends on this machine. */
static void measure_timer(struct self_test_facts *facts)
{
    nsec_t late[TIMER_WAITS];
    for (size_t i = 0; i < TIMER_WAITS; i++) {
        nsec_t due = clock_monotonic_ns() + TIMER_WAIT_NS;
        struct timespec until = {.tv_sec = due / NSEC_PER_SEC, .tv_nsec = due % NSEC_PER_SEC};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
        late[i] = clock_monotonic_ns() - due;
    }
    qsort(late, TIMER_WAITS, sizeof *late, compare_times);
    self_test_facts_add(facts, "self_test.timer_p50_ns", "%" PRId64, late[TIMER_WAITS / 2]);
    self_test_facts_add(facts, "self_test.timer_p99_ns", "%" PRId64, late[TIMER_WAITS * 99 / 100]);
}

static nsec_t quantile(const struct result *result, uint32_t hist, double share)
{
    nsec_t value = 0;
    hist_quantile(result_hist(result->total, hist), share, &value);
    return value;
}

static double rate_of(const struct result *result)
{
    const struct result_sum *total = result->total;
    double length = (double)(total->end_ns - total->begin_ns) / 1e9;
    return length > 0 ? (double)total->counters[COUNT_SUCCEEDED] / length : 0;
}

static int measure_closed(struct app *app, struct load load, struct self_test_facts *facts,
                          double *rate)
{
    struct run_report report;
    load.users = CLOSED_USERS;
    if (make_load(app, &load, &report) != 0)
        return 1;
    char words[UNIT_ROOM];
    *rate = rate_of(report.result);
    self_test_facts_add(facts, "self_test.requests_per_s", "%.0f", *rate);
    fprintf(app->out,
            "  one loop thread makes    %s requests/s against a server that does nothing\n",
            unit_write_count(words, (uint64_t)*rate));
    run_report_fini(&report);
    return 0;
}

static int measure_open(struct app *app, struct load load, struct self_test_facts *facts)
{
    struct run_report report;
    if (make_load(app, &load, &report) != 0)
        return 1;
    const struct result *result = report.result;
    nsec_t response = quantile(result, HIST_RESPONSE, 0.5), lag = quantile(result, HIST_LATE, 0.99);
    uint64_t started = result->total->counters[COUNT_STARTED];
    double late = started ? (double)result->total->counters[COUNT_LATE] / (double)started : 0;
    char number[UNIT_ROOM], p50[UNIT_ROOM], p99[UNIT_ROOM], share[UNIT_ROOM];
    self_test_facts_add(facts, "self_test.open_rate", "%.0f", load.rate);
    self_test_facts_add(facts, "self_test.response_p50_ns", "%" PRId64, response);
    self_test_facts_add(facts, "self_test.lag_p99_ns", "%" PRId64, lag);
    self_test_facts_add(facts, "self_test.late_share", "%.6f", late);
    fprintf(app->out, "  the floor at %s/s      response p50 %s, the generator's own lag p99 %s\n",
            unit_write_count(number, (uint64_t)load.rate), unit_write_duration(p50, response),
            unit_write_duration(p99, lag));
    fprintf(app->out, "  late by over 1 ms        %s of arrivals\n", unit_write_share(share, late));
    run_report_fini(&report);
    return 0;
}

static int measure_all(struct app *app, nsec_t duration_ns, struct self_test_facts *facts)
{
    struct null_server *server = NULL;
    struct load load = {.duration_ns = duration_ns};
    int error = null_server_start(&server, &load.port);
    double rate = 0;
    if (error) {
        char sentence[100];
        fprintf(app->err, "plimsoll: the null server could not be started: %s\n",
                error_sentence(error, sentence, sizeof sentence));
        return RUN_FAILED;
    }
    measure_timer(facts);
    int code = measure_closed(app, load, facts, &rate);
    load.rate = fmin(OPEN_RATE_MOST, floor(rate / 4));
    if (code == 0 && load.rate >= 1)
        code = measure_open(app, load, facts);
    null_server_stop(server);
    return code ? RUN_FAILED : 0;
}

static int act(struct app *app, const struct verb *verb, const struct arguments *arguments)
{
    struct self_test_facts facts = {.items = NULL};
    nsec_t duration_ns = argument_duration(arguments, "duration", 3 * NSEC_PER_SEC);
    if (duration_ns < NSEC_PER_SEC / 10)
        return usage_error(app, verb, "a load of under 0.1 s says nothing");
    fputs("what this host's generator can do at best\n", app->out);
    int code = measure_all(app, duration_ns, &facts);
    if (code == 0 && !argument_given(arguments, "dry")) {
        char *path = NULL, sentence[100];
        self_test_facts_add(&facts, "self_test.version", "%s", PLIMSOLL_VERSION);
        int error = self_test_facts_write(app, &facts, &path);
        if (error)
            fprintf(app->err, "plimsoll: the result was not kept: %s\n",
                    error_sentence(error, sentence, sizeof sentence));
        else
            fprintf(app->out, "kept in %s; every later run here carries it\n", path);
        free(path);
    }
    self_test_facts_fini(&facts);
    return code;
}

const struct verb verb_self_test = {
    .name = "self-test",
    .sentence = "measure what this host's generator can do at best",
    .usage = "[OPTIONS]",
    .wordless = true,
    .options = options,
    .notes = "It runs the engine against a server in the same process, on one thread each.",
    .examples = {"plimsoll self-test", "plimsoll self-test -t 10s --dry"},
    .act = act,
};
