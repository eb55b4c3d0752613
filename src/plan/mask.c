/* The plan as it is kept in the run file: secrets are replaced where they stand. Besides the ranges
 * that readers marked, the password of any URL ("://user:password@") goes. */
#include "plan/mask.h"

#include "base/memory.h"
#include "plan/part.h"

#include <stdlib.h>
#include <string.h>

static bool is_hidden(const struct reader *reader, size_t character, size_t *past)
{
    for (size_t i = 0; i < reader->secret_count; i++) {
        if (character >= reader->secrets[i].first && character < reader->secrets[i].past) {
            *past = reader->secrets[i].past;
            return true;
        }
    }
    return false;
}

/* Bytes of "user:password" (or a token) when the text before was "://" and an "@" ends it. */
static size_t userinfo_bytes(const char *at)
{
    size_t bytes = strcspn(at, "@/ \t\r\n\"'?#");
    return at[bytes] == '@' ? bytes : 0;
}

void text_put_masked(struct text *out, const char *words)
{
    for (const char *at = words; *at;) {
        text_putc(out, *at++);
        size_t user = at - words >= 3 && memcmp(at - 3, "://", 3) == 0 ? userinfo_bytes(at) : 0;
        if (user)
            text_puts(out, "***");
        at += user;
    }
}

char *mask_copy(const char *words)
{
    struct text out = TEXT_EMPTY;
    if (!words)
        return NULL;
    text_put_masked(&out, words);
    return text_take(&out);
}

/* A reference such as "${TOKEN}" tells where a secret comes from, and is none itself. */
static bool is_reference(struct span words)
{
    while (words.bytes && (words.at[0] == '"' || words.at[0] == '\'')) {
        words.at++;
        words.bytes--;
    }
    return span_begins(words, SPAN("${")) && !memmem(words.at, words.bytes, ":-", 2);
}

char *reader_masked_source(const struct reader *reader, const char *text)
{
    struct text out = TEXT_EMPTY;
    size_t character = 0;
    for (const char *at = text; *at;) {
        size_t past = 0;
        const char *end = at;
        if (((unsigned char)*at & 0xC0) != 0x80 && is_hidden(reader, character, &past)) {
            for (; *end && character < past; character++) {
                end++;
                while (((unsigned char)*end & 0xC0) == 0x80)
                    end++;
            }
            struct span words = {at, (size_t)(end - at)};
            if (is_reference(words))
                text_put(&out, words);
            else
                text_puts(&out, "\"***\"");
            if (end > at && end[-1] == '\n') /* a block text runs to the end of its last line */
                text_putc(&out, '\n');
            at = end;
            continue;
        }
        text_putc(&out, *at);
        if (((unsigned char)*at & 0xC0) != 0x80)
            character++;
        at++;
        size_t user = at - text >= 3 && memcmp(at - 3, "://", 3) == 0 ? userinfo_bytes(at) : 0;
        if (user) {
            text_puts(&out, "***");
            for (const char *skipped = at; skipped < at + user; skipped++)
                character += ((unsigned char)*skipped & 0xC0) != 0x80;
            at += user;
        }
    }
    return text_take(&out);
}
