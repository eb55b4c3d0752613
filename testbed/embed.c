/* Words to directions, and the two forms of reply; see embed.h. */
#include "testbed/embed.h"

#include "base/memory.h"
#include "base/random.h"
#include "testbed/reply.h"
#include "testbed/task.h"
#include "testbed/value.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- vectors ----------------------------------------------------------------------------------
 */

static bool in_word(unsigned char byte)
{
    return (byte >= '0' && byte <= '9') || ((byte | 32) >= 'a' && (byte | 32) <= 'z') ||
           byte >= 128;
}

/* Takes the next word off; its hash (FNV-1a) is never 0, which stands for no more words. */
static uint64_t next_word(struct span *rest)
{
    uint64_t hash = UINT64_C(0xCBF29CE484222325);
    size_t at = 0;
    while (at < rest->bytes && !in_word((unsigned char)rest->at[at]))
        at++;
    size_t begin = at;
    for (; at < rest->bytes && in_word((unsigned char)rest->at[at]); at++) {
        unsigned char byte = (unsigned char)rest->at[at];
        if (byte >= 'A' && byte <= 'Z')
            byte |= 32;
        hash = (hash ^ byte) * UINT64_C(0x100000001B3);
    }
    bool found = at > begin;
    rest->at += at;
    rest->bytes -= at;
    return found ? hash | (hash == 0) : 0;
}

uint64_t embed_tokens(struct span text)
{
    uint64_t tokens = 0;
    while (next_word(&text))
        tokens++;
    return tokens ? tokens : 1;
}

static void add_direction(uint64_t hash, uint64_t dimensions, float *vector)
{
    for (uint64_t i = 0; i < dimensions; i++)
        vector[i] += (float)(random_unit_of(random_bits_at(hash, i)) - 0.5);
}

/* To length 1; a vector of nothing points the same way as all such. */
static void normalise(uint64_t dimensions, float *vector)
{
    double square = 0;
    for (uint64_t i = 0; i < dimensions; i++)
        square += (double)vector[i] * (double)vector[i];
    double scale = square > 0 ? 1 / sqrt(square) : 0;
    for (uint64_t i = 0; i < dimensions; i++)
        vector[i] = square > 0 ? (float)(vector[i] * scale) : (i == 0 ? 1.0F : 0.0F);
}

uint64_t embed_text(struct span text, uint64_t dimensions, float *vector)
{
    uint64_t tokens = 0, hash;
    memset(vector, 0, dimensions * sizeof *vector);
    while ((hash = next_word(&text))) {
        add_direction(hash, dimensions, vector);
        tokens++;
    }
    normalise(dimensions, vector);
    return tokens ? tokens : 1;
}

nsec_t embed_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec * NSEC_PER_SEC + now.tv_nsec;
}

void embed_spend(nsec_t begun_ns, nsec_t for_ns)
{
    volatile uint64_t sink = 0;
    while (embed_clock() - begun_ns < for_ns) {
        for (uint64_t i = 0; i < 64; i++)
            sink += random_bits_at(sink, i);
    }
}

/* ---- requests ---------------------------------------------------------------------------------
 */

/* What a request wants, read on the thread that does it. */
enum dialect { DIALECT_TEI, DIALECT_OPENAI, DIALECT_OLLAMA };

struct wish {
    enum dialect dialect;
    bool base64;
    uint64_t dimensions, tokens, count;
    struct span model;
};

static void put_base64(struct text *out, const float *vector, uint64_t dimensions)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *bytes = (const unsigned char *)vector; /* little-endian, as is asked */
    size_t count = dimensions * sizeof *vector;
    for (size_t i = 0; i < count; i += 3) {
        size_t left = count - i < 3 ? count - i : 3;
        uint32_t word = (uint32_t)bytes[i] << 16;
        if (left > 1)
            word |= (uint32_t)bytes[i + 1] << 8;
        if (left > 2)
            word |= bytes[i + 2];
        for (size_t k = 0; k < 4; k++)
            text_putc(out, k <= left ? digits[word >> (18 - 6 * k) & 63] : '=');
    }
}

static void put_vector(struct text *out, const struct wish *wish, const float *vector)
{
    if (wish->base64) {
        text_putc(out, '"');
        put_base64(out, vector, wish->dimensions);
        text_putc(out, '"');
        return;
    }
    for (uint64_t i = 0; i < wish->dimensions; i++)
        text_printf(out, "%c%.8g", i ? ',' : '[', (double)vector[i]);
    text_putc(out, ']');
}

/* One input: a text, or a list of token numbers. */
static bool put_input(struct task *task, struct wish *wish, struct span input, float *vector)
{
    uint64_t full = task->testbed->options.platform.dimensions;
    struct text words = TEXT_EMPTY;
    if (!value_text(input, &words)) {
        if (!value_is_array(input))
            return false;
        text_put(&words, value_inside(input)); /* "17,4711": each number is a word */
    }
    wish->tokens += embed_text(text_span(&words), full, vector);
    text_fini(&words);
    if (wish->dimensions < full)
        normalise(wish->dimensions, vector);
    if (wish->count)
        text_putc(&task->reply, ',');
    bool openai = wish->dialect == DIALECT_OPENAI;
    if (openai)
        text_printf(&task->reply, "{\"object\":\"embedding\",\"index\":%llu,\"embedding\":",
                    (unsigned long long)wish->count);
    put_vector(&task->reply, wish, vector);
    if (openai)
        text_putc(&task->reply, '}');
    wish->count++;
    return true;
}

static bool is_number(struct span value)
{
    double number;
    return value_real(value, &number) == 0;
}

/* All inputs; false: something is no text. */
static bool put_inputs(struct task *task, struct wish *wish, struct span input, float *vector)
{
    struct span rest = value_inside(input), element = rest;
    if (value_is_array(input) && rest.bytes) {
        struct span peek = rest;
        value_next(&peek, &element);
    }
    if (!value_is_array(input) || is_number(element))
        return put_input(task, wish, input, vector);
    while (value_next(&rest, &element)) {
        if (wish->count == EMBED_INPUTS_MOST || !put_input(task, wish, element, vector))
            return false;
    }
    return wish->count > 0;
}

static const char *read_wish(const struct task *task, struct wish *wish, struct span *input)
{
    struct span body = span_trim(text_span(&task->body)), value;
    uint64_t full = task->testbed->options.platform.dimensions;
    wish->dialect = (enum dialect)task->number;
    const char *key = wish->dialect == DIALECT_TEI ? "inputs" : "input";
    wish->dimensions = full;
    wish->model = SPAN("\"plimsoll-testbed-embedding\"");
    if (!value_is_valid(body))
        return "the body is not valid JSON";
    if (!value_member(body, key, input) || !value_is_given(*input))
        return wish->dialect == DIALECT_TEI ? "inputs is missing" : "input is missing";
    if (value_member(body, "model", &value) && value_is_text(value))
        wish->model = value;
    if (value_member(body, "encoding_format", &value) && value_is_given(value)) {
        wish->base64 = span_equal(value, SPAN("\"base64\""));
        if (!wish->base64 && !span_equal(value, SPAN("\"float\"")))
            return "encoding_format must be float or base64";
    }
    if (value_member(body, "dimensions", &value) && value_is_given(value) &&
        (value_uint(value, &wish->dimensions) || wish->dimensions == 0 || wish->dimensions > full))
        return "dimensions must be a whole number from 1 to what --dimensions says";
    return NULL;
}

/* What stands around the vectors. */
static void put_begin(struct text *reply, const struct wish *wish)
{
    if (wish->dialect == DIALECT_OPENAI) {
        text_puts(reply, "{\"object\":\"list\",\"data\":[");
    } else if (wish->dialect == DIALECT_OLLAMA) {
        text_puts(reply, "{\"model\":");
        text_put(reply, wish->model);
        text_puts(reply, ",\"embeddings\":[");
    } else {
        text_putc(reply, '[');
    }
}

static void put_end(struct text *reply, const struct wish *wish, nsec_t cost_ns)
{
    text_putc(reply, ']');
    if (wish->dialect == DIALECT_OPENAI) {
        text_puts(reply, ",\"model\":");
        text_put(reply, wish->model);
        text_printf(reply, ",\"usage\":{\"prompt_tokens\":%llu,\"total_tokens\":%llu}}",
                    (unsigned long long)wish->tokens, (unsigned long long)wish->tokens);
    } else if (wish->dialect == DIALECT_OLLAMA) {
        text_printf(reply,
                    ",\"total_duration\":%lld,\"load_duration\":0,\"prompt_eval_count\":%llu}",
                    (long long)cost_ns, (unsigned long long)wish->tokens);
    }
    text_putc(reply, '\n');
}

static void work(struct task *task)
{
    nsec_t begun_ns = embed_clock();
    struct wish wish = {.count = 0};
    struct span input;
    const char *wrong = read_wish(task, &wish, &input);
    if (wrong) {
        task_error(task, 400, wrong);
        return;
    }
    const struct platform_options *platform = &task->testbed->options.platform;
    float *vector = memory_new(platform->dimensions, sizeof *vector);
    put_begin(&task->reply, &wish);
    bool good = put_inputs(task, &wish, input, vector);
    task->job.cost_ns = (nsec_t)wish.tokens * platform->embed_token_ns;
    if (good)
        put_end(&task->reply, &wish, task->job.cost_ns);
    else
        task_error(task, 400, "inputs must be texts, or lists of token numbers, 1 to 2048 of them");
    free(vector);
    if (!task->job.virtual_time)
        embed_spend(begun_ns, task->job.cost_ns);
}

void embed_serve(struct connection *connection, const struct request *request)
{
    struct task *task = task_new(connection, request, work);
    enum dialect dialect = DIALECT_TEI;
    if (span_equal(request->path, SPAN("/v1/embeddings")))
        dialect = DIALECT_OPENAI;
    else if (span_equal(request->path, SPAN("/api/embed")))
        dialect = DIALECT_OLLAMA;
    task->number = dialect;
    task_submit(task, connection->testbed->compute, 0);
}
