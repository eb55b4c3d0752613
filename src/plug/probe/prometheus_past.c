/* A hash table of the samples of earlier looks, by name and labels as they stand in the reply. */
#include "plug/probe/prometheus.h"

#include "base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 1024, MOST_SAMPLES = 200000, FORGET_AFTER = 20 };

struct past_sample {
    char *key; /* name, zero, labels; NULL: none */
    size_t bytes;
    uint64_t hash, look;
    double value, at_s;
    bool stamped; /* at_s is the sample's own */
};

struct past {
    struct past_sample *rows;
    size_t room, count;
    uint64_t look;
    double at_s;
};

struct past *past_new(void)
{
    struct past *past = memory_new(1, sizeof *past);
    past->room = FIRST_ROOM;
    past->rows = memory_new(past->room, sizeof *past->rows);
    return past;
}

struct past *past_free(struct past *past)
{
    if (!past)
        return NULL;
    for (size_t i = 0; i < past->room; i++)
        free(past->rows[i].key);
    free(past->rows);
    free(past);
    return NULL;
}

/* FNV-1a. */
static uint64_t hash_more(uint64_t hash, struct span bytes)
{
    for (size_t i = 0; i < bytes.bytes; i++)
        hash = (hash ^ (unsigned char)bytes.at[i]) * 0x100000001b3u;
    return hash;
}

static bool is_sample(const struct past_sample *row, uint64_t hash,
                      const struct exposition_sample *sample)
{
    size_t name = sample->name.bytes, labels = sample->labels.bytes;
    return row->hash == hash && row->bytes == name + 1 + labels &&
           memcmp(row->key, sample->name.at, name) == 0 && row->key[name] == '\0' &&
           (labels == 0 || memcmp(row->key + name + 1, sample->labels.at, labels) == 0);
}

/* Its row, or the empty one where it belongs. */
static struct past_sample *row_of(struct past *past, uint64_t hash,
                                  const struct exposition_sample *sample)
{
    size_t at = hash & (past->room - 1);
    while (past->rows[at].key && !is_sample(&past->rows[at], hash, sample))
        at = (at + 1) & (past->room - 1);
    return &past->rows[at];
}

/* Moves what was seen lately into a table of fitting size. */
static void rebuild(struct past *past)
{
    size_t live = 0, old = past->room;
    struct past_sample *rows = past->rows;
    for (size_t i = 0; i < old; i++)
        live += rows[i].key && rows[i].look + FORGET_AFTER >= past->look;
    past->room = FIRST_ROOM;
    while (past->room < 4 * live)
        past->room *= 2;
    past->rows = memory_new(past->room, sizeof *past->rows);
    past->count = live;
    for (size_t i = 0; i < old; i++) {
        if (!rows[i].key || rows[i].look + FORGET_AFTER < past->look) {
            free(rows[i].key);
            continue;
        }
        size_t at = rows[i].hash & (past->room - 1);
        while (past->rows[at].key)
            at = (at + 1) & (past->room - 1);
        past->rows[at] = rows[i];
    }
    free(rows);
}

void past_begin(struct past *past, double at_s)
{
    past->look++;
    past->at_s = at_s;
}

static enum past_found keep_new(struct past *past, uint64_t hash,
                                const struct exposition_sample *sample, double at_s)
{
    if (2 * (past->count + 1) > past->room)
        rebuild(past);
    if (past->count >= MOST_SAMPLES)
        return PAST_NEW; /* its rate stays unknown, which is a gap */
    struct past_sample *row = row_of(past, hash, sample);
    size_t name = sample->name.bytes;
    *row = (struct past_sample){.bytes = name + 1 + sample->labels.bytes,
                                .hash = hash,
                                .look = past->look,
                                .value = sample->value,
                                .at_s = at_s,
                                .stamped = isfinite(sample->at_s)};
    row->key = memory_new(row->bytes, 1);
    memcpy(row->key, sample->name.at, name);
    if (sample->labels.bytes)
        memcpy(row->key + name + 1, sample->labels.at, sample->labels.bytes);
    past->count++;
    return PAST_NEW;
}

enum past_found past_compare(struct past *past, const struct exposition_sample *sample,
                             double *rate)
{
    uint64_t hash = hash_more(hash_more(0xcbf29ce484222325u, sample->name), SPAN("{"));
    hash = hash_more(hash, sample->labels);
    bool stamped = isfinite(sample->at_s);
    double at_s = stamped ? sample->at_s : past->at_s;
    struct past_sample *row = row_of(past, hash, sample);
    if (!row->key)
        return keep_new(past, hash, sample, at_s);
    struct past_sample before = *row;
    row->look = past->look;
    if (stamped && before.stamped && at_s <= before.at_s)
        return PAST_STALE;
    row->value = sample->value;
    row->at_s = at_s;
    row->stamped = stamped;
    if (stamped != before.stamped || !(at_s > before.at_s))
        return PAST_NEW;
    if (sample->value < before.value)
        return PAST_RESET;
    *rate = (sample->value - before.value) / (at_s - before.at_s);
    return PAST_RATE;
}
