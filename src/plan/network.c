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

static bool read_flag(const struct node *node)
{
    return node->kind == NODE_TEXT &&
           (strcmp(node->text, "true") == 0 || strcmp(node->text, "yes") == 0 ||
            strcmp(node->text, "delay") == 0 || strcmp(node->text, "infinite") == 0 ||
            strcmp(node->text, "is") == 0);
}

static bool one_of(const char *names, const char *name)
{
    size_t length = strlen(name);
    for (const char *at = names; (at = strstr(at, name)) != NULL; at++)
        if (length && (at == names || at[-1] == ' ') && (at[length] == ' ' || !at[length]))
            return true;
    return false;
}

/* What the map of a station says before it becomes one; negative: not said. */
struct station_form {
    double demand, visits, service, servers, capacity, arrival_variation, service_variation;
    bool delay;
};

struct station_key {
    const char *names;
    size_t field;
    bool seconds;
};

static const struct station_key station_keys[] = {
    {"demand D service_demand demand_s", offsetof(struct station_form, demand), true},
    {"visits V visit_ratio", offsetof(struct station_form, visits), false},
    {"service S service_time service_s", offsetof(struct station_form, service), true},
    {"servers m c", offsetof(struct station_form, servers), false},
    {"capacity places K limit", offsetof(struct station_form, capacity), false},
    {"arrival_cv2 ca2", offsetof(struct station_form, arrival_variation), false},
    {"service_cv2 cs2 cv2", offsetof(struct station_form, service_variation), false},
};

static void read_station_key(const struct node *key, const struct node *value,
                             struct station_form *form, struct notes *notes)
{
    if (one_of("delay is infinite_server", key->text)) {
        form->delay = read_flag(value);
        return;
    }
    if (one_of("type kind", key->text)) {
        form->delay = read_flag(value);
        if (!form->delay && !(value->kind == NODE_TEXT && strcmp(value->text, "queue") == 0))
            wrong(notes, value, NULL, "a station is of type queue or delay");
        return;
    }
    for (size_t i = 0; i < sizeof station_keys / sizeof *station_keys; i++) {
        if (!one_of(station_keys[i].names, key->text))
            continue;
        double *field = (double *)(void *)((char *)form + station_keys[i].field);
        if (!read_number(value, station_keys[i].seconds, field))
            wrong(notes, value, NULL, "this must be a number of at least 0");
        return;
    }
    if (strcmp(key->text, "name") != 0)
        wrong(notes, key, "has: name, demand (or visits, service), servers, delay",
              "unknown key of a station");
}

static bool whole(double number, double least)
{
    return number >= least && number <= UINT32_MAX && number == floor(number);
}

static void make_station(const struct node *node, const struct station_form *form,
                         struct network_model *out, struct notes *notes)
{
    bool parts = form->service >= 0;
    if (form->demand >= 0 && parts)
        wrong(notes, node, NULL, "give either the demand, or visits and service, not both");
    if (form->demand < 0 && !parts)
        wrong(notes, node, "seconds of service that a request needs here in all",
              "this station has no demand");
    if (!whole(form->servers, 1))
        wrong(notes, node, NULL, "servers must be a whole number of at least 1");
    if (!whole(form->capacity, 0) || (form->capacity > 0 && form->capacity < form->servers))
        wrong(notes, node, NULL, "capacity must be a whole number, and at least the servers");
    struct station *station = &out->stations[out->count];
    double visits = form->visits >= 0 ? form->visits : 1;
    *station = (struct station){.kind = form->delay ? STATION_DELAY : STATION_QUEUE,
                                .visits = visits,
                                .service_s = parts        ? form->service
                                             : visits > 0 ? form->demand / visits
                                                          : 0,
                                .servers = whole(form->servers, 1) ? (uint32_t)form->servers : 1};
    struct network_station *more = &out->more[out->count++];
    more->arrival_variation = form->arrival_variation;
    more->service_variation = form->service_variation;
    more->capacity = whole(form->capacity, 0) ? (uint32_t)form->capacity : 0;
}

static void read_station(const struct node *node, const struct node *name,
                         struct network_model *out, struct notes *notes)
{
    struct station_form form = {.demand = -1,
                                .visits = -1,
                                .service = -1,
                                .servers = 1,
                                .arrival_variation = 1,
                                .service_variation = 1};
    if (out->count == MVA_STATIONS) {
        wrong(notes, node, NULL, "there are more than 64 stations");
        return;
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

/* "1..50" */
static bool read_range(const struct node *node, struct network_model *out, struct notes *notes)
{
    const char *dots = strstr(node->text, "..");
    double low = 0, high = 0;
    if (!dots || unit_read_real((struct span){node->text, (size_t)(dots - node->text)}, &low) ||
        unit_read_real(span_of(dots + 2), &high) || high < low || low < 0)
        return false;
    if (high - low >= NETWORK_LOADS)
        wrong(notes, node, "a list of fewer", "there are more than 1,000 loads");
    else
        for (size_t i = 0; low + (double)i <= high; i++)
            add_load(node, low + (double)i, out, notes);
    return true;
}

static void read_loads(const struct node *node, struct network_model *out, struct notes *notes)
{
    double load = 0;
    if (node->kind == NODE_LIST) {
        for (size_t i = 0; i < node->count; i++)
            read_loads(node->rows[i].value, out, notes);
    } else if (node->kind == NODE_TEXT && read_number(node, false, &load)) {
        add_load(node, load, out, notes);
    } else if (node->kind != NODE_TEXT || !read_range(node, out, notes)) {
        wrong(notes, node, NULL, "a load is a number, a list of numbers, or a range: 1..50");
    }
}

#define LOADS_CLOSED "population users N n customers"
#define LOADS_OPEN   "rate rates arrival_rate lambda arrivals"

/* Whether it is open: said by type, else by what it has. */
static bool find_type(const struct node *root, struct notes *notes)
{
    const struct node *type = node_find(root, "type");
    if (type && type->kind == NODE_TEXT && strcmp(type->text, "open") == 0)
        return true;
    if (type && (type->kind != NODE_TEXT || strcmp(type->text, "closed") != 0))
        wrong(notes, type, NULL, "a network is of type closed or open");
    for (size_t i = 0; !type && i < root->count; i++)
        if (one_of(LOADS_OPEN, root->rows[i].key->text))
            return true;
    return false;
}

static void read_root(const struct node *root, struct network_model *out, struct notes *notes)
{
    out->open = find_type(root, notes);
    for (size_t i = 0; i < root->count; i++) {
        const struct node *key = root->rows[i].key, *value = root->rows[i].value;
        if (one_of("stations resources centers centres", key->text))
            read_stations(value, out, notes);
        else if (one_of("think think_time think_s Z z", key->text) && !out->open) {
            if (!read_number(value, true, &out->think_s))
                wrong(notes, value, NULL, "a think time is a number of seconds, at least 0");
        } else if (one_of(out->open ? LOADS_OPEN : LOADS_CLOSED, key->text))
            read_loads(value, out, notes);
        else if (!one_of("type name description", key->text))
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
