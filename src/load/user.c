/* Virtual users: they wait, begin iterations, and leave. A user is a timer; everything that an
 * iteration needs is its job's. */
#include "base/check.h"
#include "base/memory.h"
#include "load/inside.h"

#include <stdlib.h>

static const nsec_t refused_pause_ns = 100 * NSEC_PER_MSEC;

static nsec_t think_time(struct crew *crew)
{
    if (crew->plan->think.spread == SPREAD_NONE)
        return 0;
    double seconds = distribution_draw(&crew->plan->think, &crew->think);
    return seconds > 0 ? (nsec_t)(seconds * (double)NSEC_PER_SEC) : 0;
}

static struct start next_start(struct user *user, nsec_t intended_ns, bool timed)
{
    return (struct start){
        .intended_ns = intended_ns, .task = crew_next_task(user->crew), .timed = timed};
}

static void timer_fired(struct timer *timer, nsec_t now_ns)
{
    struct user *user = list_entry(timer, struct user, timer);
    if (user->job)
        job_go_on(user->job, now_ns);
    else if (user->alive)
        user_begin(user, next_start(user, user->next_ns, true), now_ns);
}

struct user *user_new(struct crew *crew, uint64_t number)
{
    struct user *user = memory_new(1, sizeof *user);
    user->crew = crew;
    user->number = number;
    list_init(&user->node);
    timer_init(&user->timer, timer_fired);
    return user;
}

struct user *user_free(struct user *user)
{
    if (!user)
        return NULL;
    check(!user->job);
    struct engine *engine = user->crew->engine;
    timer_stop(engine->loop, &user->timer);
    pool_release_home(&user->home);
    for (size_t i = 0; user->homes && i < engine->origin_most; i++)
        pool_release_home(&user->homes[i]);
    free(user->homes);
    free(user->states);
    free(user->cookies);
    list_remove(&user->node);
    free(user);
    return NULL;
}

struct connection **user_home(struct user *user, const struct origin *origin)
{
    struct engine *engine = user->crew->engine;
    if (engine->plan->connections.mode != POOL_PER_USER)
        return NULL;
    if (engine->origin_most == 1)
        return &user->home;
    if (!user->homes) /* an exchange keeps the place's address, so it must never move */
        user->homes = memory_new(engine->origin_most, sizeof *user->homes);
    return &user->homes[origin->number];
}

static bool may_begin(struct user *user, const struct start *start)
{
    struct crew *crew = user->crew;
    const struct plan_scenario *plan = crew->plan;
    if (start->waited) /* it was due before the end */
        return !crew->over;
    if (!user->alive || crew->ended)
        return false;
    if (plan->executor == EXECUTOR_PER_VU_ITERATIONS)
        return user->iterations < plan->iterations;
    if (plan->executor != EXECUTOR_SHARED_ITERATIONS)
        return true;
    struct engine_control *control = crew->engine->options.control;
    return atomic_fetch_add(&control->shared_iterations[crew->index], 1) < plan->iterations;
}

static void release_connections(struct user *user)
{
    struct engine *engine = user->crew->engine;
    pool_release_home(&user->home);
    for (size_t i = 0; user->homes && i < engine->origin_most; i++)
        pool_release_home(&user->homes[i]);
}

/* Ends what a driver holds for this user by one request of the plan; true while it is on its way.
 */
static bool ends_session(struct user *user, struct work *work)
{
    struct crew *crew = user->crew;
    if (!work->driver->user_bytes)
        return false;
    struct job *job = job_take(crew);
    if (job_say_farewell(job, user, work, loop_now(crew->engine->loop)))
        return true;
    job_return(job);
    return false;
}

/* Ends the sessions that drivers hold for this user, one after the other; true while one is on its
 * way. Only requests of its own tasks can have opened one. */
static bool says_farewell(struct user *user)
{
    struct crew *crew = user->crew;
    struct engine *engine = crew->engine;
    uint32_t first = crew->once_count ? crew->once_first : crew->plan->first_task;
    uint32_t count = crew->once_count ? crew->once_count : crew->plan->task_count;
    if (!user->states || crew->silent)
        return false;
    for (uint32_t t = first; t < first + count; t++) {
        const struct plan_task *task = &engine->plan->tasks[t];
        for (uint32_t i = 0; i < task->request_count; i++) {
            if (ends_session(user, &engine->works[task->first_request + i]))
                return true;
        }
    }
    return false;
}

void user_part(struct user *user)
{
    struct crew *crew = user->crew;
    if (user->alive) {
        user->alive = false;
        crew->alive--;
    }
    list_remove(&user->node);
    timer_stop(crew->engine->loop, &user->timer);
    if (says_farewell(user))
        return;
    release_connections(user);
    crew_check_over(crew);
}

void user_farewell_over(struct user *user)
{
    if (user->alive) /* wanted again meanwhile */
        user_begin(user, next_start(user, loop_now(user->crew->engine->loop), false),
                   loop_now(user->crew->engine->loop));
    else
        user_part(user);
}

void user_join(struct user *user, nsec_t intended_ns)
{
    check(!user->alive);
    user->alive = true;
    user->crew->alive++;
    if (user->job) { /* it was leaving, and is wanted again: it goes on after its iteration */
        list_remove(&user->node);
        return;
    }
    user_begin(user, next_start(user, intended_ns, true), loop_now(user->crew->engine->loop));
}

void user_leave(struct user *user, nsec_t grace_ns)
{
    struct crew *crew = user->crew;
    struct engine *engine = crew->engine;
    if (user->job && (grace_ns > 0 || user->job->farewell)) {
        user->alive = false;
        crew->alive--;
        if (!user->job->farewell)
            crew_let_finish(crew, user, loop_now(engine->loop) + grace_ns);
        return;
    }
    if (user->job)
        job_abandon(user->job, loop_now(engine->loop));
    if (user->alive)
        user_part(user);
}

void user_begin(struct user *user, struct start start, nsec_t now_ns)
{
    struct crew *crew = user->crew;
    struct job *job = may_begin(user, &start) ? job_take(crew) : NULL;
    if (job && !values_draw(crew, job, user, &start)) {
        job_return(job);
        crew->ended = true; /* a feeder has no more rows */
        job = NULL;
    }
    if (!job) {
        if (start.waited)
            crew_drop(crew, start, now_ns);
        user_part(user);
        return;
    }
    if (!user->states && crew->engine->user_bytes)
        user->states = memory_new(1, crew->engine->user_bytes);
    crew->iterations++;
    user->iterations++;
    user->begun_ns = start.intended_ns;
    job_begin(job, user, start, now_ns);
}

void user_done(struct user *user, nsec_t end_ns)
{
    struct crew *crew = user->crew;
    if (crew->arrivals) {
        crew_user_free(crew, user, end_ns);
        return;
    }
    if (!user->alive || crew->ended || (crew->once_count && user->iterations == crew->once_count)) {
        user_part(user);
        return;
    }
    user->next_ns = end_ns + think_time(crew);
    if (crew->plan->pacing_ns && user->begun_ns + crew->plan->pacing_ns > user->next_ns)
        user->next_ns = user->begun_ns + crew->plan->pacing_ns;
    /* Without thought a user would knock at a closed door as fast as the machine can. */
    if (user->refused && user->next_ns < end_ns + refused_pause_ns)
        user->next_ns = end_ns + refused_pause_ns;
    user->refused = false;
    if (user->next_ns <= end_ns)
        user_begin(user, next_start(user, end_ns, false), end_ns);
    else
        timer_start(crew->engine->loop, &user->timer, user->next_ns);
}
