/* Plans: whatever is written, either a plan or at least one error with words, and both can be
 * shown. */
#include "../unit/plan/words.h"
#include "plan/read.h"
#include "target.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    char *text = calloc(count + 1, 1);
    char *const environment[] = {(char[]){"TOKEN=secret"}, NULL};
    struct plan_source source = {
        .file = "fuzz.yaml", .text = text, .environment = environment, .dotenv = NULL};
    struct plan_reading reading = {.plan = NULL};
    struct text shown = TEXT_EMPTY;
    if (count)
        memcpy(text, bytes, count);
    int error = plan_read(&source, &test_words, &reading);
    check(error <= 0);
    if (error == 0) {
        check((reading.plan == NULL) == (reading.notes.errors > 0));
        notes_write(&reading.notes, text, &shown);
        check(reading.notes.count == 0 || shown.bytes > 0);
        if (reading.plan)
            plan_explain(&reading, true, &shown);
    }
    plan_reading_fini(&reading);
    text_fini(&shown);
    free(text);
    return 0;
}
