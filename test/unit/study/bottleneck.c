/* Systems whose bottleneck is known, because it was planted: closed networks solved by exact mean
 * value analysis, watched with noise. The primary has to be the planted one in all of them, at its
 * load to one level, and the healthy ones have none. */
#include "study/bottleneck.h"
#include "study/indicator.h"

#include "base/memory.h"
#include "base/random.h"
#include "stat/mva.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka needs what stands above it. */
/* clang-format off */
#include <cmocka.h>
/* clang-format on */

enum { STATIONS = 5, LOADS = 12, SEEDS = 3, LEVEL_S = 60 };

static const uint32_t loads[LOADS] = {10, 20, 40, 60, 80, 100, 120, 140, 160, 180, 200, 240};
static const double think_s = 1;

/* One resource and how it is watched. Metrics: NULL where not. */
struct part {
    const char *thing, *role, *kind;
    double demand_s;
    uint32_t servers;
    const char *share, *count, *queue;
    double background; /* of the share, without load */
};

struct plant {
    const char *name;
    const char *kind, *thing; /* of the primary; NULL: none observed */
    const char *second;       /* thing of the first secondary; NULL: any */
    struct part parts[STATIONS];
    void (*twist)(struct level *level, const struct network_state *state); /* or NULL */
};

/* ---- watching -------------------------------------------------------------------------------- */

/* Normal noise of this deviation, by Box and Muller. */
static double noisy(struct random *random, double value, double deviation)
{
    double one = random_unit(random), two = random_unit(random);
    return value * (1 + deviation * sqrt(-2 * log(one)) * cos(6.283185307179586 * two));
}

static void watch(struct level *level, const char *thing, const char *role, const char *metric,
                  const char *unit, double value)
{
    struct level_resource *resource = level_add_resource(level);
    resource->thing = memory_copy_text(thing);
    resource->role = memory_copy_text(role);
    resource->metric = memory_copy_text(metric);
    resource->part = memory_copy_text("");
    resource->unit = memory_copy_text(unit);
    resource->mean = resource->p95 = resource->most = value;
    resource->count = LEVEL_S;
}

static void watch_part(struct level *level, const struct part *part,
                       const struct station_state *state, struct random *random)
{
    double busy = state->utilisation * part->servers;
    double waiting = fmax(0, state->in_queue - busy);
    if (part->share)
        watch(level, part->thing, part->role, part->share, "1",
              fmin(1, part->background +
                          (1 - part->background) * noisy(random, state->utilisation, .01)));
    if (part->count)
        watch(level, part->thing, part->role, part->count,
              strchr(part->count, '.') ? "processors" : "1", noisy(random, busy, .005));
    if (part->queue)
        watch(level, part->thing, part->role, part->queue, "requests", noisy(random, waiting, .05));
}

static struct suite *measure(const struct plant *plant, uint64_t seed)
{
    struct station stations[STATIONS];
    struct network network = {.stations = stations, .think_s = think_s};
    static struct network_state states[LOADS];
    struct random random = {random_key(seed, plant->name, 0), 0};
    for (; network.count < STATIONS && plant->parts[network.count].thing; network.count++)
        stations[network.count] =
            (struct station){.visits = 1,
                             .service_s = plant->parts[network.count].demand_s,
                             .servers = plant->parts[network.count].servers};
    assert_int_equal(mva_exact(&network, loads, LOADS, states), 0);
    struct suite *suite = suite_new();
    suite->slo_response_s = 1;
    suite->slo_error_share = .01;
    struct level_series *series = suite_add(suite, SUITE_PROGRESSION, "progression");
    for (size_t i = 0; i < LOADS; i++) {
        struct level *level = series_add(series);
        level->users = loads[i];
        level->throughput = noisy(&random, states[i].throughput, .01);
        level->requests = (uint64_t)(level->throughput * LEVEL_S);
        level->measured_s = LEVEL_S;
        level->mean_s = noisy(&random, states[i].response_s, .02);
        level->p50_s = .8 * level->mean_s;
        level->p95_s = 2 * level->mean_s;
        level->p99_s = 3 * level->mean_s;
        level->concurrency = states[i].in_system;
        level->think_s = think_s;
        level->error_share = level->timeout_share = 0;
        level->little = noisy(&random, 1, .005) - 1;
        for (size_t k = 0; k < network.count; k++)
            watch_part(level, &plant->parts[k], &states[i].stations[k], &random);
        if (plant->twist)
            plant->twist(level, &states[i]);
    }
    return suite;
}

/* ---- what else happens in some --------------------------------------------------------------- */

static void fail_some(struct level *level, const char *words, double share)
{
    uint64_t count = (uint64_t)(share * (double)level->requests);
    level->failed += count;
    level->throughput *= 1 - share;
    level->error_share += share;
    if (count)
        level_add_error(level, words, count);
}

/* The cache holds what its servers do; what does not fit waits, and some is put back. */
static void fill_cache(struct level *level, const struct network_state *state)
{
    double waiting = fmax(0, state->stations[0].in_queue - 8 * state->stations[0].utilisation);
    watch(level, "llm", "llm", "llm.kv_cache_share", "1", .99 * state->stations[0].utilisation);
    watch(level, "llm", "llm", "llm.waiting", "requests", waiting);
    watch(level, "llm", "llm", "llm.preemptions", "1/s", waiting > 1 ? .05 * waiting : 0);
    watch(level, "gpu", "gpu", "gpu.memory_share", "1", .91); /* allocated beforehand */
}

static void free_cache(struct level *level, const struct network_state *state)
{
    watch(level, "llm", "llm", "llm.kv_cache_share", "1", .5 * state->stations[0].utilisation);
    watch(level, "gpu", "gpu", "gpu.memory_share", "1", .91);
}

static void fill_gpu_memory(struct level *level, const struct network_state *state)
{
    double share = fmin(.995, .5 + .5 * state->stations[0].utilisation);
    watch(level, "gpu", "gpu", "gpu.memory_share", "1", share);
    if (share > .98)
        fail_some(level, "500", .03);
}

/* Room for so many at once, whose coming and going leaves it full for moments only: what finds it
 * full fails, and the mean stays below the limit at any load. */
static void fill_for_moments(struct level *level, const struct network_state *state)
{
    double busy = state->stations[0].utilisation;
    watch(level, "gpu", "gpu", "gpu.memory_share", "1", .5 + .44 * busy);
    level->resources[level->resource_count - 1].most = fmin(.996, .6 + .5 * busy);
    if (busy > .9)
        fail_some(level, "500", .05);
}

/* Eight places and no queue: who finds them taken is refused, and they are never all taken for
 * long. */
static void refuse_without_queue(struct level *level, const struct network_state *state)
{
    double busy = state->stations[0].utilisation;
    watch(level, "rag", "service", "pool.used_share", "1", .85 * busy);
    level->resources[level->resource_count - 1].most = fmin(1, ceil(8 * busy + .5) / 8);
    if (busy > .9)
        fail_some(level, "503", .04);
}

static void refuse_sequences(struct level *level, const struct network_state *state)
{
    double busy = state->stations[0].utilisation;
    watch(level, "llm", "llm", "llm.running", "requests", .85 * 8 * busy);
    level->resources[level->resource_count - 1].most = fmin(8, ceil(8 * busy + .5));
    watch(level, "llm", "llm", "llm.waiting", "requests", 0);
    free_cache(level, state);
    if (busy > .9)
        fail_some(level, "503", .04);
}

/* A step reads the weights for one sequence or for ten: full from the lowest load on. */
static void read_weights(struct level *level, const struct network_state *state)
{
    free_cache(level, state);
    watch(level, "gpu", "gpu", "gpu.dram_active", "1", .97);
}

/* A queue of the backend, sessions of the server behind it, and of the frontend. */
static void queue_in_parts(struct level *level, const struct network_state *state)
{
    static const char *const parts[] = {"back", "back/one", "front"};
    const struct station_state *balancer = &state->stations[0];
    double busy = 16 * balancer->utilisation;
    watch(level, "haproxy", "load-balancer", "balancer.queue", "requests",
          fmax(0, balancer->in_queue - busy));
    watch(level, "haproxy", "load-balancer", "balancer.server_sessions", "sessions", busy);
    watch(level, "haproxy", "load-balancer", "balancer.sessions", "sessions", level->users);
    for (size_t i = 0; i < 3; i++) {
        char **part = &level->resources[level->resource_count - 3 + i].part;
        free(*part);
        *part = memory_copy_text(parts[i]);
    }
}

/* A gauge of a server that is stopped by its quota, and answers at odd moments: half of what is
 * right, or nothing, once the system has bent. */
static void stop_and_start(struct level *level, const struct network_state *state)
{
    double right = state->throughput * .03 / 6, quota = state->stations[0].utilisation;
    bool odd = quota > .95;
    watch(level, "rag", "service", "pool.used_share", "1", odd ? .05 : right);
}

static void fill_memory(struct level *level, const struct network_state *state)
{
    double share = fmin(1, .3 + .7 * state->stations[0].utilisation);
    watch(level, "rag", "container", "cgroup.memory_of_limit", "1", share);
    watch(level, "rag", "container", "cgroup.memory_limit_hits", "1/s", share > .96 ? 12 : 0);
}

static void throttle(struct level *level, const struct network_state *state)
{
    watch(level, "embedder", "container", "cgroup.throttled", "1",
          state->stations[0].utilisation > .9 ? .6 : .02);
}

static void limit_rate(struct level *level, const struct network_state *state)
{
    (void)state;
    if (level->throughput > 80)
        fail_some(level, "429", 1 - 80 / level->throughput);
}

static void refuse(struct level *level, const struct network_state *state)
{
    if (state->stations[0].utilisation > .97)
        fail_some(level, "503", .02);
}

static void late_generator(struct level *level, const struct network_state *state)
{
    (void)state;
    level->generator = level->users >= 100 ? 2 : 0;
    if (level->generator)
        level->throughput = fmin(level->throughput, 85);
}

/* NVML says that some kernel ran nearly always, at any load: trap T17. */
static void busy_gpu(struct level *level, const struct network_state *state)
{
    watch(level, "gpu", "gpu", "gpu.utilization", "1",
          fmin(1, .9 + state->stations[0].utilisation));
}

/* ---- the systems ----------------------------------------------------------------------------- */

#define GATEWAY                                                                                    \
    {                                                                                              \
        "gateway", "gateway", "cpu", .003, 1, "cpu.busy", NULL, NULL, .05                          \
    }
#define SECOND                                                                                     \
    {                                                                                              \
        "reranker", "reranker", "cpu", .0075, 1, "cpu.busy", NULL, NULL, .02                       \
    }

static const struct plant plants[] = {
    {"cpu",
     "cpu",
     "api",
     "reranker",
     {{"api", "service", "", .01, 1, "cpu.busy", NULL, NULL, .03}, GATEWAY, SECOND},
     NULL},
    {"embedding",
     "cpu",
     "embedding",
     "reranker",
     {{"embedding", "embedding", "", .02, 2, NULL, "process.cpu", NULL, 0}, GATEWAY, SECOND},
     NULL},
    {"gpu compute",
     "gpu-compute",
     "gpu",
     "reranker",
     {{"gpu", "gpu", "", .01, 1, "gpu.tensor_active", NULL, NULL, 0}, GATEWAY, SECOND},
     busy_gpu},
    {"gpu bandwidth",
     "gpu-bandwidth",
     "gpu",
     NULL,
     {{"gpu", "gpu", "", .01, 1, "gpu.dram_active", NULL, NULL, 0}, GATEWAY},
     busy_gpu},
    {"gpu memory",
     "gpu-memory",
     "gpu",
     NULL,
     {{"llm", "llm", "", .08, 8, NULL, NULL, NULL, 0}, GATEWAY},
     fill_gpu_memory},
    {"gpu memory for moments",
     "gpu-memory",
     "gpu",
     NULL,
     {{"llm", "llm", "", .08, 8, NULL, NULL, NULL, 0}, GATEWAY},
     fill_for_moments},
    {"pool that refuses",
     "pool",
     "rag",
     NULL,
     {{"rag", "service", "", .08, 8, NULL, NULL, NULL, 0}, GATEWAY},
     refuse_without_queue},
    {"slots that refuse",
     "slots",
     "llm",
     NULL,
     {{"llm", "llm", "", .08, 8, NULL, NULL, NULL, 0}, GATEWAY},
     refuse_sequences},
    {"slots, while weights are read",
     "slots",
     "llm",
     "gateway",
     {{"llm", "llm", "", .08, 8, NULL, "llm.running", "llm.waiting", 0}, GATEWAY},
     read_weights},
    {"kv cache",
     "kv-cache",
     "llm",
     NULL,
     {{"llm", "llm", "", .08, 8, NULL, "llm.running", NULL, 0}, GATEWAY},
     fill_cache},
    {"slots",
     "slots",
     "llm",
     "gateway",
     {{"llm", "llm", "", .08, 8, NULL, "llm.running", "llm.waiting", 0}, GATEWAY},
     free_cache},
    {"vector search",
     "memory-bandwidth",
     "vectors",
     NULL,
     {{"vectors", "vector-search", "", .01, 1, NULL, "host.memory_bandwidth", NULL, 0}, GATEWAY},
     NULL},
    {"large collection",
     "vector-search",
     "vectors",
     "reranker",
     {{"vectors", "vector-search", "", .01, 1, "search.busy", NULL, "search.queue", 0},
      GATEWAY,
      SECOND},
     NULL},
    {"database pool",
     "pool",
     "rag",
     "reranker",
     {{"rag", "service", "", .1, 10, "pool.used_share", NULL, "pool.waiting", 0}, GATEWAY, SECOND},
     refuse},
    {"serial tools",
     "tools",
     "mcp",
     "reranker",
     {{"mcp", "tools", "", .01, 1, NULL, NULL, "tools.queue", 0}, GATEWAY, SECOND},
     NULL},
    {"network",
     "network",
     "edge",
     "reranker",
     {{"edge", "gateway", "", .01, 1, "network.link_share", NULL, NULL, 0}, GATEWAY, SECOND},
     NULL},
    {"cpu quota",
     "cpu-quota",
     "embedder",
     "reranker",
     {{"embedder", "container", "", .01, 1, "cgroup.cpu_of_quota", NULL, NULL, 0}, GATEWAY, SECOND},
     throttle},
    {"memory limit",
     "memory",
     "rag",
     NULL,
     {{"rag", "container", "", .08, 8, NULL, NULL, NULL, 0}, GATEWAY},
     fill_memory},
    {"balancer",
     "balancer",
     "haproxy",
     "reranker",
     {{"haproxy", "load-balancer", "", .16, 16, NULL, "balancer.sessions", "balancer.queue", 0},
      GATEWAY,
      SECOND},
     NULL},
    {"balancer in parts",
     "balancer",
     "haproxy",
     "reranker",
     {{"haproxy", "load-balancer", "", .16, 16, NULL, NULL, NULL, 0}, GATEWAY, SECOND},
     queue_in_parts},
    {"cpu quota, then a pool",
     "cpu-quota",
     "embedder",
     "rag",
     {{"embedder", "container", "", .01, 1, "cgroup.cpu_of_quota", NULL, NULL, 0}},
     stop_and_start},
    {"rate limit", "rate-limit", "", NULL, {GATEWAY}, limit_rate},
    {"dependency",
     "dependency",
     "bank",
     "reranker",
     {{"bank", "dependency", "", .05, 5, NULL, NULL, "calls.waiting", 0}, GATEWAY, SECOND},
     NULL},
    {"generator",
     "generator",
     "generator",
     NULL,
     {{"api", "service", "", .003, 1, "cpu.busy", NULL, NULL, 0}},
     late_generator},
    {"a lock",
     "software",
     "",
     NULL,
     {{"api", "service", "", .01, 1, NULL, NULL, NULL, 0}, GATEWAY},
     NULL},
    {"a lock beside busy kernels", /* trap T17 where something does bind, and it is not the GPU */
     "software",
     "",
     NULL,
     {{"api", "service", "", .01, 1, NULL, NULL, NULL, 0}, GATEWAY},
     busy_gpu},
};

static const struct plant healthy[] = {
    {"a count that is called busy", /* scraped by its own name: 2 of 64 at work are no share */
     NULL,
     NULL,
     NULL,
     {{"api", "service", "", .02, 64, NULL, "workers_busy", NULL, 0}, GATEWAY},
     NULL},
    {"idle",
     NULL,
     NULL,
     NULL,
     {{"api", "service", "", .002, 1, "cpu.busy", NULL, NULL, .05}},
     NULL},
    {"many servers",
     NULL,
     NULL,
     NULL,
     {{"llm", "llm", "", .2, 96, NULL, "llm.running", "llm.waiting", 0}, GATEWAY},
     free_cache},
    {"busy kernels",
     NULL,
     NULL,
     NULL,
     {{"gpu", "gpu", "", .002, 1, NULL, NULL, NULL, 0}, GATEWAY},
     busy_gpu},
};

/* The load at which the planted one binds: where the asymptotes meet. */
static double knee_of(const struct plant *plant)
{
    struct station stations[STATIONS];
    struct network network = {.stations = stations, .think_s = think_s};
    struct network_bounds bounds;
    for (; network.count < STATIONS && plant->parts[network.count].thing; network.count++)
        stations[network.count] =
            (struct station){.visits = 1,
                             .service_s = plant->parts[network.count].demand_s,
                             .servers = plant->parts[network.count].servers};
    mva_bounds(&network, 100, &bounds);
    return bounds.knee;
}

static size_t level_index(double load)
{
    size_t index = 0;
    while (index + 1 < LOADS && loads[index + 1] <= load + .5)
        index++;
    return index;
}

static const struct bottleneck *named(const struct analysis *found, size_t index)
{
    return index < found->primary_count ? &found->primary[index]
                                        : &found->secondary[index - found->primary_count];
}

static void tell(const struct analysis *found)
{
    for (size_t i = 0; i < found->primary_count + found->secondary_count; i++) {
        const struct bottleneck *one = named(found, i);
        print_message("  %s %s (%s) at %g, score %g, ceiling %g\n",
                      i < found->primary_count ? "primary" : "secondary", one->name, one->kind,
                      one->load, one->score, one->ceiling);
        for (size_t k = 0; k < one->evidence_count; k++)
            print_message("     %s: %s\n", evidence_words(one->evidence[k].kind),
                          one->evidence[k].words);
    }
}

/* Whether nothing is named twice, nor a memory that throughput shows not to be full. */
static bool is_sparing(const struct plant *plant, const struct analysis *found)
{
    for (size_t i = 0; i < found->primary_count + found->secondary_count; i++) {
        const struct bottleneck *one = named(found, i);
        if (plant->twist == read_weights && strcmp(one->kind, "gpu-bandwidth") == 0)
            return false;
        for (size_t k = 0; k < i; k++)
            if (strcmp(one->kind, named(found, k)->kind) == 0 &&
                strcmp(one->thing, named(found, k)->thing) == 0)
                return false;
    }
    return true;
}

/* Whether the answer is right. */
static bool is_right(const struct plant *plant, const struct analysis *found)
{
    if (!plant->kind)
        return found->none_observed && found->primary_count == 0;
    if (found->primary_count == 0)
        return false;
    const struct bottleneck *one = &found->primary[0];
    double knee = strcmp(plant->name, "generator") == 0    ? 100
                  : strcmp(plant->name, "rate limit") == 0 ? 82
                                                           : knee_of(plant);
    long away = (long)level_index(one->load) - (long)level_index(knee);
    bool second = !plant->second ||
                  (found->secondary_count && strcmp(found->secondary[0].thing, plant->second) == 0);
    return strcmp(one->kind, plant->kind) == 0 && strcmp(one->thing, plant->thing) == 0 &&
           labs(away) <= 1 && second && is_sparing(plant, found);
}

static unsigned check(const struct plant *rows, size_t count)
{
    struct catalogue *catalogue = catalogue_default();
    unsigned wrong = 0;
    for (size_t i = 0; i < count; i++)
        for (uint64_t seed = 1; seed <= SEEDS; seed++) {
            struct suite *suite = measure(&rows[i], seed);
            struct curve_wish wish = curve_wish_of(suite);
            struct analysis *found = analysis_new(suite, &wish, catalogue);
            if (!is_right(&rows[i], found)) {
                print_message("%s, seed %d: wrong\n", rows[i].name, (int)seed);
                tell(found);
                wrong++;
            }
            analysis_free(found);
            suite_free(suite);
        }
    catalogue_free(catalogue);
    return wrong;
}

static void planted_bottlenecks_are_named(void **state)
{
    (void)state;
    assert_int_equal(check(plants, sizeof plants / sizeof *plants), 0);
}

static void healthy_systems_have_none(void **state)
{
    (void)state;
    assert_int_equal(check(healthy, sizeof healthy / sizeof *healthy), 0);
}

/* What is scraped by its own name has no unit: it is told by the end of its name. */
static void series_are_known_by_their_names(void **state)
{
    (void)state;
    assert_int_equal(indicator_find("testbed_tools_waiting", "1")->use, USE_QUEUE);
    assert_int_equal(indicator_find("testbed_station_queue_length", "1")->use, USE_QUEUE);
    assert_int_equal(indicator_find("jobs.queue", "requests")->use, USE_QUEUE);
    assert_int_equal(indicator_find("arena_usage", "1")->use, USE_LEVEL);
    assert_null(indicator_find("arena_usage", "bytes"));
    assert_null(indicator_find("arena_size", "1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(planted_bottlenecks_are_named),
                                       cmocka_unit_test(healthy_systems_have_none),
                                       cmocka_unit_test(series_are_known_by_their_names)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
