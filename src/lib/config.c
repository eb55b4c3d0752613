/* A config becomes a plan in the flat form, written as JSON, so that there is one reader, one set
 * of ranges and one set of mistakes for all ways to say what is sent. */
#include "lib/inside.h"

#include <math.h>
#include <string.h>

static void put_quoted(struct text *out, const char *words)
{
    text_putc(out, '"');
    for (const unsigned char *at = (const unsigned char *)words; *at; at++) {
        if (*at == '"' || *at == '\\')
            text_printf(out, "\\%c", *at);
        else if (*at < 0x20 || *at == 0x7f)
            text_printf(out, "\\u%04x", *at);
        else
            text_putc(out, (char)*at);
    }
    text_putc(out, '"');
}

static void put_text(struct text *out, const char *key, const char *words)
{
    if (!words)
        return;
    text_printf(out, ",\n\"%s\": ", key);
    put_quoted(out, words);
}

static void put_number(struct text *out, const char *key, double number)
{
    text_printf(out, ",\n\"%s\": %.15g", key, number);
}

static const char *pattern_word(enum plimsoll_pattern pattern)
{
    switch (pattern) {
    case PLIMSOLL_CONSTANT:
        return "CONSTANT";
    case PLIMSOLL_LINEAR_RAMP:
        return "LINEAR_RAMP";
    case PLIMSOLL_STEP_FUNCTION:
        return "STEP_FUNCTION";
    case PLIMSOLL_SPIKE_TEST:
        return "SPIKE_TEST";
    case PLIMSOLL_STRESS_TEST:
        return "STRESS_TEST";
    }
    return "unknown"; /* which the plan's reader refuses, and says what there is */
}

static void put_headers(struct text *out, const struct plimsoll_config *config)
{
    if (config->header_count == 0)
        return;
    text_puts(out, ",\n\"headers\": {");
    for (size_t i = 0; i < config->header_count; i++) {
        text_puts(out, i ? ", " : "");
        put_quoted(out, config->headers[i].name ? config->headers[i].name : "");
        text_puts(out, ": ");
        put_quoted(out, config->headers[i].value ? config->headers[i].value : "");
    }
    text_putc(out, '}');
}

static void put_load(struct text *out, const struct plimsoll_config *config)
{
    text_puts(out, ",\n\"concurrent_users\": ");
    text_put_uint(out, config->concurrent_users);
    put_number(out, "duration_seconds", config->duration_seconds);
    if (config->ramp_up_seconds != 0)
        put_number(out, "ramp_up_seconds", config->ramp_up_seconds);
    if (config->think_time_seconds != 0)
        put_number(out, "think_time_seconds", config->think_time_seconds);
    put_text(out, "load_pattern", pattern_word(config->load_pattern));
    if (config->load_pattern == PLIMSOLL_SPIKE_TEST) {
        put_number(out, "spike_multiplier", config->spike_multiplier);
        put_number(out, "spike_duration_seconds", config->spike_duration_seconds);
    }
    if (config->success_rate_threshold >= 0)
        put_number(out, "success_rate_threshold", config->success_rate_threshold);
    if (config->latency_p95_threshold_ms > 0)
        put_number(out, "latency_p95_threshold_ms", config->latency_p95_threshold_ms);
}

struct plimsoll_plan *plimsoll_plan_of_config(const struct plimsoll_config *given)
{
    struct plimsoll_config config = PLIMSOLL_CONFIG_INIT;
    memcpy(&config, given, given->bytes < sizeof config ? given->bytes : sizeof config);
    struct text words = TEXT_EMPTY;
    text_puts(&words, "{\"name\": ");
    put_quoted(&words, config.name ? config.name : "load-test");
    put_text(&words, "description", config.description);
    put_text(&words, "target_url", config.target_url ? config.target_url : "");
    put_text(&words, "method", config.method);
    put_headers(&words, &config);
    if (config.payload)
        text_printf(&words, ",\n\"payload_template\": %s", config.payload);
    put_load(&words, &config);
    text_puts(&words, "}\n");
    return inside_plan(text_take(&words), NULL);
}
