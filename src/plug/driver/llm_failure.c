/* Words of failures; see llm_failure.h. */
#include "plug/driver/llm_failure.h"

#include "wire/json.h"

#include <string.h>

/* Keeps words, cut before a character that does not fit whole. */
static void keep(struct llm_failure *failure, struct span words)
{
    size_t bytes = words.bytes < LLM_SHOWN_BYTES ? words.bytes : LLM_SHOWN_BYTES;
    while (bytes && bytes < words.bytes && ((unsigned char)words.at[bytes] & 0xC0) == 0x80)
        bytes--;
    memcpy(failure->words, words.at, bytes);
    failure->bytes = (uint8_t)bytes;
}

/* The same for the inside of a JSON string, by way of the scratch. */
static void keep_raw(struct driver_call *call, struct llm_failure *failure, struct span raw)
{
    struct text *scratch = call->scratch;
    size_t from = scratch->bytes;
    struct json_value value = {.kind = JSON_STRING, .raw = raw};
    if (json_text(value, scratch) == 0 && scratch->at)
        keep(failure, (struct span){.at = scratch->at + from, .bytes = scratch->bytes - from});
    else
        keep(failure, raw);
    scratch->bytes = from;
}

void llm_failure_say(struct driver_call *call, struct llm_failure *failure,
                     enum llm_counter counter, const char *what, struct span words)
{
    struct text *scratch = call->scratch;
    size_t from = scratch->bytes;
    if (failure->failed)
        return;
    failure->failed = true;
    llm_count(call, counter, 1);
    text_puts(scratch, what);
    text_put(scratch, words);
    keep(failure, (struct span){.at = scratch->at + from, .bytes = scratch->bytes - from});
    scratch->bytes = from;
}

void llm_failure_told(struct driver_call *call, struct llm_failure *failure, struct span raw)
{
    if (failure->failed)
        return;
    failure->failed = true;
    llm_count(call, LLM_REPLY_ERRORS, 1);
    keep_raw(call, failure, raw.bytes ? raw : SPAN("an error without a message"));
}

void llm_failure_of_status(struct driver_call *call, struct llm_failure *failure, struct span raw,
                           struct span body)
{
    if (raw.bytes)
        keep_raw(call, failure, raw);
    else
        keep(failure, body);
}

void llm_failure_keep(struct driver_call *call, struct span bytes)
{
    size_t room = LLM_ERROR_MOST_BYTES - call->kept->bytes;
    if (bytes.bytes > room)
        bytes.bytes = room;
    text_put(call->kept, bytes);
}
