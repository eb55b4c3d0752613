/* The flat form of a plan: the field names of the requirements' LoadTestConfig at the top level,
 * rewritten into the usual form before it is read, so that there is one reader. Every node keeps
 * its place, so that errors point at what was written. */
#include "plan/part.h"

#include "base/memory.h"
#include "base/unit.h"
#include "wire/url.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where a key of the flat form goes: into the scenario, the request, or to the plan's own. */
enum flat_place { FLAT_PLAN, FLAT_SCENARIO, FLAT_REQUEST, FLAT_OWN };

static const struct {
    const char *key;
    enum flat_place place;
    const char *becomes;
} flat_keys[] = {
    {"name", FLAT_PLAN, "name"},
    {"description", FLAT_PLAN, "description"},
    {"target_url", FLAT_OWN, NULL},
    {"method", FLAT_OWN, NULL},
    {"headers", FLAT_REQUEST, "headers"},
    {"payload_template", FLAT_REQUEST, "json"},
    {"concurrent_users", FLAT_SCENARIO, "vus"},
    {"duration_seconds", FLAT_SCENARIO, "duration"},
    {"ramp_up_seconds", FLAT_SCENARIO, "ramp_up"},
    {"think_time_seconds", FLAT_SCENARIO, "think"},
    {"load_pattern", FLAT_SCENARIO, "pattern"},
    {"spike_multiplier", FLAT_SCENARIO, "multiplier"},
    {"spike_duration_seconds", FLAT_SCENARIO, "length"},
    {"success_rate_threshold", FLAT_OWN, NULL},
    {"latency_p95_threshold_ms", FLAT_OWN, NULL},
};

enum { FLAT_KEYS = sizeof flat_keys / sizeof *flat_keys };

bool flat_is(const struct node *root)
{
    return node_find(root, "target_url") && !node_find(root, "scenarios");
}

struct flat {
    struct reader *reader;
    struct document *document;
    struct node *plan, *scenario, *request, *objectives;
};

static void put(struct flat *flat, struct node *map, const char *key, struct node *value)
{
    node_append(map, document_add_text(flat->document, key, value), value);
}

static void put_text(struct flat *flat, struct node *map, const char *key, const char *words,
                     const struct node *place)
{
    put(flat, map, key, document_add_text(flat->document, words, place));
}

/* A goal of a number in the flat form's own unit. */
static void add_goal(struct flat *flat, const struct node *value, const char *metric,
                     const char *stat, double scale, double from)
{
    double number = 0;
    char words[64];
    char *written = reader_words(flat->reader, value, "a number");
    if (!written || unit_read_real(span_trim(span_of(written)), &number)) {
        if (written)
            reader_error(flat->reader, value, NULL, "this must be a number; it is \"%s\"", written);
        free(written);
        return;
    }
    free(written);
    if (scale < 0 && (number < 0 || number > 100)) {
        reader_error(flat->reader, value, NULL,
                     "success_rate_threshold must be between 0 and 100 %%; it is %g", number);
        return;
    }
    snprintf(words, sizeof words, "%.12g%s", from + number * scale, stat ? "ms" : "%");
    struct node *goal = document_add(flat->document, NODE_MAP, value);
    put_text(flat, goal, "metric", metric, value);
    if (stat)
        put_text(flat, goal, "stat", stat, value);
    put_text(flat, goal, "target", words, value);
    node_append(flat->objectives, NULL, goal);
}

static void split_url(struct flat *flat, const struct node *value)
{
    struct url url;
    const char *why = NULL;
    char *words = reader_words(flat->reader, value, "a URL");
    if (!words)
        return;
    if (url_read(span_of(words), &url, &why) || url.path.bytes == 0) {
        put_text(flat, flat->plan, "target", words, value);
        put_text(flat, flat->request, "url", "/", value);
    } else {
        put_text(flat, flat->request, "url", url.path.at, value);
        words[url.path.at - words] = '\0';
        put_text(flat, flat->plan, "target", words, value);
    }
    free(words);
}

static void place_key(struct flat *flat, const struct node_entry *entry)
{
    for (size_t i = 0; i < FLAT_KEYS; i++) {
        if (strcmp(flat_keys[i].key, entry->key->text) != 0)
            continue;
        struct node *map = flat_keys[i].place == FLAT_PLAN       ? flat->plan
                           : flat_keys[i].place == FLAT_SCENARIO ? flat->scenario
                                                                 : flat->request;
        if (flat_keys[i].place != FLAT_OWN)
            put(flat, map, flat_keys[i].becomes, entry->value);
        else if (strcmp(entry->key->text, "target_url") == 0)
            split_url(flat, entry->value);
        else if (strcmp(entry->key->text, "success_rate_threshold") == 0)
            add_goal(flat, entry->value, "error_rate", NULL, -1, 100);
        else if (strcmp(entry->key->text, "latency_p95_threshold_ms") == 0)
            add_goal(flat, entry->value, "response_time", "p95", 1, 0);
        return;
    }
    for (const struct setting *row = plan_rows; row->name; row++) {
        if (setting_is_named(row, entry->key->text)) { /* the usual form's keys work beside */
            node_append(flat->plan, entry->key, entry->value);
            return;
        }
    }
    const char *nearest = NULL;
    size_t best = strlen(entry->key->text) / 3 + 2;
    for (size_t i = 0; i < FLAT_KEYS; i++) {
        size_t distance = text_distance(entry->key->text, flat_keys[i].key);
        if (distance < best) {
            best = distance;
            nearest = flat_keys[i].key;
        }
    }
    char hint[120] = "";
    if (nearest)
        snprintf(hint, sizeof hint, "did you mean \"%s\"?", nearest);
    reader_error(flat->reader, entry->key, *hint ? hint : NULL, "unknown key \"%s\" in the plan",
                 entry->key->text);
}

/* The verb's key: the method in small letters. */
static void put_verb(struct flat *flat, struct node *task, const struct node *root)
{
    const struct node *method = node_find(root, "method");
    bool body = node_find(root, "payload_template") != NULL;
    char *words = method ? reader_words(flat->reader, method, "an HTTP method")
                         : memory_copy_text(body ? "post" : "get");
    for (char *at = words; at && *at; at++)
        *at = (char)tolower((unsigned char)*at);
    if (words)
        node_append(task, document_add_text(flat->document, words, method ? method : root),
                    flat->request);
    free(words);
}

void flat_rewrite(struct reader *reader)
{
    struct document *document = &reader->document;
    struct node *root = document->root;
    struct flat flat = {.reader = reader,
                        .document = document,
                        .plan = document_add(document, NODE_MAP, root),
                        .scenario = document_add(document, NODE_MAP, root),
                        .request = document_add(document, NODE_MAP, root),
                        .objectives = document_add(document, NODE_LIST, root)};
    for (size_t i = 0; i < root->count; i++)
        place_key(&flat, &root->rows[i]);
    if (!node_find(flat.scenario, "pattern"))
        put_text(&flat, flat.scenario, "pattern", "constant", root);
    struct node *task = document_add(document, NODE_MAP, root);
    put_verb(&flat, task, root);
    put_text(&flat, task, "name", "request", root);
    struct node *tasks = document_add(document, NODE_LIST, root);
    node_append(tasks, NULL, task);
    put(&flat, flat.scenario, "tasks", tasks);
    struct node *scenarios = document_add(document, NODE_MAP, root);
    put(&flat, scenarios, "main", flat.scenario);
    put(&flat, flat.plan, "scenarios", scenarios);
    if (flat.objectives->count && !node_find(flat.plan, "objectives"))
        put(&flat, flat.plan, "objectives", flat.objectives);
    document->root = flat.plan;
}
