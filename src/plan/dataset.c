/* Prompts and conversations out of files, in the forms that people have them in: plain prompts,
 * lists of messages as APIs take them, and conversations as the ShareGPT collections store them.
 *
 * A record is named by the line on which it begins, in a JSON array too. */
#include "plan/dataset.h"

#include "base/memory.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct dataset {
    struct plan_prompts *out;
    const struct dataset_filter *filter;
    struct text bytes; /* of all messages */
    size_t *begins;    /* of each message in bytes */
    size_t message_count;
    unsigned line; /* of the record */
    struct feed_error *error;
};

int feed_bad(struct feed_error *error, unsigned line, const char *format, ...)
{
    va_list list;
    error->line = line;
    error->column = 1;
    va_start(list, format);
    vsnprintf(error->why, sizeof error->why, format, list);
    va_end(list);
    return FEED_BAD;
}

/* ---- messages ---------------------------------------------------------------------------------
 */

static void add_message(struct dataset *dataset, enum prompt_role role, size_t begin)
{
    size_t count = dataset->message_count;
    struct plan_prompts *out = dataset->out;
    if ((count & (count - 1)) == 0) {
        size_t room = count ? 2 * count : 1;
        out->messages = memory_resize(out->messages, room, sizeof *out->messages);
        dataset->begins = memory_resize(dataset->begins, room, sizeof *dataset->begins);
    }
    dataset->begins[count] = begin;
    out->messages[count] = (struct prompt_message){
        .role = role, .words = {.at = NULL, .bytes = dataset->bytes.bytes - begin}};
    dataset->message_count++;
}

/* A text, or a list of parts that are texts. */
static int put_content(struct dataset *dataset, const json_t *content)
{
    if (json_is_string(content)) {
        text_put(&dataset->bytes,
                 (struct span){json_string_value(content), json_string_length(content)});
        return 0;
    }
    for (size_t i = 0; i < json_array_size(content); i++) {
        const json_t *text = json_object_get(json_array_get(content, i), "text");
        if (!json_is_string(text))
            return feed_bad(dataset->error, dataset->line,
                            "a part of a message is no text; only texts can be sent");
        text_put(&dataset->bytes, (struct span){json_string_value(text), json_string_length(text)});
    }
    if (json_is_array(content))
        return 0;
    return feed_bad(dataset->error, dataset->line, "a message without a text");
}

static int read_role(struct dataset *dataset, const char *word, enum prompt_role *role)
{
    static const struct {
        const char *word;
        enum prompt_role role;
    } rows[] = {
        {"user", ROLE_USER},           {"human", ROLE_USER},     {"system", ROLE_SYSTEM},
        {"assistant", ROLE_ASSISTANT}, {"gpt", ROLE_ASSISTANT},  {"chatgpt", ROLE_ASSISTANT},
        {"bing", ROLE_ASSISTANT},      {"bard", ROLE_ASSISTANT}, {"developer", ROLE_SYSTEM},
    };
    for (size_t i = 0; word && i < sizeof rows / sizeof *rows; i++) {
        if (strcmp(rows[i].word, word) == 0) {
            *role = rows[i].role;
            return 0;
        }
    }
    return feed_bad(
        dataset->error, dataset->line,
        "a message of role \"%.40s\"; it may be system, user (human) or assistant (gpt)",
        word ? word : "");
}

/* A list of messages, whose members are called as given. */
static int read_messages(struct dataset *dataset, const json_t *list, const char *who,
                         const char *what)
{
    if (!json_is_array(list))
        return feed_bad(dataset->error, dataset->line, "the messages must be a list");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *message = json_array_get(list, i);
        size_t begin = dataset->bytes.bytes;
        enum prompt_role role = ROLE_USER;
        if (read_role(dataset, json_string_value(json_object_get(message, who)), &role) ||
            put_content(dataset, json_object_get(message, what)))
            return FEED_BAD;
        add_message(dataset, role, begin);
    }
    return 0;
}

/* ---- records ----------------------------------------------------------------------------------
 */

static int read_output(struct dataset *dataset, const json_t *record, uint32_t *output)
{
    static const char *const names[] = {"output_tokens", "output_length", "output_len",
                                        "max_tokens"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const json_t *value = json_object_get(record, names[i]);
        if (!value || json_is_null(value))
            continue;
        json_int_t tokens = json_integer_value(value);
        if (!json_is_integer(value) || tokens < 1 || tokens > PROMPT_TOKENS_MOST)
            return feed_bad(dataset->error, dataset->line,
                            "\"%s\" must be a whole number from 1 to %d", names[i],
                            PROMPT_TOKENS_MOST);
        *output = (uint32_t)tokens;
        return 0;
    }
    return 0;
}

/* The messages of a record; whole: one request sends all of them. */
static int read_form(struct dataset *dataset, const json_t *record, bool *whole)
{
    const json_t *messages = json_object_get(record, "messages");
    const json_t *conversations = json_object_get(record, "conversations");
    const json_t *prompt = json_is_string(record) ? record : json_object_get(record, "prompt");
    *whole = messages != NULL;
    if (messages)
        return read_messages(dataset, messages, "role", "content");
    if (conversations)
        return read_messages(dataset, conversations, "from", "value");
    if (!prompt)
        return feed_bad(dataset->error, dataset->line,
                        "has none of \"prompt\", \"messages\" and \"conversations\"");
    size_t begin = dataset->bytes.bytes;
    if (put_content(dataset, prompt))
        return FEED_BAD;
    add_message(dataset, ROLE_USER, begin);
    const json_t *answer = json_object_get(record, "completion");
    begin = dataset->bytes.bytes;
    if (answer && put_content(dataset, answer))
        return FEED_BAD;
    if (answer)
        add_message(dataset, ROLE_ASSISTANT, begin);
    return 0;
}

/* Whether a record passes the filters; without a message of the user there is nothing to send. */
static bool is_wanted(const struct dataset *dataset, const struct prompt_dialog *dialog)
{
    const struct plan_prompts *out = dataset->out;
    const struct dataset_filter *filter = dataset->filter;
    bool all = dialog->whole && out->turns.spread == SPREAD_NONE;
    uint32_t wanted = all ? dialog->users - 1 : 0;
    if (dialog->users == 0 || (filter->limit && out->dialog_count >= filter->limit))
        return false;
    for (uint32_t i = dialog->first;; i++) {
        const struct prompt_message *message = &out->messages[i];
        if (message->role != ROLE_USER || wanted-- > 0)
            continue;
        uint32_t tokens = prompt_estimate(message->words);
        return message->words.bytes && tokens >= filter->least_tokens &&
               (!filter->most_tokens || tokens <= filter->most_tokens);
    }
}

static int add_record(struct dataset *dataset, const json_t *record)
{
    struct plan_prompts *out = dataset->out;
    struct prompt_dialog dialog = {.first = (uint32_t)dataset->message_count};
    size_t bytes = dataset->bytes.bytes, count = out->dialog_count;
    if (read_form(dataset, record, &dialog.whole) || read_output(dataset, record, &dialog.output))
        return FEED_BAD;
    dialog.count = (uint32_t)dataset->message_count - dialog.first;
    for (uint32_t i = 0; i < dialog.count; i++)
        dialog.users += out->messages[dialog.first + i].role == ROLE_USER;
    if (!is_wanted(dataset, &dialog)) {
        dataset->message_count = dialog.first;
        dataset->bytes.bytes = bytes;
        out->left_out++;
        return 0;
    }
    if ((count & (count - 1)) == 0)
        out->dialogs = memory_resize(out->dialogs, count ? 2 * count : 1, sizeof *out->dialogs);
    out->dialogs[out->dialog_count++] = dialog;
    return 0;
}

/* ---- the file ---------------------------------------------------------------------------------
 */

/* Passes blanks, and in an array commas; counts lines. */
static void pass_blanks(struct dataset *dataset, struct span bytes, size_t *at, bool array)
{
    for (; *at < bytes.bytes; (*at)++) {
        char byte = bytes.at[*at];
        if (byte == '\n')
            dataset->line++;
        else if (byte != ' ' && byte != '\t' && byte != '\r' && !(array && byte == ','))
            return;
    }
}

static int read_records(struct dataset *dataset, struct span bytes)
{
    size_t at = bytes.bytes >= 3 && memcmp(bytes.at, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
    pass_blanks(dataset, bytes, &at, false);
    bool array = at < bytes.bytes && bytes.at[at] == '[';
    at += array;
    for (;;) {
        pass_blanks(dataset, bytes, &at, array);
        if (array && at < bytes.bytes && bytes.at[at] == ']')
            return 0;
        if (at == bytes.bytes)
            return array ? feed_bad(dataset->error, dataset->line, "the array is not closed") : 0;
        json_error_t error;
        json_t *record =
            json_loadb(bytes.at + at, bytes.bytes - at,
                       JSON_DECODE_ANY | JSON_DISABLE_EOF_CHECK | JSON_REJECT_DUPLICATES, &error);
        if (!record)
            return feed_bad(dataset->error, dataset->line + (unsigned)error.line - 1,
                            "not JSON: %.120s", error.text);
        int rc = add_record(dataset, record);
        json_decref(record);
        if (rc)
            return rc;
        for (size_t past = at + (size_t)error.position; at < past; at++)
            dataset->line += bytes.at[at] == '\n';
    }
}

/* Whether the file says how long answers are, and the mean of it. */
static void sum_outputs(struct plan_prompts *out)
{
    double sum = 0;
    size_t known = 0;
    for (size_t i = 0; i < out->dialog_count; i++) {
        const struct prompt_place place = {.number = i};
        uint32_t output = prompt_known_output(out, &place);
        sum += output;
        known += output > 0;
    }
    out->typical_output = known ? (uint32_t)(sum / (double)known + 0.5) : 0;
    out->has_output = known > 0 || out->output.spread != SPREAD_NONE;
}

int dataset_read(struct span bytes, const struct dataset_filter *filter, struct plan_prompts *out,
                 struct feed_error *error)
{
    struct dataset dataset = {.out = out, .filter = filter, .line = 1, .error = error};
    int rc = read_records(&dataset, bytes);
    out->bytes = text_take(&dataset.bytes);
    for (size_t i = 0; i < dataset.message_count; i++)
        out->messages[i].words.at = out->bytes + dataset.begins[i];
    free(dataset.begins);
    if (rc == 0 && out->dialog_count == 0)
        rc =
            feed_bad(error, 1,
                     out->left_out ? "all %zu records are left out by the filters, or have nothing "
                                     "that the user says"
                                   : "the file has no records",
                     out->left_out);
    if (rc == 0)
        sum_outputs(out);
    return rc;
}
