/* Machines, their timers, and seconds of their GPUs; see replica.h. */
#include "testbed/replica.h"

#include "base/memory.h"
#include "testbed/balance.h"
#include "testbed/chat.h"

#include <stdlib.h>

enum { SECONDS = 8 }; /* kept; the last that is over is asked for */

/* What was done in one second. */
struct second {
    int64_t number;
    nsec_t busy_ns, tensor_ns, memory_ns;
};

struct replica {
    struct testbed *testbed;
    struct batching *batching;
    struct timer timer;
    struct second seconds[SECONDS];
    uint64_t prompt_tokens, made_tokens, finished;
    struct spread first_token, between_tokens, whole, queue, prefill, decode;
};

/* ---- the GPU ----------------------------------------------------------------------------------
 */

static struct second *second_at(struct replica *replica, int64_t number)
{
    struct second *second = &replica->seconds[number % SECONDS];
    if (second->number != number)
        *second = (struct second){.number = number};
    return second;
}

/* Lays a step over the seconds that it touches; shares of its kinds of work are taken as even. */
static void on_stepped(void *self, const struct batching_step *step)
{
    struct replica *replica = self;
    const struct batching_options *options = &replica->testbed->options.batching;
    double length = (double)(step->end_ns - step->begin_ns);
    double each = (double)options->step_sequence_ns * (double)step->sequences;
    double base = (double)options->step_ns;
    nsec_t at_ns = step->begin_ns;
    while (at_ns < step->end_ns) {
        int64_t number = at_ns / NSEC_PER_SEC;
        nsec_t next_ns = (number + 1) * NSEC_PER_SEC;
        nsec_t part_ns = (next_ns < step->end_ns ? next_ns : step->end_ns) - at_ns;
        struct second *second = second_at(replica, number);
        second->busy_ns += part_ns;
        second->tensor_ns += (nsec_t)((double)part_ns * (length - base) / length);
        second->memory_ns += (nsec_t)((double)part_ns * (base + each) / length);
        at_ns += part_ns;
    }
}

/* The last second that is over by now, as shares of it. A step that is not over counts: it was
 * begun, and lasts. */
static struct second last_second(struct replica *replica, nsec_t now_ns)
{
    struct second last = *second_at(replica, now_ns / NSEC_PER_SEC - 1);
    nsec_t begin_ns = batching_begin(replica->batching);
    nsec_t end_ns = batching_boundary(replica->batching);
    nsec_t from_ns = last.number * NSEC_PER_SEC, to_ns = from_ns + NSEC_PER_SEC;
    if (end_ns == NSEC_NEVER || begin_ns >= to_ns)
        return last;
    nsec_t overlap_ns =
        (end_ns < to_ns ? end_ns : to_ns) - (begin_ns > from_ns ? begin_ns : from_ns);
    if (overlap_ns <= 0)
        return last;
    last.busy_ns += overlap_ns;
    if (batching_prefill(replica->batching))
        last.tensor_ns += overlap_ns;
    else
        last.memory_ns += overlap_ns;
    return last;
}

/* ---- tokens -----------------------------------------------------------------------------------
 */

static void on_token(void *self, struct sequence *sequence, nsec_t boundary_ns)
{
    struct replica *replica = self;
    if (sequence->made == 1) {
        sequence->first_ns = boundary_ns;
        spread_add(&replica->queue, sequence->begin_ns - sequence->arrival_ns);
        spread_add(&replica->prefill, boundary_ns - sequence->begin_ns);
        spread_add(&replica->first_token, boundary_ns - sequence->arrival_ns);
    } else {
        spread_add(&replica->between_tokens, boundary_ns - sequence->last_ns);
    }
    sequence->last_ns = boundary_ns;
    replica->made_tokens++;
    if (sequence->made == sequence->tokens) {
        replica->finished++;
        replica->prompt_tokens += sequence->prompt_tokens;
        spread_add(&replica->whole, boundary_ns - sequence->arrival_ns);
        spread_add(&replica->decode, boundary_ns - sequence->first_ns);
    }
    chat_token(replica->testbed, sequence, boundary_ns);
}

static void on_timer(struct timer *timer, nsec_t now_ns)
{
    struct replica *replica = list_entry(timer, struct replica, timer);
    struct testbed *testbed = replica->testbed;
    replica_advance(replica, now_ns);
    testbed_bury(testbed);
}

void replica_arm(struct replica *replica)
{
    nsec_t boundary_ns = batching_boundary(replica->batching);
    if (boundary_ns == NSEC_NEVER)
        timer_stop(replica->testbed->loop, &replica->timer);
    else
        timer_start(replica->testbed->loop, &replica->timer, boundary_ns);
}

void replica_advance(struct replica *replica, nsec_t now_ns)
{
    batching_advance(replica->batching, now_ns);
    replica_arm(replica);
}

struct batching *replica_batching(struct replica *replica)
{
    return replica->batching;
}

/* ---- all of them ------------------------------------------------------------------------------
 */

void replicas_init(struct testbed *testbed)
{
    const struct testbed_options *options = &testbed->options;
    if (options->law.kind != LAW_BATCHING)
        return;
    testbed->replica_count = options->batching.replicas ? options->batching.replicas : 1;
    testbed->replicas = memory_new(testbed->replica_count, sizeof *testbed->replicas);
    testbed->balance = balance_new(testbed->replica_count, options->batching.balance_skew);
    for (uint64_t i = 0; i < testbed->replica_count; i++) {
        struct replica *replica = &testbed->replicas[i];
        replica->testbed = testbed;
        replica->batching =
            batching_new(&options->batching, options->law.queue_limit, on_token, replica);
        batching_on_step(replica->batching, on_stepped);
        timer_init(&replica->timer, on_timer);
    }
    testbed->batching = testbed->replicas[0].batching;
}

void replicas_fini(struct testbed *testbed)
{
    for (uint64_t i = 0; i < testbed->replica_count; i++) {
        timer_stop(testbed->loop, &testbed->replicas[i].timer);
        batching_free(testbed->replicas[i].batching);
    }
    balance_free(testbed->balance);
    free(testbed->replicas);
}

struct replica *replicas_next(struct testbed *testbed)
{
    return testbed->balance ? &testbed->replicas[balance_next(testbed->balance)] : NULL;
}

/* Sequences in the present step, if it has begun. */
static uint64_t running(const struct replica *replica, nsec_t now_ns)
{
    return batching_begin(replica->batching) > now_ns ? 0 : batching_running(replica->batching);
}

static uint64_t waiting(const struct replica *replica, nsec_t now_ns)
{
    return batching_waiting(replica->batching) + batching_running(replica->batching) -
           running(replica, now_ns);
}

void replicas_count(struct testbed *testbed, struct testbed_counts *out)
{
    nsec_t now_ns = loop_now(testbed->loop);
    if (!testbed->replica_count)
        return;
    out->busy = out->queued = 0;
    for (uint64_t i = 0; i < testbed->replica_count; i++) {
        const struct replica *replica = &testbed->replicas[i];
        out->arrivals += batching_arrivals(replica->batching);
        out->busy += running(replica, now_ns);
        out->queued += waiting(replica, now_ns);
        out->kv_tokens += batching_kv_tokens(replica->batching);
    }
}

/* ---- metrics ----------------------------------------------------------------------------------
 */

enum { LABELS_ROOM = 96 };

typedef double gauge_fn(struct replica *replica, nsec_t now_ns);

static double share(nsec_t part_ns)
{
    double of_second = (double)part_ns / 1e9;
    return of_second < 1 ? of_second : 1;
}

static const struct gpu_options *gpu_of(const struct replica *replica)
{
    return &replica->testbed->options.batching.gpu;
}

static double gpu_used(struct replica *replica, nsec_t now_ns)
{
    const struct gpu_options *gpu = gpu_of(replica);
    uint64_t tokens = batching_kv_tokens(replica->batching);
    (void)now_ns;
    return (double)(gpu->weights_bytes + tokens * gpu->kv_token_bytes) / (1 << 20);
}

static double gpu_free(struct replica *replica, nsec_t now_ns)
{
    double left = (double)gpu_of(replica)->memory_bytes / (1 << 20) - gpu_used(replica, now_ns);
    return left > 0 ? left : 0;
}

static double gpu_active(struct replica *replica, nsec_t now_ns)
{
    return share(last_second(replica, now_ns).busy_ns);
}

static double gpu_percent(struct replica *replica, nsec_t now_ns)
{
    return (double)(int)(100 * gpu_active(replica, now_ns) + 0.5);
}

static double gpu_tensor(struct replica *replica, nsec_t now_ns)
{
    return share(last_second(replica, now_ns).tensor_ns);
}

static double gpu_memory(struct replica *replica, nsec_t now_ns)
{
    return share(last_second(replica, now_ns).memory_ns);
}

static double gpu_memory_percent(struct replica *replica, nsec_t now_ns)
{
    return (double)(int)(100 * gpu_memory(replica, now_ns) + 0.5);
}

static double gpu_power(struct replica *replica, nsec_t now_ns)
{
    const struct gpu_options *gpu = gpu_of(replica);
    return gpu->idle_watts + (gpu->busy_watts - gpu->idle_watts) * gpu_active(replica, now_ns);
}

static double vllm_running(struct replica *replica, nsec_t now_ns)
{
    return (double)running(replica, now_ns);
}

static double vllm_waiting(struct replica *replica, nsec_t now_ns)
{
    return (double)waiting(replica, now_ns);
}

static double vllm_cache(struct replica *replica, nsec_t now_ns)
{
    uint64_t room = replica->testbed->options.batching.kv_tokens;
    (void)now_ns;
    return room ? (double)batching_kv_tokens(replica->batching) / (double)room : 0;
}

static double vllm_preemptions(struct replica *replica, nsec_t now_ns)
{
    (void)now_ns;
    return (double)batching_preemptions(replica->batching);
}

static double vllm_prompt(struct replica *replica, nsec_t now_ns)
{
    (void)now_ns;
    return (double)replica->prompt_tokens;
}

static double vllm_made(struct replica *replica, nsec_t now_ns)
{
    (void)now_ns;
    return (double)replica->made_tokens;
}

static double vllm_success(struct replica *replica, nsec_t now_ns)
{
    (void)now_ns;
    return (double)replica->finished;
}

static const struct gauge {
    const char *name, *type, *help;
    bool vllm;
    gauge_fn *value;
} gauges[] = {
    {"DCGM_FI_DEV_GPU_UTIL", "gauge", "GPU utilization (in %).", false, gpu_percent},
    {"DCGM_FI_DEV_MEM_COPY_UTIL", "gauge", "Memory utilization (in %).", false, gpu_memory_percent},
    {"DCGM_FI_DEV_FB_USED", "gauge", "Framebuffer memory used (in MiB).", false, gpu_used},
    {"DCGM_FI_DEV_FB_FREE", "gauge", "Framebuffer memory free (in MiB).", false, gpu_free},
    {"DCGM_FI_DEV_POWER_USAGE", "gauge", "Power draw (in W).", false, gpu_power},
    {"DCGM_FI_PROF_GR_ENGINE_ACTIVE", "gauge", "Ratio of time the graphics engine is active.",
     false, gpu_active},
    {"DCGM_FI_PROF_PIPE_TENSOR_ACTIVE", "gauge", "Ratio of cycles the tensor pipe is active.",
     false, gpu_tensor},
    {"DCGM_FI_PROF_DRAM_ACTIVE", "gauge", "Ratio of cycles the memory interface is active.", false,
     gpu_memory},
    {"vllm:num_requests_running", "gauge", "Requests in the batch.", true, vllm_running},
    {"vllm:num_requests_waiting", "gauge", "Requests that wait.", true, vllm_waiting},
    {"vllm:kv_cache_usage_perc", "gauge", "KV cache usage; 1 means full.", true, vllm_cache},
    {"vllm:gpu_cache_usage_perc", "gauge", "The same under its older name.", true, vllm_cache},
    {"vllm:num_preemptions_total", "counter", "Preemptions.", true, vllm_preemptions},
    {"vllm:prompt_tokens_total", "counter", "Prompt tokens of finished requests.", true,
     vllm_prompt},
    {"vllm:generation_tokens_total", "counter", "Tokens made.", true, vllm_made},
    {"vllm:request_success_total", "counter", "Requests finished.", true, vllm_success},
};

static const char *labels_of(char out[LABELS_ROOM], uint64_t index, bool vllm)
{
    struct text text = TEXT_EMPTY;
    if (vllm)
        text_printf(&text, "model_name=\"plimsoll-testbed\",engine=\"%llu\"",
                    (unsigned long long)index);
    else
        text_printf(&text, "gpu=\"%llu\",modelName=\"simulated\"", (unsigned long long)index);
    for (size_t i = 0; i <= text.bytes; i++)
        out[i] = text.at[i];
    text_fini(&text);
    return out;
}

static void write_spread(struct testbed *testbed, struct text *out, const char *name,
                         const char *help, size_t offset)
{
    char labels[LABELS_ROOM];
    text_printf(out, "# HELP %s %s\n# TYPE %s histogram\n", name, help, name);
    for (uint64_t i = 0; i < testbed->replica_count; i++) {
        const char *base = (const char *)&testbed->replicas[i];
        spread_write(out, name, labels_of(labels, i, true),
                     (const struct spread *)(const void *)(base + offset));
    }
}

void replicas_write(struct testbed *testbed, struct text *out)
{
    nsec_t now_ns = loop_now(testbed->loop);
    char labels[LABELS_ROOM];
    if (!testbed->replica_count)
        return;
    for (size_t g = 0; g < sizeof gauges / sizeof gauges[0]; g++) {
        const struct gauge *gauge = &gauges[g];
        bool reasoned = gauge->value == vllm_success;
        text_printf(out, "# HELP %s %s\n# TYPE %s %s\n", gauge->name, gauge->help, gauge->name,
                    gauge->type);
        for (uint64_t i = 0; i < testbed->replica_count; i++)
            text_printf(out, "%s{%s%s} %.9g\n", gauge->name, labels_of(labels, i, gauge->vllm),
                        reasoned ? ",finished_reason=\"length\"" : "",
                        gauge->value(&testbed->replicas[i], now_ns));
    }
    write_spread(testbed, out, "vllm:time_to_first_token_seconds",
                 "From arrival to the first token.", offsetof(struct replica, first_token));
    write_spread(testbed, out, "vllm:inter_token_latency_seconds", "Between tokens of a request.",
                 offsetof(struct replica, between_tokens));
    write_spread(testbed, out, "vllm:e2e_request_latency_seconds",
                 "From arrival to the last token.", offsetof(struct replica, whole));
    write_spread(testbed, out, "vllm:request_queue_time_seconds", "From arrival to the first step.",
                 offsetof(struct replica, queue));
    write_spread(testbed, out, "vllm:request_prefill_time_seconds", "The first step.",
                 offsetof(struct replica, prefill));
    write_spread(testbed, out, "vllm:request_decode_time_seconds",
                 "From the first token to the last.", offsetof(struct replica, decode));
}
