/* Qdrant's JSON in and out; all of it on the compute threads; see qdrant.h. */
#include "testbed/qdrant.h"

#include "base/memory.h"
#include "testbed/reply.h"
#include "testbed/station.h"
#include "testbed/task.h"
#include "testbed/value.h"
#include "testbed/vectors.h"

#include <stdlib.h>
#include <string.h>

static const char *const distances[] = {"Cosine", "Dot", "Euclid"};

uint64_t qdrant_bytes(const struct testbed *testbed)
{
    const struct platform_options *platform = &testbed->options.platform;
    return platform->vectors * platform->dimensions * sizeof(float);
}

nsec_t qdrant_cost(const struct testbed *testbed)
{
    return (nsec_t)((double)qdrant_bytes(testbed) / testbed->options.platform.search_rate * 1e9);
}

void qdrant_health(struct connection *connection, const struct request *request)
{
    bool ready = span_equal(request->path, SPAN("/readyz"));
    reply_send(connection, 200, TYPE_TEXT,
               ready ? SPAN("all shards are ready\n") : SPAN("healthz check passed\n"));
}

/* ---- replies ----------------------------------------------------------------------------------
 */

static void end_reply(struct task *task)
{
    nsec_t spent_ns =
        task->job.virtual_time ? task->job.cost_ns : clock_monotonic_ns() - task->job.begun_ns;
    text_printf(&task->reply, ",\"status\":\"ok\",\"time\":%.9f}\n", (double)spent_ns / 1e9);
}

static void refuse(struct task *task, int status, const char *words)
{
    task->status = status;
    text_clear(&task->reply);
    text_puts(&task->reply, "{\"status\":{\"error\":");
    reply_json_string(&task->reply, span_of(words));
    text_puts(&task->reply, "},\"time\":0.0}\n");
}

static void refuse_name(struct task *task, int status, struct span name, const char *before,
                        const char *after)
{
    struct text words = TEXT_EMPTY;
    text_puts(&words, before);
    text_put(&words, name);
    text_puts(&words, after);
    refuse(task, status, words.at);
    text_fini(&words);
}

static void refuse_unknown(struct task *task, struct span name)
{
    refuse_name(task, 404, name, "Not found: Collection `", "` doesn't exist!");
}

/* ---- numbers ----------------------------------------------------------------------------------
 */

/* The numbers of a list, or NULL when it is none. Owner: caller. */
static float *read_numbers(struct span list, uint64_t *count)
{
    struct span rest = value_inside(list), element;
    uint64_t room = 64;
    if (!value_is_array(list) || rest.bytes == 0)
        return NULL;
    float *numbers = memory_new(room, sizeof *numbers);
    *count = 0;
    while (value_next(&rest, &element)) {
        double number;
        if (value_real(element, &number)) {
            free(numbers);
            return NULL;
        }
        if (*count == room) {
            room *= 2;
            numbers = memory_resize(numbers, room, sizeof *numbers);
        }
        numbers[(*count)++] = (float)number;
    }
    return numbers;
}

/* ---- searches ---------------------------------------------------------------------------------
 */

static bool flag(struct span body, const char *name)
{
    struct span value;
    return value_member(body, name, &value) && value_is_given(value) &&
           !span_equal(value, SPAN("false"));
}

/* Reads all but the vector. Returns what is wrong, or NULL. */
static const char *read_limits(struct span body, bool search, struct vectors_query *query)
{
    struct span value;
    query->top = 10;
    if (value_member(body, "limit", &value) && value_is_given(value)) {
        if (value_uint(value, &query->top) || query->top == 0 || query->top > VECTORS_TOP_MOST)
            return "limit must be a whole number from 1 to 10000";
    } else if (search) {
        return "Format error in JSON body: missing field `limit`";
    }
    if (value_member(body, "offset", &value) && value_is_given(value) &&
        (value_uint(value, &query->skip) || query->skip > VECTORS_TOP_MOST))
        return "offset must be a whole number, at most 10000";
    if (value_member(body, "score_threshold", &value) && value_is_given(value)) {
        if (value_real(value, &query->threshold))
            return "score_threshold must be a number";
        query->has_threshold = true;
    }
    if (flag(body, "filter") || flag(body, "prefetch") || flag(body, "using"))
        return "this testbed searches whole collections: filter, prefetch and using are not served";
    query->with_payload = flag(body, "with_payload");
    query->with_vector = flag(body, "with_vector") || flag(body, "with_vectors");
    return NULL;
}

/* The vector, or the id, that is searched for. */
static const char *read_target(struct span body, bool search, struct vectors_query *query,
                               float **numbers)
{
    struct span value = span_of(NULL), nearest;
    value_member(body, search ? "vector" : "query", &value);
    if (value_is_object(value) && value_member(value, "nearest", &nearest))
        value = nearest;
    if (value_is_array(value)) {
        *numbers = read_numbers(value, &query->count);
        query->numbers = *numbers;
        return *numbers ? NULL : "the vector must be a list of numbers, at least one";
    }
    if (search || !value_is_given(value) || value_is_object(value))
        return search ? "Format error in JSON body: missing field `vector`"
                      : "query must be a vector, {\"nearest\": a vector}, or an id";
    query->id = value;
    return NULL;
}

static void search(struct task *task, struct span name, bool by_search)
{
    struct span body = span_trim(text_span(&task->body));
    struct vectors_query query = {.count = 0};
    float *numbers = NULL;
    const char *wrong = value_is_object(body) ? NULL : "the body is not a JSON object";
    if (!wrong)
        wrong = read_limits(body, by_search, &query);
    if (!wrong)
        wrong = read_target(body, by_search, &query, &numbers);
    if (wrong) {
        refuse(task, 400, wrong);
        free(numbers);
        return;
    }
    text_puts(&task->reply, by_search ? "{\"result\":" : "{\"result\":{\"points\":");
    int outcome = vectors_search(task->testbed->vectors, name, &query, &task->reply, NULL);
    free(numbers);
    if (outcome == VECTORS_NONE)
        refuse_unknown(task, name);
    else if (outcome)
        refuse(task, query.count ? 400 : 404,
               query.count ? "Wrong input: Vector dimension error: the vector has another length "
                             "than the collection's"
                           : "Not found: No point with this id");
    if (outcome)
        return;
    if (!by_search)
        text_putc(&task->reply, '}');
    end_reply(task);
}

/* ---- points -----------------------------------------------------------------------------------
 */

static bool good_id(struct span id)
{
    uint64_t number;
    return value_is_text(id) ? id.bytes > 2 : value_uint(id, &number) == 0;
}

/* Puts one point in; false: the task has its refusal. */
static bool put_point(struct task *task, struct span name, struct span element)
{
    struct vectors_point point = {.count = 0};
    struct span vector;
    value_member(element, "id", &point.id);
    value_member(element, "vector", &vector);
    if (value_member(element, "payload", &point.payload) && !value_is_object(point.payload))
        point.payload = span_of(NULL);
    float *numbers = read_numbers(vector, &point.count);
    point.numbers = numbers;
    if (!good_id(point.id) || !numbers) {
        free(numbers);
        refuse(task, 400,
               "Format error in JSON body: each of points needs an id (a whole number or a text) "
               "and a vector (a list of numbers)");
        return false;
    }
    int outcome = vectors_put(task->testbed->vectors, name, &point);
    free(numbers);
    if (outcome == VECTORS_NONE)
        refuse_unknown(task, name);
    else if (outcome == VECTORS_SIZE)
        refuse(task, 400, "Wrong input: Vector dimension error");
    else if (outcome)
        refuse(task, 507, "the collection is full");
    return outcome == 0;
}

static void put_points(struct task *task, struct span name)
{
    struct span body = span_trim(text_span(&task->body)), list, element;
    if (!value_member(body, "points", &list) || !value_is_array(list)) {
        refuse(task, 400, "Format error in JSON body: missing field `points`, a list");
        return;
    }
    struct span rest = value_inside(list);
    while (value_next(&rest, &element)) {
        if (!put_point(task, name, element))
            return;
    }
    text_puts(&task->reply, "{\"result\":{\"operation_id\":0,\"status\":\"completed\"}");
    end_reply(task);
}

/* ---- collections ------------------------------------------------------------------------------
 */

static void create(struct task *task, struct span name)
{
    struct span body = span_trim(text_span(&task->body)), value;
    uint64_t size = 0, distance = 0;
    if (!value_at(body, "vectors.size", &value) || value_uint(value, &size) || size == 0 ||
        size > 65536) {
        refuse(task, 400, "vectors.size must be a whole number from 1 to 65536");
        return;
    }
    struct text word = TEXT_EMPTY;
    if (value_at(body, "vectors.distance", &value))
        value_text(value, &word);
    while (distance < 3 && !span_equal(text_span(&word), span_of(distances[distance])))
        distance++;
    text_fini(&word);
    if (distance == 3) {
        refuse(task, 400, "vectors.distance must be one of Cosine, Dot, Euclid");
        return;
    }
    int outcome =
        vectors_create(task->testbed->vectors, name, size, (enum vectors_distance)distance);
    if (outcome == VECTORS_THERE) {
        refuse_name(task, 409, name, "Wrong input: Collection `", "` already exists!");
    } else if (outcome) {
        refuse(task, 507, "there are 64 collections, which is the most");
    } else {
        text_puts(&task->reply, "{\"result\":true");
        end_reply(task);
    }
}

static void drop(struct task *task, struct span name)
{
    bool gone = vectors_delete(task->testbed->vectors, name) == 0;
    text_puts(&task->reply, gone ? "{\"result\":true" : "{\"result\":false");
    end_reply(task);
}

static void describe(struct task *task, struct span name)
{
    uint64_t dimensions, rows;
    enum vectors_distance distance;
    if (vectors_shape(task->testbed->vectors, name, &dimensions, &distance, &rows)) {
        refuse_unknown(task, name);
        return;
    }
    text_printf(&task->reply,
                "{\"result\":{\"status\":\"green\",\"optimizer_status\":\"ok\","
                "\"indexed_vectors_count\":0,\"points_count\":%llu,\"segments_count\":1,"
                "\"config\":{\"params\":{\"vectors\":{\"size\":%llu,\"distance\":\"%s\"}}}}",
                (unsigned long long)rows, (unsigned long long)dimensions, distances[distance]);
    end_reply(task);
}

/* ---- paths ------------------------------------------------------------------------------------
 */

/* Takes the next part of a path off: "name/points" gives "name". */
static struct span next_part(struct span *path)
{
    const char *slash = memchr(path->at, '/', path->bytes);
    size_t bytes = slash ? (size_t)(slash - path->at) : path->bytes;
    struct span part = {.at = path->at, .bytes = bytes};
    path->at += bytes;
    path->bytes -= bytes;
    if (slash) {
        path->at++;
        path->bytes--;
    }
    return part;
}

static bool good_name(struct span name)
{
    for (size_t i = 0; i < name.bytes; i++) {
        if ((unsigned char)name.at[i] <= ' ' || strchr("%\"\\`", name.at[i]))
            return false;
    }
    return name.bytes > 0 && name.bytes <= VECTORS_NAME_BYTES;
}

static void work(struct task *task)
{
    static const struct {
        const char *method, *rest;
        bool has_body;
    } rows[] = {
        {"GET", "", false},
        {"PUT", "", true},
        {"DELETE", "", false},
        {"PUT", "points", true},
        {"POST", "points/search", true},
        {"POST", "points/query", true},
    };
    struct span path = text_span(&task->path), method = text_span(&task->method);
    next_part(&path);
    next_part(&path);
    struct span name = next_part(&path);
    size_t row = 0;
    while (row < 6 && !(span_equal(method, span_of(rows[row].method)) &&
                        span_equal(path, span_of(rows[row].rest))))
        row++;
    if (!good_name(name))
        refuse(task, 400, "a collection's name has 1 to 255 bytes and no blanks, quotes or %");
    else if (row == 6)
        refuse(task, 404, "this testbed does not serve this method at this path of Qdrant's");
    else if (rows[row].has_body && !value_is_valid(text_span(&task->body)))
        refuse(task, 400, "Format error in JSON body: not valid JSON");
    else if (row == 0)
        describe(task, name);
    else if (row == 1)
        create(task, name);
    else if (row == 2)
        drop(task, name);
    else if (row == 3)
        put_points(task, name);
    else
        search(task, name, row == 4);
}

static void work_names(struct task *task)
{
    text_puts(&task->reply, "{\"result\":{\"collections\":");
    vectors_names(task->testbed->vectors, &task->reply);
    text_putc(&task->reply, '}');
    end_reply(task);
}

static void memory_read(struct connection *connection, nsec_t now_ns)
{
    (void)now_ns;
    station_end(connection);
    task_reply(connection->task);
}

/* By the law of the memory the whole collection is read after it was searched. */
static void search_then(struct task *task)
{
    const struct platform_options *platform = &task->testbed->options.platform;
    uint64_t bytes = platform->vectors * platform->dimensions * sizeof(float);
    if (task->status != 200)
        task_reply(task);
    else
        station_read_memory(task->connection, bytes, task->job.ended_ns, memory_read);
}

void qdrant_serve(struct connection *connection, const struct request *request)
{
    bool all = span_equal(request->path, SPAN("/collections"));
    struct task *task = task_new(connection, request, all ? work_names : work);
    bool searches = span_equal(request->method, SPAN("POST"));
    if (searches && connection->testbed->options.platform.memory_bandwidth)
        task->then = search_then;
    task_submit(task, connection->testbed->compute,
                searches ? qdrant_cost(connection->testbed) : 10 * NSEC_PER_USEC);
}
