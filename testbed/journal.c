/* Rows gathered in memory and written a block at a time; see journal.h. */
#include "testbed/journal.h"

#include "base/memory.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { BLOCK_BYTES = 1 << 18 };

struct journal {
    int fd;
    int error;
    struct text rows;
};

int journal_open(struct journal **out, const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0)
        return -errno;
    struct journal *journal = memory_new(1, sizeof *journal);
    journal->fd = fd;
    text_reserve(&journal->rows, BLOCK_BYTES + 256);
    text_puts(&journal->rows, "n,arrival_ns,service_ns,departure_ns,written_ns\n");
    *out = journal;
    return 0;
}

static void write_out(struct journal *journal)
{
    size_t done = 0;
    while (done < journal->rows.bytes && !journal->error) {
        ssize_t written = write(journal->fd, journal->rows.at + done, journal->rows.bytes - done);
        if (written >= 0)
            done += (size_t)written;
        else if (errno != EINTR)
            journal->error = -errno;
    }
    text_clear(&journal->rows);
}

int journal_close(struct journal *journal)
{
    if (!journal)
        return 0;
    write_out(journal);
    if (close(journal->fd) && !journal->error)
        journal->error = -errno;
    int error = journal->error;
    text_fini(&journal->rows);
    free(journal);
    return error;
}

void journal_write(void *self, const struct testbed_entry *entry)
{
    struct journal *journal = self;
    const uint64_t columns[] = {entry->number, (uint64_t)entry->arrival_ns,
                                (uint64_t)entry->service_ns, (uint64_t)entry->departure_ns,
                                (uint64_t)entry->written_ns};
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) {
        if (i)
            text_putc(&journal->rows, ',');
        text_put_uint(&journal->rows, columns[i]);
    }
    text_putc(&journal->rows, '\n');
    if (journal->rows.bytes >= BLOCK_BYTES)
        write_out(journal);
}
