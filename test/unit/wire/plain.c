/* Bodies of errors as people read them; the pages are those that these servers send. */
#include "wire/plain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void wants(const char *body, const char *wanted)
{
    char out[60];
    plain_words(span_of(body), out, sizeof out);
    assert_string_equal(out, wanted);
}

static void pages_become_their_words(void **unused)
{
    (void)unused;
    wants("<html>\r\n<head><title>404 Not Found</title></head>\r\n<body>\r\n<center><h1>404 Not "
          "Found</h1></center>\r\n<hr><center>nginx/1.22.1</center>\r\n</body>\r\n</html>\r\n",
          "404 Not Found 404 Not Found nginx/1.22.1");
    wants("<!DOCTYPE HTML>\n<html lang=\"en\">\n    <head>\n        <meta charset=\"utf-8\">\n"
          "        <title>Error response</title>\n    </head>\n    <body>\n        <h1>Error resp",
          "Error response Error resp"); /* of Python's http.server, cut off */
    wants("<html><body><h1>503 Service Unavailable</h1>\nNo server is available to handle this "
          "request.\n</body></html>\n",
          "503 Service Unavailable No server is available to handle t");
    wants("<!-- a page --><STYLE>h1 { color: red }</Style><h1>Oops</h1><scr", "Oops");
    wants("<br>", "<br>");
}

static void other_words_become_one_line(void **unused)
{
    (void)unused;
    wants("", "");
    wants(" \n", "");
    wants("no free slot\r\n", "no free slot");
    wants("{\n  \"error\": \"a < b\"\n}\n", "{ \"error\": \"a < b\" }");
}

/* Cut before a character that would be cut in two. */
static void cut_at_a_character(void **unused)
{
    (void)unused;
    char body[100] = "x", out[60];
    while (strlen(body) < 80)
        strncat(body, "\xc3\xa4", sizeof body - strlen(body) - 1);
    for (size_t room = 10; room < 16; room++) {
        plain_words(span_of(body), out, room);
        assert_true(strlen(out) < room && strlen(out) % 2 == 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_become_their_words),
        cmocka_unit_test(other_words_become_one_line),
        cmocka_unit_test(cut_at_a_character),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
