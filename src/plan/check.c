/* Checks: a place in a reply, a comparison, and what it is compared with; all compiled once.
 *
 * Evaluating allocates nothing of ours. Two exceptions, both kept out of the common path: the C
 * library's regular expressions use memory of their own, and a JSON string that holds escapes is
 * decoded before it is compared. */
#include "plan/check.h"

#include "base/memory.h"
#include "base/unit.h"
#include "plan/look.h"
#include "plan/regex.h"

#include <stdlib.h>
#include <string.h>

enum compare {
    IS_EQUAL,
    IS_NOT,
    IS_LESS,
    IS_AT_MOST,
    IS_MORE,
    IS_AT_LEAST,
    IS_IN,
    CONTAINS,
    MATCHES,
    EXISTS,
};

/* A status or a class of them: 200, 2xx; or a number. */
struct range {
    double least, most;
};

struct reply_check {
    char *words;
    struct look look;
    enum compare compare;
    bool inverted;        /* "not contains" */
    bool numeric;         /* compared as numbers */
    struct range *ranges; /* one, or those of "in" */
    size_t range_count;
    char *text; /* compared with as bytes; quotes taken off */
    regex_t regex;
    bool has_regex;
};

static const struct {
    const char *word;
    enum compare compare;
} compares[] = {{"==", IS_EQUAL}, {"=", IS_EQUAL},        {"is", IS_EQUAL},     {"!=", IS_NOT},
                {"<", IS_LESS},   {"<=", IS_AT_MOST},     {">", IS_MORE},       {">=", IS_AT_LEAST},
                {"in", IS_IN},    {"contains", CONTAINS}, {"matches", MATCHES}, {"exists", EXISTS}};

static const char *const check_forms =
    "for example: status == 200, body contains \"ok\", body.id exists, latency < 200ms";

static struct span unquote(struct span words)
{
    if (words.bytes >= 2 && (words.at[0] == '"' || words.at[0] == '\'') &&
        words.at[words.bytes - 1] == words.at[0])
        return (struct span){.at = words.at + 1, .bytes = words.bytes - 2};
    return words;
}

/* "200", "2xx", or a quantity in the unit of the place looked at. */
static int read_range(const struct look *look, struct span words, struct range *out)
{
    double number = 0;
    if (look->kind == LOOK_STATUS && words.bytes == 3 && words.at[0] >= '1' && words.at[0] <= '5' &&
        (words.at[1] | 0x20) == 'x' && (words.at[2] | 0x20) == 'x') {
        out->least = (words.at[0] - '0') * 100.0;
        out->most = out->least + 99;
        return 0;
    }
    if (look->kind == LOOK_LATENCY) {
        nsec_t duration = 0;
        if (unit_read_duration(words, 0, &duration))
            return 1;
        number = (double)duration;
    } else if (look->kind == LOOK_BYTES) {
        uint64_t bytes = 0;
        if (unit_read_bytes(words, &bytes))
            return 1;
        number = (double)bytes;
    } else if (unit_read_real(words, &number)) {
        return 1;
    }
    if (look->kind == LOOK_STATUS && (number < 100 || number > 999))
        return 1;
    *out = (struct range){number, number};
    return 0;
}

static void add_range(struct reply_check *check, struct range range)
{
    check->ranges = memory_resize(check->ranges, check->range_count + 1, sizeof *check->ranges);
    check->ranges[check->range_count++] = range;
    check->numeric = true;
}

static const char *unit_words(const struct look *look)
{
    return look->kind == LOOK_STATUS    ? "a status such as 200 or 2xx"
           : look->kind == LOOK_LATENCY ? "a duration such as 200ms"
           : look->kind == LOOK_BYTES   ? "a size such as 64KiB"
                                        : "a number";
}

/* "[200, 201, 2xx]" */
static int compile_list(struct reply_check *check, struct span words, const struct note *place,
                        struct notes *notes)
{
    if (words.bytes < 2 || words.at[0] != '[' || words.at[words.bytes - 1] != ']') {
        look_error(notes, place, "for example: status in [200, 2xx]",
                   "\"in\" needs a list in brackets in the check \"%s\"", check->words);
        return 1;
    }
    size_t at = 1, past = words.bytes - 1;
    while (at <= past) {
        const char *comma = memchr(words.at + at, ',', past - at);
        size_t end = comma ? (size_t)(comma - words.at) : past;
        struct span item = span_trim((struct span){words.at + at, end - at});
        struct range range;
        if (read_range(&check->look, item, &range)) {
            look_error(notes, place, check_forms, "\"%.*s\" is not %s in the check \"%s\"",
                       (int)item.bytes, item.at, unit_words(&check->look), check->words);
            return 1;
        }
        add_range(check, range);
        at = end + 1;
    }
    return 0;
}

static int compile_regex(struct reply_check *check, const struct note *place, struct notes *notes)
{
    char why[120];
    if (regex_compile(&check->regex, check->text, REG_NOSUB, why, sizeof why) == 0) {
        check->has_regex = true;
        return 0;
    }
    look_error(notes, place, "POSIX extended regular expressions are meant",
               "regular expression \"%s\": %s", check->text, why);
    return 1;
}

static bool is_ordered(enum compare compare)
{
    return compare >= IS_LESS && compare <= IS_AT_LEAST;
}

/* What stands behind the comparison. */
static int compile_value(struct reply_check *check, struct span words, const struct note *place,
                         struct notes *notes)
{
    enum look_kind kind = check->look.kind;
    bool number_only = kind == LOOK_STATUS || kind == LOOK_LATENCY || kind == LOOK_BYTES;
    struct range range;
    if (check->compare == IS_IN)
        return compile_list(check, words, place, notes);
    if (words.bytes == 0) {
        look_error(notes, place, check_forms, "the check \"%s\" has nothing to compare with",
                   check->words);
        return 1;
    }
    bool quoted = unquote(words).bytes != words.bytes;
    bool words_only = check->compare == CONTAINS || check->compare == MATCHES;
    bool is_number = !quoted && !words_only && read_range(&check->look, words, &range) == 0;
    if ((number_only && (words_only || !is_number)) || (is_ordered(check->compare) && !is_number)) {
        look_error(notes, place, check_forms, "\"%.*s\" is not %s in the check \"%s\"",
                   (int)words.bytes, words.at, unit_words(&check->look), check->words);
        return 1;
    }
    if (is_number)
        add_range(check, range);
    struct text copy = TEXT_EMPTY;
    text_put(&copy, unquote(words));
    check->text = text_take(&copy);
    return check->compare == MATCHES ? compile_regex(check, place, notes) : 0;
}

static int compile_compare(struct reply_check *check, struct words *words, const struct note *place,
                           struct notes *notes)
{
    struct span word = words_next(words);
    if (span_equal(word, SPAN("not"))) {
        check->inverted = true;
        word = words_next(words);
    }
    for (size_t i = 0; i < sizeof compares / sizeof *compares; i++) {
        if (!span_equal(word, span_of(compares[i].word)))
            continue;
        check->compare = compares[i].compare;
        struct span rest = span_trim(words->rest);
        if (check->compare == IS_EQUAL && (span_begins(rest, SPAN("not ")))) {
            check->inverted = true;
            rest = span_trim((struct span){rest.at + 4, rest.bytes - 4});
        }
        if (check->compare != EXISTS)
            return compile_value(check, rest, place, notes);
        if (rest.bytes == 0)
            return 0;
        look_error(notes, place, NULL, "\"%.*s\" is too much in the check \"%s\"", (int)rest.bytes,
                   rest.at, check->words);
        return 1;
    }
    look_error(notes, place, "the comparisons are == != < <= > >= in contains matches exists",
               "\"%.*s\" is no comparison in the check \"%s\"", (int)word.bytes,
               word.at ? word.at : "", check->words);
    return 1;
}

struct reply_check *check_compile(struct span words, const struct note *place, struct notes *notes)
{
    struct reply_check *check = memory_new(1, sizeof *check);
    struct text copy = TEXT_EMPTY;
    struct words rest = {.rest = span_trim(words)};
    text_put(&copy, rest.rest);
    check->words = text_take(&copy);
    rest.rest = span_of(check->words);
    char why[160];
    if (look_read(&rest, &check->look, why)) {
        look_error(notes, place, check_forms, "%s", why);
        return check_free(check);
    }
    if (compile_compare(check, &rest, place, notes))
        return check_free(check);
    return check;
}

static bool compare_number(const struct reply_check *check, double value)
{
    switch (check->compare) {
    case IS_NOT:
        return value < check->ranges[0].least || value > check->ranges[0].most;
    case IS_LESS:
        return value < check->ranges[0].least;
    case IS_AT_MOST:
        return value <= check->ranges[0].most;
    case IS_MORE:
        return value > check->ranges[0].most;
    case IS_AT_LEAST:
        return value >= check->ranges[0].least;
    default:
        for (size_t i = 0; i < check->range_count; i++) {
            if (value >= check->ranges[i].least && value <= check->ranges[i].most)
                return true;
        }
        return false;
    }
}

static bool compare_text(const struct reply_check *check, struct span value)
{
    struct span wanted = span_of(check->text);
    switch (check->compare) {
    case IS_EQUAL:
        return span_equal(value, wanted);
    case IS_NOT:
        return !span_equal(value, wanted);
    case CONTAINS:
        return wanted.bytes == 0 ||
               (value.bytes && memmem(value.at, value.bytes, wanted.at, wanted.bytes));
    case MATCHES: {
        regmatch_t range = {.rm_so = 0, .rm_eo = (regoff_t)value.bytes};
        return regexec(&check->regex, value.at ? value.at : "", 1, &range, REG_STARTEND) == 0;
    }
    default:
        return false;
    }
}

static bool compare_json_text(const struct reply_check *check, struct json_value value)
{
    if (value.kind != JSON_STRING || !memchr(value.raw.at, '\\', value.raw.bytes))
        return compare_text(check, value.raw);
    struct text decoded = TEXT_EMPTY;
    bool passes = json_text(value, &decoded) == 0 && compare_text(check, text_span(&decoded));
    text_fini(&decoded);
    return passes;
}

static bool json_passes(const struct reply_check *check, const struct reply *reply)
{
    struct json_value value = json_find(reply->body, &check->look.path);
    if (check->compare == EXISTS)
        return value.kind != JSON_ABSENT;
    if (value.kind == JSON_ABSENT)
        return check->compare == IS_NOT;
    double number = 0;
    if (check->numeric && value.kind == JSON_NUMBER)
        return json_number(value, &number) == 0 && compare_number(check, number);
    if (is_ordered(check->compare) || check->compare == IS_IN)
        return false;
    return compare_json_text(check, value);
}

static bool header_passes(const struct reply_check *check, const struct reply *reply)
{
    struct span value = reply_header(reply->head, check->look.header);
    double number = 0;
    if (check->compare == EXISTS)
        return value.at != NULL;
    if (value.at == NULL)
        return check->compare == IS_NOT;
    if (check->numeric && unit_read_real(value, &number) == 0)
        return compare_number(check, number);
    return !is_ordered(check->compare) && check->compare != IS_IN && compare_text(check, value);
}

static bool passes(const struct reply_check *check, const struct reply *reply)
{
    switch (check->look.kind) {
    case LOOK_STATUS:
        return compare_number(check, reply->status);
    case LOOK_LATENCY:
        return compare_number(check, (double)reply->response_ns);
    case LOOK_BYTES:
        return compare_number(check, (double)reply->body_bytes);
    case LOOK_JSON:
        return json_passes(check, reply);
    case LOOK_HEADER:
        return header_passes(check, reply);
    case LOOK_BODY:
        break;
    }
    if (check->compare == EXISTS)
        return reply->body_bytes > 0 || reply->body.bytes > 0;
    double number = 0;
    if (check->numeric && unit_read_real(span_trim(reply->body), &number) == 0)
        return compare_number(check, number);
    return !is_ordered(check->compare) && check->compare != IS_IN &&
           compare_text(check, reply->body);
}

bool check_passes(const struct reply_check *check, const struct reply *reply)
{
    return passes(check, reply) != check->inverted;
}

const char *check_words(const struct reply_check *check)
{
    return check->words;
}

bool check_needs_body(const struct reply_check *check)
{
    return check->look.kind == LOOK_JSON || check->look.kind == LOOK_BODY;
}

bool check_needs_head(const struct reply_check *check)
{
    return check->look.kind == LOOK_HEADER;
}

struct reply_check *check_free(struct reply_check *check)
{
    if (check) {
        look_fini(&check->look);
        if (check->has_regex)
            regfree(&check->regex);
        free(check->words);
        free(check->ranges);
        free(check->text);
        free(check);
    }
    return NULL;
}
