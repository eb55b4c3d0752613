/* host/file.c - files of /proc have no size, so they are read until they end. */
#include "host/file.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

enum { MOST_BYTES = 4 << 20, STEP_BYTES = 16 << 10 };

uint64_t host_growth(uint64_t before, uint64_t after)
{
    if (!host_known(before) || !host_known(after) || after < before)
        return HOST_UNKNOWN;
    return after - before;
}

double host_rate(uint64_t before, uint64_t after, nsec_t elapsed_ns)
{
    uint64_t growth = host_growth(before, after);
    if (!host_known(growth) || elapsed_ns <= 0)
        return NAN;
    return (double)growth / ((double)elapsed_ns / (double)NSEC_PER_SEC);
}

static int read_all(int file, struct text *out)
{
    while (out->bytes < MOST_BYTES) {
        text_reserve(out, out->bytes + STEP_BYTES);
        ssize_t got = read(file, out->at + out->bytes, STEP_BYTES - 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return HOST_NOT_KNOWN;
        if (got == 0)
            break;
        out->bytes += (size_t)got;
        out->at[out->bytes] = '\0';
    }
    return 0;
}

int host_read(const char *root, const char *path, struct text *out)
{
    struct text whole = TEXT_EMPTY;
    text_puts(&whole, strcmp(root, "/") == 0 ? "" : root);
    text_puts(&whole, path);
    text_clear(out);
    int file = open(whole.at, O_RDONLY | O_CLOEXEC);
    text_fini(&whole);
    if (file < 0)
        return HOST_NOT_KNOWN;
    int rc = read_all(file, out);
    close(file);
    if (rc != 0)
        text_clear(out);
    return rc;
}

uint64_t host_read_number(const char *root, const char *path)
{
    struct text bytes = TEXT_EMPTY;
    uint64_t number = HOST_UNKNOWN;
    if (host_read(root, path, &bytes) == 0)
        number = host_number(span_trim(text_span(&bytes)));
    text_fini(&bytes);
    return number;
}

struct span host_line(struct span *rest)
{
    const char *end = rest->bytes ? memchr(rest->at, '\n', rest->bytes) : NULL;
    struct span line = {.at = rest->at, .bytes = end ? (size_t)(end - rest->at) : rest->bytes};
    size_t taken = line.bytes + (end != NULL);
    if (taken > 0)
        rest->at += taken;
    rest->bytes -= taken;
    return line;
}

static bool blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

struct span host_word(struct span *rest)
{
    while (rest->bytes > 0 && blank(rest->at[0])) {
        rest->at++;
        rest->bytes--;
    }
    struct span word = {.at = rest->at, .bytes = 0};
    while (rest->bytes > 0 && !blank(rest->at[0])) {
        word.bytes++;
        rest->at++;
        rest->bytes--;
    }
    return word;
}

uint64_t host_number(struct span word)
{
    size_t digits = 0;
    while (digits < word.bytes && word.at[digits] >= '0' && word.at[digits] <= '9')
        digits++;
    if (digits < word.bytes && !blank(word.at[digits]) && word.at[digits] != '\n')
        return HOST_UNKNOWN;
    uint64_t number;
    word.bytes = digits;
    if (digits == 0 || span_uint(word, &number) != 0)
        return HOST_UNKNOWN;
    return number;
}

uint64_t host_value(struct span text, const char *key)
{
    while (text.bytes > 0) {
        struct span line = host_line(&text);
        struct span word = host_word(&line);
        if (word.bytes > 0 && word.at[word.bytes - 1] == ':')
            word.bytes--;
        if (span_equal(word, span_of(key)))
            return host_number(host_word(&line));
    }
    return HOST_UNKNOWN;
}

/* Takes the decimal at the front. */
static bool take_number(struct span *rest, uint64_t *number)
{
    struct span digits = {.at = rest->at, .bytes = 0};
    while (rest->bytes > 0 && rest->at[0] >= '0' && rest->at[0] <= '9') {
        digits.bytes++;
        rest->at++;
        rest->bytes--;
    }
    return digits.bytes > 0 && digits.bytes < 10 && span_uint(digits, number) == 0;
}

static bool take_byte(struct span *rest, char byte)
{
    if (rest->bytes == 0 || rest->at[0] != byte)
        return false;
    rest->at++;
    rest->bytes--;
    return true;
}

uint64_t host_list_count(struct span list)
{
    uint64_t count = 0;
    list = span_trim(list);
    do {
        uint64_t first, last;
        if (!take_number(&list, &first))
            return HOST_UNKNOWN;
        last = first;
        if (take_byte(&list, '-') && !take_number(&list, &last))
            return HOST_UNKNOWN;
        if (last < first)
            return HOST_UNKNOWN;
        count += last - first + 1;
    } while (take_byte(&list, ','));
    return list.bytes == 0 ? count : HOST_UNKNOWN;
}
