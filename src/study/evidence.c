/* One resource is judged. Each kind of evidence stands for itself, says its number, its limit and
 * its source; what speaks against is said too. Correlation with the load is no evidence, since
 * everything correlates with the load.
 *
 *   Source   the weights are ours: a ceiling that is the measured capacity is the strongest of what
 *            can be had without an intervention. */
#include "study/evidence_part.h"

#include "base/memory.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double plateau_spread = 0.03; /* of a value that stays */
static const double capped_use = 0.6;      /* of all places, on average, at the highest load */
static const double as_full = 0.005;       /* of a store: no room for one more */
static const double pinned_reach = 1.1;    /* of a limit: looks are not quite as long as they say */

struct evidence *bottleneck_add(struct bottleneck *bottleneck, enum evidence_kind kind,
                                double score, const char *format, ...)
{
    struct text words = TEXT_EMPTY;
    va_list list;
    va_start(list, format);
    text_vprintf(&words, format, list);
    va_end(list);
    bottleneck->evidence = memory_resize(bottleneck->evidence, bottleneck->evidence_count + 1,
                                         sizeof *bottleneck->evidence);
    struct evidence *evidence = &bottleneck->evidence[bottleneck->evidence_count++];
    *evidence = (struct evidence){.kind = kind,
                                  .words = text_take(&words),
                                  .value = NAN,
                                  .limit = NAN,
                                  .load = NAN,
                                  .against = score < 0};
    bottleneck->score += score;
    return evidence;
}

void bottleneck_fini(struct bottleneck *bottleneck)
{
    char *const texts[] = {bottleneck->kind, bottleneck->name,   bottleneck->thing,
                           bottleneck->role, bottleneck->metric, bottleneck->part,
                           bottleneck->unit};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        free(texts[i]);
    for (size_t i = 0; i < bottleneck->evidence_count; i++) {
        free(bottleneck->evidence[i].words);
        free(bottleneck->evidence[i].metric);
        free(bottleneck->evidence[i].clears);
    }
    free(bottleneck->evidence);
    *bottleneck = (struct bottleneck){.kind = NULL};
}

double curve_load_for(const struct curve *curve, double throughput)
{
    const struct curve_point *first = curve_baseline(curve);
    if (curve->open)
        return throughput;
    return first->throughput > 0 ? throughput * first->load / first->throughput : (double)NAN;
}

void evidence_source(struct evidence *evidence, const struct track *track, double value,
                     double limit, double load)
{
    struct text words = TEXT_EMPTY;
    text_printf(&words, "%s%s%s of %s", track->like->metric, *track->like->part ? " " : "",
                track->like->part, track->like->thing);
    evidence->metric = text_take(&words);
    evidence->value = value;
    evidence->limit = limit;
    evidence->load = load;
}

static bool is_share(const struct track *track)
{
    return strcmp(track->like->unit, "1") == 0;
}

const char *evidence_number(char room[EVIDENCE_ROOM], const struct track *track, double value)
{
    snprintf(room, EVIDENCE_ROOM, is_share(track) ? "%.3g %%" : "%.3g",
             is_share(track) ? 100 * value : value);
    return room;
}

/* ---- onset and plateau ----------------------------------------------------------------------- */

/* What is allocated beforehand is full at any load, which is no evidence. */
static bool is_allocated(const struct case_file *file)
{
    const struct track *main = file->main;
    size_t count = file->field->curve->count;
    double first = track_first(main, count), last = track_last(main, count);
    return main->indicator->use == USE_LEVEL && first >= 0.85 * main->indicator->limit &&
           last - first < 0.1 && track_most(main, count) < 0.995;
}

/* Whether throughput rose a good deal after this was full: then what it is full of is not used up
 * request by request (a step of a model server reads the weights for one sequence or for ten). */
static bool grew_on(const struct case_file *file)
{
    const struct curve *curve = file->field->curve;
    const struct curve_point *full = &curve->points[file->onset];
    return file->main->indicator->use == USE_SHARE && full->throughput > 0 &&
           curve->most_load > full->load && curve->most_rps > 1.25 * full->throughput;
}

/* The first point at which failures of this kind are more than the objective allows. Returns
 * whether there is one. */
static bool first_errors(const struct case_file *file, size_t *at, const struct level_error **found,
                         double *share)
{
    const struct curve *curve = file->field->curve;
    for (*at = 0; *at < curve->count; (*at)++) {
        const struct level *level = curve->points[*at].levels[0];
        for (size_t k = 0; k < level->error_count; k++) {
            *found = &level->errors[k];
            *share = (double)level->errors[k].count / (double)level->requests;
            if (*share > curve->slo_error_share / 2 &&
                indicator_error_fits(file->candidate->kind, level->errors[k].words))
                return true;
        }
    }
    return false;
}

/* A number in use that is never more than a whole one from here on, and rarely much less at last,
 * whatever the load: so many places there are. */
static bool is_capped(const struct case_file *file, size_t at)
{
    const struct track *main = file->main;
    size_t count = file->field->curve->count;
    double most = main->most[at];
    bool capped = most >= 2 && fabs(most - round(most)) < 1e-9 && at + 1 < count &&
                  track_last(main, count) >= capped_use * most;
    for (size_t i = 0; i < count && capped; i++)
        capped = i < at ? main->most[i] <= most : fabs(main->most[i] - most) < 1e-9;
    return capped;
}

/* Whether it is full as soon as there is no room for one more: stores, places of a pool, and
 * numbers in use that show how many places there are. */
static bool can_peak(const struct case_file *file, size_t at)
{
    const char *kind = file->candidate->kind;
    switch (file->main->indicator->use) {
    case USE_LEVEL:
        return !is_allocated(file) && file->main->most[at] >= file->main->indicator->limit;
    case USE_SHARE:
        return (strcmp(kind, "pool") == 0 || strcmp(kind, "database") == 0) &&
               file->main->most[at] >= file->main->indicator->limit;
    case USE_COUNT:
        return is_capped(file, at);
    default:
        return false;
    }
}

/* What turns away whom it has no room for is out when it is full for a moment: those inside leave
 * again, so that its mean need never be near the limit. Its peak counts where failures of its kind
 * begin, and where it had not been as full long before without any. */
static bool peaks_at(const struct case_file *file, size_t at)
{
    const struct track *main = file->main;
    size_t first = 0;
    if (!can_peak(file, at))
        return false;
    while (first < at && !(main->most[first] >= main->most[at] - as_full))
        first++;
    return first + 2 >= at;
}

/* Finds such a peak, unless it was full on average before. Looks once a second may miss it where
 * few requests fail, and see it at the next loads: it binds where they begin to fail. Returns
 * whether there was one. */
static bool weigh_peak(struct case_file *file)
{
    const struct curve *curve = file->field->curve;
    const struct track *main = file->main;
    const struct level_error *errors;
    char room[EVIDENCE_ROOM];
    double share;
    size_t at;
    if (!first_errors(file, &at, &errors, &share))
        return false;
    size_t begin = at, last = at + 2 < curve->count ? at + 2 : curve->count - 1;
    while (at < last && !peaks_at(file, at))
        at++;
    if (!peaks_at(file, at))
        return false;
    bool counted = main->indicator->use == USE_COUNT;
    for (size_t i = 0; i < at && !counted; i++)
        if (main->values[i] >= main->indicator->limit)
            return false;
    double load = curve->points[at].load;
    struct evidence *evidence =
        bottleneck_add(file->out, EVIDENCE_ONSET, 1.5,
                       counted ? "%s and never more at once from %g%s on" : "peaks of %s at %g%s",
                       evidence_number(room, main, main->most[at]), load, curve_unit(curve));
    evidence_source(evidence, main, main->most[at], main->indicator->limit, load);
    file->onset = begin;
    file->peaked = true;
    return true;
}

/* Whether it was full by the time the system bent. Efficiency falls gently towards a limit, long
 * before the mean use says full: there it is late only where capacity had been reached without it.
 */
static bool is_in_time(const struct case_file *file)
{
    const struct curve *curve = file->field->curve;
    size_t onset = file->onset, bend = file->bend;
    if (bend == SIZE_MAX)
        return false;
    return onset <= bend + 1 || (curve->points[bend].good &&
                                 curve->points[onset - 1].throughput < 0.95 * curve->most_rps);
}

static void weigh_onset(struct case_file *file)
{
    const struct curve *curve = file->field->curve;
    const struct track *main = file->main;
    char room[EVIDENCE_ROOM];
    if (!main || weigh_peak(file) || main->indicator->use == USE_COUNT)
        return;
    for (size_t i = 0; i < curve->count && file->onset == SIZE_MAX; i++)
        if (main->values[i] >= main->indicator->limit)
            file->onset = i;
    if (file->onset == SIZE_MAX)
        return;
    double at = curve->points[file->onset].load, value = main->values[file->onset];
    bool weak = main->indicator->use == USE_WEAK;
    struct evidence *evidence;
    if (is_allocated(file)) {
        evidence = bottleneck_add(file->out, EVIDENCE_ONSET, -1,
                                  "%s at the lowest load already: allocated beforehand, no sign",
                                  evidence_number(room, main, value));
    } else if (grew_on(file)) {
        evidence = bottleneck_add(file->out, EVIDENCE_ONSET, -1,
                                  "%s from %g%s on, and yet throughput rose to %.2g times as "
                                  "much: work shares it",
                                  evidence_number(room, main, value), at, curve_unit(curve),
                                  curve->most_rps / curve->points[file->onset].throughput);
    } else if (is_in_time(file)) {
        evidence = bottleneck_add(file->out, EVIDENCE_ONSET, weak ? 0.5 : 1.5, "%s from %g%s on%s",
                                  evidence_number(room, main, value), at, curve_unit(curve),
                                  weak ? " (a share of time, which is not the share of what it "
                                         "could do)"
                                       : "");
    } else {
        evidence = bottleneck_add(file->out, EVIDENCE_ONSET, -0.5,
                                  "full from %g%s on only, after the system had bent", at,
                                  curve_unit(curve));
    }
    evidence_source(evidence, main, value, main->indicator->limit, at);
}

/* Where the value stops to grow: the first of the last points that are alike. */
static size_t plateau_of(const struct case_file *file)
{
    const struct track *main = file->main;
    size_t count = file->field->curve->count, from = count;
    double most = track_most(main, count);
    while (from > 0 && main->values[from - 1] >= (1 - plateau_spread) * most)
        from--;
    return count - from >= 2 ? from : SIZE_MAX;
}

/* Whether hardly a sample at these loads exceeds a limit: what is held down to a number does not
 * play around it, as the use of something does that only goes with the throughput. */
static bool is_pinned(const struct case_file *file, size_t from, double limit)
{
    for (size_t i = from; i < file->field->curve->count; i++)
        if (file->main->p95[i] > pinned_reach * limit)
            return false;
    return true;
}

/* Bytes are moved in pieces: a look that is short beside a piece sees more of them or fewer, and
 * exceeds at times what a link or a memory carries. */
static bool in_bytes(const struct track *track)
{
    return strncmp(track->like->unit, "bytes", 5) == 0;
}

/* A number in use that stays at a whole number. */
static double whole_of(const struct case_file *file)
{
    const struct curve *curve = file->field->curve;
    if (!file->main || file->main->indicator->use != USE_COUNT || !curve->peak_observed)
        return 0;
    size_t from = plateau_of(file);
    if (from == SIZE_MAX)
        return 0;
    double most = track_most(file->main, curve->count);
    bool grew = track_first(file->main, curve->count) < 0.8 * most;
    bool whole = most > 0.9 && fabs(most - round(most)) < plateau_spread * most;
    return grew && whole && (in_bytes(file->main) || is_pinned(file, from, round(most)))
               ? round(most)
               : 0;
}

static void weigh_plateau(struct case_file *file)
{
    const struct curve *curve = file->field->curve;
    const struct track *main = file->main;
    char room[EVIDENCE_ROOM];
    size_t from = main ? plateau_of(file) : SIZE_MAX;
    if (from == SIZE_MAX || !curve->peak_observed)
        return;
    double most = track_most(main, curve->count), first = track_first(main, curve->count);
    double score = 0, at = curve->points[from].load;
    bool grew = first < 0.8 * most;
    if (main->indicator->use == USE_COUNT)
        score = file->whole > 0 || (grew && in_bytes(main)) ? 2 : 0;
    else if (most >= main->indicator->limit && (grew || curve->count < 4) && !is_allocated(file))
        score = main->indicator->use == USE_WEAK ? 1 : 2;
    if (score <= 0)
        return;
    struct evidence *evidence =
        bottleneck_add(file->out, EVIDENCE_PLATEAU, score,
                       "stays at %s from %g to %g%s, while the load still rises",
                       evidence_number(room, main, most), at, curve->points[curve->count - 1].load,
                       curve_unit(curve));
    evidence_source(evidence, main, most, main->indicator->limit, at);
    if (file->onset == SIZE_MAX)
        file->onset = from;
}

/* ---- what waits, what wants, what fails ------------------------------------------------------ */

/* The share of a KV cache at the same thing is what tells whom a queue of requests waits for. */
static const struct track *cache_of(const struct case_file *file)
{
    for (size_t i = 0; i < file->field->track_count; i++) {
        const struct track *track = &file->field->tracks[i];
        if (strcmp(track->like->metric, "llm.kv_cache_share") == 0 &&
            strcmp(track->like->thing, file->candidate->thing) == 0)
            return track;
    }
    return NULL;
}

static bool cache_full(const struct case_file *file)
{
    const struct track *cache = cache_of(file);
    return cache && track_most(cache, file->field->curve->count) >= cache->indicator->limit;
}

static void weigh_one_queue(struct case_file *file, const struct track *track)
{
    const struct curve *curve = file->field->curve;
    size_t count = curve->count, from = 0;
    double first = track_first(track, count), last = track_last(track, count);
    if (!(last >= 1) || last < 2 * first + 0.5)
        return;
    while (from < count && !(track->values[from] >= fmax(1, 0.05 * last)))
        from++;
    double inside = curve->points[count - 1].concurrency;
    bool most = inside > 0 && last > 0.4 * inside;
    bool slots = strcmp(file->candidate->kind, "slots") == 0;
    bool grows = slots && engine_grows(curve, file->candidate->thing);
    struct evidence *evidence = bottleneck_add(
        file->out, EVIDENCE_QUEUE,
        grows  ? 0.5
        : most ? 4
               : 2,
        "%.3g wait for it at %g%s%s", last, curve->points[count - 1].load, curve_unit(curve),
        grows  ? ", while the batch grows all the same: it is not full"
        : most ? ", the larger part of all that is under way"
               : "");
    evidence_source(evidence, track, last, 1, curve->points[from < count ? from : 0].load);
    if (slots && cache_full(file)) {
        /* All that speaks for slots, the cache explains: as many run as it holds. */
        struct evidence *not =
            bottleneck_add(file->out, EVIDENCE_QUEUE, -fmax(3.5, file->out->score),
                           "the KV cache is full: the queue waits for memory");
        evidence_source(not, cache_of(file), track_most(cache_of(file), count), 0.95, NAN);
        file->out->ceiling = file->out->ceiling_low = file->out->ceiling_high = NAN;
    }
    if (file->onset == SIZE_MAX || (isnan(file->out->ceiling) && from < file->onset))
        file->onset = from;
}

static bool was_late(const struct curve_point *point)
{
    bool late = false;
    for (size_t i = 0; i < point->level_count; i++)
        late |= point->levels[i]->generator == 2;
    return late;
}

/* Want grows with the load: what is gone at the highest one was somebody else's. */
static void weigh_sign(struct case_file *file, const struct track *track)
{
    const struct curve *curve = file->field->curve;
    size_t count = curve->count, from = 0;
    char room[EVIDENCE_ROOM];
    double limit = track->indicator->limit, most = track_most(track, count);
    bool event = track->indicator->use == USE_EVENT;
    while (from < count && (!(track->values[from] > limit) || was_late(&curve->points[from])))
        from++;
    if (from == count || (!event && !(track_last(track, count) > limit)) ||
        (from == 0 && count > 2 && track->values[0] > 0.7 * most))
        return;
    struct evidence *evidence = bottleneck_add(
        file->out, event ? EVIDENCE_ERRORS : EVIDENCE_QUEUE, event ? 2.5 : 1.5,
        "%s: %s from %g%s on", track->like->metric, evidence_number(room, track, most),
        curve->points[from].load, curve_unit(curve));
    evidence_source(evidence, track, most, limit, curve->points[from].load);
    if (file->onset == SIZE_MAX)
        file->onset = from;
}

static void weigh_signs(struct case_file *file)
{
    const struct field *field = file->field;
    bool cache = strcmp(file->candidate->kind, "kv-cache") == 0;
    for (size_t i = 0; i < file->candidate->track_count; i++) {
        const struct track *track = &field->tracks[file->candidate->tracks[i]];
        if (track->indicator->use == USE_QUEUE)
            weigh_one_queue(file, track);
        else if (track->indicator->use == USE_WANT || track->indicator->use == USE_EVENT)
            weigh_sign(file, track);
    }
    for (size_t i = 0; cache && cache_full(file) && i < field->track_count; i++)
        if (strcmp(field->tracks[i].like->metric, "llm.waiting") == 0 &&
            strcmp(field->tracks[i].like->thing, file->candidate->thing) == 0)
            weigh_one_queue(file, &field->tracks[i]);
}

static void weigh_errors(struct case_file *file)
{
    const struct curve *curve = file->field->curve;
    const struct level_error *errors;
    double share;
    size_t at;
    if (!first_errors(file, &at, &errors, &share))
        return;
    double load = curve->points[at].load;
    if (file->onset == SIZE_MAX || at > file->onset + 2 || file->onset > at + 2)
        return;
    struct evidence *evidence = bottleneck_add(file->out, EVIDENCE_ERRORS, file->peaked ? 2.5 : 1,
                                               "%.2g %% \"%s\" from %g%s on", 100 * share,
                                               errors->words, load, curve_unit(curve));
    evidence->metric = memory_copy_text("failures of the run");
    evidence->value = share;
    evidence->limit = curve->slo_error_share / 2;
    evidence->load = load;
}

/* ---- all of it ------------------------------------------------------------------------------- */

/* "Embedding CPU": the thing, then what of it. */
static char *name_of(const struct candidate *candidate, const struct track *main)
{
    struct text name = TEXT_EMPTY;
    const char *thing = candidate->thing;
    bool known = strcmp(candidate->kind, "resource") != 0 && strcmp(candidate->kind, "queue") != 0;
    struct text kind = TEXT_EMPTY;
    text_puts(&kind, candidate->kind);
    for (size_t i = 0; i < kind.bytes; i++)
        kind.at[i] = kind.at[i] == '-' ? ' ' : kind.at[i];
    const char *label = *candidate->label ? candidate->label
                        : known           ? kind.at
                        : main            ? main->like->metric
                                          : "";
    bool said = strstr(label, thing) != NULL;
    text_printf(&name, "%s%s%s%s%s", said ? "" : thing, said ? "" : " ", label,
                *candidate->part ? " " : "", candidate->part);
    text_fini(&kind);
    return text_take(&name);
}

/* The use at the tested load nearest to this one. */
static double value_near(const struct case_file *file, double load)
{
    const struct curve *curve = file->field->curve;
    size_t near = 0;
    for (size_t i = 1; i < curve->count; i++)
        if (fabs(curve->points[i].load - load) < fabs(curve->points[near].load - load))
            near = i;
    return file->main ? file->main->values[near] : (double)NAN;
}

static void place(struct case_file *file)
{
    const struct curve *curve = file->field->curve;
    struct bottleneck *out = file->out;
    bool rate = !isnan(out->ceiling);
    out->predicted = file->onset == SIZE_MAX;
    out->load = out->load_low = out->load_high = NAN;
    out->value_there = NAN;
    if (rate && out->predicted) {
        out->load = curve_load_for(curve, out->ceiling);
        out->load_low = curve_load_for(curve, out->ceiling_low);
        out->load_high = curve_load_for(curve, out->ceiling_high);
    } else if (!out->predicted) {
        size_t at = file->onset;
        out->load = out->load_high = curve->points[at].load;
        out->load_low = curve->points[at > 0 ? at - 1 : 0].load;
        double meets = file->main && !isnan(curve->asymptote) ? curve->asymptote : (double)NAN;
        if (rate && meets < out->load) { /* it is not full before the asymptotes have met */
            out->load = meets;
            out->load_low = fmin(out->load_low, meets);
        }
        out->value_there = value_near(file, out->load);
    }
}

void candidate_judge(const struct field *field, const struct candidate *candidate, size_t bend,
                     struct bottleneck *out)
{
    struct case_file file = {
        .field = field, .candidate = candidate, .bend = bend, .onset = SIZE_MAX, .out = out};
    size_t best = candidate->main != SIZE_MAX ? candidate->main : candidate->tracks[0];
    file.main = candidate->main != SIZE_MAX ? &field->tracks[best] : NULL;
    const struct track *shown = &field->tracks[best];
    *out = (struct bottleneck){
        .kind = memory_copy_text(candidate->kind),
        .name = name_of(candidate, shown),
        .thing = memory_copy_text(candidate->thing),
        .role = memory_copy_text(candidate->role),
        .metric = memory_copy_text(shown->like->metric),
        .part = memory_copy_text(shown->like->part),
        .unit = memory_copy_text(shown->like->unit),
        .value = track_last(shown, field->curve->count),
        .limit = shown->indicator->limit,
        .headroom = NAN,
    };
    file.whole = whole_of(&file);
    evidence_find_ceiling(&file);
    weigh_onset(&file);
    weigh_plateau(&file);
    evidence_weigh_ceiling(&file);
    weigh_signs(&file);
    weigh_errors(&file);
    place(&file);
}
