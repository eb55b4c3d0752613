/* plug/driver/ollama_reply.h - what one JSON object of Ollama's own API says: a line of a stream, a
 * whole reply, or the body of an error. */
#ifndef PLUG_DRIVER_OLLAMA_REPLY_H
#define PLUG_DRIVER_OLLAMA_REPLY_H

#include "base/text.h"
#include "plug/driver/llm.h"

struct ollama_reply {
    bool broken;       /* not a JSON object */
    bool content;      /* answer text or a call of a tool; not empty */
    struct span text;  /* the answer's text; as in the bytes */
    bool reasoning;    /* text in `thinking`; not empty */
    bool done;         /* the last line of an answer */
    bool failed;       /* it is an error */
    struct span words; /* of the error; as in the bytes, escapes not decoded */
    struct llm_usage usage;
    struct llm_server_times server;
};

/* Reads it. */
void ollama_reply_read(struct span bytes, struct ollama_reply *reply);

#endif
