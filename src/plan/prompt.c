/* Prompts as functions of a seed and a number; see prompt.h. Each quantity of a prompt draws from
 * counters of its own, so that one more draw for the length does not change the text. */
#include "plan/prompt.h"

#include "wire/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* 256 words of three letters, one after another. */
static const char vocabulary[] = "aceactaddageagoaidaimairaleallampandantanyappapt"
                                 "arcarearmartashaskbadbagbanbarbatbaybedbegbenbet"
                                 "bidbigbinbitbowboxboybugbusbutbuycabcancapcarcat"
                                 "copcowcrycupcutdamdaydendiddiedigdimdipdocdogdot"
                                 "drydueeareateggenderaeyefanfarfatfedfeefewfigfin"
                                 "fitfixfluflyfogforfunfurgapgasgemgetgodgunguthad"
                                 "hamhashathayhenherhimhiphishithophothowhubiceill"
                                 "impinnionitsjamjarjetjobjogjoykeykidlabladlaplaw"
                                 "layledlegletlidlieliplitloglotlowmadmagmanmapmat"
                                 "maxmaymenmetminmixmobmodmommudnapnavnetnewnodnor"
                                 "notnownutoddoffoiloldoneoptorboreouroutownpadpal"
                                 "panparpatpaypenperpetpiepinpitpodpoppotpropubpup"
                                 "putragramranratrawrayrecredrefrepribridrigrimrob"
                                 "rodrowrubrunsadsatsawsayseaseesetshesinsitsixski"
                                 "skysonsumsuntaxteatenthetietintiptoetontootoptry"
                                 "twousevanviawarwaswaywebwetwhowhywinyesyetyouzoo";

enum { WORD_BYTES = 3, WORDS_A_DRAW = 8 };

/* Where the counters of a turn begin, and each quantity's within them. */
enum {
    TURN_COUNTERS = 1024,
    DRAW_TOKENS = 0,
    DRAW_OUTPUT = 256,
    DRAW_GROUP = 512,
    DRAW_TURNS = 600,
    DRAW_TEXT = 700
};

struct plan_prompts *plan_prompts_free(struct plan_prompts *prompts)
{
    if (!prompts)
        return NULL;
    free(prompts->messages);
    free(prompts->dialogs);
    free(prompts->arrivals);
    free(prompts->blocks);
    free(prompts->bytes);
    free(prompts);
    return NULL;
}

void prompt_words(uint64_t key, uint64_t first, uint64_t count, struct text *out)
{
    uint64_t bits = 0;
    text_reserve(out, out->bytes + (size_t)count * PROMPT_BYTES_A_TOKEN + 1);
    char *at = out->at + out->bytes;
    for (uint64_t i = first; i < first + count; i++) {
        if (i == first || i % WORDS_A_DRAW == 0)
            bits = random_bits_at(key, i / WORDS_A_DRAW) >> (8 * (i % WORDS_A_DRAW));
        if (at != out->at)
            *at++ = ' ';
        memcpy(at, vocabulary + (bits & 255) * WORD_BYTES, WORD_BYTES);
        at += WORD_BYTES;
        bits >>= 8;
    }
    *at = '\0';
    out->bytes = (size_t)(at - out->at);
}

uint32_t prompt_estimate(struct span words)
{
    size_t tokens = (words.bytes + PROMPT_BYTES_A_TOKEN - 1) / PROMPT_BYTES_A_TOKEN;
    if (tokens > PROMPT_TOKENS_MOST)
        tokens = PROMPT_TOKENS_MOST;
    return tokens ? (uint32_t)tokens : 1;
}

/* ---- draws ------------------------------------------------------------------------------------
 */

static struct random draws_of(const struct prompt_place *place, unsigned quantity)
{
    return (struct random){.key = random_bits_at(place->key, place->number),
                           .counter = (uint64_t)place->turn * TURN_COUNTERS + quantity};
}

static uint32_t draw_count(const struct distribution *spread, const struct prompt_place *place,
                           unsigned quantity, uint32_t most)
{
    struct random random = draws_of(place, quantity);
    double value = round(distribution_draw(spread, &random));
    if (!(value > 1))
        return 1;
    return value < most ? (uint32_t)value : most;
}

static const struct prompt_dialog *dialog_at(const struct plan_prompts *prompts,
                                             const struct prompt_place *place)
{
    return &prompts->dialogs[place->number % prompts->dialog_count];
}

static const struct prompt_arrival *arrival_at(const struct plan_prompts *prompts,
                                               const struct prompt_place *place)
{
    return &prompts->arrivals[place->number % prompts->arrival_count];
}

uint32_t prompt_turns(const struct plan_prompts *prompts, const struct prompt_place *place)
{
    uint32_t most = PROMPT_TURNS_MOST;
    if (prompts->turns.spread == SPREAD_NONE)
        return 1;
    if (prompts->source == PROMPT_DATASET && dialog_at(prompts, place)->users < most)
        most = dialog_at(prompts, place)->users;
    struct prompt_place first = *place;
    first.turn = 0;
    return draw_count(&prompts->turns, &first, DRAW_TURNS, most);
}

/* ---- conversations of a file --------------------------------------------------------------------
 */

/* The index of the user's message that the turn sends. */
static uint32_t user_message(const struct plan_prompts *prompts, const struct prompt_place *place)
{
    const struct prompt_dialog *dialog = dialog_at(prompts, place);
    bool all = dialog->whole && prompts->turns.spread == SPREAD_NONE;
    uint32_t wanted = all ? dialog->users - 1 : place->turn;
    for (uint32_t i = dialog->first;; i++) {
        if (prompts->messages[i].role == ROLE_USER && wanted-- == 0)
            return i;
    }
}

/* What the file has as the answer to a message; NULL: nothing. */
static const struct prompt_message *answer_to(const struct plan_prompts *prompts,
                                              const struct prompt_dialog *dialog, uint32_t message)
{
    bool last = message + 1 == dialog->first + dialog->count;
    if (last || prompts->messages[message + 1].role != ROLE_ASSISTANT)
        return NULL;
    return &prompts->messages[message + 1];
}

/* ---- figures ----------------------------------------------------------------------------------
 */

static uint64_t prefix_of(const struct plan_prompts *prompts, const struct prompt_place *place,
                          uint64_t own)
{
    if (place->turn > 0)
        return 0;
    if (prompts->prefix_tokens)
        return prompts->prefix_tokens;
    return (uint64_t)llround((double)own * prompts->shared_prefix);
}

uint32_t prompt_tokens(const struct plan_prompts *prompts, const struct prompt_place *place)
{
    if (prompts->source == PROMPT_DATASET)
        return prompt_estimate(prompts->messages[user_message(prompts, place)].words);
    if (prompts->source == PROMPT_TRACE)
        return arrival_at(prompts, place)->tokens;
    uint32_t own = draw_count(&prompts->tokens, place, DRAW_TOKENS, PROMPT_TOKENS_MOST);
    uint64_t fixed = place->turn == 0 ? prompts->prefix_tokens : 0;
    uint64_t all = own + fixed;
    return all < PROMPT_TOKENS_MOST ? (uint32_t)all : PROMPT_TOKENS_MOST;
}

uint32_t prompt_known_output(const struct plan_prompts *prompts, const struct prompt_place *place)
{
    if (prompts->source == PROMPT_TRACE)
        return arrival_at(prompts, place)->output;
    if (prompts->source == PROMPT_SYNTHETIC)
        return 0;
    const struct prompt_dialog *dialog = dialog_at(prompts, place);
    if (dialog->output && place->turn == 0)
        return dialog->output;
    const struct prompt_message *answer = answer_to(prompts, dialog, user_message(prompts, place));
    return answer ? prompt_estimate(answer->words) : 0;
}

uint32_t prompt_output(const struct plan_prompts *prompts, const struct prompt_place *place)
{
    uint32_t known = prompt_known_output(prompts, place);
    if (known)
        return known;
    if (prompts->output.spread != SPREAD_NONE)
        return draw_count(&prompts->output, place, DRAW_OUTPUT, PROMPT_TOKENS_MOST);
    return prompts->typical_output ? prompts->typical_output : 1;
}

/* ---- texts ------------------------------------------------------------------------------------
 */

/* The key of a prompt's own words. */
static uint64_t own_key(const struct prompt_place *place)
{
    struct random random = draws_of(place, DRAW_TEXT);
    return random_next(&random);
}

static void synthetic_text(const struct plan_prompts *prompts, const struct prompt_place *place,
                           struct text *out)
{
    uint64_t all = prompt_tokens(prompts, place), shared = prefix_of(prompts, place, all);
    if (shared > all)
        shared = all;
    struct random random = draws_of(place, DRAW_GROUP);
    if (shared) {
        uint64_t group = random_below_of(random_next(&random), prompts->prefixes);
        prompt_words(random_bits_at(place->shared_key, group), 0, shared, out);
    }
    prompt_words(own_key(place), 0, all - shared, out);
}

/* Blocks of the same number are the same text; what lies beyond them is the request's own. */
static void trace_text(const struct plan_prompts *prompts, const struct prompt_place *place,
                       struct text *out)
{
    const struct prompt_arrival *arrival = arrival_at(prompts, place);
    uint64_t left = arrival->tokens;
    for (uint32_t i = 0; i < arrival->block_count && left; i++) {
        uint64_t some = left < prompts->block_tokens ? left : prompts->block_tokens;
        prompt_words(random_bits_at(place->shared_key, prompts->blocks[arrival->first_block + i]),
                     0, some, out);
        left -= some;
    }
    prompt_words(own_key(place), 0, left, out);
}

void prompt_text(const struct plan_prompts *prompts, const struct prompt_place *place,
                 struct text *out)
{
    if (prompts->source == PROMPT_SYNTHETIC)
        synthetic_text(prompts, place, out);
    else if (prompts->source == PROMPT_TRACE)
        trace_text(prompts, place, out);
    else
        text_put(out, prompts->messages[user_message(prompts, place)].words);
}

/* ---- messages ---------------------------------------------------------------------------------
 */

static const char user_begin[] = "{\"role\":\"user\",\"content\":\"";

static void put_message(const struct prompt_message *message, struct text *out)
{
    static const char *const roles[] = {"system", "user", "assistant"};
    text_puts(out, out->bytes > 1 ? ",{\"role\":\"" : "{\"role\":\"");
    text_puts(out, roles[message->role]);
    text_puts(out, "\",\"content\":\"");
    json_escape(message->words, out);
    text_puts(out, "\"}");
}

/* Synthetic words need no escapes, but prompt_words separates them by what stands before. */
static void put_synthetic(const struct plan_prompts *prompts, const struct prompt_place *place,
                          struct text *out)
{
    text_put(out, SPAN(user_begin));
    size_t at = out->bytes;
    prompt_text(prompts, place, out);
    if (out->bytes > at) { /* the blank before the first word */
        memmove(out->at + at, out->at + at + 1, out->bytes - at - 1);
        out->bytes--;
    }
    text_put(out, SPAN("\"}"));
}

void prompt_messages(const struct plan_prompts *prompts, const struct prompt_place *place,
                     struct text *out)
{
    text_clear(out);
    text_putc(out, '[');
    if (prompts->source != PROMPT_DATASET) {
        put_synthetic(prompts, place, out);
    } else {
        const struct prompt_dialog *dialog = dialog_at(prompts, place);
        uint32_t last = user_message(prompts, place);
        for (uint32_t i = dialog->first; i <= last; i++) {
            bool told = dialog->whole || prompts->messages[i].role != ROLE_ASSISTANT;
            if (told) /* a greeting of the assistant before the first turn is not sent */
                put_message(&prompts->messages[i], out);
        }
    }
    text_putc(out, ']');
}

/* Leaves the oldest turn out: from its user's message to the next one's. */
static bool forget_oldest(struct text *list)
{
    const char *first = memmem(list->at, list->bytes, user_begin, sizeof user_begin - 1);
    if (!first)
        return false;
    size_t at = (size_t)(first - list->at), past = at + sizeof user_begin - 1;
    const char *next =
        memmem(list->at + past, list->bytes - past, user_begin, sizeof user_begin - 1);
    if (!next)
        return false;
    size_t from = (size_t)(next - list->at);
    memmove(list->at + at, list->at + from, list->bytes - from + 1);
    list->bytes -= from - at;
    return true;
}

bool prompt_messages_go_on(const struct plan_prompts *prompts, const struct prompt_place *place,
                           struct span answer, struct text *list)
{
    bool forgot = false;
    list->bytes -= list->bytes ? 1 : 0; /* the bracket */
    text_put(list, SPAN(",{\"role\":\"assistant\",\"content\":\""));
    text_put(list, answer);
    text_put(list, SPAN("\"}"));
    if (prompts->source == PROMPT_DATASET) {
        put_message(&prompts->messages[user_message(prompts, place)], list);
    } else {
        text_putc(list, ',');
        put_synthetic(prompts, place, list);
    }
    text_putc(list, ']');
    while (list->bytes > prompts->context_tokens * PROMPT_BYTES_A_TOKEN && forget_oldest(list))
        forgot = true;
    return forgot;
}

size_t prompt_room(const struct plan_prompts *prompts, enum prompt_column column)
{
    enum { NUMBER_BYTES = 24, AROUND_BYTES = 256, USUAL_MOST = 64 << 10 };
    if (column == PROMPT_TOKENS || column == PROMPT_OUTPUT)
        return NUMBER_BYTES;
    const struct distribution *tokens = &prompts->tokens;
    double most = prompts->source == PROMPT_DATASET ? 0 : 3 * distribution_mean(tokens);
    if (tokens->spread == SPREAD_FIXED || tokens->spread == SPREAD_UNIFORM)
        most = tokens->spread == SPREAD_FIXED ? tokens->a : tokens->b;
    if (prompts->turns.spread != SPREAD_NONE && column == PROMPT_MESSAGES)
        most = (double)prompts->context_tokens;
    double bytes = (most + (double)prompts->prefix_tokens) * PROMPT_BYTES_A_TOKEN + AROUND_BYTES;
    return bytes < USUAL_MOST ? (size_t)bytes : USUAL_MOST;
}
