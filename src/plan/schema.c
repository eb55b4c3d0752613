/* The JSON schema of plans (draft 2020-12), from the same rows that read them: editors then offer
 * keys and show the sentence of each.
 *
 * Any value may be a text with a reference ("${USERS:-10}"), so each type allows that too. */
#include "plan/part.h"

#include "wire/json.h"

#include <stdio.h>
#include <string.h>

static void put_string(struct text *out, const char *words)
{
    text_putc(out, '"');
    json_escape(span_of(words), out);
    text_putc(out, '"');
}

/* Writes `,` between the members of an object or list. */
static void put_comma(struct text *out, bool *first)
{
    if (!*first)
        text_putc(out, ',');
    *first = false;
}

#define REFERENCE "{\"$ref\":\"#/$defs/reference\"}"

static void put_bounds(struct text *out, const struct setting *row)
{
    text_printf(out, ",\"minimum\":%.15g", row->least);
    if (row->most > 0)
        text_printf(out, ",\"maximum\":%.15g", row->most);
}

static void put_rows(struct text *out, const struct setting *table, const char *more,
                     const struct vocabulary *vocabulary);

/* The body of a custom value's schema: written here by its shape and table. */
static void put_shape(struct text *out, const struct custom *custom,
                      const struct vocabulary *vocabulary)
{
    (void)vocabulary;
    struct text row = TEXT_EMPTY;
    text_puts(&row, custom->also ? "{\"oneOf\":[{\"type\":\"string\"}," : "");
    text_printf(&row, "{\"$ref\":\"#/$defs/%s_row\"}", custom->name);
    text_puts(&row, custom->also ? "]}" : "");
    if (strcmp(custom->shape, "list") == 0)
        text_printf(out, "{\"type\":\"array\",\"items\":%s}", row.at);
    else if (strcmp(custom->shape, "row") == 0)
        text_puts(out, row.at);
    else if (strcmp(custom->shape, "map") == 0)
        text_printf(out, "{\"type\":\"object\",\"additionalProperties\":%s}", row.at);
    else if (strcmp(custom->shape, "either") == 0)
        text_printf(out, "{\"anyOf\":[%s,{\"type\":\"array\",\"items\":%s}]}", row.at, row.at);
    else
        text_printf(out,
                    "{\"type\":\"object\",\"additionalProperties\":{\"oneOf\":[%s,{\"type\":"
                    "\"array\",\"items\":%s}]}}",
                    row.at, row.at);
    text_fini(&row);
}

static void put_choice(struct text *out, const struct setting *row)
{
    text_puts(out, "\"anyOf\":[{\"enum\":[");
    for (int i = 0; row->words[i].word; i++) {
        if (i)
            text_putc(out, ',');
        put_string(out, row->words[i].word);
    }
    text_puts(out, "]}," REFERENCE "]");
}

static void put_type(struct text *out, const struct setting *row,
                     const struct vocabulary *vocabulary)
{
    static const char *const plain[] = {
        [SETTING_DURATION] = "duration", [SETTING_RATE] = "rate",   [SETTING_SHARE] = "share",
        [SETTING_BYTES] = "size",        [SETTING_TEXT] = "text",   [SETTING_TEMPLATE] = "text",
        [SETTING_HEADERS] = "headers",   [SETTING_TEXTS] = "texts", [SETTING_SPREAD] = "spread",
        [SETTING_NUMBERS] = "numbers",   [SETTING_PATH] = "text",   [SETTING_JSON] = "any",
        [SETTING_CUSTOM] = NULL};
    switch (row->type) {
    case SETTING_BOOL:
        text_puts(out, "\"anyOf\":[{\"type\":\"boolean\"}," REFERENCE "]");
        break;
    case SETTING_UINT:
    case SETTING_REAL:
        text_printf(out, "\"anyOf\":[{\"type\":\"%s\"",
                    row->type == SETTING_UINT ? "integer" : "number");
        put_bounds(out, row);
        text_puts(out, "}," REFERENCE "]");
        break;
    case SETTING_COUNT: /* a hole draws it from the data */
        text_puts(out, "\"anyOf\":[{\"type\":\"integer\"");
        put_bounds(out, row);
        text_puts(out, "},{\"type\":\"string\",\"pattern\":\"\\\\{\\\\{\"}," REFERENCE "]");
        break;
    case SETTING_CHOICE:
        put_choice(out, row);
        break;
    case SETTING_SECTION:
        put_rows(out, row->section, NULL, vocabulary);
        break;
    case SETTING_CUSTOM:
        text_printf(out, "\"$ref\":\"#/$defs/%s\"", row->custom);
        break;
    default:
        text_printf(out, "\"$ref\":\"#/$defs/%s\"", plain[row->type]);
        break;
    }
}

static void put_property(struct text *out, const struct setting *row, const char *name,
                         const struct vocabulary *vocabulary)
{
    put_string(out, name);
    text_puts(out, ":{\"description\":");
    struct text words = TEXT_EMPTY;
    text_puts(&words, row->sentence ? row->sentence : "");
    if (row->unit)
        text_printf(&words, " (%s)", row->unit);
    if (strcmp(name, row->name) != 0)
        text_printf(&words, "; the same as %s", row->name);
    put_string(out, words.at);
    text_fini(&words);
    if (row->unset) {
        text_puts(out, ",\"default\":");
        put_string(out, row->unset);
    }
    text_putc(out, ',');
    put_type(out, row, vocabulary);
    text_putc(out, '}');
}

static void put_table(struct text *out, const struct setting *table, bool *first,
                      const struct vocabulary *vocabulary)
{
    for (const struct setting *row = table; row && row->name; row++) {
        put_comma(out, first);
        put_property(out, row, row->name, vocabulary);
        for (const char *alias = row->aliases; alias && *alias;) {
            char name[64];
            size_t bytes = strcspn(alias, " ");
            snprintf(name, sizeof name, "%.*s", (int)bytes, alias);
            text_putc(out, ',');
            put_property(out, row, name, vocabulary);
            alias += bytes + strspn(alias + bytes, " ");
        }
    }
}

/* The members "type", "properties", "required" and "additionalProperties" of a table; `more` are
 * properties beyond it. A required row with aliases may be written by any of its names, so it is
 * left to the reader. */
static void put_rows(struct text *out, const struct setting *table, const char *more,
                     const struct vocabulary *vocabulary)
{
    bool first = true;
    text_puts(out, "\"type\":\"object\",\"properties\":{");
    put_table(out, table, &first, vocabulary);
    if (more && *more) {
        put_comma(out, &first);
        text_puts(out, more);
    }
    text_puts(out, "},\"additionalProperties\":false");
    first = true;
    for (const struct setting *row = table; row && row->name; row++) {
        if (!row->required || row->aliases || table == plan_rows)
            continue;
        text_puts(out, first ? ",\"required\":[" : ",");
        put_string(out, row->name);
        first = false;
    }
    if (!first)
        text_putc(out, ']');
}

/* The verbs as properties of tasks and steps. */
static void put_verbs(struct text *out, const struct vocabulary *vocabulary)
{
    for (size_t i = 0; i < vocabulary->verb_count; i++) {
        const struct request_verb *verb = &vocabulary->verbs[i];
        if (i)
            text_putc(out, ',');
        put_string(out, verb->word);
        text_puts(out, ":{\"description\":");
        put_string(out, verb->sentence);
        text_puts(out, verb->shorthand ? ",\"oneOf\":[{\"type\":\"string\"},{" : ",\"oneOf\":[{");
        put_rows(out, verb->settings, NULL, vocabulary);
        text_puts(out, "}]}");
    }
}

/* The words of plug-ins as properties of what asks for one. */
static void put_plugs(struct text *out, const struct plug_word *words, size_t count,
                      const struct vocabulary *vocabulary)
{
    for (size_t i = 0; i < count; i++) {
        if (i)
            text_putc(out, ',');
        put_string(out, words[i].word);
        text_puts(out, ":{\"description\":");
        put_string(out, words[i].sentence);
        text_puts(out,
                  words[i].shorthand ? ",\"oneOf\":[{\"type\":\"string\"},{" : ",\"oneOf\":[{");
        put_rows(out, words[i].settings, NULL, vocabulary);
        text_puts(out, "}]}");
    }
}

/* The settings of all patterns as properties of scenarios; one of several patterns stands once. */
static void put_patterns(struct text *out, const struct vocabulary *vocabulary)
{
    bool first = true;
    for (size_t i = 0; i < vocabulary->pattern_count; i++) {
        const struct setting *row = vocabulary->patterns[i].settings;
        for (; row && row->name; row++) {
            bool seen = false;
            for (size_t j = 0; j < i && !seen; j++) {
                for (const struct setting *other = vocabulary->patterns[j].settings;
                     other && other->name && !seen; other++)
                    seen = strcmp(other->name, row->name) == 0;
            }
            struct setting one[] = {*row, {.name = NULL}};
            if (!seen)
                put_table(out, one, &first, vocabulary);
        }
    }
}

static void put_custom(struct text *out, const struct custom *custom,
                       const struct vocabulary *vocabulary)
{
    put_string(out, custom->name);
    text_putc(out, ':');
    if (custom->schema) {
        text_puts(out, custom->schema);
        return;
    }
    put_shape(out, custom, vocabulary);
    struct text more = TEXT_EMPTY;
    if (custom->table == task_rows || custom->table == step_rows)
        put_verbs(&more, vocabulary);
    else if (custom->table == scenario_rows)
        put_patterns(&more, vocabulary);
    else if (custom->table == watched_rows)
        put_plugs(&more, vocabulary->probes, vocabulary->probe_count, vocabulary);
    else if (custom->table == scaler_rows)
        put_plugs(&more, vocabulary->scalers, vocabulary->scaler_count, vocabulary);
    text_printf(out, ",\"%s_row\":{", custom->name);
    put_rows(out, custom->table, more.at, vocabulary);
    text_putc(out, '}');
    text_fini(&more);
}

static const char common_definitions[] =
    "\"reference\":{\"type\":\"string\",\"pattern\":\"\\\\$\\\\{\"},"
    "\"any\":true,"
    "\"text\":{\"type\":[\"string\",\"number\",\"boolean\"]},"
    "\"texts\":{\"oneOf\":[{\"$ref\":\"#/$defs/text\"},{\"type\":\"array\",\"items\":"
    "{\"$ref\":\"#/$defs/text\"}}]},"
    "\"numbers\":{\"type\":\"array\",\"minItems\":1,\"items\":{\"$ref\":\"#/$defs/rate\"}},"
    "\"headers\":{\"type\":\"object\",\"additionalProperties\":{\"$ref\":\"#/$defs/text\"}},"
    "\"duration\":{\"anyOf\":[{\"type\":\"number\",\"minimum\":0},{\"type\":\"string\","
    "\"pattern\":\"^[0-9]|\\\\$\\\\{\"}]},"
    "\"rate\":{\"anyOf\":[{\"type\":\"number\",\"minimum\":0},{\"type\":\"string\","
    "\"pattern\":\"^[0-9]|\\\\$\\\\{\"}]},"
    "\"share\":{\"anyOf\":[{\"type\":\"number\",\"minimum\":0},{\"type\":\"string\","
    "\"pattern\":\"^[0-9.]+ *%?$|\\\\$\\\\{\"}]},"
    "\"size\":{\"anyOf\":[{\"type\":\"integer\",\"minimum\":0},{\"type\":\"string\","
    "\"pattern\":\"^[0-9]|\\\\$\\\\{\"}]},"
    "\"spread\":{\"anyOf\":[{\"type\":[\"number\",\"string\"]},{\"type\":\"object\",\"properties\":"
    "{\"dist\":{\"enum\":[\"fixed\",\"uniform\",\"exponential\",\"normal\",\"lognormal\","
    "\"gamma\",\"pareto\"]},\"value\":{\"$ref\":\"#/$defs/duration\"},\"min\":{\"$ref\":"
    "\"#/$defs/duration\"},\"max\":{\"$ref\":\"#/$defs/duration\"},\"mean\":{\"$ref\":"
    "\"#/$defs/duration\"},\"stddev\":{\"$ref\":\"#/$defs/duration\"},\"median\":{\"$ref\":"
    "\"#/$defs/duration\"},\"p95\":{\"$ref\":\"#/$defs/duration\"},\"shape\":{\"$ref\":"
    "\"#/$defs/duration\"}},\"additionalProperties\":false}]}";

/* The fields of the flat form beside those of the usual one. */
static const char flat_properties[] =
    "\"target_url\":{\"$ref\":\"#/$defs/text\",\"description\":\"flat form: URL of the one "
    "request\"},"
    "\"method\":{\"type\":\"string\",\"description\":\"flat form: HTTP method\"},"
    "\"headers\":{\"$ref\":\"#/$defs/headers\",\"description\":\"flat form: header lines\"},"
    "\"payload_template\":{\"description\":\"flat form: body, written as JSON\"},"
    "\"concurrent_users\":{\"$ref\":\"#/$defs/rate\",\"description\":\"flat form: users\"},"
    "\"duration_seconds\":{\"$ref\":\"#/$defs/duration\"},"
    "\"ramp_up_seconds\":{\"$ref\":\"#/$defs/duration\"},"
    "\"think_time_seconds\":{\"$ref\":\"#/$defs/spread\"},"
    "\"load_pattern\":{\"type\":\"string\"},"
    "\"success_rate_threshold\":{\"type\":[\"number\",\"string\"]},"
    "\"latency_p95_threshold_ms\":{\"type\":[\"number\",\"string\"]},"
    "\"spike_multiplier\":{\"type\":[\"number\",\"string\"]},"
    "\"spike_duration_seconds\":{\"$ref\":\"#/$defs/duration\"}";

void plan_schema(const struct vocabulary *vocabulary, struct text *out)
{
    text_puts(out, "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\","
                   "\"title\":\"a plan of plimsoll\",");
    put_rows(out, plan_rows, flat_properties, vocabulary);
    text_puts(out, ",\"anyOf\":[{\"required\":[\"scenarios\"]},{\"required\":[\"target_url\"]}],"
                   "\"$defs\":{");
    text_puts(out, common_definitions);
    for (const struct custom *custom = customs; custom->name; custom++) {
        if (!custom->schema && !custom->shape) /* a verb: written where it stands */
            continue;
        text_putc(out, ',');
        put_custom(out, custom, vocabulary);
    }
    text_puts(out, "}}\n");
}
