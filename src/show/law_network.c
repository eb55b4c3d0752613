/* The answer about a queueing network: throughput, response, and each station at each load, with
 * the bounds that no such network can escape. */
#include "show/law_part.h"

#include "base/memory.h"
#include "show/document.h"
#include "show/table.h"
#include "show/words.h"
#include "stat/queue.h"

#include <math.h>
#include <stdlib.h>

enum { NAME_COLUMNS = 20 }; /* of a station in the first line, which has 80 */

struct solved {
    const struct network_model *model;
    struct network network;
    struct network_state *exact, *near; /* near: of closed networks */
    struct network_bounds *bounds;
    bool saturated;
};

static struct bounded_queue bounded_of(const struct network_model *model, size_t k, double rate)
{
    const struct station *station = &model->stations[k];
    return (struct bounded_queue){station->servers, model->more[k].capacity, rate,
                                  station->service_s};
}

/* One station with its own spread of arrivals and service, or with few places. */
static int refine(const struct network_model *model, size_t k, double rate,
                  struct network_state *state, struct text *why)
{
    const struct network_station *more = &model->more[k];
    const struct station *station = &model->stations[k];
    struct station_state *at = &state->stations[k];
    double service = station->service_s, spread = more->arrival_variation + more->service_variation;
    if (station->kind == STATION_DELAY || (spread == 2 && more->capacity == 0))
        return 0;
    if (more->capacity) {
        if (model->count > 1 || station->visits != 1 || spread != 2) {
            text_puts(why, "capacity is understood of a network of one station, visited once, with "
                           "Poisson arrivals and exponential service");
            return 1;
        }
        const struct bounded_queue queue = bounded_of(model, k, rate);
        state->throughput = bounded_throughput(&queue);
        at->in_queue = bounded_in_system(&queue);
        at->response_s = bounded_response_mean(&queue);
        at->utilisation = state->throughput * service / station->servers;
        at->throughput = state->throughput;
    } else {
        /* Allen and Cunneen: the wait of M/M/c times the mean of both variations; with Poisson
         * arrivals and one server, exactly Pollaczek and Khinchine's. */
        double wait = mmc_wait_mean(station->servers, rate * station->visits, service);
        at->response_s = station->visits * (service + wait * spread / 2);
        at->in_queue = rate * at->response_s;
    }
    state->response_s = state->in_system = 0;
    for (size_t i = 0; i < model->count; i++) {
        state->response_s += state->stations[i].response_s;
        state->in_system += state->stations[i].in_queue;
    }
    return 0;
}

static int solve_open(struct solved *s, struct text *why)
{
    for (size_t i = 0; i < s->model->load_count; i++) {
        struct network_state *state = &s->exact[i];
        mva_open(&s->network, s->model->loads[i], state);
        for (size_t k = 0; k < s->model->count; k++)
            if (refine(s->model, k, s->model->loads[i], state, why) != 0)
                return 1;
        if (isinf(state->response_s)) {
            state->throughput = s->bounds[i].ceiling;
            s->saturated = true;
        }
    }
    return 0;
}

static int solve(struct solved *s, struct text *why)
{
    size_t count = s->model->load_count;
    for (size_t i = 0; i < count; i++)
        (s->model->open ? mva_open_bounds : mva_bounds)(&s->network, s->model->loads[i],
                                                        &s->bounds[i]);
    if (s->model->open)
        return solve_open(s, why);
    uint32_t *users = memory_new(count, sizeof *users);
    for (size_t i = 0; i < count; i++) {
        users[i] = (uint32_t)s->model->loads[i];
        mva_approximate(&s->network, users[i], &s->near[i]);
    }
    int error = mva_exact(&s->network, users, count, s->exact);
    free(users);
    if (error)
        text_printf(why,
                    "too many users to solve exactly: at most %d, with stations of several "
                    "servers %d",
                    MVA_POPULATION_MOST, MVA_CONVOLVED_MOST);
    return error != 0;
}

static json_t *bounds_document(const struct network_bounds *bounds)
{
    json_t *object = json_object();
    json_object_set_new(object, "throughput",
                        law_interval(bounds->throughput_low, bounds->throughput_high));
    json_object_set_new(object, "response_s",
                        law_interval(bounds->response_low, bounds->response_high));
    json_t *balanced = json_null();
    if (bounds->balanced_known) {
        balanced = json_object();
        json_object_set_new(
            balanced, "throughput",
            law_interval(bounds->balanced_throughput_low, bounds->balanced_throughput_high));
        json_object_set_new(
            balanced, "response_s",
            law_interval(bounds->balanced_response_low, bounds->balanced_response_high));
    }
    json_object_set_new(object, "balanced_job", balanced);
    return object;
}

static json_t *station_document(const struct solved *s, size_t load, size_t k)
{
    const struct station *station = &s->model->stations[k];
    const struct station_state *at = &s->exact[load].stations[k];
    json_t *object = json_object();
    json_object_set_new(object, "name", document_text(s->model->more[k].name));
    law_number(object, "response_s", at->response_s);
    law_number(object, "response_visit_s",
               station->visits > 0 ? at->response_s / station->visits : (double)NAN);
    law_number(object, "in_queue", at->in_queue);
    law_number(object, "utilisation_ratio", at->utilisation);
    law_number(object, "throughput", at->throughput);
    bool queue = station->kind == STATION_QUEUE;
    double busy = queue ? at->utilisation * station->servers : at->in_queue;
    law_number(object, "busy_servers", busy);
    law_number(object, "waiting", fmax(at->in_queue - busy, 0)); /* rounding may leave -1e-18 */
    const struct network_station *more = &s->model->more[k];
    bool plain =
        more->capacity == 0 && more->arrival_variation == 1 && more->service_variation == 1;
    if (s->model->open && queue && plain && station->servers) {
        double rate = s->model->loads[load] * station->visits, service = station->service_s;
        uint32_t servers = station->servers;
        law_number(object, "wait_chance_ratio", erlang_c(servers, rate * service));
        law_number(object, "wait_visit_mean_s", mmc_wait_mean(servers, rate, service));
        law_number(object, "wait_visit_p95_s", mmc_wait_quantile(servers, rate, service, .95));
        law_number(object, "response_visit_p95_s",
                   mmc_response_quantile(servers, rate, service, .95));
        law_number(object, "response_visit_p99_s",
                   mmc_response_quantile(servers, rate, service, .99));
    }
    if (queue)
        law_number(object, "loss_if_no_queue_ratio",
                   erlang_b(station->servers, s->exact[load].load * station_demand(station)));
    if (more->capacity) {
        const struct bounded_queue bounded = bounded_of(s->model, k, s->model->loads[load]);
        law_number(object, "loss_ratio", bounded_loss(&bounded));
    }
    return object;
}

static json_t *load_document(const struct solved *s, size_t i)
{
    const struct network_state *state = &s->exact[i];
    json_t *object = json_object(), *stations = json_array();
    law_number(object, s->model->open ? "rate" : "population", s->model->loads[i]);
    law_number(object, "throughput", state->throughput);
    law_number(object, "response_s", state->response_s);
    law_number(object, "cycle_s", state->response_s + s->model->think_s);
    law_number(object, "in_system", state->in_system);
    for (size_t k = 0; k < s->model->count; k++)
        json_array_append_new(stations, station_document(s, i, k));
    json_object_set_new(object, "stations", stations);
    json_object_set_new(object, "bounds", bounds_document(&s->bounds[i]));
    if (s->model->open)
        return object;
    json_t *near = json_object();
    law_number(near, "throughput", s->near[i].throughput);
    law_number(near, "response_s", s->near[i].response_s);
    json_t *queues = json_array();
    for (size_t k = 0; k < s->model->count; k++)
        json_array_append_new(queues, document_number(s->near[i].stations[k].in_queue));
    json_object_set_new(near, "in_queue", queues);
    json_object_set_new(object, "approximate", near);
    return object;
}

static json_t *document_of(const struct solved *s)
{
    json_t *root = json_object(), *stations = json_array(), *loads = json_array();
    const struct network_bounds *bounds = &s->bounds[0];
    json_object_set_new(root, "tool", json_string("model"));
    json_object_set_new(root, "schema", json_integer(1));
    json_object_set_new(root, "type", json_string(s->model->open ? "open" : "closed"));
    law_number(root, "think_s", s->model->think_s);
    law_number(root, "demand_s", bounds->demand_s);
    law_number(root, "ceiling_throughput", bounds->ceiling);
    law_number(root, "knee_population", s->model->open ? (double)NAN : bounds->knee);
    json_object_set_new(root, "bottleneck",
                        isfinite(bounds->ceiling)
                            ? document_text(s->model->more[bounds->bottleneck].name)
                            : json_null());
    for (size_t k = 0; k < s->model->count; k++) {
        const struct station *station = &s->model->stations[k];
        json_t *one = json_object();
        double demand = station_demand(station);
        bool queue = station->kind == STATION_QUEUE;
        json_object_set_new(one, "name", document_text(s->model->more[k].name));
        json_object_set_new(one, "kind", json_string(queue ? "queue" : "delay"));
        law_number(one, "demand_s", demand);
        law_number(one, "visits", station->visits);
        law_number(one, "service_s", station->service_s);
        json_object_set_new(one, "servers", queue ? document_count(station->servers) : json_null());
        law_number(one, "ceiling_throughput",
                   queue && demand > 0 ? station->servers / demand : (double)NAN);
        json_array_append_new(stations, one);
    }
    json_object_set_new(root, "stations", stations);
    for (size_t i = 0; i < s->model->load_count; i++)
        json_array_append_new(loads, load_document(s, i));
    json_object_set_new(root, "loads", loads);
    return root;
}

static void put_loads(const struct solved *s, struct text *out)
{
    const struct table_column columns[] = {{s->model->open ? "rate" : "users", true, 0},
                                           {"X /s", true, 0},
                                           {"R s", true, 0},
                                           {"in system", true, 2},
                                           {"X at most", true, 3},
                                           {"R at least", true, 4},
                                           {"busiest", true, 1}};
    struct table *table = table_new(columns, sizeof columns / sizeof *columns);
    char words[LAW_ROOM];
    for (size_t i = 0; i < s->model->load_count; i++) {
        const struct network_state *state = &s->exact[i];
        double busiest = 0;
        for (size_t k = 0; k < s->model->count; k++)
            if (s->model->stations[k].kind == STATION_QUEUE)
                busiest = fmax(busiest, state->stations[k].utilisation);
        const double cells[] = {s->model->loads[i],
                                state->throughput,
                                state->response_s,
                                state->in_system,
                                s->model->open ? s->bounds[i].ceiling
                                               : s->bounds[i].throughput_high,
                                s->model->open ? s->bounds[i].demand_s : s->bounds[i].response_low};
        for (size_t c = 0; c < sizeof cells / sizeof *cells; c++)
            table_cell(table, law_digits(words, cells[c]));
        snprintf(words, sizeof words, "%.1f %%", busiest * 100);
        table_cell(table, words);
    }
    table_put(table, 2, 80, false, out);
    table_free(table);
}

static void put_stations(const struct solved *s, struct text *out)
{
    const struct table_column columns[] = {
        {"station", false, 0}, {"demand s", true, 0}, {"servers", true, 0}, {"ceiling /s", true, 0},
        {"R s", true, 0},      {"Q", true, 0},        {"busy", true, 0}};
    struct table *table = table_new(columns, sizeof columns / sizeof *columns);
    size_t last = s->model->load_count - 1;
    char words[LAW_ROOM];
    for (size_t k = 0; k < s->model->count; k++) {
        const struct station *station = &s->model->stations[k];
        const struct station_state *at = &s->exact[last].stations[k];
        bool queue = station->kind == STATION_QUEUE;
        double demand = station_demand(station);
        char *name = words_clean(s->model->more[k].name, false);
        table_cell(table, name);
        free(name);
        table_cell(table, law_digits(words, demand));
        snprintf(words, sizeof words, "%u", station->servers);
        table_cell(table, queue ? words : "delay");
        table_cell(table, law_digits(words, queue ? station->servers / demand : (double)NAN));
        table_cell(table, law_digits(words, at->response_s));
        table_cell(table, law_digits(words, at->in_queue));
        snprintf(words, sizeof words, "%.1f %%", at->utilisation * 100);
        table_cell(table, queue ? words : "–");
    }
    char load[LAW_ROOM];
    text_printf(out, "\nat %s %s\n", law_digits(load, s->model->loads[last]),
                s->model->open ? "arrivals a second" : "users");
    table_put(table, 2, 80, false, out);
    table_free(table);
}

static void put_text(const struct solved *s, struct text *out)
{
    const struct network_bounds *bounds = &s->bounds[0];
    char one[LAW_ROOM], two[LAW_ROOM], three[LAW_ROOM];
    char *name = words_clean(s->model->more[bounds->bottleneck].name, false);
    text_printf(out, "%s network: demand %s s", s->model->open ? "open" : "closed",
                law_digits(one, bounds->demand_s));
    if (isfinite(bounds->ceiling)) {
        text_printf(out, ", at most %s/s, bound by ", law_digits(two, bounds->ceiling));
        words_put_cut(out, name, NAME_COLUMNS);
    }
    if (!s->model->open && isfinite(bounds->knee))
        text_printf(out, ", knee at %s users", law_digits(three, bounds->knee));
    text_puts(out, "\n\n");
    free(name);
    put_loads(s, out);
    put_stations(s, out);
    if (s->saturated)
        text_puts(out, "\n  ! SATURATED\n    at ∞ the arrivals exceed what a station can carry\n");
}

int law_network(const struct network_model *model, const struct law_style *style, struct text *out,
                struct text *why)
{
    struct solved s = {.model = model, .network = {model->stations, model->count, model->think_s}};
    s.exact = memory_new(model->load_count, sizeof *s.exact);
    s.near = memory_new(model->load_count, sizeof *s.near);
    s.bounds = memory_new(model->load_count, sizeof *s.bounds);
    int error = solve(&s, why);
    if (error == 0 && style->json)
        law_dump(document_of(&s), out);
    else if (error == 0)
        put_text(&s, out);
    free(s.exact);
    free(s.near);
    free(s.bounds);
    return error;
}
