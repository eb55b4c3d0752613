/* Content codings of replies; see decode.h. A job gets an inflater with its first encoded reply
 * and keeps it, so that later ones allocate nothing. */
#include "load/decode.h"

void decode_begin(struct job *job, struct span head)
{
    const struct plan_http *http = &job->user->crew->engine->plan->http;
    job->encoded = job->spoiled = false;
    if (!http->compress)
        return;
    struct span coding = reply_header(head, "content-encoding");
    bool gzip =
        span_equal_nocase(coding, SPAN("gzip")) || span_equal_nocase(coding, SPAN("x-gzip"));
    if (!gzip && !span_equal_nocase(coding, SPAN("deflate")))
        return;
    if (!job->inflater)
        job->inflater = inflater_new();
    inflater_start(job->inflater, gzip ? INFLATE_GZIP : INFLATE_DEFLATE, http->max_response_bytes);
    job->encoded = true;
}

struct passing {
    struct job *job;
    nsec_t rx_ns;
    void (*taken)(struct job *job, struct span clear, nsec_t rx_ns);
};

static void pass_on(void *self, struct span clear)
{
    struct passing *passing = self;
    passing->taken(passing->job, clear, passing->rx_ns);
}

void decode_data(struct job *job, struct span bytes, nsec_t rx_ns,
                 void (*taken)(struct job *job, struct span clear, nsec_t rx_ns))
{
    struct passing passing = {.job = job, .rx_ns = rx_ns, .taken = taken};
    if (!job->encoded)
        taken(job, bytes, rx_ns);
    else if (!job->spoiled && inflater_feed(job->inflater, bytes, pass_on, &passing) < 0)
        job->spoiled = true;
}

bool decode_whole(struct job *job)
{
    return !job->encoded || (!job->spoiled && inflater_finish(job->inflater) == 0);
}
