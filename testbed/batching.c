/* Steps and who is in them; see batching.h. */
#include "testbed/batching.h"

#include "base/check.h"
#include "base/memory.h"

#include <math.h>
#include <stdlib.h>

struct batching {
    struct batching_options options;
    uint64_t queue_limit;
    batching_token_fn *token;
    batching_step_fn *stepped; /* or NULL */
    void *self;
    nsec_t begin_ns, boundary_ns; /* of the present step; its end is NSEC_NEVER: idle */
    uint64_t prefill;             /* prompt tokens of those admitted in it */
    nsec_t latest_ns;
    struct list running, waiting;
    uint64_t running_count, waiting_count;
    uint64_t kv_used, kv_reserved;
    uint64_t arrivals, preemptions;
};

struct batching *batching_new(const struct batching_options *options, uint64_t queue_limit,
                              batching_token_fn *token, void *self)
{
    struct batching *batching = memory_new(1, sizeof *batching);
    check(options->slots > 0);
    batching->options = *options;
    batching->queue_limit = queue_limit;
    batching->token = token;
    batching->self = self;
    batching->boundary_ns = NSEC_NEVER;
    batching->latest_ns = INT64_MIN;
    list_init(&batching->running);
    list_init(&batching->waiting);
    return batching;
}

struct batching *batching_free(struct batching *batching)
{
    if (!batching)
        return NULL;
    check(list_empty(&batching->running) && list_empty(&batching->waiting));
    free(batching);
    return NULL;
}

void batching_on_step(struct batching *batching, batching_step_fn *stepped)
{
    batching->stepped = stepped;
}

static uint64_t whole_length(const struct sequence *sequence)
{
    return sequence->prompt_tokens + sequence->tokens;
}

/* What it has in the cache while it runs; to be read again after it was put back. */
static uint64_t present_length(const struct sequence *sequence)
{
    return sequence->prompt_tokens + sequence->made;
}

static bool fits(const struct batching *batching, const struct sequence *sequence)
{
    uint64_t room = batching->options.kv_tokens;
    if (room == 0)
        return true;
    if (batching->options.kv_full == KV_WAIT)
        return batching->kv_reserved + whole_length(sequence) <= room;
    return batching->kv_used + present_length(sequence) + batching->running_count + 1 <= room;
}

/* Admits what fits at this boundary; returns the prompt tokens that came in. In order: a long
 * sequence that does not fit holds up those behind it. */
static uint64_t admit(struct batching *batching, nsec_t boundary_ns)
{
    uint64_t prompt_tokens = 0;
    while (!list_empty(&batching->waiting) && batching->running_count < batching->options.slots) {
        struct sequence *first = list_entry(batching->waiting.next, struct sequence, node);
        if (first->ready_ns > boundary_ns || !fits(batching, first))
            break;
        list_remove(&first->node);
        batching->waiting_count--;
        list_append(&batching->running, &first->node);
        batching->running_count++;
        first->running = true;
        if (first->made == 0)
            first->begin_ns = boundary_ns;
        batching->kv_reserved += whole_length(first);
        batching->kv_used += present_length(first);
        prompt_tokens += present_length(first);
    }
    return prompt_tokens;
}

/* A machine that is idle while all who wait are still on their way begins when the first is ready.
 * Nobody who arrives meanwhile can be ready before it, since all are on their way equally long. */
static nsec_t first_ready(const struct batching *batching, nsec_t begin_ns)
{
    if (batching->running_count || list_empty(&batching->waiting))
        return begin_ns;
    const struct sequence *first = list_entry(batching->waiting.next, struct sequence, node);
    return first->ready_ns > begin_ns ? first->ready_ns : begin_ns;
}

static void leave(struct batching *batching, struct sequence *sequence)
{
    list_remove(&sequence->node);
    if (!sequence->running) {
        batching->waiting_count--;
        return;
    }
    sequence->running = false;
    batching->running_count--;
    batching->kv_reserved -= whole_length(sequence);
    batching->kv_used -= present_length(sequence);
}

/* Makes room for a token of each sequence at the cost of those that came last. None of them came in
 * this step, since it would not have been let in. */
static void make_room(struct batching *batching)
{
    uint64_t room = batching->options.kv_tokens;
    while (room && batching->options.kv_full == KV_PREEMPT && batching->running_count > 1 &&
           batching->kv_used + batching->running_count > room) {
        struct sequence *last = list_entry(batching->running.before, struct sequence, node);
        leave(batching, last);
        list_prepend(&batching->waiting, &last->node);
        batching->waiting_count++;
        batching->preemptions++;
    }
}

static void begin_step(struct batching *batching, nsec_t begin_ns)
{
    begin_ns = first_ready(batching, begin_ns);
    uint64_t prompt_tokens = admit(batching, begin_ns);
    make_room(batching);
    if (batching->running_count == 0) {
        batching->boundary_ns = NSEC_NEVER;
        return;
    }
    const struct batching_options *options = &batching->options;
    batching->begin_ns = begin_ns;
    batching->prefill = prompt_tokens;
    nsec_t prefill_ns = 0;
    if (options->prefill_rate > 0)
        prefill_ns = (nsec_t)llround((double)prompt_tokens / options->prefill_rate * 1e9);
    batching->boundary_ns = begin_ns + prefill_ns + options->step_ns +
                            options->step_sequence_ns * (nsec_t)batching->running_count;
}

/* Whether a GPU that allocates as requests come has no room for this one. */
static bool is_out_of_memory(const struct batching *batching, const struct sequence *sequence)
{
    const struct gpu_options *gpu = &batching->options.gpu;
    uint64_t tokens = batching->kv_reserved + whole_length(sequence);
    if (!gpu->fails)
        return false;
    for (const struct list *at = batching->waiting.next; at != &batching->waiting; at = at->next)
        tokens += whole_length(list_entry(at, const struct sequence, node));
    return gpu->weights_bytes + tokens * gpu->kv_token_bytes > gpu->memory_bytes;
}

int batching_arrive(struct batching *batching, struct sequence *sequence, nsec_t arrival_ns)
{
    check(sequence->tokens > 0);
    if (arrival_ns < batching->latest_ns)
        arrival_ns = batching->latest_ns;
    if (batching->options.kv_tokens && whole_length(sequence) > batching->options.kv_tokens)
        return BATCHING_TOO_LONG;
    if (is_out_of_memory(batching, sequence))
        return BATCHING_OUT_OF_MEMORY;
    bool idle = batching->boundary_ns == NSEC_NEVER;
    uint64_t free_slots = batching->options.slots - batching->running_count;
    if (batching->waiting_count >= free_slots &&
        batching->waiting_count - free_slots >= batching->queue_limit)
        return BATCHING_FULL;
    batching->latest_ns = arrival_ns;
    sequence->number = batching->arrivals++;
    sequence->arrival_ns = arrival_ns;
    sequence->ready_ns = arrival_ns + batching->options.overhead_ns;
    sequence->made = 0;
    sequence->running = false;
    list_append(&batching->waiting, &sequence->node);
    batching->waiting_count++;
    if (idle)
        begin_step(batching, arrival_ns);
    return 0;
}

/* The step that it is in keeps its length: the machine had begun it. */
void batching_abandon(struct batching *batching, struct sequence *sequence)
{
    if (!list_empty(&sequence->node))
        leave(batching, sequence);
}

nsec_t batching_begin(const struct batching *batching)
{
    return batching->begin_ns;
}

uint64_t batching_prefill(const struct batching *batching)
{
    return batching->prefill;
}

nsec_t batching_boundary(const struct batching *batching)
{
    return batching->boundary_ns;
}

/* Tells each sequence of its token. Those told may abandon themselves or end, so the list is
 * taken apart and put together again. */
static void end_step(struct batching *batching, nsec_t boundary_ns)
{
    struct list stepped;
    struct batching_step step = {.begin_ns = batching->begin_ns,
                                 .end_ns = boundary_ns,
                                 .sequences = batching->running_count,
                                 .prompt_tokens = batching->prefill};
    if (batching->stepped)
        batching->stepped(batching->self, &step);
    list_init(&stepped);
    list_move_all(&batching->running, &stepped);
    while (!list_empty(&stepped)) {
        struct sequence *sequence = list_entry(stepped.next, struct sequence, node);
        list_remove(&sequence->node);
        list_append(&batching->running, &sequence->node);
        sequence->made++;
        batching->kv_used++;
        if (sequence->made == sequence->tokens)
            leave(batching, sequence);
        batching->token(batching->self, sequence, boundary_ns);
    }
}

void batching_advance(struct batching *batching, nsec_t now_ns)
{
    while (batching->boundary_ns <= now_ns) {
        nsec_t boundary_ns = batching->boundary_ns;
        end_step(batching, boundary_ns);
        begin_step(batching, boundary_ns);
    }
}

uint64_t batching_running(const struct batching *batching)
{
    return batching->running_count;
}

uint64_t batching_waiting(const struct batching *batching)
{
    return batching->waiting_count;
}

uint64_t batching_kv_tokens(const struct batching *batching)
{
    return batching->kv_used;
}

uint64_t batching_preemptions(const struct batching *batching)
{
    return batching->preemptions;
}

uint64_t batching_arrivals(const struct batching *batching)
{
    return batching->arrivals;
}
