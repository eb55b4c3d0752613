/* A run from its plan to a closed file, as a list of steps; each may end it, and whatever was made
 * is then taken down in reverse order. Nothing is sent before everything that can be refused
 * without sending has been: compiling, arithmetic, the output directory, the services. */
#include "run/run.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/unit.h"
#include "host/machine.h"
#include "net/piped.h"
#include "plan/mask.h"
#include "run/advice.h"
#include "run/conduct.h"
#include "run/describe.h"
#include "run/health.h"
#include "run/need.h"
#include "run/open.h"
#include "run/program.h"
#include "run/reference.h"
#include "run/stop_file.h"
#include "study/threshold.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define READY_LOOK_NS (100 * NSEC_PER_MSEC)

/* A run and what it is made of, in order of making. */
struct run {
    const struct run_options *options;
    const struct plan *plan;
    uint32_t threads;
    struct program program;
    struct run_phase *phases;
    size_t phase_count;
    struct health *health;
    struct reference *reference; /* what it is compared with; or NULL */
    struct conduct conduct;
    char *path;
};

/* ---- what can be known beforehand -------------------------------------------------------------
 */

uint32_t run_threads(const struct plan *plan)
{
    struct machine machine;
    uint64_t threads = plan->threads;
    if (threads == 0) {
        machine_read("", &machine);
        if (!isnan(machine.cores_usable))
            threads = (uint64_t)ceil(machine.cores_usable);
        machine_fini(&machine);
    }
    struct need need = need_of(plan, threads);
    if (plan->threads == 0 && need.bounded && need.users && need.users < threads)
        threads = need.users;
    return threads ? (uint32_t)threads : 1;
}

/* How many servers the plan speaks to as child processes. only: it speaks to no others. */
static uint64_t child_servers(const struct program *program, bool *only)
{
    uint64_t servers = 0;
    *only = true;
    for (size_t i = 0; i < program->request_count; i++) {
        const struct driver *driver = program->drivers[program->plan->requests[i].driver];
        const struct piped_command *command =
            driver->command && program->compiled[i] ? driver->command(program->compiled[i]) : NULL;
        bool known = command == NULL;
        *only = *only && command;
        for (size_t k = 0; k < i && !known; k++) {
            const struct driver *other = program->drivers[program->plan->requests[k].driver];
            const struct piped_command *one = other->command && program->compiled[k]
                                                  ? other->command(program->compiled[k])
                                                  : NULL;
            known = one && piped_command_same(one, command);
        }
        servers += !known;
    }
    return servers;
}

static void check_need(const struct plan *plan, const struct program *program, struct notes *notes)
{
    struct need_limits limits;
    need_limits_read(&limits);
    struct need need = need_of(plan, run_threads(plan));
    bool only = false;
    uint64_t servers = child_servers(program, &only);
    if (servers)
        need_add_children(&need, plan, run_threads(plan), servers, only);
    need_check(&need, plan, &limits, notes);
    enum { MOST_SCENARIOS = sizeof((struct engine_control *)0)->scenario_stop / sizeof(int) };
    if (plan->scenario_count > MOST_SCENARIOS)
        notes_error(notes, "at most %d scenarios can run at once; the plan has %zu",
                    (int)MOST_SCENARIOS, plan->scenario_count);
}

void run_check(const struct run_options *options, struct notes *notes)
{
    struct program program;
    struct reference *reference = NULL;
    struct text why = TEXT_EMPTY;
    if (reference_read(options->plan, &reference, &why) != 0)
        notes_error(notes, "%s", why.at);
    reference_free(reference);
    text_fini(&why);
    program_init(&program, options->plan, options->drivers, options->driver_count, notes);
    check_need(options->plan, &program, notes);
    program_fini(&program);
}

/* ---- steps ------------------------------------------------------------------------------------
 */

/* Reads the baseline, and from it the limits that are multiples of what it has. */
static bool read_reference(struct run *run)
{
    struct text why = TEXT_EMPTY;
    int error = reference_read(run->plan, &run->reference, &why);
    if (error == 0 && run->reference)
        error = reference_limits(run->reference, run->conduct.guard, &why);
    if (error)
        conduct_blame(&run->conduct, RUN_BAD_PLAN, "%s; nothing was sent", why.at);
    text_fini(&why);
    return error == 0;
}

/* Compiles and refuses. False when the plan can not be run. */
static bool prepare(struct run *run)
{
    struct notes notes = {0};
    struct conduct *conduct = &run->conduct;
    program_init(&run->program, run->plan, run->options->drivers, run->options->driver_count,
                 &notes);
    run->phases = run_phases(run->plan, &run->phase_count);
    conduct->phases = run->phases;
    conduct->phase_count = run->phase_count;
    conduct->guard = guard_new(run->plan);
    check_need(run->plan, &run->program, &notes);
    if (notes.errors) {
        struct text words = TEXT_EMPTY;
        notes_write(&notes, NULL, &words);
        struct span trimmed = span_trim(text_span(&words));
        conduct_blame(conduct, RUN_BAD_PLAN, "%.*s", (int)trimmed.bytes, trimmed.at);
        text_fini(&words);
    }
    bool fine = notes.errors == 0;
    notes_fini(&notes);
    int error = fine && run->options->directory ? run_directory_make(run->options->directory) : 0;
    if (error) {
        char sentence[100];
        conduct_blame(conduct, RUN_FAILED, "the output directory %s can not be used: %s",
                      run->options->directory, error_sentence(error, sentence, sizeof sentence));
    }
    return fine && error == 0 && read_reference(run);
}

static bool await_services(struct run *run)
{
    run->health = memory_new(run->plan->service_count, sizeof *run->health);
    int outcome = health_wait(run->plan, run->options->interrupts, run->options->log, run->health);
    if (outcome == 0)
        return true;
    struct text words = TEXT_EMPTY;
    char sentence[100];
    if (outcome == HEALTH_INTERRUPTED)
        conduct_blame(&run->conduct, RUN_INTERRUPTED,
                      "interrupted while waiting for services; nothing was sent");
    else if (outcome < 0)
        conduct_blame(&run->conduct, RUN_FAILED, "services can not be asked: %s",
                      error_sentence(outcome, sentence, sizeof sentence));
    health_words(run->plan, run->health, &words);
    if (outcome == HEALTH_MISSING)
        conduct_blame(&run->conduct, RUN_FAILED, "%s; nothing was sent", words.at);
    text_fini(&words);
    return false;
}

/* Makes the threads ready, set-up tasks included. */
static bool make_ready(struct run *run)
{
    struct conduct *conduct = &run->conduct;
    conduct->team = team_new(&(struct team_options){.plan = run->plan,
                                                    .program = &run->program,
                                                    .phases = run->phases,
                                                    .phase_count = run->phase_count,
                                                    .threads = run->threads});
    int outcome = team_launch(conduct->team);
    if (outcome < 0) {
        char sentence[100];
        conduct_blame(conduct, RUN_FAILED, "threads can not be started: %s",
                      error_sentence(outcome, sentence, sizeof sentence));
        return false;
    }
    do {
        outcome = team_wait_ready(conduct->team, clock_monotonic_ns() + READY_LOOK_NS);
        if (*run->options->interrupts)
            team_stop(conduct->team, ENGINE_STOP_NOW);
    } while (outcome == TEAM_NOT_YET);
    if (*run->options->interrupts)
        conduct_blame(conduct, RUN_INTERRUPTED, "interrupted before the load began");
    else if (outcome == TEAM_FAILED)
        conduct_blame(conduct, RUN_FAILED, "%s", team_words(conduct->team));
    return outcome == 0 && !*run->options->interrupts;
}

static void fact_number(struct recorder *recorder, const char *name, double value)
{
    char words[40];
    snprintf(words, sizeof words, "%.10g", value);
    recorder_fact(recorder, name, words);
}

/* The machine as facts; what it does not say is left out. */
static void record_machine(struct recorder *recorder)
{
    struct machine machine;
    struct need_limits limits;
    machine_read("", &machine);
    need_limits_read(&limits);
    if (!isnan(machine.cores_usable))
        fact_number(recorder, "machine.cores_usable", machine.cores_usable);
    if (host_known(machine.memory_bytes))
        fact_number(recorder, "machine.memory_bytes", (double)machine.memory_bytes);
    if (limits.descriptors)
        fact_number(recorder, "machine.descriptors", (double)limits.descriptors);
    if (limits.ports)
        fact_number(recorder, "machine.ports", (double)limits.ports);
    machine_fini(&machine);
}

/* Tags of tasks, so that thresholds can be scoped to them also when the run is read without its
 * plan. */
static void record_tags(struct recorder *recorder, const struct plan *plan)
{
    for (size_t i = 0; i < plan->task_count; i++) {
        const struct plan_task *task = &plan->tasks[i];
        struct text name = TEXT_EMPTY, tags = TEXT_EMPTY;
        text_printf(&name, "tags %s", task->name);
        for (size_t k = 0; k < task->tags.count; k++)
            text_printf(&tags, "%s%s", k ? " " : "", task->tags.items[k]);
        if (task->tags.count)
            recorder_fact(recorder, name.at, tags.at);
        text_fini(&name);
        text_fini(&tags);
    }
}

/* What the plan says of servers' calls at once, for study/concurrency.h. */
static void record_limits(struct recorder *recorder, const struct program *program)
{
    for (size_t i = 0; i < program->request_count; i++) {
        const struct plan_request *request = &program->plan->requests[i];
        const struct driver *driver = program->drivers[request->driver];
        uint32_t server = 0;
        uint64_t limit = driver->concurrency_limit
                             ? driver->concurrency_limit(program->compiled[i], &server)
                             : 0;
        struct text name = TEXT_EMPTY, value = TEXT_EMPTY;
        text_printf(&name, "concurrency_limit %s", request->name);
        text_printf(&value, "%llu %u", (unsigned long long)limit, (unsigned)server);
        if (limit)
            recorder_fact(recorder, name.at, value.at);
        text_fini(&name);
        text_fini(&value);
    }
}

/* Writes down what happened before the load, at its first instant. */
static void record_beginnings(struct run *run)
{
    struct recorder *recorder = run->conduct.recorder;
    record_machine(recorder);
    for (size_t i = 0; i < run->options->fact_count; i++)
        recorder_fact(recorder, run->options->facts[i].name, run->options->facts[i].value);
    record_tags(recorder, run->plan);
    describe_load(recorder, run->plan);
    record_limits(recorder, &run->program);
    char needed[32];
    snprintf(needed, sizeof needed, "%.4g", run->plan->objectives_needed);
    if (run->plan->objective_count)
        recorder_fact(recorder, "objectives.needed", needed);
    for (size_t i = 0; i < run->plan->service_count; i++) {
        char took[UNIT_ROOM], words[200];
        if (!run->plan->services[i].health)
            continue;
        snprintf(words, sizeof words, "%.120s was healthy after %s", run->plan->services[i].name,
                 unit_write_duration(took, run->health[i].took_ns));
        recorder_event(recorder, 0, "health", words);
    }
}

static bool open_record(struct run *run)
{
    struct conduct *conduct = &run->conduct;
    struct run_open_options options = {
        .options = run->options,
        .metrics = &run->program.metrics,
        .phases = run->phases,
        .phase_count = run->phase_count,
        .threads = run->threads,
    };
    int error = run_open_record(&options, &conduct->recorder, &run->path);
    if (error) {
        char sentence[100];
        conduct_blame(conduct, error == -ENOSPC ? RUN_DISK_FULL : RUN_FAILED,
                      "the run file can not be made in %s: %s", run->options->directory,
                      error_sentence(error, sentence, sizeof sentence));
        return false;
    }
    if (run->path)
        stop_file_write(run->path);
    for (uint32_t i = 0; i < run->threads; i++)
        recorder_attach(conduct->recorder, team_tallies(conduct->team, i));
    conduct->overseer = overseer_new(run->plan, conduct->recorder, run->threads);
    record_beginnings(run);
    conduct->watching =
        watching_new(run->plan, run->options->probes, run->options->probe_count, conduct->recorder);
    return true;
}

static void tear_down(struct run *run)
{
    struct conduct *conduct = &run->conduct;
    if (team_error(conduct->team))
        conduct_blame(conduct, RUN_FAILED, "%s", team_words(conduct->team));
    if (run->plan->teardown_count == 0 || conduct->stop == ENGINE_STOP_NOW)
        return;
    int before = *run->options->interrupts, outcome;
    team_teardown(conduct->team);
    while ((outcome = team_wait_teardown(conduct->team, clock_monotonic_ns() + READY_LOOK_NS)) ==
           TEAM_NOT_YET)
        if (*run->options->interrupts > before)
            team_stop(conduct->team, ENGINE_STOP_NOW);
    if (outcome == TEAM_FAILED)
        conduct_blame(conduct, RUN_FAILED, "%s", team_words(conduct->team));
}

/* ---- the judgement ----------------------------------------------------------------------------
 */

static const char *outcome_word(enum run_outcome outcome)
{
    switch (outcome) {
    case RUN_PASSED:
        return "passed";
    case RUN_THRESHOLDS:
        return "thresholds";
    case RUN_INTERRUPTED:
        return "interrupted";
    case RUN_GENERATOR_SATURATED:
        return "saturated";
    case RUN_DISK_FULL:
        return "disk_full";
    case RUN_FAILED:
    case RUN_BAD_PLAN:
        break;
    }
    return "failed";
}

static size_t count_failed(const struct result_verdict *verdicts, size_t count)
{
    size_t failed = 0;
    for (size_t i = 0; i < count; i++)
        failed += !verdicts[i].objective && verdicts[i].verdict == VERDICT_FAILED;
    return failed;
}

/* Appends the words of the failure that came most often. Returns whether it was an answer. */
static bool put_chief_failure(const struct result *result, struct text *out)
{
    const struct result_example *chief = NULL;
    for (size_t i = 0; i < result->example_count; i++) {
        const struct result_example *example = &result->examples[i];
        if (example->error != COUNT_CHECKS_FAILED && (!chief || example->times > chief->times))
            chief = example;
    }
    if (!chief || !chief->words)
        return false;
    text_puts(out, ", most of them by: ");
    result_put_example(chief, out);
    return chief->status > 0;
}

/* A run in which nothing succeeded measured nothing, whatever else can be said of it. */
static void judge_success(struct conduct *conduct, const struct plan *plan,
                          const struct result *result)
{
    const uint64_t *counters = result->total->counters;
    uint64_t failed = counters[COUNT_FAILED] + counters[COUNT_TIMED_OUT];
    if (counters[COUNT_SUCCEEDED])
        return;
    if (!failed && counters[COUNT_ABANDONED])
        conduct_blame(conduct, RUN_FAILED,
                      "no request came to an end: %" PRIu64
                      " were still without an answer when the run was over",
                      counters[COUNT_ABANDONED]);
    if (!failed)
        return;
    char number[UNIT_ROOM];
    struct text words = TEXT_EMPTY;
    bool answers = put_chief_failure(result, &words);
    bool asks = words.bytes && words.at[words.bytes - 1] == '?'; /* and says what to look at */
    if (words.bytes && !asks && plan->target) {
        text_puts(&words, "; is ");
        text_put_masked(&words, plan->target);
        text_printf(&words, " the service you mean%s?", answers ? "" : ", and is it up");
    }
    conduct_blame(conduct, RUN_FAILED, "no request succeeded; %s failed%s",
                  unit_write_count(number, failed), words.bytes ? words.at : "");
    text_fini(&words);
}

/* What the verdicts make of a run that went as planned. A saturated generator is worse than a
 * failed threshold: the threshold was then judged by wrong figures. What stopped the run is said
 * all the same. */
static void judge(struct run *run, const struct result_verdict *verdicts, size_t count,
                  enum generator_state generator)
{
    struct conduct *conduct = &run->conduct;
    size_t met = 0, judged = 0, failed = count_failed(verdicts, count);
    bool reached = objectives_pass(verdicts, count, run->plan->objectives_needed, &met, &judged);
    struct text stopped = TEXT_EMPTY;
    if (conduct->outcome == RUN_THRESHOLDS && generator == GENERATOR_SATURATED &&
        !conduct->emergency) {
        conduct->outcome = RUN_PASSED;
        text_put(&stopped, text_span(&conduct->why));
        text_clear(&conduct->why);
    }
    if (generator == GENERATOR_SATURATED)
        conduct_blame(
            conduct, RUN_GENERATOR_SATURATED,
            "the generator was the bottleneck, so the figures are not the target's: ask for "
            "less (think time, a lower rate) or give it more (threads, a machine of its own)%s%s",
            stopped.bytes ? "; " : "", stopped.bytes ? stopped.at : "");
    text_fini(&stopped);
    if (failed)
        conduct_blame(conduct, RUN_THRESHOLDS, "%zu of %zu thresholds failed", failed,
                      run->plan->threshold_count);
    if (!reached && judged < run->plan->objective_count)
        conduct_blame(conduct, RUN_THRESHOLDS,
                      "%zu of %zu objectives met; %zu could not be judged: too little was observed",
                      met, run->plan->objective_count, run->plan->objective_count - judged);
    else if (!reached)
        conduct_blame(conduct, RUN_THRESHOLDS, "%zu of %zu objectives met", met, judged);
}

/* Judges, closes the file, and hands out the whole result. */
static void conclude(struct run *run, struct run_report *out)
{
    struct conduct *conduct = &run->conduct;
    struct recorder *recorder = conduct->recorder;
    recorder_drain(recorder);
    struct result *result = recorder_result(recorder, 0);
    overseer_judge(conduct->overseer, result, true);
    enum generator_state generator = overseer_conclude(conduct->overseer, result);
    reference_record(run->reference, result, recorder);
    advice_record(recorder, run->plan, result, overseer_shares_machine(conduct->overseer));
    size_t count = 0;
    struct result_verdict *verdicts =
        guard_verdicts(conduct->guard, result, result->end_ns, &count);
    if (result->total->counters[COUNT_SUCCEEDED] == 0) /* then it is not the generator's fault */
        generator = generator == GENERATOR_SATURATED ? GENERATOR_SUSPECT : generator;
    if (conduct->why.bytes)
        recorder_fact(recorder, "outcome.stopped", conduct->why.at);
    judge(run, verdicts, count, generator);
    judge_success(conduct, run->plan, result);
    recorder_fact(recorder, "outcome", outcome_word(conduct->outcome));
    if (conduct->why.bytes)
        recorder_fact(recorder, "outcome.reason", conduct->why.at);
    result_free(result);
    int error = recorder_close(recorder);
    if (error == 0 && run->path)
        error = result_store_verdicts(run->path, verdicts, count);
    if (error) {
        char sentence[100];
        error_sentence(error, sentence, sizeof sentence);
        conduct_blame(conduct, error == -ENOSPC ? RUN_DISK_FULL : RUN_FAILED,
                      "the run file could not be written to its end: %s", sentence);
    }
    out->result = recorder_result(recorder, 0);
    out->result->verdicts = verdicts;
    out->result->verdict_count = count;
}

/* Frees all but the path, which the report takes. */
static void run_fini(struct run *run)
{
    struct conduct *conduct = &run->conduct;
    team_free(conduct->team);
    overseer_free(conduct->overseer);
    watching_free(conduct->watching);
    recorder_free(conduct->recorder);
    if (run->path)
        stop_file_remove(run->path);
    guard_free(conduct->guard);
    reference_free(run->reference);
    free(run->health);
    run_phases_free(run->phases, run->phase_count);
    program_fini(&run->program);
    text_fini(&conduct->why);
}

int run_plan(const struct run_options *options, struct run_report *out)
{
    struct run run = {
        .options = options,
        .plan = options->plan,
        .threads = run_threads(options->plan),
        .conduct = {.options = options, .plan = options->plan},
    };
    *out = (struct run_report){.outcome = RUN_PASSED};
    if (prepare(&run) && await_services(&run) && make_ready(&run) && open_record(&run)) {
        conduct_load(&run.conduct);
        tear_down(&run);
        conclude(&run, out);
    }
    out->outcome = run.conduct.outcome;
    out->why = run.conduct.why.bytes ? text_take(&run.conduct.why) : NULL;
    run_fini(&run);
    out->run_path = run.path;
    return 0;
}

void run_report_fini(struct run_report *report)
{
    free(report->why);
    free(report->run_path);
    result_free(report->result);
    *report = (struct run_report){.outcome = RUN_PASSED};
}
