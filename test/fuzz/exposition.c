/* Expositions: every span that is handed out lies within the bytes; each line is a sample, a
 * comment or counted as bad; and a sample written again by its parts is read as the same sample.
 * The first byte chooses the format. */
#include "wire/exposition.h"
#include "target.h"

#include <math.h>
#include <string.h>

static void check_within(struct span inner, struct span outer)
{
    check(inner.bytes == 0 ||
          (inner.at >= outer.at && inner.at + inner.bytes <= outer.at + outer.bytes));
}

static bool same_number(double one, double other)
{
    return (isnan(one) && isnan(other)) || memcmp(&one, &other, sizeof one) == 0;
}

/* Labels as they were read: each once more, with its escapes done anew. */
static void write_labels(struct span labels, struct text *out)
{
    struct span name, value;
    struct text plain = TEXT_EMPTY;
    while (exposition_label(&labels, &name, &value)) {
        text_clear(&plain);
        exposition_text(value, &plain);
        text_put(out, name);
        text_puts(out, "=\"");
        for (size_t i = 0; i < plain.bytes; i++) {
            char byte = plain.at[i];
            if (byte == '\\' || byte == '"' || byte == '\n')
                text_putc(out, '\\');
            text_putc(out, byte == '\n' ? 'n' : byte);
        }
        text_puts(out, "\",");
    }
    text_fini(&plain);
}

static void check_again(const struct exposition_sample *sample)
{
    struct text line = TEXT_EMPTY, labels = TEXT_EMPTY, again = TEXT_EMPTY;
    struct exposition_sample second;
    write_labels(sample->labels, &labels);
    text_put(&line, sample->name);
    text_putc(&line, '{');
    text_put(&line, text_span(&labels));
    text_printf(&line, "} %.17g", sample->value);
    if (isfinite(sample->at_s))
        text_printf(&line, " %.17g", sample->at_s);
    /* A bare carriage return within a label would be taken for the end of the line only as its
     * last byte, and that is the value here. */
    struct exposition reader = exposition_of(text_span(&line), true);
    check(exposition_next(&reader, &second));
    check(span_equal(second.name, sample->name) && same_number(second.value, sample->value));
    check(same_number(second.at_s, sample->at_s));
    write_labels(second.labels, &again);
    check(span_equal(text_span(&labels), text_span(&again)));
    check(!exposition_next(&reader, &second));
    text_fini(&line);
    text_fini(&labels);
    text_fini(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    if (count == 0)
        return 0;
    struct span text = {.at = (const char *)bytes + 1, .bytes = count - 1};
    struct exposition reader = exposition_of(text, bytes[0] & 1);
    struct exposition_sample sample;
    uint64_t samples = 0;
    while (exposition_next(&reader, &sample)) {
        check_within(sample.name, text);
        check_within(sample.labels, text);
        check_within(sample.family, text);
        check_within(sample.help, text);
        check_within(sample.unit, text);
        check(sample.name.bytes > 0 && span_begins(sample.name, sample.family));
        check_again(&sample);
        samples++;
    }
    check(reader.samples == samples && samples + reader.bad_lines <= reader.lines);
    check((reader.bad_lines > 0) == (reader.why != NULL));
    return 0;
}
