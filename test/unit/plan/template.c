/* Templates: what is written stands as written, holes take values, and nothing is allocated but the
 * growth of the output. */
#include "words.h"

static struct symbols known(void)
{
    struct symbols symbols = {0};
    symbols.items = memory_new(3, sizeof *symbols.items);
    symbols.count = 3;
    symbols.slots = 1;
    symbols.items[0] = (struct symbol){
        .name = memory_copy_text("id"), .kind = SYMBOL_CAPTURE, .slot = 0, .constant = NULL};
    symbols.items[1] = (struct symbol){.name = memory_copy_text("host"),
                                       .kind = SYMBOL_CONSTANT,
                                       .slot = SLOT_NONE,
                                       .constant = memory_copy_text("a \"b\"")};
    symbols.items[2] = (struct symbol){
        .name = memory_copy_text("prompts.next"), .kind = SYMBOL_FEEDER, .slot = SLOT_NONE};
    return symbols;
}

static void forget(struct symbols *symbols)
{
    for (size_t i = 0; i < symbols->count; i++) {
        free(symbols->items[i].name);
        free(symbols->items[i].constant);
    }
    free(symbols->items);
}

/* What the words render to with these values. Owner: caller; NULL: refused. */
static char *render(const char *words, const struct span *slots, struct notes *notes)
{
    struct symbols symbols = known();
    struct note place = {.file = (char *)"p.yaml", .line = 1, .column = 1};
    struct template *template = template_compile(span_of(words), &symbols, &place, notes);
    struct text out = TEXT_EMPTY;
    if (template)
        template_render(template, slots, &out);
    template_free(template);
    forget(&symbols);
    return notes->errors ? NULL : text_take(&out);
}

static void renders(void **state)
{
    (void)state;
    static const struct {
        const char *words, *expected;
    } cases[] = {
        {"", ""},
        {"plain { text } with } braces }}", "plain { text } with } braces }}"},
        {"/x/{{ id }}/y", "/x/7 \"é\n/y"},
        {"{{id}}{{ id }}", "7 \"é\n7 \"é\n"},
        {"{{ id | json }}", "7 \\\"é\\n"},
        {"{{ id | url }}", "7%20%22%C3%A9%0A"},
        {"{{ id|raw }}", "7 \"é\n"},
        {"{{ host }}!", "a \"b\"!"},
        {"{{ host | json }}", "a \\\"b\\\""},
        {"{{{{ id }}", "{{ id }}"},
        {"{{{{{{ id }}", "{{7 \"é\n"},
        {"{\"a\":{{ id }}}", "{\"a\":7 \"é\n}"},
        {"{{ prompts.next }}-{{ uuid }}", "P-"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct span slots[8] = {SPAN("7 \"é\n"), SPAN("P")};
        struct notes notes = {0};
        char *out = render(cases[i].words, slots, &notes);
        assert_non_null(out);
        assert_string_equal(out, cases[i].expected);
        free(out);
        notes_fini(&notes);
    }
}

static void refuses(void **state)
{
    (void)state;
    static const char *const cases[] = {"{{",
                                        "a {{ id",
                                        "{{ }}",
                                        "{{ ids }}",
                                        "{{ id | shout }}",
                                        "{{ random.int(3,1) }}",
                                        "{{ random.int(1) }}",
                                        "{{ random.hex(0) }}",
                                        "{{ random.hex(9999999) }}",
                                        "{{ uuid(1) }}",
                                        "{{ env.HOME }}",
                                        "{{ random.int(1,99999999999999999999999) }} {{ x"};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct span slots[8] = {{0}};
        struct notes notes = {0};
        assert_null(render(cases[i], slots, &notes));
        assert_true(notes.errors >= 1);
        notes_fini(&notes);
    }
}

static void gives_generators_slots(void **state)
{
    (void)state;
    struct symbols symbols = known();
    struct notes notes = {0};
    struct template *template = template_compile(
        SPAN("{{ random.int(-5, 6) }}{{ vu }}{{ random.int(-5, 6) }}{{ random.hex(8) }}"), &symbols,
        NULL, &notes);
    assert_non_null(template);
    assert_int_equal(symbols.slots, 4); /* id, and three: the same words are the same value */
    assert_int_equal(symbols.count, 6);
    assert_int_equal(symbols.items[3].generate, GENERATE_INT);
    assert_true(symbols.items[3].low == -5 && symbols.items[3].high == 6);
    assert_int_equal(symbols.items[2].slot, SLOT_NONE); /* the feeder is not named here */
    assert_null(template_constant(template).at);
    template_free(template);
    forget(&symbols);
}

static void knows_constants(void **state)
{
    (void)state;
    struct symbols symbols = known();
    struct notes notes = {0};
    struct template *template = template_compile(SPAN("x{{ host }}"), &symbols, NULL, &notes);
    assert_true(span_equal(template_constant(template), SPAN("xa \"b\"")));
    template_free(template);
    template = template_compile(SPAN(""), &symbols, NULL, &notes);
    assert_non_null(template_constant(template).at);
    assert_int_equal(template_constant(template).bytes, 0);
    template_free(template);
    forget(&symbols);
}

/* Rendering into a text with room moves no memory. */
static void renders_in_place(void **state)
{
    (void)state;
    struct symbols symbols = known();
    struct notes notes = {0};
    struct template *template =
        template_compile(SPAN("/{{ id | url }}/{{ id | json }}"), &symbols, NULL, &notes);
    struct text out = TEXT_EMPTY;
    struct span slots[] = {SPAN("a\"b c")};
    text_reserve(&out, 256);
    const char *before = out.at;
    for (int i = 0; i < 3; i++) {
        text_clear(&out);
        template_render(template, slots, &out);
        assert_string_equal(out.at, "/a%22b%20c/a\\\"b c");
        assert_ptr_equal(out.at, before);
    }
    text_fini(&out);
    template_free(template);
    forget(&symbols);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(renders),
        cmocka_unit_test(refuses),
        cmocka_unit_test(gives_generators_slots),
        cmocka_unit_test(knows_constants),
        cmocka_unit_test(renders_in_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
