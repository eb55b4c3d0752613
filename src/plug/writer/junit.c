/* Thresholds and objectives as test cases of JUnit's XML, which build servers show: one that failed
 * is a failure, one that could not be judged is skipped with its reason. */
#include "plug/writer/writer_list.h"
#include "show/verdict.h"

#include <stdlib.h>

/* Words inside an attribute or element. XML 1.0 has no control characters: words_clean made them
 * visible, and these five letters are all that is left to escape. */
static void put_words(const char *words, struct text *out)
{
    char *clean = words_clean(words, false);
    for (const char *at = clean; *at; at++) {
        switch (*at) {
        case '<':
            text_puts(out, "&lt;");
            break;
        case '>':
            text_puts(out, "&gt;");
            break;
        case '&':
            text_puts(out, "&amp;");
            break;
        case '"':
            text_puts(out, "&quot;");
            break;
        case '\'':
            text_puts(out, "&apos;");
            break;
        default:
            text_putc(out, *at);
        }
    }
    free(clean);
}

static void put_seconds(nsec_t duration_ns, struct text *out)
{
    text_printf(out, "%lld.%03lld", (long long)(duration_ns / NSEC_PER_SEC),
                (long long)(duration_ns / NSEC_PER_MSEC % 1000));
}

static void put_outcome(const struct result_verdict *judged, struct text *out)
{
    struct text value = TEXT_EMPTY;
    show_judged_value(judged->unit, judged->value, judged->at_least, &value);
    if (judged->verdict == VERDICT_NOT_JUDGED) {
        text_puts(out, "      <skipped message=\"");
        put_words(judged->why ? judged->why : "not observed", out);
        text_puts(out, "\"/>\n");
    } else if (judged->verdict == VERDICT_FAILED) {
        text_puts(out, "      <failure type=\"");
        text_puts(out, judged->objective ? "objective" : "threshold");
        text_puts(out, "\" message=\"measured ");
        put_words(value.at, out);
        text_puts(out, ", limit ");
        text_clear(&value);
        show_judged_value(judged->unit, judged->objective ? judged->accept : judged->limit, false,
                          &value);
        put_words(value.at, out);
        text_puts(out, "\"/>\n");
    } else {
        text_puts(out, "      <system-out>measured ");
        put_words(value.at, out);
        text_printf(out, ": %s</system-out>\n", show_judged_words(judged));
    }
    text_fini(&value);
}

static void put_case(const struct result_verdict *judged, struct text *out)
{
    text_printf(out, "    <testcase classname=\"%s\" name=\"",
                judged->objective ? "objectives" : "thresholds");
    put_words(judged->words, out);
    if (judged->scope && judged->scope[0]) {
        text_puts(out, ", ");
        put_words(judged->scope, out);
    }
    text_puts(out, "\" time=\"0\">\n");
    put_outcome(judged, out);
    text_puts(out, "    </testcase>\n");
}

/* The run itself is a case too: a killed run or a saturated generator fails the build, whatever
 * its thresholds say. */
static bool run_is_sound(const struct verdict *verdict)
{
    return verdict->word != VERDICT_WORD_INVALID && verdict->word != VERDICT_WORD_INCOMPLETE &&
           verdict->word != VERDICT_WORD_EMPTY;
}

static void put_run_case(const struct verdict *verdict, struct text *out)
{
    text_puts(out, "    <testcase classname=\"run\" name=\"the run is complete and the generator "
                   "kept up\" time=\"0\">\n");
    if (!run_is_sound(verdict)) {
        text_puts(out, "      <failure type=\"run\" message=\"");
        put_words(verdict->sentence, out);
        text_puts(out, "\"/>\n");
    }
    text_puts(out, "    </testcase>\n");
}

static int write_junit(const struct result *result, const struct show_options *options,
                       struct text *out)
{
    (void)options;
    struct verdict verdict;
    size_t failed = 0, skipped = 0;
    show_verdict(result, &verdict);
    for (size_t i = 0; i < result->verdict_count; i++) {
        failed += result->verdicts[i].verdict == VERDICT_FAILED;
        skipped += result->verdicts[i].verdict == VERDICT_NOT_JUDGED;
    }
    failed += !run_is_sound(&verdict);
    text_puts(out,
              "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite name=\"");
    put_words(result->name, out);
    text_printf(out, "\" tests=\"%zu\" failures=\"%zu\" errors=\"0\" skipped=\"%zu\" time=\"",
                result->verdict_count + 1, failed, skipped);
    put_seconds(result->end_ns, out);
    text_puts(out, "\">\n");
    put_run_case(&verdict, out);
    for (size_t i = 0; i < result->verdict_count; i++)
        put_case(&result->verdicts[i], out);
    text_puts(out, "  </testsuite>\n</testsuites>\n");
    show_verdict_fini(&verdict);
    return 0;
}

const struct writer writer_junit = {
    .name = "junit",
    .file = "junit.xml",
    .sentence = "thresholds and objectives as test cases",
    .write = write_junit,
};
