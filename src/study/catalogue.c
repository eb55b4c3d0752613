/* The table of what is expected, and how users' tables go over it. */
#include "study/catalogue.h"

#include "base/memory.h"
#include "base/text.h"
#include "base/unit.h"
#include "plan/node.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct preset {
    const char *id, *name, *kinds, *role, *probability, *metric;
    double limit, load;
    const char *symptom, *root_cause, *fix, *impact;
};

static const struct preset presets[] = {
    {"gpu-memory-exhaustion", "GPU memory exhaustion", "gpu-memory kv-cache", "", "high",
     "gpu.memory_share llm.kv_cache_share", 0.95, NAN,
     "out-of-memory errors or preemptions from some number of users on",
     "more models or longer contexts are resident than the memory holds",
     "load models on demand, quantize, limit the context, or a GPU with more memory",
     "as many more requests at once as there is more room for their contexts"},
    {"vector-search-timeouts", "vector search times out under load", "vector-search", "vector",
     "high", "timeout_share", 0.005, 50, "searches fail with a timeout",
     "the pool of connections to the vector store is exhausted",
     "a larger pool, with connections tried before use; then more searches at once",
     "timeouts disappear; the next limit is the search itself"},
    {"context-processing", "context processing is slow", "prefill gpu-compute", "llm", "high",
     "llm.prefill_time.mean", 2, NAN, "p95 over 3 s for questions with retrieved context",
     "long prompts are read on the processor, or by a GPU short of memory",
     "shorter contexts, prefix caching, chunked prefill, room for the whole model on the GPU",
     "the time to the first token falls with the tokens that are not read"},
    {"connection-pool", "database connection pool exhaustion", "pool database", "", "medium",
     "refused_share", 0.001, 30, "\"too many connections\", refused connections or waits for one",
     "the default size of the pool is too small",
     "a pool as large as queries in flight need, with connections tried before use (pre-ping)",
     "in proportion to the pool, up to what the database itself can do"},
    {"large-collection", "vector search is slow on a large collection",
     "vector-search memory-bandwidth cpu cpu-quota", "vector", "medium", "vector.rest_time.mean",
     0.5, NAN, "searches take longer the larger the collection is",
     "the whole collection is read for each search, or its index does not fit in memory",
     "an approximate index, quantized vectors, shards over several machines",
     "an index answers in time that hardly grows with the collection"},
    {"serial-tools", "tools run one after another", "tools", "tool", "medium", "mean_growth", 0.8,
     NAN, "calls of tools queue up", "tools are executed by a single thread",
     "several executions at once, in processes or threads of their own",
     "in proportion to executions at once, up to the processors"},
    {"network", "network saturation", "network", "", "low", "network.link_share", 0.9, NAN,
     "throughput stops at a rate of bytes", "the link, or a limit on its rate, is full",
     "compression, smaller replies, a faster link", "in proportion to the link"},
    {"embedding-cpu", "embedding is bound by the processor", "cpu cpu-quota", "embedding", "medium",
     "cpu.busy cgroup.cpu_of_quota", 0.95, NAN, "embedding slows down as users are added",
     "the model for embeddings runs on the processor", "a cache, batches, more instances, or a GPU",
     "in proportion to processors until the next limit"},
    {"cpu", "processors are full", "cpu cpu-quota", "", "medium", "cpu.busy cgroup.cpu_of_quota",
     0.95, NAN, "response times grow while processors are full",
     "work per request on the processor", "more processors or instances, a cache, cheaper work",
     "in proportion until the next limit"},
    {"kv-or-slots", "slots of the model server are taken", "slots", "", "medium", "llm.waiting", 1,
     NAN, "requests wait while the KV cache has room", "the limit on sequences at once",
     "more slots (parallel sequences), then more instances",
     "more throughput at more time a token, until the cache or the GPU is full"},
    {"memory", "memory exhaustion", "memory", "", "medium",
     "memory.used_share cgroup.memory_of_limit container.memory_share", 0.95, NAN,
     "processes are ended, or the machine swaps", "the working set does not fit",
     "more memory, smaller models or caches, fewer workers", "removes a cliff, not a slope"},
    {"rate-limit", "a rate limit", "rate-limit", "", "medium", "limited_share", 0.01, NAN,
     "status 429 from some rate on", "a limit on the rate of requests is configured",
     "raise the limit, or spread the load over keys or instances", "up to the new limit"},
};

enum { PRESETS = sizeof presets / sizeof *presets };

/* Every text of an entry by the key that users give. */
static const struct {
    const char *key;
    size_t offset;
} texts[] = {
    {"id", offsetof(struct catalogue_entry, id)},
    {"name", offsetof(struct catalogue_entry, name)},
    {"kinds", offsetof(struct catalogue_entry, kinds)},
    {"role", offsetof(struct catalogue_entry, role)},
    {"symptom", offsetof(struct catalogue_entry, symptom)},
    {"root_cause", offsetof(struct catalogue_entry, root_cause)},
    {"fix", offsetof(struct catalogue_entry, fix)},
    {"impact", offsetof(struct catalogue_entry, impact)},
    {"probability", offsetof(struct catalogue_entry, probability)},
    {"metric", offsetof(struct catalogue_entry, metric)},
};

enum { TEXTS = sizeof texts / sizeof *texts };

static char **text_at(struct catalogue_entry *entry, size_t index)
{
    return (char **)(void *)((char *)entry + texts[index].offset);
}

static struct catalogue_entry *add(struct catalogue *catalogue)
{
    catalogue->rows = memory_resize(catalogue->rows, catalogue->count + 1, sizeof *catalogue->rows);
    struct catalogue_entry *entry = &catalogue->rows[catalogue->count++];
    *entry = (struct catalogue_entry){.limit = NAN, .load = NAN};
    return entry;
}

struct catalogue *catalogue_default(void)
{
    struct catalogue *catalogue = memory_new(1, sizeof *catalogue);
    for (size_t i = 0; i < PRESETS; i++) {
        const struct preset *preset = &presets[i];
        const char *const words[TEXTS] = {
            preset->id,         preset->name, preset->kinds,  preset->role,        preset->symptom,
            preset->root_cause, preset->fix,  preset->impact, preset->probability, preset->metric};
        struct catalogue_entry *entry = add(catalogue);
        for (size_t k = 0; k < TEXTS; k++)
            *text_at(entry, k) = memory_copy_text(words[k]);
        entry->limit = preset->limit;
        entry->load = preset->load;
    }
    return catalogue;
}

struct catalogue *catalogue_free(struct catalogue *catalogue)
{
    if (!catalogue)
        return NULL;
    for (size_t i = 0; i < catalogue->count; i++)
        for (size_t k = 0; k < TEXTS; k++)
            free(*text_at(&catalogue->rows[i], k));
    free(catalogue->rows);
    free(catalogue);
    return NULL;
}

/* ---- users' tables --------------------------------------------------------------------------- */

static void wrong(struct notes *notes, const struct node *node, const char *hint,
                  const char *sentence)
{
    struct note note = node_place(node);
    note.level = NOTE_ERROR;
    note.sentence = memory_copy_text(sentence);
    note.hint = memory_copy_text(hint);
    notes_add(notes, note);
    free(note.sentence);
    free(note.hint);
}

static void read_number(const struct node *value, double *out, struct notes *notes)
{
    double number = NAN;
    nsec_t duration_ns = 0;
    struct span words = value->kind == NODE_TEXT ? span_of(value->text) : span_of("");
    if (node_is_null(value))
        *out = NAN;
    else if (unit_read_real(words, &number) == 0 || unit_read_share(words, &number) == 0)
        *out = number;
    else if (unit_read_duration(words, 0, &duration_ns) == 0)
        *out = (double)duration_ns / 1e9;
    else
        wrong(notes, value, "as 0.95, 95 % or 500 ms", "this must be a number");
}

static void read_key(struct catalogue_entry *entry, const struct node *key,
                     const struct node *value, struct notes *notes)
{
    if (strcmp(key->text, "limit") == 0 || strcmp(key->text, "load") == 0) {
        read_number(value, *key->text == 'l' && key->text[1] == 'i' ? &entry->limit : &entry->load,
                    notes);
        return;
    }
    for (size_t k = 0; k < TEXTS; k++) {
        if (strcmp(texts[k].key, key->text) != 0)
            continue;
        if (value->kind != NODE_TEXT) {
            wrong(notes, value, NULL, "this must be a text");
            return;
        }
        free(*text_at(entry, k));
        *text_at(entry, k) = memory_copy_text(value->text);
        return;
    }
    wrong(notes, key,
          "has: id, name, kinds, role, symptom, root_cause, fix, impact, probability, metric, "
          "limit, load",
          "unknown key of an expected bottleneck");
}

static struct catalogue_entry *entry_of(struct catalogue *catalogue, const char *id)
{
    for (size_t i = 0; i < catalogue->count; i++)
        if (strcmp(catalogue->rows[i].id, id) == 0)
            return &catalogue->rows[i];
    struct catalogue_entry *entry = add(catalogue);
    for (size_t k = 0; k < TEXTS; k++)
        *text_at(entry, k) = memory_copy_text("");
    return entry;
}

static void read_entry(struct catalogue *catalogue, const struct node *row, struct notes *notes)
{
    const struct node *id = node_find(row, "id");
    if (!id || id->kind != NODE_TEXT || !id->bytes) {
        wrong(notes, row, "expected: [{id: ..., kinds: ..., fix: ...}]",
              "an expected bottleneck needs an id");
        return;
    }
    struct catalogue_entry *entry = entry_of(catalogue, id->text);
    for (size_t i = 0; i < row->count; i++)
        read_key(entry, row->rows[i].key, row->rows[i].value, notes);
    if (!*entry->name) {
        free(entry->name);
        entry->name = memory_copy_text(entry->id);
    }
}

int catalogue_read(struct catalogue *catalogue, const char *file, struct span bytes,
                   struct notes *notes)
{
    struct document document;
    int error = document_read(&document, file, bytes, notes);
    size_t before = notes->errors;
    if (error == 0) {
        const struct node *list = node_find(document.root, "expected");
        if (!list)
            list = document.root;
        if (list->kind != NODE_LIST)
            wrong(notes, list, "expected: [{id: ...}, ...]",
                  "a catalogue is a list of expected bottlenecks");
        for (size_t i = 0; list->kind == NODE_LIST && i < list->count; i++)
            read_entry(catalogue, list->rows[i].value, notes);
    }
    document_fini(&document);
    return error || notes->errors > before;
}

const struct catalogue_entry *catalogue_find(const struct catalogue *catalogue, const char *kind,
                                             const char *thing, const char *role)
{
    const struct catalogue_entry *any = NULL, *other = NULL;
    for (size_t i = 0; i < catalogue->count; i++) {
        const struct catalogue_entry *entry = &catalogue->rows[i];
        if (!text_has_word(entry->kinds, kind))
            continue;
        if (*entry->role && (strstr(role, entry->role) || strstr(thing, entry->role)))
            return entry;
        if (*entry->role)
            other = entry;
        else
            any = entry; /* the last one: a user's own goes over ours */
    }
    return any ? any : other;
}
