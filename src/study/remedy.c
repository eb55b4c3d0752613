/* The table. Impacts are what others measured, on their machines: they say what to expect, and are
 * never added to a forecast. `plimsoll experiment` tells whether the effect came. */
#include "study/remedy.h"

#include "base/memory.h"
#include "base/unit.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define TABLE_DATE "2026-11"
#define PLATFORM   "operators of an on-premises RAG platform, 2025"

struct row {
    const char *id;
    enum remedy_group group;
    const char *kinds, *action, *impact, *tradeoff, *source;
};

static const struct row table[] = {
    {"slots", REMEDY_CONFIGURATION, "slots queue",
     "Raise the parallel slots of {thing} to {factor} (OLLAMA_NUM_PARALLEL, --parallel)",
     "4 times lower latency at 50 users with 8 slots",
     "KV memory for each slot; slower tokens for each answer",
     "operators of an Ollama platform on 10 L4, 2025"},
    {"pool-size", REMEDY_CONFIGURATION, "pool database",
     "Increase the connection pool of {thing} to {factor}",
     "30 to 50 instead of 10 connections carried 50 and more users",
     "memory and locks at the server of the pool", PLATFORM},
    {"pre-ping", REMEDY_CONFIGURATION, "pool database",
     "Check pooled connections before use (pool_pre_ping)",
     "no failures by connections that died idle", "one round trip at each checkout",
     "SQLAlchemy 2.0 documentation, connection pooling"},
    {"models-on-demand", REMEDY_CONFIGURATION, "gpu-memory kv-cache",
     "Load the models of {thing} that are rarely used on demand only",
     "2 GB of GPU memory and 50 more users, by one model of 7 billion parameters",
     "the first request after a pause waits for the model", PLATFORM},
    {"batching", REMEDY_CONFIGURATION, "gpu-compute gpu-bandwidth queue",
     "Batch requests at {thing}", "+30 % throughput", "+20 % latency", PLATFORM},
    {"context-length", REMEDY_CONFIGURATION, "kv-cache",
     "Limit the context length that {thing} reserves to what requests use",
     "sequences held at once grow as the context shrinks", "longer prompts are refused or cut",
     "Kwon et al., PagedAttention (SOSP 2023)"},
    {"cpu-quota", REMEDY_CONFIGURATION, "cpu-quota", "Raise the CPU quota of {thing} to {factor}",
     "throttling ends; the next bound is the machine", "what it takes, its neighbours miss",
     "Linux kernel documentation, cgroup v2, cpu.max"},
    {"rate-limit", REMEDY_CONFIGURATION, "rate-limit",
     "Raise the rate limit of {thing} to {factor}", "refusals end",
     "what it protected is exposed: test again", "the limit is a setting"},
    {"balancer-limit", REMEDY_CONFIGURATION, "balancer accept-queue",
     "Raise the connection limits of {thing} to {factor} (maxconn, backlog)",
     "waiting moves to where work is done", "file handles and memory of the balancer",
     "HAProxy 2.6 documentation, maxconn"},
    {"worker-count", REMEDY_CONFIGURATION, "software",
     "Look for a fixed limit in {thing} (workers, semaphore, lock) and raise it",
     "in-flight requests rise above the old round number", "memory of each worker",
     "Gregg, Systems Performance (2020), 2.5"},

    {"gpu-upgrade", REMEDY_VERTICAL, "gpu-memory kv-cache", "Upgrade to {gpu}",
     "cache grows by all memory that weights do not take", "price; another curve: test again",
     "data sheets of the makers"},
    {"gpu-faster", REMEDY_VERTICAL, "gpu-compute gpu-bandwidth",
     "Upgrade {thing} to a GPU of {factor} the compute and memory bandwidth",
     "decoding goes with memory bandwidth, prefill with compute",
     "price; another curve: test again",
     "Pope et al., Efficiently scaling transformer inference (2022)"},
    {"ram", REMEDY_VERTICAL, "memory", "Increase RAM {ram}", "no reclaim, no OOM kill",
     "a restart; a leak would only be put off", "Linux kernel documentation, PSI"},
    {"nvme", REMEDY_VERTICAL, "disk", "Upgrade to faster NVMe storage ({factor} the measured rate)",
     "await falls where the device is the queue", "data has to move",
     "Gregg, Systems Performance (2020), 9"},
    {"cores", REMEDY_VERTICAL, "cpu", "Give {thing} {factor} the cores",
     "its ceiling rises with the cores as long as work is parallel",
     "one hot thread gains nothing: look at cores one by one",
     "utilisation law, Denning & Buzen (1978)"},
    {"link", REMEDY_VERTICAL, "network", "Raise the bandwidth of {thing} to {factor}",
     "its ceiling rises likewise", "the next device on the way may bind", "utilisation law"},
    {"vector-memory", REMEDY_VERTICAL, "vector-search",
     "Give {thing} {factor} the memory bandwidth, and RAM for the whole collection",
     "searches scan memory, not disk", "price", "Qdrant documentation, storage"},

    {"replicas", REMEDY_HORIZONTAL, "cpu cpu-quota tools queue slots memory",
     "Deploy {replicas} {thing} instances", "as far as replicas share nothing",
     "a balancer; shared dependencies get the whole load", "USL, Gunther (2007)"},
    {"gpu-cluster", REMEDY_HORIZONTAL, "gpu-memory gpu-compute gpu-bandwidth kv-cache",
     "Implement GPU cluster with {replicas} GPUs", "as far as replicas share nothing",
     "price; a balancer that knows queues", "USL, Gunther (2007)"},
    {"cache", REMEDY_HORIZONTAL, "vector-search database dependency tools",
     "Add Redis cluster for caching", "load falls by the share of hits: measure it first",
     "stale answers; invalidation", "hit share is yours to measure"},
    {"read-replicas", REMEDY_HORIZONTAL, "database pool", "Implement database read replicas",
     "reads divide, writes do not", "replicas lag behind", "PostgreSQL 15 documentation, 27"},
    {"vector-shards", REMEDY_HORIZONTAL, "vector-search",
     "Shard the collection of {thing} over {replicas} nodes", "a search reads its part only",
     "the slowest node decides the tail", "Dean & Barroso, The tail at scale (2013)"},

    {"model-sharding", REMEDY_ARCHITECTURE, "gpu-memory kv-cache",
     "Implement model sharding across GPUs", "weights divide; cache grows by more than that",
     "traffic between GPUs in each layer", "Shoeybi et al., Megatron-LM (2019)"},
    {"vllm", REMEDY_ARCHITECTURE, "kv-cache slots gpu-compute gpu-bandwidth queue",
     "Serve the model of {thing} with continuous batching and paged KV cache (vLLM)",
     "2 to 4 times the throughput of static batching at equal latency",
     "another server to run; preemption when the cache is full",
     "Kwon et al., PagedAttention (SOSP 2023)"},
    {"pooler", REMEDY_ARCHITECTURE, "pool database",
     "Add connection pooling optimization (a pooler before the database)",
     "many clients share few connections", "no session state between transactions",
     "PgBouncer documentation, pool_mode"},
    {"async", REMEDY_ARCHITECTURE, "tools queue dependency cpu embedding software",
     "Implement async processing queues", "bursts wait without holding connections",
     "answers come later; the mean load must still be carried",
     "Little's law: a queue adds no capacity"},
    {"tool-concurrency", REMEDY_ARCHITECTURE, "tools",
     "Execute tools of {thing} concurrently, those that are independent in one step",
     "a serial section of n calls becomes the slowest of them", "order and locks of the tools",
     "Amdahl (1967)"},
    {"bulkhead", REMEDY_ARCHITECTURE, "dependency rate-limit",
     "Put a time limit and a bulkhead before {thing}", "what does not need it stays fast",
     "refusals instead of waiting", "Nygard, Release It! (2018)"},
    {"serial", REMEDY_ARCHITECTURE, "software",
     "Shorten or divide the serial section of {thing}: replicas do not help a shared lock",
     "contention alpha falls", "work on the program", "Amdahl (1967)"},
};

/* clang-format off */
static const struct remedy_gpu gpus[] = {
    {"RTX 3060", 12, 360, "2021-02"}, /* breach: a fact of a data sheet, of no deployment */
    {"L4", 24, 300, "2023-03"},
    {"A10", 24, 600, "2021-04"},
    {"RTX 3090", 24, 936, "2020-09"}, /* breach: a fact of a data sheet, of no deployment */
    {"RTX 4090", 24, 1008, "2022-10"}, /* breach: a fact of a data sheet, of no deployment */
    {"RTX 5090", 32, 1792, "2025-01"}, /* breach: a fact of a data sheet, of no deployment */
    {"A100 40GB", 40, 1555, "2020-05"},
    {"L40S", 48, 864, "2023-08"},
    {"RTX 6000 Ada", 48, 960, "2022-12"}, /* breach: a fact of a data sheet, of no deployment */
    {"A100 80GB", 80, 2039, "2020-11"},
    {"H100 SXM", 80, 3350, "2022-03"},
    {"H200 SXM", 141, 4800, "2023-11"},
};
/* clang-format on */

const char *remedy_group_words(enum remedy_group group)
{
    static const char *const words[REMEDY_GROUPS] = {"configuration", "vertical", "horizontal",
                                                     "architecture"};
    return words[group];
}

struct remedies *remedies_default(void)
{
    struct remedies *all = memory_new(1, sizeof *all);
    all->count = sizeof table / sizeof *table;
    all->rows = memory_new(all->count, sizeof *all->rows);
    for (size_t i = 0; i < all->count; i++)
        all->rows[i] = (struct remedy){.id = memory_copy_text(table[i].id),
                                       .group = table[i].group,
                                       .kinds = memory_copy_text(table[i].kinds),
                                       .role = memory_copy_text(""),
                                       .action = memory_copy_text(table[i].action),
                                       .impact = memory_copy_text(table[i].impact),
                                       .tradeoff = memory_copy_text(table[i].tradeoff),
                                       .source = memory_copy_text(table[i].source),
                                       .date = memory_copy_text(TABLE_DATE)};
    return all;
}

struct remedies *remedies_free(struct remedies *remedies)
{
    for (size_t i = 0; remedies && i < remedies->count; i++) {
        struct remedy *row = &remedies->rows[i];
        char *const words[] = {row->id,     row->kinds,    row->role,   row->action,
                               row->impact, row->tradeoff, row->source, row->date};
        for (size_t j = 0; j < sizeof words / sizeof *words; j++)
            free(words[j]);
    }
    if (remedies)
        free(remedies->rows);
    free(remedies);
    return NULL;
}

static bool has_word(const char *words, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = words; length && (at = strstr(at, word)) != NULL; at++)
        if ((at == words || at[-1] == ' ') && (at[length] == ' ' || !at[length]))
            return true;
    return false;
}

bool remedy_fits(const struct remedy *remedy, const char *kind, const char *thing, const char *role)
{
    bool here = !*remedy->role || strcmp(remedy->role, thing) == 0 || has_word(role, remedy->role);
    return here && (strcmp(remedy->kinds, "any") == 0 || has_word(remedy->kinds, kind));
}

const struct remedy_gpu *remedy_gpus(size_t *count)
{
    *count = sizeof gpus / sizeof *gpus;
    return gpus;
}

const struct remedy_gpu *remedy_gpu_with(double memory_gb, double bandwidth_gb_s)
{
    for (size_t i = 0; i < sizeof gpus / sizeof *gpus; i++)
        if (gpus[i].memory_gb >= memory_gb && gpus[i].bandwidth_gb_s >= bandwidth_gb_s)
            return &gpus[i];
    return NULL;
}

/* The name as both may write it. */
static void squeeze(const char *name, char out[40])
{
    size_t length = 0;
    if (strncasecmp(name, "nvidia ", 7) == 0)
        name += 7;
    if (strncasecmp(name, "geforce ", 8) == 0)
        name += 8;
    for (; *name && length < 39; name++)
        if (isalnum((unsigned char)*name))
            out[length++] = (char)tolower((unsigned char)*name);
    out[length] = '\0';
}

const struct remedy_gpu *remedy_gpu_named(const char *name)
{
    char wanted[40], own[40];
    squeeze(name, wanted);
    for (size_t i = 0; i < sizeof gpus / sizeof *gpus; i++) {
        squeeze(gpus[i].name, own);
        if (strcmp(own, wanted) == 0)
            return &gpus[i];
    }
    return NULL;
}

double prices_of(const struct prices *prices, const char *thing, const char *role)
{
    double other = NAN;
    for (size_t i = 0; i < prices->count; i++) {
        const char *name = prices->rows[i].name;
        if (strcmp(name, thing) == 0 || has_word(role, name))
            return prices->rows[i].hour;
        if (strcmp(name, "*") == 0)
            other = prices->rows[i].hour;
    }
    return other;
}

void prices_fini(struct prices *prices)
{
    for (size_t i = 0; i < prices->count; i++)
        free(prices->rows[i].name);
    free(prices->rows);
    free(prices->date);
    free(prices->currency);
    memset(prices, 0, sizeof *prices);
}
