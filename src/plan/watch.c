/* What is watched beside the load: the written probes, those that every run has, and limits. */
#include "plan/part.h"

#include "base/memory.h"
#include "base/unit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define WATCH(member) offsetof(struct plan_watch, member)

static const struct setting threshold_watch_rows[] = {
    {.name = "cpu",
     .type = SETTING_CUSTOM,
     .offset = WATCH(cpu),
     .custom = "percent",
     .unset = "80%",
     .environment = "SCALABILITY_THRESHOLD_CPU",
     .sentence = "warn when the processors of a watched thing are busier than this"},
    {.name = "memory",
     .type = SETTING_CUSTOM,
     .offset = WATCH(memory),
     .custom = "percent",
     .unset = "85%",
     .environment = "SCALABILITY_THRESHOLD_MEMORY",
     .sentence = "warn when more of its memory is used than this"},
    {.name = "gpu",
     .type = SETTING_CUSTOM,
     .offset = WATCH(gpu),
     .custom = "percent",
     .unset = "90%",
     .environment = "SCALABILITY_THRESHOLD_GPU",
     .sentence = "warn when a GPU, or its memory, is used more than this"},
    {.name = NULL},
};

const struct setting watch_rows[] = {
    {.name = "interval",
     .type = SETTING_DURATION,
     .offset = WATCH(interval_ns),
     .least = 0.1,
     .most = 3600,
     .unset = "1s",
     .environment = "SCALABILITY_MONITORING_INTERVAL",
     .sentence = "time between two looks"},
    {.name = "local",
     .type = SETTING_BOOL,
     .offset = WATCH(local),
     .unset = "true",
     .sentence = "watch this machine and the generator, though no probe says so"},
    {.name = "probes",
     .type = SETTING_CUSTOM,
     .custom = "watched",
     .sentence = "what is watched beside that, each with its role"},
    {.name = "thresholds", /* its rows are fields of the watch itself */
     .type = SETTING_SECTION,
     .section = threshold_watch_rows,
     .sentence = "use beyond which a warning is noted; the run goes on"},
    {.name = "stop",
     .type = SETTING_CUSTOM,
     .custom = "watch_stops",
     .sentence = "limits that end the run when they are exceeded for long enough"},
    {.name = NULL},
};

#define WATCHED(member) offsetof(struct plan_watched, member)

const struct setting watched_rows[] = {
    {.name = "name",
     .type = SETTING_TEXT,
     .offset = WATCHED(name),
     .sentence = "its name in reports; its role where it is not given"},
    {.name = "role",
     .type = SETTING_TEXT,
     .offset = WATCHED(role),
     .sentence = "what it is: generator, gateway, gpu, embedding, database, load-balancer, ..."},
    {.name = "interval",
     .type = SETTING_DURATION,
     .offset = WATCHED(interval_ns),
     .least = 0.1,
     .most = 3600,
     .sentence = "time between two looks at it, where it is not the watch's"},
    {.name = NULL},
};

#define STOP(member) offsetof(struct plan_watch_stop, member)

const struct setting watch_stop_rows[] = {
    {.name = "metric",
     .type = SETTING_TEXT,
     .offset = STOP(metric),
     .required = true,
     .sentence = "a metric of a probe, such as cpu.busy or memory.used_share"},
    {.name = "of",
     .type = SETTING_TEXT,
     .offset = STOP(thing),
     .sentence = "name or role of the watched thing; any where it is not given"},
    {.name = "part",
     .type = SETTING_TEXT,
     .offset = STOP(part),
     .sentence = "which part of it, such as GPU0; any where it is not given"},
    {.name = "above",
     .type = SETTING_SHARE,
     .offset = STOP(above),
     .sentence = "the limit, in the metric's unit; shares as 95% or 0.95"},
    {.name = "below",
     .type = SETTING_SHARE,
     .offset = STOP(below),
     .sentence = "the same for figures that must not fall"},
    {.name = "for",
     .type = SETTING_DURATION,
     .offset = STOP(hold_ns),
     .unset = "30s",
     .sentence = "how long it must be exceeded without a break"},
    {.name = NULL},
};

/* ---- reading --------------------------------------------------------------------------------- */

/* Per cent, with or without the sign; 1 and less is a share. */
void percent_read(struct reader *reader, const struct setting *row, const char *path,
                  const struct node *node, void *field)
{
    char *words = reader_words(reader, node, "per cent such as 80");
    double share = 0;
    if (!words)
        return;
    if (unit_read_share(span_of(words), &share) != 0)
        share = NAN;
    else if (!strchr(words, '%') && share > 1)
        share /= 100;
    if (share > 0 && share <= 1) {
        *(double *)field = share;
        reader_keep_origin(reader, path, words, node);
    } else {
        reader_error(reader, node, "for example 80%",
                     "%s must be above 0 and at most 100 %%; it is "
                     "%s",
                     row->name, words);
    }
    free(words);
}

static const struct plug_word *find_probe(const struct reader *reader, const char *word)
{
    for (size_t i = 0; i < reader->vocabulary->probe_count; i++)
        if (strcmp(reader->vocabulary->probes[i].word, word) == 0)
            return &reader->vocabulary->probes[i];
    return NULL;
}

static struct plan_watched *add_thing(struct reader *reader)
{
    struct plan_watch *watch = &reader->plan->watch;
    watch->things = memory_resize(watch->things, watch->thing_count + 1, sizeof *watch->things);
    struct plan_watched *thing = &watch->things[watch->thing_count++];
    *thing = (struct plan_watched){.name = NULL};
    return thing;
}

/* A name of its own for what has none: its role, or the words that ask for it. */
static void name_thing(struct plan_watched *thing, const struct plug_word *word)
{
    const char *bare = thing->probe.bare;
    bool own = bare && *bare && word->unasked && strcmp(bare, word->unasked) == 0;
    bool plain = bare && *bare && !strpbrk(bare, "/:") && strcmp(bare, "local") != 0;
    if (!thing->role && own)
        thing->role = memory_copy_text("generator");
    if (!thing->name)
        thing->name = memory_copy_text(thing->role ? thing->role : plain ? bare : word->word);
    if (!thing->role)
        thing->role = memory_copy_text(word->role ? word->role : word->word);
}

/* The other probes that an entry stands for: same name, role and interval. */
static void add_companions(struct reader *reader, const struct plug_word *word, size_t number,
                           const struct node *place)
{
    for (size_t i = 0; word->also && i < reader->vocabulary->probe_count; i++) {
        const struct plug_word *other = &reader->vocabulary->probes[i];
        if (!text_has_word(word->also, other->word))
            continue;
        struct plan_watched *thing = add_thing(reader);
        const struct plan_watched *first = &reader->plan->watch.things[number];
        thing->name = memory_copy_text(first->name);
        thing->role = memory_copy_text(first->role);
        thing->interval_ns = first->interval_ns;
        plugged_default(reader, other, NULL, place, &thing->probe);
    }
}

void watched_read(struct reader *reader, const struct setting *row, const char *path,
                  const struct node *node, void *field)
{
    (void)field;
    const struct vocabulary *vocabulary = reader->vocabulary;
    struct plug_words words = {vocabulary->probes, vocabulary->probe_count, "probe"};
    if (!reader_wants(reader, node, NODE_LIST, row->name))
        return;
    for (size_t i = 0; i < node->count; i++) {
        char here[PATH_ROOM];
        path_write(here, "%s[%zu]", path, i);
        struct plan_watched thing = {.name = NULL};
        struct setting_scope scope = {watched_rows, &thing};
        if (plugged_read(reader, here, node->rows[i].value, &words, &scope, &thing.probe)) {
            setting_free(watched_rows, &thing);
            continue;
        }
        const struct plug_word *word = find_probe(reader, thing.probe.word);
        name_thing(&thing, word);
        *add_thing(reader) = thing;
        add_companions(reader, word, reader->plan->watch.thing_count - 1, node->rows[i].value);
    }
}

void watch_stops_read(struct reader *reader, const struct setting *row, const char *path,
                      const struct node *node, void *field)
{
    (void)field;
    struct plan_watch *watch = &reader->plan->watch;
    if (!reader_wants(reader, node, NODE_LIST, row->name))
        return;
    watch->stops = memory_new(node->count, sizeof *watch->stops);
    for (size_t i = 0; i < node->count; i++) {
        char here[PATH_ROOM];
        path_write(here, "%s[%zu]", path, i);
        const struct node *map = node->rows[i].value;
        if (!reader_wants(reader, map, NODE_MAP, "a limit"))
            continue;
        struct plan_watch_stop *stop = &watch->stops[watch->stop_count++];
        stop->above = stop->below = NAN;
        struct setting_scope scope = {watch_stop_rows, stop};
        setting_read_map(reader, map, here, &scope, 1);
        if (isnan(stop->above) == isnan(stop->below))
            reader_error(reader, map, "for example above: 95%", "%s needs either above or below",
                         here);
    }
}

/* Whether a written entry already watches what every run watches. */
static bool is_there(const struct plan_watch *watch, const struct plug_word *word)
{
    for (size_t i = 0; i < watch->thing_count; i++) {
        const struct plan_plugged *probe = &watch->things[i].probe;
        if (strcmp(probe->word, word->word) != 0)
            continue;
        if (!*word->unasked || (probe->bare && strcmp(probe->bare, word->unasked) == 0))
            return true;
    }
    return false;
}

void watch_complete(struct reader *reader)
{
    struct plan_watch *watch = &reader->plan->watch;
    for (size_t i = 0; watch->local && i < reader->vocabulary->probe_count; i++) {
        const struct plug_word *word = &reader->vocabulary->probes[i];
        if (!word->unasked || is_there(watch, word))
            continue;
        struct plan_watched *thing = add_thing(reader);
        thing->name = memory_copy_text("generator");
        thing->role = memory_copy_text("generator");
        plugged_default(reader, word, word->unasked, NULL, &thing->probe);
    }
}

struct setting *watch_only_rows(void)
{
    struct setting *rows = memory_new(3, sizeof *rows);
    size_t count = 0;
    for (const struct setting *row = plan_rows; row->name; row++)
        if (strcmp(row->name, "watch") == 0 || strcmp(row->name, "target") == 0)
            rows[count++] = *row;
    return rows;
}

void watch_fini(struct plan_watch *watch)
{
    for (size_t i = 0; i < watch->thing_count; i++) {
        plugged_fini(&watch->things[i].probe);
        setting_free(watched_rows, &watch->things[i]);
    }
    free(watch->things);
    for (size_t i = 0; i < watch->stop_count; i++)
        setting_free(watch_stop_rows, &watch->stops[i]);
    free(watch->stops);
    *watch = (struct plan_watch){.things = NULL};
}
