/* The JSON schema is JSON, names every row of every table, and so does the help. */
#include "plan/part.h"
#include "words.h"

#include <jansson.h>

static json_t *schema(void)
{
    struct text out = TEXT_EMPTY;
    json_error_t error;
    plan_schema(&test_words, &out);
    json_t *root = json_loadb(out.at, out.bytes, JSON_REJECT_DUPLICATES, &error);
    if (!root)
        print_error("%s at %.*s\n", error.text, 80,
                    out.at + (error.position > 40 ? error.position - 40 : 0));
    assert_non_null(root);
    text_fini(&out);
    return root;
}

/* Every row and each of its aliases must be a property, with the row's sentence. */
static void has_rows(const json_t *object, const struct setting *table)
{
    const json_t *properties = json_object_get(object, "properties");
    assert_non_null(properties);
    assert_true(json_is_false(json_object_get(object, "additionalProperties")));
    for (const struct setting *row = table; row->name; row++) {
        const json_t *property = json_object_get(properties, row->name);
        if (!property)
            print_error("no property %s\n", row->name);
        assert_non_null(property);
        const char *words = json_string_value(json_object_get(property, "description"));
        assert_non_null(words);
        assert_ptr_equal(strstr(words, row->sentence), words);
        if (row->type == SETTING_SECTION)
            has_rows(property, row->section);
        for (const char *alias = row->aliases; alias && *alias;) {
            char name[64];
            size_t bytes = strcspn(alias, " ");
            snprintf(name, sizeof name, "%.*s", (int)bytes, alias);
            assert_non_null(json_object_get(properties, name));
            alias += bytes + strspn(alias + bytes, " ");
        }
    }
}

static void schema_has_every_row(void **state)
{
    (void)state;
    json_t *root = schema();
    const json_t *definitions = json_object_get(root, "$defs");
    has_rows(root, plan_rows);
    size_t tables = 0;
    for (const struct custom *custom = customs; custom->name; custom++) {
        char name[64];
        snprintf(name, sizeof name, "%s_row", custom->name);
        if (!custom->table)
            continue;
        tables++;
        has_rows(json_object_get(definitions, name), custom->table);
    }
    assert_true(tables >= 10);
    json_decref(root);
}

/* Every reference leads somewhere. */
static void check_references(const json_t *value, const json_t *definitions)
{
    const char *key;
    json_t *inner;
    size_t index;
    if (json_is_array(value)) {
        json_array_foreach(value, index, inner) check_references(inner, definitions);
    }
    if (!json_is_object(value))
        return;
    json_object_foreach((json_t *)value, key, inner)
    {
        if (strcmp(key, "$ref") == 0) {
            const char *words = json_string_value(inner);
            assert_int_equal(strncmp(words, "#/$defs/", 8), 0);
            if (!json_object_get(definitions, words + 8))
                print_error("no definition %s\n", words + 8);
            assert_non_null(json_object_get(definitions, words + 8));
        }
        check_references(inner, definitions);
    }
}

static void schema_refers_to_what_it_has(void **state)
{
    (void)state;
    json_t *root = schema();
    check_references(root, json_object_get(root, "$defs"));
    json_decref(root);
}

static void schema_has_verbs_and_patterns(void **state)
{
    (void)state;
    json_t *root = schema();
    const json_t *definitions = json_object_get(root, "$defs");
    const json_t *task = json_object_get(json_object_get(definitions, "tasks_row"), "properties");
    for (size_t i = 0; i < test_words.verb_count; i++)
        assert_non_null(json_object_get(task, test_words.verbs[i].word));
    const json_t *scenario =
        json_object_get(json_object_get(definitions, "scenarios_row"), "properties");
    assert_non_null(json_object_get(scenario, "level_duration"));
    json_decref(root);
}

static void help_has_every_row(void **state)
{
    (void)state;
    static const struct setting *const tables[] = {plan_rows, scenario_rows, task_rows,
                                                   threshold_rows};
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        struct text help = TEXT_EMPTY, markdown = TEXT_EMPTY, man = TEXT_EMPTY;
        setting_help(tables[i], &help);
        setting_page(tables[i], SETTING_MARKDOWN, &markdown);
        setting_page(tables[i], SETTING_MAN, &man);
        for (const struct setting *row = tables[i]; row->name; row++) {
            char name[80];
            snprintf(name, sizeof name, "  %s ", row->name);
            assert_non_null(strstr(help.at, name));
            snprintf(name, sizeof name, "| `%s` |", row->name);
            assert_non_null(strstr(markdown.at, name));
            snprintf(name, sizeof name, ".TP\n.B %s\n", row->name);
            assert_non_null(strstr(man.at, name));
            assert_non_null(strstr(help.at, row->sentence));
        }
        text_fini(&help);
        text_fini(&markdown);
        text_fini(&man);
    }
}

/* A default is read by the row's own rules, so that one that is wrong would be an error of every
 * plan; and a sentence ends without a full stop, for those who write one behind it. */
static void rows_are_well_formed(void **state)
{
    (void)state;
    static const struct setting *const tables[] = {
        plan_rows,  connections_rows, http_rows,     tls_rows,     scenario_rows,
        stage_rows, task_rows,        step_rows,     service_rows, feeder_rows,
        rule_rows,  objective_rows,   threshold_rows};
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        for (const struct setting *row = tables[i]; row->name; row++) {
            assert_non_null(row->sentence);
            assert_int_not_equal(row->sentence[strlen(row->sentence) - 1], '.');
            assert_true(row->most <= 0 || row->least <= row->most);
            assert_int_equal(row->type == SETTING_CUSTOM, row->custom != NULL);
            assert_int_equal(row->type == SETTING_CHOICE, row->words != NULL);
            assert_int_equal(row->type == SETTING_SECTION, row->section != NULL);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(schema_has_every_row),
        cmocka_unit_test(schema_refers_to_what_it_has),
        cmocka_unit_test(schema_has_verbs_and_patterns),
        cmocka_unit_test(help_has_every_row),
        cmocka_unit_test(rows_are_well_formed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
