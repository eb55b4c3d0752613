/* What is watched: written probes and those of every run, their names and roles, and the settings
 * that come from the environment. */
#include "words.h"

#include <math.h>

static struct plan *read_watch(const char *watch, char *const *environment)
{
    struct text plan = TEXT_EMPTY;
    text_puts(&plan, "target: http://127.0.0.1:1\nscenarios:\n"
                     "  s: {vus: 1, duration: 1s, tasks: [{get: /}]}\n");
    text_puts(&plan, watch);
    struct plan_reading reading = test_read(plan.at, environment);
    test_accepted(&reading);
    struct plan *read = reading.plan;
    reading.plan = NULL;
    plan_reading_fini(&reading);
    text_fini(&plan);
    return read;
}

static void assert_thing(const struct plan *plan, size_t number, const char *word, const char *name,
                         const char *role)
{
    assert_true(number < plan->watch.thing_count);
    const struct plan_watched *thing = &plan->watch.things[number];
    assert_string_equal(thing->probe.word, word);
    assert_string_equal(thing->name, name);
    assert_string_equal(thing->role, role);
}

static void every_run_watches_its_machine(void **state)
{
    (void)state;
    struct plan *plan = read_watch("", NULL);
    assert_int_equal(plan->watch.thing_count, 3);
    assert_thing(plan, 0, "host", "generator", "generator");
    assert_thing(plan, 1, "cpu", "generator", "generator");
    assert_thing(plan, 2, "process", "generator", "generator");
    assert_string_equal(((struct test_process *)plan->watch.things[2].probe.config)->name, "self");
    assert_int_equal(plan->watch.interval_ns, NSEC_PER_SEC);
    assert_float_equal(plan->watch.cpu, 0.80, 1e-9);
    assert_float_equal(plan->watch.memory, 0.85, 1e-9);
    assert_float_equal(plan->watch.gpu, 0.90, 1e-9);
    plan_free(plan);
    plan = read_watch("watch: {local: false}\n", NULL);
    assert_int_equal(plan->watch.thing_count, 0);
    plan_free(plan);
}

static void written_probes_have_names_and_roles(void **state)
{
    (void)state;
    struct plan *plan = read_watch("watch:\n"
                                   "  interval: 100ms\n"
                                   "  probes:\n"
                                   "    - {host: local, role: database, interval: 5s}\n"
                                   "    - {process: {port: 8000}, name: api, role: gateway}\n"
                                   "    - {process: qdrant}\n"
                                   "    - {process: self, name: me}\n"
                                   "    - slow\n",
                                   NULL);
    assert_int_equal(plan->watch.interval_ns, 100 * NSEC_PER_MSEC);
    assert_int_equal(plan->watch.thing_count, 6);
    assert_thing(plan, 0, "host", "database", "database");
    assert_int_equal(plan->watch.things[0].interval_ns, 5 * NSEC_PER_SEC);
    assert_thing(plan, 1, "cpu", "database", "database"); /* the host's companion */
    assert_int_equal(plan->watch.things[1].interval_ns, 5 * NSEC_PER_SEC);
    assert_thing(plan, 2, "process", "api", "gateway");
    const struct test_process *process = plan->watch.things[2].probe.config;
    assert_int_equal(process->port, 8000);
    assert_null(process->name);
    assert_int_equal(plan->watch.things[2].probe.line, 8);
    assert_thing(plan, 3, "process", "qdrant", "process");
    assert_thing(plan, 4, "process", "me", "generator"); /* so the run's own is not added again */
    assert_thing(plan, 5, "slow", "slow", "slow");
    plan_free(plan);
}

static void the_environment_sets_limits(void **state)
{
    (void)state;
    char *environment[] = {
        (char *)"SCALABILITY_MONITORING_INTERVAL=10", (char *)"SCALABILITY_THRESHOLD_CPU=75",
        (char *)"SCALABILITY_THRESHOLD_MEMORY=70%", (char *)"SCALABILITY_THRESHOLD_GPU=0.95", NULL};
    struct plan *plan = read_watch("watch:\n"
                                   "  thresholds: {cpu: 50}\n"
                                   "  stop:\n"
                                   "    - {metric: cpu.busy, of: gateway, above: 95%, for: 10s}\n"
                                   "    - {metric: memory.available, below: 1000}\n",
                                   environment);
    assert_int_equal(plan->watch.interval_ns, 10 * NSEC_PER_SEC);
    assert_float_equal(plan->watch.cpu, 0.75, 1e-9); /* the environment stands above the plan */
    assert_float_equal(plan->watch.memory, 0.70, 1e-9);
    assert_float_equal(plan->watch.gpu, 0.95, 1e-9);
    assert_int_equal(plan->watch.stop_count, 2);
    assert_string_equal(plan->watch.stops[0].metric, "cpu.busy");
    assert_string_equal(plan->watch.stops[0].thing, "gateway");
    assert_float_equal(plan->watch.stops[0].above, 0.95, 1e-9);
    assert_true(isnan(plan->watch.stops[0].below));
    assert_int_equal(plan->watch.stops[0].hold_ns, 10 * NSEC_PER_SEC);
    assert_float_equal(plan->watch.stops[1].below, 1000, 1e-9);
    assert_int_equal(plan->watch.stops[1].hold_ns, 30 * NSEC_PER_SEC);
    plan_free(plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_run_watches_its_machine),
        cmocka_unit_test(written_probes_have_names_and_roles),
        cmocka_unit_test(the_environment_sets_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
