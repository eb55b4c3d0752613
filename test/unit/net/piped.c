/* What is told of a child process that died: runtimes say why at different places of their last
 * words. The words below are what these runtimes print (Node 20, Python 3.11, Rust 1.70). */
#include "net/piped.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void wants(const char *said, const char *wanted)
{
    static struct piped child;
    char words[600];
    child = (struct piped){.status = 1 << 8, .said_bytes = strlen(said)};
    memcpy(child.said, said, child.said_bytes);
    assert_string_equal(piped_describe(&child, words, sizeof words), wanted);
}

static void the_line_that_names_the_error_is_told(void **unused)
{
    (void)unused;
    wants("node:internal/modules/cjs/loader:1080\n  throw err;\n  ^\n\n"
          "Error: Cannot find module '/srv/index.js'\n"
          "    at Module._resolveFilename (node:internal/modules/cjs/loader:1077:15)\n"
          "    at node:internal/main/run_main_module:23:47 {\n"
          "  code: 'MODULE_NOT_FOUND',\n  requireStack: []\n}\n\nNode.js v20.5.0\n",
          "the server process exited with status 1, saying: Error: Cannot find module "
          "'/srv/index.js' … Node.js v20.5.0");
    wants("Traceback (most recent call last):\n  File \"/srv/server.py\", line 3, in <module>\n"
          "    import missing\nModuleNotFoundError: No module named 'missing'\n",
          "the server process exited with status 1, saying: ModuleNotFoundError: No module named "
          "'missing'");
    wants("thread 'main' panicked at src/main.rs:2:5:\nno such folder\n"
          "note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace\n",
          "the server process exited with status 1, saying: thread 'main' panicked at "
          "src/main.rs:2:5: … note: run with `RUST_BACKTRACE=1` environment variable to display a "
          "backtrace");
}

static void without_one_the_first_and_the_last(void **unused)
{
    (void)unused;
    wants("", "the server process exited with status 1");
    wants("\n one \n\n", "the server process exited with status 1, saying: one");
    wants("usage: server FOLDER\n  -h  help\n",
          "the server process exited with status 1, saying: usage: server FOLDER … -h  help");
}

/* Of long last words the beginning is not kept, and the oldest that is was not the first. */
static void of_long_words_only_the_end(void **unused)
{
    (void)unused;
    char said[PIPED_SAID_BYTES + 1];
    for (size_t i = 0; i < PIPED_SAID_BYTES; i += 4)
        memcpy(said + i, "log\n", 4);
    memcpy(said + PIPED_SAID_BYTES - 4, "end", 4);
    said[PIPED_SAID_BYTES - 1] = '\n';
    said[PIPED_SAID_BYTES] = 0;
    wants(said, "the server process exited with status 1, saying: end");
}

/* A long line is cut before a character that would be cut in two. */
static void cut_at_a_character(void **unused)
{
    (void)unused;
    char said[300] = "fatal: ", wanted[300];
    while (strlen(said) < 200)
        strncat(said, "\xc3\xa4", sizeof said - strlen(said) - 1);
    strncat(said, "\nbye\n", sizeof said - strlen(said) - 1);
    snprintf(wanted, sizeof wanted, "the server process exited with status 1, saying: %.*s … bye",
             89, said);
    wants(said, wanted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_line_that_names_the_error_is_told),
        cmocka_unit_test(without_one_the_first_and_the_last),
        cmocka_unit_test(of_long_words_only_the_end),
        cmocka_unit_test(cut_at_a_character),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
