/* Prompts in slots, and conversations: a request that goes through one is sent once a turn, each
 * time with what was said so far. The list of messages is a slot of the iteration, so it lives and
 * is used again with the job; the server's answers are the real ones. */
#include "load/inside.h"

#include "base/memory.h"

void prompts_init(struct crew *crew)
{
    const struct plan *plan = crew->engine->plan;
    crew->prompt_keys = memory_new(plan->feeder_count, sizeof *crew->prompt_keys);
    crew->shared_keys = memory_new(plan->feeder_count, sizeof *crew->shared_keys);
    for (size_t i = 0; i < plan->feeder_count; i++) {
        crew->prompt_keys[i] = random_key(plan->seed, "prompts", i << 32 | crew->index);
        crew->shared_keys[i] = random_key(plan->seed, "shared prompts", i);
    }
}

void prompts_fill(const struct plan_feeder *feeder, const struct symbol *symbol,
                  const struct prompt_place *place, struct text *out)
{
    switch ((enum prompt_column)symbol->column) {
    case PROMPT_TEXT:
        prompt_text(feeder->prompts, place, out);
        break;
    case PROMPT_TOKENS:
        text_put_uint(out, prompt_tokens(feeder->prompts, place));
        break;
    case PROMPT_OUTPUT:
        text_put_uint(out, prompt_output(feeder->prompts, place));
        break;
    case PROMPT_MESSAGES:
        prompt_messages(feeder->prompts, place, out);
        break;
    }
}

void talk_begin(struct job *job, const struct symbol *symbol, const struct prompt_place *place)
{
    const struct plan_prompts *prompts = job->crew->engine->plan->feeders[symbol->feeder].prompts;
    if (symbol->column != PROMPT_MESSAGES || prompts->turns.spread == SPREAD_NONE)
        return;
    job->talk = (struct talk){
        .feeder = symbol->feeder + 1, .turns = prompt_turns(prompts, place), .place = *place};
}

bool talk_go_on(struct job *job)
{
    struct talk *talk = &job->talk;
    const struct crew *crew = job->crew;
    uint32_t wanted = job->work->request->conversation;
    if (!wanted || wanted != talk->feeder || talk->place.turn + 1 >= talk->turns)
        return false;
    talk->place.turn++;
    const struct plan_feeder *feeder = &crew->engine->plan->feeders[wanted - 1];
    for (size_t i = 0; i < crew->filler_count; i++) {
        const struct symbol *symbol = crew->fillers[i].symbol;
        if (symbol->kind != SYMBOL_FEEDER || symbol->feeder != wanted - 1)
            continue;
        struct text *value = &job->values[crew->fillers[i].slot];
        if (symbol->column == PROMPT_MESSAGES) {
            talk->forgot = prompt_messages_go_on(feeder->prompts, &talk->place,
                                                 text_span(&job->answer), value) ||
                           talk->forgot;
        } else {
            text_clear(value);
            prompts_fill(feeder, symbol, &talk->place, value);
        }
        job->slots[crew->fillers[i].slot] = text_span(value);
    }
    return true;
}
