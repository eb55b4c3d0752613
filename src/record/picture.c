/* The picture of a run: sums by request, by phase and by point, grown block by block.
 *
 * Sums of requests and phases stay open; a point's sums are packed, because there are many of them.
 * A block that comes late for its point (another thread was quicker) is added to it by way of an
 * open scratch sum. What was waiting and in flight at the edges of a phase comes from the gauges
 * that each thread wrote at the end of its blocks: the last before the phase is what it carried in,
 * the last in it what it carried out. */
#include "record/picture.h"

#include "base/check.h"
#include "base/memory.h"
#include "record/declare.h"
#include "record/sum.h"

#include <stdlib.h>
#include <string.h>

/* The last block of a thread. */
struct segment_state {
    bool seen;
    uint32_t phase;
    double waiting, in_flight;
};

/* What a phase's figures are made of. */
struct phase_state {
    bool seen;
    uint32_t segments; /* threads that had a block in it */
    nsec_t begin_ns, end_ns;
    double user_ns;   /* users times time, all threads */
    double thread_ns; /* time, all threads */
    double waiting_begin, waiting_end, in_flight_begin, in_flight_end;
};

/* What a point needs beyond its result_point. */
struct point_state {
    uint32_t interval; /* its number, in intervals_a_point */
};

struct stretch {
    nsec_t begin_ns, end_ns;
};

struct picture {
    struct result *result; /* declarations, and everything that only grows */
    uint32_t intervals_a_point;
    struct segment_state *segments;
    size_t segment_count;
    struct phase_state *phases;
    struct point_state *points; /* beside result->points */
    size_t point_room;
    struct stretch *saturated;
    size_t saturated_count;
    struct series_keep series; /* of the result */
    struct result_sum *scratch, *scratch_all;
};

/* ---- life ------------------------------------------------------------------------------------ */

struct picture *picture_new(struct result *declared, uint32_t intervals_a_point)
{
    struct picture *picture = memory_new(1, sizeof *picture);
    picture->result = declared;
    picture->intervals_a_point = intervals_a_point ? intervals_a_point : 1;
    picture->phases = memory_new(declared->phase_count, sizeof *picture->phases);
    picture->scratch = result_sum_new(&declared->metrics);
    picture->scratch_all = result_sum_new(&declared->metrics);
    declared->total = result_sum_new(&declared->metrics);
    declared->loop_lag = memory_new(1, sizeof *declared->loop_lag);
    hist_init(declared->loop_lag);
    for (size_t p = 0; p < declared->phase_count; p++)
        declared->phases[p].sum = result_sum_new(&declared->metrics);
    for (size_t r = 0; r < declared->request_count; r++) {
        declared->requests[r].sum = result_sum_new(&declared->metrics);
        declared->requests[r].phase =
            memory_new(declared->phase_count, sizeof *declared->requests[r].phase);
    }
    return picture;
}

struct picture *picture_free(struct picture *picture)
{
    if (!picture)
        return NULL;
    result_sum_free(picture->scratch, &picture->result->metrics);
    result_sum_free(picture->scratch_all, &picture->result->metrics);
    result_free(picture->result);
    free(picture->segments);
    free(picture->phases);
    free(picture->points);
    free(picture->saturated);
    series_keep_fini(&picture->series);
    free(picture);
    return NULL;
}

const struct result *picture_declared(const struct picture *picture)
{
    return picture->result;
}

/* ---- points ---------------------------------------------------------------------------------- */

static void point_fini(struct picture *picture, struct result_point *point)
{
    struct result *result = picture->result;
    result_sum_free(point->sum, &result->metrics);
    for (size_t r = 0; r < result->request_count; r++)
        result_sum_free(point->requests[r], &result->metrics);
    free(point->requests);
}

/* Puts what the sum and the scratch hold together into a packed sum in its place. */
static void point_sum_add(struct picture *picture, struct result_sum **place,
                          struct result_sum *more)
{
    const struct metric_table *metrics = &picture->result->metrics;
    if (*place)
        result_sum_merge(more, *place, metrics);
    struct result_sum *both = sum_share(more, metrics, NULL);
    result_sum_free(*place, metrics);
    *place = both;
}

/* Gauges of one stretch after another as those of both: levels and shares are weighted by time,
 * the longest lag stands, amounts of time add up. */
static void point_join_gauges(struct result_point *to, const struct result_point *from)
{
    double to_ns = (double)(to->end_ns - to->begin_ns);
    double from_ns = (double)(from->end_ns - from->begin_ns);
    double weight = to_ns + from_ns > 0 ? to_ns / (to_ns + from_ns) : 0.5;
    for (size_t g = 0; g < CORE_GAUGES; g++) {
        if (g == GAUGE_CPU || g == GAUGE_RUN_DELAY)
            to->gauges[g] += from->gauges[g];
        else if (g != GAUGE_LOOP_LAG)
            to->gauges[g] = weight * to->gauges[g] + (1 - weight) * from->gauges[g];
        else if (from->gauges[g] > to->gauges[g])
            to->gauges[g] = from->gauges[g];
    }
}

/* Makes one point of two neighbours of one phase. */
static void point_join(struct picture *picture, struct result_point *to, struct result_point *from)
{
    struct result *result = picture->result;
    point_join_gauges(to, from);
    to->saturated |= from->saturated;
    to->end_ns = from->end_ns > to->end_ns ? from->end_ns : to->end_ns;
    for (size_t r = 0; r < result->request_count; r++) {
        if (!from->requests[r])
            continue;
        sum_clear(picture->scratch, &result->metrics);
        result_sum_merge(picture->scratch, from->requests[r], &result->metrics);
        point_sum_add(picture, &to->requests[r], picture->scratch);
    }
    sum_clear(picture->scratch, &result->metrics);
    result_sum_merge(picture->scratch, from->sum, &result->metrics);
    point_sum_add(picture, &to->sum, picture->scratch);
    point_fini(picture, from);
}

/* A long run keeps at most RESULT_POINTS points: of the older half, neighbours become one. */
static void points_thin(struct picture *picture)
{
    struct result *result = picture->result;
    size_t half = result->point_count / 2, kept = 0;
    for (size_t i = 0; i < result->point_count; i++) {
        struct result_point *point = &result->points[i];
        result->points[kept] = *point;
        picture->points[kept] = picture->points[i];
        if (i + 1 < half && point[1].phase == point->phase) {
            point_join(picture, &result->points[kept], &point[1]);
            i++;
        }
        kept++;
    }
    result->point_count = kept;
}

/* The place of a new point, kept in order of interval and phase. */
static struct result_point *point_insert(struct picture *picture, size_t at, uint32_t interval)
{
    struct result *result = picture->result;
    if (result->point_count == picture->point_room) {
        picture->point_room = picture->point_room ? 2 * picture->point_room : 64;
        result->points = memory_resize(result->points, picture->point_room, sizeof *result->points);
        picture->points =
            memory_resize(picture->points, picture->point_room, sizeof *picture->points);
    }
    size_t after = result->point_count++ - at;
    memmove(&result->points[at + 1], &result->points[at], after * sizeof *result->points);
    memmove(&picture->points[at + 1], &picture->points[at], after * sizeof *picture->points);
    picture->points[at].interval = interval;
    result->points[at] = (struct result_point){
        .requests = memory_new(result->request_count, sizeof(struct result_sum *))};
    return &result->points[at];
}

static bool point_saturated(const struct picture *picture, const struct result_point *point)
{
    for (size_t i = 0; i < picture->saturated_count; i++)
        if (picture->saturated[i].begin_ns < point->end_ns &&
            picture->saturated[i].end_ns > point->begin_ns)
            return true;
    return false;
}

static struct result_point *point_for(struct picture *picture, const struct tally_block *block)
{
    struct result *result = picture->result;
    uint32_t interval = block->first_interval / picture->intervals_a_point;
    size_t at = result->point_count;
    for (; at > 0; at--) { /* nearly always the last */
        const struct result_point *point = &result->points[at - 1];
        uint32_t number = picture->points[at - 1].interval;
        if (number == interval && point->phase == block->phase)
            return &result->points[at - 1];
        if (number < interval || (number == interval && point->phase < block->phase))
            break;
    }
    struct result_point *point = point_insert(picture, at, interval);
    point->phase = block->phase;
    point->begin_ns = block->begin_ns;
    point->end_ns = block->end_ns;
    return point;
}

static void point_gauges(struct result_point *point, const struct tally_block *block)
{
    for (size_t g = 0; g < CORE_GAUGES; g++) {
        bool worst = g == GAUGE_BUSY || g == GAUGE_LOOP_LAG || g == GAUGE_RUN_DELAY;
        if (!worst)
            point->gauges[g] += block->gauges[g];
        else if (block->gauges[g] > point->gauges[g])
            point->gauges[g] = block->gauges[g];
    }
}

/* ---- blocks ---------------------------------------------------------------------------------- */

static bool tally_used(const struct tally *tally, const struct metric_table *metrics)
{
    for (size_t m = 0; m < metrics->counter_count; m++)
        if (tally->counters[m])
            return true;
    for (size_t m = 0; m < metrics->hist_count; m++)
        if (tally->hists[m] && tally->hists[m]->count > 0)
            return true;
    return false;
}

static void block_request(struct picture *picture, struct result_point *point,
                          const struct tally_block *block, size_t number)
{
    struct result *result = picture->result;
    const struct metric_table *metrics = &result->metrics;
    struct result_request *request = &result->requests[number];
    const struct tally *tally = &block->requests[number];
    if (!tally_used(tally, metrics))
        return;
    if (!request->phase[block->phase])
        request->phase[block->phase] = result_sum_new(metrics);
    sum_add_tally(request->phase[block->phase], tally, metrics);
    if (!result->phases[block->phase].excluded)
        sum_add_tally(request->sum, tally, metrics);
    sum_add_tally(picture->scratch_all, tally, metrics);
    sum_clear(picture->scratch, metrics);
    sum_add_tally(picture->scratch, tally, metrics);
    point_sum_add(picture, &point->requests[number], picture->scratch);
}

static struct segment_state *segment_at(struct picture *picture, uint32_t segment)
{
    if (segment >= picture->segment_count) {
        size_t count = (size_t)segment + 1;
        picture->segments = memory_resize(picture->segments, count, sizeof *picture->segments);
        memset(&picture->segments[picture->segment_count], 0,
               (count - picture->segment_count) * sizeof *picture->segments);
        picture->segment_count = count;
    }
    return &picture->segments[segment];
}

static void block_phase(struct picture *picture, const struct tally_block *block)
{
    struct segment_state *segment = segment_at(picture, block->segment);
    struct phase_state *phase = &picture->phases[block->phase];
    if (!segment->seen || segment->phase != block->phase) {
        phase->segments++;
        phase->waiting_begin += segment->waiting;
        phase->in_flight_begin += segment->in_flight;
    } else { /* its last word in this phase is taken back for the new one */
        phase->waiting_end -= segment->waiting;
        phase->in_flight_end -= segment->in_flight;
    }
    segment->seen = true;
    segment->phase = block->phase;
    segment->waiting = block->gauges[GAUGE_WAITING];
    segment->in_flight = block->gauges[GAUGE_IN_FLIGHT];
    phase->waiting_end += segment->waiting;
    phase->in_flight_end += segment->in_flight;

    double length = (double)(block->end_ns - block->begin_ns);
    phase->user_ns += block->gauges[GAUGE_USERS] * length;
    phase->thread_ns += length;
    if (!phase->seen || block->begin_ns < phase->begin_ns)
        phase->begin_ns = block->begin_ns;
    if (!phase->seen || block->end_ns > phase->end_ns)
        phase->end_ns = block->end_ns;
    phase->seen = true;
}

/* Whole-run sums: the phase's and, if it counts, the total's. */
static void block_sums(struct picture *picture, const struct tally_block *block)
{
    struct result *result = picture->result;
    const struct metric_table *metrics = &result->metrics;
    result_sum_merge(result->phases[block->phase].sum, picture->scratch_all, metrics);
    if (!result->phases[block->phase].excluded) {
        result_sum_merge(result->total, picture->scratch_all, metrics);
        for (size_t i = 0; i < block->rule_count; i++)
            result->services[i].hits += block->rules[i].hits;
    }
    hist_merge(result->loop_lag, block->loop_lag);
    if (block->end_ns > result->end_ns)
        result->end_ns = block->end_ns;
}

void picture_block(struct picture *picture, const struct tally_block *block)
{
    struct result *result = picture->result;
    check(block->phase < result->phase_count);
    check(block->request_count == result->request_count);
    check(block->rule_count == result->service_count);
    struct result_point *point = point_for(picture, block);
    if (block->begin_ns < point->begin_ns)
        point->begin_ns = block->begin_ns;
    if (block->end_ns > point->end_ns)
        point->end_ns = block->end_ns;
    point->saturated = point->saturated || point_saturated(picture, point);
    point_gauges(point, block);

    sum_clear(picture->scratch_all, &result->metrics);
    for (size_t r = 0; r < result->request_count; r++)
        block_request(picture, point, block, r);
    block_phase(picture, block);
    block_sums(picture, block);
    point_sum_add(picture, &point->sum, picture->scratch_all);
    if (result->point_count > RESULT_POINTS)
        points_thin(picture);
}

/* ---- words ----------------------------------------------------------------------------------- */

const struct result_example *picture_example(struct picture *picture,
                                             const struct tally_example *example)
{
    struct result *result = picture->result;
    size_t same_kind = 0;
    check(example->error < result->metrics.counter_count);
    check(example->request < result->request_count || example->request == UINT32_MAX);
    for (size_t i = 0; i < result->example_count; i++) {
        struct result_example *known = &result->examples[i];
        if (known->error != example->error)
            continue;
        if (known->request == example->request && known->status == example->status &&
            strcmp(known->words, example->words) == 0) {
            known->times += example->times ? example->times : 1;
            return known;
        }
        if (++same_kind == PICTURE_EXAMPLES)
            return NULL;
    }
    result->examples =
        memory_resize(result->examples, result->example_count + 1, sizeof *result->examples);
    struct result_example *fresh = &result->examples[result->example_count++];
    *fresh = (struct result_example){.at_ns = example->at_ns,
                                     .request = example->request,
                                     .error = example->error,
                                     .status = example->status,
                                     .words = memory_copy_text(example->words),
                                     .times = example->times ? example->times : 1};
    return fresh;
}

void picture_event(struct picture *picture, nsec_t at_ns, const char *kind, const char *words)
{
    struct result *result = picture->result;
    if (result->event_count == PICTURE_EVENTS)
        return;
    result->events = memory_resize(result->events, result->event_count + 1, sizeof *result->events);
    result->events[result->event_count++] = (struct result_event){
        .at_ns = at_ns, .kind = memory_copy_text(kind), .words = memory_copy_text(words)};
}

void picture_fact(struct picture *picture, const char *name, const char *value)
{
    struct result *result = picture->result;
    for (size_t i = 0; i < result->fact_count; i++) {
        if (strcmp(result->facts[i].name, name) == 0) {
            free(result->facts[i].value);
            result->facts[i].value = memory_copy_text(value);
            return;
        }
    }
    result->facts = memory_resize(result->facts, result->fact_count + 1, sizeof *result->facts);
    result->facts[result->fact_count++] =
        (struct result_fact){.name = memory_copy_text(name), .value = memory_copy_text(value)};
}

void picture_saturated(struct picture *picture, nsec_t begin_ns, nsec_t end_ns)
{
    size_t count = picture->saturated_count;
    struct stretch *last = count ? &picture->saturated[count - 1] : NULL;
    if (last && begin_ns <= last->end_ns && begin_ns >= last->begin_ns) {
        last->end_ns = end_ns > last->end_ns ? end_ns : last->end_ns;
    } else {
        picture->saturated = memory_resize(picture->saturated, count + 1, sizeof *last);
        picture->saturated[picture->saturated_count++] =
            (struct stretch){.begin_ns = begin_ns, .end_ns = end_ns};
    }
    for (size_t i = picture->result->point_count; i-- > 0;) {
        struct result_point *point = &picture->result->points[i];
        if (begin_ns < point->end_ns && end_ns > point->begin_ns)
            point->saturated = true;
    }
}

void picture_watched(struct picture *picture, const struct result_watched *watched)
{
    series_add_watched(picture->result, watched);
}

void picture_series(struct picture *picture, uint32_t watched, const struct metric *metric,
                    const char *part)
{
    series_declare(&picture->series, picture->result, watched, metric, part);
}

void picture_sample(struct picture *picture, uint32_t series, const struct series_sample *sample)
{
    series_add_sample(&picture->series, picture->result, series, sample);
}

/* ---- a result of its own ----------------------------------------------------------------------
 */

static uint64_t whole_number(double number)
{
    return number > 0 && number < 1e18 ? (uint64_t)(number + 0.5) : 0;
}

static struct result_sum *share_over(struct result_sum *sum, const struct metric_table *metrics,
                                     struct sum_cache *cache, const struct result_sum *time)
{
    struct result_sum *copy = sum_share(sum, metrics, cache);
    copy->begin_ns = time->begin_ns;
    copy->end_ns = time->end_ns;
    copy->measured_ns = time->measured_ns;
    return copy;
}

/* Phases as they were; those that never came keep what was planned, with nothing measured. Returns
 * the time that counts: all phases that are not excluded. */
static struct result_sum copy_phases(const struct picture *picture, struct result *out)
{
    struct result_sum time = {.counters = NULL};
    for (size_t p = 0; p < out->phase_count; p++) {
        const struct phase_state *state = &picture->phases[p];
        struct result_phase *phase = &out->phases[p];
        if (state->segments > 0) {
            phase->begin_ns = state->begin_ns;
            phase->end_ns = state->end_ns;
        }
        if (state->thread_ns > 0) /* mean of a thread, times threads */
            phase->users = state->user_ns / state->thread_ns * state->segments;
        phase->waiting_begin = whole_number(state->waiting_begin);
        phase->waiting_end = whole_number(state->waiting_end);
        phase->in_flight_begin = whole_number(state->in_flight_begin);
        phase->in_flight_end = whole_number(state->in_flight_end);
        struct result_sum own = {.begin_ns = state->begin_ns,
                                 .end_ns = state->end_ns,
                                 .measured_ns = state->end_ns - state->begin_ns};
        phase->sum = share_over(picture->result->phases[p].sum, &out->metrics, NULL, &own);
        if (phase->excluded || own.measured_ns <= 0)
            continue;
        if (time.measured_ns == 0 || own.begin_ns < time.begin_ns)
            time.begin_ns = own.begin_ns;
        if (own.end_ns > time.end_ns)
            time.end_ns = own.end_ns;
        time.measured_ns += own.measured_ns;
    }
    return time;
}

static void copy_requests(const struct picture *picture, struct result *out,
                          const struct result_sum *time)
{
    for (size_t r = 0; r < out->request_count; r++) {
        const struct result_request *from = &picture->result->requests[r];
        out->requests[r].sum = share_over(from->sum, &out->metrics, NULL, time);
        out->requests[r].phase = memory_new(out->phase_count, sizeof *out->requests[r].phase);
        for (size_t p = 0; p < out->phase_count; p++)
            if (from->phase[p])
                out->requests[r].phase[p] =
                    share_over(from->phase[p], &out->metrics, NULL, out->phases[p].sum);
    }
}

static void copy_points(const struct picture *picture, struct result *out, nsec_t window_ns)
{
    const struct result *from = picture->result;
    size_t first = 0;
    while (window_ns > 0 && first < from->point_count &&
           from->points[first].end_ns <= from->end_ns - window_ns)
        first++;
    out->decoded = sum_cache_new();
    out->point_count = from->point_count - first;
    out->points = memory_new(out->point_count, sizeof *out->points);
    for (size_t i = 0; i < out->point_count; i++) {
        const struct result_point *point = &from->points[first + i];
        struct result_sum time = {.begin_ns = point->begin_ns,
                                  .end_ns = point->end_ns,
                                  .measured_ns = point->end_ns - point->begin_ns};
        out->points[i] = *point;
        out->points[i].sum = share_over(point->sum, &out->metrics, out->decoded, &time);
        out->points[i].requests = memory_new(out->request_count, sizeof *out->points[i].requests);
        for (size_t r = 0; r < out->request_count; r++)
            if (point->requests[r])
                out->points[i].requests[r] =
                    share_over(point->requests[r], &out->metrics, out->decoded, &time);
    }
}

static void copy_words(const struct result *from, struct result *out)
{
    out->event_count = from->event_count;
    out->events = memory_new(from->event_count, sizeof *out->events);
    for (size_t i = 0; i < from->event_count; i++)
        out->events[i] = (struct result_event){.at_ns = from->events[i].at_ns,
                                               .kind = memory_copy_text(from->events[i].kind),
                                               .words = memory_copy_text(from->events[i].words)};
    out->example_count = from->example_count;
    out->examples = memory_new(from->example_count, sizeof *out->examples);
    for (size_t i = 0; i < from->example_count; i++) {
        out->examples[i] = from->examples[i];
        out->examples[i].words = memory_copy_text(from->examples[i].words);
    }
    out->fact_count = from->fact_count;
    out->facts = memory_new(from->fact_count, sizeof *out->facts);
    for (size_t i = 0; i < from->fact_count; i++)
        out->facts[i] = (struct result_fact){.name = memory_copy_text(from->facts[i].name),
                                             .value = memory_copy_text(from->facts[i].value)};
}

/* Where no load was made, the last sample is the end. */
static nsec_t last_instant(const struct result *result)
{
    nsec_t last = result->end_ns;
    for (size_t i = 0; result->point_count == 0 && i < result->series_count; i++) {
        const struct result_series *series = &result->series[i];
        if (series->count && series->at_ns[series->count - 1] > last)
            last = series->at_ns[series->count - 1];
    }
    return last;
}

struct result *picture_result(const struct picture *picture, nsec_t window_ns)
{
    const struct result *from = picture->result;
    struct result *out = declare_copy(from);
    struct result_sum time = copy_phases(picture, out);
    out->end_ns = last_instant(from);
    out->total = share_over(from->total, &out->metrics, NULL, &time);
    out->loop_lag = memory_new(1, sizeof *out->loop_lag);
    hist_init(out->loop_lag);
    hist_merge(out->loop_lag, from->loop_lag);
    copy_requests(picture, out, &time);
    copy_points(picture, out, window_ns);
    copy_words(from, out);
    series_copy(from, out, window_ns > 0 ? out->end_ns - window_ns : INT64_MIN);
    return out;
}
