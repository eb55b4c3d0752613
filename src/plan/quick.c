/* A plan that is only a command line: it is written down as a plan and read as one, so that there
 * is one reader, and so that the run file keeps what was asked for in the form that can be run
 * again. */
#include "plan/part.h"
#include "wire/url.h"

#include <stdlib.h>
#include <string.h>

/* A text as YAML in double quotes, which are JSON's. */
static void put_quoted(struct text *out, struct span words)
{
    text_putc(out, '"');
    for (size_t i = 0; i < words.bytes; i++) {
        unsigned char byte = (unsigned char)words.at[i];
        if (byte == '"' || byte == '\\')
            text_printf(out, "\\%c", byte);
        else if (byte == '$' && i + 1 < words.bytes && words.at[i + 1] == '{')
            text_puts(out, "$$"); /* the shell has already replaced what it should */
        else if (byte < 0x20 || byte == 0x7F)
            text_printf(out, "\\x%02x", byte);
        else
            text_putc(out, (char)byte);
    }
    text_putc(out, '"');
}

static void put_url(struct text *out, const char *words, struct span *path)
{
    struct url url;
    const char *why = NULL;
    struct text full = TEXT_EMPTY;
    if (!strstr(words, "://"))
        text_puts(&full, "http://");
    text_puts(&full, words);
    *path = SPAN("/");
    if (url_read(text_span(&full), &url, &why) == 0 && url.path.bytes) {
        size_t at = (size_t)(url.path.at - full.at); /* the same bytes stand in words */
        *path = (struct span){words + (at - (full.bytes - strlen(words))), url.path.bytes};
        full.bytes = at;
    }
    text_puts(out, "target: ");
    put_quoted(out, text_span(&full));
    text_putc(out, '\n');
    text_fini(&full);
}

/* Arrivals: at a rate, or at the instants of a trace. */
static void put_arrivals(struct text *out, const struct plan_quick *quick)
{
    if (quick->trace) {
        text_puts(out, "    executor: replay\n    trace: ");
        put_quoted(out, span_of(quick->trace));
        text_putc(out, '\n');
    } else {
        text_printf(out, "    rate: %.15g\n", quick->rate);
    }
    if (quick->gaps)
        text_printf(out, "    gaps: %s\n", quick->gaps);
    if (quick->users)
        text_printf(out, "    max_vus: %llu\n", (unsigned long long)quick->users);
}

static void put_load(struct text *out, const struct plan_quick *quick)
{
    bool open = quick->rate > 0 || quick->trace;
    if (open)
        put_arrivals(out, quick);
    else
        text_printf(out, "    vus: %llu\n", (unsigned long long)(quick->users ? quick->users : 1));
    if (quick->iterations)
        text_printf(out, "    iterations: %llu\n", (unsigned long long)quick->iterations);
    if (quick->duration_ns)
        text_printf(out, "    duration: %lldns\n", (long long)quick->duration_ns);
    else if (!quick->iterations && !quick->trace)
        text_puts(out, "    duration: 10s\n");
    if (quick->spawn_rate > 0 && !open)
        text_printf(out, "    spawn_rate: %.15g\n", quick->spawn_rate);
}

static const char *spread_word(enum spread spread)
{
    static const char *const words[] = {"fixed",  "fixed",     "uniform", "exponential",
                                        "normal", "lognormal", "gamma",   "pareto"};
    return words[spread];
}

static void put_think(struct text *out, const struct distribution *think)
{
    static const char *const names[][2] = {{NULL, NULL},      {"value", NULL},    {"min", "max"},
                                           {"mean", NULL},    {"mean", "stddev"}, {"median", "p95"},
                                           {"mean", "shape"}, {"min", "shape"}};
    if (think->spread == SPREAD_NONE)
        return;
    const char *const *name = names[think->spread];
    text_printf(out, "    think: {dist: %s, %s: %.15g", spread_word(think->spread), name[0],
                think->a);
    if (name[1])
        text_printf(out, ", %s: %.15g", name[1], think->b);
    text_puts(out, "}\n");
}

static bool has_header(const struct plan_quick *quick, const char *name)
{
    struct span wanted = span_of(name);
    for (size_t i = 0; i < quick->header_count; i++) {
        struct span line = span_of(quick->headers[i]);
        if (line.bytes > wanted.bytes && line.at[wanted.bytes] == ':' &&
            span_equal_nocase((struct span){line.at, wanted.bytes}, wanted))
            return true;
    }
    return false;
}

static void put_headers(struct text *out, const struct plan_quick *quick, struct notes *notes)
{
    bool json = quick->json && !has_header(quick, "content-type");
    if (quick->header_count || json)
        text_puts(out, "          headers:\n");
    for (size_t i = 0; i < quick->header_count; i++) {
        const char *line = quick->headers[i], *colon = strchr(line, ':');
        if (!colon || colon == line) {
            notes_error(notes, "command line: --header: \"%s\" is not of the form Name: value",
                        line);
            continue;
        }
        text_puts(out, "            ");
        put_quoted(out, (struct span){line, (size_t)(colon - line)});
        text_puts(out, ": ");
        put_quoted(out, span_trim(span_of(colon + 1)));
        text_putc(out, '\n');
    }
    if (json)
        text_puts(out, "            content-type: application/json\n");
}

static void put_lower(struct text *out, const char *words)
{
    for (; *words; words++)
        text_putc(out, (char)(*words >= 'A' && *words <= 'Z' ? *words | 0x20 : *words));
}

/* Methods that are words of tasks; others have a word that takes any. */
static bool is_common(const char *method)
{
    static const char *const common[] = {"get",    "post", "put",    "patch",
                                         "delete", "head", "options"};
    for (size_t i = 0; i < sizeof common / sizeof *common; i++)
        if (span_equal_nocase(span_of(method), span_of(common[i])))
            return true;
    return false;
}

static void put_quick(struct text *out, const struct plan_quick *quick, struct notes *notes)
{
    struct span path = {0};
    const char *body = quick->json ? quick->json : quick->body;
    text_puts(out, "schema: 1\n");
    put_url(out, quick->url, &path);
    if (quick->data)
        text_printf(out, "data:\n  prompts: %s\n", quick->data);
    text_puts(out, "scenarios:\n  main:\n");
    put_load(out, quick);
    put_think(out, &quick->think);
    text_puts(out, "    tasks:\n      - ");
    if (quick->driver_verb)
        text_puts(out, quick->driver_verb);
    else if (!quick->method || is_common(quick->method))
        put_lower(out, quick->method ? quick->method : body ? "post" : "get");
    else
        text_puts(out, "request");
    bool settings = quick->settings && quick->settings->name;
    if (quick->driver_verb && span_equal(path, SPAN("/"))) { /* the verb's own path stands */
        text_puts(out, settings || quick->header_count ? ":\n" : ": {}\n");
    } else {
        text_puts(out, ":\n          url: ");
        put_quoted(out, path);
        text_putc(out, '\n');
    }
    if (quick->method && !quick->driver_verb && !is_common(quick->method)) {
        text_puts(out, "          method: ");
        put_quoted(out, span_of(quick->method));
        text_putc(out, '\n');
    }
    put_headers(out, quick, notes);
    for (const struct plan_pair *pair = quick->settings; pair && pair->name; pair++) {
        text_printf(out, "          %s: ", pair->name);
        if (pair->map)
            text_puts(out, pair->words);
        else
            put_quoted(out, span_of(pair->words));
        text_putc(out, '\n');
    }
    if (body && !quick->driver_verb) {
        text_puts(out, "          body: ");
        put_quoted(out, span_of(body));
        text_putc(out, '\n');
    }
}

int plan_read_quick(const struct plan_quick *quick, const struct plan_source *source,
                    const struct vocabulary *vocabulary, struct plan_reading *out)
{
    *out = (struct plan_reading){0};
    struct text words = TEXT_EMPTY;
    put_quick(&words, quick, &out->notes);
    out->text = text_take(&words);
    struct plan_source inner = *source;
    inner.file = NULL;
    inner.text = out->text;
    return plan_read_text(&inner, vocabulary, out, true);
}
