/* Malformed plans, and exactly what is said about each: test/golden/plans/NAME.yaml and NAME.txt.
 *
 * With PLIMSOLL_GOLDEN=write in the environment the texts are written anew, to be looked at. */
#include "words.h"

#include <dirent.h>
#include <unistd.h>

enum { PLANS_LEAST = 20 };

static char *read_whole(const char *path)
{
    struct text out = TEXT_EMPTY;
    FILE *file = fopen(path, "rb");
    char block[4096];
    size_t got;
    if (!file)
        return NULL;
    while ((got = fread(block, 1, sizeof block, file)) > 0)
        text_put(&out, (struct span){block, got});
    fclose(file);
    return text_take(&out);
}

static void write_whole(const char *path, const char *words)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    fputs(words, file);
    fclose(file);
}

/* What the reader says, with the line that the program ends it with. Owner: caller. */
static char *say(const char *file)
{
    struct plan_source source = {.file = file};
    struct plan_reading reading;
    assert_int_equal(plan_read(&source, &test_words, &reading), 0);
    assert_null(reading.plan);
    assert_true(reading.notes.errors > 0);
    struct text out = TEXT_EMPTY;
    notes_write(&reading.notes, reading.text, &out);
    text_printf(&out, "%zu error%s in %s; nothing was sent.\n", reading.notes.errors,
                reading.notes.errors == 1 ? "" : "s", file);
    plan_reading_fini(&reading);
    return text_take(&out);
}

static int is_plan(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');
    return dot && strcmp(dot, ".yaml") == 0;
}

static void says_exactly_what_is_wrong(void **state)
{
    (void)state;
    struct dirent **names = NULL;
    assert_int_equal(chdir(TEST_ROOT "/test/golden/plans"), 0);
    const char *mode = getenv("PLIMSOLL_GOLDEN");
    int count = scandir(".", &names, is_plan, alphasort), wrong = 0;
    assert_true(count >= PLANS_LEAST);
    for (int i = 0; i < count; i++) {
        char expected_file[300];
        snprintf(expected_file, sizeof expected_file, "%.*s.txt",
                 (int)(strlen(names[i]->d_name) - 5), names[i]->d_name);
        char *said = say(names[i]->d_name);
        if (mode && strcmp(mode, "write") == 0)
            write_whole(expected_file, said);
        char *expected = read_whole(expected_file);
        if (!expected || strcmp(said, expected) != 0) {
            print_error("%s: expected\n%s\nbut it was\n%s\n", names[i]->d_name,
                        expected ? expected : "(nothing)", said);
            wrong++;
        }
        free(said);
        free(expected);
        free(names[i]);
    }
    free(names);
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(says_exactly_what_is_wrong)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
