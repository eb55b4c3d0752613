/* Scenarios: when users join and leave (closed model), and when arrivals come (open model). */
#include "base/check.h"
#include "base/memory.h"
#include "load/inside.h"

#include <math.h>
#include <stdlib.h>

enum { ARRIVALS_A_TURN = 256 }; /* then the loop gets its turn */

#define REDUCED_LOOK_NS (100 * NSEC_PER_MSEC)

static const double closeness = 1e-9; /* of a target: what rounding may do */

/* ---- closed model ------------------------------------------------------------------------------
 */

static double level_of(const struct crew *crew, size_t local)
{
    const struct engine_options *options = &crew->engine->options;
    return (double)(options->segment + local * options->segments) + 1;
}

static struct user *local_user(struct crew *crew, size_t local)
{
    const struct engine_options *options = &crew->engine->options;
    while (crew->user_count <= local) {
        if (crew->user_count == crew->user_room) {
            crew->user_room = crew->user_room ? 2 * crew->user_room : 64;
            crew->users = memory_resize(crew->users, crew->user_room, sizeof(struct user *));
        }
        uint64_t number = options->segment + crew->user_count * options->segments;
        crew->users[crew->user_count++] = user_new(crew, number);
    }
    return crew->users[local];
}

/* What the emergency stop leaves of the load: 1, unless it was reduced. */
static double share_left(const struct crew *crew)
{
    struct engine_control *control = crew->engine->options.control;
    uint32_t cut = atomic_load_explicit(&control->cut_millionths, memory_order_relaxed);
    return 1 - (double)cut / 1e6;
}

static void schedule_change(struct crew *crew, nsec_t since_ns)
{
    if (share_left(crew) < 1) { /* the course's instants are no longer when users come and go */
        if (since_ns + REDUCED_LOOK_NS < course_end(&crew->course))
            timer_start(crew->engine->loop, &crew->timer,
                        crew->engine->start_ns + since_ns + REDUCED_LOOK_NS);
        return;
    }
    nsec_t next_ns = course_reaches(&crew->course, level_of(crew, crew->active), since_ns);
    if (crew->active) {
        nsec_t fall_ns =
            course_falls_below(&crew->course, level_of(crew, crew->active - 1), since_ns);
        if (fall_ns < next_ns)
            next_ns = fall_ns;
    }
    if (next_ns != NSEC_NEVER && next_ns < course_end(&crew->course))
        timer_start(crew->engine->loop, &crew->timer, crew->engine->start_ns + next_ns);
}

/* Brings the number of users to what the course asks for. A user joins at the instant at which the
 * course reached it, also when the loop is late. */
static void follow_course(struct timer *timer, nsec_t now_ns)
{
    struct crew *crew = list_entry(timer, struct crew, timer);
    nsec_t since_ns = engine_since(crew->engine, now_ns);
    nsec_t last_ns = crew->changed_ns;
    double target = course_at(&crew->course, since_ns) * share_left(crew) + closeness;
    crew->begun = true;
    while (!crew->ended && target >= level_of(crew, crew->active)) {
        double level = level_of(crew, crew->active) - closeness;
        nsec_t at_ns =
            share_left(crew) < 1 ? since_ns : course_reaches(&crew->course, level, last_ns);
        user_join(local_user(crew, crew->active++), crew->engine->start_ns + at_ns);
    }
    while (crew->active && target < level_of(crew, crew->active - 1))
        user_leave(crew->users[--crew->active], crew->plan->graceful_ramp_down_ns);
    crew->changed_ns = since_ns;
    if (!crew->ended)
        schedule_change(crew, since_ns);
    crew_check_over(crew);
}

void crew_let_finish(struct crew *crew, struct user *user, nsec_t by_ns)
{
    user->leave_by_ns = by_ns;
    list_append(&crew->leaving, &user->node);
    if (!timer_running(&crew->leave_timer))
        timer_start(crew->engine->loop, &crew->leave_timer, by_ns);
}

/* The grace is the same for all, so that the first to leave is the first to be cut off. */
static void leave_now(struct timer *timer, nsec_t now_ns)
{
    struct crew *crew = list_entry(timer, struct crew, leave_timer);
    while (!list_empty(&crew->leaving)) {
        struct user *user = list_entry(crew->leaving.next, struct user, node);
        if (user->leave_by_ns > now_ns) {
            timer_start(crew->engine->loop, timer, user->leave_by_ns);
            return;
        }
        list_remove(&user->node);
        if (!user->job || user->job->farewell)
            continue;
        job_abandon(user->job, now_ns);
        user_part(user);
    }
    crew_check_over(crew);
}

/* ---- open model --------------------------------------------------------------------------------
 */

static void find_next_arrival(struct crew *crew)
{
    nsec_t at_ns = crew->ended ? NSEC_NEVER : arrivals_instant(crew->arrivals, crew->next_arrival);
    crew->next_arrival_ns = at_ns == NSEC_NEVER ? NSEC_NEVER : crew->engine->start_ns + at_ns;
}

static struct user *idle_user(struct crew *crew)
{
    struct list *node = list_take(&crew->idle);
    if (node)
        return list_entry(node, struct user, node);
    if (crew->most_users && crew->user_count >= crew->most_users)
        return NULL;
    struct user *user = local_user(crew, crew->user_count);
    user->alive = true;
    crew->alive++;
    return user;
}

static void keep_waiting(struct crew *crew, struct start start)
{
    if (crew->backlog_count == crew->backlog_room) {
        size_t room = crew->backlog_room ? 2 * crew->backlog_room : 256;
        struct start *grown = memory_new(room, sizeof *grown);
        for (size_t i = 0; i < crew->backlog_count; i++)
            grown[i] = crew->backlog[(crew->backlog_first + i) % crew->backlog_room];
        free(crew->backlog);
        crew->backlog = grown;
        crew->backlog_room = room;
        crew->backlog_first = 0;
    }
    crew->backlog[(crew->backlog_first + crew->backlog_count++) % crew->backlog_room] = start;
}

static struct start take_waiting(struct crew *crew)
{
    struct start start = crew->backlog[crew->backlog_first];
    crew->backlog_first = (crew->backlog_first + 1) % crew->backlog_room;
    crew->backlog_count--;
    return start;
}

static struct tally *first_tally(struct crew *crew, uint32_t task)
{
    return ledger_tally(crew->engine, crew->engine->plan->tasks[task].first_request);
}

void crew_drop(struct crew *crew, struct start start, nsec_t now_ns)
{
    struct tally *tally = first_tally(crew, start.task);
    tally_count(tally, COUNT_DROPPED, 1);
    tally_time(tally, HIST_CENSORED, now_ns - start.intended_ns);
    crew->waiting--;
}

static void arrive(struct crew *crew, nsec_t intended_ns, uint64_t number, nsec_t now_ns)
{
    struct start start = {.intended_ns = intended_ns,
                          .task = crew_next_task(crew),
                          .arrival = number + 1,
                          .timed = true};
    bool full = crew->most_backlog && crew->waiting >= crew->most_backlog;
    struct user *user = full || crew->backlog_count ? NULL : idle_user(crew);
    if (user) {
        user_begin(user, start, now_ns);
        return;
    }
    struct tally *tally = first_tally(crew, start.task);
    tally_count(tally, COUNT_OFFERED, 1);
    ledger_late(crew->engine, tally, now_ns - intended_ns);
    crew->waiting++;
    start.waited = true;
    start.timed = false;
    if (full)
        crew_drop(crew, start, now_ns);
    else
        keep_waiting(crew, start);
}

nsec_t crew_arrive(struct crew *crew, nsec_t now_ns)
{
    for (int i = 0; i < ARRIVALS_A_TURN && crew->next_arrival_ns <= now_ns; i++) {
        nsec_t intended_ns = crew->next_arrival_ns;
        uint64_t number = crew->next_arrival;
        crew->next_arrival += crew->engine->options.segments;
        find_next_arrival(crew);
        /* Of a reduced load every so-many-th arrival comes: where the count of those kept rises. */
        double share = share_left(crew);
        if (share < 1 && floor((double)(number + 1) * share) == floor((double)number * share))
            continue;
        arrive(crew, intended_ns, number, now_ns);
    }
    if (crew->next_arrival_ns == NSEC_NEVER)
        crew_check_over(crew);
    return crew->next_arrival_ns;
}

void crew_user_free(struct crew *crew, struct user *user, nsec_t now_ns)
{
    if (crew->backlog_count && !crew->over) {
        user_begin(user, take_waiting(crew), now_ns);
        return;
    }
    list_prepend(&crew->idle, &user->node);
    crew_check_over(crew);
}

/* ---- beginning and end
 * --------------------------------------------------------------------------- */

uint32_t crew_next_task(struct crew *crew)
{
    if (crew->once_count)
        return crew->once_first + (uint32_t)(crew->iterations % crew->once_count);
    return crew->plan->first_task + deck_draw(&crew->deck);
}

static void end_reached(struct timer *timer, nsec_t now_ns)
{
    struct crew *crew = list_entry(timer, struct crew, end_timer);
    if (crew->ended)
        crew_cut_off(crew);
    else if (crew->next_arrival_ns <= now_ns) /* due before the end: a late loop owes them */
        timer_start(crew->engine->loop, timer, now_ns);
    else
        crew_wind_up(crew, crew->plan->graceful_stop_ns);
}

void crew_begin(struct crew *crew)
{
    struct engine *engine = crew->engine;
    if (crew->over || crew->once_count)
        return;
    if (crew->arrivals) {
        crew->begun = true;
        find_next_arrival(crew);
    } else {
        timer_start(engine->loop, &crew->timer, engine->start_ns + course_begin(&crew->course));
    }
    if (crew->plan->executor != EXECUTOR_REPLAY || course_end(&crew->course) > 0)
        timer_start(engine->loop, &crew->end_timer, engine->start_ns + course_end(&crew->course));
}

void crew_begin_once(struct crew *crew, uint32_t first, uint32_t count)
{
    crew->once_first = first;
    crew->once_count = count;
    crew->begun = true;
    user_join(local_user(crew, 0), loop_now(crew->engine->loop));
}

void crew_wind_up(struct crew *crew, nsec_t grace_ns)
{
    struct engine *engine = crew->engine;
    if (crew->ended || crew->over)
        return;
    crew->ended = true;
    crew->begun = true;
    crew->next_arrival_ns = NSEC_NEVER;
    timer_stop(engine->loop, &crew->timer);
    crew->parting = true; /* not over before all were asked */
    for (size_t i = 0; !crew->arrivals && i < crew->user_count; i++) {
        if (crew->users[i]->alive && !crew->users[i]->job)
            user_leave(crew->users[i], 0);
    }
    crew->parting = false;
    crew_check_over(crew);
    if (!crew->over)
        timer_start(engine->loop, &crew->end_timer, loop_now(engine->loop) + grace_ns);
}

void crew_cut_off(struct crew *crew)
{
    nsec_t now_ns = loop_now(crew->engine->loop);
    crew->ended = crew->begun = true;
    crew->next_arrival_ns = NSEC_NEVER;
    while (crew->backlog_count)
        crew_drop(crew, take_waiting(crew), now_ns);
    crew->parting = true;
    for (size_t i = 0; i < crew->user_count; i++) {
        struct user *user = crew->users[i];
        bool leaves = user->job && (crew->silent || !user->job->farewell);
        if (leaves)
            job_abandon(user->job, now_ns);
        if (user->alive)
            user_leave(user, 0);
        else if (leaves)
            user_part(user);
    }
    crew->parting = false;
    crew_check_over(crew);
}

void crew_silence(struct crew *crew)
{
    crew->silent = true;
    crew_cut_off(crew);
}

void crew_check_over(struct crew *crew)
{
    struct engine *engine = crew->engine;
    bool limited = crew->plan->executor == EXECUTOR_SHARED_ITERATIONS ||
                   crew->plan->executor == EXECUTOR_PER_VU_ITERATIONS || crew->once_count;
    bool finished = crew->ended || (limited && crew->alive == 0) ||
                    (crew->arrivals && crew->next_arrival_ns == NSEC_NEVER);
    if (crew->over || crew->parting || !crew->begun || !finished || crew->backlog_count ||
        crew->running)
        return;
    if (crew->arrivals && crew->alive && engine->user_bytes) { /* they hold sessions to be ended */
        crew->parting = true;
        for (size_t i = 0; i < crew->user_count; i++) {
            if (crew->users[i]->alive)
                user_leave(crew->users[i], 0);
        }
        crew->parting = false;
        if (crew->running)
            return;
    }
    crew->over = crew->ended = true;
    timer_stop(engine->loop, &crew->timer);
    timer_stop(engine->loop, &crew->end_timer);
    timer_stop(engine->loop, &crew->leave_timer);
}

/* ---- making
 * -------------------------------------------------------------------------------------- */

static uint64_t share_of(uint64_t whole, const struct engine_options *options)
{
    if (!whole)
        return 0;
    uint64_t share =
        whole / options->segments + (options->segment < whole % options->segments ? 1 : 0);
    return share ? share : 1;
}

static void make_deck(struct crew *crew)
{
    const struct plan_scenario *plan = crew->plan;
    const struct engine *engine = crew->engine;
    uint32_t *weights = memory_new(plan->task_count, sizeof *weights);
    for (uint32_t i = 0; i < plan->task_count; i++)
        weights[i] = engine->plan->tasks[plan->first_task + i].weight;
    uint64_t index = ((uint64_t)crew->index << 32) | engine->options.segment;
    deck_init(&crew->deck, weights, plan->task_count,
              random_key(engine->plan->seed, "deck", index));
    free(weights);
}

struct crew *crew_new(struct engine *engine, const struct plan_scenario *plan, uint32_t index)
{
    struct crew *crew = memory_new(1, sizeof *crew);
    uint64_t place = ((uint64_t)index << 32) | engine->options.segment;
    crew->engine = engine;
    crew->plan = plan;
    crew->index = index;
    crew->next_arrival = engine->options.segment;
    crew->next_arrival_ns = NSEC_NEVER;
    crew->most_users = share_of(plan->max_vus, &engine->options);
    crew->most_backlog = share_of(plan->max_backlog, &engine->options);
    crew->think.key = random_key(engine->plan->seed, "think", place);
    crew->value_key = random_key(engine->plan->seed, "values", index);
    list_init(&crew->idle);
    list_init(&crew->leaving);
    timer_init(&crew->leave_timer, leave_now);
    timer_init(&crew->timer, follow_course);
    timer_init(&crew->end_timer, end_reached);
    course_init(&crew->course, plan);
    values_init(crew);
    if (plan->task_count)
        make_deck(crew);
    if (scenario_is_open(plan))
        crew->arrivals =
            arrivals_new(plan, &crew->course, random_key(engine->plan->seed, "arrivals", index));
    return crew;
}

struct crew *crew_free(struct crew *crew)
{
    if (!crew)
        return NULL;
    check(crew->running == 0);
    timer_stop(crew->engine->loop, &crew->timer);
    timer_stop(crew->engine->loop, &crew->end_timer);
    timer_stop(crew->engine->loop, &crew->leave_timer);
    for (size_t i = 0; i < crew->user_count; i++)
        user_free(crew->users[i]);
    while (crew->stock) {
        struct job *next = crew->stock->below;
        job_free(crew->stock);
        crew->stock = next;
    }
    course_fini(&crew->course);
    deck_fini(&crew->deck);
    arrivals_free(crew->arrivals);
    free(crew->users);
    free(crew->backlog);
    free(crew->fillers);
    free(crew->row_next);
    free(crew->prompt_keys);
    free(crew->shared_keys);
    free(crew);
    return NULL;
}

void crew_follow(struct crew *crew, nsec_t now_ns)
{
    if (crew->arrivals || !crew->begun || crew->ended)
        return;
    timer_stop(crew->engine->loop, &crew->timer);
    follow_course(&crew->timer, now_ns);
}
