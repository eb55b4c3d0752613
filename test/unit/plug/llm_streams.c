/* The corpus of answers in test/golden/streams, each given to its driver whole, cut in two at every
 * byte, and byte by byte with an instant for each byte: the counts must be the same however it is
 * cut, and the times must be those of the bytes that completed each event. */
#include "plug/driver/driver_list.h"

#include "base/memory.h"
#include "plug/driver/llm.h"
#include "plug/driver/ollama.h"
#include "plug/driver/openai.h"

#include <jansson.h>

#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* Last: it needs those above. */
// clang-format off
#include <cmocka.h>
// clang-format on

enum { BYTE_NS = 1000, MOST_CUT_BYTES = 20000 };

/* A request of which the answer is replayed. */
struct play {
    const struct driver *driver;
    struct metric_table metrics;
    uint32_t first_counter, first_hist;
    struct tally tally;
    struct openai_request openai;
    struct ollama_request ollama;
    void *state;
    struct text kept, scratch;
    struct driver_call call;
    struct driver_outcome outcome;
};

static void play_init(struct play *play, const json_t *expected)
{
    const char *driver = json_string_value(json_object_get(expected, "driver"));
    bool stream = json_is_true(json_object_get(expected, "stream"));
    uint64_t prompt_tokens =
        (uint64_t)json_integer_value(json_object_get(expected, "prompt_tokens"));
    *play = (struct play){.driver = &driver_openai};
    if (strcmp(driver, "ollama") == 0)
        play->driver = &driver_ollama;
    metric_table_init(&play->metrics);
    size_t count = 0;
    while (llm_metrics[count].name)
        count++;
    metric_table_add(&play->metrics, llm_metrics, count, &play->first_counter, &play->first_hist);
    play->tally.counters = memory_new(play->metrics.counter_count, sizeof(uint64_t));
    play->tally.hists = memory_new(play->metrics.hist_count, sizeof(struct hist *));
    play->openai =
        (struct openai_request){.stream = stream,
                                .tokens = true,
                                .choices = !json_is_true(json_object_get(expected, "embeddings")),
                                .common.prompt_tokens = prompt_tokens};
    play->ollama = (struct ollama_request){.form = stream ? OLLAMA_LINES : OLLAMA_WHOLE,
                                           .common.prompt_tokens = prompt_tokens};
    play->state = memory_new(1, play->driver->state_bytes);
    play->call = (struct driver_call){
        .compiled = play->driver == &driver_ollama ? (void *)&play->ollama : &play->openai,
        .state = play->state,
        .scratch = &play->scratch,
        .kept = &play->kept,
        .tally = &play->tally,
        .first_counter = play->first_counter,
        .first_hist = play->first_hist,
        .status = (int)json_integer_value(json_object_get(expected, "status")),
    };
}

static void play_fini(struct play *play)
{
    for (size_t i = 0; i < play->metrics.hist_count; i++)
        free(play->tally.hists[i]);
    free(play->tally.counters);
    free(play->tally.hists);
    metric_table_fini(&play->metrics);
    free(play->state);
    text_fini(&play->kept);
    text_fini(&play->scratch);
}

/* Gives it bytes first .. last - 1, in a block of their own so that a sanitizer sees a read past
 * them; they came at the instant of the last. */
static void give(struct play *play, struct span body, size_t first, size_t last)
{
    char *piece = malloc(last - first + 1);
    memcpy(piece, body.at + first, last - first);
    if (last > first)
        play->driver->data(&play->call, (struct span){.at = piece, .bytes = last - first},
                           (nsec_t)last * BYTE_NS);
    free(piece);
}

static void end(struct play *play, struct span body)
{
    play->outcome = play->driver->end(&play->call, play->call.status, SPAN(""),
                                      (nsec_t)(body.bytes + 1) * BYTE_NS);
}

/* ---- what is expected -------------------------------------------------------------------------
 */

static void check_counters(const struct play *play, const json_t *expected)
{
    const json_t *counters = json_object_get(expected, "counters");
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)counters, name, value)
    {
        bool known = false;
        for (size_t i = CORE_COUNTERS; i < play->metrics.counter_count; i++)
            known = known || strcmp(play->metrics.counters[i].name, name) == 0;
        if (!known)
            fail_msg("no counter is named %s", name);
    }
    for (size_t i = CORE_COUNTERS; i < play->metrics.counter_count; i++) {
        name = play->metrics.counters[i].name;
        uint64_t wanted = (uint64_t)json_integer_value(json_object_get(counters, name));
        if (play->tally.counters[i] != wanted)
            fail_msg("%s is %llu, not %llu", name, (unsigned long long)play->tally.counters[i],
                     (unsigned long long)wanted);
    }
}

static void check_outcome(const struct play *play, const json_t *expected)
{
    const char *outcome = json_string_value(json_object_get(expected, "outcome"));
    const char *words = json_string_value(json_object_get(expected, "words"));
    uint32_t error = strcmp(outcome, "ok") == 0     ? 0
                     : strcmp(outcome, "http") == 0 ? COUNT_ERROR_HTTP_STATUS
                                                    : COUNT_ERROR_PROTOCOL;
    assert_int_equal(play->outcome.error, error);
    if (words && !span_begins(play->outcome.words, span_of(words)))
        fail_msg("the failure says \"%.*s\", not \"%s\"", (int)play->outcome.words.bytes,
                 play->outcome.words.at, words);
}

static const struct hist *hist_of(const struct play *play, enum llm_hist hist)
{
    return play->tally.hists[play->first_hist + hist];
}

static uint64_t count_of(const struct play *play, enum llm_hist hist)
{
    return hist_of(play, hist) ? hist_of(play, hist)->count : 0;
}

/* One duration was recorded, and it is this one. */
static void check_one(const struct play *play, enum llm_hist hist, nsec_t value_ns)
{
    assert_int_equal(count_of(play, hist), 1);
    assert_int_equal(hist_of(play, hist)->least, value_ns);
}

/* How many durations there must be, whatever they are. */
static void check_counts_of_times(const struct play *play, const json_t *expected)
{
    size_t events = json_array_size(json_object_get(expected, "content_at"));
    bool answer = json_is_integer(json_object_get(expected, "answer_at"));
    json_int_t streams =
        json_integer_value(json_object_get(json_object_get(expected, "counters"), "streams"));
    uint64_t gaps = 0;
    const json_t *list = json_object_get(expected, "token_gaps");
    for (size_t i = 0; i < json_array_size(list); i++)
        gaps += (uint64_t)json_integer_value(json_array_get(list, i));
    assert_int_equal(count_of(play, LLM_TTFT), events > 0);
    assert_int_equal(count_of(play, LLM_TTFT_SERVICE), events > 0);
    assert_int_equal(count_of(play, LLM_TTFAT), answer);
    assert_int_equal(count_of(play, LLM_ITL), events ? events - 1 : 0);
    assert_int_equal(count_of(play, LLM_ITL_TOKEN), gaps);
    assert_int_equal(count_of(play, LLM_E2E_CONTENT), streams && events);
}

static nsec_t at(const json_t *list, size_t index)
{
    return (nsec_t)json_integer_value(json_array_get(list, index)) * BYTE_NS;
}

/* Byte by byte, every event has an instant that is known. */
static void check_times(const struct play *play, const json_t *expected)
{
    const json_t *content = json_object_get(expected, "content_at");
    size_t events = json_array_size(content);
    json_int_t tokens = json_integer_value(json_object_get(expected, "tokens"));
    if (events == 0)
        return;
    nsec_t first_ns = at(content, 0), last_ns = at(content, events - 1);
    check_one(play, LLM_TTFT, first_ns);
    check_one(play, LLM_TTFT_SERVICE, first_ns - play->call.sent_ns);
    if (json_is_integer(json_object_get(expected, "answer_at")))
        check_one(play, LLM_TTFAT,
                  (nsec_t)json_integer_value(json_object_get(expected, "answer_at")) * BYTE_NS);
    if (events > 1) {
        double sum_ns = hist_of(play, LLM_ITL)->sum_ns;
        assert_true(sum_ns == (double)(last_ns - first_ns));
        nsec_t least_ns = NSEC_NEVER, most_ns = 0;
        for (size_t i = 1; i < events; i++) {
            nsec_t gap_ns = at(content, i) - at(content, i - 1);
            least_ns = gap_ns < least_ns ? gap_ns : least_ns;
            most_ns = gap_ns > most_ns ? gap_ns : most_ns;
        }
        assert_int_equal(hist_of(play, LLM_ITL)->least, least_ns);
        assert_int_equal(hist_of(play, LLM_ITL)->most, most_ns);
    }
    if (play->outcome.error)
        return;
    check_one(play, LLM_E2E_CONTENT, last_ns);
    if (events > 1 && tokens > 1)
        check_one(play, LLM_TPOT, (last_ns - first_ns) / (nsec_t)(tokens - 1));
    else
        assert_int_equal(count_of(play, LLM_TPOT), 0);
}

static void check_token_gaps(const struct play *play, const json_t *expected)
{
    const json_t *gaps = json_object_get(expected, "token_gaps");
    const json_t *content = json_object_get(expected, "content_at");
    double sum_ns = 0;
    for (size_t i = 0; i < json_array_size(gaps); i++) {
        nsec_t tokens = (nsec_t)json_integer_value(json_array_get(gaps, i));
        sum_ns += (double)((at(content, i + 1) - at(content, i)) / tokens * tokens);
    }
    if (sum_ns > 0)
        assert_true(hist_of(play, LLM_ITL_TOKEN)->sum_ns == sum_ns);
}

static void check_server_times(const struct play *play, const json_t *expected)
{
    const json_t *said = json_object_get(expected, "server_ms");
    for (size_t i = 0; i < 3; i++) {
        double ms = json_number_value(json_array_get(said, i));
        enum llm_hist hist = (enum llm_hist)(LLM_SERVER_LOAD + i);
        if (ms > 0)
            check_one(play, hist, (nsec_t)(ms * 1e6));
        else
            assert_int_equal(count_of(play, hist), 0);
    }
}

/* ---- the corpus -------------------------------------------------------------------------------
 */

static void replay_cut(struct span body, const json_t *expected, size_t cut)
{
    struct play play;
    play_init(&play, expected);
    give(&play, body, 0, cut);
    give(&play, body, cut, body.bytes);
    end(&play, body);
    check_outcome(&play, expected);
    check_counters(&play, expected);
    check_counts_of_times(&play, expected);
    check_server_times(&play, expected);
    play_fini(&play);
}

static void replay_bytes(struct span body, const json_t *expected)
{
    struct play play;
    play_init(&play, expected);
    play.call.sent_ns = 300; /* not at the intended start, which is 0 */
    for (size_t i = 0; i < body.bytes; i++)
        give(&play, body, i, i + 1);
    end(&play, body);
    check_outcome(&play, expected);
    check_counters(&play, expected);
    check_counts_of_times(&play, expected);
    check_times(&play, expected);
    check_token_gaps(&play, expected);
    play_fini(&play);
}

static char *read_file(const char *path, size_t *bytes)
{
    FILE *file = fopen(path, "rb");
    struct text text = TEXT_EMPTY;
    char block[4096];
    assert_non_null(file);
    for (size_t got; (got = fread(block, 1, sizeof block, file)) > 0;)
        text_put(&text, (struct span){.at = block, .bytes = got});
    fclose(file);
    *bytes = text.bytes;
    return text_take(&text);
}

static void replay(const char *path)
{
    char answers[512];
    snprintf(answers, sizeof answers, "%.*s.json", (int)(strlen(path) - strlen(".stream")), path);
    json_error_t error;
    json_t *expected = json_load_file(answers, 0, &error);
    size_t bytes = 0;
    char *words = read_file(path, &bytes);
    struct span body = {.at = words, .bytes = bytes};
    assert_non_null(expected);
    print_message("%s\n", strrchr(path, '/') + 1);
    replay_cut(body, expected, bytes);
    for (size_t cut = 1; cut < bytes && bytes < MOST_CUT_BYTES; cut++)
        replay_cut(body, expected, cut);
    replay_bytes(body, expected);
    json_decref(expected);
    free(words);
}

static void corpus(void **state)
{
    (void)state;
    glob_t found;
    assert_int_equal(glob(TEST_ROOT "/test/golden/streams/*.stream", 0, NULL, &found), 0);
    assert_true(found.gl_pathc >= 75);
    for (size_t i = 0; i < found.gl_pathc; i++)
        replay(found.gl_pathv[i]);
    globfree(&found);
}

/* ---- goodput ----------------------------------------------------------------------------------
 */

/* An answer of five tokens, 100 ms to the first and 20 ms apart, under a goal. Returns 'g' for
 * good, 'm' for missed, '-' for neither. */
static char judged(struct llm_goal goal, bool failed)
{
    struct play play;
    json_t *expected = json_pack("{s:s, s:b, s:i}", "driver", "openai", "stream", 1, "status", 200);
    play_init(&play, expected);
    struct llm_answer answer = {
        .first_ns = 100 * NSEC_PER_MSEC, .last_ns = 180 * NSEC_PER_MSEC, .tokens = 5, .events = 5};
    llm_judge(&play.call, &answer, &goal, failed, 190 * NSEC_PER_MSEC);
    uint64_t good = play.tally.counters[play.first_counter + LLM_GOOD];
    uint64_t missed = play.tally.counters[play.first_counter + LLM_MISSED];
    assert_true(good + missed <= 1);
    json_decref(expected);
    play_fini(&play);
    return good ? 'g' : missed ? 'm' : '-';
}

static void goodput(void **state)
{
    (void)state;
    const nsec_t ms = NSEC_PER_MSEC;
    assert_int_equal(judged((struct llm_goal){0}, false), '-');
    assert_int_equal(judged((struct llm_goal){0}, true), '-');
    assert_int_equal(judged((struct llm_goal){.ttft_ns = 100 * ms}, false), 'g');
    assert_int_equal(judged((struct llm_goal){.ttft_ns = 99 * ms}, false), 'm');
    assert_int_equal(judged((struct llm_goal){.tpot_ns = 20 * ms}, false), 'g');
    assert_int_equal(judged((struct llm_goal){.tpot_ns = 19 * ms}, false), 'm');
    assert_int_equal(judged((struct llm_goal){.e2el_ns = 180 * ms}, false), 'g');
    assert_int_equal(judged((struct llm_goal){.e2el_ns = 179 * ms}, false), 'm');
    assert_int_equal(judged((struct llm_goal){100 * ms, 20 * ms, 180 * ms}, false), 'g');
    assert_int_equal(judged((struct llm_goal){100 * ms, 20 * ms, 179 * ms}, false), 'm');
    assert_int_equal(judged((struct llm_goal){100 * ms, 20 * ms, 180 * ms}, true), 'm');
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(corpus), cmocka_unit_test(goodput)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
