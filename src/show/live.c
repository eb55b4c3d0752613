/* The live line and panel; see live.h. Figures cover the last seconds, counts the whole run. */
#include "show/live.h"

#include "base/unit.h"
#include "show/figure.h"
#include "show/sparkline.h"
#include "show/words.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What a drawing shows, taken from the progress once. */
struct live_figures {
    struct figure_sums recent, whole;
    double users, in_flight;
    const char *phase; /* its name, or NULL */
    nsec_t phase_begin_ns, phase_end_ns;
};

/* Everything of the recent points, excluded phases too: during warm-up the reader wants to see that
 * something happens. */
static void recent_sums(const struct result *recent, struct figure_sums *out)
{
    struct result_sum *sum = result_sum_new(&recent->metrics);
    nsec_t measured_ns = 0;
    for (size_t i = 0; i < recent->point_count; i++) {
        const struct result_point *point = &recent->points[i];
        if (!point->sum)
            continue;
        result_sum_merge(sum, point->sum, &recent->metrics);
        measured_ns += point->end_ns - point->begin_ns;
    }
    sum->measured_ns = measured_ns;
    figure_sums(sum, out);
    result_sum_free(sum, &recent->metrics);
}

static void take_figures(const struct run_progress *progress, struct live_figures *out)
{
    const struct result *recent = progress->recent, *whole = progress->whole;
    memset(out, 0, sizeof *out);
    recent_sums(recent, &out->recent);
    figure_sums(whole->total, &out->whole);
    out->users = out->in_flight = (double)NAN;
    if (recent->point_count) {
        const struct result_point *last = &recent->points[recent->point_count - 1];
        out->users = last->gauges[GAUGE_USERS];
        out->in_flight = last->gauges[GAUGE_IN_FLIGHT];
    }
    if (progress->phase < whole->phase_count) {
        const struct result_phase *phase = &whole->phases[progress->phase];
        out->phase = phase->name;
        out->phase_begin_ns = phase->begin_ns;
        out->phase_end_ns = phase->end_ns;
    }
}

/* "0:35", "1:02:05": both digits of the seconds always, so that a line does not jump. */
static void put_instant(struct text *out, nsec_t at_ns)
{
    int64_t seconds = at_ns > 0 ? at_ns / NSEC_PER_SEC : 0;
    if (seconds >= 3600)
        text_printf(out, "%" PRId64 ":%02" PRId64 ":%02" PRId64, seconds / 3600, seconds / 60 % 60,
                    seconds % 60);
    else
        text_printf(out, "%" PRId64 ":%02" PRId64, seconds / 60, seconds % 60);
}

static void put_number(struct text *out, const char *before, double number, const char *after)
{
    char words[UNIT_ROOM];
    text_printf(out, "%s%s%s", before, isfinite(number) ? unit_write_number(words, number) : "–",
                after);
}

/* "50 users", and no number where it is not known yet. */
static void put_users(struct text *out, double users)
{
    put_number(out, "", users, users == 1.0 ? " user" : " users");
}

static void put_time(struct text *out, const char *name, struct figure_time time)
{
    char words[FIGURE_ROOM];
    text_printf(out, "   %s %s", name, figure_write_time(words, time));
}

/* A percentile of a few seconds, also where its count could not carry it for a report: the live
 * view shows what is, and the summary says how sure it is. */
static struct figure_time recent_p95(const struct figure_times *times)
{
    return times->p95.known ? times->p95 : times->most;
}

static void put_errors(struct text *out, const struct live_figures *figures)
{
    char words[UNIT_ROOM];
    text_printf(out, "   %s failed", unit_write_count(words, figures->whole.failed));
    if (figures->recent.failed)
        text_printf(out, " (%s now)", unit_write_share(words, figures->recent.error_share));
    if (figures->whole.dropped)
        text_printf(out, "   %s dropped", unit_write_count(words, figures->whole.dropped));
}

static void put_figures(struct text *out, const struct live_figures *figures)
{
    put_users(out, figures->users);
    put_number(out, "   ", figures->recent.rate_rps, " req/s");
    put_time(out, "p50", figures->recent.response.p50);
    put_time(out, figures->recent.response.p95.known ? "p95" : "max",
             recent_p95(&figures->recent.response));
    put_errors(out, figures);
}

/* Whether the phase is named by the users that the figures begin with. */
static bool phase_says_users(const struct live_figures *figures)
{
    struct text words = TEXT_EMPTY;
    put_users(&words, figures->users);
    bool same = strcmp(words.at, figures->phase) == 0;
    text_fini(&words);
    return same;
}

/* After the planned time: what the run still waits for. */
static void put_finishing(struct text *out, const struct live_figures *figures)
{
    text_puts(out, "   finishing");
    if (figures->in_flight > 0)
        put_number(out, ": ", figures->in_flight, " in flight");
}

void show_live_line(const struct run_progress *progress, const struct show_options *options,
                    struct text *out)
{
    (void)options; /* a line in a log is not cut */
    struct live_figures figures;
    take_figures(progress, &figures);
    put_instant(out, progress->elapsed_ns);
    text_puts(out, " of ");
    put_instant(out, progress->planned_ns);
    if (progress->elapsed_ns >= progress->planned_ns + NSEC_PER_SEC)
        put_finishing(out, &figures);
    text_puts(out, "   ");
    if (figures.phase && !phase_says_users(&figures)) {
        words_put(out, figures.phase, false);
        text_puts(out, "   ");
    }
    put_figures(out, &figures);
    if (progress->generator && strncmp(progress->generator, "ok", 2) != 0) {
        text_puts(out, "   generator ");
        words_put(out, progress->generator, false);
    }
    text_putc(out, '\n');
}

/* ---- the panel ------------------------------------------------------------------------------ */

static void remember(struct live_panel *panel, double value)
{
    if (panel->past_count == LIVE_PAST) {
        memmove(panel->past, panel->past + 1, (LIVE_PAST - 1) * sizeof *panel->past);
        panel->past_count--;
    }
    panel->past[panel->past_count++] = value;
}

static void take_past(struct live_panel *panel, const struct result *recent)
{
    for (size_t i = 0; i < recent->point_count; i++) {
        const struct result_point *point = &recent->points[i];
        nsec_t value_ns = 0;
        bool at_least = false;
        if (point->end_ns <= panel->past_end_ns || !point->sum)
            continue;
        panel->past_end_ns = point->end_ns;
        int error = hist_quantile_censored(result_hist(point->sum, HIST_RESPONSE),
                                           result_hist(point->sum, HIST_CENSORED), 0.95, &value_ns,
                                           &at_least);
        remember(panel, error ? (double)NAN : (double)value_ns / (double)NSEC_PER_MSEC);
    }
}

/* Ends a line of the panel: cut to the width, in its tone, what was there before cleared. */
static void put_line(struct live_panel *panel, struct text *line, enum words_tone tone,
                     const struct show_options *options, struct text *out)
{
    struct text cut = TEXT_EMPTY;
    words_put_cut(&cut, line->at ? line->at : "", options->columns > 1 ? options->columns - 1 : 1);
    text_puts(out, "\x1b[2K");
    words_put_tone(out, options->colour, tone, cut.at ? cut.at : "");
    text_putc(out, '\n');
    panel->lines++;
    text_fini(&cut);
    text_clear(line);
}

static void put_head(struct text *line, const struct run_progress *progress,
                     const struct live_figures *figures)
{
    words_put(line, progress->whole->name, false);
    if (figures->phase) {
        text_puts(line, "   ");
        words_put(line, figures->phase, false);
        text_puts(line, ", ");
        put_instant(line, progress->elapsed_ns - figures->phase_begin_ns);
        if (figures->phase_end_ns >= progress->elapsed_ns) {
            text_puts(line, " of ");
            put_instant(line, figures->phase_end_ns - figures->phase_begin_ns);
        }
    }
    nsec_t left_ns = progress->planned_ns - progress->elapsed_ns;
    if (left_ns <= 0) {
        put_finishing(line, figures);
    } else {
        text_puts(line, "   ");
        put_instant(line, left_ns + NSEC_PER_SEC - 1);
        text_puts(line, " left");
    }
}

static void put_progress(struct text *line, const struct run_progress *progress, unsigned columns)
{
    unsigned width = columns > 60 ? 30 : columns > 30 ? columns - 30 : 8;
    double share = progress->planned_ns > 0
                       ? (double)progress->elapsed_ns / (double)progress->planned_ns
                       : 0.0;
    unsigned done = share >= 1.0 ? width : share > 0.0 ? (unsigned)(share * width) : 0;
    text_puts(line, "  ");
    for (unsigned i = 0; i < width; i++)
        text_puts(line, i < done ? "━" : "─");
    text_puts(line, "  ");
    put_instant(line, progress->elapsed_ns);
    text_puts(line, " of ");
    put_instant(line, progress->planned_ns);
}

/* What a machine does not have is no news to who looks at a run: the report names it. */
static bool is_news(const struct result_event *event)
{
    return strcmp(event->kind, "absent") != 0 && strcmp(event->kind, "unobserved") != 0;
}

/* The newest event of the whole run, if it is not older than half a minute. */
static const struct result_event *fresh_event(const struct run_progress *progress)
{
    const struct result *whole = progress->whole;
    for (size_t i = whole->event_count; i-- > 0;) {
        const struct result_event *event = &whole->events[i];
        if (progress->elapsed_ns - event->at_ns >= 30 * NSEC_PER_SEC)
            return NULL;
        if (is_news(event))
            return event;
    }
    return NULL;
}

static void put_event(struct text *line, const struct result_event *event)
{
    text_puts(line, "  ! ");
    put_instant(line, event->at_ns);
    text_puts(line, "  ");
    words_put(line, event->words, false);
}

void show_live_clear(struct live_panel *panel, struct text *out)
{
    if (panel->lines)
        text_printf(out, "\x1b[%uA\x1b[J", panel->lines);
    panel->lines = 0;
}

void show_live_panel(struct live_panel *panel, const struct run_progress *progress,
                     const struct show_options *options, struct text *out)
{
    struct live_figures figures;
    struct text line = TEXT_EMPTY;
    bool well = !progress->generator || strncmp(progress->generator, "ok", 2) == 0;
    take_figures(progress, &figures);
    take_past(panel, progress->recent);
    show_live_clear(panel, out);

    put_head(&line, progress, &figures);
    put_line(panel, &line, TONE_STRONG, options, out);
    put_progress(&line, progress, options->columns);
    put_line(panel, &line, TONE_FAINT, options, out);
    text_puts(&line, "  ");
    put_figures(&line, &figures);
    put_line(panel, &line, figures.recent.failed ? TONE_DOUBTFUL : TONE_PLAIN, options, out);
    text_puts(&line, "  ");
    size_t room = options->columns > 40 ? options->columns - 24 : 16;
    size_t shown = panel->past_count < room ? panel->past_count : room;
    sparkline_put(panel->past + panel->past_count - shown, shown, &line);
    text_puts(&line, shown ? "  response p95" : "waiting for the first answers");
    put_line(panel, &line, TONE_PLAIN, options, out);
    text_puts(&line, "  generator ");
    words_put(&line, progress->generator ? progress->generator : "not judged yet", false);
    put_line(panel, &line, well ? TONE_FAINT : TONE_BAD, options, out);
    const struct result_event *event = fresh_event(progress);
    if (event) {
        put_event(&line, event);
        put_line(panel, &line, TONE_DOUBTFUL, options, out);
    }
    text_fini(&line);
}
