/* The page draws itself from the results as they stand in scalability_results.json. */
#include "plug/suite_page.h"

#include "plug/writer/page.h"
#include "show/suite_document.h"

int suite_page(const struct suite *suite, struct text *out)
{
    json_t *document = suite_document(suite);
    int error = page_write(document, out);
    json_decref(document);
    return error;
}
