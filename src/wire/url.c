/* URLs by RFC 3986: what a load test needs of them, said strictly, with the reason when refused. */
#include "wire/url.h"

#include <string.h>

/* ---- reading ----------------------------------------------------------------------------------
 */

static struct span span_from(struct span whole, size_t start)
{
    return (struct span){.at = whole.at + start, .bytes = whole.bytes - start};
}

static struct span span_to(struct span whole, size_t end)
{
    return (struct span){.at = whole.at, .bytes = end};
}

/* Where the first of these bytes is; the length when none is there. */
static size_t find_any(struct span whole, const char *stops)
{
    for (size_t i = 0; i < whole.bytes; i++) {
        if (whole.at[i] && strchr(stops, whole.at[i]))
            return i;
    }
    return whole.bytes;
}

static bool is_alpha(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

static bool is_hex(char byte)
{
    return is_digit(byte) || (byte >= 'a' && byte <= 'f') || (byte >= 'A' && byte <= 'F');
}

static int bad(const char **why, const char *words)
{
    *why = words;
    return URL_BAD;
}

static int read_scheme(struct span *rest, struct url *url, const char **why)
{
    size_t end = 0;
    while (end + 3 <= rest->bytes && memcmp(rest->at + end, "://", 3) != 0)
        end++;
    if (end + 3 > rest->bytes)
        return bad(why, "it has no scheme: begin it with http:// or https://");
    url->scheme = span_to(*rest, end);
    if (span_equal_nocase(url->scheme, SPAN("http")))
        url->port = 80;
    else if (span_equal_nocase(url->scheme, SPAN("https")))
        url->port = 443;
    else if (!span_equal_nocase(url->scheme, SPAN("http+unix")))
        return bad(why, "its scheme is none of http, https and http+unix");
    url->tls = url->port == 443;
    url->unix_socket = url->port == 0;
    *rest = span_from(*rest, end + 3);
    return 0;
}

static int read_port(struct span digits, struct url *url, const char **why)
{
    uint64_t port;
    if (digits.bytes == 0)
        return 0; /* "host:" means the scheme's own port (RFC 3986, 6.2.3) */
    if (span_uint(digits, &port) || port == 0 || port > UINT16_MAX)
        return bad(why, "its port is not a number from 1 to 65535");
    url->port = (uint16_t)port;
    return 0;
}

static int read_ipv6(struct span place, struct url *url, const char **why)
{
    size_t close = find_any(place, "]");
    if (close == place.bytes)
        return bad(why, "its IPv6 address has no closing bracket");
    url->host = span_from(span_to(place, close), 1);
    url->ipv6 = true;
    bool colon = false, zone = false;
    for (size_t i = 0; i < url->host.bytes; i++) {
        char byte = url->host.at[i];
        colon = colon || byte == ':';
        zone = zone || byte == '%'; /* what follows names an interface */
        if (!zone && !is_hex(byte) && byte != ':' && byte != '.')
            return bad(why, "what its brackets hold is not an IPv6 address");
        if (zone && !is_alpha(byte) && !is_digit(byte) && !strchr("%-._~", byte))
            return bad(why, "the zone of its IPv6 address has a character that may not be there");
    }
    if (!colon)
        return bad(why, "what its brackets hold is not an IPv6 address");
    struct span after = span_from(place, close + 1);
    if (after.bytes == 0)
        return 0;
    if (after.at[0] != ':')
        return bad(why, "something other than a port follows its IPv6 address");
    return read_port(span_from(after, 1), url, why);
}

static int check_host(struct span host, const char **why)
{
    if (host.bytes == 0)
        return bad(why, "it names no host");
    if (host.bytes > 253)
        return bad(why, "its host name is longer than 253 characters");
    for (size_t i = 0; i < host.bytes; i++) {
        char byte = host.at[i];
        if ((unsigned char)byte >= 0x80)
            return bad(why, "its host name is not ASCII: write it in its xn-- form");
        if (!is_alpha(byte) && !is_digit(byte) && (!byte || !strchr("-._~", byte)))
            return bad(why, "its host name has a character that may not be there");
    }
    return 0;
}

/* user@host:port */
static int read_authority(struct span place, struct url *url, const char **why)
{
    for (size_t i = place.bytes; i > 0; i--) {
        if (place.at[i - 1] == '@') {
            url->user = span_to(place, i - 1);
            place = span_from(place, i);
            break;
        }
    }
    if (place.bytes && place.at[0] == '[')
        return read_ipv6(place, url, why);
    size_t colon = find_any(place, ":");
    bool has_port = colon < place.bytes;
    struct span port = span_from(place, colon + has_port);
    if (find_any(port, ":") < port.bytes)
        return bad(why, "its host has several colons: put an IPv6 address in brackets");
    url->host = span_to(place, colon);
    int error = check_host(url->host, why);
    return error ? error : read_port(port, url, why);
}

/* "/run/x.sock:/path", or the socket's path percent-encoded: "%2Frun%2Fx.sock/path". */
static int read_socket(struct span rest, struct url *url, const char **why)
{
    bool plain = rest.bytes && rest.at[0] == '/';
    size_t end = find_any(rest, plain ? ":" : "/");
    url->host = span_to(rest, end);
    if (end < rest.bytes)
        url->path = span_from(rest, plain ? end + 1 : end);
    bool encoded = url->host.bytes > 3 && url->host.at[0] == '%' && url->host.at[1] == '2' &&
                   (url->host.at[2] | 32) == 'f';
    if (!plain && !encoded)
        return bad(why,
                   "the path of its socket must begin with a slash: http+unix:///run/x.sock:/");
    if (url->host.bytes < 2)
        return bad(why, "it names no socket");
    if (find_any(url->host, "?") < url->host.bytes)
        return bad(why, "its socket has a question mark: is the colon after it missing?");
    if (url->path.bytes && url->path.at[0] != '/')
        return bad(why, "what follows the colon after its socket must begin with a slash");
    return 0;
}

int url_read(struct span words, struct url *out, const char **why)
{
    for (size_t i = 0; i < words.bytes; i++) {
        unsigned char byte = (unsigned char)words.at[i];
        if (byte <= ' ' || byte == 0x7f)
            return bad(why, "it has a blank or a control character: write a blank as %20");
    }
    struct url url = {.path = {.at = "", .bytes = 0}, .user = {.at = "", .bytes = 0}};
    struct span rest = span_to(words, find_any(words, "#"));
    int error = read_scheme(&rest, &url, why);
    if (error)
        return error;
    if (url.unix_socket) {
        error = read_socket(rest, &url, why);
    } else {
        size_t end = find_any(rest, "/?");
        url.path = span_from(rest, end);
        if (url.path.bytes && url.path.at[0] == '?')
            return bad(why, "a slash is missing before its question mark");
        error = read_authority(span_to(rest, end), &url, why);
    }
    if (!error)
        *out = url;
    return error;
}

/* ---- writing ----------------------------------------------------------------------------------
 */

void url_encode(struct span bytes, struct text *out)
{
    static const char digits[] = "0123456789ABCDEF";
    text_reserve(out, out->bytes + 3 * bytes.bytes);
    char *at = out->at + out->bytes;
    for (size_t i = 0; i < bytes.bytes; i++) {
        unsigned char byte = (unsigned char)bytes.at[i];
        if (is_alpha((char)byte) || is_digit((char)byte) || (byte && strchr("-._~", byte))) {
            *at++ = (char)byte;
        } else {
            *at++ = '%';
            *at++ = digits[byte >> 4];
            *at++ = digits[byte & 15];
        }
    }
    *at = '\0';
    out->bytes = (size_t)(at - out->at);
}

/* ---- joining (RFC 3986, section 5) ------------------------------------------------------------
 */

/* The five parts of a reference; at == NULL: absent, which is not the same as empty. */
struct parts {
    struct span scheme, authority, path, query, fragment;
};

static struct span cut_from(struct span *rest, char mark)
{
    char stops[2] = {mark, '\0'};
    size_t at = find_any(*rest, stops);
    struct span tail = {.at = NULL, .bytes = 0};
    if (at < rest->bytes) {
        tail = span_from(*rest, at + 1);
        *rest = span_to(*rest, at);
    }
    return tail;
}

static struct parts split(struct span words)
{
    struct parts parts = {.scheme = {.at = NULL, .bytes = 0}};
    struct span rest = words.at ? words : SPAN("");
    parts.fragment = cut_from(&rest, '#');
    parts.query = cut_from(&rest, '?');
    size_t colon = find_any(rest, ":/");
    if (colon > 0 && colon < rest.bytes && rest.at[colon] == ':' && is_alpha(rest.at[0])) {
        parts.scheme = span_to(rest, colon);
        rest = span_from(rest, colon + 1);
    }
    if (span_begins(rest, SPAN("//"))) {
        rest = span_from(rest, 2);
        size_t end = find_any(rest, "/");
        /* A socket's path stands where others have a host, and ends at its colon. */
        if (span_equal_nocase(parts.scheme, SPAN("http+unix")) && end == 0) {
            end = find_any(rest, ":");
            end += end < rest.bytes;
        }
        parts.authority = span_to(rest, end);
        rest = span_from(rest, end);
    }
    parts.path = rest;
    return parts;
}

/* Takes the last segment, and its slash, off what was written since start. */
static void drop_segment(struct text *out, size_t start)
{
    while (out->bytes > start && out->at[--out->bytes] != '/')
        continue;
    if (out->at)
        out->at[out->bytes] = '\0';
}

/* Appends a path without its "." and ".." segments (5.2.4). */
static void put_path(struct span path, struct text *out)
{
    size_t start = out->bytes;
    while (path.bytes) {
        size_t slash = path.at[0] == '/';
        size_t end = slash + find_any(span_from(path, slash), "/");
        struct span segment = span_from(span_to(path, end), slash);
        bool last = end == path.bytes;
        bool up = span_equal(segment, SPAN("..")), here = span_equal(segment, SPAN("."));
        if (up && slash)
            drop_segment(out, start);
        if (!up && !here)
            text_put(out, span_to(path, end));
        else if (last && slash)
            text_putc(out, '/');
        path = span_from(path, end);
        if ((up || here) && !slash && path.bytes)
            path = span_from(path, 1); /* "../x" at the very front is "x" */
    }
}

/* Appends the path of a reference that has a place of its own. A query after no path gets the slash
 * that a request needs (RFC 9110, 4.2.3 has both mean the same). */
static void put_own_path(const struct parts *of, struct text *out)
{
    put_path(of->path, out);
    if (of->path.bytes == 0 && of->authority.at && of->query.at)
        text_putc(out, '/');
}

static void put_after(const char *mark, struct span part, struct text *out)
{
    if (part.at) {
        text_puts(out, mark);
        text_put(out, part);
    }
}

/* The path of a reference that has only a relative one, put behind the base's (5.2.3). */
static void put_merged(const struct parts *base, struct span path, struct text *out)
{
    struct text merged = TEXT_EMPTY;
    size_t keep = base->path.bytes;
    while (keep > 0 && base->path.at[keep - 1] != '/')
        keep--;
    text_put(&merged, keep ? span_to(base->path, keep) : SPAN("/"));
    text_put(&merged, path);
    put_path(text_span(&merged), out);
    text_fini(&merged);
}

static void put_place(const struct parts *of, struct text *out)
{
    text_put(out, of->scheme);
    text_putc(out, ':');
    put_after("//", of->authority, out);
    bool socket = of->authority.bytes && of->authority.at[0] == '/';
    if (socket && of->authority.at[of->authority.bytes - 1] != ':')
        text_putc(out, ':');
}

void url_join(struct span base_words, struct span reference, struct text *out)
{
    struct parts base = split(base_words), given = split(reference);
    if (given.scheme.at) {
        put_place(&given, out);
        put_own_path(&given, out);
    } else if (given.authority.at) {
        bool socket = span_equal_nocase(base.scheme, SPAN("http+unix"));
        given.scheme = socket ? SPAN("http") : base.scheme; /* a socket has no hosts beside it */
        put_place(&given, out);
        put_own_path(&given, out);
    } else {
        put_place(&base, out);
        if (given.path.bytes == 0)
            text_put(out, base.path.bytes ? base.path : SPAN("/"));
        else if (given.path.at[0] == '/')
            put_path(given.path, out);
        else
            put_merged(&base, given.path, out);
        if (given.path.bytes == 0 && !given.query.at)
            given.query = base.query;
    }
    put_after("?", given.query, out);
    put_after("#", given.fragment, out);
}

/* ---- for clients ------------------------------------------------------------------------------
 */

static int digit_of(char byte)
{
    return is_digit(byte) ? byte - '0' : (byte | 0x20) - 'a' + 10;
}

static void decode(struct span words, struct text *out)
{
    for (size_t i = 0; i < words.bytes; i++) {
        bool coded = words.at[i] == '%' && i + 2 < words.bytes && is_hex(words.at[i + 1]) &&
                     is_hex(words.at[i + 2]);
        if (coded)
            text_putc(out, (char)(digit_of(words.at[i + 1]) * 16 + digit_of(words.at[i + 2])));
        else
            text_putc(out, words.at[i]);
        i += coded ? 2 : 0;
    }
}

int url_client(struct span base, struct span reference, struct text *url, struct text *socket,
               const char **why)
{
    struct url parts;
    text_clear(url);
    text_clear(socket);
    if (base.bytes)
        url_join(base, reference, url);
    else
        text_put(url, reference);
    if (url_read(text_span(url), &parts, why))
        return URL_BAD;
    if (!parts.unix_socket)
        return 0;
    struct text local = TEXT_EMPTY;
    decode(parts.host, socket);
    text_puts(&local, "http://localhost");
    text_put(&local, parts.path);
    text_fini(url);
    *url = local;
    return 0;
}
