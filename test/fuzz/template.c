/* Templates: each either compiles, and then renders the same bytes twice, or says what is wrong
 * within its words. */
#include "plan/template.h"
#include "base/memory.h"
#include "plan/symbol.h"
#include "target.h"

#include <stdlib.h>
#include <string.h>

static struct symbols some_symbols(void)
{
    struct symbols symbols = {.items = NULL};
    struct symbol *symbol = symbols_add(&symbols, SPAN("host"), SYMBOL_CONSTANT);
    symbol->constant = memory_copy_text("h\"\xc3\xa9/\n");
    symbols_add(&symbols, SPAN("id"), SYMBOL_CAPTURE);
    symbols_add(&symbols, SPAN("people.name"), SYMBOL_FEEDER);
    return symbols;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    struct symbols symbols = some_symbols();
    struct notes notes = {.items = NULL};
    struct note place = {.file = (char[]){"x"}, .line = 1, .column = 1};
    struct span words = {.at = (const char *)bytes, .bytes = count};
    struct template *template = template_compile(words, &symbols, &place, &notes);
    check((template == NULL) == (notes.errors > 0));
    if (template) {
        struct span *slots = memory_new(symbols.slots, sizeof *slots);
        struct text first = TEXT_EMPTY, second = TEXT_EMPTY;
        for (size_t i = 0; i < symbols.slots; i++)
            slots[i] = i % 3 ? SPAN("v\"\\\x80\n ") : (struct span){.at = NULL, .bytes = 0};
        template_render(template, slots, &first);
        template_render(template, slots, &second);
        check(span_equal(text_span(&first), text_span(&second)));
        struct span constant = template_constant(template);
        check(!constant.at || span_equal(constant, text_span(&first)));
        text_fini(&first);
        text_fini(&second);
        free(slots);
    }
    template_free(template);
    notes_fini(&notes);
    symbols_fini(&symbols);
    return 0;
}
