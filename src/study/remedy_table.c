/* The tables. An impact is a range that its source gives, and what it was measured against; where
 * no source has a number that would hold elsewhere, the row says how to measure it. Impacts never
 * enter a forecast: `plimsoll experiment` tells whether the effect came. */
#include "study/remedy_part.h"

#define MEASURE   "measure it with plimsoll experiment"
#define VLLM      "vLLM, Optimization and Tuning"
#define VLLM_AT   "https://docs.vllm.ai/en/stable/configuration/optimization/"
#define PAGED     "Kwon et al., PagedAttention (SOSP 2023)"
#define PAGED_AT  "https://arxiv.org/abs/2309.06180"
#define POOLS     "SQLAlchemy, Connection Pooling"
#define POOLS_AT  "https://docs.sqlalchemy.org/en/20/core/pooling.html"
#define QUOTA     "Linux kernel documentation, CFS Bandwidth Control"
#define QUOTA_AT  "https://www.kernel.org/doc/Documentation/scheduler/sched-bwc.txt"
#define PSI       "Linux kernel documentation, Pressure Stall Information"
#define PSI_AT    "https://docs.kernel.org/accounting/psi.html"
#define LAW       "Gunther, A General Theory of Computational Scalability (2008)"
#define LAW_AT    "https://arxiv.org/abs/0808.1431"
#define QDRANT    "Qdrant, Optimize Performance"
#define QDRANT_AT "https://qdrant.tech/documentation/guides/optimize/"
#define HAPROXY   "HAProxy, Protect Servers with Connection Limits and Queues"
#define HAPROXY_AT                                                                                 \
    "https://www.haproxy.com/blog/protect-servers-with-haproxy-connection-limits-and-queues"
#define GREGG  "Gregg, Systems Performance, 2nd edition (2020)"
#define DEMAND "Denning & Buzen, The Operational Analysis of Queueing Network Models (1978)"
#define SLOTS                                                                                      \
    "our runs of llama.cpp, 16 at once on two processors, 2026-11; slots share the context: "      \
    "Multigrid (2026)"
#define SLOTS_AT "https://dev.to/multigrid/ollamas-numparallel-setting-for-concurrent-requests-386l"

/* clang-format off */
const struct remedy_row remedy_table[] = {
    {"slots", REMEDY_CONFIGURATION, "slots queue",
     "Raise the parallel slots of {thing} to {factor} (OLLAMA_NUM_PARALLEL, --parallel, "
     "--max-num-seqs)",
     "2.3 to 2.7 times the tokens a second from 1 slot to 8, each token twice as slow; on other "
     "hardware " MEASURE,
     "KV memory goes with slots times context length; slower tokens for each answer",
     SLOTS, SLOTS_AT},
    {"pool-size", REMEDY_CONFIGURATION, "pool database",
     "Increase the connection pool of {thing} to {factor}",
     "as many queries at once as connections, up to the server's own limit (a default pool has 5, "
     "and 10 more in overflow); " MEASURE,
     "each connection is memory, and a process, of the database", POOLS, POOLS_AT},
    {"pre-ping", REMEDY_CONFIGURATION, "pool database",
     "Check pooled connections before use (pool_pre_ping)",
     "no failures by connections that died idle; no throughput", "one test at each checkout",
     POOLS, POOLS_AT},
    {"models-on-demand", REMEDY_CONFIGURATION, "gpu-memory kv-cache",
     "Load the models of {thing} that are rarely used on demand only",
     "the memory of the models that are unloaded (the server tells: ollama ps); " MEASURE,
     "the first request after a pause waits for the model", "Ollama 0.2.0, release notes (2024)",
     "https://newreleases.io/project/artifacthub/helm/ollama-helm/ollama/release/0.2.0"},
    {"batching", REMEDY_CONFIGURATION, "gpu-compute gpu-bandwidth decode queue",
     "Batch requests for {thing}",
     MEASURE " (operators of one platform hoped for +30 % throughput at +20 % latency; nobody "
     "measured it)",
     "each answer takes longer: a step serves more sequences", PAGED, PAGED_AT},
    {"context-length", REMEDY_CONFIGURATION, "kv-cache",
     "Limit the context length that {thing} reserves to what requests use",
     "sequences held at once grow as the context that is reserved for each shrinks; " MEASURE,
     "longer prompts are refused or cut", PAGED, PAGED_AT},
    {"kv-share", REMEDY_CONFIGURATION, "kv-cache",
     "Give the KV cache of {thing} more of the memory (gpu_memory_utilization), or admit fewer "
     "sequences (max_num_seqs)",
     "fewer preemptions, each of which computes a sequence again; " MEASURE,
     "less room for peaks of activations; a queue in place of preemptions", VLLM, VLLM_AT},
    {"prefill-budget", REMEDY_CONFIGURATION, "prefill",
     "Raise the tokens of one step of {thing} (max_num_batched_tokens), and shorten or share "
     "prompts (prefix caching)",
     "a shorter time to first token; above 8,192 is what the engine's makers recommend for "
     "throughput; " MEASURE,
     "a longer time between tokens: more prefill in each step", VLLM, VLLM_AT},
    {"quantize", REMEDY_CONFIGURATION, "decode gpu-bandwidth gpu-memory kv-cache",
     "Serve {thing} with quantized weights",
     "half of the bytes of 16 bits with 8, a quarter with 4, of what each token reads and memory "
     "holds: a bound, not a forecast; " MEASURE,
     "quality of answers: test it", "arithmetic of bits", ""},
    {"cpu-quota", REMEDY_CONFIGURATION, "cpu-quota", "Raise the CPU quota of {thing} to {factor}",
     "throttling ends; throughput goes with the quota until the next bound",
     "what it takes, its neighbours miss", QUOTA, QUOTA_AT},
    {"rate-limit", REMEDY_CONFIGURATION, "rate-limit",
     "Raise the rate limit of {thing} to {factor}", "refusals end up to the new limit",
     "what it protected is exposed: test again", "the limit is a setting", ""},
    {"balancer-limit", REMEDY_CONFIGURATION, "balancer accept-queue",
     "Raise the connection limits of {thing} to {factor} (maxconn, backlog)",
     "requests wait where the work is done instead of before it; " MEASURE,
     "such limits protect servers, which may carry more with them than without", HAPROXY,
     HAPROXY_AT},
    {"worker-count", REMEDY_CONFIGURATION, "software",
     "Look for a fixed limit in {thing} (workers, semaphore, lock) and raise it",
     "requests in flight rise above the old round number; " MEASURE, "memory of each worker",
     GREGG, ""},

    {"gpu-upgrade", REMEDY_VERTICAL, "gpu-memory kv-cache", "Upgrade to {gpu}",
     "the cache grows by all of the memory that weights do not take; " MEASURE,
     "price; another curve: test again", "data sheets: plimsoll list gpus", ""},
    {"gpu-faster", REMEDY_VERTICAL, "gpu-compute gpu-bandwidth decode prefill",
     "Upgrade {thing} to a GPU of {factor} the compute and memory bandwidth",
     "decoding goes with memory bandwidth at most, prefill with compute; " MEASURE,
     "price; another curve: test again", VLLM, VLLM_AT},
    {"ram", REMEDY_VERTICAL, "memory", "Increase RAM {ram}",
     "no reclaim and no OOM kill: a cliff is removed, not a slope",
     "a restart; a leak would only be put off", PSI, PSI_AT},
    {"nvme", REMEDY_VERTICAL, "disk", "Upgrade to faster NVMe storage ({factor} the measured rate)",
     "waiting for the device ends, up to the next bound; " MEASURE, "data has to move", PSI,
     PSI_AT},
    {"cores", REMEDY_VERTICAL, "cpu", "Give {thing} {factor} the cores",
     "its ceiling rises with the cores as long as the work is parallel",
     "one hot thread gains nothing: look at cores one by one", DEMAND, ""},
    {"link", REMEDY_VERTICAL, "network", "Raise the bandwidth of {thing} to {factor}",
     "its ceiling rises likewise", "the next device on the way may bind", DEMAND, ""},
    {"vector-memory", REMEDY_VERTICAL, "vector-search memory-bandwidth",
     "Give {thing} {factor} the memory bandwidth, and RAM for the whole collection",
     "searches read memory in place of disk; 8-bit vectors are a quarter of 32-bit ones; " MEASURE,
     "price; some recall with quantized vectors", QDRANT, QDRANT_AT},

    {"replicas", REMEDY_HORIZONTAL, "cpu cpu-quota tools queue slots memory decode prefill",
     "Deploy {replicas} {thing} instances", "as far as replicas share nothing: test two",
     "a balancer; shared dependencies get the whole load", LAW, LAW_AT},
    {"gpu-cluster", REMEDY_HORIZONTAL, "gpu-memory gpu-compute gpu-bandwidth kv-cache",
     "Implement GPU cluster with {replicas} GPUs", "as far as replicas share nothing: test two",
     "price; a balancer that knows queues", LAW, LAW_AT},
    {"cache", REMEDY_HORIZONTAL, "vector-search database dependency tools",
     "Add Redis cluster for caching",
     "load falls by the share of hits, which is yours: count repeated questions first; " MEASURE,
     "stale answers; invalidation", "load x (1 - hits)", ""},
    {"read-replicas", REMEDY_HORIZONTAL, "database pool", "Implement database read replicas",
     "reads divide by their number, writes do not", "replicas lag behind: eventual consistency",
     "PostgreSQL 15, Hot Standby", "https://www.postgresql.org/docs/15/hot-standby.html"},
    {"vector-shards", REMEDY_HORIZONTAL, "vector-search memory-bandwidth",
     "Shard the collection of {thing} over {replicas} nodes",
     "each node searches its part only; " MEASURE, "the slowest node decides the tail",
     "Dean & Barroso, The Tail at Scale (2013)", ""},

    {"model-sharding", REMEDY_ARCHITECTURE, "gpu-memory kv-cache",
     "Implement model sharding across GPUs",
     "weights divide by the GPUs, and each has more room for the cache; " MEASURE,
     "synchronization between GPUs in each layer", VLLM, VLLM_AT},
    {"vllm", REMEDY_ARCHITECTURE, "kv-cache slots gpu-compute gpu-bandwidth decode queue",
     "Serve the model with continuous batching and paged KV cache (vLLM), unless it is served so "
     "already",
     "2 to 4 times the throughput at equal latency, against FasterTransformer and Orca, 2023",
     "another server to run; preemption when the cache is full", PAGED, PAGED_AT},
    {"disaggregate", REMEDY_ARCHITECTURE, "prefill",
     "Read long prompts on instances of their own, apart from those that decode",
     "the time to first token no longer waits for decoding, nor decoding for it; " MEASURE,
     "the KV cache has to move between them",
     "Zhong et al., DistServe (OSDI 2024)", "https://arxiv.org/abs/2401.09670"},
    {"pooler", REMEDY_ARCHITECTURE, "pool database",
     "Add connection pooling optimization (a pooler before the database)",
     "many clients share few connections, one for each transaction; " MEASURE,
     "features that live in a session break in transaction mode", "PgBouncer, Features",
     "https://www.pgbouncer.org/features.html"},
    {"async", REMEDY_ARCHITECTURE, "tools queue dependency cpu embedding software",
     "Implement async processing queues",
     "bursts wait without holding connections; no capacity is added",
     "answers come later; the mean load must still be carried", "Little's law (1961)", ""},
    {"tool-concurrency", REMEDY_ARCHITECTURE, "tools",
     "Execute tools of {thing} concurrently, those that are independent in one step",
     "n calls in a row take as long as the slowest of them, at best",
     "order and locks of the tools", "Amdahl (1967)", ""},
    {"bulkhead", REMEDY_ARCHITECTURE, "dependency rate-limit",
     "Put a time limit and a bulkhead before {thing}", "what does not need it stays fast",
     "refusals instead of waiting", "Nygard, Release It!, 2nd edition (2018)", ""},
    {"serial", REMEDY_ARCHITECTURE, "software",
     "Shorten or divide the serial section of {thing}: replicas do not help a shared lock",
     "the contention of the law falls, and its roof rises; " MEASURE, "work on the program", LAW,
     LAW_AT},
};
const size_t remedy_table_count = sizeof remedy_table / sizeof *remedy_table;

/* By memory. Bandwidth is that of the form named; the date is that of the announcement. */
const struct remedy_gpu remedy_gpu_table[] = {
    {"RTX 3060", 12, 360, "2021-01", /* breach: a fact of a data sheet, of no deployment */
     "https://www.smartworld.cc/nvidia-official-announcement-rtx-3060-will-be-officially-listed-on-february-25/"},
    {"T4", 16, 320, "2018-09", "https://pcpartcomparison.com/gpu/tesla-t4-vs-l4"},
    {"L4", 24, 300, "2023-03", "https://aiwiki.ai/wiki/nvidia_l4"},
    {"A10", 24, 600, "2021-04",
     "https://sysrqmts.com/ru/gpus/compare/nvidia-a10-pcie-vs-nvidia-quadro-rtx-4000"},
    {"RTX 3090", 24, 936, "2020-09", /* breach: a fact of a data sheet, of no deployment */
     "https://huggingface.co/spaces/lambdabrendan/Lambda-LLM-Calculator/blame/main/data/gpu_specs.csv"},
    {"RTX 4090", 24, 1008, "2022-09", /* breach: a fact of a data sheet, of no deployment */
     "https://cpu-gpu.alldbin.com/graphics-card-comparison/GeForce-RTX-4090-and-GeForce-RTX-3060-12-GB-GA104-comparison.html"},
    {"RTX 5090", 32, 1792, "2025-01", /* breach: a fact of a data sheet, of no deployment */
     "https://dream-dictionary.org/nvidia-geforce-rtx-5090-release-date-price-and-specs"},
    {"A100 40GB", 40, 1555, "2020-05",
     "https://www.svethardware.cz/nvidia-predstavila-akcelerator-a100-s-80-gb-rychle-pameti/55366"},
    {"L40S", 48, 864, "2023-08", "https://grokipedia.com/page/NVIDIA_L4_vs_L40S"},
    {"RTX 6000 Ada", 48, 960, "2022-09", /* breach: a fact of a data sheet, of no deployment */
     "https://www.grafikkarten.com/de/news/nvidia-rtx-6000-grafikkarte-der-ada-generation"},
    {"A100 80GB", 80, 2039, "2020-11",
     "https://jarvislabs.ai/ai-faqs/nvidia-h100-vs-h200-gpu-comparison"},
    {"H100 SXM", 80, 3350, "2022-03",
     "https://jarvislabs.ai/ai-faqs/nvidia-h100-vs-h200-gpu-comparison"},
    {"H200 SXM", 141, 4800, "2023-11",
     "https://jarvislabs.ai/ai-faqs/nvidia-h100-vs-h200-gpu-comparison"},
};
const size_t remedy_gpu_count = sizeof remedy_gpu_table / sizeof *remedy_gpu_table;
/* clang-format on */
