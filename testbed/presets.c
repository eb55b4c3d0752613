/* Whole settings under one name: where a document says what it saw, the testbed can be told to be
 * that. What each number rests on stands in testbed/README.md; test/theory/queue_presets.c holds
 * them to it. */
#include "testbed/testbed.h"

#include "base/text.h"

#include <errno.h>

/* For tests: every service, small, quick and on one port. */
static void be_fast(struct testbed_options *options)
{
    struct platform_options *platform = &options->platform;
    options->chat.tokens = 8;
    options->batching.prefill_rate = 1e6;
    options->batching.step_ns = NSEC_PER_MSEC;
    options->batching.step_sequence_ns = 10 * NSEC_PER_USEC;
    platform->vectors = 1000;
    platform->embed_token_ns = NSEC_PER_USEC;
    platform->database.service_ns = NSEC_PER_MSEC / 2;
    platform->research.service_ns = 5 * NSEC_PER_MSEC;
    platform->synthesis.service_ns = 10 * NSEC_PER_MSEC;
}

/* The three services of the requirements and their vector store, each on its port, fast enough for
 * the objectives set for them at the users set for them. */
static void be_requirements(struct testbed_options *options)
{
    static const struct door_options doors[] = {
        {"rag", 8002, ROLE_RAG}, {"mcp", 8020, ROLE_TOOLS}, {"vectors", 6333, ROLE_VECTORS}};
    struct testbed_listen *listen = &options->listen;
    struct platform_options *platform = &options->platform;
    listen->port = 8000;
    listen->roles = ROLE_GATEWAY;
    listen->more_count = sizeof doors / sizeof doors[0];
    for (uint64_t i = 0; i < listen->more_count; i++)
        listen->more[i] = doors[i];
    options->law.kind = LAW_BATCHING;
    options->batching.slots = 64;
    options->batching.step_ns = 5 * NSEC_PER_MSEC / 2;
    options->batching.step_sequence_ns = NSEC_PER_MSEC / 10;
    options->batching.kv_tokens = 65536;
    options->batching.gpu.memory_bytes = UINT64_C(6) << 30;
    options->batching.gpu.weights_bytes = UINT64_C(4) << 30;
    options->batching.gpu.kv_token_bytes = UINT64_C(24) << 10;
    options->chat.tokens = 150;
    platform->vectors_at_start = true;
    platform->database = (struct station_options){.service_ns = 5 * NSEC_PER_MSEC, .servers = 10};
    platform->answer = (struct station_options){.service_ns = 300 * NSEC_PER_MSEC, .servers = 32};
    platform->tool_limit = 8;
    platform->tool_ns = 20 * NSEC_PER_MSEC;
}

static void be_l4_gemma3_4b(struct testbed_options *options)
{
    options->law.kind = LAW_BATCHING;
    options->batching = (struct batching_options){
        .slots = 8,
        .prefill_rate = 8000,
        .step_ns = 10 * NSEC_PER_MSEC,
        .step_sequence_ns = 1240 * NSEC_PER_USEC,
        .kv_tokens = UINT64_C(8) * 4096,
        .overhead_ns = 420 * NSEC_PER_MSEC,
        .replicas = 1,
        .balance_skew = 2.5,
        .gpu = {.memory_bytes = UINT64_C(24) << 30,
                .weights_bytes = UINT64_C(3300) << 20,
                .kv_token_bytes = 139264, /* 34 layers, 4 heads of 256, keys and values, 2 bytes */
                .idle_watts = 16,
                .busy_watts = 72},
    };
    options->chat.tokens = 48;
}

int testbed_preset(const char *name, struct testbed_options *options)
{
    static const struct {
        const char *name;
        void (*be)(struct testbed_options *options);
    } rows[] = {
        {"fast", be_fast},
        {"requirements", be_requirements},
        {"l4-gemma3-4b", be_l4_gemma3_4b},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (!span_equal(span_of(name), span_of(rows[i].name)))
            continue;
        *options = testbed_defaults();
        rows[i].be(options);
        return 0;
    }
    return -EINVAL;
}
