/* What a killed suite left is undone by opening each scaler again with the settings that stand in
 * the journal, last entry first. */
#include "base/error.h"
#include "base/memory.h"
#include "plan/plan.h"
#include "plan/setting_json.h"
#include "run/journal.h"
#include "run/scaling.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct scaler *find(const struct rollback_options *options, const char *name)
{
    for (size_t i = 0; i < options->scaler_count; i++)
        if (strcmp(options->scalers[i]->name, name) == 0)
            return options->scalers[i];
    return NULL;
}

/* Opens the scaler of an entry and restores its state. */
static int undo(const struct rollback_options *options, const struct journal_record *record,
                const struct journal_entry *entry, struct text *words)
{
    const struct scaler *scaler = find(options, entry->scaler);
    if (!scaler) {
        text_puts(words, "this version of plimsoll has no such scaler");
        return SCALER_FAILED;
    }
    atomic_bool cancel = false;
    struct scaler_place place = {.target = record->target,
                                 .directory = record->directory,
                                 .root = options->root ? options->root : "",
                                 .cancel = &cancel,
                                 .say = options->say,
                                 .self = options->self};
    void *config = memory_new(1, scaler->config_bytes), *self = NULL;
    int rc = setting_read_json(scaler->settings, span_of(entry->config), config, words)
                 ? SCALER_FAILED
                 : scaler->open(config, &place, &self, words);
    if (rc == 0) {
        rc = scaler->restore(self, entry->state, words);
        scaler->close(self);
    }
    setting_free(scaler->settings, config);
    free(config);
    return rc;
}

/* Undoes all that is left. Returns how many could not be. */
static size_t undo_all(const struct rollback_options *options, const struct journal_record *record,
                       struct journal *journal, size_t *done, struct text *why)
{
    size_t left = 0;
    for (size_t i = record->count; i-- > 0;) {
        const struct journal_entry *entry = &record->entries[i];
        struct text words = TEXT_EMPTY;
        char sentence[100];
        if (entry->undone)
            continue;
        int rc = undo(options, record, entry, &words);
        if (rc < 0 && words.bytes == 0)
            text_puts(&words, error_sentence(rc, sentence, sizeof sentence));
        if (rc == 0 && journal_undone(journal, entry->number) == 0) {
            ++*done;
        } else {
            text_printf(why, "%s%s: %s (it was: %s)", why->bytes ? "\n" : "", entry->scaler,
                        words.bytes ? words.at : "failed", entry->state);
            left++;
        }
        text_fini(&words);
    }
    return left;
}

int scaling_rollback(const struct rollback_options *options, size_t *done, struct text *why)
{
    struct journal_record record;
    struct journal *journal = NULL;
    size_t left = 0;
    *done = 0;
    int rc = journal_read(options->journal, &record);
    if (rc)
        return rc;
    if (journal_owner_runs(&record)) {
        text_printf(why, "the suite still runs as process %ld; end it with plimsoll stop",
                    (long)record.owner.pid);
        rc = ROLLBACK_RUNNING;
    } else if (journal_unfinished(&record)) {
        rc = journal_reopen(options->journal, &record, &journal);
        if (rc == 0)
            left = undo_all(options, &record, journal, done, why);
        journal_close(journal);
    }
    journal_record_fini(&record);
    return rc ? rc : left ? ROLLBACK_LEFT : 0;
}
