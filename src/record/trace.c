/* Reading a trace; the packing of chunks is described in trace_keep.c and doc/run-file.md. */
#include "record/trace.h"

#include "base/memory.h"
#include "base/text.h"
#include "record/read.h"

#include <stdlib.h>

struct trace {
    struct source source;
    struct rows rows;
    bool reading;
    struct trace_piece *pieces;
    size_t room;
};

enum column {
    REQUEST,
    PHASE,
    EXCLUDED,
    SEGMENT,
    INTENDED,
    ASKED,
    SENT,
    FIRST,
    ANSWER,
    LAST,
    END,
    OUTCOME,
    ERROR,
    STATUS,
    ATTEMPTS,
    SOURCE,
    PROMPT,
    OUTPUT,
    EVENTS,
    CUT,
    CHUNKS,
};

static const char select_sql[] =
    "SELECT request, phase, excluded, segment, intended_ns, asked_ns, sent_ns, first_ns,"
    " answer_ns, last_ns, end_ns, outcome, error, status, attempts, token_source, prompt_tokens,"
    " output_tokens, events, cut, chunks FROM traces ORDER BY asked_ns";

/* Whether there is something to read; 0, or what trace_open returns. */
static int look(sqlite3 *db)
{
    struct rows rows = rows_of(db, "SELECT count(*) FROM sqlite_master WHERE name = 'traces'");
    bool there = rows_next(&rows) && sqlite3_column_int(rows.statement, 0) > 0;
    int error = rows_end(&rows);
    if (error || !there)
        return error ? error : TRACE_NONE;
    rows = rows_of(db, "SELECT 1 FROM trace LIMIT 1");
    there = rows_next(&rows);
    error = rows_end(&rows);
    return error || there ? error : TRACE_NONE;
}

int trace_open(struct trace **out, const char *path)
{
    struct trace *trace = memory_new(1, sizeof *trace);
    int error = source_open(&trace->source, path);
    if (error) {
        free(trace);
        return error;
    }
    error = look(trace->source.db);
    if (error) {
        trace_close(trace);
        return error;
    }
    trace->rows = rows_of(trace->source.db, select_sql);
    trace->reading = true;
    *out = trace;
    return 0;
}

int trace_close(struct trace *trace)
{
    if (!trace)
        return 0;
    int error = trace->reading ? rows_end(&trace->rows) : 0;
    source_close(&trace->source);
    free(trace->pieces);
    free(trace);
    return error;
}

/* A LEB128 number; false when the bytes end first or it is too long. */
static bool take_leb128(struct span *bytes, uint64_t *value)
{
    *value = 0;
    for (unsigned shift = 0; bytes->bytes && shift < 63; shift += 7) {
        unsigned char byte = (unsigned char)*bytes->at;
        bytes->at++;
        bytes->bytes--;
        *value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return true;
    }
    return false;
}

static bool unpack(struct trace *trace, struct span bytes, struct trace_request *out)
{
    nsec_t at_ns = out->asked_ns;
    uint64_t gap = 0, tokens = 0;
    size_t count = 0;
    while (bytes.bytes) {
        if (!take_leb128(&bytes, &gap) || !take_leb128(&bytes, &tokens) || (gap & 3) > 2 ||
            tokens > UINT32_MAX || (gap >> 2) > (uint64_t)INT64_MAX / 4)
            return false;
        if (count == trace->room) {
            trace->room = trace->room ? 2 * trace->room : 256;
            trace->pieces = memory_resize(trace->pieces, trace->room, sizeof *trace->pieces);
        }
        if (__builtin_add_overflow(at_ns, (nsec_t)(gap >> 2), &at_ns))
            return false;
        struct trace_piece *piece = &trace->pieces[count++];
        piece->at_ns = at_ns;
        piece->tokens = (uint32_t)tokens;
        piece->kind = (gap & 3) == 0   ? TRACE_PIECE_EMPTY
                      : (gap & 3) == 1 ? TRACE_PIECE_REASONING
                                       : TRACE_PIECE_CONTENT;
    }
    out->pieces = trace->pieces;
    out->piece_count = count;
    return true;
}

static const char *words(const struct rows *rows, enum column column)
{
    return (const char *)sqlite3_column_text(rows->statement, (int)column);
}

static nsec_t instant(struct rows *rows, enum column column)
{
    if (sqlite3_column_type(rows->statement, (int)column) == SQLITE_NULL)
        return TRACE_NEVER;
    nsec_t at_ns = sqlite3_column_int64(rows->statement, (int)column);
    if (at_ns > INT64_MAX / 4 || at_ns < -(INT64_MAX / 4))
        rows->error = RESULT_DAMAGED;
    return at_ns;
}

static int64_t tokens(struct rows *rows, enum column column)
{
    if (sqlite3_column_type(rows->statement, (int)column) == SQLITE_NULL)
        return -1;
    return rows_whole(rows, (int)column, UINT32_MAX);
}

bool trace_next(struct trace *trace, struct trace_request *out)
{
    struct rows *rows = &trace->rows;
    if (!rows_next(rows))
        return false;
    *out = (struct trace_request){
        .request = words(rows, REQUEST),
        .phase = words(rows, PHASE),
        .excluded = sqlite3_column_int(rows->statement, EXCLUDED) != 0,
        .segment = (uint32_t)rows_whole(rows, SEGMENT, UINT32_MAX),
        .intended_ns = instant(rows, INTENDED),
        .asked_ns = instant(rows, ASKED),
        .sent_ns = instant(rows, SENT),
        .first_ns = instant(rows, FIRST),
        .answer_ns = instant(rows, ANSWER),
        .last_ns = instant(rows, LAST),
        .end_ns = instant(rows, END),
        .outcome = words(rows, OUTCOME),
        .error = words(rows, ERROR),
        .status = sqlite3_column_int(rows->statement, STATUS),
        .attempts = (uint32_t)rows_whole(rows, ATTEMPTS, UINT32_MAX),
        .token_source = words(rows, SOURCE),
        .prompt_tokens = tokens(rows, PROMPT),
        .output_tokens = tokens(rows, OUTPUT),
        .events = (uint32_t)rows_whole(rows, EVENTS, UINT32_MAX),
        .cut = sqlite3_column_int(rows->statement, CUT) != 0,
    };
    const void *bytes = sqlite3_column_blob(rows->statement, CHUNKS);
    int size = sqlite3_column_bytes(rows->statement, CHUNKS);
    struct span chunks = {.at = bytes, .bytes = bytes && size > 0 ? (size_t)size : 0};
    if (!rows->error && (!out->request || !out->phase || !out->outcome ||
                         out->asked_ns == TRACE_NEVER || out->end_ns == TRACE_NEVER ||
                         out->intended_ns == TRACE_NEVER || !unpack(trace, chunks, out)))
        rows->error = RESULT_DAMAGED;
    return rows->error == 0;
}
