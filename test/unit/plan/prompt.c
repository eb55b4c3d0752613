/* Prompts as data: lengths against their law, texts by seed and number, shared prefixes, datasets,
 * conversations and traces. */
#include "plan/dataset.h"
#include "words.h"

#include <math.h>
#include <time.h>

/* ---- made prompts -----------------------------------------------------------------------------
 */

static struct plan_prompts synthetic(struct distribution tokens)
{
    return (struct plan_prompts){
        .source = PROMPT_SYNTHETIC, .tokens = tokens, .prefixes = 1, .context_tokens = 32768};
}

static struct prompt_place place_of(uint64_t number)
{
    return (struct prompt_place){.key = 77, .shared_key = 99, .number = number};
}

static char *text_of(const struct plan_prompts *prompts, struct prompt_place place)
{
    struct text out = TEXT_EMPTY;
    prompt_text(prompts, &place, &out);
    return text_take(&out);
}

static size_t words_in(const char *text)
{
    size_t count = *text ? 1 : 0;
    for (; *text; text++)
        count += *text == ' ';
    return count;
}

static double normal_share(double x)
{
    return erfc(-x / sqrt(2)) / 2;
}

/* Kolmogorov and Smirnov: the largest distance between the shares of n draws and the law's is below
 * 1.95 / sqrt(n) but once in a thousand times; the seed is fixed. Rounding to whole tokens adds at
 * most the law's share of half a token. */
static void lengths_follow_their_law(void **state)
{
    (void)state;
    enum { COUNT = 20000, MOST = 1000 };
    static const struct {
        struct distribution tokens;
        double mean, deviation; /* of a normal; 0: uniform 100 .. 300 */
    } cases[] = {
        {{.spread = SPREAD_NORMAL, .a = 200, .b = 50}, 200, 50},
        {{.spread = SPREAD_UNIFORM, .a = 100, .b = 300}, 0, 0},
    };
    for (size_t c = 0; c < 2; c++) {
        struct plan_prompts prompts = synthetic(cases[c].tokens);
        size_t counts[MOST] = {0}, below = 0;
        double furthest = 0;
        for (uint64_t n = 0; n < COUNT; n++) {
            struct prompt_place place = place_of(n);
            uint32_t tokens = prompt_tokens(&prompts, &place);
            assert_in_range(tokens, 1, MOST - 1);
            counts[tokens]++;
        }
        for (int t = 1; t < MOST; t++) {
            below += counts[t];
            double edge = t + 0.5; /* all that rounds to at most t */
            double share = cases[c].deviation > 0
                               ? normal_share((edge - cases[c].mean) / cases[c].deviation)
                               : fmin(1, fmax(0, (edge - 100) / 200));
            furthest = fmax(furthest, fabs((double)below / COUNT - share));
        }
        assert_true(furthest < 1.95 / sqrt(COUNT) + 1e-9);
    }
}

/* Each of the 256 words equally often: chi-square with 255 degrees of freedom stays below 330.5 but
 * once in a thousand times; and a text has as many words as tokens, of 4 bytes each. */
static void words_are_even_and_as_many_as_tokens(void **state)
{
    (void)state;
    enum { TOKENS = 256000 };
    struct plan_prompts prompts =
        synthetic((struct distribution){.spread = SPREAD_FIXED, .a = TOKENS});
    char *text = text_of(&prompts, place_of(3));
    assert_int_equal(words_in(text), TOKENS);
    assert_int_equal(strlen(text), TOKENS * 4 - 1);
    size_t counts[26 * 26 * 26] = {0}, kinds = 0;
    double square = 0;
    for (const char *at = text; *at; at += at[3] ? 4 : 3)
        counts[(at[0] - 'a') * 676 + (at[1] - 'a') * 26 + at[2] - 'a']++;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        double off = (double)counts[i] - TOKENS / 256.0;
        kinds += counts[i] > 0;
        square += counts[i] ? off * off / (TOKENS / 256.0) : 0;
    }
    assert_int_equal(kinds, 256);
    assert_true(square < 330.5);
    free(text);
}

static int compare_texts(const void *one, const void *other)
{
    return strcmp(*(char *const *)one, *(char *const *)other);
}

/* The same number is the same text, in whatever order; no two numbers, keys or turns are. The first
 * 16 words, a block of a prefix cache, differ already. */
static void a_prompt_is_its_number_and_no_other(void **state)
{
    (void)state;
    enum { COUNT = 3000 };
    struct plan_prompts prompts =
        synthetic((struct distribution){.spread = SPREAD_UNIFORM, .a = 16, .b = 64});
    char **texts = memory_new(COUNT, sizeof *texts);
    for (uint64_t n = 0; n < COUNT; n++) {
        struct prompt_place place = place_of(n / 3);
        place.turn = n % 3 == 1;
        place.key += n % 3 == 2;
        texts[n] = text_of(&prompts, place);
        char *again = text_of(&prompts, place);
        assert_string_equal(texts[n], again);
        free(again);
        texts[n][63] = '\0';
    }
    qsort(texts, COUNT, sizeof *texts, compare_texts);
    for (size_t i = 1; i < COUNT; i++)
        assert_string_not_equal(texts[i - 1], texts[i]);
    for (size_t i = 0; i < COUNT; i++)
        free(texts[i]);
    free(texts);
}

static size_t same_words(const char *one, const char *other)
{
    size_t same = 0;
    while (one[same] && one[same] == other[same])
        same++;
    return (same + 1) / 4;
}

static void prefixes_are_shared(void **state)
{
    (void)state;
    struct plan_prompts prompts =
        synthetic((struct distribution){.spread = SPREAD_FIXED, .a = 200});
    prompts.shared_prefix = 0.3;
    char *one = text_of(&prompts, place_of(0)), *other = text_of(&prompts, place_of(1));
    assert_in_range(same_words(one, other), 60, 62); /* the next word may happen to be the same */
    assert_int_equal(words_in(one), 200);
    free(one);
    free(other);
    prompts.shared_prefix = 0;
    prompts.prefix_tokens = 50; /* beside the prompt's own */
    prompts.prefixes = 4;
    size_t with_first = 0;
    one = text_of(&prompts, place_of(0));
    assert_int_equal(words_in(one), 250);
    for (uint64_t n = 1; n <= 1000; n++) {
        other = text_of(&prompts, place_of(n));
        size_t same = same_words(one, other);
        assert_true(same < 4 || (same >= 50 && same < 54));
        with_first += same >= 50;
        free(other);
    }
    assert_in_range(with_first, 250 - 43, 250 + 43); /* a quarter, 3.1 standard deviations */
    free(one);
}

/* A slot that was sized beforehand takes every prompt of a bounded length without growing. */
static void slots_need_not_grow(void **state)
{
    (void)state;
    struct plan_prompts prompts =
        synthetic((struct distribution){.spread = SPREAD_UNIFORM, .a = 100, .b = 300});
    prompts.prefix_tokens = 64;
    struct text slot = TEXT_EMPTY;
    text_reserve(&slot, prompt_room(&prompts, PROMPT_TEXT));
    const char *at = slot.at;
    size_t room = slot.room;
    for (uint64_t n = 0; n < 2000; n++) {
        struct prompt_place place = place_of(n);
        text_clear(&slot);
        prompt_text(&prompts, &place, &slot);
        assert_ptr_equal(slot.at, at);
    }
    assert_int_equal(slot.room, room);
    text_fini(&slot);
}

/* ---- datasets ---------------------------------------------------------------------------------
 */

static struct plan_prompts *dataset(const char *bytes, double turns, struct dataset_filter filter)
{
    struct plan_prompts *prompts = memory_new(1, sizeof *prompts);
    struct feed_error error = {0};
    *prompts =
        (struct plan_prompts){.source = PROMPT_DATASET, .prefixes = 1, .context_tokens = 32768};
    if (turns > 0)
        prompts->turns = (struct distribution){.spread = SPREAD_FIXED, .a = turns};
    if (dataset_read(span_of(bytes), &filter, prompts, &error))
        fail_msg("line %u: %s", error.line, error.why);
    return prompts;
}

static const char mixed[] =
    "\"a bare text\"\n"
    "{\"prompt\": \"with a length\", \"output_tokens\": 7}\n"
    "\n"
    "{\"prompt\": \"with an answer\", \"completion\": \"of five tokens, 20 b\"}\n"
    "{\"messages\": [{\"role\": \"system\", \"content\": \"short\"},"
    " {\"role\": \"user\", \"content\": \"one\"}, {\"role\": \"assistant\", \"content\": \"two\"},"
    " {\"role\": \"user\", \"content\": [{\"type\": \"text\", \"text\": \"three\"}]},"
    " {\"role\": \"assistant\", \"content\": \"dropped\"}]}\n"
    "{\"conversations\": [{\"from\": \"gpt\", \"value\": \"hi\"},"
    " {\"from\": \"human\", \"value\": \"say \\\"x\\\"\"}, {\"from\": \"gpt\", \"value\": \"x\"},"
    " {\"from\": \"human\", \"value\": \"again\"}]}\n"
    "{\"conversations\": [{\"from\": \"gpt\", \"value\": \"nobody asked\"}]}\n";

static void datasets_have_many_forms(void **state)
{
    (void)state;
    static const struct {
        const char *text, *messages;
        uint32_t output;
    } expected[] = {
        {"a bare text", "[{\"role\":\"user\",\"content\":\"a bare text\"}]", 0},
        {"with a length", "[{\"role\":\"user\",\"content\":\"with a length\"}]", 7},
        {"with an answer", "[{\"role\":\"user\",\"content\":\"with an answer\"}]", 5},
        {"three",
         "[{\"role\":\"system\",\"content\":\"short\"},{\"role\":\"user\",\"content\":\"one\"},"
         "{\"role\":\"assistant\",\"content\":\"two\"},{\"role\":\"user\",\"content\":\"three\"}]",
         2},
        {"say \"x\"", "[{\"role\":\"user\",\"content\":\"say \\\"x\\\"\"}]", 1},
    };
    struct plan_prompts *prompts = dataset(mixed, 0, (struct dataset_filter){0});
    assert_int_equal(prompts->dialog_count, 5);
    assert_int_equal(prompts->left_out, 1);
    assert_true(prompts->has_output);
    assert_int_equal(prompts->typical_output, 4); /* the mean of 7, 5, 2 and 1, rounded */
    for (uint64_t n = 0; n < 5; n++) {
        struct prompt_place place = place_of(n);
        struct text messages = TEXT_EMPTY;
        char *text = text_of(prompts, place);
        prompt_messages(prompts, &place, &messages);
        assert_string_equal(text, expected[n].text);
        assert_string_equal(messages.at, expected[n].messages);
        assert_int_equal(prompt_known_output(prompts, &place), expected[n].output);
        assert_int_equal(prompt_output(prompts, &place),
                         expected[n].output ? expected[n].output : 4);
        assert_int_equal(prompt_turns(prompts, &place), 1);
        text_fini(&messages);
        free(text);
    }
    plan_prompts_free(prompts);
}

static void filters_leave_out(void **state)
{
    (void)state;
    const char *array =
        "[ {\"prompt\": \"x\"},\n{\"prompt\": \"four tokens, 16b\"}, "
        "{\"prompt\": \"a prompt of eight tokens, 32 by.\"},\n \"0123456789abcdef\"]";
    struct dataset_filter filter = {.least_tokens = 2, .most_tokens = 4, .limit = 1};
    struct plan_prompts *prompts = dataset(array, 0, filter);
    assert_int_equal(prompts->dialog_count, 1);
    assert_int_equal(prompts->left_out, 3);
    assert_false(prompts->has_output);
    char *text = text_of(prompts, place_of(0));
    assert_string_equal(text, "four tokens, 16b");
    free(text);
    plan_prompts_free(prompts);
}

/* ---- conversations ------------------------------------------------------------------------------
 */

static void turns_grow_by_real_answers(void **state)
{
    (void)state;
    struct plan_prompts *prompts = dataset(mixed, 1e9, (struct dataset_filter){0});
    struct prompt_place place = place_of(4);
    struct text list = TEXT_EMPTY;
    assert_int_equal(prompt_turns(prompts, &place), 2);
    prompt_messages(prompts, &place, &list);
    place.turn = 1;
    assert_false(prompt_messages_go_on(prompts, &place, SPAN("real \\\"answer\\\""), &list));
    assert_string_equal(list.at, "[{\"role\":\"user\",\"content\":\"say \\\"x\\\"\"},"
                                 "{\"role\":\"assistant\",\"content\":\"real \\\"answer\\\"\"},"
                                 "{\"role\":\"user\",\"content\":\"again\"}]");
    place = place_of(3); /* a list of messages goes turn by turn too, its system message first */
    prompt_messages(prompts, &place, &list);
    assert_string_equal(list.at, "[{\"role\":\"system\",\"content\":\"short\"},"
                                 "{\"role\":\"user\",\"content\":\"one\"}]");
    text_fini(&list);
    plan_prompts_free(prompts);
}

/* Beyond the limit of the context the oldest turns go, whole; the system message stays. What a user
 * says may look like the list itself. */
static void a_long_conversation_forgets(void **state)
{
    (void)state;
    struct text bytes = TEXT_EMPTY;
    text_puts(&bytes, "{\"messages\": [{\"role\": \"system\", \"content\": \"stay\"}");
    for (int i = 0; i < 40; i++)
        text_printf(&bytes,
                    ", {\"role\": \"user\", \"content\": \"{\\\"role\\\":\\\"user\\\",%02d\"}", i);
    text_puts(&bytes, "]}");
    struct plan_prompts *prompts = dataset(bytes.at, 1e9, (struct dataset_filter){0});
    prompts->context_tokens = 100;
    struct prompt_place place = place_of(0);
    struct text list = TEXT_EMPTY;
    bool forgot = false;
    assert_int_equal(prompt_turns(prompts, &place), 40);
    prompt_messages(prompts, &place, &list);
    for (place.turn = 1; place.turn < 40; place.turn++) {
        char latest[32];
        bool now = prompt_messages_go_on(prompts, &place, SPAN("yes"), &list);
        assert_true(list.bytes <= 400);
        assert_true(!forgot || now); /* once full, each turn pushes one out */
        forgot = now;
        snprintf(latest, sizeof latest, "user\\\",%02u\"}]", place.turn);
        assert_string_equal(list.at + list.bytes - strlen(latest), latest);
        assert_true(strstr(list.at, "\"stay\"") != NULL);
    }
    assert_true(forgot);
    assert_true(strstr(list.at, "{\"role\":\"system\",\"content\":\"stay\"},{\"role\":\"user\"") ==
                list.at + 1);
    text_fini(&list);
    text_fini(&bytes);
    plan_prompts_free(prompts);
}

/* ---- traces -----------------------------------------------------------------------------------
 */

static struct plan_prompts *trace(const char *bytes)
{
    struct plan_prompts *prompts = memory_new(1, sizeof *prompts);
    struct feed_error error = {0};
    *prompts = (struct plan_prompts){.source = PROMPT_TRACE, .prefixes = 1, .block_tokens = 512};
    if (trace_read(span_of(bytes), prompts, &error))
        fail_msg("line %u: %s", error.line, error.why);
    return prompts;
}

static void azure_traces_are_read(void **state)
{
    (void)state;
    struct plan_prompts *prompts = trace("TIMESTAMP,ContextTokens,GeneratedTokens\r\n"
                                         "2023-11-16 23:59:59.9000000,374,44\r\n"
                                         "2023-11-17 00:00:01.1500000,396,0\r\n"
                                         "2023-11-17 02:00:00.0000001+02:00,879,55\r\n");
    static const struct prompt_arrival expected[] = {
        {.at_ns = 0, .tokens = 374, .output = 44},
        {.at_ns = 100000100, .tokens = 879, .output = 55}, /* another zone; out of order */
        {.at_ns = 1250000000, .tokens = 396, .output = 1}, /* an answer has a token */
    };
    assert_int_equal(prompts->arrival_count, 3);
    assert_int_equal(prompts->unsorted, 1);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(prompts->arrivals[i].at_ns, expected[i].at_ns);
        assert_int_equal(prompts->arrivals[i].tokens, expected[i].tokens);
        assert_int_equal(prompts->arrivals[i].output, expected[i].output);
    }
    plan_prompts_free(prompts);
}

/* Dates against the C library, over leap years and centuries. */
static void dates_are_those_of_the_calendar(void **state)
{
    (void)state;
    static const char *const days[] = {"1970-01-01", "1999-12-31", "2000-02-29", "2000-03-01",
                                       "2023-02-28", "2024-02-29", "2024-12-31", "2100-03-01"};
    for (size_t i = 1; i < sizeof days / sizeof *days; i++) {
        struct text bytes = TEXT_EMPTY;
        struct tm tm[2] = {{0}, {0}};
        text_printf(&bytes, "%s 00:00:00\n%s 12:34:56\n", days[i - 1], days[i]);
        assert_non_null(strptime(days[i - 1], "%Y-%m-%d", &tm[0]));
        assert_non_null(strptime(days[i], "%Y-%m-%d", &tm[1]));
        int64_t seconds = (int64_t)timegm(&tm[1]) - (int64_t)timegm(&tm[0]) + 45296;
        struct plan_prompts *prompts = trace(bytes.at);
        assert_int_equal(prompts->arrivals[1].at_ns, seconds * NSEC_PER_SEC);
        plan_prompts_free(prompts);
        text_fini(&bytes);
    }
}

static void mooncake_traces_share_blocks(void **state)
{
    (void)state;
    struct plan_prompts *prompts =
        trace("{\"timestamp\": 3052, \"input_length\": 1100, \"output_length\": 52, "
              "\"hash_ids\": [46, 47, 48]}\n"
              "{\"timestamp\": 3000, \"input_length\": 1024, \"output_length\": 5, "
              "\"hash_ids\": [46, 47]}\n"
              "{\"timestamp\": 4000, \"input_length\": 600, \"output_length\": 5, "
              "\"hash_ids\": [46, 99]}\n");
    assert_int_equal(prompts->unsorted, 1);
    assert_int_equal(prompts->arrivals[0].at_ns, 0);
    assert_int_equal(prompts->arrivals[1].at_ns, 52 * NSEC_PER_MSEC);
    char *texts[3];
    for (uint64_t n = 0; n < 3; n++) {
        texts[n] = text_of(prompts, place_of(n));
        assert_int_equal(words_in(texts[n]), prompts->arrivals[n].tokens);
    }
    assert_int_equal(same_words(texts[0], texts[1]), 1024); /* both blocks of the shorter */
    assert_in_range(same_words(texts[0], texts[2]), 512, 514);
    for (size_t n = 0; n < 3; n++)
        free(texts[n]);
    plan_prompts_free(prompts);
}

static void other_tables_are_read(void **state)
{
    (void)state;
    struct plan_prompts *prompts = trace("Timestamp,Model,Request tokens,Response tokens\n"
                                         "5,ChatGPT,472,18\n45,ChatGPT,1087,230\n");
    assert_int_equal(prompts->arrivals[0].at_ns, 5 * NSEC_PER_SEC); /* seconds stay as they are */
    assert_int_equal(prompts->arrivals[1].tokens, 1087);
    assert_int_equal(prompts->arrivals[1].output, 230);
    plan_prompts_free(prompts);
    prompts = trace("# seconds\n0.5\n2.25\n1.75\n{\"timestamp\": 3.5}\n");
    assert_int_equal(prompts->arrival_count, 4);
    assert_int_equal(prompts->arrivals[1].at_ns, 1750 * NSEC_PER_MSEC);
    plan_prompts_free(prompts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lengths_follow_their_law),
        cmocka_unit_test(words_are_even_and_as_many_as_tokens),
        cmocka_unit_test(a_prompt_is_its_number_and_no_other),
        cmocka_unit_test(prefixes_are_shared),
        cmocka_unit_test(slots_need_not_grow),
        cmocka_unit_test(datasets_have_many_forms),
        cmocka_unit_test(filters_leave_out),
        cmocka_unit_test(turns_grow_by_real_answers),
        cmocka_unit_test(a_long_conversation_forgets),
        cmocka_unit_test(azure_traces_are_read),
        cmocka_unit_test(dates_are_those_of_the_calendar),
        cmocka_unit_test(mooncake_traces_share_blocks),
        cmocka_unit_test(other_tables_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
