/* Writes what the show room appends, at once and whole, so that a panel never stands half drawn. */
#include "app/live.h"

#include "base/memory.h"
#include "show/live.h"

#include <stdlib.h>

struct live {
    FILE *out;
    bool panelled;
    struct show_options options;
    struct live_panel panel;
    struct text text;
};

struct live *live_new(FILE *out, const struct terminal *terminal)
{
    struct live *live = memory_new(1, sizeof *live);
    *live = (struct live){
        .out = out,
        .panelled = terminal->moves,
        .options = {.colour = terminal->colour, .columns = terminal->columns},
    };
    return live;
}

static void put(struct live *live)
{
    if (live->text.bytes)
        fwrite(live->text.at, 1, live->text.bytes, live->out);
    fflush(live->out);
    text_clear(&live->text);
}

struct live *live_free(struct live *live)
{
    if (!live)
        return NULL;
    live_clear(live);
    text_fini(&live->text);
    free(live);
    return NULL;
}

void live_clear(struct live *live)
{
    if (!live || !live->panelled)
        return;
    show_live_clear(&live->panel, &live->text);
    put(live);
}

void live_show(struct live *live, const struct run_progress *progress)
{
    if (live->panelled)
        show_live_panel(&live->panel, progress, &live->options, &live->text);
    else
        show_live_line(progress, &live->options, &live->text);
    put(live);
}
