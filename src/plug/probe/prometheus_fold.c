/* Each row of a preset has cells, one for each part (device, pod, ...); the samples of a look are
 * added to them, and at its end each whole cell gives a value. A cell into which a counter came
 * that had shrunk, or that was seen for the first time alone, gives none: that is the gap. */
#include "plug/probe/prometheus.h"

#include "base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_CELLS = 4096, MOST_BUCKETS = 512 };

struct cell {
    char *part;
    double top, bottom;
    size_t tops, bottoms;
    unsigned top_term, bottom_term; /* of PRESET_FIRST and histograms: whose samples are in */
    bool broken;
    double *edges, *counts; /* of buckets, in the order seen */
    size_t bucket_count;
};

struct fold_row {
    const struct preset_row *row;
    struct cell *cells;
    size_t count, next;
};

struct fold {
    struct fold_row *rows;
    size_t count;
    struct text part;
    /* The rows that the last sample's name concerned: samples of one name stand together. */
    char name[256];
    size_t *concerned;
    size_t concerned_count;
};

/* ---- selectors --------------------------------------------------------------------------------
 */

/* Takes the next term of a selector: its name and its conditions. */
static bool next_term(const char **selector, struct span *name, struct span *conditions)
{
    const char *at = *selector + strspn(*selector, " +");
    if (*at == '\0')
        return false;
    name->at = at;
    name->bytes = strcspn(at, "{ +");
    at += name->bytes;
    *conditions = SPAN("");
    if (*at == '{') {
        conditions->at = at + 1;
        conditions->bytes = strcspn(at, "}") - 1;
        at += conditions->bytes + 2;
    }
    *selector = at;
    return true;
}

/* Takes what stands before a mark, and the mark. */
static struct span take_until(struct span *rest, char mark)
{
    const char *at = rest->bytes ? memchr(rest->at, mark, rest->bytes) : NULL;
    struct span part = {.at = rest->at, .bytes = at ? (size_t)(at - rest->at) : rest->bytes};
    size_t skip = part.bytes + (at != NULL);
    *rest = (struct span){.at = rest->at + skip, .bytes = rest->bytes - skip};
    return part;
}

static bool meets(struct span conditions, struct span labels)
{
    while (conditions.bytes) {
        struct span values = take_until(&conditions, ',');
        struct span name = take_until(&values, '=');
        bool negated = name.bytes && name.at[name.bytes - 1] == '!', found = false;
        name.bytes -= negated;
        struct span value = exposition_find(labels, name);
        while (values.bytes)
            found |= span_equal(take_until(&values, '|'), value);
        if (found == negated)
            return false;
    }
    return true;
}

/* How a sample concerns a histogram of this name: 's'um, 'c'ount, 'b'ucket; 0: not. */
static char place_in_histogram(struct span sample, struct span name)
{
    if (!span_begins(sample, name))
        return 0;
    struct span ending = {.at = sample.at + name.bytes, .bytes = sample.bytes - name.bytes};
    if (span_equal(ending, SPAN("_sum")))
        return 's';
    if (span_equal(ending, SPAN("_count")))
        return 'c';
    return span_equal(ending, SPAN("_bucket")) ? 'b' : 0;
}

/* Which term of the selector a sample meets, from 1; 0: none. */
static unsigned selects(const char *selector, bool histogram,
                        const struct exposition_sample *sample, bool by_name_only)
{
    struct span name, conditions;
    for (unsigned term = 1; selector && next_term(&selector, &name, &conditions); term++) {
        bool named = histogram ? place_in_histogram(sample->name, name) != 0
                               : span_equal(name, sample->name);
        if (named && (by_name_only || meets(conditions, sample->labels)))
            return term;
    }
    return 0;
}

/* ---- life -------------------------------------------------------------------------------------
 */

static void add_rows(struct fold *fold, const struct preset_row *rows)
{
    for (; rows->metric; rows++) {
        fold->rows = memory_resize(fold->rows, fold->count + 1, sizeof *fold->rows);
        fold->rows[fold->count++] = (struct fold_row){.row = rows};
    }
}

struct fold *fold_new(const struct preset *only)
{
    struct fold *fold = memory_new(1, sizeof *fold);
    for (const struct preset *preset = presets; preset->name; preset++)
        if (!only || only == preset)
            add_rows(fold, preset->rows);
    fold->concerned = memory_new(fold->count, sizeof *fold->concerned);
    return fold;
}

static void drop_cells(struct fold_row *row)
{
    for (size_t i = 0; i < row->count; i++) {
        free(row->cells[i].part);
        free(row->cells[i].edges);
        free(row->cells[i].counts);
    }
    row->count = 0;
}

struct fold *fold_free(struct fold *fold)
{
    if (!fold)
        return NULL;
    for (size_t i = 0; i < fold->count; i++) {
        drop_cells(&fold->rows[i]);
        free(fold->rows[i].cells);
    }
    free(fold->rows);
    free(fold->concerned);
    text_fini(&fold->part);
    free(fold);
    return NULL;
}

void fold_begin(struct fold *fold)
{
    fold->name[0] = '\0';
    fold->concerned_count = 0;
    for (size_t i = 0; i < fold->count; i++) {
        fold->rows[i].next = 0;
        if (fold->rows[i].count == MOST_CELLS) /* of pods that are long gone, mostly */
            drop_cells(&fold->rows[i]);
        for (size_t c = 0; c < fold->rows[i].count; c++) {
            struct cell *cell = &fold->rows[i].cells[c];
            cell->top = cell->bottom = 0;
            cell->tops = cell->bottoms = cell->bucket_count = 0;
            cell->top_term = cell->bottom_term = 0;
            cell->broken = false;
        }
    }
}

/* ---- adding -----------------------------------------------------------------------------------
 */

/* The values of the labels that name the part, joined by slashes. */
static const char *part_of(struct fold *fold, const struct preset_row *row,
                           const struct exposition_sample *sample)
{
    struct span names = span_of(row->part);
    text_clear(&fold->part);
    text_reserve(&fold->part, 1);
    while (names.bytes) {
        struct span value = exposition_find(sample->labels, take_until(&names, ','));
        if (fold->part.bytes && value.bytes)
            text_putc(&fold->part, '/');
        exposition_text(value, &fold->part);
    }
    return fold->part.at;
}

/* The cell of a part; NULL when there are too many. Parts mostly come in the order of before. */
static struct cell *cell_of(struct fold_row *row, const char *part)
{
    for (size_t i = 0; i < row->count; i++) {
        size_t at = (row->next + i) % row->count;
        if (strcmp(row->cells[at].part, part) == 0) {
            row->next = at;
            return &row->cells[at];
        }
    }
    if (row->count == MOST_CELLS)
        return NULL;
    row->cells = memory_resize(row->cells, row->count + 1, sizeof *row->cells);
    row->next = row->count;
    row->cells[row->count] = (struct cell){.part = memory_copy_text(part)};
    return &row->cells[row->count++];
}

static void add_bucket(struct cell *cell, struct span edge, double growth)
{
    char words[32];
    if (edge.bytes == 0 || edge.bytes >= sizeof words)
        return;
    memcpy(words, edge.at, edge.bytes);
    words[edge.bytes] = '\0';
    double value = strtod(words, NULL);
    for (size_t i = 0; i < cell->bucket_count; i++)
        if (cell->edges[i] == value) {
            cell->counts[i] += growth;
            return;
        }
    if (cell->bucket_count == MOST_BUCKETS)
        return;
    if (!cell->edges) {
        cell->edges = memory_new(MOST_BUCKETS, sizeof *cell->edges);
        cell->counts = memory_new(MOST_BUCKETS, sizeof *cell->counts);
    }
    size_t at = cell->bucket_count++; /* kept ascending */
    for (; at > 0 && cell->edges[at - 1] > value; at--) {
        cell->edges[at] = cell->edges[at - 1];
        cell->counts[at] = cell->counts[at - 1];
    }
    cell->edges[at] = value;
    cell->counts[at] = growth;
}

static void add(double *sum, size_t *count, double value, enum preset_join join)
{
    if (join == PRESET_MOST)
        *sum = *count && *sum > value ? *sum : value;
    else
        *sum += value;
    *count += 1;
}

/* Whether samples of this term are wanted: of a selector's names for one thing the first that is
 * there counts. fresh: what came from a later name is to be dropped. */
static bool prefer(unsigned *kept, unsigned term, bool *fresh)
{
    *fresh = *kept && term < *kept;
    if (*kept && term > *kept)
        return false;
    *kept = term;
    return true;
}

static bool prefer_top(struct cell *cell, unsigned term)
{
    bool fresh, wanted = prefer(&cell->top_term, term, &fresh);
    if (fresh) {
        cell->top = 0;
        cell->tops = 0;
    }
    return wanted;
}

static bool prefer_bottom(struct cell *cell, unsigned term)
{
    bool fresh, wanted = prefer(&cell->bottom_term, term, &fresh);
    if (fresh) {
        cell->bottom = 0;
        cell->bottoms = 0;
    }
    return wanted;
}

static bool prefer_histogram(struct cell *cell, unsigned term)
{
    bool fresh, wanted = prefer(&cell->top_term, term, &fresh);
    if (fresh) {
        cell->top = cell->bottom = 0;
        cell->tops = cell->bottoms = cell->bucket_count = 0;
    }
    return wanted;
}

static void add_to_histogram(struct cell *cell, const struct preset_row *row,
                             const struct exposition_sample *sample, double rate)
{
    const char *selector = row->top;
    struct span name, conditions;
    while (next_term(&selector, &name, &conditions))
        switch (place_in_histogram(sample->name, name)) {
        case 's':
            add(&cell->top, &cell->tops, rate, PRESET_SUM);
            return;
        case 'c':
            add(&cell->bottom, &cell->bottoms, rate, PRESET_SUM);
            return;
        case 'b':
            add_bucket(cell, exposition_find(sample->labels, SPAN("le")), rate);
            return;
        default:
            break;
        }
}

static void add_sample(struct fold *fold, struct fold_row *at,
                       const struct exposition_sample *sample, enum past_found found, double rate)
{
    const struct preset_row *row = at->row;
    bool histogram = row->kind == PRESET_HISTOGRAM;
    unsigned top = selects(row->top, histogram, sample, false);
    unsigned bottom = histogram ? 0 : selects(row->bottom, false, sample, false);
    struct cell *cell = top || bottom ? cell_of(at, part_of(fold, row, sample)) : NULL;
    if (!cell || found == PAST_STALE)
        return;
    bool level = row->kind == PRESET_LEVEL || (bottom && !top && row->level_bottom);
    if (!level && found != PAST_RATE) {
        cell->broken |= found == PAST_RESET;
        return;
    }
    double value = level ? sample->value : rate;
    if (isnan(value))
        return;
    if (histogram) {
        if (prefer_histogram(cell, top))
            add_to_histogram(cell, row, sample, value);
        return;
    }
    bool first = row->join == PRESET_FIRST;
    if (top && (!first || prefer_top(cell, top)))
        add(&cell->top, &cell->tops, value, row->join);
    if (bottom && (!first || prefer_bottom(cell, bottom)))
        add(&cell->bottom, &cell->bottoms, value, row->join);
}

/* Which rows a sample's name concerns, whatever its labels. */
static void find_concerned(struct fold *fold, const struct exposition_sample *sample)
{
    if (span_equal(span_of(fold->name), sample->name))
        return;
    size_t bytes = sample->name.bytes < sizeof fold->name ? sample->name.bytes : 0;
    memcpy(fold->name, sample->name.at, bytes);
    fold->name[bytes] = '\0';
    fold->concerned_count = 0;
    for (size_t i = 0; i < fold->count; i++) {
        const struct preset_row *row = fold->rows[i].row;
        bool histogram = row->kind == PRESET_HISTOGRAM;
        if (selects(row->top, histogram, sample, true) ||
            (!histogram && selects(row->bottom, false, sample, true)))
            fold->concerned[fold->concerned_count++] = i;
    }
}

bool fold_sample(struct fold *fold, const struct exposition_sample *sample, struct past *past)
{
    double rate = NAN;
    find_concerned(fold, sample);
    if (fold->concerned_count == 0)
        return false;
    enum past_found found = past_compare(past, sample, &rate);
    for (size_t i = 0; i < fold->concerned_count; i++)
        add_sample(fold, &fold->rows[fold->concerned[i]], sample, found, rate);
    return true;
}

/* ---- the end of a look ------------------------------------------------------------------------
 */

double fold_quantile(const double *edges, const double *counts, size_t count, double share)
{
    if (count < 2 || !isinf(edges[count - 1]) || !(counts[count - 1] > 0))
        return NAN;
    double rank = share * counts[count - 1];
    size_t at = 0;
    while (at < count - 1 && counts[at] < rank)
        at++;
    if (at == count - 1)
        return edges[count - 2]; /* all that is known: not below the highest edge */
    double low = at ? edges[at - 1] : 0, below = at ? counts[at - 1] : 0;
    if (at == 0 && edges[0] <= 0)
        return edges[0];
    return counts[at] > below ? low + (edges[at] - low) * (rank - below) / (counts[at] - below)
                              : edges[at];
}

static void hand_out(const struct preset_row *row, const char *ending, const struct cell *cell,
                     double value, struct probe_sink *sink)
{
    struct text name = TEXT_EMPTY, sentence = TEXT_EMPTY;
    text_printf(&name, "%s%s", row->metric, ending);
    text_printf(&sentence, "%s%s", row->sentence,
                strcmp(ending, ".p95") == 0 ? " (95th percentile of the interval, from buckets)"
                : ending[0]                 ? " (mean of the interval)"
                                            : "");
    struct metric metric = {.name = name.at,
                            .kind = METRIC_GAUGE,
                            .unit = row->unit,
                            .sentence = sentence.at,
                            .source = row->top};
    probe_named(sink, &metric, cell->part, value * (row->factor != 0 ? row->factor : 1));
    text_fini(&name);
    text_fini(&sentence);
}

static size_t end_cell(const struct preset_row *row, const struct cell *cell,
                       struct probe_sink *sink)
{
    bool whole = row->bottom || row->kind == PRESET_HISTOGRAM ? cell->bottom > 0 : true;
    if (cell->broken || cell->tops == 0 || !whole)
        return 0;
    if (row->kind == PRESET_HISTOGRAM) {
        double p95 = fold_quantile(cell->edges, cell->counts, cell->bucket_count, 0.95);
        hand_out(row, ".mean", cell, cell->top / cell->bottom, sink);
        if (isfinite(p95))
            hand_out(row, ".p95", cell, p95, sink);
        return isfinite(p95) ? 2 : 1;
    }
    double value = row->bottom ? cell->top / cell->bottom : cell->top;
    hand_out(row, "", cell, row->complement ? 1 - value : value, sink);
    return 1;
}

size_t fold_end(struct fold *fold, struct probe_sink *sink)
{
    size_t values = 0;
    for (size_t i = 0; i < fold->count; i++)
        for (size_t c = 0; c < fold->rows[i].count; c++)
            values += end_cell(fold->rows[i].row, &fold->rows[i].cells[c], sink);
    return values;
}
