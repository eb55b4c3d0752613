/* One pass over the bytes, line by line. Lines of the form "# TYPE" and its like set what is known
 * of the samples that follow; everything else is a sample or a comment. */
#include "wire/exposition.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_NUMBER_BYTES = 64 };

struct exposition exposition_of(struct span bytes, bool open_metrics)
{
    return (struct exposition){.rest = bytes, .open_metrics = open_metrics};
}

/* ---- words ------------------------------------------------------------------------------------
 */

static struct span skip(struct span from, size_t bytes)
{
    return (struct span){.at = from.at + bytes, .bytes = from.bytes - bytes};
}

static struct span skip_blanks(struct span line)
{
    while (line.bytes && (line.at[0] == ' ' || line.at[0] == '\t'))
        line = skip(line, 1);
    return line;
}

static bool is_letter(char byte, bool colons)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_' ||
           (colons && byte == ':');
}

/* Takes a metric's name (colons allowed) or a label's from the front; empty when there is none. */
static struct span take_name(struct span *line, bool colons)
{
    struct span name = {.at = line->at, .bytes = 0};
    while (name.bytes < line->bytes &&
           (is_letter(line->at[name.bytes], colons) ||
            (name.bytes && line->at[name.bytes] >= '0' && line->at[name.bytes] <= '9')))
        name.bytes++;
    *line = skip(*line, name.bytes);
    return name;
}

/* Takes what stands before the next blank. */
static struct span take_word(struct span *line)
{
    struct span word = {.at = line->at, .bytes = 0};
    while (word.bytes < line->bytes && line->at[word.bytes] != ' ' && line->at[word.bytes] != '\t')
        word.bytes++;
    *line = skip_blanks(skip(*line, word.bytes));
    return word;
}

static struct span take_line(struct span *rest)
{
    const char *end = memchr(rest->at, '\n', rest->bytes);
    struct span line = {.at = rest->at, .bytes = end ? (size_t)(end - rest->at) : rest->bytes};
    *rest = skip(*rest, line.bytes + (end != NULL));
    if (line.bytes && line.at[line.bytes - 1] == '\r')
        line.bytes--;
    return line;
}

/* A decimal, or NaN or an infinity in any case. Returns whether it was one that fills the word. */
static bool read_number(struct span word, double *number)
{
    char digits[MOST_NUMBER_BYTES + 1];
    char *end = NULL;
    if (word.bytes == 0 || word.bytes > MOST_NUMBER_BYTES)
        return false;
    for (size_t i = 0; i < word.bytes; i++) /* neither hexadecimal nor "nan(...)" */
        if (!word.at[i] || !strchr("0123456789+-.eEiInNfFtTyYaA", word.at[i]))
            return false;
    memcpy(digits, word.at, word.bytes);
    digits[word.bytes] = '\0';
    *number = strtod(digits, &end);
    return *end == '\0';
}

/* ---- labels -----------------------------------------------------------------------------------
 */

bool exposition_label(struct span *labels, struct span *name, struct span *value)
{
    struct span rest = skip_blanks(*labels);
    if (rest.bytes && rest.at[0] == ',')
        rest = skip_blanks(skip(rest, 1));
    *name = take_name(&rest, false);
    rest = skip_blanks(rest);
    if (name->bytes == 0 || rest.bytes == 0 || rest.at[0] != '=')
        return false;
    rest = skip_blanks(skip(rest, 1));
    if (rest.bytes == 0 || rest.at[0] != '"')
        return false;
    rest = skip(rest, 1);
    size_t end = 0;
    while (end < rest.bytes && rest.at[end] != '"')
        end += rest.at[end] == '\\' ? 2 : 1;
    if (end >= rest.bytes)
        return false;
    *value = (struct span){.at = rest.at, .bytes = end};
    *labels = skip_blanks(skip(rest, end + 1));
    return true;
}

struct span exposition_find(struct span labels, struct span name)
{
    struct span one, value;
    while (exposition_label(&labels, &one, &value))
        if (span_equal(one, name))
            return value;
    return (struct span){.at = NULL, .bytes = 0};
}

void exposition_text(struct span value, struct text *out)
{
    for (size_t i = 0; i < value.bytes; i++) {
        char next = i + 1 < value.bytes ? value.at[i + 1] : '\0';
        bool escaped = value.at[i] == '\\' && (next == '\\' || next == '"' || next == 'n');
        text_putc(out, !escaped ? value.at[i] : next == 'n' ? '\n' : next);
        i += escaped;
    }
}

/* Takes "{...}" from the front; the span within. Returns whether it is well formed. */
static bool take_labels(struct span *line, struct span *labels)
{
    struct span rest = skip(*line, 1), name, value;
    labels->at = rest.at;
    for (bool first = true;; first = false) {
        rest = skip_blanks(rest);
        if (!first && rest.bytes && rest.at[0] == ',')
            rest = skip_blanks(skip(rest, 1));
        else if (!first && rest.bytes && rest.at[0] != '}')
            return false;
        if (rest.bytes && rest.at[0] == '}')
            break;
        if ((rest.bytes && rest.at[0] == ',') || !exposition_label(&rest, &name, &value))
            return false;
    }
    labels->bytes = (size_t)(rest.at - labels->at);
    *line = skip(rest, 1);
    return true;
}

/* ---- lines ------------------------------------------------------------------------------------
 */

static bool bad(struct exposition *reader, const char *why)
{
    if (reader->bad_lines++ == 0) {
        reader->first_bad = reader->lines;
        reader->why = why;
    }
    return false;
}

static enum exposition_kind kind_of(struct span word)
{
    static const struct {
        const char *word;
        enum exposition_kind kind;
    } kinds[] = {
        {"counter", EXPOSITION_COUNTER},
        {"gauge", EXPOSITION_GAUGE},
        {"histogram", EXPOSITION_HISTOGRAM},
        {"summary", EXPOSITION_SUMMARY},
        {"info", EXPOSITION_INFO},
        {"stateset", EXPOSITION_STATESET},
        {"gaugehistogram", EXPOSITION_GAUGE_HISTOGRAM},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (span_equal(word, span_of(kinds[i].word)))
            return kinds[i].kind;
    return EXPOSITION_UNKNOWN;
}

/* What is said of a family holds until another family is spoken of. */
static void open_family(struct exposition *reader, struct span name)
{
    if (span_equal(reader->family, name))
        return;
    reader->family = name;
    reader->help = reader->unit = SPAN("");
    reader->kind = EXPOSITION_UNKNOWN;
}

/* "# HELP name words", "# TYPE name kind", "# UNIT name unit", "# EOF"; others are remarks. */
static void read_comment(struct exposition *reader, struct span line)
{
    line = skip_blanks(skip(line, 1));
    struct span word = take_word(&line);
    if (span_equal(word, SPAN("EOF")) && line.bytes == 0 && reader->open_metrics) {
        reader->ended = true;
        return;
    }
    bool help = span_equal(word, SPAN("HELP")), type = span_equal(word, SPAN("TYPE"));
    bool unit = span_equal(word, SPAN("UNIT"));
    if (!help && !type && !unit)
        return;
    struct span name = take_name(&line, true);
    if (name.bytes == 0 || (line.bytes && line.at[0] != ' ' && line.at[0] != '\t')) {
        bad(reader, "a HELP, TYPE or UNIT line names no metric");
        return;
    }
    line = skip_blanks(line);
    open_family(reader, name);
    if (type)
        reader->kind = kind_of(span_trim(line));
    else if (help)
        reader->help = line;
    else
        reader->unit = span_trim(line);
}

/* Whether a sample's name belongs to the family last spoken of. */
static bool in_family(const struct exposition *reader, struct span name)
{
    static const char *const endings[] = {"",         "_total", "_bucket", "_sum",   "_count",
                                          "_created", "_info",  "_gsum",   "_gcount"};
    if (!reader->family.bytes || !span_begins(name, reader->family))
        return false;
    struct span ending = skip(name, reader->family.bytes);
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (span_equal(ending, span_of(endings[i])))
            return i == 0 || reader->kind != EXPOSITION_GAUGE;
    return false;
}

/* What may follow the value: a time stamp, and with OpenMetrics an exemplar. */
static bool read_tail(struct exposition *reader, struct span line, struct exposition_sample *out)
{
    if (line.bytes && line.at[0] != '#') {
        struct span word = take_word(&line);
        if (!read_number(word, &out->at_s) || !isfinite(out->at_s))
            return bad(reader, "its time stamp is no number");
        if (!reader->open_metrics)
            out->at_s /= 1000;
    }
    if (line.bytes == 0)
        return true;
    struct span exemplar = skip_blanks(skip(line, 1));
    if (!reader->open_metrics || line.at[0] != '#' || !exemplar.bytes || exemplar.at[0] != '{')
        return bad(reader, "something follows its value");
    return true;
}

static bool read_sample(struct exposition *reader, struct span line, struct exposition_sample *out)
{
    *out = (struct exposition_sample){.at_s = NAN, .labels = SPAN("")};
    out->name = take_name(&line, true);
    if (out->name.bytes == 0)
        return bad(reader, "it does not begin with the name of a metric");
    bool blank = line.bytes && (line.at[0] == ' ' || line.at[0] == '\t');
    line = skip_blanks(line);
    bool braces = line.bytes && line.at[0] == '{';
    if (braces && !take_labels(&line, &out->labels))
        return bad(reader, "its labels are not of the form {name=\"value\",...}");
    if (!blank && !braces)
        return bad(reader, "a character stands in its name that may not be there");
    line = skip_blanks(line);
    if (!read_number(take_word(&line), &out->value))
        return bad(reader, "its value is no number");
    if (!read_tail(reader, line, out))
        return false;
    bool known = in_family(reader, out->name);
    out->family = known ? reader->family : out->name;
    out->kind = known ? reader->kind : EXPOSITION_UNKNOWN;
    out->help = known ? reader->help : SPAN("");
    out->unit = known ? reader->unit : SPAN("");
    reader->samples++;
    return true;
}

bool exposition_next(struct exposition *reader, struct exposition_sample *out)
{
    while (reader->rest.bytes) {
        struct span line = skip_blanks(take_line(&reader->rest));
        reader->lines++;
        if (line.bytes == 0)
            continue;
        if (reader->ended)
            bad(reader, "it stands after # EOF");
        else if (line.at[0] == '#')
            read_comment(reader, line);
        else if (read_sample(reader, line, out))
            return true;
    }
    return false;
}
