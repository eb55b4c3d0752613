/* Requests put together from their cells; see trace_keep.h.
 *
 * Packed, a chunk is two LEB128 numbers: the time since the chunk before (of the first: since the
 * client began to send it) times 4, plus its kind; and its tokens, 0 where the server does not say.
 * About 5 bytes a token. */
#include "record/trace_keep.h"

#include "base/memory.h"

#include <stdlib.h>

struct chunk {
    nsec_t at_ns;
    uint16_t tokens;
    uint8_t kind;
};

/* What is known of the request that has this slot. */
struct slot {
    struct chunk *chunks;
    uint32_t count, room;
    enum trace_source source;
    uint32_t prompt_tokens, output_tokens;
    bool cut;
    uint64_t lost; /* on the ring when the slot was last free */
};

struct trace_keep {
    struct slot *slots;
    uint32_t count;
    struct text packed;
};

struct trace_keep *trace_keep_new(void)
{
    return memory_new(1, sizeof(struct trace_keep));
}

struct trace_keep *trace_keep_free(struct trace_keep *keep)
{
    if (!keep)
        return NULL;
    for (uint32_t i = 0; i < keep->count; i++)
        free(keep->slots[i].chunks);
    free(keep->slots);
    text_fini(&keep->packed);
    free(keep);
    return NULL;
}

static struct slot *slot_of(struct trace_keep *keep, uint32_t number)
{
    if (number >= keep->count) {
        uint32_t count = number + 1 + number / 2;
        keep->slots = memory_resize(keep->slots, count, sizeof *keep->slots);
        for (uint32_t i = keep->count; i < count; i++)
            keep->slots[i] = (struct slot){.chunks = NULL};
        keep->count = count;
    }
    return &keep->slots[number];
}

static void slot_empty(struct slot *slot)
{
    slot->count = 0;
    slot->source = TRACE_SOURCE_NONE;
    slot->prompt_tokens = slot->output_tokens = 0;
    slot->cut = false;
}

static void add_chunk(struct slot *slot, const struct trace_said *said)
{
    if (slot->count == TRACE_CHUNKS_MOST) {
        slot->cut = true;
        return;
    }
    if (slot->count == slot->room) {
        slot->room = slot->room ? 2 * slot->room : 64;
        slot->chunks = memory_resize(slot->chunks, slot->room, sizeof *slot->chunks);
    }
    slot->chunks[slot->count++] = (struct chunk){
        .at_ns = said->at_ns, .tokens = (uint16_t)said->tokens, .kind = (uint8_t)said->chunk};
}

static void put_leb128(struct text *out, uint64_t value)
{
    while (value >= 0x80) {
        text_putc(out, (char)(uint8_t)(0x80 | (value & 0x7f)));
        value >>= 7;
    }
    text_putc(out, (char)(uint8_t)value);
}

static void pack(const struct slot *slot, const struct trace_end *end, struct text *out)
{
    nsec_t before_ns = end->asked_ns;
    text_clear(out);
    for (uint32_t i = 0; i < slot->count; i++) {
        const struct chunk *chunk = &slot->chunks[i];
        nsec_t gap_ns = chunk->at_ns > before_ns ? chunk->at_ns - before_ns : 0;
        put_leb128(out, (uint64_t)gap_ns << 2 | chunk->kind);
        put_leb128(out, chunk->tokens);
        before_ns = chunk->at_ns;
    }
}

static nsec_t since(const struct trace_end *end, nsec_t at_ns)
{
    return at_ns ? at_ns - end->start_ns : TRACE_NEVER;
}

static void look_at_chunks(const struct slot *slot, struct trace_row *row)
{
    for (uint32_t i = 0; i < slot->count; i++) {
        const struct chunk *chunk = &slot->chunks[i];
        nsec_t at_ns = since(&row->end, chunk->at_ns);
        if (chunk->kind == TRACE_CHUNK_EMPTY)
            continue;
        if (row->events++ == 0)
            row->first_ns = at_ns;
        if (chunk->kind == TRACE_CHUNK_CONTENT && row->answer_ns == TRACE_NEVER)
            row->answer_ns = at_ns;
        row->last_ns = at_ns;
    }
}

static void make_row(struct trace_keep *keep, struct slot *slot, const struct trace_said *said,
                     struct trace_row *row)
{
    const struct trace_end *end = &said->end;
    *row = (struct trace_row){
        .end = *end,
        .intended_ns = since(end, end->intended_ns),
        .asked_ns = since(end, end->asked_ns),
        .sent_ns = since(end, end->sent_ns),
        .end_ns = since(end, end->end_ns),
        .first_ns = TRACE_NEVER,
        .answer_ns = TRACE_NEVER,
        .last_ns = TRACE_NEVER,
        .source = slot->source,
        .prompt_tokens = slot->prompt_tokens,
        .output_tokens = slot->output_tokens,
        .cut = slot->cut || slot->lost != said->lost,
    };
    look_at_chunks(slot, row);
    pack(slot, end, &keep->packed);
    row->chunks = text_span(&keep->packed);
    slot_empty(slot);
    slot->lost = said->lost;
}

bool trace_keep_next(struct trace_keep *keep, struct trace_ring *ring, struct trace_row *row)
{
    struct trace_said said;
    while (trace_take(ring, &said)) {
        struct slot *slot = slot_of(keep, said.slot);
        if (said.kind == TRACE_CELL_CHUNK) {
            add_chunk(slot, &said);
        } else if (said.kind == TRACE_CELL_TOKENS) {
            slot->source = said.source;
            slot->prompt_tokens = said.prompt_tokens;
            slot->output_tokens = said.output_tokens;
        } else if (said.kind == TRACE_CELL_AGAIN) {
            slot_empty(slot);
        } else {
            make_row(keep, slot, &said, row);
            return true;
        }
    }
    return false;
}
