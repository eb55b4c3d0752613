/* stat/lindley.c - the servers are a heap of the instants at which they become free. */
#include "stat/lindley.h"

#include "base/check.h"
#include "base/memory.h"

#include <stdlib.h>

void lindley_one(const nsec_t *arrivals, const nsec_t *services, size_t count, nsec_t *departures)
{
    nsec_t free_at = INT64_MIN;
    for (size_t i = 0; i < count; i++) {
        check(i == 0 || arrivals[i] >= arrivals[i - 1]);
        free_at = (arrivals[i] > free_at ? arrivals[i] : free_at) + services[i];
        departures[i] = free_at;
    }
}

/* The first of the heap was put to a later instant: moves it down to its place. */
static void sink(nsec_t *heap, size_t count)
{
    size_t place = 0;
    for (;;) {
        size_t child = 2 * place + 1;
        if (child >= count)
            return;
        if (child + 1 < count && heap[child + 1] < heap[child])
            child++;
        if (heap[place] <= heap[child])
            return;
        nsec_t kept = heap[place];
        heap[place] = heap[child];
        heap[child] = kept;
        place = child;
    }
}

void lindley_many(uint32_t servers, const nsec_t *arrivals, const nsec_t *services, size_t count,
                  nsec_t *departures)
{
    check(servers > 0);
    nsec_t *free_at = memory_new(servers, sizeof(*free_at));
    for (uint32_t i = 0; i < servers; i++)
        free_at[i] = INT64_MIN;
    for (size_t i = 0; i < count; i++) {
        check(i == 0 || arrivals[i] >= arrivals[i - 1]);
        nsec_t start = arrivals[i] > free_at[0] ? arrivals[i] : free_at[0];
        free_at[0] = start + services[i];
        departures[i] = free_at[0];
        sink(free_at, servers);
    }
    free(free_at);
}
