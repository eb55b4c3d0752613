/* No parser of HTML: error pages of servers and proxies are a title and a sentence between tags,
 * and only their first bytes are kept. */
#include "wire/plain.h"

#include <string.h>

/* Whether the rest begins with the tag "<name". */
static bool begins_tag(struct span rest, const char *name)
{
    size_t bytes = strlen(name);
    return rest.bytes > bytes &&
           span_equal_nocase((struct span){rest.at + 1, bytes}, (struct span){name, bytes});
}

/* Where a stretch ends that begins at a "<": behind its end mark, or at the end of all. */
static size_t skip(struct span rest)
{
    static const struct {
        const char *begin, *end;
    } stretches[] = {{"!--", "-->"}, {"style", "</style>"}, {"script", "</script>"}, {"", ">"}};
    size_t kind = 0;
    while (!begins_tag(rest, stretches[kind].begin) && stretches[kind].begin[0])
        kind++;
    size_t bytes = strlen(stretches[kind].end);
    for (size_t i = 1; i + bytes <= rest.bytes; i++)
        if (span_equal_nocase((struct span){rest.at + i, bytes}, span_of(stretches[kind].end)))
            return i + bytes;
    return rest.bytes;
}

static bool continues(char byte)
{
    return ((unsigned char)byte & 0xc0) == 0x80;
}

static size_t write_words(struct span body, bool page, char *out, size_t room)
{
    size_t written = 0, i = 0;
    bool blank = false;
    while (i < body.bytes && written + 2 < room) {
        unsigned char byte = (unsigned char)body.at[i];
        bool tag = page && byte == '<';
        if (tag || byte <= ' ' || byte == 0x7f) {
            blank = true;
            i += tag ? skip((struct span){body.at + i, body.bytes - i}) : 1;
            continue;
        }
        if (blank && written)
            out[written++] = ' ';
        blank = false;
        out[written++] = body.at[i++];
    }
    if (i < body.bytes && continues(body.at[i])) { /* no half of a character, where it is cut */
        while (written && continues(out[written - 1]))
            written--;
        written -= written > 0;
    }
    out[written] = '\0';
    return written;
}

void plain_words(struct span body, char *out, size_t room)
{
    struct span trimmed = span_trim(body);
    bool page = trimmed.bytes && trimmed.at[0] == '<';
    if (write_words(trimmed, page, out, room) == 0 && page)
        write_words(trimmed, false, out, room);
}
