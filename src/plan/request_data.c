/* Which data a request's templates name: prompts made to a length, whose counts are compared with
 * the server's, and conversations, which send the request again turn by turn. */
#include "plan/part.h"

#include <stdio.h>
#include <string.h>

static bool uses(const struct plan_request *request, uint16_t slot)
{
    for (const struct setting *row = request->settings; slot != SLOT_NONE && row && row->name;
         row++) {
        const char *field = (const char *)request->config + row->offset;
        if (row->type != SETTING_JSON && row->type != SETTING_TEMPLATE)
            continue;
        const struct template *template = *(struct template *const *)(const void *)field;
        if (template && template_uses(template, slot))
            return true;
    }
    return false;
}

/* The slot of NAME.tokens, made when no template names it. */
static uint16_t tokens_slot(struct reader *reader, const struct plan_feeder *feeder)
{
    struct text name = TEXT_EMPTY;
    text_printf(&name, "%s.tokens", feeder->name);
    struct symbol *symbol = symbols_find(reader->symbols, text_span(&name));
    text_fini(&name);
    return symbol ? symbols_slot(reader->symbols, symbol) : SLOT_NONE;
}

static void take_conversation(struct reader *reader, const struct node *node, uint32_t feeder,
                              struct plan_request *request)
{
    if (request->conversation && request->conversation != feeder + 1)
        reader_error(reader, node, "give each request one of them",
                     "a request cannot go through two conversations at once");
    request->conversation = feeder + 1;
}

void request_data_find(struct reader *reader, const struct node *node, struct plan_request *request)
{
    size_t texts = 0;
    uint16_t asked = SLOT_NONE;
    for (size_t i = 0; i < reader->symbols->count; i++) {
        const struct symbol symbol = reader->symbols->items[i];
        if (symbol.kind != SYMBOL_FEEDER || !uses(request, symbol.slot))
            continue;
        const struct plan_feeder *feeder = &reader->plan->feeders[symbol.feeder];
        if (!feeder->prompts || symbol.column == PROMPT_TOKENS || symbol.column == PROMPT_OUTPUT)
            continue;
        texts++;
        if (feeder->prompts->source != PROMPT_DATASET)
            asked = tokens_slot(reader, feeder);
        if (symbol.column == PROMPT_MESSAGES && feeder->prompts->turns.spread != SPREAD_NONE)
            take_conversation(reader, node, symbol.feeder, request);
    }
    /* A conversation's prompt holds earlier turns, of unknown length. */
    if (texts == 1 && asked != SLOT_NONE && !request->conversation)
        request->asked_slot = (uint16_t)(asked + 1);
}
