/* Rows out of CSV and JSONL. */
#include "plan/feeder.h"
#include "words.h"

static void forget(struct plan_feeder *feeder)
{
    for (size_t i = 0; i < feeder->column_count; i++)
        free(feeder->columns[i]);
    free(feeder->columns);
    free(feeder->cells);
    free(feeder->bytes);
}

/* All of a feeder in one line: "id,name:1|Ada;2|Bob". Owner: caller. */
static char *flatten(const struct plan_feeder *feeder)
{
    struct text out = TEXT_EMPTY;
    for (size_t i = 0; i < feeder->column_count; i++)
        text_printf(&out, "%s%s", i ? "," : "", feeder->columns[i]);
    for (size_t i = 0; i < feeder->row_count; i++) {
        text_putc(&out, i ? ';' : ':');
        for (size_t j = 0; j < feeder->column_count; j++) {
            text_puts(&out, j ? "|" : "");
            text_put(&out, feeder->cells[i * feeder->column_count + j]);
        }
    }
    return text_take(&out);
}

struct rows {
    const char *bytes, *expected; /* expected NULL: refused at line and column */
    unsigned line, column;
};

static void check_rows(const struct rows *rows, size_t count, bool csv)
{
    for (size_t i = 0; i < count; i++) {
        struct plan_feeder feeder = {0};
        struct feed_error error = {0};
        size_t bytes = strlen(rows[i].bytes);
        int rc;
        if (csv) {
            feeder.bytes = memory_new(bytes + 1, 1); /* just so long: overruns are seen */
            memcpy(feeder.bytes, rows[i].bytes, bytes);
            rc = csv_read(feeder.bytes, bytes, &feeder, &error);
        } else {
            rc = jsonl_read(rows[i].bytes, bytes, &feeder, &error);
        }
        if (rows[i].expected) {
            if (rc)
                print_error("%s: %s\n", rows[i].bytes, error.why);
            assert_int_equal(rc, 0);
            char *all = flatten(&feeder);
            assert_string_equal(all, rows[i].expected);
            free(all);
        } else {
            assert_int_equal(rc, FEED_BAD);
            assert_true(error.why[0]);
            assert_int_equal(error.line, rows[i].line);
            assert_int_equal(error.column, rows[i].column);
        }
        forget(&feeder);
    }
}

static void reads_csv(void **state)
{
    (void)state;
    static const struct rows rows[] = {
        {"id,name\n1,Ada\n2,Bob\n", "id,name:1|Ada;2|Bob", 0, 0},
        {"id,name\r\n1,Ada\r\n2,Bob", "id,name:1|Ada;2|Bob", 0, 0},
        {"\xEF\xBB\xBF"
         "a\nx\n",
         "a:x", 0, 0},
        {"a,b\n\"x,y\",\"say \"\"hi\"\"\"\n", "a,b:x,y|say \"hi\"", 0, 0},
        {"a,b\n\"two\nlines\",\"two\r\nmore\"\n", "a,b:two\nlines|two\r\nmore", 0, 0},
        {"a,b\n,\n", "a,b:|", 0, 0},
        {"a\n\n\nx\n\n", "a:x", 0, 0},
        {"a\n\"\"\nx\n", "a:;x", 0, 0},
        {"\"a b\", c \n1, 2 \n", "a b,c:1| 2 ", 0, 0},
        {"a\n", "a", 0, 0},
        {"", NULL, 1, 1},
        {"a,b\n1\n", NULL, 2, 1},
        {"a,b\n1,2\n1,2,3\n", NULL, 3, 1},
        {"a,a\n", NULL, 1, 4},
        {"a,\n", NULL, 1, 3},
        {"a\n\"x\n", NULL, 2, 1},
        {"a,b\n1,\"x\"y\n", NULL, 2, 6},
        {"a,b\n1,x\"y\n", NULL, 2, 4},
        {"a,b\n\"one\ntwo\",x\n3\n", NULL, 4, 1}, /* lines of the file, not rows */
    };
    check_rows(rows, sizeof rows / sizeof *rows, true);
}

static void reads_jsonl(void **state)
{
    (void)state;
    static const struct rows rows[] = {
        {"\"a\"\n\"b\\n\"\n", "value:a;b\n", 0, 0},
        {"1\n2.5\n", "value:1;2.5", 0, 0},
        {"{\"id\":1,\"t\":\"x\"}\r\n\n{\"t\":\"y\",\"id\":2}", "id,t:1|x;2|y", 0, 0},
        {"{\"a\":{\"b\":[1,2]},\"n\":null}\n", "a,n:{\"b\":[1,2]}|", 0, 0},
        {"", NULL, 1, 1},
        {"{\"a\":1}\n{\"b\":1}\n", NULL, 2, 1},
        {"{\"a\":1}\n\"b\"\n", NULL, 2, 1},
        {"{\"a\":1}\n\n{\"a\":}\n", NULL, 3, 6},
        {"{}\n", NULL, 1, 1},
    };
    check_rows(rows, sizeof rows / sizeof *rows, false);
}

/* A feeder in a plan: one column is .next too; cells are what templates get. */
static void feeds_a_plan(void **state)
{
    (void)state;
    struct plan_reading reading = test_read(
        "target: http://h\n"
        "data:\n"
        "  people: { values: [{ id: 1, name: Ada }, { name: Bob, id: 2 }], order: unique }\n"
        "  words: { values: [a, b, c], order: random }\n"
        "scenarios:\n"
        "  a:\n"
        "    vus: 1\n"
        "    duration: 1s\n"
        "    tasks: [{ get: \"/{{ people.name }}/{{ words.next }}\" }]\n",
        NULL);
    test_accepted(&reading);
    const struct plan *plan = reading.plan;
    assert_int_equal(plan->feeder_count, 2);
    assert_int_equal(plan->feeders[0].order, FEED_UNIQUE);
    assert_int_equal(plan->feeders[0].row_count, 2);
    char *all = flatten(&plan->feeders[0]);
    assert_string_equal(all, "id,name:1|Ada;2|Bob");
    free(all);
    const struct symbols *symbols = &plan->scenarios[0].symbols;
    size_t used = 0;
    for (size_t i = 0; i < symbols->count; i++)
        used += symbols->items[i].slot != SLOT_NONE;
    assert_int_equal(used, 2);
    assert_int_equal(symbols->slots, 2);
    plan_reading_fini(&reading);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(reads_csv), cmocka_unit_test(reads_jsonl),
                                       cmocka_unit_test(feeds_a_plan)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
