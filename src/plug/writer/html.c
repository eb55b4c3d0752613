/* The report page of a run. */
#include "plug/writer/page.h"
#include "plug/writer/writer_list.h"
#include "show/document.h"

static int write_html(const struct result *result, const struct show_options *options,
                      struct text *out)
{
    json_t *document = document_new(result, options);
    int error = page_write(document, out);
    json_decref(document);
    return error;
}

const struct writer writer_html = {
    .name = "html",
    .file = "report.html",
    .sentence = "the report page: one file, no network",
    .write = write_html,
};
