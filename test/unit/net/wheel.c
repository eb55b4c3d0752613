/* The timer wheel against a plain model: every timer fires once, never early, in order of its
 * instant up to the step with which the wheel is run, whatever the spans, stops and restarts. */
#include "net/wheel.h"
#include "base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

enum { TIMERS = 3000 };

struct probe {
    struct timer timer;
    nsec_t wanted_ns; /* 0: must not fire */
    nsec_t fired_ns;
    int times;
};

static void fired(struct timer *timer, nsec_t now_ns)
{
    struct probe *probe = list_entry(timer, struct probe, timer);
    probe->fired_ns = now_ns;
    probe->times++;
}

static nsec_t random_span(struct random *random)
{
    /* from nanoseconds to days, evenly over the orders of magnitude */
    uint64_t bits = 1 + random_below_of(random_next(random), 49);
    return (nsec_t)(random_next(random) & ((UINT64_C(1) << bits) - 1));
}

static void every_timer_fires_at_its_instant(void **state)
{
    (void)state;
    static struct wheel wheel;
    static struct probe probes[TIMERS];
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct random random = {.key = random_key(seed, "wheel", 0)};
        nsec_t now_ns = random_span(&random), lag_ns = 0;
        wheel_init(&wheel, now_ns);
        for (int i = 0; i < TIMERS; i++) {
            struct probe *probe = &probes[i];
            *probe = (struct probe){.wanted_ns = now_ns + random_span(&random)};
            list_init(&probe->timer.node);
            probe->timer.fire = fired;
            wheel_start(&wheel, &probe->timer, probe->wanted_ns);
        }
        for (int i = 0; i < TIMERS; i += 7) {
            wheel_stop(&wheel, &probes[i].timer);
            probes[i].wanted_ns = 0;
        }
        nsec_t last_ns = now_ns;
        while (wheel.count) {
            nsec_t next_ns = wheel_next(&wheel);
            assert_true(next_ns >= last_ns || next_ns == 1);
            if (next_ns > now_ns)
                now_ns = next_ns;
            if (random_below_of(random_next(&random), 4) == 0)
                now_ns += random_span(&random) % (NSEC_PER_SEC / 100); /* a late turn */
            wheel_run(&wheel, now_ns, &lag_ns);
            for (int i = 0; i < TIMERS; i++) {
                struct probe *probe = &probes[i];
                bool due = probe->wanted_ns && probe->wanted_ns <= now_ns;
                assert_int_equal(probe->times, due ? 1 : 0);
                if (probe->times && probe->wanted_ns > last_ns)
                    assert_true(probe->fired_ns >= probe->wanted_ns);
            }
            last_ns = now_ns;
        }
        assert_true(wheel_next(&wheel) == NSEC_NEVER);
    }
}

/* Run at exactly the instants that wheel_next gives, no timer is late at all. */
static void exact_when_run_in_time(void **state)
{
    (void)state;
    static struct wheel wheel;
    static struct probe probes[TIMERS];
    struct random random = {.key = random_key(5, "wheel", 1)};
    nsec_t now_ns = 12345, lag_ns = 0;
    wheel_init(&wheel, now_ns);
    for (int i = 0; i < TIMERS; i++) {
        probes[i] = (struct probe){.wanted_ns = now_ns + 1 + random_span(&random)};
        list_init(&probes[i].timer.node);
        probes[i].timer.fire = fired;
        wheel_start(&wheel, &probes[i].timer, probes[i].wanted_ns);
    }
    for (nsec_t next_ns; (next_ns = wheel_next(&wheel)) != NSEC_NEVER;) {
        assert_true(next_ns >= now_ns);
        now_ns = next_ns;
        wheel_run(&wheel, now_ns, &lag_ns);
    }
    for (int i = 0; i < TIMERS; i++)
        assert_int_equal(probes[i].fired_ns, probes[i].wanted_ns);
    assert_int_equal(lag_ns, 0);
}

struct chain {
    struct timer timer;
    struct wheel *wheel;
    struct timer *victim;
    int left;
};

static void chain_fired(struct timer *timer, nsec_t now_ns)
{
    struct chain *chain = list_entry(timer, struct chain, timer);
    if (chain->victim)
        wheel_stop(chain->wheel, chain->victim);
    if (--chain->left > 0)
        wheel_start(chain->wheel, timer, now_ns + 1000);
}

/* A timer may start itself again and stop another that is due in the same run. */
static void timers_may_start_and_stop_timers(void **state)
{
    (void)state;
    static struct wheel wheel;
    wheel_init(&wheel, 0);
    struct probe victim = {.wanted_ns = 500};
    list_init(&victim.timer.node);
    victim.timer.fire = fired;
    struct chain chain = {.wheel = &wheel, .victim = &victim.timer, .left = 1000};
    list_init(&chain.timer.node);
    chain.timer.fire = chain_fired;
    wheel_start(&wheel, &chain.timer, 400);
    wheel_start(&wheel, &victim.timer, 500);
    nsec_t lag_ns = 0;
    nsec_t now_ns = 600;
    for (int turns = 0; wheel.count && turns < 5000; turns++) {
        wheel_run(&wheel, now_ns, &lag_ns);
        now_ns += 700;
    }
    assert_int_equal(victim.times, 0);
    assert_int_equal(chain.left, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_timer_fires_at_its_instant),
        cmocka_unit_test(exact_when_run_in_time),
        cmocka_unit_test(timers_may_start_and_stop_timers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
