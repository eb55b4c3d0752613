/* Parts of replies; see reply_part.h. */
#include "plug/driver/reply_part.h"

#include <string.h>

bool reply_part_compile(const char *words, struct json_path *path, const char *name,
                        struct notes *notes)
{
    size_t at = 0;
    const char *why = "";
    if (json_path_compile(span_of(words), path, &at, &why) == 0)
        return true;
    notes_error(notes, "%s: \"%s\" is no path in a reply: at %zu, %s", name, words, at, why);
    return false;
}

bool reply_part_keep(struct text *kept, struct span bytes, size_t most)
{
    size_t room = kept->bytes < most ? most - kept->bytes : 0;
    bool fits = bytes.bytes <= room;
    bytes.bytes = fits ? bytes.bytes : room;
    text_put(kept, bytes);
    return fits;
}

uint8_t reply_part_show(struct span words, char *shown, uint8_t room)
{
    size_t bytes = words.bytes < room ? words.bytes : room;
    while (bytes < words.bytes && bytes && ((unsigned char)words.at[bytes] & 0xc0) == 0x80)
        bytes--; /* not in the middle of a character */
    if (bytes)
        memcpy(shown, words.at, bytes);
    return (uint8_t)bytes;
}
