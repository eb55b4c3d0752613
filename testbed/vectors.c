/* Rows, ids, and the scan; see vectors.h. */
#include "testbed/vectors.h"

#include "base/check.h"
#include "base/memory.h"
#include "base/random.h"
#include "testbed/reply.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { LANES = 8 }; /* floats that the compiler is told it may work on at once */

typedef float lanes __attribute__((vector_size(LANES * sizeof(float))));

struct point {
    char *id;      /* raw JSON; NULL: the number of the row */
    char *payload; /* raw JSON; NULL: none */
};

struct collection {
    char *name;
    enum vectors_distance distance;
    uint64_t dimensions, count, room;
    float *rows;
    struct point *points;
    uint64_t *slots; /* of ids: row + 1, 0: free; a power of two of them */
    uint64_t slot_count;
    const struct nearest_kind *nearest;
    void *index; /* of nearest; made with the first row; NULL: searched exactly */
    uint64_t index_room;
};

struct vectors {
    uint64_t seed, rows, dimensions;
    bool prepared;
    const struct nearest_kind *nearest;
    pthread_rwlock_t lock;
    struct collection *collections[VECTORS_COLLECTIONS_MOST];
};

/* ---- collections ------------------------------------------------------------------------------
 */

struct vectors *vectors_new(uint64_t seed, uint64_t rows, uint64_t dimensions,
                            const struct nearest_kind *nearest)
{
    struct vectors *vectors = memory_new(1, sizeof *vectors);
    vectors->seed = seed;
    vectors->rows = rows;
    vectors->dimensions = dimensions;
    vectors->nearest = nearest;
    check(pthread_rwlock_init(&vectors->lock, NULL) == 0);
    return vectors;
}

static void collection_free(struct collection *collection)
{
    if (!collection)
        return;
    for (uint64_t i = 0; i < collection->count; i++) {
        free(collection->points[i].id);
        free(collection->points[i].payload);
    }
    if (collection->index)
        collection->nearest->end(collection->index);
    free(collection->name);
    free(collection->rows);
    free(collection->points);
    free(collection->slots);
    free(collection);
}

struct vectors *vectors_free(struct vectors *vectors)
{
    if (!vectors)
        return NULL;
    for (int i = 0; i < VECTORS_COLLECTIONS_MOST; i++)
        collection_free(vectors->collections[i]);
    pthread_rwlock_destroy(&vectors->lock);
    free(vectors);
    return NULL;
}

static struct collection **find(struct vectors *vectors, struct span name)
{
    for (int i = 0; i < VECTORS_COLLECTIONS_MOST; i++) {
        struct collection *collection = vectors->collections[i];
        if (collection && span_equal(span_of(collection->name), name))
            return &vectors->collections[i];
    }
    return NULL;
}

static struct collection *add(struct vectors *vectors, struct span name)
{
    for (int i = 0; i < VECTORS_COLLECTIONS_MOST; i++) {
        if (vectors->collections[i])
            continue;
        struct text copy = TEXT_EMPTY;
        struct collection *collection = memory_new(1, sizeof *collection);
        text_put(&copy, name);
        collection->name = text_take(&copy);
        collection->nearest = vectors->nearest;
        vectors->collections[i] = collection;
        return collection;
    }
    return NULL;
}

static void grow(struct collection *collection, uint64_t room)
{
    if (room <= collection->room)
        return;
    room = room > 2 * collection->room ? room : 2 * collection->room;
    collection->rows =
        memory_resize(collection->rows, room * collection->dimensions, sizeof *collection->rows);
    collection->points = memory_resize(collection->points, room, sizeof *collection->points);
    collection->room = room;
}

/* ---- the approximate index --------------------------------------------------------------------
 */

enum { INDEX_ROOM = 1024 }; /* of a collection's first index; the next has four times as much */

static const float *row_at(const struct collection *collection, uint64_t row)
{
    return collection->rows + row * collection->dimensions;
}

/* Makes an index of all rows with room for more; the old one ends. */
static void index_anew(struct collection *collection, uint64_t room)
{
    if (collection->index)
        collection->nearest->end(collection->index);
    collection->index = collection->nearest->begin(collection->dimensions, room,
                                                   collection->distance == DISTANCE_EUCLID, room);
    check(collection->index != NULL);
    collection->index_room = room;
    for (uint64_t row = 0; row < collection->count; row++)
        check(collection->nearest->put(collection->index, row, row_at(collection, row)));
}

/* Puts a row that is there into the index, where the collection has one. */
static void index_row(struct collection *collection, uint64_t row)
{
    if (!collection->nearest)
        return;
    if (!collection->index || row >= collection->index_room)
        index_anew(collection, collection->index ? 4 * collection->index_room : INDEX_ROOM);
    else
        check(collection->nearest->put(collection->index, row, row_at(collection, row)));
}

/* ---- the collection made from the seed --------------------------------------------------------
 */

static void normalise(float *numbers, uint64_t count)
{
    double square = 0;
    for (uint64_t i = 0; i < count; i++)
        square += (double)numbers[i] * (double)numbers[i];
    double scale = square > 0 ? 1 / sqrt(square) : 0;
    for (uint64_t i = 0; i < count; i++)
        numbers[i] = (float)(numbers[i] * scale);
}

static void draw_row(uint64_t key, uint64_t row, uint64_t dimensions, float *out)
{
    for (uint64_t i = 0; i < dimensions; i++)
        out[i] = (float)(2 * random_unit_of(random_bits_at(key, row * dimensions + i)) - 1);
    normalise(out, dimensions);
}

void vectors_row(uint64_t seed, uint64_t row, uint64_t dimensions, float *out)
{
    draw_row(random_key(seed, "testbed vectors", 0), row, dimensions, out);
}

static void prepare_locked(struct vectors *vectors)
{
    if (vectors->prepared)
        return;
    vectors->prepared = true;
    struct collection *collection = add(vectors, SPAN("default"));
    uint64_t key = random_key(vectors->seed, "testbed vectors", 0);
    collection->distance = DISTANCE_COSINE;
    collection->dimensions = vectors->dimensions;
    grow(collection, vectors->rows);
    for (uint64_t row = 0; row < vectors->rows; row++) {
        draw_row(key, row, collection->dimensions, collection->rows + row * vectors->dimensions);
        collection->points[row] = (struct point){.id = NULL};
    }
    collection->count = vectors->rows;
    if (collection->nearest)
        index_anew(collection, vectors->rows + INDEX_ROOM);
}

void vectors_prepare(struct vectors *vectors)
{
    pthread_rwlock_wrlock(&vectors->lock);
    prepare_locked(vectors);
    pthread_rwlock_unlock(&vectors->lock);
}

/* Takes the lock for reading, with "default" made. */
static void begin_reading(struct vectors *vectors)
{
    pthread_rwlock_rdlock(&vectors->lock);
    if (vectors->prepared)
        return;
    pthread_rwlock_unlock(&vectors->lock);
    vectors_prepare(vectors);
    pthread_rwlock_rdlock(&vectors->lock);
}

static int end(struct vectors *vectors, int outcome)
{
    pthread_rwlock_unlock(&vectors->lock);
    return outcome;
}

int vectors_create(struct vectors *vectors, struct span name, uint64_t dimensions,
                   enum vectors_distance distance)
{
    pthread_rwlock_wrlock(&vectors->lock);
    prepare_locked(vectors);
    if (find(vectors, name))
        return end(vectors, VECTORS_THERE);
    struct collection *collection = add(vectors, name);
    if (!collection)
        return end(vectors, VECTORS_FULL);
    collection->dimensions = dimensions;
    collection->distance = distance;
    return end(vectors, 0);
}

int vectors_delete(struct vectors *vectors, struct span name)
{
    pthread_rwlock_wrlock(&vectors->lock);
    prepare_locked(vectors);
    struct collection **at = find(vectors, name);
    if (!at)
        return end(vectors, VECTORS_NONE);
    collection_free(*at);
    *at = NULL;
    return end(vectors, 0);
}

int vectors_shape(struct vectors *vectors, struct span name, uint64_t *dimensions,
                  enum vectors_distance *distance, uint64_t *rows)
{
    begin_reading(vectors);
    struct collection **at = find(vectors, name);
    if (!at)
        return end(vectors, VECTORS_NONE);
    *dimensions = (*at)->dimensions;
    *distance = (*at)->distance;
    *rows = (*at)->count;
    return end(vectors, 0);
}

void vectors_names(struct vectors *vectors, struct text *out)
{
    bool first = true;
    begin_reading(vectors);
    text_putc(out, '[');
    for (int i = 0; i < VECTORS_COLLECTIONS_MOST; i++) {
        if (!vectors->collections[i])
            continue;
        text_puts(out, first ? "{\"name\":" : ",{\"name\":");
        reply_json_string(out, span_of(vectors->collections[i]->name));
        text_putc(out, '}');
        first = false;
    }
    text_putc(out, ']');
    end(vectors, 0);
}

/* ---- ids --------------------------------------------------------------------------------------
 */

static uint64_t hash(struct span id)
{
    uint64_t sum = UINT64_C(0xCBF29CE484222325);
    for (size_t i = 0; i < id.bytes; i++)
        sum = (sum ^ (unsigned char)id.at[i]) * UINT64_C(0x100000001B3);
    return sum ^ sum >> 29;
}

static bool has_id(const struct collection *collection, uint64_t row, struct span id)
{
    uint64_t number;
    const char *own = collection->points[row].id;
    if (own)
        return span_equal(span_of(own), id);
    return span_uint(id, &number) == 0 && number == row;
}

static uint64_t *slot_of(const struct collection *collection, struct span id)
{
    uint64_t at = hash(id) & (collection->slot_count - 1);
    while (collection->slots[at] && !has_id(collection, collection->slots[at] - 1, id))
        at = (at + 1) & (collection->slot_count - 1);
    return &collection->slots[at];
}

static void make_slots(struct collection *collection)
{
    uint64_t count = 16;
    while (count < 2 * (collection->count + 1))
        count *= 2;
    free(collection->slots);
    collection->slots = memory_new(count, sizeof *collection->slots);
    collection->slot_count = count;
    for (uint64_t row = 0; row < collection->count; row++) {
        if (collection->points[row].id)
            *slot_of(collection, span_of(collection->points[row].id)) = row + 1;
    }
}

/* The row of an id plus 1, or 0. Rows made from the seed are their own index until replaced. */
static uint64_t row_of(const struct collection *collection, struct span id)
{
    uint64_t number;
    if (span_uint(id, &number) == 0 && number < collection->count && !collection->points[number].id)
        return number + 1;
    return collection->slots ? *slot_of(collection, id) : 0;
}

static char *copy(struct span span)
{
    struct text text = TEXT_EMPTY;
    if (span.bytes == 0)
        return NULL;
    text_put(&text, span);
    return text_take(&text);
}

static uint64_t new_row(struct collection *collection, struct span id)
{
    uint64_t row = collection->count;
    grow(collection, row + 1);
    collection->points[row] = (struct point){.id = copy(id)};
    collection->count++;
    if (2 * collection->count >= collection->slot_count)
        make_slots(collection);
    else
        *slot_of(collection, id) = row + 1;
    return row;
}

int vectors_put(struct vectors *vectors, struct span name, const struct vectors_point *point)
{
    pthread_rwlock_wrlock(&vectors->lock);
    prepare_locked(vectors);
    struct collection **at = find(vectors, name);
    if (!at)
        return end(vectors, VECTORS_NONE);
    struct collection *collection = *at;
    if (point->count != collection->dimensions)
        return end(vectors, VECTORS_SIZE);
    uint64_t row = row_of(collection, point->id);
    if (!row && collection->count == VECTORS_ROWS_MOST)
        return end(vectors, VECTORS_FULL);
    row = row ? row - 1 : new_row(collection, point->id);
    float *numbers = collection->rows + row * collection->dimensions;
    memcpy(numbers, point->numbers, point->count * sizeof *numbers);
    if (collection->distance == DISTANCE_COSINE)
        normalise(numbers, point->count);
    index_row(collection, row);
    free(collection->points[row].payload);
    collection->points[row].payload = copy(point->payload);
    return end(vectors, 0);
}

/* ---- the search -------------------------------------------------------------------------------
 */

/* Sums over lanes, so that the compiler may use what the processor has without being allowed to
 * change the order of any other sum. */
static float dot(const float *one, const float *other, uint64_t count)
{
    lanes sum = {0};
    uint64_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        lanes a, b;
        memcpy(&a, one + i, sizeof a);
        memcpy(&b, other + i, sizeof b);
        sum += a * b;
    }
    float whole = 0;
    for (int lane = 0; lane < LANES; lane++)
        whole += sum[lane];
    for (; i < count; i++)
        whole += one[i] * other[i];
    return whole;
}

static float square_distance(const float *one, const float *other, uint64_t count)
{
    lanes sum = {0};
    uint64_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        lanes a, b;
        memcpy(&a, one + i, sizeof a);
        memcpy(&b, other + i, sizeof b);
        sum += (a - b) * (a - b);
    }
    float whole = 0;
    for (int lane = 0; lane < LANES; lane++)
        whole += sum[lane];
    for (; i < count; i++)
        whole += (one[i] - other[i]) * (one[i] - other[i]);
    return whole;
}

struct hit {
    float nearness; /* more is better */
    uint64_t row;
};

/* Whether one is to be listed after the other. */
static bool worse(const struct hit *one, const struct hit *other)
{
    return one->nearness < other->nearness ||
           (one->nearness == other->nearness && one->row > other->row);
}

/* Heap with the worst of the best at its root. */
struct top {
    struct hit *hits;
    uint64_t count, room;
};

static void swap(struct hit *one, struct hit *other)
{
    struct hit held = *one;
    *one = *other;
    *other = held;
}

static void sink(struct top *top)
{
    uint64_t at = 0;
    for (;;) {
        uint64_t child = 2 * at + 1;
        if (child >= top->count)
            return;
        if (child + 1 < top->count && worse(&top->hits[child + 1], &top->hits[child]))
            child++;
        if (!worse(&top->hits[child], &top->hits[at]))
            return;
        swap(&top->hits[at], &top->hits[child]);
        at = child;
    }
}

static void offer(struct top *top, struct hit hit)
{
    if (top->count < top->room) {
        uint64_t at = top->count++;
        top->hits[at] = hit;
        while (at && worse(&top->hits[at], &top->hits[(at - 1) / 2])) {
            swap(&top->hits[at], &top->hits[(at - 1) / 2]);
            at = (at - 1) / 2;
        }
    } else if (top->room && worse(&top->hits[0], &hit)) {
        top->hits[0] = hit;
        sink(top);
    }
}

static float nearness(const struct collection *collection, uint64_t row, const float *numbers)
{
    const float *own = row_at(collection, row);
    if (collection->distance == DISTANCE_EUCLID)
        return -square_distance(own, numbers, collection->dimensions);
    return dot(own, numbers, collection->dimensions);
}

/* Ranks what the index proposes by exact distance. */
static void propose(const struct collection *collection, const float *numbers, struct top *top)
{
    uint64_t *rows = memory_new(top->room, sizeof *rows);
    uint64_t count = collection->nearest->find(collection->index, numbers, top->room, rows);
    for (uint64_t i = 0; i < count; i++)
        offer(top,
              (struct hit){.row = rows[i], .nearness = nearness(collection, rows[i], numbers)});
    free(rows);
}

static void scan(const struct collection *collection, const float *numbers,
                 const struct vectors_query *query, struct top *top)
{
    for (uint64_t row = 0; row < collection->count; row++) {
        struct hit hit = {.row = row, .nearness = nearness(collection, row, numbers)};
        /* Asked last: what a search costs does not depend on what it looks for. */
        if (!query->filled_only || collection->points[row].payload)
            offer(top, hit);
    }
}

static int best_first(const void *one, const void *other)
{
    const struct hit *a = one, *b = other;
    return worse(a, b) ? 1 : -1;
}

static void put_hit(struct text *out, const struct collection *collection, const struct hit *hit,
                    double score, const struct vectors_query *query)
{
    const struct point *point = &collection->points[hit->row];
    text_puts(out, "{\"id\":");
    if (point->id)
        text_puts(out, point->id);
    else
        text_put_uint(out, hit->row);
    text_printf(out, ",\"version\":0,\"score\":%.8g", score);
    if (query->with_payload) {
        text_puts(out, ",\"payload\":");
        text_puts(out, point->payload ? point->payload : "{}");
    }
    if (query->with_vector) {
        const float *numbers = collection->rows + hit->row * collection->dimensions;
        text_puts(out, ",\"vector\":");
        for (uint64_t i = 0; i < collection->dimensions; i++)
            text_printf(out, "%c%.8g", i ? ',' : '[', (double)numbers[i]);
        text_putc(out, ']');
    }
    text_putc(out, '}');
}

static uint64_t put_hits(struct text *out, const struct collection *collection,
                         const struct vectors_query *query, struct top *top)
{
    uint64_t found = 0;
    qsort(top->hits, top->count, sizeof *top->hits, best_first);
    text_putc(out, '[');
    for (uint64_t i = query->skip; i < top->count; i++) {
        double score = (double)top->hits[i].nearness;
        bool euclid = collection->distance == DISTANCE_EUCLID;
        if (euclid)
            score = sqrt(-score);
        if (query->has_threshold && (euclid ? score > query->threshold : score < query->threshold))
            break;
        if (found++)
            text_putc(out, ',');
        put_hit(out, collection, &top->hits[i], score, query);
    }
    text_putc(out, ']');
    return found;
}

int vectors_search(struct vectors *vectors, struct span name, const struct vectors_query *query,
                   struct text *out, uint64_t *found)
{
    begin_reading(vectors);
    struct collection **at = find(vectors, name);
    if (!at)
        return end(vectors, VECTORS_NONE);
    const struct collection *collection = *at;
    uint64_t row = query->count ? 0 : row_of(collection, query->id);
    if (query->count ? query->count != collection->dimensions : !row)
        return end(vectors, VECTORS_SIZE);
    float *numbers = memory_new(collection->dimensions, sizeof *numbers);
    memcpy(numbers,
           query->count ? query->numbers : collection->rows + (row - 1) * collection->dimensions,
           collection->dimensions * sizeof *numbers);
    if (collection->distance == DISTANCE_COSINE)
        normalise(numbers, collection->dimensions);
    uint64_t room = query->top + query->skip;
    struct top top = {.room = room < collection->count ? room : collection->count};
    top.hits = memory_new(top.room, sizeof *top.hits);
    if (collection->index && !query->filled_only && top.room)
        propose(collection, numbers, &top);
    else
        scan(collection, numbers, query, &top);
    uint64_t count = put_hits(out, collection, query, &top);
    if (found)
        *found = count;
    free(top.hits);
    free(numbers);
    return end(vectors, 0);
}
