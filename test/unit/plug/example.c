/* Every example is a plan that the program takes, with the real words of all plug-ins. */
#include "plug/list.h"

#include "plan/read.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { EXAMPLES_LEAST = 8 };

static int is_plan(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');
    return dot && strcmp(dot, ".yaml") == 0;
}

static void read_example(const char *name, const struct vocabulary *vocabulary)
{
    struct plan_reading reading;
    struct text path = TEXT_EMPTY, words = TEXT_EMPTY, course = TEXT_EMPTY;
    text_printf(&path, "%s/example/%s", TEST_ROOT, name);
    struct plan_source source = {.file = path.at};
    assert_int_equal(plan_read(&source, vocabulary, &reading), 0);
    notes_write(&reading.notes, reading.text, &words);
    if (reading.notes.count)
        print_error("%s", words.at);
    assert_int_equal(reading.notes.count, 0);
    assert_non_null(reading.plan);
    assert_true(plan_duration(reading.plan) <= 180 * NSEC_PER_SEC);
    plan_explain(&reading, true, &course);
    assert_non_null(strstr(course.at, reading.plan->name));
    plan_reading_fini(&reading);
    text_fini(&path);
    text_fini(&words);
    text_fini(&course);
}

static void reads_every_example(void **state)
{
    (void)state;
    struct plug_list plugs;
    struct dirent **names = NULL;
    plug_list_init(&plugs);
    int count = scandir(TEST_ROOT "/example", &names, is_plan, alphasort);
    assert_true(count >= EXAMPLES_LEAST);
    for (int i = 0; i < count; i++) {
        read_example(names[i]->d_name, &plugs.vocabulary);
        free(names[i]);
    }
    free(names);
    plug_list_fini(&plugs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(reads_every_example)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
