/* study/scope.c - requests and phases are chosen first; then their sums are added, from the whole
 * run or from the points of a window. */
#include "study/scope.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool same(const char *one, const char *other)
{
    return one != NULL && other != NULL && strcmp(one, other) == 0;
}

static bool keyed_level(const struct measure_scope *scope)
{
    return same(scope->key, "level");
}

static bool wants_level(const struct measure_scope *scope)
{
    return keyed_level(scope) || scope->level != 0;
}

/* Tags of a task stand in the fact "tags TASK", separated by blanks: "team=search" or "slow". */
static bool task_has_tag(const struct result *result, const char *task, const char *key,
                         const char *value)
{
    struct text name = TEXT_EMPTY, wanted = TEXT_EMPTY;
    text_printf(&name, "tags %s", task ? task : "");
    if (same(key, "tag"))
        text_puts(&wanted, value);
    else
        text_printf(&wanted, "%s=%s", key, value);
    const char *tags = result_fact(result, name.at);
    bool found = false;
    while (tags != NULL && *tags != '\0' && !found) {
        size_t length = strcspn(tags, " ");
        found = length == wanted.bytes && memcmp(tags, wanted.at, length) == 0;
        tags += length + (tags[length] == ' ');
    }
    text_fini(&name);
    text_fini(&wanted);
    return found;
}

/* Keys that do not choose among requests. */
static bool chooses_requests(const char *key)
{
    static const char *const others[] = {"level", "error", "status", "service"};
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
        if (same(key, others[i]))
            return false;
    return key != NULL;
}

static bool request_chosen(const struct result *result, const struct result_request *request,
                           const struct measure_scope *scope)
{
    if (scope->task != NULL && !same(request->task, scope->task) &&
        !same(request->name, scope->task))
        return false;
    if (!chooses_requests(scope->key))
        return true;
    if (same(scope->key, "task"))
        return same(request->task, scope->value) || same(request->name, scope->value);
    if (same(scope->key, "request") || same(scope->key, "name"))
        return same(request->name, scope->value);
    if (same(scope->key, "scenario"))
        return same(request->scenario, scope->value);
    return task_has_tag(result, request->task, scope->key, scope->value ? scope->value : "");
}

static bool near(double one, double other)
{
    return fabs(one - other) <= 1e-9 * fabs(other);
}

/* A level is chosen by its target (50), or by its name ("level 2 of 3: 50 users"). */
static bool phase_chosen(const struct result_phase *phase, const struct measure_scope *scope)
{
    if (!phase->level || (scope->level != 0 && !near(phase->target, scope->level)))
        return false;
    if (!keyed_level(scope) || same(phase->name, scope->value))
        return true;
    const char *words = scope->value ? scope->value : "";
    char *end;
    double target = strtod(words, &end);
    return end != words && *end == '\0' && near(phase->target, target);
}

static bool some_phase_chosen(const struct result *result, const struct measure_scope *scope)
{
    for (size_t i = 0; i < result->phase_count; i++)
        if (phase_chosen(&result->phases[i], scope))
            return true;
    return false;
}

bool scope_has_point(const struct result *result, const struct measure_scope *scope,
                     const struct result_point *point)
{
    if (point->phase < result->phase_count) {
        const struct result_phase *phase = &result->phases[point->phase];
        if (phase->excluded || (wants_level(scope) && !phase_chosen(phase, scope)))
            return false;
    }
    nsec_t middle = point->begin_ns + (point->end_ns - point->begin_ns) / 2;
    return scope->end_ns == 0 || (middle >= scope->begin_ns && middle <= scope->end_ns);
}

/* Adds what the points of the window hold of one request, or of all (index SIZE_MAX). */
static void add_points(struct result_sum *to, const struct result *result,
                       const struct measure_scope *scope, size_t request)
{
    for (size_t i = 0; i < result->point_count; i++) {
        const struct result_point *point = &result->points[i];
        if (!scope_has_point(result, scope, point))
            continue;
        const struct result_sum *sum = point->sum;
        if (request != SIZE_MAX)
            sum = point->requests ? point->requests[request] : NULL;
        if (sum != NULL)
            result_sum_merge(to, sum, &result->metrics);
    }
}

/* Adds what the phases of the level hold of one request, or of all. */
static void add_level(struct result_sum *to, const struct result *result,
                      const struct measure_scope *scope, size_t request)
{
    for (size_t i = 0; i < result->phase_count; i++) {
        const struct result_phase *phase = &result->phases[i];
        if (!phase_chosen(phase, scope))
            continue;
        const struct result_sum *sum = phase->sum;
        if (request != SIZE_MAX)
            sum = result->requests[request].phase ? result->requests[request].phase[i] : NULL;
        if (sum != NULL)
            result_sum_merge(to, sum, &result->metrics);
    }
}

static void add_request(struct result_sum *to, const struct result *result,
                        const struct measure_scope *scope, size_t request)
{
    if (scope->end_ns != 0)
        add_points(to, result, scope, request);
    else if (wants_level(scope))
        add_level(to, result, scope, request);
    else if (request == SIZE_MAX)
        result_sum_merge(to, result->total, &result->metrics);
    else if (result->requests[request].sum != NULL)
        result_sum_merge(to, result->requests[request].sum, &result->metrics);
}

/* The time that rates are taken over: that of the whole window or level, also where the requests
 * chosen did nothing in parts of it. */
static void set_measured(struct result_sum *sum, const struct result *result,
                         const struct measure_scope *scope)
{
    if (scope->end_ns == 0 && !wants_level(scope))
        return;
    sum->measured_ns = 0;
    for (size_t i = 0; scope->end_ns != 0 && i < result->point_count; i++)
        if (scope_has_point(result, scope, &result->points[i]))
            sum->measured_ns += result->points[i].end_ns - result->points[i].begin_ns;
    for (size_t i = 0; scope->end_ns == 0 && i < result->phase_count; i++)
        if (phase_chosen(&result->phases[i], scope) && result->phases[i].sum != NULL)
            sum->measured_ns += result->phases[i].sum->measured_ns;
}

static int say_no_request(const struct measure_scope *scope, struct text *why)
{
    if (chooses_requests(scope->key))
        text_printf(why, "no request of this run has %s \"%s\"", scope->key,
                    scope->value ? scope->value : "");
    else
        text_printf(why, "no request of this run belongs to task \"%s\"", scope->task);
    return MEASURE_NOT_KNOWN;
}

int scope_sum_init(struct scope_sum *scoped, const struct result *result,
                   const struct measure_scope *scope, struct text *why)
{
    *scoped = (struct scope_sum){0};
    if (wants_level(scope) && !some_phase_chosen(result, scope)) {
        if (keyed_level(scope))
            text_printf(why, "no load level \"%s\" in this run", scope->value ? scope->value : "");
        else
            text_printf(why, "no load level of %g in this run", scope->level);
        return MEASURE_NOT_KNOWN;
    }
    bool some = scope->task != NULL || chooses_requests(scope->key);
    if (!some && !wants_level(scope) && scope->end_ns == 0) {
        scoped->sum = result->total;
        return 0;
    }
    scoped->owned = result_sum_new(&result->metrics);
    scoped->sum = scoped->owned;
    bool found = !some;
    if (!some)
        add_request(scoped->owned, result, scope, SIZE_MAX);
    for (size_t i = 0; some && i < result->request_count; i++) {
        if (!request_chosen(result, &result->requests[i], scope))
            continue;
        found = true;
        add_request(scoped->owned, result, scope, i);
    }
    if (found) {
        set_measured(scoped->owned, result, scope);
        return 0;
    }
    scope_sum_fini(scoped, result);
    return say_no_request(scope, why);
}

void scope_sum_fini(struct scope_sum *scoped, const struct result *result)
{
    result_sum_free(scoped->owned, &result->metrics);
    *scoped = (struct scope_sum){0};
}
