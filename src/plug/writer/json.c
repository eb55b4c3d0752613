/* The whole run as one JSON document; its shape is doc/summary.schema.json. */
#include "plug/writer/writer_list.h"
#include "show/document.h"

#include <errno.h>

static int append(const char *bytes, size_t count, void *out)
{
    text_put(out, (struct span){.at = bytes, .bytes = count});
    return 0;
}

static int write_json(const struct result *result, const struct show_options *options,
                      struct text *out)
{
    json_t *document = document_new(result, options);
    int error = json_dump_callback(document, append, out, JSON_INDENT(1) | JSON_REAL_PRECISION(15));
    json_decref(document);
    text_putc(out, '\n');
    return error ? -ENOMEM : 0;
}

const struct writer writer_json = {
    .name = "json",
    .file = "summary.json",
    .sentence = "everything, for programs; schema in doc/summary.schema.json",
    .write = write_json,
};
