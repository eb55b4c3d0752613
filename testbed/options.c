/* One row an option: its name, how its value is read, and where it goes; see options.h. */
#include "testbed/options.h"

#include "base/unit.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum kind {
    KIND_TEXT,
    KIND_FLAG,
    KIND_COUNT, /* whole number */
    KIND_PORT,
    KIND_BYTES,
    KIND_MS, /* milliseconds, maybe with a fraction; or "5ms", "2s" */
    KIND_REAL,
    KIND_RATE, /* a share of 1, or "5%" */
    KIND_LAW,
    KIND_FULL, /* 429 or 503 */
    KIND_KV,   /* wait or preempt */
    KIND_SEED, /* both seeds */
    KIND_PRESET,
};

struct row {
    const char *name;
    enum kind kind;
    size_t offset;
};

#define AT(member) offsetof(struct command_line, member)

static const struct row rows[] = {
    {"help", KIND_FLAG, AT(help)},
    {"version", KIND_FLAG, AT(version)},
    {"log", KIND_TEXT, AT(log_path)},
    {"listen", KIND_TEXT, AT(testbed.listen.address)},
    {"port", KIND_PORT, AT(testbed.listen.port)},
    {"unix", KIND_TEXT, AT(testbed.listen.unix_path)},
    {"token", KIND_TEXT, AT(testbed.listen.token)},
    {"max-connections", KIND_COUNT, AT(testbed.listen.most_connections)},
    {"body-limit", KIND_BYTES, AT(testbed.listen.body_bytes)},
    {"ready-after-ms", KIND_MS, AT(testbed.listen.ready_after_ns)},
    {"law", KIND_LAW, AT(testbed.law.kind)},
    {"service-ms", KIND_MS, AT(testbed.law.service_ns)},
    {"servers", KIND_COUNT, AT(testbed.law.servers)},
    {"usl-alpha", KIND_REAL, AT(testbed.law.usl_alpha)},
    {"usl-beta", KIND_REAL, AT(testbed.law.usl_beta)},
    {"queue-limit", KIND_COUNT, AT(testbed.law.queue_limit)},
    {"queue-full", KIND_FULL, AT(testbed.law.full_status)},
    {"rate-limit", KIND_REAL, AT(testbed.law.rate_limit)},
    {"work-memory", KIND_BYTES, AT(testbed.law.work_bytes)},
    {"seed", KIND_SEED, AT(testbed.law.seed)},
    {"slots", KIND_COUNT, AT(testbed.batching.slots)},
    {"prefill-rate", KIND_REAL, AT(testbed.batching.prefill_rate)},
    {"step-base-ms", KIND_MS, AT(testbed.batching.step_ns)},
    {"step-per-sequence-ms", KIND_MS, AT(testbed.batching.step_sequence_ns)},
    {"overhead-ms", KIND_MS, AT(testbed.batching.overhead_ns)},
    {"replicas", KIND_COUNT, AT(testbed.batching.replicas)},
    {"balance-skew", KIND_REAL, AT(testbed.batching.balance_skew)},
    {"gpu-memory", KIND_BYTES, AT(testbed.batching.gpu.memory_bytes)},
    {"gpu-weights", KIND_BYTES, AT(testbed.batching.gpu.weights_bytes)},
    {"gpu-kv-token", KIND_BYTES, AT(testbed.batching.gpu.kv_token_bytes)},
    {"gpu-fails", KIND_FLAG, AT(testbed.batching.gpu.fails)},
    {"help-platform", KIND_FLAG, AT(help_platform)},
    {"help-limits", KIND_FLAG, AT(help_limits)},
    {"preset", KIND_PRESET, AT(preset)},
    {"port-offset", KIND_COUNT, AT(port_offset)},
    {"vectors", KIND_COUNT, AT(testbed.platform.vectors)},
    {"dimensions", KIND_COUNT, AT(testbed.platform.dimensions)},
    {"vectors-approximate", KIND_FLAG, AT(approximate)},
    {"vectors-at-start", KIND_FLAG, AT(testbed.platform.vectors_at_start)},
    {"compute-threads", KIND_COUNT, AT(testbed.platform.compute_threads)},
    {"embed-token-ms", KIND_MS, AT(testbed.platform.embed_token_ns)},
    {"memory-bandwidth", KIND_BYTES, AT(testbed.platform.memory_bandwidth)},
    {"db-pool", KIND_COUNT, AT(testbed.platform.database.servers)},
    {"db-ms", KIND_MS, AT(testbed.platform.database.service_ns)},
    {"db-refuse", KIND_FLAG, AT(testbed.platform.database.refuses)},
    {"rag-answer-ms", KIND_MS, AT(testbed.platform.answer.service_ns)},
    {"rag-answer-servers", KIND_COUNT, AT(testbed.platform.answer.servers)},
    {"research-ms", KIND_MS, AT(testbed.platform.research.service_ns)},
    {"research-servers", KIND_COUNT, AT(testbed.platform.research.servers)},
    {"synthesis-ms", KIND_MS, AT(testbed.platform.synthesis.service_ns)},
    {"synthesis-servers", KIND_COUNT, AT(testbed.platform.synthesis.servers)},
    {"tool-limit", KIND_COUNT, AT(testbed.platform.tool_limit)},
    {"tool-queue", KIND_COUNT, AT(testbed.platform.tool_queue)},
    {"tool-ms", KIND_MS, AT(testbed.platform.tool_ns)},
    {"sandbox-in", KIND_TEXT, AT(testbed.platform.sandbox_in)},
    {"mcp-json", KIND_FLAG, AT(testbed.platform.mcp_json)},
    {"mcp-cut-every", KIND_COUNT, AT(testbed.platform.mcp_cut_every)},
    {"mcp-sessions", KIND_COUNT, AT(testbed.platform.mcp_sessions)},
    {"kv-tokens", KIND_COUNT, AT(testbed.batching.kv_tokens)},
    {"kv-full", KIND_KV, AT(testbed.batching.kv_full)},
    {"maxconn", KIND_COUNT, AT(testbed.limit.sessions)},
    {"upstream-ms", KIND_MS, AT(testbed.platform.upstream.service_ns)},
    {"upstream-servers", KIND_COUNT, AT(testbed.platform.upstream.servers)},
    {"memory-limit", KIND_BYTES, AT(testbed.limit.memory_bytes)},
    {"memory-base", KIND_BYTES, AT(testbed.limit.base_bytes)},
    {"memory-request", KIND_BYTES, AT(testbed.limit.request_bytes)},
    {"cpu-quota", KIND_REAL, AT(testbed.limit.processors)},
    {"search-rate", KIND_REAL, AT(testbed.platform.search_rate)},
    {"link-speed", KIND_BYTES, AT(testbed.limit.link_bytes)},
    {"tokens", KIND_COUNT, AT(testbed.chat.tokens)},
    {"stamp-tokens", KIND_FLAG, AT(testbed.chat.stamp)},
    {"reasoning-tokens", KIND_COUNT, AT(testbed.chat.reasoning_tokens)},
    {"reasoning-content", KIND_FLAG, AT(testbed.chat.reasoning_content)},
    {"error-rate", KIND_RATE, AT(testbed.fault.error_rate)},
    {"reset-rate", KIND_RATE, AT(testbed.fault.reset_rate)},
    {"stall-rate", KIND_RATE, AT(testbed.fault.stall_rate)},
    {"stall-ms", KIND_MS, AT(testbed.fault.stall_ns)},
    {"truncate-rate", KIND_RATE, AT(testbed.fault.truncate_rate)},
    {"malformed-rate", KIND_RATE, AT(testbed.fault.malformed_rate)},
    {"slow-rate", KIND_RATE, AT(testbed.fault.slow_rate)},
    {"slow-bytes", KIND_COUNT, AT(testbed.fault.slow_bytes)},
    {"slow-gap-ms", KIND_MS, AT(testbed.fault.slow_gap_ns)},
    {"close-after", KIND_COUNT, AT(testbed.fault.close_after)},
};

enum { ROWS = sizeof rows / sizeof rows[0] };

const char *options_name(size_t index)
{
    return index < ROWS ? rows[index].name : NULL;
}

static const char help[] =
    "usage: plimsoll-testbed [options]     a reference AI service with a known queueing law\n"
    "\n"
    "listening   --port N (0: one is chosen and printed)  --listen ADDRESS (127.0.0.1)\n"
    "            --unix PATH  --token WORD (needed off loopback; each request must bear it)\n"
    "            --max-connections N  --body-limit BYTES (8MiB)  --ready-after-ms MS (/health: "
    "503)\n"
    "law         --law none|fixed|exponential|mmc|md1|usl|batching (none)   for chat and /work\n"
    "            --service-ms MS (mean, 10)  --servers N (mmc, md1: 1; else no limit)\n"
    "            --usl-alpha A --usl-beta B (usl: S grows by 1 + A (n - 1) + B n (n - 1))\n"
    "            --queue-limit N (none)  --queue-full 429|503 (503)  --seed N (1)\n"
    "batching    a step of b sequences lasts prompt tokens / prefill rate + base + b * per "
    "sequence\n"
    "            --slots N (8)  --prefill-rate TOKENS/S (8000)  --step-base-ms MS (10)\n"
    "            --step-per-sequence-ms MS (1)  --kv-tokens N (0: no limit)\n"
    "answers     --tokens N (16, where a request names no max_tokens)\n"
    "            --stamp-tokens (each carries stamp_ns, CLOCK_MONOTONIC at its writing)\n"
    "            --reasoning-tokens N (first, as reasoning)  --reasoning-content (SGLang's "
    "member)\n"
    "faults      seeded shares: --error-rate S  --reset-rate S  --truncate-rate S  "
    "--malformed-rate S\n"
    "            --stall-rate S  --stall-ms MS (1000)  --slow-rate S (1 with --slow-bytes)\n"
    "            --slow-bytes N  --slow-gap-ms MS (10)  --close-after N (on a connection, "
    "unsaid)\n"
    "other       --log FILE (CSV: n, arrival, service, departure, written, in ns)\n"
    "            --help  --help-platform (services around it, presets)  --help-limits  --version\n"
    "paths       / /health /metrics /v1/models /v1/chat/completions /work[?service_us=N] /echo\n"
    "            /status/N /delay/MS /bytes/N /redirect/N /set-cookie /cookies /headers /gzip\n"
    "examples    plimsoll-testbed --port 8000 --law mmc --servers 2 --service-ms 20\n"
    "            plimsoll-testbed --law batching --slots 16 --error-rate 1% --log served.csv\n";

static const char help_platform[] =
    "plimsoll-testbed: the services around the model, and whole settings by name\n"
    "\n"
    "presets     --preset fast           every service, small and quick, on one port: for tests\n"
    "            --preset requirements   gateway :8000, RAG :8002, MCP :8020, vectors :6333\n"
    "            --preset l4-gemma3-4b   Gemma 3 4B on an NVIDIA L4; --replicas 10 for ten of "
    "them\n"
    "            other options change a preset; --port-offset N moves all ports; --port 0: any\n"
    "replicas    --replicas N (1; batching) of the model, behind a balancer of connections;\n"
    "            --balance-skew S (0: even; machine i gets a share like 1/i^S)  --overhead-ms MS\n"
    "GPU         simulated, in /metrics under DCGM's and vLLM's names: --gpu-memory BYTES\n"
    "            --gpu-weights BYTES  --gpu-kv-token BYTES (of cache, a token)\n"
    "vectors     /collections/NAME/points/search, exact: --vectors N (100000) --dimensions N "
    "(128)\n"
    "            --vectors-at-start (else when first asked for)  --vectors-approximate (by HNSW)\n"
    "            --compute-threads N (1), of embeddings too\n"
    "embeddings  /v1/embeddings, /api/embed, /embed: --embed-token-ms MS (0.01 of processor time)\n"
    "RAG         /index, /query: --rag-answer-ms MS (0)  --rag-answer-servers N (0: no limit)\n"
    "database    /db/query: --db-pool N (10)  --db-ms MS (2)  --db-refuse (503 when all are busy)\n"
    "agents      /api/v1/agents/{research,synthesis}/execute: --research-ms MS (200)\n"
    "            --research-servers N (16)  --synthesis-ms MS (400)  --synthesis-servers N (16)\n"
    "tools       /mcp, /tools/execute: --tool-limit N (4 at once)  --tool-queue N (none)\n"
    "            --tool-ms MS (0, at least)  --mcp-json (no event streams)  --mcp-sessions N\n"
    "            --mcp-cut-every N (streams cut, to be resumed by Last-Event-ID)\n"
    "            --sandbox-in DIRECTORY (/tmp)\n";

static const char help_limits[] =
    "plimsoll-testbed: limits to be planted, so that a search for bottlenecks has one to find\n"
    "\n"
    "work        --servers N, --slots N, --kv-tokens N, --db-pool N, --tool-limit N: see the other "
    "helps\n"
    "rate        --rate-limit N (work a second; what is more gets 429 at once)\n"
    "balancer    --maxconn N (sessions of /work at once; the others queue before it)\n"
    "dependency  --upstream-ms MS  --upstream-servers N (0: no limit; /work asks it when done)\n"
    "memory      --work-memory BYTES (each /work has a process of its own that fills as much; the\n"
    "            limit of a control group ends such processes, and their work gets 500)\n"
    "            --memory-limit BYTES  --memory-base BYTES  --memory-request BYTES (the same by\n"
    "            arithmetic: a /work that does not fit beside the others gets 500)\n"
    "            --memory-bandwidth BYTES (a second; searches of /collections read the collection\n"
    "            one after another, counted in /metrics as DRAM_Reads, as Intel's PCM does)\n"
    "processors  --cpu-quota N (of --compute-threads, in periods of 100 ms as Linux' CFS quota)\n"
    "            --search-rate BYTES (a second, that a search reads in virtual time; 5e9)\n"
    "GPU         --gpu-fails (a sequence that --gpu-memory cannot hold beside --gpu-weights and\n"
    "            those inside gets 500, out of memory, rather than to wait)\n"
    "            --kv-full wait|preempt (room is reserved for whole answers; or the last one is\n"
    "            put back when the cache is full)\n"
    "network     --link-speed BYTES (a second; told of the device, and no limit by itself)\n"
    "examples    plimsoll-testbed --law exponential --service-ms 100 --maxconn 10\n"
    "            plimsoll-testbed --law batching --gpu-memory 10GiB --gpu-weights 6GiB "
    "--gpu-fails\n";

const char *options_help_platform(void)
{
    return help_platform;
}

const char *options_help_limits(void)
{
    return help_limits;
}

const char *options_help(void)
{
    return help;
}

/* ---- values -----------------------------------------------------------------------------------
 */

static int read_law(struct span value, enum law_kind *kind)
{
    static const char *const names[] = {"none", "fixed", "exponential", "mmc",
                                        "md1",  "usl",   "batching"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (span_equal(value, span_of(names[i]))) {
            *kind = (enum law_kind)i;
            return 0;
        }
    }
    return -EINVAL;
}

static int read_real(struct span value, double *number)
{
    double real;
    if (unit_read_real(value, &real) || !(real >= 0) || real > 1e15)
        return -EINVAL;
    *number = real;
    return 0;
}

static int read_rate(struct span value, double *rate)
{
    double share;
    if (unit_read_share(value, &share) || !(share >= 0) || share > 1)
        return -EINVAL;
    *rate = share;
    return 0;
}

static int read_port(struct span value, uint16_t *port)
{
    uint64_t number;
    if (span_uint(value, &number) || number > UINT16_MAX)
        return -EINVAL;
    *port = (uint16_t)number;
    return 0;
}

static int read_full(struct span value, uint64_t *status)
{
    return span_uint(value, status) || (*status != 429 && *status != 503) ? -EINVAL : 0;
}

static int read_kv(struct span value, enum kv_full *full)
{
    static const char *const names[] = {"wait", "preempt"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (span_equal(value, span_of(names[i]))) {
            *full = (enum kv_full)i;
            return 0;
        }
    }
    return -EINVAL;
}

static int read_seed(struct span value, struct command_line *line)
{
    if (span_uint(value, &line->testbed.law.seed))
        return -EINVAL;
    line->testbed.fault.seed = line->testbed.law.seed;
    return 0;
}

static const char *wanted(enum kind kind)
{
    switch (kind) {
    case KIND_COUNT:
    case KIND_SEED:
        return "a whole number";
    case KIND_PORT:
        return "a port from 0 to 65535";
    case KIND_BYTES:
        return "a size, such as 65536 or 8MiB";
    case KIND_MS:
        return "milliseconds, such as 20 or 0.5";
    case KIND_REAL:
        return "a number that is not negative";
    case KIND_RATE:
        return "a share from 0 to 1, such as 0.01 or 1%";
    case KIND_LAW:
        return "one of none, fixed, exponential, mmc, md1, batching";
    case KIND_FULL:
        return "429 or 503";
    case KIND_KV:
        return "wait or preempt";
    case KIND_PRESET:
        return "one of fast, requirements, l4-gemma3-4b";
    case KIND_TEXT:
    case KIND_FLAG:
        break;
    }
    return "a value";
}

static int store(struct command_line *line, const struct row *row, const char *text)
{
    void *at = (char *)line + row->offset;
    struct span value = span_of(text);
    switch (row->kind) {
    case KIND_TEXT:
        *(const char **)at = text;
        return value.bytes ? 0 : -EINVAL;
    case KIND_FLAG:
        *(bool *)at = true;
        return 0;
    case KIND_COUNT:
        return span_uint(value, at);
    case KIND_PORT:
        return read_port(value, at);
    case KIND_BYTES:
        return unit_read_bytes(value, at);
    case KIND_MS:
        return unit_read_duration(value, NSEC_PER_MSEC, at);
    case KIND_REAL:
        return read_real(value, at);
    case KIND_RATE:
        return read_rate(value, at);
    case KIND_LAW:
        return read_law(value, at);
    case KIND_FULL:
        return read_full(value, at);
    case KIND_SEED:
        return read_seed(value, line);
    case KIND_KV:
        return read_kv(value, at);
    case KIND_PRESET: {
        struct testbed_options options;
        *(const char **)at = text;
        return testbed_preset(text, &options); /* taken over by take_preset */
    }
    }
    return -EINVAL;
}

/* ---- the line ---------------------------------------------------------------------------------
 */

static int say(char *words, size_t room, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int say(char *words, size_t room, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vsnprintf(words, room, format, list);
    va_end(list);
    return -EINVAL;
}

static const struct row *find(struct span name)
{
    for (size_t i = 0; i < ROWS; i++) {
        if (span_equal(name, span_of(rows[i].name)))
            return &rows[i];
    }
    return NULL;
}

static int unknown(const char *argument, char *words, size_t room)
{
    size_t best = SIZE_MAX;
    const char *nearest = rows[0].name;
    for (size_t i = 0; i < ROWS; i++) {
        size_t distance = text_distance(argument + 2, rows[i].name);
        if (distance < best) {
            best = distance;
            nearest = rows[i].name;
        }
    }
    return say(words, room, "unknown option %s; did you mean --%s?", argument, nearest);
}

static int check_whole(struct command_line *line, char *words, size_t room)
{
    struct fault_options *fault = &line->testbed.fault;
    const struct testbed_options *testbed = &line->testbed;
    if (fault->slow_bytes && fault->slow_rate == 0)
        fault->slow_rate = 1;
    if (fault->slow_rate > 0 && !fault->slow_bytes)
        return say(words, room, "--slow-rate needs --slow-bytes N");
    double sum = fault->error_rate + fault->reset_rate + fault->stall_rate + fault->truncate_rate +
                 fault->malformed_rate;
    if (fault->slow_rate == 1)
        fault->slow_rate = sum < 1 ? 1 - sum : 0;
    if (sum + fault->slow_rate > 1 + 1e-9)
        return say(words, room, "the shares of faults add up to %g; a request has at most one",
                   sum + fault->slow_rate);
    if (testbed->law.servers > 1000000)
        return say(words, room, "--servers must be at most 1000000");
    if (testbed->batching.slots == 0)
        return say(words, room, "--slots must be at least 1");
    if (testbed->batching.replicas == 0 || testbed->batching.replicas > 1024)
        return say(words, room, "--replicas must be from 1 to 1024");
    if (testbed->batching.balance_skew > 100)
        return say(words, room, "--balance-skew must be at most 100");
    const struct platform_options *platform = &testbed->platform;
    if (platform->vectors > 10000000)
        return say(words, room, "--vectors must be at most 10000000");
    if (platform->dimensions == 0 || platform->dimensions > 4096)
        return say(words, room, "--dimensions must be from 1 to 4096");
    if (!(platform->search_rate > 0))
        return say(words, room, "--search-rate must be above 0 bytes a second");
    if (testbed->batching.kv_full == KV_PREEMPT && !testbed->batching.kv_tokens)
        return say(words, room, "--kv-full preempt needs --kv-tokens N");
    if (platform->compute_threads == 0 || platform->compute_threads > 256)
        return say(words, room, "--compute-threads must be from 1 to 256");
    if (platform->tool_limit == 0 || platform->tool_limit > 256)
        return say(words, room, "--tool-limit must be from 1 to 256");
    if (testbed->chat.tokens == 0 || testbed->chat.tokens > 131072)
        return say(words, room, "--tokens must be from 1 to 131072");
    if (testbed->law.service_ns > 3600 * NSEC_PER_SEC)
        return say(words, room, "--service-ms must be at most 3600000 (an hour)");
    return 0;
}

/* A preset is what the other options change, so it goes first. */
static void take_preset(struct command_line *line, int count, char **arguments)
{
    for (int i = 0; i < count && arguments[i]; i++) {
        const char *name = NULL;
        if (strncmp(arguments[i], "--preset=", 9) == 0)
            name = arguments[i] + 9;
        else if (strcmp(arguments[i], "--preset") == 0 && i + 1 < count)
            name = arguments[i + 1];
        if (name)
            testbed_preset(name, &line->testbed);
    }
}

/* --port 0 lets the system choose all ports, so that tests can have a preset of several. */
static int move_ports(struct command_line *line, char *words, size_t room)
{
    struct testbed_listen *listen = &line->testbed.listen;
    bool any = listen->port == 0;
    for (uint64_t i = 0; i <= listen->more_count; i++) {
        uint16_t *port = i ? &listen->more[i - 1].port : &listen->port;
        if (*port && *port + line->port_offset > UINT16_MAX)
            return say(words, room, "--port-offset moves port %u above 65535", *port);
        *port = any || !*port ? 0 : (uint16_t)(*port + line->port_offset);
    }
    return 0;
}

int options_read(struct command_line *out, int count, char **arguments, char *words, size_t room)
{
    struct command_line line = {.testbed = testbed_defaults()};
    take_preset(&line, count, arguments);
    for (int i = 0; i < count; i++) {
        const char *argument = arguments[i];
        if (strcmp(argument, "-h") == 0)
            argument = "--help";
        if (strncmp(argument, "--", 2) != 0)
            return say(words, room, "%s is not an option; see --help", argument);
        const char *equals = strchr(argument, '=');
        struct span name = span_of(argument + 2);
        if (equals)
            name.bytes = (size_t)(equals - argument) - 2;
        const struct row *row = find(name);
        if (!row)
            return unknown(argument, words, room);
        const char *value = equals ? equals + 1 : NULL;
        if (row->kind == KIND_FLAG && value)
            return say(words, room, "--%s takes no value", row->name);
        if (row->kind != KIND_FLAG && !value)
            value = ++i < count ? arguments[i] : NULL;
        if (row->kind != KIND_FLAG && !value)
            return say(words, room, "--%s needs %s", row->name, wanted(row->kind));
        if (store(&line, row, value))
            return say(words, room, "--%s needs %s; it is \"%s\"", row->name, wanted(row->kind),
                       value);
    }
    int error = check_whole(&line, words, room);
    if (error == 0)
        error = move_ports(&line, words, room);
    if (error == 0)
        *out = line;
    return error;
}
