/* Queues of one server go by the recursion over users; any station of several servers makes it a
 * convolution. */
#include "stat/mva.h"

#include "base/check.h"
#include "base/memory.h"
#include "stat/convolution.h"
#include "stat/queue.h"

#include <math.h>
#include <stdlib.h>

double station_demand(const struct station *station)
{
    return station->visits * station->service_s;
}

/* Fills a state from throughput and the number at each station, by the laws of Little and of
 * utilisation. */
static void settle(const struct network *network, double load, double throughput,
                   struct network_state *out)
{
    out->load = load;
    out->throughput = throughput;
    out->response_s = 0;
    out->in_system = 0;
    for (size_t k = 0; k < network->count; k++) {
        const struct station *station = &network->stations[k];
        struct station_state *state = &out->stations[k];
        double busy = throughput * station_demand(station);
        bool delay = station->kind == STATION_DELAY;
        state->throughput = throughput * station->visits;
        state->utilisation = delay ? busy : busy / (double)station->servers;
        state->response_s = throughput > 0 ? state->in_queue / throughput : 0;
        out->response_s += state->response_s;
        out->in_system += state->in_queue;
    }
}

/* The recursion: who arrives finds the network as it is with one user less. */
static void recursion(const struct network *network, const uint32_t *users, size_t count,
                      struct network_state *out)
{
    double queue[MVA_STATIONS] = {0}, response[MVA_STATIONS], throughput = 0;
    size_t next = 0;
    for (; next < count && users[next] == 0; next++)
        settle(network, 0, 0, &out[next]);
    for (uint32_t n = 1; next < count; n++) {
        double whole = network->think_s;
        for (size_t k = 0; k < network->count; k++) {
            const struct station *station = &network->stations[k];
            bool delay = station->kind == STATION_DELAY;
            response[k] = station_demand(station) * (delay ? 1 : 1 + queue[k]);
            whole += response[k];
        }
        throughput = (double)n / whole;
        for (size_t k = 0; k < network->count; k++)
            queue[k] = throughput * response[k];
        for (; next < count && users[next] == n; next++) {
            for (size_t k = 0; k < network->count; k++)
                out[next].stations[k].in_queue = queue[k];
            settle(network, n, throughput, &out[next]);
        }
    }
}

static bool has_many_servers(const struct network *network)
{
    for (size_t k = 0; k < network->count; k++)
        if (network->stations[k].kind == STATION_QUEUE && network->stations[k].servers > 1)
            return true;
    return false;
}

int mva_exact(const struct network *network, const uint32_t *users, size_t count,
              struct network_state *out)
{
    check(network->count >= 1 && network->count <= MVA_STATIONS);
    bool convolved = has_many_servers(network);
    uint32_t limit = convolved ? MVA_CONVOLVED_MOST : MVA_POPULATION_MOST, most = 0;
    for (size_t i = 0; i < count; i++) {
        check(i == 0 || users[i] >= users[i - 1]);
        most = users[i];
    }
    if (most > limit)
        return MVA_TOO_LARGE;
    if (!convolved) {
        recursion(network, users, count, out);
        return 0;
    }
    struct convolution *convolution = convolution_new(network, most);
    for (size_t i = 0; i < count; i++) {
        double throughput = convolution_throughput(convolution, users[i]);
        for (size_t k = 0; k < network->count; k++)
            out[i].stations[k].in_queue = convolution_in_queue(convolution, k, users[i]);
        settle(network, users[i], throughput, &out[i]);
    }
    convolution_free(convolution);
    return 0;
}

void mva_approximate(const struct network *network, double users, struct network_state *out)
{
    enum { TURNS_MOST = 100000 };
    double queue[MVA_STATIONS], response[MVA_STATIONS], throughput = 0, moved = 1;
    for (size_t k = 0; k < network->count; k++)
        queue[k] = users / (double)network->count;
    for (int turn = 0; turn < TURNS_MOST && moved > 1e-12 && users > 0; turn++) {
        double whole = network->think_s;
        for (size_t k = 0; k < network->count; k++) {
            const struct station *station = &network->stations[k];
            double demand = station_demand(station), one = demand / (double)station->servers;
            double found = (users - 1) / users * queue[k];
            bool delay = station->kind == STATION_DELAY;
            /* Of what is there, the part in Seidmann's delay does not wait. */
            double waits = fmax(found - (users - 1) / users * throughput * (demand - one), 0);
            response[k] = delay ? demand : demand - one + one * (1 + waits);
            whole += response[k];
        }
        throughput = users / whole;
        moved = 0;
        for (size_t k = 0; k < network->count; k++) {
            moved = fmax(moved, fabs(throughput * response[k] - queue[k]));
            queue[k] = throughput * response[k];
        }
    }
    for (size_t k = 0; k < network->count; k++)
        out->stations[k].in_queue = users > 0 ? queue[k] : 0;
    settle(network, users, throughput, out);
}

/* Balanced-job bounds see delays as thinking: X of a network is between those of two balanced ones
 * with the same demand. */
static void balanced(const struct network *network, double users, double delay,
                     struct network_bounds *out)
{
    double demand = out->demand_s - delay, think = network->think_s + delay, queues = 0;
    for (size_t k = 0; k < network->count; k++) {
        const struct station *station = &network->stations[k];
        if (station->kind != STATION_QUEUE)
            continue;
        if (station->servers > 1)
            return;
        queues++;
    }
    if (queues == 0 || !(demand > 0) || !(users > 0))
        return;
    double most = 1 / out->ceiling, mean = demand / queues, others = users - 1;
    out->balanced_known = true;
    out->balanced_throughput_low =
        users / (demand + think + others * most / (1 + think / (users * demand)));
    out->balanced_throughput_high =
        fmin(out->ceiling, users / (demand + think + others * mean / (1 + think / demand)));
    out->balanced_response_low = users / out->balanced_throughput_high - network->think_s;
    out->balanced_response_high = users / out->balanced_throughput_low - network->think_s;
}

void mva_bounds(const struct network *network, double users, struct network_bounds *out)
{
    double delay = 0, queued = 0;
    *out = (struct network_bounds){.ceiling = INFINITY};
    for (size_t k = 0; k < network->count; k++) {
        const struct station *station = &network->stations[k];
        double demand = station_demand(station);
        out->demand_s += demand;
        if (station->kind == STATION_DELAY) {
            delay += demand;
            continue;
        }
        queued += demand;
        if ((double)station->servers / demand < out->ceiling) {
            out->ceiling = (double)station->servers / demand;
            out->bottleneck = k;
        }
    }
    double cycle = out->demand_s + network->think_s;
    out->knee = cycle * out->ceiling;
    out->throughput_high = fmin(users / cycle, out->ceiling);
    out->throughput_low = users > 0 ? users / (users * queued + delay + network->think_s) : 0;
    out->response_low = fmax(out->demand_s, users / out->ceiling - network->think_s);
    out->response_high = fmax(users, 1) * queued + delay;
    balanced(network, users, delay, out);
}

void mva_open_bounds(const struct network *network, double rate, struct network_bounds *out)
{
    double queues = 0, delay = 0;
    bool single = true;
    mva_bounds(network, 1, out);
    for (size_t k = 0; k < network->count; k++) {
        const struct station *station = &network->stations[k];
        bool queue = station->kind == STATION_QUEUE;
        queues += queue;
        delay += queue ? 0 : station_demand(station);
        single = single && (!queue || station->servers == 1);
    }
    bool carried = rate < out->ceiling;
    double queued = out->demand_s - delay;
    out->knee = NAN;
    out->throughput_low = 0;
    out->throughput_high = out->ceiling;
    out->response_low = out->demand_s;
    out->response_high = INFINITY;
    out->balanced_known = single && queues > 0 && queued > 0;
    out->balanced_throughput_low = 0;
    out->balanced_throughput_high = out->ceiling;
    out->balanced_response_low =
        carried ? delay + queued / (1 - rate * queued / queues) : (double)INFINITY;
    out->balanced_response_high =
        carried ? delay + queued / (1 - rate / out->ceiling) : (double)INFINITY;
}

int mva_open(const struct network *network, double rate, struct network_state *out)
{
    int outcome = 0;
    for (size_t k = 0; k < network->count; k++) {
        const struct station *station = &network->stations[k];
        double demand = station_demand(station), response = demand;
        if (station->kind == STATION_QUEUE && demand > 0)
            response = station->visits * mmc_response_mean(station->servers, rate * station->visits,
                                                           station->service_s);
        out->stations[k].in_queue = rate * response;
        if (isinf(response))
            outcome = MVA_SATURATED;
    }
    settle(network, rate, rate, out);
    if (!(rate > 0)) { /* nobody comes; who did would be served at once */
        for (size_t k = 0; k < network->count; k++)
            out->stations[k].response_s = station_demand(&network->stations[k]);
        for (size_t k = 0; k < network->count; k++)
            out->response_s += out->stations[k].response_s;
    }
    return outcome;
}
