/* One fetch, asked again; see await.h. */
#include "plug/scaler/await.h"

#include "base/unit.h"
#include "net/fetch.h"
#include "wire/url.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { PAUSE_MS = 50, MOST_BYTES = 1 << 20, ASK_SECONDS = 2, STEP_MS = 10 };

bool await_pause(nsec_t pause_ns, const atomic_bool *cancel)
{
    nsec_t until_ns = clock_monotonic_ns() + pause_ns;
    while (clock_monotonic_ns() < until_ns) {
        if (cancel && atomic_load(cancel))
            return false;
        nanosleep(&(struct timespec){.tv_nsec = STEP_MS * NSEC_PER_MSEC}, NULL);
    }
    return !cancel || !atomic_load(cancel);
}

/* One question; words say why not. */
static bool ask(struct fetch *fetch, const struct await *await, nsec_t timeout_ns,
                struct text *words)
{
    struct fetch_request request = {.url = await->url,
                                    .connect_timeout_ns = timeout_ns,
                                    .timeout_ns = timeout_ns,
                                    .most_bytes = MOST_BYTES,
                                    .cancel = await->cancel};
    struct fetch_reply reply = {.body = TEXT_EMPTY};
    enum fetch_outcome outcome = fetch_ask(fetch, &request, &reply);
    text_fini(&reply.body);
    text_clear(words);
    if (outcome != FETCH_DONE)
        text_puts(words, fetch_words(fetch));
    else
        text_printf(words, "it answers %d", reply.status);
    if (await->any)
        return outcome == FETCH_DONE || outcome == FETCH_BROKEN || outcome == FETCH_TOO_LARGE;
    return outcome == FETCH_DONE && reply.status >= 200 && reply.status < 400;
}

int await_healthy(const struct await *await, struct text *why)
{
    nsec_t until_ns = clock_monotonic_ns() + await->timeout_ns;
    struct fetch *fetch = fetch_new();
    struct text words = TEXT_EMPTY;
    int rc = SCALER_TIMEOUT;
    for (;;) {
        nsec_t left_ns = until_ns - clock_monotonic_ns();
        nsec_t most_ns = ASK_SECONDS * NSEC_PER_SEC;
        if (await->hopeless && await->hopeless(await->self, why)) {
            rc = SCALER_FAILED;
            break;
        }
        if (left_ns > 0 && ask(fetch, await, left_ns < most_ns ? left_ns : most_ns, &words)) {
            rc = 0;
            break;
        }
        if (left_ns <= 0 || !await_pause(PAUSE_MS * NSEC_PER_MSEC, await->cancel))
            break;
    }
    if (rc == SCALER_TIMEOUT) {
        char waited[UNIT_ROOM];
        bool cancelled = await->cancel && atomic_load(await->cancel);
        text_printf(why, "%s is not healthy after %s%s: %s", await->url,
                    unit_write_duration(waited, await->timeout_ns),
                    cancelled ? " (given up, as was asked)" : "", words.bytes ? words.at : "");
    }
    text_fini(&words);
    fetch_free(fetch);
    return rc;
}

bool await_once(const char *url, const atomic_bool *cancel)
{
    struct await await = {.url = url, .cancel = cancel};
    struct text words = TEXT_EMPTY;
    struct fetch *fetch = fetch_new();
    bool healthy = ask(fetch, &await, ASK_SECONDS * NSEC_PER_SEC, &words);
    fetch_free(fetch);
    text_fini(&words);
    return healthy;
}

void await_fill(const char *words, const struct await_words *values, struct text *out)
{
    const struct {
        const char *word;
        double value;
    } holes[] = {{"{port}", values->port},
                 {"{index}", values->index},
                 {"{instances}", values->instances},
                 {"{size}", values->size}};
    while (*words) {
        size_t taken = 0;
        for (size_t i = 0; i < sizeof holes / sizeof *holes && !taken; i++) {
            size_t length = strlen(holes[i].word);
            if (isnan(holes[i].value) || strncmp(words, holes[i].word, length) != 0)
                continue;
            text_printf(out, "%.15g", holes[i].value);
            taken = length;
        }
        if (!taken)
            text_putc(out, *words);
        words += taken ? taken : 1;
    }
    text_reserve(out, out->bytes);
}

void await_place_of(const char *words, struct text *out)
{
    struct url url;
    const char *why = NULL;
    text_reserve(out, out->bytes);
    if (words && url_read(span_of(words), &url, &why) == 0 && !url.unix_socket)
        text_printf(out, url.ipv6 ? "[%.*s]:%u" : "%.*s:%u", (int)url.host.bytes, url.host.at,
                    (unsigned)url.port);
}
