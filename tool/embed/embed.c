/* Turns a file into a C array, so that a program carries it: embed NAME FILE OUT writes
 * `const unsigned char NAME[]` and `const size_t NAME_bytes`. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int copy(FILE *from, FILE *to, const char *name)
{
    size_t bytes = 0;
    fprintf(to, "#include <stddef.h>\nextern const unsigned char %s[];\n", name);
    fprintf(to, "extern const size_t %s_bytes;\nconst unsigned char %s[] = {", name, name);
    for (int byte = getc(from); byte != EOF; byte = getc(from), bytes++)
        fprintf(to, "%s%d,", bytes % 24 ? "" : "\n", byte);
    fprintf(to, "0};\nconst size_t %s_bytes = %zu;\n", name, bytes);
    return ferror(from) || ferror(to) ? EIO : 0;
}

static int complain(const char *path, int error)
{
    fprintf(stderr, "embed: %s: %s\n", path, strerror(error));
    return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: embed NAME FILE OUT\n");
        return EXIT_FAILURE;
    }
    FILE *from = fopen(argv[2], "rb");
    if (!from)
        return complain(argv[2], errno);
    FILE *to = fopen(argv[3], "wb");
    if (!to)
        return complain(argv[3], errno);
    int error = copy(from, to, argv[1]);
    fclose(from);
    if (fclose(to) != 0 && !error)
        error = errno;
    return error ? complain(argv[3], error) : EXIT_SUCCESS;
}
