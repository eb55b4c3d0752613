/* The rules of generator.h as a table: one row a cause, with the figure it looks at and its two
 * limits. The worst state wins; among causes of equal state the first in the table is named. */
#include "run/generator.h"

#include <math.h>
#include <stdio.h>

static double share_of_time(const struct generator_interval *interval, double part_ns)
{
    nsec_t length = interval->end_ns - interval->begin_ns;
    return length > 0 ? part_ns / (double)length : 0;
}

static double figure_busy(const struct generator_interval *i)
{
    return i->busy_share;
}

static double figure_late(const struct generator_interval *i)
{
    if (i->late < 3 || i->started == 0)
        return 0;
    double share = (double)i->late / (double)i->started;
    /* A few late ones prove no saturation, nor do many that the answers dwarf. */
    bool matters = i->late >= 10 && 10 * i->late_p95_ns >= i->response_p50_ns;
    return matters ? share : fmin(share, 0.049);
}

static double figure_lag(const struct generator_interval *i)
{
    return (double)i->loop_lag_ns;
}

static double figure_run_delay(const struct generator_interval *i)
{
    return share_of_time(i, i->run_delay_ns);
}

static double figure_throttled(const struct generator_interval *i)
{
    return i->throttled_share;
}

static double figure_stolen(const struct generator_interval *i)
{
    return i->steal_share;
}

static double figure_exhausted(const struct generator_interval *i)
{
    return (double)i->local_errors;
}

static double figure_suspended(const struct generator_interval *i)
{
    return (double)i->suspended_ns;
}

static double figure_shared(const struct generator_interval *i)
{
    return i->machine_share;
}

static double figure_overflow(const struct generator_interval *i)
{
    return (double)i->listen_overflows;
}

static double figure_descriptors(const struct generator_interval *i)
{
    return 1 - i->descriptors_left;
}

static double figure_ports(const struct generator_interval *i)
{
    return 1 - i->ports_left;
}

static double figure_clock(const struct generator_interval *i)
{
    return fabs((double)i->clock_step_ns);
}

/* A cause: the figure, from where on it makes an interval suspect or saturated, and its sentence
 * with the worst figure times `scale`. */
struct rule {
    double (*figure)(const struct generator_interval *interval);
    double suspect, saturated;
    double scale;
    const char *sentence;
};

static const struct rule rules[GENERATOR_CAUSES] = {
    [GENERATOR_EXHAUSTED] = {figure_exhausted, 1, 1, 1,
                             "%.0f requests failed for want of a port, descriptor or memory here"},
    [GENERATOR_SUSPENDED] = {figure_suspended, 1e6, 1e6, 1e-9,
                             "the machine was suspended for %.1f s"},
    [GENERATOR_BUSY] = {figure_busy, 0.80, 0.95, 100, "a loop thread was busy for %.0f %%"},
    [GENERATOR_LATE] = {figure_late, 0.01, 0.05, 100, "%.1f %% of requests started late"},
    [GENERATOR_RUN_DELAY] = {figure_run_delay, 0.05, 0.25, 100,
                             "a loop thread waited for a processor for %.0f %% of the time"},
    [GENERATOR_THROTTLED] = {figure_throttled, 0.0001, 0.10, 100,
                             "the cgroup was throttled for %.1f %% of the time"},
    [GENERATOR_STOLEN] = {figure_stolen, 0.05, INFINITY, 100,
                          "the hypervisor took %.0f %% of processor time"},
    [GENERATOR_LAG] = {figure_lag, 20e6, INFINITY, 1e-6, "a timer fired %.0f ms late"},
    [GENERATOR_SHARED] = {figure_shared, 0.95, INFINITY, 100,
                          "generator and target share this machine, %.0f %% busy"},
    [GENERATOR_OVERFLOW] = {figure_overflow, 1, INFINITY, 1,
                            "listening queues on this machine overflowed %.0f times"},
    [GENERATOR_DESCRIPTORS] = {figure_descriptors, 0.95, INFINITY, 100,
                               "%.0f %% of the file descriptors were in use"},
    [GENERATOR_PORTS] = {figure_ports, 0.95, INFINITY, 100, "%.0f %% of the ports were in use"},
    [GENERATOR_CLOCK] = {figure_clock, 100e6, INFINITY, 1e-6,
                         "the wall clock was set by %.0f ms (durations are not affected)"},
};

/* The order in which causes are named when several have the same state. */
static const enum generator_cause order[GENERATOR_CAUSES] = {
    GENERATOR_EXHAUSTED, GENERATOR_SUSPENDED, GENERATOR_THROTTLED,   GENERATOR_RUN_DELAY,
    GENERATOR_BUSY,      GENERATOR_LATE,      GENERATOR_STOLEN,      GENERATOR_SHARED,
    GENERATOR_LAG,       GENERATOR_OVERFLOW,  GENERATOR_DESCRIPTORS, GENERATOR_PORTS,
    GENERATOR_CLOCK,
};

static void words_for(enum generator_cause cause, double figure, char words[GENERATOR_WORDS])
{
    snprintf(words, GENERATOR_WORDS, rules[cause].sentence, figure * rules[cause].scale);
}

static enum generator_state state_of(const struct generator_account *generator,
                                     enum generator_cause cause, double figure)
{
    if (cause == GENERATOR_SHARED && !generator->shares_machine)
        return GENERATOR_OK;
    if (cause == GENERATOR_OVERFLOW && !generator->shares_machine)
        return GENERATOR_OK; /* somebody else's listener: not ours, not the target's */
    if (figure >= rules[cause].saturated)
        return GENERATOR_SATURATED;
    return figure >= rules[cause].suspect ? GENERATOR_SUSPECT : GENERATOR_OK;
}

static void count_in(struct generator_account *generator, const struct generator_interval *interval,
                     enum generator_state state)
{
    nsec_t length = interval->end_ns - interval->begin_ns;
    generator->intervals++;
    generator->measured_ns += length;
    generator->started += interval->started;
    generator->late += interval->late;
    generator->cpu_ns += interval->cpu_ns;
    generator->thread_ns += (double)length * interval->threads;
    if (state == GENERATOR_SATURATED) {
        generator->saturated++;
        generator->saturated_ns += length;
    } else if (state == GENERATOR_SUSPECT) {
        generator->suspect_ns += length;
    }
}

enum generator_state generator_add(struct generator_account *generator,
                                   const struct generator_interval *interval,
                                   char words[GENERATOR_WORDS])
{
    enum generator_state worst = GENERATOR_OK;
    enum generator_cause named = GENERATOR_CAUSES;
    double named_figure = 0;
    for (size_t i = 0; i < GENERATOR_CAUSES; i++) {
        enum generator_cause cause = order[i];
        double figure = rules[cause].figure(interval);
        enum generator_state state = state_of(generator, cause, figure);
        if (state > worst) {
            worst = state;
            named = cause;
            named_figure = figure;
        }
    }
    words[0] = '\0';
    if (worst != GENERATOR_OK)
        words_for(named, named_figure, words);
    if (interval->measured) {
        count_in(generator, interval, worst);
        if (worst != GENERATOR_OK) {
            generator->cause_ns[named] += interval->end_ns - interval->begin_ns;
            generator->cause_worst[named] = fmax(generator->cause_worst[named], named_figure);
        }
    }
    return worst;
}

/* The cause that held longest among those whose worst figure reaches the state. */
static enum generator_cause chief_cause(const struct generator_account *generator,
                                        enum generator_state state)
{
    enum generator_cause chief = GENERATOR_CAUSES;
    for (size_t i = 0; i < GENERATOR_CAUSES; i++) {
        enum generator_cause cause = order[i];
        if (generator->cause_ns[cause] == 0 ||
            state_of(generator, cause, generator->cause_worst[cause]) < state)
            continue;
        if (chief == GENERATOR_CAUSES || generator->cause_ns[cause] > generator->cause_ns[chief])
            chief = cause;
    }
    return chief;
}

enum generator_state generator_verdict(const struct generator_account *generator,
                                       char words[GENERATOR_WORDS])
{
    double measured = (double)generator->measured_ns;
    enum generator_state state = GENERATOR_OK;
    words[0] = '\0';
    if (generator->saturated && (double)generator->saturated_ns >= 0.10 * measured &&
        (generator->saturated >= 2 || generator->saturated == generator->intervals))
        state = GENERATOR_SATURATED;
    else if (generator->saturated ||
             (generator->suspect_ns > 0 && (double)generator->suspect_ns >= 0.10 * measured))
        state = GENERATOR_SUSPECT;
    if (state == GENERATOR_OK)
        return state;
    bool saturated = generator->saturated > 0;
    enum generator_cause chief =
        chief_cause(generator, saturated ? GENERATOR_SATURATED : GENERATOR_SUSPECT);
    if (chief == GENERATOR_CAUSES)
        return state;
    words_for(chief, generator->cause_worst[chief], words);
    char figure[GENERATOR_WORDS];
    snprintf(figure, sizeof figure, "%s", words);
    snprintf(words, GENERATOR_WORDS, "%.150s (in %.3g of %.3g s)", figure,
             (double)generator->cause_ns[chief] / 1e9, measured / 1e9);
    return state;
}

const char *generator_state_word(enum generator_state state)
{
    static const char *const words[] = {"ok", "suspect", "saturated"};
    return words[state];
}

double generator_cpu_share(const struct generator_account *generator)
{
    return generator->thread_ns > 0 ? generator->cpu_ns / generator->thread_ns : 0;
}
