/* Objectives: what should be reached, and what is still accepted. As maps, or as one line:
 *
 *   response_time p95 < 2s accept 2.5s at 100 task chat
 *   error_rate < 0.1% service qdrant */
#include "plan/part.h"

#include "base/memory.h"
#include "base/unit.h"
#include "plan/look.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct objective_form {
    char *metric, *stat, *task, *service, *target, *accept;
    double at;
};

#define FORM(member) offsetof(struct objective_form, member)

const struct setting objective_rows[] = {
    {.name = "metric",
     .type = SETTING_TEXT,
     .offset = FORM(metric),
     .required = true,
     .sentence = "response_time, error_rate, throughput, or another metric"},
    {.name = "stat",
     .type = SETTING_TEXT,
     .offset = FORM(stat),
     .sentence = "p95, avg, max, ...; the metric's own where it is not given"},
    {.name = "target",
     .type = SETTING_TEXT,
     .offset = FORM(target),
     .required = true,
     .sentence = "what should be reached, such as 2s, 1%, or \">10/s\""},
    {.name = "accept",
     .type = SETTING_TEXT,
     .offset = FORM(accept),
     .sentence = "what is still accepted"},
    {.name = "at",
     .type = SETTING_RATE,
     .offset = FORM(at),
     .unset = "0",
     .sentence = "users or rate of the level at which it is judged; 0 is the whole run"},
    {.name = "task", .type = SETTING_TEXT, .offset = FORM(task), .sentence = "only this task"},
    {.name = "service",
     .type = SETTING_TEXT,
     .offset = FORM(service),
     .sentence =
         "only what the reply rules count for this service; for error_rate and success_rate"},
    {.name = NULL},
};

/* "2s", "< 2s", "1%", ">10/s", "0.5": in base units. */
static int read_goal(struct span words, double *value, int *direction)
{
    words = span_trim(words);
    size_t skip = 0;
    if (words.bytes && (words.at[0] == '<' || words.at[0] == '>')) {
        *direction = words.at[0] == '>' ? 1 : -1;
        skip = words.bytes > 1 && words.at[1] == '=' ? 2 : 1;
    }
    words = span_trim((struct span){words.at + skip, words.bytes - skip});
    nsec_t duration = 0;
    if (unit_read_real(words, value) == 0)
        return 0;
    if (unit_read_duration(words, 0, &duration) == 0) {
        *value = (double)duration / (double)NSEC_PER_SEC;
        return 0;
    }
    if (words.bytes && words.at[words.bytes - 1] == '%')
        return unit_read_share(words, value);
    return unit_read_rate(words, value);
}

static bool wants_more(const char *metric)
{
    static const char *const names =
        "throughput http_reqs rps requests goodput success_rate availability "
        "checks iterations";
    return text_has_word(names, metric);
}

static const char *const goal_forms = "for example 2s, 250ms, 1%, or \">10/s\"";

static void add_objective(struct reader *reader, const struct node *node,
                          struct objective_form *form, struct span words)
{
    struct plan *plan = reader->plan;
    struct plan_objective objective = {.at = form->at};
    int direction = 0;
    const struct node *target = node_find(node, "target"), *accept = node_find(node, "accept");
    if (!metric_is_known(reader, node, form->metric))
        return;
    if (read_goal(span_of(form->target), &objective.target, &direction)) {
        reader_error(reader, target ? target : node, goal_forms, "\"%s\" is no goal", form->target);
        return;
    }
    objective.least = direction ? direction > 0 : wants_more(form->metric);
    objective.accept = objective.target;
    int other = 0;
    if (form->accept && read_goal(span_of(form->accept), &objective.accept, &other)) {
        reader_error(reader, accept ? accept : node, goal_forms, "\"%s\" is no goal", form->accept);
        return;
    }
    if (objective.least ? objective.accept > objective.target
                        : objective.accept < objective.target) {
        reader_error(reader, accept ? accept : node, "accept is the looser of the two",
                     "accept %s is stricter than target %s", form->accept, form->target);
        return;
    }
    objective.metric = memory_copy_text(form->metric);
    objective.stat = memory_copy_text(form->stat);
    objective.task = memory_copy_text(form->task);
    objective.service = memory_copy_text(form->service);
    struct text copy = TEXT_EMPTY;
    text_put(&copy, words);
    objective.words = text_take(&copy);
    plan->objectives = memory_resize(plan->objectives, plan->objective_count + 1, sizeof objective);
    plan->objectives[plan->objective_count++] = objective;
}

/* The words of a map, as the line would say it. */
static void put_words(const struct objective_form *form, struct text *out)
{
    const char *sign = strchr("<>", form->target[0]) ? "" : wants_more(form->metric) ? "> " : "< ";
    text_printf(out, "%s%s%s %s%s", form->metric, form->stat ? " " : "",
                form->stat ? form->stat : "", sign, form->target);
    if (form->accept)
        text_printf(out, " accept %s", form->accept);
    if (form->at > 0)
        text_printf(out, " at %g", form->at);
    if (form->task)
        text_printf(out, " task %s", form->task);
    if (form->service)
        text_printf(out, " service %s", form->service);
}

static char *copy_word(struct span word)
{
    struct text copy = TEXT_EMPTY;
    text_put(&copy, word);
    return text_take(&copy);
}

/* Splits "throughput>10/s" and "response_time p95 < 2s accept 2.5s" into the form. */
static int read_line(const char *line, struct objective_form *form)
{
    size_t left = strcspn(line, "<>");
    if (!line[left])
        return 1;
    struct words head = {{line, left}};
    struct span metric = words_next(&head), stat = words_next(&head);
    if (metric.bytes == 0 || words_next(&head).bytes)
        return 1;
    form->metric = copy_word(metric);
    form->stat = stat.bytes ? copy_word(stat) : NULL;
    size_t skip = line[left + 1] == '=' ? 2 : 1;
    struct words tail = {span_of(line + left + skip)};
    struct text target = TEXT_EMPTY;
    text_putc(&target, line[left]);
    text_put(&target, words_next(&tail));
    form->target = text_take(&target);
    for (struct span key = words_next(&tail); key.bytes; key = words_next(&tail)) {
        struct span value = words_next(&tail);
        if (value.bytes == 0)
            return 1;
        if (span_equal(key, SPAN("accept")) && !form->accept)
            form->accept = copy_word(value);
        else if (span_equal(key, SPAN("task")) && !form->task)
            form->task = copy_word(value);
        else if (span_equal(key, SPAN("service")) && !form->service)
            form->service = copy_word(value);
        else if (!span_equal(key, SPAN("at")) || unit_read_rate(value, &form->at))
            return 1;
    }
    return 0;
}

static void read_objective(struct reader *reader, const struct node *node, const char *path)
{
    struct objective_form form = {0};
    size_t errors = reader->notes->errors;
    char *line = NULL;
    if (node->kind == NODE_MAP) {
        struct setting_scope scope = {objective_rows, &form};
        setting_read_map(reader, node, path, &scope, 1);
        if (reader->notes->errors == errors) {
            struct text words = TEXT_EMPTY;
            put_words(&form, &words);
            add_objective(reader, node, &form, text_span(&words));
            text_fini(&words);
        }
    } else if ((line = reader_words(reader, node, "an objective"))) {
        if (read_line(line, &form))
            reader_error(reader, node, "for example response_time p95 < 2s accept 2.5s at 100",
                         "\"%s\" is no objective", line);
        else
            add_objective(reader, node, &form, span_of(line));
        reader_keep_origin(reader, path, line, node);
        free(line);
    }
    setting_free(objective_rows, &form);
}

void objectives_read(struct reader *reader, const struct setting *row, const char *path,
                     const struct node *node, void *field)
{
    (void)field;
    reader_each(reader, node, row->name, path, read_objective);
}
