/* Plays replies to a driver as the engine would, without an engine: a plan's request is compiled
 * with the real words, composed, and answered byte by byte as a test says. */
#ifndef TEST_PLUG_DRIVER_PLAY_H
#define TEST_PLUG_DRIVER_PLAY_H

#include "base/memory.h"
#include "plan/read.h"
#include "plug/list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct driver_play {
    struct plug_list plugs;
    struct plan_reading reading;
    struct metric_table metrics;
    struct tally_exchange tallies;
    struct tally_block *block;
    const struct driver *driver;
    void *compiled[8]; /* by request */
    void *state, *user;
    struct text scratch, kept, sent_body, sent_headers, sent_path;
    char method[16];
    struct span slots[64];
    struct driver_call call;
    struct driver_outcome outcome;
    nsec_t now_ns;
};

/* tasks: the lines of the plan's tasks. */
static inline void play_init(struct driver_play *play, const char *tasks)
{
    *play = (struct driver_play){.now_ns = 1000000000};
    struct text words = TEXT_EMPTY;
    plug_list_init(&play->plugs);
    text_puts(&words, "schema: 1\ntarget: http://127.0.0.1:1\nscenarios:\n  main:\n    vus: 1\n"
                      "    duration: 1s\n    tasks:\n");
    text_puts(&words, tasks);
    struct plan_source source = {.file = "play.yaml", .text = words.at};
    assert_int_equal(plan_read(&source, &play->plugs.vocabulary, &play->reading), 0);
    text_clear(&words);
    notes_write(&play->reading.notes, play->reading.text, &words);
    if (!play->reading.plan)
        print_error("%s", words.at);
    assert_non_null(play->reading.plan);
    text_fini(&words);
    const struct plan *plan = play->reading.plan;
    play->driver = play->plugs.drivers[plan->requests[0].driver];
    size_t count = 0;
    while (play->driver->metrics[count].name)
        count++;
    metric_table_init(&play->metrics);
    metric_table_add(&play->metrics, play->driver->metrics, count, &play->call.first_counter,
                     &play->call.first_hist);
    tally_exchange_init(&play->tallies, &play->metrics, 0, 1, 0);
    play->block = ring_take(&play->tallies.empty);
    assert_true(plan->request_count <= 8);
    for (size_t i = 0; i < plan->request_count; i++) {
        play->compiled[i] = play->driver->compile(plan, &plan->requests[i], &play->reading.notes);
        assert_non_null(play->compiled[i]);
    }
    play->state = memory_new(1, play->driver->state_bytes);
    play->user = memory_new(1, play->driver->user_bytes ? play->driver->user_bytes : 1);
}

static inline void play_fini(struct driver_play *play)
{
    for (size_t i = 0; i < play->reading.plan->request_count; i++)
        play->driver->release(play->compiled[i]);
    free(play->state);
    free(play->user);
    text_fini(&play->scratch);
    text_fini(&play->kept);
    text_fini(&play->sent_body);
    text_fini(&play->sent_headers);
    text_fini(&play->sent_path);
    ring_put(&play->tallies.empty, play->block);
    tally_exchange_fini(&play->tallies);
    metric_table_fini(&play->metrics);
    plan_reading_fini(&play->reading);
    plug_list_fini(&play->plugs);
}

static inline void keep_text(struct text *to, struct span from)
{
    text_clear(to);
    text_put(to, from);
    text_puts(to, "");
}

/* Composes request number `number`; what would be sent is in sent_* then. */
static inline void play_compose(struct driver_play *play, size_t number, bool farewell)
{
    struct exchange_request wish = {.method = (struct span){0}};
    memset(play->state, 0, play->driver->state_bytes);
    text_clear(&play->scratch);
    text_clear(&play->kept);
    play->call.request = &play->reading.plan->requests[number];
    play->call.compiled = play->compiled[number];
    play->call.state = play->state;
    play->call.user = play->user;
    play->call.farewell = farewell;
    play->call.slots = play->slots;
    play->call.scratch = &play->scratch;
    play->call.kept = &play->kept;
    play->call.tally = &play->block->requests[0];
    play->call.intended_ns = play->call.sent_ns = play->now_ns;
    play->driver->compose(&play->call, &wish);
    snprintf(play->method, sizeof play->method, "%.*s", (int)wish.method.bytes,
             wish.method.bytes ? wish.method.at : "");
    keep_text(&play->sent_path, wish.path);
    keep_text(&play->sent_headers, wish.headers);
    keep_text(&play->sent_body, wish.body);
}

/* The reply to it, its body in two pieces cut at `cut` (or whole), 5 ms later. */
static inline struct driver_outcome play_reply(struct driver_play *play, int status,
                                               const char *head, struct span body, size_t cut)
{
    struct span first = {.at = body.at, .bytes = cut < body.bytes ? cut : body.bytes};
    struct span rest = {.at = body.at + first.bytes, .bytes = body.bytes - first.bytes};
    play->now_ns += 5 * NSEC_PER_MSEC;
    play->call.status = status;
    play->call.head = span_of(head);
    if (first.bytes)
        play->driver->data(&play->call, first, play->now_ns);
    if (rest.bytes)
        play->driver->data(&play->call, rest, play->now_ns);
    play->outcome = play->driver->end(&play->call, status, (struct span){.at = ""}, play->now_ns);
    return play->outcome;
}

/* What one of the driver's counters says. */
static inline uint64_t play_count(const struct driver_play *play, const char *name)
{
    uint32_t number = play->call.first_counter;
    for (const struct metric *metric = play->driver->metrics; metric->name; metric++) {
        if (metric->kind == METRIC_COUNTER && strcmp(metric->name, name) == 0)
            return play->block->requests[0].counters[number];
        number += metric->kind == METRIC_COUNTER ? 1 : 0;
    }
    fail_msg("no counter %s", name);
    return 0;
}

#endif
