/* The ring between a loop thread and the recorder; see trace_ring.h.
 *
 * The writer keeps what it knows of the reader's place and looks at the shared one only when that
 * is not enough, so that a chunk touches no line that another processor writes. The end of a
 * request takes several cells, and is there whole or not at all: chunks are refused earlier than
 * ends, for a request without its last chunks is of more use than chunks without a request. */
#include "record/trace_ring.h"

#include "base/memory.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNKS_LEAVE_FREE = TRACE_RING_CELLS / 8, CACHE_LINE_BYTES = 64 };

/* `value` is an instant, or two counts of tokens; `detail` and `tokens`: of a chunk or source. */
struct cell {
    uint64_t value;
    uint32_t slot;
    uint16_t tokens;
    uint8_t kind, detail;
};

/* What stands in the cells behind an end's first one. */
struct tail {
    struct trace_end end;
    uint64_t lost;
};

enum { TAIL_CELLS = (sizeof(struct tail) + sizeof(struct cell) - 1) / sizeof(struct cell) };

struct trace_ring {
    uint64_t written;               /* the writer's place */
    uint64_t known_read;            /* the reader's, as the writer saw it last */
    uint64_t lost;                  /* chunks, counts of tokens and ends that found no room */
    _Atomic uint64_t lost_requests; /* ends among them; written by the writer */
    _Atomic uint64_t put;           /* published by the writer */
    char apart[CACHE_LINE_BYTES];   /* so that the two sides write different lines */
    _Atomic uint64_t read;          /* published by the reader */
    char apart_too[CACHE_LINE_BYTES];
    struct cell cells[TRACE_RING_CELLS];
};

struct trace_ring *trace_ring_new(void)
{
    struct trace_ring *ring = memory_new(1, sizeof *ring);
    memset(ring->cells, 0, sizeof ring->cells); /* its pages are there before the load begins */
    return ring;
}

struct trace_ring *trace_ring_free(struct trace_ring *ring)
{
    free(ring);
    return NULL;
}

/* ---- writing ----------------------------------------------------------------------------------
 */

static bool has_room(struct trace_ring *ring, uint64_t cells, uint64_t leave)
{
    if (ring->written - ring->known_read + cells + leave <= TRACE_RING_CELLS)
        return true;
    ring->known_read = atomic_load_explicit(&ring->read, memory_order_acquire);
    return ring->written - ring->known_read + cells + leave <= TRACE_RING_CELLS;
}

static struct cell *cell_at(struct trace_ring *ring, uint64_t place)
{
    return &ring->cells[place & (TRACE_RING_CELLS - 1)];
}

static void put(struct trace_ring *ring, struct cell cell)
{
    if (!has_room(ring, 1, CHUNKS_LEAVE_FREE)) {
        ring->lost++;
        return;
    }
    *cell_at(ring, ring->written) = cell;
    ring->written++;
    atomic_store_explicit(&ring->put, ring->written, memory_order_release);
}

void trace_chunk(struct trace_ring *ring, uint32_t slot, enum trace_chunk_kind kind,
                 uint32_t tokens, nsec_t at_ns)
{
    put(ring, (struct cell){.value = (uint64_t)at_ns,
                            .slot = slot,
                            .tokens = (uint16_t)(tokens < UINT16_MAX ? tokens : UINT16_MAX),
                            .kind = TRACE_CELL_CHUNK,
                            .detail = (uint8_t)kind});
}

void trace_tokens(struct trace_ring *ring, uint32_t slot, enum trace_source source,
                  uint32_t prompt_tokens, uint32_t output_tokens)
{
    put(ring, (struct cell){.value = (uint64_t)prompt_tokens << 32 | output_tokens,
                            .slot = slot,
                            .kind = TRACE_CELL_TOKENS,
                            .detail = (uint8_t)source});
}

void trace_again(struct trace_ring *ring, uint32_t slot)
{
    put(ring, (struct cell){.slot = slot, .kind = TRACE_CELL_AGAIN});
}

void trace_over(struct trace_ring *ring, uint32_t slot, const struct trace_end *end)
{
    if (!has_room(ring, 1 + TAIL_CELLS, 0)) {
        ring->lost++;
        atomic_store_explicit(&ring->lost_requests, ring->lost_requests + 1, memory_order_relaxed);
        return;
    }
    struct cell parts[TAIL_CELLS] = {{.value = 0}};
    const struct tail tail = {.end = *end, .lost = ring->lost};
    memcpy(parts, &tail, sizeof tail);
    *cell_at(ring, ring->written++) = (struct cell){.slot = slot, .kind = TRACE_CELL_OVER};
    for (size_t i = 0; i < TAIL_CELLS; i++)
        *cell_at(ring, ring->written++) = parts[i];
    atomic_store_explicit(&ring->put, ring->written, memory_order_release);
}

/* ---- reading ----------------------------------------------------------------------------------
 */

bool trace_take(struct trace_ring *ring, struct trace_said *said)
{
    uint64_t place = atomic_load_explicit(&ring->read, memory_order_relaxed);
    if (place == atomic_load_explicit(&ring->put, memory_order_acquire))
        return false;
    const struct cell cell = *cell_at(ring, place++);
    *said = (struct trace_said){.kind = (enum trace_cell_kind)cell.kind, .slot = cell.slot};
    if (cell.kind == TRACE_CELL_CHUNK) {
        said->at_ns = (nsec_t)cell.value;
        said->tokens = cell.tokens;
        said->chunk = (enum trace_chunk_kind)cell.detail;
    } else if (cell.kind == TRACE_CELL_TOKENS) {
        said->source = (enum trace_source)cell.detail;
        said->prompt_tokens = (uint32_t)(cell.value >> 32);
        said->output_tokens = (uint32_t)cell.value;
    } else if (cell.kind == TRACE_CELL_OVER) {
        struct cell parts[TAIL_CELLS];
        struct tail tail;
        for (size_t i = 0; i < TAIL_CELLS; i++)
            parts[i] = *cell_at(ring, place++);
        memcpy(&tail, parts, sizeof tail);
        said->end = tail.end;
        said->lost = tail.lost;
    }
    atomic_store_explicit(&ring->read, place, memory_order_release);
    return true;
}

uint64_t trace_lost_requests(const struct trace_ring *ring)
{
    return atomic_load_explicit(&ring->lost_requests, memory_order_relaxed);
}
