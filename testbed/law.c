/* Kiefer and Wolfowitz's recursion over a heap of the instants at which servers become free; see
 * law.h. Work not yet begun stands in a list; since the queue is first come first served, begins
 * do not decrease along it, and asking how many wait at an instant takes the front off. */
#include "testbed/law.h"

#include "base/check.h"
#include "base/memory.h"
#include "base/random.h"

#include <math.h>
#include <stdlib.h>

struct law {
    struct law_options options;
    uint64_t key;
    uint64_t servers; /* 0: without limit */
    nsec_t *free_ns;  /* heap: the earliest first */
    nsec_t latest_ns; /* arrival */
    uint64_t arrivals;
    struct list waiting; /* begin_ns not decreasing */
    uint64_t waiting_count;
    struct list begun;
    uint64_t begun_count;
};

static uint64_t servers_of(const struct law_options *options)
{
    if (options->kind == LAW_NONE)
        return 0;
    if (options->servers == 0 && (options->kind == LAW_MMC || options->kind == LAW_MD1))
        return 1;
    return options->servers;
}

struct law *law_new(const struct law_options *options)
{
    struct law *law = memory_new(1, sizeof *law);
    law->options = *options;
    law->key = random_key(options->seed, "testbed service", 0);
    law->servers = servers_of(options);
    law->free_ns = memory_new(law->servers, sizeof *law->free_ns);
    for (uint64_t i = 0; i < law->servers; i++)
        law->free_ns[i] = INT64_MIN;
    law->latest_ns = INT64_MIN;
    list_init(&law->waiting);
    list_init(&law->begun);
    return law;
}

struct law *law_free(struct law *law)
{
    if (!law)
        return NULL;
    check(list_empty(&law->waiting) && list_empty(&law->begun));
    free(law->free_ns);
    free(law);
    return NULL;
}

/* -mean * ln(u) is exponential for uniform u (inversion). */
static nsec_t exponential(nsec_t mean_ns, uint64_t key, uint64_t number)
{
    double uniform = random_unit_of(random_bits_at(key, number));
    return (nsec_t)llround(-(double)mean_ns * log(uniform));
}

/* With n in the server each piece of work takes S (1 + a (n - 1) + b n (n - 1)), so that n users
 * who ask again at once get X(n) = n / S / (1 + a (n - 1) + b n (n - 1)).
 *   Source   Gunther, "A general theory of computational scalability", 2008, eq. 1. */
static nsec_t usl(const struct law_options *options, uint64_t inside)
{
    double n = (double)inside;
    double factor = 1 + options->usl_alpha * (n - 1) + options->usl_beta * n * (n - 1);
    return (nsec_t)llround((double)options->service_ns * factor);
}

static nsec_t draw(const struct law_options *options, uint64_t key, uint64_t number)
{
    switch (options->kind) {
    case LAW_FIXED:
    case LAW_MD1:
        return options->service_ns;
    case LAW_EXPONENTIAL:
    case LAW_MMC:
        return exponential(options->service_ns, key, number);
    case LAW_USL:
        return usl(options, 1);
    case LAW_NONE:
    case LAW_BATCHING:
        break;
    }
    return 0;
}

nsec_t law_service(const struct law_options *options, uint64_t number)
{
    return draw(options, random_key(options->seed, "testbed service", 0), number);
}

/* Puts the root, whose value has grown, where it belongs. */
static void sink(nsec_t *heap, uint64_t count)
{
    uint64_t at = 0;
    for (;;) {
        uint64_t child = 2 * at + 1;
        if (child >= count)
            return;
        if (child + 1 < count && heap[child + 1] < heap[child])
            child++;
        if (heap[at] <= heap[child])
            return;
        nsec_t swap = heap[at];
        heap[at] = heap[child];
        heap[child] = swap;
        at = child;
    }
}

/* Moves what has begun by this instant out of the queue. */
static void begin_until(struct law *law, nsec_t now_ns)
{
    while (!list_empty(&law->waiting)) {
        struct law_work *first = list_entry(law->waiting.next, struct law_work, node);
        if (first->begin_ns > now_ns)
            return;
        list_remove(&first->node);
        list_append(&law->begun, &first->node);
        law->waiting_count--;
        law->begun_count++;
    }
}

int law_arrive(struct law *law, struct law_work *work, nsec_t arrival_ns, nsec_t fixed_ns)
{
    if (arrival_ns < law->latest_ns)
        arrival_ns = law->latest_ns;
    begin_until(law, arrival_ns);
    nsec_t begin_ns = arrival_ns;
    if (law->servers && law->free_ns[0] > arrival_ns)
        begin_ns = law->free_ns[0];
    if (begin_ns > arrival_ns && law->waiting_count >= law->options.queue_limit)
        return LAW_FULL;
    law->latest_ns = arrival_ns;
    work->number = law->arrivals++;
    work->arrival_ns = arrival_ns;
    work->begin_ns = begin_ns;
    work->service_ns = fixed_ns >= 0 ? fixed_ns : draw(&law->options, law->key, work->number);
    if (law->options.kind == LAW_USL && fixed_ns < 0)
        work->service_ns = usl(&law->options, law->begun_count + law->waiting_count + 1);
    work->departure_ns = begin_ns + work->service_ns;
    if (law->servers) {
        law->free_ns[0] = work->departure_ns;
        sink(law->free_ns, law->servers);
    }
    list_append(&law->waiting, &work->node);
    law->waiting_count++;
    return 0;
}

void law_leave(struct law *law, struct law_work *work)
{
    begin_until(law, work->begin_ns);
    list_remove(&work->node);
    law->begun_count--;
}

/* A reply that leaves a little after its departure must not count as a server too many. */
uint64_t law_busy(struct law *law, nsec_t now_ns)
{
    begin_until(law, now_ns);
    if (law->servers && law->begun_count > law->servers)
        return law->servers;
    return law->begun_count;
}

uint64_t law_queued(struct law *law, nsec_t now_ns)
{
    begin_until(law, now_ns);
    return law->waiting_count;
}

uint64_t law_arrivals(const struct law *law)
{
    return law->arrivals;
}
