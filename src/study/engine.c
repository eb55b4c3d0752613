/* What a model server says of itself tells which of five things it lacks, as each of them leaves
 * another pattern in the same few figures:
 *
 *   waiting, cache free                         a place in the batch (slots, max_num_seqs)
 *   waiting, cache full, preemptions            memory for the KV cache
 *   processor throttled, GPU not busy           processors for tokenizing and scheduling
 *   nobody waits, each token slower in a        memory bandwidth of the GPU: decoding
 *     larger batch, GPU busy
 *   nobody waits, first token later, later      compute of the GPU: reading of prompts
 *     tokens as fast, GPU busy
 *
 * A GPU that is "100 % busy" says that some kernel ran, and no more (NVML, utilization.gpu): it is
 * part of the last two patterns, and never a sign by itself. A figure that was not watched makes no
 * pattern.
 *
 *   Source   vLLM, Optimization and Tuning (preemption; prefill is bound by compute, decoding by
 *            memory); the batching law, step = a + c b (stat/batch.h).
 *   Tests    test/unit/study/engine: each pattern, and systems that miss it by one figure. */
#include "study/candidate.h"

#include "base/memory.h"
#include "stat/regression.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double cache_free = 0.9;  /* below: the queue does not wait for memory */
static const double cache_full = 0.95; /* from here on it may */
static const double throttled = 0.25;  /* of the time */
static const double gpu_idle = 0.7;    /* of the time; below: it waits for somebody */
static const double gpu_busy = 0.95;   /* of the time: it may be the limit */
static const double gpu_moving = 0.6; /* of the cycles, by DCGM: few programs reach more than 0.8 */
static const double token_growth = 1.3; /* of the time of a token: it grows */
static const double token_flat = 1.15;  /* below: it does not */
static const double first_growth = 1.5; /* of the time to the first token */
static const double in_batch = 0.5;     /* of all that is in the system */
static const double batch_full = 1.1;   /* times as many ran at once: the batch was not full */

/* A queue that is before a cache with room for this many more sequences does not wait for it. */
static const double room_for = 1.5;

/* One model server along the curve. */
struct engine {
    const struct curve *curve;
    const char *thing, *role;
    size_t first, last; /* points at which it was watched */
};

/* ---- figures --------------------------------------------------------------------------------- */

/* The mean over replicates of one metric; thing NULL: the highest of any. NAN: not watched. */
static double value_at(const struct curve_point *point, const char *thing, const char *metric)
{
    double most = NAN;
    for (size_t i = 0; i < point->level_count; i++)
        for (size_t k = 0; k < point->levels[i]->resource_count; k++) {
            const struct level_resource *one = &point->levels[i]->resources[k];
            if (strcmp(one->metric, metric) == 0 && strcmp(one->role, "generator") != 0 &&
                (!thing || strcmp(one->thing, thing) == 0) && !(most >= one->mean))
                most = one->mean;
        }
    return most;
}

static double last_of(const struct engine *engine, const char *metric)
{
    return value_at(&engine->curve->points[engine->last], engine->thing, metric);
}

static double first_of(const struct engine *engine, const char *metric)
{
    return value_at(&engine->curve->points[engine->first], engine->thing, metric);
}

static double most_of(const struct engine *engine, const char *metric)
{
    double most = NAN;
    for (size_t i = engine->first; i <= engine->last; i++) {
        double value = value_at(&engine->curve->points[i], engine->thing, metric);
        if (!(most >= value) && !isnan(value))
            most = value;
    }
    return most;
}

/* The highest sample of the cache, and what one sequence holds of it, at the highest load. */
static double cache_top(const struct engine *engine)
{
    const struct level *level = engine->curve->points[engine->last].levels[0];
    double top = last_of(engine, "llm.kv_cache_share");
    for (size_t k = 0; k < level->resource_count; k++)
        if (strcmp(level->resources[k].metric, "llm.kv_cache_share") == 0 &&
            strcmp(level->resources[k].thing, engine->thing) == 0)
            top = fmax(top, level->resources[k].most);
    return top;
}

static double cache_of_one(const struct engine *engine)
{
    return last_of(engine, "llm.kv_cache_share") / fmax(last_of(engine, "llm.running"), 1);
}

/* Not full, but with hardly room for one more: sequences are admitted whole. */
static bool has_no_room(const struct engine *engine)
{
    double top = cache_top(engine);
    return top < cache_full && top >= 0.5 && top + room_for * cache_of_one(engine) >= 1;
}

static double gpu_at(const struct engine *engine, size_t point, const char *metric)
{
    return value_at(&engine->curve->points[point], NULL, metric);
}

static double growth_of(const struct engine *engine, const char *metric)
{
    return last_of(engine, metric) / first_of(engine, metric);
}

/* The index-th thing that has figures of a model server. */
static bool engine_of(const struct curve *curve, size_t index, struct engine *out)
{
    const struct curve_point *last = &curve->points[curve->count - 1];
    for (size_t k = 0; k < last->levels[0]->resource_count; k++) {
        const struct level_resource *one = &last->levels[0]->resources[k];
        if (strcmp(one->metric, "llm.running") != 0 || strcmp(one->role, "generator") == 0 ||
            index-- > 0)
            continue;
        *out = (struct engine){
            .curve = curve, .thing = one->thing, .role = one->role, .last = curve->count - 1};
        while (out->first < out->last && isnan(first_of(out, "llm.running")))
            out->first++;
        return true;
    }
    return false;
}

static bool engine_named(const struct curve *curve, const char *thing, struct engine *out)
{
    for (size_t i = 0; engine_of(curve, i, out); i++)
        if (strcmp(out->thing, thing) == 0)
            return true;
    return false;
}

/* Whether a queue grew before it, and whether there was none. */
static bool has_queue(const struct engine *engine)
{
    double first = first_of(engine, "llm.waiting"), last = last_of(engine, "llm.waiting");
    return last >= 1 && last >= 2 * first + 0.5;
}

/* The most that ran at once, as far as was looked. */
static double most_run(const struct curve_point *point, const char *thing)
{
    double most = NAN;
    for (size_t i = 0; i < point->level_count; i++)
        for (size_t k = 0; k < point->levels[i]->resource_count; k++) {
            const struct level_resource *one = &point->levels[i]->resources[k];
            if (strcmp(one->metric, "llm.running") == 0 && strcmp(one->thing, thing) == 0)
                most = fmax(most, one->most);
        }
    return most;
}

/* Where some wait for a place all places are soon taken, and no more can run at any higher load.
 * Where more and more do, those who wait do so for the step to end, which is a matter of what
 * computes it. */
bool engine_grows(const struct curve *curve, const char *thing)
{
    struct engine engine;
    if (!engine_named(curve, thing, &engine))
        return false;
    size_t from = engine.first;
    while (from < engine.last && !(value_at(&curve->points[from], thing, "llm.waiting") >= 1))
        from++;
    size_t half = from + (engine.last - from) / 2;
    return most_run(&curve->points[engine.last], thing) >
           batch_full * most_run(&curve->points[half], thing);
}

/* A queue before a full-grown batch, whose cache has hardly room for one more. */
static bool waits_for_room(const struct engine *engine)
{
    return has_queue(engine) && has_no_room(engine) && !engine_grows(engine->curve, engine->thing);
}

static bool has_no_queue(const struct engine *engine)
{
    double waiting = last_of(engine, "llm.waiting"),
           queue_s = last_of(engine, "llm.queue_time.mean");
    double first_s = last_of(engine, "llm.ttft.mean");
    return waiting < fmax(1, 0.05 * last_of(engine, "llm.running")) && !(queue_s > 0.3 * first_s);
}

/* The share of the requests in the system that is in the batch. */
static double batched(const struct engine *engine)
{
    return last_of(engine, "llm.running") / engine->curve->points[engine->last].concurrency;
}

/* A line of a metric over the requests in the batch. Returns whether it rises beyond doubt. */
static bool rises(const struct engine *engine, const char *metric, struct regression *line)
{
    size_t count = 0;
    double *x = memory_new(2 * engine->curve->count, sizeof *x), *y = x + engine->curve->count;
    for (size_t i = engine->first; i <= engine->last; i++) {
        x[count] = value_at(&engine->curve->points[i], engine->thing, "llm.running");
        y[count] = value_at(&engine->curve->points[i], engine->thing, metric);
        count += isfinite(x[count]) && isfinite(y[count]) ? 1 : 0;
    }
    bool does = count >= 3 && regression_line(x, y, count, false, line) == 0 &&
                line->b[1] > 2 * line->error[1];
    free(x);
    return does;
}

/* ---- evidence -------------------------------------------------------------------------------- */

static void source(struct evidence *evidence, const struct engine *engine, const char *metrics,
                   double value, double limit, const char *clears)
{
    struct text words = TEXT_EMPTY;
    text_printf(&words, "%s of %s", metrics, engine->thing);
    evidence->metric = text_take(&words);
    evidence->value = value;
    evidence->limit = limit;
    evidence->load = engine->curve->points[engine->last].load;
    evidence->clears = clears ? memory_copy_text(clears) : NULL;
}

static void weigh_slots(const struct engine *engine, struct bottleneck *one)
{
    double cache = most_of(engine, "llm.kv_cache_share");
    struct evidence *evidence;
    if (waits_for_room(engine)) {
        evidence = bottleneck_add(one, EVIDENCE_ENGINE, -3.5,
                                  "the KV cache has hardly room for one more sequence: the queue "
                                  "waits for memory, or for this number of places");
        source(evidence, engine, "llm.kv_cache_share", cache_top(engine), cache_free, NULL);
        return;
    }
    if (!has_queue(engine) || !(cache < cache_free) || engine_grows(engine->curve, engine->thing))
        return;
    evidence =
        bottleneck_add(one, EVIDENCE_ENGINE, 1.5,
                       "%.3g wait while %.3g run and the KV cache is %.2g %% full at most: they "
                       "wait for a place in the batch, not for memory",
                       last_of(engine, "llm.waiting"), last_of(engine, "llm.running"), 100 * cache);
    source(evidence, engine, "llm.waiting, llm.running, llm.kv_cache_share", cache, cache_free,
           "KV cache");
}

/* Binds from the first load on at which somebody waits. */
static void weigh_room(const struct engine *engine, struct bottleneck *one)
{
    size_t from = engine->first;
    while (from < engine->last &&
           !(value_at(&engine->curve->points[from], engine->thing, "llm.waiting") >= 1))
        from++;
    struct evidence *evidence = bottleneck_add(
        one, EVIDENCE_ENGINE, 2.5,
        "%.3g sequences hold %.2g %% of it each, up to %.2g %%: hardly room for one more",
        last_of(engine, "llm.running"), 100 * cache_of_one(engine), 100 * cache_top(engine));
    source(evidence, engine, "llm.running, llm.kv_cache_share", cache_top(engine), cache_full,
           NULL);
    evidence = bottleneck_add(one, EVIDENCE_QUEUE, 2, "%.3g wait for it at %g%s",
                              last_of(engine, "llm.waiting"),
                              engine->curve->points[engine->last].load, curve_unit(engine->curve));
    source(evidence, engine, "llm.waiting", last_of(engine, "llm.waiting"), 1, NULL);
    if (!one->predicted)
        return;
    one->predicted = false;
    one->load = one->load_high = engine->curve->points[from].load;
    one->load_low = engine->curve->points[from ? from - 1 : 0].load;
    one->value_there = value_at(&engine->curve->points[from], engine->thing, "llm.kv_cache_share");
}

static void weigh_cache(const struct engine *engine, struct bottleneck *one)
{
    double cache = most_of(engine, "llm.kv_cache_share");
    double put_back = most_of(engine, "llm.preemptions");
    struct evidence *evidence;
    if (waits_for_room(engine)) {
        weigh_room(engine, one);
        return;
    }
    if (!(cache >= cache_full))
        return;
    if (has_queue(engine) && put_back > 0) {
        evidence = bottleneck_add(one, EVIDENCE_ENGINE, 1.5,
                                  "%.3g %% full, %.3g wait, and %.2g a second are put back and "
                                  "computed again: memory for contexts is short",
                                  100 * cache, last_of(engine, "llm.waiting"), put_back);
        source(evidence, engine, "llm.kv_cache_share, llm.waiting, llm.preemptions", put_back, 0,
               "slots");
    } else if (last_of(engine, "llm.waiting") < 1 && !(put_back > 0)) {
        evidence = bottleneck_add(one, EVIDENCE_ENGINE, -2.5,
                                  "%.3g %% full, but nobody waits and nothing is put back: it "
                                  "holds what is asked for",
                                  100 * cache);
        source(evidence, engine, "llm.kv_cache_share, llm.waiting, llm.preemptions",
               last_of(engine, "llm.waiting"), 1, NULL);
    }
}

/* ---- tokenizer ------------------------------------------------------------------------------- */

/* Whether a thing serves the model: it is the server, has its role, or is named so. */
static bool serves(const struct candidate *candidate, const struct engine *engine)
{
    static const char *const words[] = {"llm", "model", "token", "infer", "engine"};
    bool named =
        strcmp(candidate->thing, engine->thing) == 0 || strcmp(candidate->role, engine->role) == 0;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        named |= strstr(candidate->role, words[i]) || strstr(candidate->thing, words[i]);
    return named;
}

static void weigh_tokenizer(const struct engine *engine, const struct candidate *candidate,
                            struct bottleneck *one)
{
    bool slower = growth_of(engine, "llm.ttft.mean") >= token_growth ||
                  growth_of(engine, "llm.itl.mean") >= token_growth || has_queue(engine);
    if (!serves(candidate, engine) || !slower)
        return;
    for (size_t i = engine->first; i <= engine->last; i++) {
        const struct curve_point *point = &engine->curve->points[i];
        double share = fmax(value_at(point, candidate->thing, "cgroup.throttled"),
                            value_at(point, candidate->thing, "container.throttled_share"));
        double busy = gpu_at(engine, i, "gpu.utilization");
        if (!(share >= throttled) || !(busy < gpu_idle))
            continue;
        struct evidence *evidence =
            bottleneck_add(one, EVIDENCE_ENGINE, 2,
                           "throttled %.2g %% of the time at %g%s while the GPU works %.2g %% of "
                           "it: tokenizing and "
                           "scheduling are short of processors, and the GPU waits for them",
                           100 * share, point->load, curve_unit(engine->curve), 100 * busy);
        source(evidence, engine, "throttling, gpu.utilization, llm.ttft.mean", share, throttled,
               "GPU");
        evidence->load = point->load;
        return;
    }
}

/* ---- decoding and prefill -------------------------------------------------------------------- */

/* How the GPU is: by what it moves or computes, where that was watched; else by its busy time, that
 * only shuts it out. 0: not busy, or not watched; 1: busy; 2: shown to be at work. */
static int gpu_state(const struct engine *engine, const char *metric, double *value)
{
    double work = gpu_at(engine, engine->last, metric);
    double busy = gpu_at(engine, engine->last, "gpu.utilization");
    *value = isnan(work) ? busy : work;
    if (!isnan(work))
        return work >= gpu_moving ? 2 : 0;
    return busy >= gpu_busy ? 1 : 0;
}

struct phase {
    const char *kind, *gpu_kind, *gpu_metric, *title, *clears;
    bool (*fits)(const struct engine *engine, struct regression *line);
    const char *metric;
};

static bool is_decoding(const struct engine *engine, struct regression *line)
{
    return growth_of(engine, "llm.itl.mean") >= token_growth &&
           growth_of(engine, "llm.running") >= 1.5 && rises(engine, "llm.itl.mean", line);
}

static bool is_prefilling(const struct engine *engine, struct regression *line)
{
    double share = last_of(engine, "llm.ttft.mean") / engine->curve->points[engine->last].mean_s;
    return growth_of(engine, "llm.ttft.mean") >= first_growth &&
           growth_of(engine, "llm.itl.mean") < token_flat && share >= 0.3 &&
           rises(engine, "llm.ttft.mean", line);
}

static const struct phase phases[] = {
    {"decode", "gpu-bandwidth", "gpu.dram_active", "decoding", "queue, KV cache, prefill",
     is_decoding, "llm.itl.mean"},
    {"prefill", "gpu-compute", "gpu.tensor_active", "prefill", "queue, KV cache, decoding",
     is_prefilling, "llm.ttft.mean"},
};

enum { PHASES = sizeof phases / sizeof *phases };

/* Whether all that the pattern wants is there, the GPU apart. */
static bool has_phase(const struct engine *engine, const struct phase *phase,
                      struct regression *line)
{
    double cache = most_of(engine, "llm.kv_cache_share");
    return has_no_queue(engine) && !(cache >= cache_full) && batched(engine) >= in_batch &&
           phase->fits(engine, line);
}

static void add_phase(const struct engine *engine, const struct phase *phase,
                      struct bottleneck *one)
{
    double busy, running = last_of(engine, "llm.running");
    int gpu = gpu_state(engine, phase->gpu_metric, &busy);
    struct evidence *evidence = bottleneck_add(
        one, EVIDENCE_ENGINE, 3,
        "%s binds: %s grows from %.3g to %.3g ms as the batch does from %.3g to %.3g, and hardly "
        "anybody waits%s",
        phase->title, phase->metric, 1e3 * first_of(engine, phase->metric),
        1e3 * last_of(engine, phase->metric), first_of(engine, "llm.running"), running,
        gpu == 1 ? "; the GPU is busy, which alone would prove nothing" : "");
    source(evidence, engine, phase->metric, last_of(engine, phase->metric),
           first_of(engine, phase->metric), phase->clears);
    evidence = bottleneck_add(one, EVIDENCE_QUEUE, 0.5,
                              "%.2g %% of the requests in the system are in the batch, at work",
                              100 * batched(engine));
    source(evidence, engine, "llm.running", batched(engine), in_batch, NULL);
    if (gpu == 2) {
        evidence = bottleneck_add(one, EVIDENCE_ONSET, 1.5,
                                  "%s is at %.2g %% (few programs reach "
                                  "more than 80 %%)",
                                  phase->gpu_metric, 100 * busy);
        source(evidence, engine, phase->gpu_metric, busy, gpu_moving, NULL);
        free(evidence->metric);
        struct text words = TEXT_EMPTY;
        text_printf(&words, "%s of the GPU", phase->gpu_metric);
        evidence->metric = text_take(&words);
    }
}

/* It binds from where the system bends on. */
static void place(const struct curve *curve, size_t bend, struct bottleneck *one)
{
    one->predicted = false;
    one->load = one->load_high = curve->points[bend].load;
    one->load_low = curve->points[bend ? bend - 1 : 0].load;
}

void engine_weigh(const struct field *field, const struct candidate *candidate, size_t bend,
                  struct bottleneck *one)
{
    struct engine engine;
    struct regression line;
    double busy;
    if (engine_named(field->curve, candidate->thing, &engine)) {
        if (strcmp(candidate->kind, "slots") == 0)
            weigh_slots(&engine, one);
        else if (strcmp(candidate->kind, "kv-cache") == 0)
            weigh_cache(&engine, one);
    }
    for (size_t i = 0; engine_of(field->curve, i, &engine); i++) {
        if (strcmp(candidate->kind, "cpu-quota") == 0)
            weigh_tokenizer(&engine, candidate, one);
        for (size_t p = 0; p < PHASES && bend != SIZE_MAX; p++)
            if (strcmp(candidate->kind, phases[p].gpu_kind) == 0 &&
                gpu_state(&engine, phases[p].gpu_metric, &busy) == 2 &&
                has_phase(&engine, &phases[p], &line)) {
                add_phase(&engine, &phases[p], one);
                /* A GPU is at work long before it is the limit: that is where the system bends. */
                if (one->predicted || one->load < field->curve->points[bend].load) {
                    place(field->curve, bend, one);
                    one->value_there = value_at(&field->curve->points[bend], candidate->thing,
                                                phases[p].gpu_metric);
                }
            }
    }
}

/* Tokens of one answer, and by them the throughput at which steps are nothing but sequences. */
static void find_ceiling(const struct engine *engine, const struct regression *line,
                         struct bottleneck *one)
{
    double tokens =
        last_of(engine, "llm.output_tokens") / engine->curve->points[engine->last].throughput;
    one->demand = line->b[1] * tokens;
    one->ceiling = 1 / one->demand;
    one->ceiling_low = 1 / ((line->b[1] + 2 * line->error[1]) * tokens);
    one->ceiling_high = 1 / ((line->b[1] - 2 * line->error[1]) * tokens);
}

bool engine_bottleneck(const struct field *field, size_t bend, size_t index, struct bottleneck *out)
{
    struct engine engine;
    struct regression line;
    double busy;
    for (size_t i = 0; bend != SIZE_MAX && engine_of(field->curve, i, &engine); i++)
        for (size_t p = 0; p < PHASES; p++) {
            const struct phase *phase = &phases[p];
            if (gpu_state(&engine, phase->gpu_metric, &busy) != 1 ||
                !has_phase(&engine, phase, &line) || index-- > 0)
                continue;
            struct text name = TEXT_EMPTY;
            text_printf(&name, "%s %s", engine.thing, phase->title);
            *out = (struct bottleneck){
                .kind = memory_copy_text(phase->kind),
                .name = text_take(&name),
                .thing = memory_copy_text(engine.thing),
                .role = memory_copy_text(engine.role),
                .metric = memory_copy_text(phase->metric),
                .part = memory_copy_text(""),
                .unit = memory_copy_text("s"),
                .ceiling = NAN,
                .ceiling_low = NAN,
                .ceiling_high = NAN,
                .headroom = NAN,
                .demand = NAN,
                .background = NAN,
                .residual = NAN,
                .residual_load = NAN,
                .value = last_of(&engine, phase->metric),
                .value_there = value_at(&field->curve->points[bend], engine.thing, phase->metric),
                .limit = NAN};
            place(field->curve, bend, out);
            add_phase(&engine, phase, out);
            if (p == 0)
                find_ceiling(&engine, &line, out);
            return true;
        }
    return false;
}

const char *engine_question(const struct field *field)
{
    struct engine engine;
    struct regression line;
    for (size_t i = 0; engine_of(field->curve, i, &engine); i++)
        for (size_t p = 0; p < PHASES; p++)
            if (isnan(gpu_at(&engine, engine.last, phases[p].gpu_metric)) &&
                isnan(gpu_at(&engine, engine.last, "gpu.utilization")) &&
                has_phase(&engine, &phases[p], &line))
                return "watch the GPU as well (dcgm or gpu in watch:): the model server's own "
                       "figures look as if it were the limit";
    return NULL;
}
