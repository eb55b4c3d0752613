/* The configurations: what is scarce, how it is watched, and what must be found.
 *
 * Where nothing else is said a user thinks for a second (exponential), and the scarce resource
 * allows about 100 requests a second, so that it binds at about 100 users. */
#include "planted/planted.h"

#include <stddef.h>

#define LOADS                                                                                      \
    {                                                                                              \
        10, 20, 40, 60, 80, 100, 120, 140, 160, 200                                                \
    }
#define MORE_LOADS                                                                                 \
    {                                                                                              \
        20, 40, 60, 80, 100, 120, 140, 160, 180, 220                                               \
    }
#define FEW_LOADS                                                                                  \
    {                                                                                              \
        5, 10, 15, 20, 25, 30, 40, 50                                                              \
    }

#define WATCH(preset, name, role)                                                                  \
    "{prometheus: {url: /metrics, preset: " preset "}, name: " name ", role: " role "}"
#define WATCH_SERIES(series, name, role)                                                           \
    "{prometheus: {url: /metrics, preset: none, series: [" series "]}, name: " name                \
    ", role: " role "}"
#define WATCH_LLM "[" WATCH("vllm", "llm", "llm") ", " WATCH("dcgm", "gpu", "gpu") "]"

#define WORDS_20                                                                                   \
    "one two three four five six seven eight nine ten one two three four five six "                \
    "seven eight nine ten "
#define CHAT(words)                                                                                \
    "[{name: chat, openai.chat: {model: m, messages: [{role: user, content: \"" words "\"}]}}]"
#define WORK      "[{name: work, get: /work}]"
#define QUERY     "[{name: query, post: {url: /db/query, json: {q: 1}}}]"
#define EMBED     "{url: /v1/embeddings, json: {input: \"a ship sits on its line\"}}"
#define EMBEDDING "[{name: embed, post: " EMBED "}]"
#define SEARCH                                                                                     \
    "[{name: search, post: {url: /collections/default/points/query, json: {query: 5, limit: 1}}}]"
#define TOOL                                                                                       \
    "[{name: tool, post: {url: /tools/execute, json: {tool: echo, args: {message: hello}}}}]"

const struct planted planted_rows[] = {
    /* ---- the model server and its GPU ---- */
    {.name = "GPU memory",
     .testbed = "--law batching --slots 256 --step-base-ms 5 --step-per-sequence-ms 0.02 "
                "--tokens 40 --prefill-rate 1e6 --gpu-fails --gpu-memory 10GiB --gpu-weights 8GiB "
                "--gpu-kv-token 700KiB",
     .tasks = CHAT(WORDS_20 WORDS_20 WORDS_20 WORDS_20),
     .watch = "[" WATCH("dcgm", "gpu", "gpu") "]",
     .levels = MORE_LOADS,
     .think_s = 1,
     .slo_s = 0.5,
     .kind = "gpu-memory",
     .thing = "gpu",
     .expected = "gpu-memory-exhaustion",
     .room = 21, /* 2 GiB / 700 KiB / 140 tokens */
     .response_s = 0.22},
    {.name = "GPU compute",
     .testbed = "--law batching --slots 256 --step-base-ms 0.1 --step-per-sequence-ms 0.1 "
                "--tokens 2 --prefill-rate 8000",
     .tasks = CHAT(WORDS_20 WORDS_20 WORDS_20 WORDS_20),
     .watch = WATCH_LLM,
     .levels = LOADS,
     .think_s = 1,
     .slo_s = 0.5,
     .kind = "gpu-compute",
     .thing = "gpu",
     .capacity_rps = 1 / 0.0128,
     .response_s = 0.013},
    {.name = "KV cache",
     .testbed = "--law batching --slots 256 --step-base-ms 5 --step-per-sequence-ms 0.02 "
                "--tokens 40 --kv-full preempt --kv-tokens 1200 --prefill-rate 100000",
     .tasks = CHAT(WORDS_20),
     .watch = WATCH_LLM,
     .levels = MORE_LOADS,
     .think_s = 1,
     .slo_s = 0.5,
     .kind = "kv-cache",
     .thing = "llm",
     .expected = "gpu-memory-exhaustion",
     .capacity_rps = 1200 / (25 + 40 / 2.) / 0.22,
     .response_s = 0.21},
    {.name = "slots",
     .testbed = "--law batching --slots 8 --step-base-ms 5 --step-per-sequence-ms 1 --tokens 8",
     .tasks = CHAT("hello"),
     .watch = WATCH_LLM,
     .levels = LOADS,
     .think_s = 1,
     .slo_s = 0.5,
     .kind = "slots",
     .thing = "llm",
     .expected = "kv-or-slots",
     .capacity_rps = 8 / (8 * .013),
     .response_s = 8 * .006},

    /* ---- embedding and vector search ---- */
    {.name = "embedding on the processor",
     .testbed = "--embed-token-ms 4 --compute-threads 2 --dimensions 16",
     .tasks = EMBEDDING,
     .watch = "[" WATCH("application", "embedding", "embedding") "]",
     .levels = LOADS,
     .think_s = 1,
     .slo_s = 0.5,
     .kind = "cpu",
     .thing = "embedding",
     .expected = "embedding-cpu",
     .capacity_rps = 2 / 0.024,
     .response_s = 0.024},
    {.name = "vector search, bandwidth",
     .testbed = "--vectors 500 --dimensions 16 --vectors-at-start --compute-threads 64 "
                "--search-rate 0.8e6 --memory-bandwidth 3200000",
     .tasks = SEARCH,
     .watch = "[" WATCH("application", "vectors", "vector-search") ", " WATCH("pcm", "vectors",
                                                                              "vector-search") "]",
     .levels = LOADS,
     .think_s = 1,
     .slo_s = 0.5,
     .kind = "memory-bandwidth",
     .thing = "vectors",
     .expected = "large-collection",
     .capacity_rps = 100,
     .response_s = 0.04},
    {.name = "large collection",
     .testbed = "--vectors 500 --dimensions 16 --vectors-at-start --compute-threads 1 "
                "--search-rate 3.2e6",
     .tasks = SEARCH,
     .watch = "[" WATCH("application", "vectors", "vector-search") "]",
     .levels = LOADS,
     .think_s = 1,
     .slo_s = 0.5,
     .kind = "cpu",
     .thing = "vectors",
     .expected = "large-collection",
     .capacity_rps = 100,
     .response_s = 0.01},

    /* ---- what services hold in common ---- */
    {.name = "database pool",
     .testbed = "--db-pool 10 --db-ms 100",
     .tasks = QUERY,
     .watch = "[" WATCH("application", "rag", "service") "]",
     .levels = LOADS,
     .think_s = 1,
     .slo_s = 0.5,
     .kind = "pool",
     .thing = "rag",
     .expected = "connection-pool",
     .capacity_rps = 100,
     .response_s = 0.1},
    {.name = "database pool, of strangers",
     .testbed = "--db-pool 10 --db-ms 100",
     .tasks = QUERY,
     .watch = "[" WATCH("application", "rag", "service") "]",
     .levels = {20, 40, 55, 70, 80, 90, 100, 110, 120},
     .open = true,
     .slo_s = 0.5,
     .kind = "pool",
     .thing = "rag",
     .expected = "connection-pool",
     .capacity_rps = 100},
    {.name = "database pool that refuses",
     .testbed = "--db-pool 10 --db-ms 100 --db-refuse",
     .tasks = QUERY,
     .watch = "[" WATCH("application", "rag", "service") "]",
     .levels = LOADS,
     .think_s = 1,
     .slo_s = 1,
     .kind = "pool",
     .thing = "rag",
     .expected = "connection-pool",
     .room = 10,
     .response_s = 0.1},
    {.name = "tools one after another",
     .testbed = "--tool-limit 1 --tool-ms 10",
     .tasks = TOOL,
     .watch = "[" WATCH_SERIES("testbed_tools_waiting", "mcp", "tools") "]",
     .levels = LOADS,
     .think_s = 1,
     .slo_s = 0.5,
     .kind = "tools",
     .thing = "mcp",
     .expected = "serial-tools",
     .capacity_rps = 100,
     .response_s = 0.01},
    {.name = "slow dependency",
     .testbed = "--law fixed --service-ms 5 --upstream-ms 100 --upstream-servers 10",
     .tasks = WORK,
     .watch = "[" WATCH("application", "api", "service") ", " WATCH_SERIES(
         "testbed_station_queue_length, testbed_station_busy", "bank", "dependency") "]",
     .levels = LOADS,
     .think_s = 1,
     .slo_s = 0.5,
     .kind = "dependency",
     .thing = "bank",
     .capacity_rps = 100,
     .response_s = 0.105},

    /* ---- limits of the machine and around it ---- */
    {.name = "network",
     .testbed = "--link-speed 500000",
     .link_bytes_per_second = 5e5,
     .tasks = "[{name: page, get: /bytes/5000}]",
     .watch = "[" WATCH("node_exporter", "edge", "gateway") "]",
     .levels = LOADS,
     .think_s = 1,
     .slo_s = 0.5,
     .kind = "network",
     .thing = "edge",
     .expected = "network",
     .capacity_rps = (5e5 - 25e3) / 5150, /* less what the watch fetches */
     .response_s = 0.01},
    {.name = "CPU quota",
     .testbed = "--embed-token-ms 2.5 --compute-threads 8 --cpu-quota 1.5 --dimensions 16",
     .tasks = EMBEDDING,
     .watch = "[" WATCH("cadvisor", "embedder", "container") "]",
     .levels = LOADS,
     .think_s = 1,
     .slo_s = 0.5,
     .kind = "cpu-quota",
     .thing = "embedder",
     .expected = "cpu",
     .capacity_rps = 100,
     .response_s = 0.015},
    {.name = "memory limit",
     .testbed = "--law exponential --service-ms 200 --memory-limit 1000MiB --memory-base 200MiB "
                "--memory-request 32MiB",
     .tasks = WORK,
     .watch = "[" WATCH("cadvisor", "rag", "container") "]",
     .levels = MORE_LOADS,
     .think_s = 1,
     .slo_s = 1,
     .kind = "memory",
     .thing = "rag",
     .expected = "memory",
     .room = 25,
     .response_s = 0.2},
    {.name = "maxconn of the balancer",
     .testbed = "--law exponential --service-ms 100 --maxconn 10",
     .tasks = WORK,
     .watch = "[" WATCH("haproxy", "haproxy", "load-balancer") "]",
     .levels = LOADS,
     .think_s = 1,
     .slo_s = 0.5,
     .kind = "balancer",
     .thing = "haproxy",
     .capacity_rps = 100,
     .response_s = 0.1},
    {.name = "rate limit",
     .testbed = "--law fixed --service-ms 20 --rate-limit 80",
     .tasks = WORK,
     .watch = "[" WATCH("application", "api", "service") "]",
     .levels = LOADS,
     .think_s = 1,
     .slo_s = 0.5,
     .kind = "rate-limit",
     .thing = "",
     .expected = "rate-limit",
     .capacity_rps = 80,
     .response_s = 0.02},
    {.name = "the generator itself",
     .testbed = "--law fixed --service-ms 5",
     .client_ns = 5 * NSEC_PER_MSEC,
     .tasks = WORK,
     .watch = "[" WATCH("application", "api", "service") "]",
     .levels = LOADS,
     .think_s = 1,
     .slo_s = 0.5,
     .kind = "generator",
     .thing = "generator",
     .capacity_rps = 99,
     .response_s = 0.015},

    /* ---- with a second one behind the first ---- */
    {.name = "pool, then CPU quota",
     .testbed = "--db-pool 8 --db-ms 100 --vectors 100 --dimensions 16 --vectors-at-start "
                "--embed-token-ms 2 --compute-threads 4 --cpu-quota 1 --search-rate 1e9",
     .tasks = "[{name: ask, post: {url: /query, json: {query: \"where is the line\"}}}]",
     .watch =
         "[" WATCH("application", "rag", "service") ", " WATCH("cadvisor", "rag", "container") "]",
     .levels = LOADS,
     .think_s = 1,
     .slo_s = 0.5,
     .kind = "pool",
     .thing = "rag",
     .second_kind = "cpu-quota",
     .second_thing = "rag",
     .capacity_rps = 80,
     .response_s = 0.108},
    {.name = "CPU quota, then pool",
     .testbed = "--db-pool 12 --db-ms 100 --embed-token-ms 2 --compute-threads 4 --cpu-quota 1 "
                "--dimensions 16",
     .tasks = "[{name: both, steps: [{name: embed, post: " EMBED "}, "
              "{name: query, post: {url: /db/query, json: {q: 1}}}]}]",
     .watch = "[" WATCH("application", "rag", "service") ", " WATCH("cadvisor", "embedder",
                                                                    "container") "]",
     .levels = LOADS,
     .think_s = 1,
     .slo_s = 0.5,
     .kind = "cpu-quota",
     .thing = "embedder",
     .second_kind = "pool",
     .second_thing = "rag",
     .capacity_rps = 2 * 83.3,
     .response_s = 0.112,
     .round = 2},
    {.name = "pool, then network",
     .testbed = "--db-pool 8 --db-ms 100 --link-speed 600000",
     .link_bytes_per_second = 6e5,
     .tasks = "[{name: both, steps: [{name: page, get: /bytes/5000}, "
              "{name: query, post: {url: /db/query, json: {q: 1}}}]}]",
     .watch = "[" WATCH("application", "rag", "service") ", " WATCH("node_exporter", "edge",
                                                                    "gateway") "]",
     .levels = LOADS,
     .think_s = 1,
     .slo_s = 0.5,
     .kind = "pool",
     .thing = "rag",
     .second_kind = "network",
     .second_thing = "edge",
     .capacity_rps = 2 * 80,
     .response_s = 0.11,
     .round = 2},

    {.name = "slots, then CPU quota",
     .testbed = "--law batching --slots 8 --step-base-ms 5 --step-per-sequence-ms 1 --tokens 8 "
                "--embed-token-ms 1.5 --compute-threads 4 --cpu-quota 1 --dimensions 16",
     .tasks = "[{name: both, steps: [{name: embed, post: " EMBED "}, {name: chat, openai.chat: "
              "{model: m, messages: [{role: user, content: hello}]}}]}]",
     .watch = "[" WATCH("vllm", "llm", "llm") ", " WATCH("cadvisor", "embedder", "container") "]",
     .levels = LOADS,
     .think_s = 1,
     .slo_s = 0.5,
     .kind = "slots",
     .thing = "llm",
     .second_kind = "cpu-quota",
     .second_thing = "embedder",
     .capacity_rps = 2 * 8 / (8 * .013),
     .response_s = 8 * .006 + 0.009,
     .round = 2},

    /* ---- nothing: the load stays below every limit ---- */
    {.name = "healthy model server",
     .testbed = "--law batching --slots 64 --step-base-ms 5 --step-per-sequence-ms 0.1 --tokens 16 "
                "--kv-tokens 20000",
     .tasks = CHAT("hello"),
     .watch = WATCH_LLM,
     .levels = FEW_LOADS,
     .think_s = 1,
     .slo_s = 0.5},
    {.name = "healthy database",
     .testbed = "--db-pool 40 --db-ms 20 --error-rate 0.2%",
     .tasks = QUERY,
     .watch = "[" WATCH("application", "rag", "service") "]",
     .levels = FEW_LOADS,
     .think_s = 1,
     .slo_s = 0.5},
    {.name = "healthy embedder",
     .testbed = "--embed-token-ms 2.5 --compute-threads 8 --cpu-quota 4 --dimensions 16 "
                "--memory-limit 1000MiB --memory-base 970MiB",
     .tasks = EMBEDDING,
     .watch = "[" WATCH("cadvisor", "embedder", "container") ", " WATCH("application", "embedder",
                                                                        "embedding") "]",
     .levels = FEW_LOADS,
     .think_s = 1,
     .slo_s = 0.5},
    {.name = NULL},
};
