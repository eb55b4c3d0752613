/* The advice as JSON: all that the text says, and all that it rests on. */
#include "show/advice.h"
#include "show/document.h"

#include <math.h>

static json_t *span_of_numbers(double low, double high)
{
    json_t *object = json_object();
    json_object_set_new(object, "low", document_number(low));
    json_object_set_new(object, "high", document_number(high));
    return object;
}

static void put_number(json_t *object, const char *key, double number)
{
    json_object_set_new(object, key, document_number(number));
}

static json_t *bound_document(const struct case_bound *bound)
{
    json_t *object = json_object();
    json_object_set_new(object, "kind", document_text(bound->kind));
    json_object_set_new(object, "name", document_text(bound->name));
    json_object_set_new(object, "thing", document_text(bound->thing));
    json_object_set_new(object, "role", document_text(bound->role));
    json_object_set_new(object, "metric", document_text(bound->metric));
    json_object_set_new(object, "evidence", document_text(bound->evidence));
    json_object_set_new(object, "standing", document_text(bound->standing));
    json_object_set_new(object, "confidence", document_text(bound->confidence));
    put_number(object, "load", bound->load);
    put_number(object, "ceiling_rps", bound->ceiling);
    json_object_set_new(object, "predicted", json_boolean(bound->predicted));
    return object;
}

/* Where the evidence stands in the analysis that was read: a JSON pointer (RFC 6901). */
static json_t *place_of(const struct advice_case *the_case, size_t bound)
{
    size_t primaries = 0;
    while (primaries < the_case->bound_count && the_case->bounds[primaries].primary)
        primaries++;
    bool primary = bound < primaries;
    return json_sprintf("/%s/%d/evidence", primary ? "primary" : "secondary",
                        (int)(primary ? bound : bound - primaries));
}

static json_t *steps_document(const struct advice_view *view)
{
    json_t *all = json_array();
    for (size_t i = 0; i < view->advice->step_count; i++) {
        const struct advice_step *step = &view->advice->steps[i];
        const struct case_bound *bounds = view->the_case->bounds;
        json_t *one = json_object();
        json_object_set_new(one, "bottleneck", bound_document(&bounds[step->bound]));
        put_number(one, "factor", step->factor);
        put_number(one, "useful_factor", step->useful);
        put_number(one, "allows_rps", step->allows);
        json_object_set_new(one, "evidence_at", place_of(view->the_case, step->bound));
        bool known = step->next != SIZE_MAX;
        json_object_set_new(one, "next", known ? bound_document(&bounds[step->next]) : json_null());
        json_object_set_new(one, "next_beyond_target", json_boolean(step->last));
        json_array_append_new(all, one);
    }
    return all;
}

static json_t *items_document(const struct advice_view *view, enum remedy_group group)
{
    json_t *all = json_array();
    for (size_t i = 0; i < view->advice->item_count; i++) {
        const struct advice_item *item = &view->advice->items[i];
        if (item->group != group)
            continue;
        json_t *one = json_object();
        json_object_set_new(one, "id", document_text(item->id));
        json_object_set_new(one, "action", document_text(item->action));
        json_object_set_new(one, "reason", document_text(item->reason));
        json_object_set_new(one, "impact", document_text(item->impact));
        json_object_set_new(one, "tradeoff", document_text(item->tradeoff));
        json_object_set_new(one, "source", document_text(item->source));
        json_object_set_new(one, "address", document_text(item->address));
        json_object_set_new(one, "date", document_text(item->date));
        json_object_set_new(one, "evidence_at", place_of(view->the_case, item->bound));
        json_object_set_new(one, "bottleneck",
                            document_text(view->the_case->bounds[item->bound].name));
        json_array_append_new(all, one);
    }
    return all;
}

static json_t *delay_document(const struct advice_delay *delay)
{
    if (delay->state == DELAY_NOT_KNOWN)
        return json_null();
    json_t *object = json_object();
    bool sized = delay->state == DELAY_SIZED;
    json_object_set_new(object, "reachable", json_boolean(sized));
    put_number(object, "limit_p95_s", delay->limit_s);
    put_number(object, "servers_of_one", delay->servers);
    put_number(object, "service_s", delay->service_s);
    put_number(object, "service_p95_s", delay->p95_s);
    put_number(object, "service_variation", delay->variation);
    json_object_set_new(object, "variation_assumed", json_boolean(delay->assumed));
    put_number(object, "replicas", sized ? (double)delay->replicas : (double)NAN);
    put_number(object, "replicas_shared_queue",
               sized ? (double)delay->replicas_shared : (double)NAN);
    put_number(object, "p95_s", sized ? delay->response_s : (double)NAN);
    put_number(object, "utilisation_share", sized ? delay->utilisation : (double)NAN);
    return object;
}

/* Beyond twice what was tested a point is null. */
static json_t *replicas_document(const struct advice_view *view)
{
    static const char *const known[] = {"not known", "at least", "sized", "unreachable"};
    const struct advice *advice = view->advice;
    json_t *object = json_object();
    bool sized = advice->replicas_known == REPLICAS_SIZED;
    bool far = advice->count > 2 * advice->replicas_tested;
    double count = advice->count;
    json_object_set_new(object, "answer", json_string(known[advice->replicas_known]));
    put_number(object, "count", sized && !far ? count : (double)NAN);
    put_number(object, "at_least",
               advice->replicas_known == REPLICAS_AT_LEAST ? count : (double)NAN);
    json_object_set_new(object, "range",
                        span_of_numbers(advice->replica_range.low, advice->replica_range.high));
    put_number(object, "median", advice->replica_median);
    put_number(object, "suffices_share", advice->suffices);
    put_number(object, "tested", advice->replicas_tested);
    put_number(object, "without_headroom",
               advice->replicas.bare ? (double)advice->replicas.bare : (double)NAN);
    put_number(object, "peak",
               sized || advice->replicas_known == REPLICAS_UNREACHABLE ? advice->replicas.peak
                                                                       : (double)NAN);
    put_number(object, "peak_rps",
               advice->replicas_known == REPLICAS_UNREACHABLE || sized ? advice->replicas.peak_most
                                                                       : (double)NAN);
    json_object_set_new(object, "scaled_by_capacity", json_boolean(advice->scaled));
    json_object_set_new(object, "delay", delay_document(&advice->delay));
    json_object_set_new(object, "evidence_at", json_string(sized ? "/sizes" : "/curve/capacity"));
    return object;
}

/* What one used at its capacity, and with the headroom. */
static json_t *needs_document(const struct advice_view *view)
{
    json_t *all = json_array();
    for (size_t i = 0; i < view->the_case->need_count; i++) {
        const struct case_need *need = &view->the_case->needs[i];
        json_t *one = json_object();
        json_object_set_new(one, "thing", document_text(need->thing));
        json_object_set_new(one, "metric", document_text(need->metric));
        json_object_set_new(one, "unit", document_text(need->unit));
        put_number(one, "measured", need->value);
        put_number(one, "with_headroom", need->value / view->wish->ceiling);
        put_number(one, "load", need->load);
        json_object_set_new(one, "evidence_at", json_sprintf("/needs/%d", (int)i));
        json_array_append_new(all, one);
    }
    return all;
}

static json_t *cost_document(const struct advice_view *view)
{
    const struct advice *advice = view->advice;
    if (!isfinite(advice->cost.hour))
        return json_null();
    json_t *object = json_object();
    json_object_set_new(object, "currency", document_text(view->wish->prices->currency));
    json_object_set_new(object, "date", document_text(view->wish->prices->date));
    put_number(object, "hour", advice->cost.hour);
    json_object_set_new(object, "hour_range",
                        span_of_numbers(advice->cost_low.hour, advice->cost_high.hour));
    put_number(object, "per_million_requests", advice->cost.million);
    json_object_set_new(object, "per_million_requests_range",
                        span_of_numbers(advice->cost_low.million, advice->cost_high.million));
    return object;
}

static json_t *warnings_document(const struct advice *advice)
{
    json_t *all = json_array();
    for (size_t i = 0; i < advice->warnings.count; i++) {
        json_t *one = json_object();
        json_object_set_new(one, "code", document_text(advice->warnings.rows[i].code));
        json_object_set_new(one, "words", document_text(advice->warnings.rows[i].words));
        json_array_append_new(all, one);
    }
    return all;
}

static void put_frame(const struct advice_view *view, json_t *root)
{
    static const char *const verdicts[] = {"enough", "steps", "unknown", "generator limited"};
    const struct advice *advice = view->advice;
    const struct advice_case *the_case = view->the_case;
    bool rate = the_case->open || view->wish->target_is_rate;
    json_object_set_new(root, "recommendations", json_integer(ADVICE_SCHEMA_VERSION));
    json_object_set_new(root, "name", document_text(the_case->name));
    json_object_set_new(root, "target", document_text(the_case->target));
    json_object_set_new(root, "source", document_text(the_case->source));
    json_object_set_new(root, "verdict", json_string(verdicts[advice->verdict]));
    put_number(root, "target_load", view->wish->target);
    json_object_set_new(root, "target_unit", json_string(rate ? "req/s" : "users"));
    put_number(root, "target_rps", advice->target_rate);
    put_number(root, "tested_load", advice->tested);
    put_number(root, "extrapolation_ratio", advice->ratio);
    put_number(root, "utilisation_ceiling_share", view->wish->ceiling);
    json_object_set_new(root, "spare_replicas", json_integer(view->wish->spare));
    json_object_set_new(root, "zones", json_integer(view->wish->zones));
    put_number(root, "capacity_rps", the_case->capacity);
    json_object_set_new(root, "capacity_range_rps",
                        span_of_numbers(the_case->capacity_low, the_case->capacity_high));
    put_number(root, "expected_rps", advice->expected);
    json_object_set_new(root, "expected_range_rps",
                        span_of_numbers(advice->expected_range.low, advice->expected_range.high));
}

json_t *advice_document(const struct advice_view *view)
{
    json_t *root = json_object();
    put_frame(view, root);
    json_object_set_new(root, "steps", steps_document(view));
    json_object_set_new(root, "replicas", replicas_document(view));
    json_object_set_new(root, "replica_needs", needs_document(view));
    json_object_set_new(root, "cost", cost_document(view));
    for (int group = 0; group < REMEDY_GROUPS; group++)
        json_object_set_new(root, remedy_group_words((enum remedy_group)group),
                            items_document(view, (enum remedy_group)group));
    json_object_set_new(root, "warnings", warnings_document(view->advice));
    return root;
}
