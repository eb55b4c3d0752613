/* The stations, and the two services that are one station each; see station.h. */
#include "testbed/station.h"

#include "base/random.h"
#include "testbed/reply.h"
#include "testbed/value.h"

#include <string.h>

void stations_init(struct testbed *testbed)
{
    const struct platform_options *platform = &testbed->options.platform;
    const struct station_options memory = {.servers = 1, .fixed = true};
    const struct {
        const char *name, *full_words;
        const struct station_options *options;
    } rows[STATION_COUNT] = {
        [STATION_DATABASE] = {"database", "too many connections", &platform->database},
        [STATION_ANSWER] = {"answer", "the model's queue is full", &platform->answer},
        [STATION_RESEARCH] = {"research", "all research agents are busy", &platform->research},
        [STATION_UPSTREAM] = {"upstream", "the service behind is busy", &platform->upstream},
        [STATION_SYNTHESIS] = {"synthesis", "all synthesis agents are busy", &platform->synthesis},
        [STATION_MEMORY] = {"memory", "", &memory},
    };
    for (int i = 0; i < STATION_COUNT; i++) {
        struct station *station = &testbed->stations[i];
        const struct station_options *options = rows[i].options;
        station->name = rows[i].name;
        station->full_words = rows[i].full_words;
        station->options = (struct law_options){
            .kind = options->fixed ? LAW_FIXED : LAW_EXPONENTIAL,
            .service_ns = options->service_ns,
            .servers = options->servers,
            .queue_limit = options->refuses ? 0 : UINT64_MAX,
            .full_status = 503,
            .seed = random_key(testbed->options.law.seed, rows[i].name, 0),
        };
        station->law = law_new(&station->options);
    }
}

void stations_fini(struct testbed *testbed)
{
    for (int i = 0; i < STATION_COUNT; i++)
        testbed->stations[i].law = law_free(testbed->stations[i].law);
}

/* Service: its time; negative: what the station's law says. */
static bool begin(struct connection *connection, enum station_index index, nsec_t arrival_ns,
                  nsec_t service_ns)
{
    struct station *station = &connection->testbed->stations[index];
    if (law_arrive(station->law, &connection->work, arrival_ns, service_ns) == LAW_FULL) {
        station->refused++;
        reply_error(connection, (int)station->options.full_status, station->full_words);
        return false;
    }
    connection->working = true;
    connection->station = station;
    return true;
}

bool station_begin(struct connection *connection, enum station_index index, nsec_t arrival_ns,
                   void (*due)(struct connection *connection, nsec_t now_ns))
{
    if (!begin(connection, index, arrival_ns, -1))
        return false;
    connection_wait(connection, connection->work.departure_ns, due);
    return true;
}

void station_read_memory(struct connection *connection, uint64_t bytes, nsec_t arrival_ns,
                         void (*due)(struct connection *connection, nsec_t now_ns))
{
    double rate = (double)connection->testbed->options.platform.memory_bandwidth;
    begin(connection, STATION_MEMORY, arrival_ns, (nsec_t)((double)bytes / rate * 1e9));
    connection_wait(connection, connection->work.departure_ns, due);
}

void station_end(struct connection *connection)
{
    struct station *station = connection->station;
    const struct law_work *work = &connection->work;
    law_leave(station->law, &connection->work);
    connection->working = false;
    connection->station = NULL;
    station->departures++;
    station->busy_ns += work->service_ns;
    station->spent_ns += work->departure_ns - work->arrival_ns;
}

/* ---- metrics ----------------------------------------------------------------------------------
 */

static void put_each(struct testbed *testbed, struct text *out, const char *name, const char *type,
                     const char *help, double (*number)(struct station *station, nsec_t now_ns))
{
    nsec_t now_ns = loop_now(testbed->loop);
    text_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
    for (int i = 0; i < STATION_COUNT; i++) {
        struct station *station = &testbed->stations[i];
        text_printf(out, "%s{station=\"%s\"} %.9g\n", name, station->name, number(station, now_ns));
    }
}

static double servers(struct station *station, nsec_t now_ns)
{
    (void)now_ns;
    return (double)station->options.servers;
}

static double busy(struct station *station, nsec_t now_ns)
{
    return (double)law_busy(station->law, now_ns);
}

static double queued(struct station *station, nsec_t now_ns)
{
    return (double)law_queued(station->law, now_ns);
}

static double departed(struct station *station, nsec_t now_ns)
{
    (void)now_ns;
    return (double)station->departures;
}

static double refused(struct station *station, nsec_t now_ns)
{
    (void)now_ns;
    return (double)station->refused;
}

static double busy_seconds(struct station *station, nsec_t now_ns)
{
    (void)now_ns;
    return (double)station->busy_ns / 1e9;
}

static double spent_seconds(struct station *station, nsec_t now_ns)
{
    (void)now_ns;
    return (double)station->spent_ns / 1e9;
}

/* The database's pool as client libraries name theirs, and the memory's bytes as Intel's
 * Performance Counter Monitor does. */
static void put_borrowed(struct testbed *testbed, struct text *out)
{
    nsec_t now_ns = loop_now(testbed->loop);
    struct station *pool = &testbed->stations[STATION_DATABASE];
    const struct station *memory = &testbed->stations[STATION_MEMORY];
    double bandwidth = (double)testbed->options.platform.memory_bandwidth;
    text_printf(out,
                "# HELP db_pool_connections_in_use Connections of the pool in use.\n"
                "# TYPE db_pool_connections_in_use gauge\n"
                "db_pool_connections_in_use{pool=\"database\"} %g\n"
                "# HELP db_pool_connections_max Connections of the pool.\n"
                "# TYPE db_pool_connections_max gauge\n"
                "db_pool_connections_max{pool=\"database\"} %g\n"
                "# HELP db_pool_waiting Requests that wait for a connection.\n"
                "# TYPE db_pool_waiting gauge\ndb_pool_waiting{pool=\"database\"} %g\n",
                busy(pool, now_ns), servers(pool, now_ns), queued(pool, now_ns));
    if (bandwidth > 0)
        text_printf(out,
                    "# HELP DRAM_Reads Bytes read from memory.\n# TYPE DRAM_Reads counter\n"
                    "DRAM_Reads{aggregate=\"system\",source=\"uncore\"} %.0f\n",
                    (double)memory->busy_ns / 1e9 * bandwidth);
}

void stations_write(struct testbed *testbed, struct text *out)
{
    put_each(testbed, out, "testbed_station_servers", "gauge",
             "Servers or pool connections; 0: no limit.", servers);
    put_each(testbed, out, "testbed_station_busy", "gauge", "Servers at work.", busy);
    put_each(testbed, out, "testbed_station_queue_length", "gauge", "Work that waits.", queued);
    put_each(testbed, out, "testbed_station_departures_total", "counter", "Work that is done.",
             departed);
    put_each(testbed, out, "testbed_station_refused_total", "counter", "Work turned away.",
             refused);
    put_each(testbed, out, "testbed_station_service_seconds_total", "counter",
             "Time that work held its server.", busy_seconds);
    put_each(testbed, out, "testbed_station_response_seconds_total", "counter",
             "Time from arrival to departure.", spent_seconds);
    put_borrowed(testbed, out);
}

/* ---- the database -----------------------------------------------------------------------------
 */

static void put_times(struct text *body, const struct law_work *work)
{
    text_printf(body, "\"wait_ns\":%lld,\"service_ns\":%lld",
                (long long)(work->begin_ns - work->arrival_ns), (long long)work->service_ns);
}

static void database_over(struct connection *connection, nsec_t now_ns)
{
    struct text body = TEXT_EMPTY;
    struct station *station = connection->station;
    station_end(connection);
    text_printf(&body, "{\"rows\":[[%llu]],\"pool_size\":%llu,\"pool_busy\":%llu,",
                (unsigned long long)connection->work.number,
                (unsigned long long)station->options.servers,
                (unsigned long long)law_busy(station->law, now_ns));
    put_times(&body, &connection->work);
    text_puts(&body, "}\n");
    reply_send(connection, 200, TYPE_JSON, text_span(&body));
    text_fini(&body);
}

void database_serve(struct connection *connection, const struct request *request)
{
    (void)request;
    station_begin(connection, STATION_DATABASE, connection->rx_ns, database_over);
}

/* ---- the agents -------------------------------------------------------------------------------
 */

static void agent_over(struct connection *connection, nsec_t now_ns)
{
    struct text body = TEXT_EMPTY;
    const char *name = connection->station->name;
    const struct law_work *work = &connection->work;
    (void)now_ns;
    station_end(connection);
    text_printf(&body, "{\"agent\":\"%s\",\"status\":\"completed\",\"execution_id\":\"%s-%llu\",",
                name, name, (unsigned long long)work->number);
    text_puts(&body, "\"result\":\"The load line was read.\",");
    put_times(&body, work);
    text_printf(&body, ",\"execution_time_ms\":%.3f}\n",
                (double)(work->departure_ns - work->arrival_ns) / 1e6);
    reply_send(connection, 200, TYPE_JSON, text_span(&body));
    text_fini(&body);
}

void agents_serve(struct connection *connection, const struct request *request)
{
    bool research = span_equal(request->path, SPAN("/api/v1/agents/research/execute"));
    if (!research && !span_equal(request->path, SPAN("/api/v1/agents/synthesis/execute"))) {
        reply_error(connection, 404,
                    "there are the agents research and synthesis, each with "
                    "/execute");
        return;
    }
    if (!span_equal(request->method, SPAN("POST"))) {
        reply_error(connection, 405, "an agent is executed with POST");
        return;
    }
    if (!value_is_valid(request->body) || !value_is_object(span_trim(request->body))) {
        reply_error(connection, 400, "the body is not a JSON object");
        return;
    }
    station_begin(connection, research ? STATION_RESEARCH : STATION_SYNTHESIS, connection->rx_ns,
                  agent_over);
}
