/* Writes a report page and its JSON of each kind of run of the fixture into a directory, for the
 * test that opens them in a browser: report_pages DIRECTORY. */
#include "show/fixture.h"

#include "plug/writer/writer_list.h"

#include <errno.h>

static int write_file(const char *directory, const char *name, const char *end,
                      const struct text *bytes)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s.%s", directory, name, end);
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(bytes->at, 1, bytes->bytes, file) != bytes->bytes || fclose(file) != 0) {
        fprintf(stderr, "report_pages: %s: %s\n", path, strerror(errno));
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}

static int write_one(const char *directory, enum fixture_kind kind)
{
    const struct show_options options = {.columns = 80, .run_path = "runs/fixture.plim"};
    const struct writer *writers[] = {&writer_html, &writer_json};
    static const char *const ends[] = {"html", "json"};
    struct result *result = fixture_result(kind);
    int failed = EXIT_SUCCESS;
    for (size_t i = 0; i < 2 && !failed; i++) {
        struct text out = TEXT_EMPTY;
        failed = writers[i]->write(result, &options, &out) ||
                 write_file(directory, fixture_names[kind], ends[i], &out);
        text_fini(&out);
    }
    result_free(result);
    return failed;
}

int main(int argc, char **argv)
{
    int failed = argc == 2 ? EXIT_SUCCESS : EXIT_FAILURE;
    if (failed)
        fprintf(stderr, "usage: report_pages DIRECTORY\n");
    for (int kind = 0; kind < FIXTURE_KINDS && !failed; kind++)
        failed = write_one(argv[1], (enum fixture_kind)kind);
    return failed;
}
