/* Runs a fuzz target without libFuzzer: first each file of the corpora, then so many mutations of
 * them, the same every time.
 *
 *   fuzz_NAME [-MUTATIONS] DIRECTORY|FILE...
 *
 * The inputs are tried in a child process, which says by a shared counter where it is. When it dies
 * or hangs, the parent makes the same input again and leaves it in a file. */
#include "base/memory.h"
#include "base/random.h"
#include "base/text.h"
#include "target.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST_FILE_BYTES = 1 << 18, PATIENCE_S = 100, STEPS = 6 };

struct corpus {
    struct text *inputs;
    size_t count;
};

static void add_file(struct corpus *corpus, const char *path)
{
    FILE *file = fopen(path, "rb");
    struct text input = TEXT_EMPTY;
    if (!file) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        exit(2);
    }
    text_reserve(&input, MOST_FILE_BYTES);
    input.bytes = fread(input.at, 1, MOST_FILE_BYTES, file);
    fclose(file);
    corpus->inputs = memory_resize(corpus->inputs, corpus->count + 1, sizeof *corpus->inputs);
    corpus->inputs[corpus->count++] = input;
}

static void add_path(struct corpus *corpus, const char *path)
{
    struct dirent **names;
    struct stat what;
    if (stat(path, &what) == 0 && !S_ISDIR(what.st_mode)) {
        add_file(corpus, path);
        return;
    }
    int count = scandir(path, &names, NULL, alphasort);
    if (count < 0) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        exit(2);
    }
    for (int i = 0; i < count; i++) {
        struct text whole = TEXT_EMPTY;
        text_printf(&whole, "%s/%s", path, names[i]->d_name);
        if (stat(whole.at, &what) == 0 && S_ISREG(what.st_mode))
            add_file(corpus, whole.at);
        text_fini(&whole);
        free(names[i]);
    }
    free(names);
}

/* ---- mutations ------------------------------------------------------------------------------- */

static uint64_t below(struct random *random, uint64_t limit)
{
    return random_below_of(random_next(random), limit ? limit : 1);
}

static struct span span_from(const struct text *text, size_t at, size_t bytes)
{
    return (struct span){.at = text->at + at, .bytes = bytes};
}

/* Replaces the bytes from..to by others. */
static void splice(struct text *input, size_t from, size_t to, struct span others)
{
    struct text made = TEXT_EMPTY;
    text_put(&made, span_from(input, 0, from));
    text_put(&made, others);
    text_put(&made, span_from(input, to, input->bytes - to));
    text_fini(input);
    *input = made;
}

static void mutate(const struct corpus *corpus, struct random *random, struct text *input)
{
    static const struct span words[] = {{"\r\n", 2},
                                        {"\n", 1},
                                        {"\0", 1},
                                        {"\xff", 1},
                                        {"0", 1},
                                        {"-1", 2},
                                        {"{{", 2},
                                        {"}}", 2},
                                        {"[", 1},
                                        {"]", 1},
                                        {"{", 1},
                                        {"}", 1},
                                        {"\"", 1},
                                        {"\\u", 2},
                                        {"\\", 1},
                                        {": ", 2},
                                        {".", 1},
                                        {"%", 1},
                                        {"9999999999999999999", 19},
                                        {"\x80\x80", 2},
                                        {"  ", 2},
                                        {"1e309", 5},
                                        {"${", 2},
                                        {"/", 1}};
    text_reserve(input, 1);
    size_t at = (size_t)below(random, input->bytes + 1);
    size_t length = (size_t)below(random, 1 + (input->bytes - at < 16 ? input->bytes - at : 16));
    struct text copy = TEXT_EMPTY;
    switch (below(random, 7)) {
    case 0: /* a bit */
        if (at < input->bytes)
            input->at[at] = (char)(input->at[at] ^ (1 << below(random, 8)));
        break;
    case 1: /* a byte */
        if (at < input->bytes)
            input->at[at] = (char)below(random, 256);
        break;
    case 2: /* something missing */
        splice(input, at, at + length, SPAN(""));
        break;
    case 3: /* something twice */
        text_put(&copy, span_from(input, at, length));
        splice(input, at, at, text_span(&copy));
        break;
    case 4: /* a word that matters */
        splice(input, at, at + length / 2, words[below(random, sizeof words / sizeof *words)]);
        break;
    case 5: /* the end missing */
        splice(input, at, input->bytes, SPAN(""));
        break;
    default: { /* a piece of another */
        const struct text *other = &corpus->inputs[below(random, corpus->count)];
        size_t begin = (size_t)below(random, other->bytes + 1);
        splice(input, at, at + length,
               span_from(other, begin, (size_t)below(random, other->bytes - begin + 1)));
    }
    }
    text_fini(&copy);
}

/* The input of this number: a file as it is, or one that was changed in a few places. */
static struct text make_input(const struct corpus *corpus, uint64_t number)
{
    struct random random = {.key = random_key(1, "fuzz", number)};
    bool whole = number < corpus->count;
    struct text input = TEXT_EMPTY;
    text_put(&input, text_span(&corpus->inputs[whole ? number : below(&random, corpus->count)]));
    for (uint64_t steps = whole ? 0 : 1 + below(&random, STEPS); steps > 0; steps--)
        mutate(corpus, &random, &input);
    return input;
}

/* ---- trying ---------------------------------------------------------------------------------- */

/* The target gets memory of just its size, so that a sanitizer sees reading beyond it. */
static void try_input(struct span input)
{
    uint8_t *exact = malloc(input.bytes ? input.bytes : 1);
    if (input.bytes)
        memcpy(exact, input.at, input.bytes);
    LLVMFuzzerTestOneInput(exact, input.bytes);
    free(exact);
}

static void free_corpus(struct corpus *corpus)
{
    for (size_t i = 0; i < corpus->count; i++)
        text_fini(&corpus->inputs[i]);
    free(corpus->inputs);
}

static _Noreturn void try_all(struct corpus *corpus, uint64_t count, _Atomic uint64_t *at)
{
    alarm(PATIENCE_S);
    for (uint64_t number = 0; number < count; number++) {
        atomic_store(at, number);
        struct text input = make_input(corpus, number);
        try_input(text_span(&input));
        text_fini(&input);
    }
    atomic_store(at, count);
    free_corpus(corpus);
    exit(0); /* through the leak check of a sanitizer */
}

static int report(const char *program, const struct corpus *corpus, uint64_t number, int status)
{
    struct text path = TEXT_EMPTY, input = make_input(corpus, number);
    text_printf(&path, "%s.crash", program);
    FILE *file = fopen(path.at, "wb");
    if (file) {
        fwrite(text_span(&input).at, 1, input.bytes, file);
        fclose(file);
    }
    fprintf(stderr, "%s: input %llu %s; it is in %s\n", program, (unsigned long long)number,
            WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM ? "or those before it took too long"
                                                               : "ended the process",
            path.at);
    text_fini(&path);
    text_fini(&input);
    return 1;
}

int main(int count, char **words)
{
    struct corpus corpus = {.inputs = NULL};
    uint64_t mutations = 0;
    for (int i = 1; i < count; i++) {
        if (words[i][0] == '-')
            mutations = strtoull(words[i] + 1, NULL, 10);
        else
            add_path(&corpus, words[i]);
    }
    if (corpus.count == 0) {
        fprintf(stderr, "%s: no inputs\n", words[0]);
        return 2;
    }
    _Atomic uint64_t *at =
        mmap(NULL, sizeof *at, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    uint64_t all = corpus.count + mutations;
    int status = 0;
    pid_t child = fork();
    if (child == 0)
        try_all(&corpus, all, at);
    if (child < 0 || waitpid(child, &status, 0) < 0)
        return 2;
    uint64_t reached = atomic_load(at);
    int result = status == 0 && reached == all ? 0 : 1;
    if (result && reached < all)
        result = report(words[0], &corpus, reached, status);
    printf("%zu files, %llu mutations: %s\n", corpus.count, (unsigned long long)mutations,
           result ? "failed" : "fine");
    free_corpus(&corpus);
    return result;
}
