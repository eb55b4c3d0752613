/* Iterations: the requests of a task, one after the other, each from its intended instant. */
#include "load/inside.h"

#include "base/check.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

static struct job *job_new(struct crew *crew)
{
    size_t state_bytes = crew->engine->state_bytes;
    struct job *job = memory_new(1, sizeof *job);
    job->crew = crew;
    job->number = crew->engine->job_count++;
    if (crew->plan->symbols.slots) {
        job->values = memory_new(crew->plan->symbols.slots, sizeof *job->values);
        job->slots = memory_new(crew->plan->symbols.slots, sizeof *job->slots);
    }
    values_reserve(crew, job);
    if (state_bytes)
        job->driver_state = memory_new(1, state_bytes);
    return job;
}

struct job *job_take(struct crew *crew)
{
    struct job *job = crew->stock;
    if (job)
        crew->stock = job->below;
    else
        job = job_new(crew);
    crew->running++;
    return job;
}

/* Back on the stock: a stack, since the latest used is warm. Jobs under way are in no list but
 * their users' hands, for a list's neighbours are other users' memory, and reaching for them costs
 * cache misses. */
void job_return(struct job *job)
{
    struct crew *crew = job->crew;
    job->below = crew->stock;
    crew->stock = job;
    crew->running--;
}

void job_free(struct job *job)
{
    check(!job->exchange.running);
    for (uint16_t i = 0; job->values && i < job->crew->plan->symbols.slots; i++)
        text_fini(&job->values[i]);
    text_fini(&job->head);
    text_fini(&job->body);
    text_fini(&job->redirect_path);
    text_fini(&job->driver_kept);
    text_fini(&job->answer);
    free(job->values);
    free(job->slots);
    inflater_free(job->inflater);
    free(job->driver_state);
    free(job);
}

static struct origin *origin_of(const struct job *job)
{
    const struct engine *engine = job->user->crew->engine;
    if (job->redirect)
        return job->redirect;
    if (job->work->origin)
        return job->work->origin;
    return engine->targets[job->user->number % engine->target_count];
}

void job_send(struct job *job, nsec_t now_ns)
{
    struct crew *crew = job->user->crew;
    struct engine *engine = crew->engine;
    struct origin *origin = origin_of(job);
    text_clear(&job->head);
    text_clear(&job->body);
    job->body_cut = false;
    job->status = 0;
    exchange_start(&job->exchange, origin->pool, &job_handler, user_home(job->user, origin), now_ns,
                   engine->plan->http.timeout_ns);
}

/* The present step becomes due. */
static void step_begin(struct job *job, const struct start *start, nsec_t now_ns)
{
    struct crew *crew = job->user->crew;
    struct engine *engine = crew->engine;
    const struct plan_task *task = &engine->plan->tasks[job->task];
    job->work = &engine->works[task->first_request + job->step];
    job->intended_ns = start->intended_ns;
    job->started = job->resting = false;
    job->attempt = job->redirects = 0;
    job->redirect = NULL;
    job->redirect_get = job->farewell = false;
    struct tally *tally = ledger_tally(engine, job->work->number);
    if (!start->waited) {
        tally_count(tally, COUNT_OFFERED, 1);
        crew->waiting++;
    }
    if (start->timed)
        ledger_late(engine, tally, now_ns - start->intended_ns);
    job_send(job, now_ns);
}

void job_begin(struct job *job, struct user *user, struct start start, nsec_t now_ns)
{
    user->job = job;
    job->user = user;
    job->task = start.task;
    job->step = 0;
    step_begin(job, &start, now_ns);
}

/* How long an end of a session may take: it must not hold up the end of the run. */
static const nsec_t farewell_ns = 2 * NSEC_PER_SEC;

bool job_say_farewell(struct job *job, struct user *user, struct work *work, nsec_t now_ns)
{
    struct engine *engine = user->crew->engine;
    struct exchange_request wish = {0};
    job->user = user;
    job->work = work;
    job->farewell = true;
    job->redirect = NULL;
    if (work->driver->state_bytes)
        memset(job->driver_state, 0, work->driver->state_bytes);
    job->exchange.state = NULL;
    struct driver_call call = job_call(job);
    text_clear(&engine->scratch);
    work->driver->compose(&call, &wish);
    if (wish.method.bytes == 0) {
        job->farewell = false;
        return false;
    }
    user->job = job;
    struct origin *origin = origin_of(job);
    text_clear(&job->head);
    text_clear(&job->body);
    job->status = 0;
    exchange_start(&job->exchange, origin->pool, &job_handler, user_home(user, origin), now_ns,
                   farewell_ns);
    return true;
}

void job_go_on(struct job *job, nsec_t now_ns)
{
    if (job->resting) {
        job->resting = false;
        job_send(job, now_ns);
        return;
    }
    struct start start = {.intended_ns = job->user->next_ns, .timed = true};
    step_begin(job, &start, now_ns);
}

void job_over(struct job *job, nsec_t end_ns)
{
    struct user *user = job->user;
    struct crew *crew = user->crew;
    struct engine *engine = crew->engine;
    const struct plan_task *task = &engine->plan->tasks[job->task];
    struct tally *tally = ledger_tally(engine, task->first_request);
    tally_count(tally, COUNT_ITERATIONS, 1);
    if (task->request_count > 1 || job->work->request->conversation)
        tally_time(tally, HIST_ITERATION, end_ns - user->begun_ns);
    user->job = NULL;
    job_return(job);
    user_done(user, end_ns);
}

void job_abandon(struct job *job, nsec_t now_ns)
{
    struct user *user = job->user;
    struct crew *crew = user->crew;
    struct engine *engine = crew->engine;
    bool under_way = !job->farewell && (job->exchange.running || job->resting);
    if (job->exchange.running)
        exchange_cancel(&job->exchange);
    if (job->farewell) { /* the session counts as ended, so that it is not ended twice */
        struct driver_call call = job_call(job);
        job->work->driver->end(&call, 0, (struct span){0}, now_ns);
    }
    if (under_way) {
        struct tally *tally = ledger_tally(engine, job->work->number);
        tally_count(tally, job->started ? COUNT_ABANDONED : COUNT_DROPPED, 1);
        tally_time(tally, HIST_CENSORED, now_ns - job->intended_ns);
        ledger_trace_over(engine, job, job->started ? COUNT_ABANDONED : COUNT_DROPPED, 0, now_ns);
        if (job->started)
            crew->in_flight--;
        else
            crew->waiting--;
    }
    timer_stop(engine->loop, &user->timer);
    job->farewell = false;
    user->job = NULL;
    job_return(job);
}
