/* Names are taken liberally (think, think_time, Z), what they mean strictly: a key that is not
 * known is an error, because a forgotten demand would make every number wrong. */
#include "plan/network.h"

#include "base/memory.h"
#include "base/unit.h"
#include "plan/look.h"
#include "plan/node.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void wrong(struct notes *notes, const struct node *node, const char *hint,
                  const char *sentence)
{
    struct note place = node_place(node);
    look_error(notes, &place, hint, "%s", sentence);
}

/* A number of at least 0, or a duration ("5 ms") where seconds are meant. */
static bool read_number(const struct node *node, bool seconds, double *out)
{
    nsec_t duration_ns = 0;
    if (node->kind != NODE_TEXT)
        return false;
    struct span words = span_of(node->text);
    if (unit_read_real(words, out) == 0)
        return isfinite(*out) && *out >= 0;
    if (!seconds || unit_read_duration(words, 0, &duration_ns) != 0)
        return false;
    *out = (double)duration_ns / 1e9;
    return true;
}

static bool one_of(const char *names, const char *name)
{
    size_t length = strlen(name);
    if (length == 0) /* is found everywhere, and beyond the end */
        return false;
    for (const char *at = names; (at = strstr(at, name)) != NULL; at++)
        if ((at == names || at[-1] == ' ') && (at[length] == ' ' || !at[length]))
            return true;
    return false;
}

/* Whether a word says that nobody queues at a station. */
static bool says_delay(const struct node *node)
{
    return node->kind == NODE_TEXT &&
           one_of("delay infinite inf unlimited infinity .inf is IS M/M/inf", node->text);
}

/* What the map of a station says before it becomes one; NAN: not said. */
struct station_form {
    double demand, visits, service, service_rate, servers, capacity;
    double arrival_variation, service_variation;
    bool delay, wrong;
};

struct station_key {
    const char *names;
    size_t field;
    bool seconds;
    bool squared; /* a coefficient of variation, where its square is kept */
};

static const struct station_key station_keys[] = {
    {"demand D service_demand demand_s", offsetof(struct station_form, demand), true, false},
    {"visits V visit_ratio visit_count", offsetof(struct station_form, visits), false, false},
    {"service S service_time service_s mean_service service_time_s",
     offsetof(struct station_form, service), true, false},
    {"service_rate mu rate", offsetof(struct station_form, service_rate), false, false},
    {"servers m c server_count", offsetof(struct station_form, servers), false, false},
    {"capacity places K limit", offsetof(struct station_form, capacity), false, false},
    {"arrival_cv2 ca2 arrival_scv", offsetof(struct station_form, arrival_variation), false, false},
    {"service_cv2 cs2 cv2 scv service_scv", offsetof(struct station_form, service_variation), false,
     false},
    {"arrival_cv ca", offsetof(struct station_form, arrival_variation), false, true},
    {"service_cv cs cv", offsetof(struct station_form, service_variation), false, true},
};

/* The kind of a station: words of the field, too. A fixed service is a variation of 0. */
static void read_kind(const struct node *value, struct station_form *form, struct notes *notes)
{
    const char *words = value->kind == NODE_TEXT ? value->text : "";
    form->delay = says_delay(value);
    if (one_of("M/D/1 M/D/c", words))
        form->service_variation = 0;
    else if (!form->delay &&
             !one_of("queue queueing queuing fcfs FCFS fifo FIFO ps PS M/M/1 M/M/c M/M/m M/G/1 "
                     "M/M/1/K M/M/c/K server multiserver",
                     words))
        wrong(notes, value, "queue, delay, or M/M/1, M/M/c, M/G/1, M/D/1",
              "a station is of type queue or delay");
}

/* delay: true, or the seconds of it. */
static void read_delay(const struct node *value, struct station_form *form, struct notes *notes)
{
    const char *words = value->kind == NODE_TEXT ? value->text : "";
    if (one_of("false no", words))
        return;
    form->delay = true;
    if (!one_of("true yes", words) && !says_delay(value) &&
        !read_number(value, true, &form->demand)) {
        wrong(notes, value, NULL, "delay is true or false, or its seconds");
        form->wrong = true;
    }
}

static void read_station_key(const struct node *key, const struct node *value,
                             struct station_form *form, struct notes *notes)
{
    if (one_of("delay is infinite_server", key->text)) {
        read_delay(value, form, notes);
        return;
    }
    if (one_of("type kind", key->text)) {
        read_kind(value, form, notes);
        return;
    }
    if (one_of("servers m c", key->text) && says_delay(value)) {
        form->delay = true;
        return;
    }
    for (size_t i = 0; i < sizeof station_keys / sizeof *station_keys; i++) {
        if (!one_of(station_keys[i].names, key->text))
            continue;
        double number = 0;
        double *field = (double *)(void *)((char *)form + station_keys[i].field);
        if (!read_number(value, station_keys[i].seconds, &number)) {
            wrong(notes, value, NULL,
                  station_keys[i].seconds ? "this must be seconds, at least 0 (0.01, or \"10 ms\")"
                                          : "this must be a number of at least 0");
            form->wrong = true;
            return;
        }
        *field = station_keys[i].squared ? number * number : number;
        return;
    }
    if (strcmp(key->text, "name") != 0)
        wrong(notes, key,
              "has: name, demand (or visits, service), servers, delay, service_cv2, capacity",
              "unknown key of a station");
}

static bool whole(double number, double least)
{
    return number >= least && number <= UINT32_MAX && number == floor(number);
}

static void check_station(const struct node *node, const struct station_form *form,
                          struct notes *notes)
{
    bool parts = !isnan(form->service) || !isnan(form->service_rate);
    if (!isnan(form->demand) && parts)
        wrong(notes, node, NULL, "give either the demand, or visits and service, not both");
    if (!isnan(form->service) && !isnan(form->service_rate))
        wrong(notes, node, NULL, "give either the service time or the service rate, not both");
    if (isnan(form->demand) && !parts)
        wrong(notes, node, "seconds of service that a request needs here in all",
              "this station has no demand");
    if (form->service_rate == 0)
        wrong(notes, node, NULL, "service_rate must be above 0");
    if (!whole(form->servers, 1))
        wrong(notes, node, NULL, "servers must be a whole number of at least 1");
    if (!whole(form->capacity, 0) || (form->capacity > 0 && form->capacity < form->servers))
        wrong(notes, node, NULL, "capacity must be a whole number, and at least the servers");
}

static void make_station(const struct node *node, const struct station_form *form,
                         struct network_model *out, struct notes *notes)
{
    if (!form->wrong)
        check_station(node, form, notes);
    double visits = isnan(form->visits) ? 1 : form->visits;
    double service = !isnan(form->service)        ? form->service
                     : !isnan(form->service_rate) ? 1 / form->service_rate
                     : visits > 0                 ? form->demand / visits
                                                  : 0;
    out->stations[out->count] =
        (struct station){.kind = form->delay ? STATION_DELAY : STATION_QUEUE,
                         .visits = visits,
                         .service_s = service,
                         .servers = whole(form->servers, 1) ? (uint32_t)form->servers : 1};
    struct network_station *more = &out->more[out->count++];
    more->arrival_variation = form->arrival_variation;
    more->service_variation = form->service_variation;
    more->capacity = whole(form->capacity, 0) ? (uint32_t)form->capacity : 0;
}

static void read_station(const struct node *node, const struct node *name,
                         struct network_model *out, struct notes *notes)
{
    struct station_form form = {.demand = NAN,
                                .visits = NAN,
                                .service = NAN,
                                .service_rate = NAN,
                                .servers = 1,
                                .arrival_variation = 1,
                                .service_variation = 1};
    if (out->count == MVA_STATIONS) {
        wrong(notes, node, NULL, "there are more than 64 stations");
        return;
    }
    if (node->kind == NODE_MAP && node->count == 1 && node->rows[0].value->kind == NODE_MAP) {
        name = node->rows[0].key; /* - cpu: {demand: 0.01} */
        node = node->rows[0].value;
    }
    if (node->kind != NODE_MAP) {
        wrong(notes, node, NULL, "a station is a map: {name: cpu, demand: 0.01}");
        return;
    }
    for (size_t i = 0; i < node->count; i++)
        read_station_key(node->rows[i].key, node->rows[i].value, &form, notes);
    const struct node *own = node_find(node, "name");
    if (own && own->kind == NODE_TEXT)
        name = own;
    struct text made = TEXT_EMPTY;
    if (name)
        text_puts(&made, name->text);
    else
        text_printf(&made, "station %zu", out->count + 1);
    out->more[out->count].name = text_take(&made);
    make_station(node, &form, out, notes);
}

static void read_stations(const struct node *node, struct network_model *out, struct notes *notes)
{
    if (node->kind == NODE_TEXT || node->count == 0)
        wrong(notes, node, NULL, "stations is a list: [{name: cpu, demand: 0.01}, ...]");
    else
        for (size_t i = 0; i < node->count; i++)
            read_station(node->rows[i].value, node->rows[i].key, out, notes);
}

static void add_load(const struct node *node, double load, struct network_model *out,
                     struct notes *notes)
{
    if (!out->open && !whole(load, 0))
        wrong(notes, node, NULL, "a population is a whole number of users");
    else if (out->load_count == NETWORK_LOADS)
        wrong(notes, node, "a list of fewer", "there are more than 1,000 loads");
    else {
        size_t at = out->load_count++;
        for (; at > 0 && out->loads[at - 1] > load; at--)
            out->loads[at] = out->loads[at - 1];
        out->loads[at] = load;
    }
}

/* From low to high, both included. */
static void add_range(const struct node *node, const double range[3], struct network_model *out,
                      struct notes *notes)
{
    double low = range[0], high = range[1], step = range[2];
    if (!(step > 0) || high < low)
        wrong(notes, node, NULL, "a range goes up from its least load by a step above 0");
    else if ((high - low) / step >= NETWORK_LOADS)
        wrong(notes, node, "a greater step, or a list of fewer", "there are more than 1,000 loads");
    else
        for (size_t i = 0; low + (double)i * step <= high * (1 + 1e-12); i++)
            add_load(node, low + (double)i * step, out, notes);
}

/* "1..50", "10..100 step 10", and "1-50" of a population. */
static bool read_range(const struct node *node, struct network_model *out, struct notes *notes)
{
    const char *dots = strstr(node->text, ".."), *step = strstr(node->text, "step");
    size_t width = 2, length = step ? (size_t)(step - node->text) : node->bytes;
    double range[3] = {0, 0, 1};
    if (!dots) {
        dots = strchr(node->text, '-');
        width = 1;
    }
    if (!dots || dots == node->text || dots + width > node->text + length)
        return false;
    struct span low = {node->text, (size_t)(dots - node->text)};
    struct span high = {dots + width, length - low.bytes - width};
    if (unit_read_real(span_trim(low), &range[0]) || unit_read_real(span_trim(high), &range[1]) ||
        (step && unit_read_real(span_trim(span_of(step + 4)), &range[2])))
        return false;
    add_range(node, range, out, notes);
    return true;
}

/* {from: 10, to: 50, step: 10} */
static void read_range_map(const struct node *node, struct network_model *out, struct notes *notes)
{
    static const char *const names[] = {"from min start low", "to max end high", "step by"};
    double range[3] = {1, NAN, 1};
    for (size_t i = 0; i < node->count; i++) {
        size_t k = 0;
        while (k < 3 && !one_of(names[k], node->rows[i].key->text))
            k++;
        if (k == 3 || !read_number(node->rows[i].value, false, &range[k])) {
            wrong(notes, node->rows[i].key, "{from: 10, to: 50, step: 10}",
                  "a range has from, to and step, which are numbers");
            return;
        }
    }
    if (isnan(range[1]))
        wrong(notes, node, "{from: 10, to: 50, step: 10}", "this range has no end");
    else
        add_range(node, range, out, notes);
}

static void read_loads(const struct node *node, struct network_model *out, struct notes *notes)
{
    double load = 0;
    if (node->kind == NODE_LIST) {
        for (size_t i = 0; i < node->count; i++)
            read_loads(node->rows[i].value, out, notes);
    } else if (node->kind == NODE_MAP) {
        read_range_map(node, out, notes);
    } else if (read_number(node, false, &load) ||
               (out->open && unit_read_rate(span_of(node->text), &load) == 0)) {
        add_load(node, load, out, notes);
    } else if (!read_range(node, out, notes)) {
        wrong(notes, node, "5, [1, 10, 20], 1..50, or {from: 10, to: 50, step: 10}",
              "a load is a number of at least 0, a list of numbers, or a range");
    }
}

#define LOADS_CLOSED "population users N n customers clients jobs populations"
#define LOADS_OPEN   "rate rates arrival_rate lambda arrivals arrival_rates"
#define TYPE         "type network kind model"

/* Whether it is open: said by type, else by what it has. */
static bool find_type(const struct node *root, struct notes *notes)
{
    for (size_t i = 0; i < root->count; i++) {
        const struct node *type = root->rows[i].value;
        if (!one_of(TYPE, root->rows[i].key->text))
            continue;
        if (type->kind != NODE_TEXT || !one_of("open closed", type->text))
            wrong(notes, type, NULL, "a network is of type closed or open");
        return type->kind == NODE_TEXT && strcmp(type->text, "open") == 0;
    }
    for (size_t i = 0; i < root->count; i++)
        if (one_of(LOADS_OPEN, root->rows[i].key->text))
            return true;
    return false;
}

static void read_root(const struct node *root, struct network_model *out, struct notes *notes)
{
    out->open = find_type(root, notes);
    for (size_t i = 0; i < root->count; i++) {
        const struct node *key = root->rows[i].key, *value = root->rows[i].value;
        if (one_of("stations resources centers centres queues nodes", key->text))
            read_stations(value, out, notes);
        else if (one_of("think think_time think_s think_time_s Z z", key->text) && !out->open) {
            if (!read_number(value, true, &out->think_s))
                wrong(notes, value, NULL, "a think time is a number of seconds, at least 0");
        } else if (one_of(out->open ? LOADS_OPEN : LOADS_CLOSED, key->text))
            read_loads(value, out, notes);
        else if (!one_of(TYPE " name title description schema", key->text))
            wrong(notes, key,
                  out->open ? "an open network has: type, rate, stations"
                            : "a closed network has: type, think, population, stations",
                  "unknown key");
    }
    if (out->count == 0 && notes->errors == 0)
        wrong(notes, root, "stations: [{name: cpu, demand: 0.01}]", "there are no stations");
    if (out->load_count == 0 && notes->errors == 0)
        wrong(notes, root, out->open ? "rate: [1, 10]" : "population: [1, 10, 20]",
              out->open ? "there is no arrival rate" : "there is no population");
}

int network_model_read(const char *file, struct span bytes, struct network_model *out,
                       struct notes *notes)
{
    struct document document;
    memset(out, 0, sizeof *out);
    if (span_trim(bytes).bytes == 0) {
        notes_error(notes, "%s is empty: a network has stations, and a population or rate", file);
        return NETWORK_BAD;
    }
    int error = document_read(&document, file, bytes, notes);
    if (error == 0 && (!document.root || document.root->kind != NODE_MAP))
        notes_error(notes, "%s: a network is a map with stations and a population or rate", file);
    else if (error == 0)
        read_root(document.root, out, notes);
    document_fini(&document);
    return error || notes->errors ? NETWORK_BAD : 0;
}

void network_model_fini(struct network_model *model)
{
    for (size_t i = 0; i < MVA_STATIONS; i++)
        free(model->more[i].name);
    memset(model, 0, sizeof *model);
}
