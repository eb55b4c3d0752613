/* URLs: what is read lies within the words; a redirect to anywhere, from a URL that was read, can
 * be read again or is refused with a reason; what is percent-encoded may stand in a URL. The input
 * is a URL, a line feed, and a reference. */
#include "wire/url.h"
#include "base/text.h"
#include "target.h"

#include <string.h>

static void check_within(struct span inner, struct span outer)
{
    check(inner.bytes == 0 ||
          (inner.at >= outer.at && inner.at + inner.bytes <= outer.at + outer.bytes));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    const char *at = (const char *)bytes;
    const char *line = count ? memchr(at, '\n', count) : NULL;
    struct span words = {.at = at, .bytes = line ? (size_t)(line - at) : count};
    size_t skip = words.bytes + (line != NULL);
    struct span reference = {.at = at + skip, .bytes = count - skip};
    struct url url, other;
    const char *why = NULL;
    struct text joined = TEXT_EMPTY, encoded = TEXT_EMPTY;
    url_join(words, reference, &joined);
    if (url_read(words, &url, &why)) {
        check(why && why[0]);
    } else {
        check_within(url.scheme, words);
        check_within(url.user, words);
        check_within(url.host, words);
        check_within(url.path, words);
        check(url.host.bytes > 0 && (url.path.bytes == 0 || url.path.at[0] == '/'));
        check((url.port == 0) == url.unix_socket);
        if (url_read(text_span(&joined), &other, &why))
            check(why && why[0]);
        else
            check(other.path.bytes == 0 || other.path.at[0] == '/');
        text_clear(&joined);
        url_join(words, SPAN("/a/../b"), &joined);
        check(url_read(text_span(&joined), &other, &why) == 0);
        check(span_equal(other.path, SPAN("/b")) && span_equal(other.host, url.host));
        check(other.port == url.port && other.tls == url.tls);
    }
    text_puts(&encoded, "http://h/?");
    url_encode(reference, &encoded);
    check(url_read(text_span(&encoded), &other, &why) == 0);
    text_fini(&joined);
    text_fini(&encoded);
    return 0;
}
