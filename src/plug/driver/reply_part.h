/* plug/driver/reply_part.h - what drivers of services with their own replies share: where something
 * stands in a reply, how much of it is kept, and what of a failure is shown. */
#ifndef PLUG_DRIVER_REPLY_PART_H
#define PLUG_DRIVER_REPLY_PART_H

#include "plan/note.h"
#include "wire/json.h"

#include <stdbool.h>
#include <stdint.h>

/* Compiles a path of the plan. name: of the request. Returns false after adding an error to notes.
 */
bool reply_part_compile(const char *words, struct json_path *path, const char *name,
                        struct notes *notes);

/* Appends bytes as far as `most` in all allows. Returns whether all of them fitted. */
bool reply_part_keep(struct text *kept, struct span bytes, size_t most);

/* Copies the beginning of words, at most `room` bytes and no part of a character. Returns its
 * length. */
uint8_t reply_part_show(struct span words, char *shown, uint8_t room);

#endif
