/* What becomes of a request: it starts, its reply comes or does not, and every account is written
 * here.
 *
 * Times: response time runs from the intended instant, service time from the first byte sent; what
 * lies between the two is the schedule lag. What never finished enters the censored histogram with
 * the time that it had waited, since all one knows is "at least that long". */
#include "load/decode.h"
#include "load/inside.h"

#include "wire/url.h"

#include <stdio.h>
#include <string.h>

static struct job *job_of(struct exchange *exchange)
{
    return list_entry(exchange, struct job, exchange);
}

static struct engine *engine_of(const struct job *job)
{
    return job->user->crew->engine;
}

struct driver_call job_call(struct job *job)
{
    struct engine *engine = engine_of(job);
    struct work *work = job->work;
    return (struct driver_call){
        .request = work->request,
        .compiled = work->compiled,
        .state = job->driver_state,
        .user = work->driver->user_bytes
                    ? job->user->states + engine->user_offsets[work->request->driver]
                    : NULL,
        .connection = job->exchange.state,
        .farewell = job->farewell,
        .slots = job->slots,
        .scratch = &engine->scratch,
        .kept = &job->driver_kept,
        .answer = work->request->conversation ? &job->answer : NULL,
        .turn = work->request->conversation ? job->talk.place.turn : 0,
        .forgot = work->request->conversation && job->talk.forgot,
        .tally = ledger_tally(engine, work->number),
        .first_counter = work->first_counter,
        .first_hist = work->first_hist,
        .status = job->status,
        .intended_ns = job->intended_ns,
        .sent_ns = job->exchange.times.sent_ns,
        .trace = ledger_trace(engine),
        .trace_slot = job->number,
    };
}

/* ---- on the way out -----------------------------------------------------------------------------
 */

static void on_started(struct exchange *exchange)
{
    struct job *job = job_of(exchange);
    struct crew *crew = job->user->crew;
    struct tally *tally = ledger_tally(engine_of(job), job->work->number);
    job->intended_ns += exchange->times.set_up_ns;
    if (job->started || job->farewell)
        return; /* a retry, a redirect that is followed, a set-up; or no request at all */
    job->started = true;
    crew->waiting--;
    crew->in_flight++;
    tally_count(tally, COUNT_STARTED, 1);
    tally_time(tally, HIST_CONN_WAIT, exchange->times.started_ns - exchange->times.asked_ns);
}

static void follow(struct job *job, struct exchange_request *request)
{
    request->path = text_span(&job->redirect_path);
    if (!job->redirect_get)
        return;
    request->method = SPAN("GET");
    request->body = (struct span){0};
    request->has_body = false;
}

static void add_cookies(struct engine *engine, const struct user *user,
                        struct exchange_request *request)
{
    text_clear(&engine->lines);
    text_put(&engine->lines, request->headers);
    text_put(&engine->lines, SPAN("Cookie: "));
    text_puts(&engine->lines, user->cookies);
    text_put(&engine->lines, SPAN("\r\n"));
    request->headers = text_span(&engine->lines);
}

static void on_compose(struct exchange *exchange, struct exchange_request *request)
{
    struct job *job = job_of(exchange);
    struct engine *engine = engine_of(job);
    const struct work *work = job->work;
    struct driver_call call = job_call(job);
    if (!job->farewell)
        tally_count(call.tally, COUNT_ATTEMPTS, 1);
    text_clear(&engine->scratch);
    if (work->driver->state_bytes)
        memset(job->driver_state, 0, work->driver->state_bytes);
    text_clear(&job->driver_kept);
    text_clear(&job->answer);
    work->driver->compose(&call, request);
    request->wants_head = work->keeps_head;
    if (job->redirect)
        follow(job, request);
    if (job->user->cookies)
        add_cookies(engine, job->user, request);
}

/* ---- on the way back ----------------------------------------------------------------------------
 */

static void on_head(struct exchange *exchange, int status, struct span head)
{
    struct job *job = job_of(exchange);
    job->status = status;
    if (job->work->keeps_head)
        text_put(&job->head, head);
    decode_begin(job, head);
}

static void take_body(struct job *job, struct span bytes, nsec_t rx_ns)
{
    const struct work *work = job->work;
    if (work->driver->data) {
        struct driver_call call = job_call(job);
        work->driver->data(&call, bytes, rx_ns);
    }
    if (!work->keeps_body)
        return;
    uint64_t most = engine_of(job)->plan->http.max_kept_body_bytes;
    if (most && job->body.bytes + bytes.bytes > most) {
        job->body_cut = true;
        bytes.bytes = most > job->body.bytes ? (size_t)most - job->body.bytes : 0;
    }
    text_put(&job->body, bytes);
}

static void on_data(struct exchange *exchange, struct span bytes, nsec_t rx_ns)
{
    decode_data(job_of(exchange), bytes, rx_ns, take_body);
}

static void account_exchange(struct job *job, struct tally *tally)
{
    const struct exchange *exchange = &job->exchange;
    const struct exchange_times *times = &exchange->times;
    tally_count(tally, COUNT_BYTES_IN, exchange->bytes_in);
    tally_count(tally, COUNT_BYTES_OUT, exchange->bytes_out);
    if (exchange->stale)
        tally_count(tally, COUNT_STALE, exchange->stale);
    if (exchange->fresh) {
        tally_count(tally, COUNT_CONNECTIONS, 1);
        if (times->dns_ns > 0)
            tally_time(tally, HIST_DNS, times->dns_ns);
        if (times->connect_ns > 0)
            tally_time(tally, HIST_CONNECT, times->connect_ns);
        if (times->tls_ns > 0)
            tally_time(tally, HIST_TLS, times->tls_ns);
    }
    if (job->status && job->status < TALLY_STATUS_CODES)
        tally->status[job->status]++;
}

/* Which of several targets it was for; requests with a URL of their own are of none. */
static void account_target(const struct job *job, struct tally *tally)
{
    const struct engine *engine = engine_of(job);
    if (engine->options.target_counter && !job->work->origin)
        tally_count(tally,
                    engine->options.target_counter +
                        (uint32_t)(job->user->number % engine->target_count),
                    1);
}

static void account_success(struct job *job, struct tally *tally, nsec_t end_ns)
{
    const struct exchange_times *times = &job->exchange.times;
    tally_count(tally, COUNT_SUCCEEDED, 1);
    account_target(job, tally);
    tally_time(tally, HIST_RESPONSE, end_ns - job->intended_ns);
    tally_time(tally, HIST_SERVICE, end_ns - times->sent_ns);
    tally_time(tally, HIST_LAG, times->sent_ns - job->intended_ns);
    tally_time(tally, HIST_SEND, times->sent_all_ns - times->sent_ns);
    tally_time(tally, HIST_WAIT, times->first_ns - times->sent_all_ns);
    tally_time(tally, HIST_RECEIVE, end_ns - times->first_ns);
    ledger_trace_over(engine_of(job), job, COUNT_SUCCEEDED, 0, end_ns);
}

static void account_failure(struct job *job, struct tally *tally, uint32_t error, struct span words,
                            nsec_t end_ns)
{
    struct engine *engine = engine_of(job);
    bool late = error == COUNT_ERROR_RESPONSE_TIMEOUT || error == COUNT_ERROR_CONNECT_TIMEOUT;
    uint32_t outcome = late ? COUNT_TIMED_OUT : COUNT_FAILED;
    tally_count(tally, outcome, 1);
    account_target(job, tally);
    tally_count(tally, error, 1);
    tally_time(tally, late ? HIST_CENSORED : HIST_FAILED, end_ns - job->intended_ns);
    ledger_trace_over(engine, job, outcome, error, end_ns);
    ledger_example(engine, job->work, error, job->status, words, end_ns);
    if (job->user->crew->once_count && !engine->once_failed) {
        engine->once_failed = true;
        snprintf(engine->once_words, sizeof engine->once_words, "%s: %.*s (status %d)",
                 job->work->request->name, (int)words.bytes, words.at ? words.at : "", job->status);
    }
}

/* Goes on to the next turn of a conversation or the next step of the task, or ends the
 * iteration. */
static void next_step(struct job *job, bool succeeded, nsec_t end_ns)
{
    struct engine *engine = engine_of(job);
    const struct plan_task *task = &engine->plan->tasks[job->task];
    const struct distribution *think = &job->work->request->think;
    bool again = succeeded && talk_go_on(job);
    if (!succeeded || (!again && job->step + 1 >= task->request_count)) {
        job_over(job, end_ns);
        return;
    }
    double pause_s =
        think->spread == SPREAD_NONE ? 0 : distribution_draw(think, &job->user->crew->think);
    job->step += again ? 0 : 1;
    job->user->next_ns = end_ns + (pause_s > 0 ? (nsec_t)(pause_s * (double)NSEC_PER_SEC) : 0);
    if (job->user->next_ns > end_ns)
        timer_start(engine->loop, &job->user->timer, job->user->next_ns);
    else
        job_go_on(job, end_ns);
}

static bool found_no_connection(uint32_t error)
{
    return error == COUNT_ERROR_DNS || error == COUNT_ERROR_REFUSED ||
           error == COUNT_ERROR_UNREACHABLE || error == COUNT_ERROR_TLS ||
           error == COUNT_ERROR_GENERATOR;
}

/* The request is over for good. error: 0 or a COUNT_ERROR_*. */
static void conclude(struct job *job, uint32_t error, struct span words, nsec_t end_ns)
{
    struct tally *tally = ledger_tally(engine_of(job), job->work->number);
    job->user->crew->in_flight--;
    job->user->refused = found_no_connection(error);
    if (error)
        account_failure(job, tally, error, words, end_ns);
    else
        account_success(job, tally, end_ns);
    next_step(job, error == 0, end_ns);
}

/* ---- checks, captures, rules
 * ---------------------------------------------------------------------- */

static void look_at(struct job *job, struct tally *tally, nsec_t end_ns)
{
    struct engine *engine = engine_of(job);
    const struct plan_request *request = job->work->request;
    const struct plan *plan = engine->plan;
    if (!request->check_count && !request->capture_count && !plan->rule_count)
        return;
    struct reply reply = {.status = job->status,
                          .head = text_span(&job->head),
                          .body = text_span(&job->body),
                          .body_cut = job->body_cut,
                          .response_ns = end_ns - job->intended_ns,
                          .body_bytes = job->exchange.body_bytes};
    for (size_t i = 0; i < request->check_count; i++) {
        bool passed = check_passes(request->checks[i], &reply);
        tally_count(tally, passed ? COUNT_CHECKS_PASSED : COUNT_CHECKS_FAILED, 1);
        if (!passed)
            ledger_example(engine, job->work, COUNT_CHECKS_FAILED, job->status,
                           span_of(check_words(request->checks[i])), end_ns);
    }
    for (size_t i = 0; i < request->capture_count; i++) {
        uint16_t slot = capture_slot(request->captures[i]);
        text_clear(&job->values[slot]);
        capture_take(request->captures[i], &reply, &job->values[slot]);
        job->slots[slot] = text_span(&job->values[slot]);
        if (engine->options.kept && job->user->crew->once_count) {
            text_clear(&engine->options.kept[slot]);
            text_put(&engine->options.kept[slot], job->slots[slot]);
        }
    }
    for (size_t i = 0; i < plan->rule_count; i++) {
        const struct plan_rule *rule = &plan->rules[i];
        size_t fits = 0;
        while (fits < rule->when_count && check_passes(rule->when[fits], &reply))
            fits++;
        if (fits == rule->when_count) {
            engine->ledger.block->rules[i].hits++;
            break;
        }
    }
}

/* ---- trying again, going elsewhere
 * ------------------------------------------------------------------ */

static bool word_fits(const char *word, uint32_t error, int status)
{
    char code[16];
    snprintf(code, sizeof code, "%d", status);
    if (strcmp(word, "connect") == 0)
        return error == COUNT_ERROR_REFUSED || error == COUNT_ERROR_UNREACHABLE ||
               error == COUNT_ERROR_CONNECT_TIMEOUT || error == COUNT_ERROR_DNS;
    if (strcmp(word, "reset") == 0)
        return error == COUNT_ERROR_RESET;
    if (strcmp(word, "timeout") == 0)
        return error == COUNT_ERROR_RESPONSE_TIMEOUT || error == COUNT_ERROR_CONNECT_TIMEOUT;
    if (strlen(word) == 3 && word[1] == 'x' && word[2] == 'x')
        return status / 100 == word[0] - '0';
    return strcmp(word, code) == 0;
}

/* Sends it once more after a back-off that doubles and is drawn at random up to its length. */
static bool retry(struct job *job, uint32_t error, nsec_t now_ns)
{
    struct crew *crew = job->user->crew;
    struct engine *engine = crew->engine;
    const struct plan_http *http = &engine->plan->http;
    bool wanted = false;
    if (!error || job->attempt >= http->retries || crew->over)
        return false;
    for (size_t i = 0; i < http->retry_on.count && !wanted; i++)
        wanted = word_fits(http->retry_on.items[i], error, job->status);
    if (!wanted)
        return false;
    unsigned doublings = job->attempt < 20 ? job->attempt : 20;
    double wait_ns =
        (double)http->retry_base_ns * (double)(1U << doublings) * random_unit(&crew->think);
    tally_count(ledger_tally(engine, job->work->number), COUNT_RETRIED, 1);
    if (ledger_trace(engine))
        trace_again(ledger_trace(engine), job->number);
    job->attempt++;
    job->resting = true;
    timer_start(engine->loop, &job->user->timer, now_ns + (nsec_t)wait_ns);
    return true;
}

static bool is_redirect(int status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* Follows a redirect when the plan says so; error is set when it cannot be followed. */
static bool redirected(struct job *job, uint32_t *error, struct span *words, nsec_t now_ns)
{
    struct engine *engine = engine_of(job);
    const struct plan_http *http = &engine->plan->http;
    struct span location = reply_header(text_span(&job->head), "location");
    tally_count(ledger_tally(engine, job->work->number), COUNT_REDIRECTS, 1);
    if (!http->follow_redirects || !location.at)
        return false;
    struct origin *origin = job->redirect ? job->redirect : job->work->origin;
    if (!origin)
        origin = engine->targets[job->user->number % engine->target_count];
    struct text base = TEXT_EMPTY, whole = TEXT_EMPTY;
    text_puts(&base, origin->base);
    text_put(&base, job->redirect ? text_span(&job->redirect_path) : SPAN("/"));
    url_join(text_span(&base), location, &whole);
    struct url url;
    const char *why = NULL;
    char unused[160];
    *error = COUNT_ERROR_PROTOCOL;
    *words = SPAN("the redirect leads nowhere");
    if (job->redirects >= http->max_redirects) {
        *words = SPAN("more redirects than max_redirects");
    } else if (url_read(text_span(&whole), &url, &why) == 0 &&
               origin_find(engine, whole.at, &job->redirect, unused, sizeof unused) == 0) {
        *error = 0;
        text_clear(&job->redirect_path);
        text_put(&job->redirect_path, url.path.bytes ? url.path : SPAN("/"));
        job->redirect_get = job->redirect_get || job->status == 303 || job->status <= 302;
        job->redirects++;
        job_send(job, now_ns);
    }
    text_fini(&base);
    text_fini(&whole);
    return *error == 0;
}

/* ---- the ends
 * -------------------------------------------------------------------------------------- */

static void farewell_over(struct job *job)
{
    struct user *user = job->user;
    job->farewell = false;
    user->job = NULL;
    job_return(job);
    user_farewell_over(user);
}

/* An exchange of set-up is done: the next one goes out, maybe the request itself, as if it were due
 * later by the time that this one took. What the request waited before (a queue, a late loop) stays
 * in its time. */
static void send_after_set_up(struct job *job, nsec_t now_ns)
{
    job->intended_ns += now_ns - job->exchange.times.sent_ns;
    job->redirect = NULL;
    job->redirect_get = false;
    job->redirects = 0;
    job_send(job, now_ns);
}

static void on_end(struct exchange *exchange, nsec_t rx_ns)
{
    struct job *job = job_of(exchange);
    struct driver_call call = job_call(job);
    call.head = text_span(&job->head);
    if (job->farewell) {
        job->work->driver->end(&call, job->status, text_span(&job->body), rx_ns);
        farewell_over(job);
        return;
    }
    account_exchange(job, call.tally);
    if (engine_of(job)->plan->http.cookies)
        cookies_take(job->user, text_span(&job->head));
    uint32_t error = 0;
    struct span words = {0};
    if (is_redirect(job->status)) {
        if (redirected(job, &error, &words, rx_ns))
            return;
    }
    struct driver_outcome outcome =
        job->work->driver->end(&call, job->status, text_span(&job->body), rx_ns);
    if (!error && !decode_whole(job)) {
        error = COUNT_ERROR_PROTOCOL;
        words = SPAN("the compressed body is damaged, cut off, or longer than max_response");
    }
    if (outcome.again && !error) {
        send_after_set_up(job, rx_ns);
        return;
    }
    if (outcome.more && !error) {
        job_send(job, rx_ns);
        return;
    }
    if (!error) {
        error = outcome.error;
        words = outcome.words;
    }
    if (retry(job, error, rx_ns))
        return;
    look_at(job, call.tally, rx_ns);
    conclude(job, error, words, rx_ns);
}

static uint32_t counter_of(enum exchange_error error)
{
    static const uint32_t counters[] = {
        [EXCHANGE_OK] = COUNT_ERROR_PROTOCOL,
        [EXCHANGE_DNS] = COUNT_ERROR_DNS,
        [EXCHANGE_REFUSED] = COUNT_ERROR_REFUSED,
        [EXCHANGE_UNREACHABLE] = COUNT_ERROR_UNREACHABLE,
        [EXCHANGE_CONNECT_TIMEOUT] = COUNT_ERROR_CONNECT_TIMEOUT,
        [EXCHANGE_TLS] = COUNT_ERROR_TLS,
        [EXCHANGE_RESET] = COUNT_ERROR_RESET,
        [EXCHANGE_TIMEOUT] = COUNT_ERROR_RESPONSE_TIMEOUT,
        [EXCHANGE_PROTOCOL] = COUNT_ERROR_PROTOCOL,
        [EXCHANGE_TOO_LARGE] = COUNT_ERROR_TOO_LARGE,
        [EXCHANGE_LOCAL] = COUNT_ERROR_GENERATOR,
    };
    return counters[error];
}

static void on_error(struct exchange *exchange, enum exchange_error error, const char *words,
                     nsec_t at_ns)
{
    struct job *job = job_of(exchange);
    uint32_t counter = counter_of(error);
    if (job->farewell) {
        struct driver_call call = job_call(job);
        job->work->driver->end(&call, 0, (struct span){0}, at_ns);
        farewell_over(job);
        return;
    }
    account_exchange(job, ledger_tally(engine_of(job), job->work->number));
    if (retry(job, counter, at_ns))
        return;
    if (job->work->driver->wants_losses) {
        struct driver_call call = job_call(job);
        job->work->driver->end(&call, 0, (struct span){0}, at_ns);
    }
    conclude(job, counter, span_of(words), at_ns);
}

const struct exchange_handler job_handler = {
    .started = on_started,
    .compose = on_compose,
    .head = on_head,
    .data = on_data,
    .end = on_end,
    .error = on_error,
};
