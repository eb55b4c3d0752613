/* Datasets and traces: whatever the file holds, either records that can all be sent or an error
 * with a line and words. The first byte says which reader it is for; what is sent as messages is
 * JSON. */
#include "plan/dataset.h"
#include "json_oracle.h"
#include "target.h"

#include <stdlib.h>
#include <string.h>

static void check_trace(const struct plan_prompts *prompts)
{
    size_t blocks = 0;
    for (size_t i = 0; i < prompts->arrival_count; i++) {
        const struct prompt_arrival *arrival = &prompts->arrivals[i];
        check(arrival->at_ns >= 0);
        check(i == 0 || arrival->at_ns >= arrival[-1].at_ns);
        check(arrival->tokens <= PROMPT_TOKENS_MOST && arrival->output <= PROMPT_TOKENS_MOST);
        blocks += arrival->block_count;
    }
    check(prompts->arrival_count > 0 && prompts->unsorted < prompts->arrival_count);
    check(blocks == 0 || prompts->blocks);
}

/* All turns of a conversation, with an answer that could be taken for the list itself. */
static void check_dialog(const struct plan_prompts *prompts, size_t number)
{
    struct prompt_place place = {.number = number};
    struct text list = TEXT_EMPTY, words = TEXT_EMPTY;
    uint32_t turns = prompt_turns(prompts, &place);
    check(turns >= 1 && turns <= prompts->dialogs[number].users);
    prompt_messages(prompts, &place, &list);
    for (;; place.turn++) {
        check(oracle_reads(list.at, list.bytes));
        check(prompt_tokens(prompts, &place) >= 1);
        text_clear(&words);
        prompt_text(prompts, &place, &words);
        if (place.turn + 1 == turns)
            break;
        struct prompt_place next = place;
        next.turn++;
        prompt_messages_go_on(prompts, &next, SPAN("{\\\"role\\\":\\\"user\\\""), &list);
    }
    text_fini(&list);
    text_fini(&words);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    enum { DIALOGS_MOST = 20 };
    struct plan_prompts *prompts = calloc(1, sizeof *prompts);
    struct dataset_filter filter = {.limit = 0};
    struct feed_error error = {0};
    char kind = count ? (char)bytes[0] : 't';
    check(prompts);
    struct span rest = {.at = (const char *)bytes + (count > 0), .bytes = count - (count > 0)};
    *prompts = (struct plan_prompts){.source = kind == 't' ? PROMPT_TRACE : PROMPT_DATASET,
                                     .prefixes = 1,
                                     .context_tokens = 64,
                                     .block_tokens = 16};
    if (kind == 'c')
        prompts->turns = (struct distribution){.spread = SPREAD_FIXED, .a = 1e9};
    int rc = kind == 't' ? trace_read(rest, prompts, &error)
                         : dataset_read(rest, &filter, prompts, &error);
    check(rc == 0 || (rc == FEED_BAD && error.line >= 1 && error.why[0]));
    if (rc == 0 && kind == 't')
        check_trace(prompts);
    for (size_t i = 0; rc == 0 && kind != 't' && i < prompts->dialog_count && i < DIALOGS_MOST; i++)
        check_dialog(prompts, i);
    plan_prompts_free(prompts);
    return 0;
}
