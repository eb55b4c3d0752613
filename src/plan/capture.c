/* Captures: a value of a reply, by JSON path, header or regular expression, into a slot. */
#include "plan/check.h"

#include "base/memory.h"
#include "plan/look.h"
#include "plan/regex.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct reply_capture {
    uint16_t slot;
    struct look look;
    regex_t regex;
    bool has_regex;
};

static const char *const capture_forms =
    "for example: body.id, header x-token, regex \"page=([0-9]+)\"";

static int compile_regex(struct reply_capture *capture, struct span words, const struct note *place,
                         struct notes *notes)
{
    char quote = words.bytes >= 2 ? words.at[0] : '\0';
    if ((quote == '"' || quote == '\'') && words.at[words.bytes - 1] == quote)
        words = (struct span){words.at + 1, words.bytes - 2};
    struct text copy = TEXT_EMPTY;
    text_put(&copy, words);
    text_reserve(&copy, 1);
    char why[120];
    int rc = regex_compile(&capture->regex, copy.at, 0, why, sizeof why);
    if (rc) {
        look_error(notes, place, capture_forms, "regular expression \"%s\": %s", copy.at, why);
    } else if (capture->regex.re_nsub == 0) {
        regfree(&capture->regex);
        look_error(notes, place, capture_forms,
                   "regular expression \"%s\" has no group: put ( ) around what is wanted",
                   copy.at);
        rc = 1;
    } else {
        capture->has_regex = true;
    }
    text_fini(&copy);
    return rc;
}

struct reply_capture *capture_compile(struct span words, uint16_t slot, const struct note *place,
                                      struct notes *notes)
{
    struct reply_capture *capture = memory_new(1, sizeof *capture);
    capture->slot = slot;
    struct words rest = {.rest = span_trim(words)};
    struct words peek = rest;
    if (span_equal(words_next(&peek), SPAN("regex"))) {
        capture->look.kind = LOOK_BODY;
        if (compile_regex(capture, span_trim(peek.rest), place, notes))
            return capture_free(capture);
        return capture;
    }
    char why[160];
    if (look_read(&rest, &capture->look, why)) {
        look_error(notes, place, capture_forms, "%s", why);
        return capture_free(capture);
    }
    struct span more = span_trim(rest.rest);
    if (more.bytes || capture->look.kind == LOOK_LATENCY || capture->look.kind == LOOK_BYTES) {
        look_error(notes, place, capture_forms, "\"%.*s\" cannot be captured", (int)words.bytes,
                   words.at);
        return capture_free(capture);
    }
    return capture;
}

uint16_t capture_slot(const struct reply_capture *capture)
{
    return capture->slot;
}

static bool take_regex(const struct reply_capture *capture, struct span body, struct text *out)
{
    regmatch_t groups[2] = {{.rm_so = 0, .rm_eo = (regoff_t)body.bytes}};
    if (regexec(&capture->regex, body.at ? body.at : "", 2, groups, REG_STARTEND))
        return false;
    if (groups[1].rm_so < 0)
        return false;
    text_put(out, (struct span){.at = body.at + groups[1].rm_so,
                                .bytes = (size_t)(groups[1].rm_eo - groups[1].rm_so)});
    return true;
}

bool capture_take(const struct reply_capture *capture, const struct reply *reply, struct text *out)
{
    if (capture->has_regex)
        return take_regex(capture, reply->body, out);
    if (capture->look.kind == LOOK_JSON) {
        struct json_value value = json_find(reply->body, &capture->look.path);
        return value.kind != JSON_ABSENT && value.kind != JSON_NULL && json_text(value, out) == 0;
    }
    if (capture->look.kind == LOOK_STATUS) {
        text_put_uint(out, (uint64_t)reply->status);
        return true;
    }
    struct span value = capture->look.kind == LOOK_HEADER
                            ? reply_header(reply->head, capture->look.header)
                            : reply->body;
    if (!value.at)
        return false;
    text_put(out, value);
    return true;
}

bool capture_needs_body(const struct reply_capture *capture)
{
    return capture->look.kind == LOOK_JSON || capture->look.kind == LOOK_BODY;
}

bool capture_needs_head(const struct reply_capture *capture)
{
    return capture->look.kind == LOOK_HEADER;
}

struct reply_capture *capture_free(struct reply_capture *capture)
{
    if (capture) {
        look_fini(&capture->look);
        if (capture->has_regex)
            regfree(&capture->regex);
        free(capture);
    }
    return NULL;
}
