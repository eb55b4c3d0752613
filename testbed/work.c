/* Joins the arithmetic of the law to the timers that let replies go; see work.h. */
#include "testbed/work.h"

#include "testbed/limits.h"
#include "testbed/replica.h"
#include "testbed/reply.h"
#include "testbed/station.h"
#include "testbed/worker.h"

#define SERVICE_MOST_US UINT64_C(3600000000) /* an hour, asked by a request */

static void turn_away(struct connection *connection)
{
    connection->testbed->refused++;
    reply_error(connection, (int)connection->testbed->options.law.full_status, "the queue is full");
}

/* A limit on the rate, as a bucket of tokens: the work of a quarter of a second may come at
 * once, or one.
 * Kept as one instant, that at which work would come that is exactly at the limit.
 *   Source   the generic cell rate algorithm of ITU-T I.371. */
static bool is_too_fast(struct connection *connection)
{
    struct testbed *testbed = connection->testbed;
    double rate = testbed->options.law.rate_limit;
    if (!(rate > 0))
        return false;
    nsec_t each_ns = (nsec_t)(1e9 / rate), now_ns = connection->rx_ns;
    nsec_t room_ns = NSEC_PER_SEC / 4, ahead_ns = each_ns < room_ns ? room_ns - each_ns : 0;
    nsec_t next_ns = testbed->rate_next_ns > now_ns ? testbed->rate_next_ns : now_ns;
    if (next_ns - now_ns > ahead_ns) {
        testbed->refused++;
        reply_error(connection, 429, "too many requests: the limit of the rate is reached");
        return true;
    }
    testbed->rate_next_ns = next_ns + each_ns;
    return false;
}

bool work_begin(struct connection *connection, nsec_t fixed_ns)
{
    struct testbed *testbed = connection->testbed;
    if (is_too_fast(connection))
        return false;
    if (law_arrive(testbed->law, &connection->work, connection->rx_ns, fixed_ns) == LAW_FULL) {
        turn_away(connection);
        return false;
    }
    connection->working = true;
    return true;
}

/* The law's side of the end. */
static void leave(struct connection *connection)
{
    struct testbed *testbed = connection->testbed;
    const struct law_work *work = &connection->work;
    if (connection->station) {
        station_end(connection);
        return;
    }
    law_leave(testbed->law, &connection->work);
    connection->working = false;
    testbed->departures++;
    metrics_departure(testbed->metrics, work->service_ns, work->departure_ns - work->arrival_ns);
    connection->entry = (struct testbed_entry){
        .number = work->number,
        .arrival_ns = work->arrival_ns,
        .service_ns = work->service_ns,
        .departure_ns = work->departure_ns,
    };
}

void work_end(struct connection *connection)
{
    leave(connection);
    connection->has_entry = connection->testbed->options.served != NULL;
}

static void pass_session(struct connection *connection, nsec_t at_ns);

static void depart_alone(struct connection *connection, nsec_t now_ns)
{
    struct testbed *testbed = connection->testbed;
    bool own = !connection->station;
    nsec_t departure_ns = connection->work.departure_ns;
    (void)now_ns;
    worker_end(connection);
    leave(connection);
    pass_session(connection, departure_ns);
    if (own && testbed->options.served)
        testbed->options.served(testbed->options.self, &connection->entry);
    list_remove(&connection->node);
    list_append(&testbed->dead, &connection->node);
}

void work_outlive(struct connection *connection)
{
    connection_wait(connection, connection->work.departure_ns, depart_alone);
}

bool work_begin_sequence(struct connection *connection)
{
    struct testbed *testbed = connection->testbed;
    if (is_too_fast(connection))
        return false;
    /* Steps that are over end before this arrival is looked at: it must not join them. */
    struct batching *batching = replica_batching(connection->replica);
    batching_advance(batching, connection->rx_ns);
    int outcome = batching_arrive(batching, &connection->sequence, connection->rx_ns);
    if (outcome == BATCHING_FULL)
        turn_away(connection);
    else if (outcome == BATCHING_OUT_OF_MEMORY)
        reply_error(connection, 500, "CUDA out of memory");
    else if (outcome == BATCHING_TOO_LONG)
        reply_error(connection, 400, "prompt and max_tokens together exceed the KV cache");
    if (outcome)
        return false;
    connection->sequenced = true;
    connection->sequence.number = testbed->sequences++; /* of all replicas together */
    replica_arm(connection->replica);
    return true;
}

void work_end_sequence(struct connection *connection, nsec_t boundary_ns)
{
    struct testbed *testbed = connection->testbed;
    const struct sequence *sequence = &connection->sequence;
    connection->sequenced = false;
    testbed->departures++;
    nsec_t service_ns = boundary_ns - sequence->begin_ns;
    metrics_departure(testbed->metrics, service_ns, boundary_ns - sequence->arrival_ns);
    connection->has_entry = testbed->options.served != NULL;
    connection->entry = (struct testbed_entry){
        .number = sequence->number,
        .arrival_ns = sequence->arrival_ns,
        .service_ns = service_ns,
        .departure_ns = boundary_ns,
    };
}

void work_abandon(struct connection *connection)
{
    connection->sequenced = false;
    connection->testbed->abandoned++;
    batching_abandon(replica_batching(connection->replica), &connection->sequence);
}

/* ---- GET /work --------------------------------------------------------------------------------
 */

static void put_reply(struct connection *connection)
{
    struct text body = TEXT_EMPTY;
    const struct law_work *work = &connection->work;
    text_puts(&body, "{\"n\":");
    text_put_uint(&body, work->number);
    text_puts(&body, ",\"wait_ns\":");
    text_put_uint(&body, (uint64_t)(work->begin_ns - work->arrival_ns));
    text_puts(&body, ",\"service_ns\":");
    text_put_uint(&body, (uint64_t)work->service_ns);
    text_puts(&body, "}\n");
    reply_send(connection, 200, TYPE_JSON, text_span(&body));
    text_fini(&body);
}

static void upstream_over(struct connection *connection, nsec_t now_ns)
{
    (void)now_ns;
    nsec_t departure_ns = connection->work.departure_ns;
    station_end(connection);
    put_reply(connection);
    pass_session(connection, departure_ns);
}

static void work_reply(struct connection *connection, nsec_t now_ns)
{
    const struct station_options *upstream = &connection->testbed->options.platform.upstream;
    nsec_t departure_ns = connection->work.departure_ns;
    (void)now_ns;
    bool alive = worker_end(connection);
    work_end(connection);
    if (!alive) {
        reply_error(connection, 500, "the worker was ended: there is no memory for it");
        pass_session(connection, departure_ns);
        return;
    }
    if (upstream->service_ns > 0 &&
        station_begin(connection, STATION_UPSTREAM, departure_ns, upstream_over))
        return;
    if (upstream->service_ns <= 0)
        put_reply(connection);
    pass_session(connection, departure_ns);
}

/* What waited for a session begins in a turn of its own, since it may be over at once. */
static void begin_in_session(struct connection *connection, nsec_t now_ns)
{
    connection->rx_ns = now_ns;
    if (!work_begin(connection, connection->fixed_ns)) {
        pass_session(connection, now_ns);
        return;
    }
    worker_begin(connection);
    connection_wait(connection, connection->work.departure_ns, work_reply);
}

static void pass_session(struct connection *connection, nsec_t at_ns)
{
    struct connection *next = limits_leave(connection);
    if (next)
        connection_wait(next, at_ns, begin_in_session);
}

void work_gone(struct connection *connection)
{
    limits_gone(connection);
    if (!connection->working)
        pass_session(connection, loop_now(connection->testbed->loop));
}

/* The service time that a request asks for; -1: none; -2: not a number of microseconds. */
static nsec_t asked_service(const struct request *request)
{
    uint64_t us = 0;
    struct span asked = request_query(request, "service_us");
    if (!asked.at)
        asked = request_header(request, "X-Service-Us");
    if (!asked.at)
        return -1;
    if (span_uint(asked, &us) || us > SERVICE_MOST_US)
        return -2;
    return (nsec_t)us * NSEC_PER_USEC;
}

void work_serve(struct connection *connection, const struct request *request)
{
    nsec_t fixed_ns = asked_service(request);
    if (fixed_ns == -2) {
        reply_error(connection, 400, "service_us must be a whole number, at most 3600000000");
        return;
    }
    if (!limits_enter(connection, fixed_ns))
        return;
    if (!work_begin(connection, fixed_ns)) {
        pass_session(connection, connection->rx_ns);
        return;
    }
    worker_begin(connection);
    if (connection->work.departure_ns <= connection->rx_ns)
        work_reply(connection, connection->rx_ns);
    else
        connection_wait(connection, connection->work.departure_ns, work_reply);
}
