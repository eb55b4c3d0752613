/* What a plan will do, in words: for people who would rather know before it does. Numbers that
 * depend on how fast the target answers are given as bounds, and said to be that. */
#include "plan/mask.h"
#include "plan/part.h"

#include "base/memory.h"
#include "base/unit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    COLUMNS = 80,
    SKETCH_COLUMNS = 60,
    SKETCH_ROWS = 5,
    LONGEST_PATH = 50, /* of a setting, that the columns beside it stay aligned to */
    LEAST_VALUE = 12,
    BYTES_A_USER = 1024,
    BYTES_A_CONNECTION = 16384
};

static nsec_t scenario_end(const struct plan_scenario *scenario)
{
    nsec_t end = scenario->start_time_ns;
    for (size_t i = 0; i < scenario->stage_count; i++)
        end += scenario->stages[i].duration_ns;
    return end;
}

static double most_of(const struct plan_scenario *scenario)
{
    double most = 0;
    for (size_t i = 0; i < scenario->stage_count; i++)
        most = fmax(most, scenario->stages[i].target);
    return most;
}

/* Users (or rate) over time, in five rows of sixty. */
static void put_sketch(const struct plan_scenario *scenario, struct text *out)
{
    double most = most_of(scenario);
    nsec_t end = scenario_end(scenario), begin = scenario->start_time_ns;
    char room[UNIT_ROOM];
    if (most <= 0 || end <= begin)
        return;
    for (int row = SKETCH_ROWS; row > 0; row--) {
        double bottom = most * (row - 0.5) / SKETCH_ROWS;
        if (row == SKETCH_ROWS)
            text_printf(out, "  %8s |", unit_write_number(room, most));
        else
            text_puts(out, "           |");
        size_t blanks = 0;
        for (int column = 0; column < SKETCH_COLUMNS; column++) {
            nsec_t at = begin + (nsec_t)((double)(end - begin) * (column + 0.5) / SKETCH_COLUMNS);
            if (scenario_target_at(scenario, at) < bottom) {
                blanks++;
                continue;
            }
            for (; blanks > 0; blanks--)
                text_putc(out, ' ');
            text_putc(out, '#');
        }
        text_putc(out, '\n');
    }
    text_printf(out, "         0 +%.*s\n", SKETCH_COLUMNS,
                "------------------------------------------------------------");
    text_printf(out, "            0 s%*s\n", SKETCH_COLUMNS - 3,
                unit_write_duration(room, end - begin));
}

/* Area under the targets: user-seconds, or arrivals. */
static double area_of(const struct plan_scenario *scenario)
{
    double area = 0, from = scenario->start_target;
    for (size_t i = 0; i < scenario->stage_count; i++) {
        const struct plan_stage *stage = &scenario->stages[i];
        double seconds = (double)stage->duration_ns / (double)NSEC_PER_SEC;
        area += seconds * (stage->jump ? stage->target : (from + stage->target) / 2);
        from = stage->target;
    }
    return area;
}

/* How often a request is sent in one iteration: once, or once a turn of its conversation, with
 * pauses between. */
static double turns_of(const struct plan *plan, const struct plan_request *request, double *think_s)
{
    if (!request->conversation)
        return 1;
    const struct plan_prompts *prompts = plan->feeders[request->conversation - 1].prompts;
    double turns = fmax(1, distribution_mean(&prompts->turns)), users = 0;
    for (size_t i = 0; i < prompts->dialog_count; i++)
        users += fmin(turns, prompts->dialogs[i].users);
    if (prompts->dialog_count)
        turns = users / (double)prompts->dialog_count;
    *think_s += (turns - 1) * distribution_mean(&request->think);
    return turns;
}

/* Requests and pauses of one iteration, averaged over the weights. */
static void iteration_means(const struct plan *plan, const struct plan_scenario *scenario,
                            double *requests, double *think_s)
{
    double weights = 0;
    *requests = 0;
    *think_s = distribution_mean(&scenario->think);
    for (uint32_t i = 0; i < scenario->task_count; i++)
        weights += plan->tasks[scenario->first_task + i].weight;
    for (uint32_t i = 0; i < scenario->task_count; i++) {
        const struct plan_task *task = &plan->tasks[scenario->first_task + i];
        double share = task->weight / weights;
        for (uint32_t j = 0; j < task->request_count; j++)
            *requests += share * turns_of(plan, &plan->requests[task->first_request + j], think_s);
        for (uint32_t j = 0; j + 1 < task->request_count; j++)
            *think_s += share * distribution_mean(&plan->requests[task->first_request + j].think);
    }
}

/* The arrivals of a trace that come before the scenario ends. */
static uint64_t arrivals_before(const struct plan_scenario *scenario)
{
    uint64_t count = 0;
    nsec_t lasts_ns = scenario_end(scenario) - scenario->start_time_ns;
    while (count < scenario->instant_count && scenario->instants[count] < lasts_ns)
        count++;
    return count;
}

static void put_requests(const struct plan *plan, const struct plan_scenario *scenario,
                         struct text *out)
{
    double requests = 0, think = 0;
    char some[UNIT_ROOM], other[UNIT_ROOM];
    iteration_means(plan, scenario, &requests, &think);
    double area = area_of(scenario);
    double pace = (double)scenario->pacing_ns / (double)NSEC_PER_SEC;
    text_puts(out, "  requests   ");
    if (scenario->executor == EXECUTOR_REPLAY) {
        text_printf(out, "%s, at the instants of the trace\n",
                    unit_write_count(some, arrivals_before(scenario)));
    } else if (scenario->iterations) {
        double all = requests * (double)scenario->iterations;
        if (scenario->executor == EXECUTOR_PER_VU_ITERATIONS)
            all *= (double)scenario->vus;
        text_printf(out, "%s\n", unit_write_count(some, (uint64_t)(all + 0.5)));
    } else if (scenario_is_open(scenario)) {
        text_printf(out, "about %s, whatever the target does\n",
                    unit_write_count(some, (uint64_t)(area * requests + 0.5)));
    } else if (fmax(think, pace) > 0) {
        text_printf(
            out, "at most %s (think time alone); about %s if each reply takes 1 s\n",
            unit_write_count(some, (uint64_t)(area * requests / fmax(think, pace))),
            unit_write_count(other, (uint64_t)(area * requests / fmax(think + requests, pace))));
    } else {
        text_puts(out, "as many as the target answers: users have no think time\n");
    }
}

static void put_mix(const struct plan *plan, const struct plan_scenario *scenario, struct text *out)
{
    double weights = 0;
    char share[UNIT_ROOM];
    for (uint32_t i = 0; i < scenario->task_count; i++)
        weights += plan->tasks[scenario->first_task + i].weight;
    for (uint32_t i = 0; i < scenario->task_count; i++) {
        const struct plan_task *task = &plan->tasks[scenario->first_task + i];
        text_printf(out, "  %-10s %s %s", i ? "" : "tasks",
                    unit_write_share(share, task->weight / weights), task->name);
        if (task->request_count > 1)
            text_printf(out, " (%u requests in order)", task->request_count);
        text_putc(out, '\n');
    }
}

static void put_stages(const struct plan_scenario *scenario, struct text *out)
{
    enum { SHOWN = 12 };
    char room[UNIT_ROOM];
    for (size_t i = 0; i < scenario->stage_count && i < SHOWN; i++) {
        const struct plan_stage *stage = &scenario->stages[i];
        text_printf(out, "  %-10s %s, %s%s\n", i ? "" : "stages", stage->name,
                    unit_write_duration(room, stage->duration_ns),
                    stage->excluded ? " (kept out of the results)" : "");
    }
    if (scenario->stage_count > SHOWN)
        text_printf(out, "             and %zu more\n", scenario->stage_count - SHOWN);
}

static void put_scenario(const struct plan *plan, const struct plan_scenario *scenario,
                         struct text *out)
{
    char room[UNIT_ROOM];
    text_printf(out, "\nscenario %s: %s%s%s, %s\n", scenario->name,
                executor_name(scenario->executor), scenario->pattern ? ", pattern " : "",
                scenario->pattern ? scenario->pattern : "",
                unit_write_duration(room, scenario_end(scenario) - scenario->start_time_ns));
    text_printf(out, "  %s over time\n",
                scenario_is_open(scenario) ? "iterations begun a second" : "users");
    put_sketch(scenario, out);
    put_stages(scenario, out);
    put_mix(plan, scenario, out);
    put_requests(plan, scenario, out);
    for (size_t i = 0; i < scenario->until_count; i++)
        text_printf(out, "  %-10s %s\n", i ? "" : "ends when", scenario->until[i]);
}

/* What this machine must give for it. */
static void put_needs(const struct plan *plan, struct text *out)
{
    double users = 0;
    bool bounded = true;
    size_t rows = 0;
    char some[UNIT_ROOM], memory[UNIT_ROOM];
    for (size_t i = 0; i < plan->scenario_count; i++) {
        const struct plan_scenario *scenario = &plan->scenarios[i];
        bool open = scenario_is_open(scenario);
        users += open ? (double)scenario->max_vus : (double)scenario->vus;
        bounded = bounded && (!open || scenario->max_vus);
    }
    for (size_t i = 0; i < plan->feeder_count; i++)
        rows += plan->feeders[i].row_count;
    double connections = users;
    if (plan->connections.mode == POOL_SHARED && plan->connections.most) {
        connections = fmin(bounded ? users : INFINITY, (double)plan->connections.most);
        bounded = true;
    }
    text_puts(out, "\nthis machine\n");
    text_printf(out, "  descriptors  %s%s and some 40 for the program%s\n",
                unit_write_count(some, (uint64_t)connections), bounded ? "" : " or more",
                bounded ? ""
                        : ": an open model opens as many connections as arrivals need; "
                          "max_vus bounds it");
    text_printf(
        out, "  memory       about %s\n",
        unit_write_bytes(memory, 16e6 + users * BYTES_A_USER + connections * BYTES_A_CONNECTION));
    if (rows)
        text_printf(out, "  data         %s rows\n", unit_write_count(some, rows));
}

/* What is sent where prompts are not written out. */
static void put_prompts(const struct plan_feeder *feeder, struct text *out)
{
    const struct plan_prompts *prompts = feeder->prompts;
    char some[UNIT_ROOM];
    text_printf(out, "  %-12s ", feeder->name);
    if (prompts->source == PROMPT_SYNTHETIC) {
        text_printf(out, "made prompts of %s tokens on average, each a new one",
                    unit_write_number(some, distribution_mean(&prompts->tokens)));
        if (prompts->shared_prefix > 0)
            text_printf(out, "; %s of each is shared",
                        unit_write_share(some, prompts->shared_prefix));
        if (prompts->prefix_tokens)
            text_printf(out, "; %s shared ones before them",
                        unit_write_count(some, prompts->prefix_tokens));
    } else if (prompts->source == PROMPT_DATASET) {
        text_printf(out, "%s %s of %s", unit_write_count(some, prompts->dialog_count),
                    prompts->turns.spread == SPREAD_NONE ? "prompts" : "conversations",
                    feeder->file);
        if (prompts->left_out)
            text_printf(out, "; %s records left out", unit_write_count(some, prompts->left_out));
    } else {
        text_printf(out, "lengths of %s requests of %s",
                    unit_write_count(some, prompts->arrival_count), feeder->file);
    }
    text_putc(out, '\n');
}

static void put_data(const struct plan *plan, struct text *out)
{
    bool first = true;
    for (size_t i = 0; i < plan->feeder_count; i++) {
        if (!plan->feeders[i].prompts)
            continue;
        text_puts(out, first ? "\ndata\n" : "");
        first = false;
        put_prompts(&plan->feeders[i], out);
    }
}

/* The columns of text that has no wide letters: its bytes but those that continue one. */
static size_t letters(const char *words)
{
    size_t count = 0;
    for (; *words; words++)
        count += ((unsigned char)*words & 0xC0) != 0x80;
    return count;
}

static bool is_default(const struct plan_origin *origin)
{
    return strcmp(origin->origin, "default") == 0;
}

/* "demo.yaml:35" of "example/demo.yaml:35": the reader knows which plan was named. */
static const char *short_origin(const struct plan_origin *origin)
{
    const char *slash = strrchr(origin->origin, '/');
    return slash ? slash + 1 : origin->origin;
}

/* The first line of a value, at most so many bytes of it. */
static void put_value(const char *words, size_t most, struct text *out)
{
    size_t bytes = strcspn(words, "\r\n");
    bool cut = bytes > most || words[bytes];
    text_put(out, (struct span){words, bytes > most ? most : bytes});
    while (cut && out->bytes && (out->at[out->bytes - 1] & 0x80)) /* no half characters */
        out->at[--out->bytes] = '\0';
    text_puts(out, cut ? "…" : "");
    text_reserve(out, 1);
}

static void put_origins(const struct plan_reading *reading, bool all, struct text *out)
{
    size_t path = 0, place = 0, left_out = 0;
    for (size_t i = 0; i < reading->origin_count; i++) {
        const struct plan_origin *origin = &reading->origins[i];
        if (!all && is_default(origin)) {
            left_out++;
            continue;
        }
        size_t path_bytes = strlen(origin->path), place_bytes = strlen(short_origin(origin));
        path = path_bytes > path ? path_bytes : path;
        place = place_bytes > place ? place_bytes : place;
    }
    path = path > LONGEST_PATH ? LONGEST_PATH : path;
    size_t value =
        path + place + LEAST_VALUE + 4 > COLUMNS ? LEAST_VALUE : COLUMNS - path - place - 4;
    text_puts(out, "\nsettings and where they come from\n");
    for (size_t i = 0; i < reading->origin_count; i++) {
        const struct plan_origin *origin = &reading->origins[i];
        struct text words = TEXT_EMPTY;
        if (!all && is_default(origin))
            continue;
        put_value(origin->value, value - 1, &words);
        size_t wide = letters(words.at), pad = value > wide ? value - wide : 0;
        text_printf(out, "  %-*s %s%*s %s\n", (int)path, origin->path, words.at, (int)pad, "",
                    short_origin(origin));
        text_fini(&words);
    }
    if (left_out)
        text_printf(out, "  and %zu more by default (--all)\n", left_out);
}

void plan_explain(const struct plan_reading *reading, bool all, struct text *out)
{
    const struct plan *plan = reading->plan;
    char room[UNIT_ROOM];
    if (!plan)
        return;
    text_printf(out, "%s", plan->name);
    if (plan->target) {
        text_puts(out, " against ");
        text_put_masked(out, plan->target);
    } else if (plan->targets.count) {
        text_printf(out, " against %zu targets", plan->targets.count);
    }
    text_printf(out, ", %s", unit_write_duration(room, plan_duration(plan)));
    text_printf(out, ", seed %llu\n", (unsigned long long)plan->seed);
    if (plan->description)
        text_printf(out, "%s\n", plan->description);
    for (size_t i = 0; i < plan->service_count; i++) {
        const struct plan_service *service = &plan->services[i];
        text_printf(out, "%s service %s", i ? "      " : "first:", service->name);
        if (service->health)
            text_printf(out, " must answer at %s within %s", service->health,
                        unit_write_duration(room, service->wait_ns));
        text_putc(out, '\n');
    }
    for (size_t i = 0; i < plan->scenario_count; i++)
        put_scenario(plan, &plan->scenarios[i], out);
    put_data(plan, out);
    put_needs(plan, out);
    put_origins(reading, all, out);
}
